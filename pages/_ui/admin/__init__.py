"""The sections of the admin page, one module each."""
