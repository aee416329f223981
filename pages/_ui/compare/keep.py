"""The decision at the end of a comparison: one clip gets a star, the others are hidden."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from pages._ui.context import studio
from pages._ui.curation.decisions import UNDO_OFFERED
from pages._ui.current_user import acting
from pages._ui.decide import attempt
from pages._ui.format import counted
from pages._ui.session_state import Undoable, app_state


def keep(job_id: str, others: Sequence[str]) -> None:
    """Star a clip and hide others; for 10 seconds `overlays` offers to undo both.

    A clip that was hidden, because another one was kept before, is shown again, and that one loses the star
    that it got so. Clips of other people, which the user may not hide, stay as they are.

    Args:
        job_id: of the clip that is kept.
        others: ids of those that it was compared with.
    """
    state, user = app_state(), acting()
    job = studio().ledger.get(job_id)
    if job is None:
        return
    mine = job.opinions.get(user.who)
    starred = () if mine and mine.star else (job_id,)
    if starred and attempt(Actions.star, starred) is None:
        return
    unstarred = tuple(other for other in others if other in state.stars_of_keep)
    if unstarred:
        attempt(Actions.star, unstarred, on=False)
    state.stars_of_keep = state.stars_of_keep - {*unstarred} | {*starred}
    if job.hidden:
        attempt(Actions.hide, [job_id], on=False)
    known = [other for other in map(studio().ledger.get, others) if other is not None and not other.hidden]
    hideable = [other.id for other in known if user.may(Action.HIDE, other)]
    hidden = attempt(Actions.hide, hideable) if hideable else []
    if left := len(known) - len(hideable):
        state.said = f"{counted(left, 'clip of somebody else stays', 'clips of others stay')} in the lists."
    if hidden:
        state.undo = Undoable(
            words=f"Kept. {counted(len(hidden), 'other clip is', 'other clips are')} hidden.",
            ids=tuple(each.id for each in hidden),
            number=state.undo.number + 1 if state.undo else 1,
            until=time.monotonic() + UNDO_OFFERED,
            starred=starred,
            unstarred=unstarred,
            shown=(job_id,) if job.hidden else (),
        )
