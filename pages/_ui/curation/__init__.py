"""What people say and decide about clips: stars, ratings, tags, notes, what is hidden or deleted.

decisions  callbacks of buttons, menus and components, for one clip or for many
dialogs    what asks for tags, for a note, and before files are deleted
overlays   draws the dialog that was asked for, and Undo; each page that curates calls it once
"""

from __future__ import annotations

from pages._ui.curation.decisions import (
    delete_dialog,
    hide,
    note_dialog,
    rate,
    show_again,
    star,
    tag_dialog,
)
from pages._ui.curation.overlays import overlays

__all__ = [
    "delete_dialog",
    "hide",
    "note_dialog",
    "overlays",
    "rate",
    "show_again",
    "star",
    "tag_dialog",
]
