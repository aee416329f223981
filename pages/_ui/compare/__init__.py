"""The page that plays two to four clips next to each other, in step.

view         the page, for compare.js and deck.js to draw
chosen       which clips a link means, and why some cannot be played
differences  what differs between clips
keep         the decision at the end: one gets a star, the others are hidden
address      the clips in the address, and where somebody stood
"""
