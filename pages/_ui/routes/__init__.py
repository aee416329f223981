"""The HTTP beside the pages. A module is a few routes: `routes()` gives them, and app.py serves them."""
