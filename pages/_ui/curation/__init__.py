"""What people say and decide about clips: stars, ratings, tags, notes, what is hidden or deleted.

decisions     callbacks of buttons, menus and components, for one clip or for many
presses       what is pressed in the lightbox, on walls and in the list: done once, and answered
asking        what every dialog does
dialogs       what asks for tags, for a note, and before files are deleted
every_dialog  these, and those of collections, of sharing and of sound, by name
star_button   gives a job the user's star, or takes it back
overlays      draws the dialog that was asked for, and Undo; each page that curates calls it once
"""

from __future__ import annotations

from pages._ui.curation.decisions import (
    collect_dialog,
    delete_collection_dialog,
    delete_dialog,
    edit_collection_dialog,
    end_share_dialog,
    hide,
    new_collection_dialog,
    note_dialog,
    rate,
    share_collection_dialog,
    share_dialog,
    show_again,
    sound_dialog,
    star,
    tag_dialog,
    take_out,
)
from pages._ui.curation.overlays import overlays

__all__ = [
    "collect_dialog",
    "delete_collection_dialog",
    "delete_dialog",
    "edit_collection_dialog",
    "end_share_dialog",
    "hide",
    "new_collection_dialog",
    "note_dialog",
    "overlays",
    "rate",
    "share_collection_dialog",
    "share_dialog",
    "show_again",
    "sound_dialog",
    "star",
    "tag_dialog",
    "take_out",
]
