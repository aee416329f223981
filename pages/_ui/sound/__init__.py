"""Sound for a clip that is there already."""
