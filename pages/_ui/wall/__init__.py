"""The wall: pictures of clips in rows that fill the width, in Gallery and in a collection.

wall      the rows
tiles     what the script is told of one clip
gallery   the clips of Gallery, in parts
controls  the size of the pictures, and Present
at_risk   clips that are made and not saved here yet
"""
