"""The look of every page: tokens of colour, spacing and type, and the style sheets that use them.

sheet  brings them to pages and scripts
"""
