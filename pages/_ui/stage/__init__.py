"""The stage of Compose: the clip that was made last or chosen, and the strip below it."""
