"""The lightbox that every page has, and Present: one clip at a time, as large as fits.

lightbox  drawn once, and opened from anywhere
panel     what it says beside a clip
facts     what its script is told of a clip
among     the list that a clip stands in
address   a clip and its list in the address
"""
