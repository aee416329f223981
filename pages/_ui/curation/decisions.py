"""Callbacks: what is done at once, what can be undone, and which dialog the next run opens."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kling.studio.actions import Actions
from kling.studio.state.records import Collection
from pages._ui.decide import attempt
from pages._ui.format import counted
from pages._ui.session_state import Undoable, app_state

UNDO = 10.0  # seconds for which Undo is offered
_ON_ITS_WAY = 2.0  # seconds in which a press that was made in time arrives
UNDO_OFFERED = UNDO + _ON_ITS_WAY


def star(job_ids: Sequence[str], on: bool = True) -> None:
    """Give clips the user's star, or take it back."""
    attempt(Actions.star, job_ids, on=on)


def rate(job_ids: Sequence[str], rating: int) -> None:
    """Give clips the user's rating from 1 to 5; 0 takes it back."""
    attempt(Actions.rate, job_ids, rating)


def hide(job_ids: Sequence[str]) -> None:
    """Leave jobs out of the lists; for 10 seconds `overlays` offers to undo that."""
    state = app_state()
    changed = attempt(Actions.hide, job_ids)
    if not changed:
        return
    number = len(changed)
    state.undo = Undoable(
        words=f"{counted(number, 'clip is', 'clips are')} hidden.",
        ids=tuple(job.id for job in changed),
        number=state.undo.number + 1 if state.undo else 1,
        until=time.monotonic() + UNDO_OFFERED,
    )


def show_again(job_ids: Sequence[str]) -> None:
    """Put hidden jobs back into the lists."""
    attempt(Actions.hide, job_ids, on=False)


def take_out(collection: Collection, job_ids: Sequence[str]) -> None:
    """Take clips out of a collection; for 10 seconds `overlays` offers to undo that.

    Args:
        collection: as it is now.
        job_ids: of the clips.
    """
    state = app_state()
    done = attempt(Actions.uncollect, collection.id, job_ids)
    gone = () if done is None else tuple(each for each in collection.clips if each not in done.clips)
    if gone:
        state.undo = Undoable(
            words=f"{counted(len(gone), 'clip is', 'clips are')} taken out.",
            ids=gone,
            number=state.undo.number + 1 if state.undo else 1,
            until=time.monotonic() + UNDO_OFFERED,
            taken_out=(collection.id, collection.clips),
        )


def _put_back(collection_id: str, before: Sequence[str], job_ids: Sequence[str]) -> None:
    """Put clips back into a collection, each in front of the one that it stood in front of.

    Args:
        collection_id: of the collection.
        before: its clips as they were.
        job_ids: of the clips that were taken out.
    """
    done = attempt(Actions.collect, collection_id, job_ids)
    if done is None:
        return
    order = [each for each in done.clips if each not in job_ids]
    for at, job_id in reversed(list(enumerate(before))):
        if job_id in job_ids:
            following = next((each for each in before[at + 1 :] if each in order), None)
            order.insert(len(order) if following is None else order.index(following), job_id)
    attempt(Actions.move_in_collection, collection_id, order)


def undo() -> None:
    """Take back what was hidden or taken out last, and what was done along with it."""
    state = app_state()
    last = state.undo
    if last is not None and last.ids:
        if last.taken_out:
            _put_back(*last.taken_out, last.ids)
        else:
            show_again(last.ids)
        if last.shown:
            attempt(Actions.hide, last.shown)
        if last.starred:
            star(last.starred, on=False)
        if last.unstarred:
            star(last.unstarred)
        state.stars_of_keep = state.stars_of_keep - {*last.starred} | {*last.unstarred}
        state.undo = Undoable("", (), last.number, 0.0)


def tag_dialog(job_ids: Sequence[str]) -> None:
    """Have the next run ask for the tags of clips."""
    _ask("tag", job_ids)


def note_dialog(job_id: str) -> None:
    """Have the next run ask for the note on a clip."""
    _ask("note", [job_id])


def sound_dialog(job_ids: Sequence[str]) -> None:
    """Have the next run ask which sound a clip gets."""
    _ask("sound", job_ids)


def delete_dialog(job_ids: Sequence[str]) -> None:
    """Have the next run ask whether the files of clips are to be deleted."""
    _ask("delete", job_ids)


def collect_dialog(job_ids: Sequence[str]) -> None:
    """Have the next run ask for the collection that clips are put into."""
    _ask("collect", job_ids)


def new_collection_dialog() -> None:
    """Have the next run ask for the title and the text of a new collection."""
    _open("edit_collection", ())


def edit_collection_dialog(collection_id: str) -> None:
    """Have the next run ask for the title and the text of a collection."""
    _open("edit_collection", (collection_id,))


def delete_collection_dialog(collection_id: str) -> None:
    """Have the next run ask whether a collection is to be deleted."""
    _open("delete_collection", (collection_id,))


def share_dialog(job_ids: Sequence[str]) -> None:
    """Have the next run ask how clips are shared."""
    _ask("share", job_ids)


def share_collection_dialog(collection_id: str) -> None:
    """Have the next run ask how a collection is shared."""
    _open("share_collection", (collection_id,))


def end_share_dialog(share_id: str) -> None:
    """Have the next run ask whether a link is to be ended."""
    _open("end_share", (share_id,))


def _ask(what: str, job_ids: Sequence[str]) -> None:
    if job_ids:
        _open(what, job_ids)


def _open(what: str, ids: Sequence[str]) -> None:
    state = app_state()
    state.asked = (what, tuple(dict.fromkeys(ids)), state.asked[2] + 1)
    state.at_start, state.refused, state.link, state.asked_in = None, "", None, ""


def close() -> None:
    """Have the next run draw no dialog."""
    state = app_state()
    state.asked, state.link = ("", (), state.asked[2]), None
