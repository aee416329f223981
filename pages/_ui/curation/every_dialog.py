"""The dialogs that `overlays` draws, by the name that `decisions` asks for them with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pages._ui.collections import dialogs as collections
from pages._ui.curation import dialogs
from pages._ui.sharing import dialogs as sharing
from pages._ui.sound import dialog as sound

# Each takes the ids that it is about, of jobs or of one collection, and its number in this session.
DIALOGS: Mapping[str, Callable[[Sequence[str], int], None]] = {
    "tag": dialogs.tags,
    "note": dialogs.note,
    "delete": dialogs.delete,
    "collect": collections.collect,
    "edit_collection": collections.edit,
    "delete_collection": collections.delete,
    "share": sharing.share,
    "share_collection": sharing.share_collection,
    "end_share": sharing.end,
    "sound": sound.sound,
}
