"""Links to clips in the pages: the dialog that makes one, and the list of those that there are.

dialogs  what asks who may see a link and how long, and shows it once
links    the links that somebody may end
allowed  whether somebody may share at all
"""
