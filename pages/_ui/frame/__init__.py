"""What surrounds every page: the bar with the pages and the account, and banners.

bar        the pages, what is spent, what runs, and the account
account    the account menu
banners    warnings, holds, and the jobs that wait for a person
shortcuts  the list of keys
titles     what a tab of the browser is called
"""
