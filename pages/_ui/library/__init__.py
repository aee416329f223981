"""The bar, the list and the export of History and Gallery."""
