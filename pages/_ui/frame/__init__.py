"""What surrounds every page: the bar with the pages and the account, and banners."""
