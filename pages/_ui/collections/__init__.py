"""Collections in the pages: the dialogs that fill and change one, all of them, and one with its clips.

all      every collection as a card
one      one collection: its words, and its clips in their own order
dialogs  what asks for a collection to put clips into, for its words, and before one is deleted
facts    what pages say of a collection
address  the address of one
script   links within the session, and Present
"""
