"""Clips that are being taken away: every page says how far a ZIP is, and why one cannot be made."""
