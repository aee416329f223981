"""Collections in the pages: the dialogs that fill and change one, all of them, and one with its clips.

dialogs  what asks for a collection to put clips into, for its words, and before one is deleted
"""
