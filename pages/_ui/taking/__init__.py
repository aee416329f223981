"""Clips that are being taken away: every page says how far a ZIP is, and why one cannot be made.

progress  how far the last downloads are
script    what every page does for its links to them
"""
