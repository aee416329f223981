"""The form of an order, in parts: what it holds (`fields`), and what is drawn of it."""
