"""HTTP routes beside the pages. Each module returns its routes from `routes()`, and app.py serves them."""
