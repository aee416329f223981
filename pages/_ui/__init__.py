"""What the pages share. Always imported as `pages._ui`."""
