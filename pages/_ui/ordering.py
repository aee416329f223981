"""The only way from a page to the queue: an order, and its place in this session's list, also on the disk."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling import TextToVideo
from kling.studio.jobs import Job
from kling.studio.ledger import LedgerError, LedgerUncertain
from kling.studio.state.records import StateError
from pages._ui.composer import draft_state
from pages._ui.composer.unkept import Unkept, note_unkept
from pages._ui.context import studio


def place_order(requests: Sequence[TextToVideo], *, parent: str = "", group: str = "") -> list[Job]:
    """Order everything that one press asks for, and list it under "This session"; call it in a callback.

    The list is kept with the draft on the disk, so that it is still there after a refresh. A page that has no
    draft leaves it to the next one that is opened. Everything is read from the session before the order is
    made: Streamlit may stop a run at each look at it.

    Args:
        requests: what to order.
        parent: id of the job that they were made from.
        group: id of the batch that they belong to.

    Raises:
        InvalidRequest: one of them breaks rules of the API; none was recorded.
        LedgerError: none was recorded, and none is sent.
        LedgerUncertain: they may be recorded or not; none is sent.
    """
    session, here = st.session_state, studio()
    made: list[str] = session.setdefault("made", [])
    draft_id = session.get("draft_id", "")
    person, token, browser = session.get("person_field", ""), session.session, draft_state.browser()
    jobs = here.order_all(requests, person=person, session=token, parent=parent, group=group)
    made[:0] = [job.id for job in jobs if job.id not in made]
    if draft_id:
        kept = Unkept(draft_id=draft_id, made=tuple(made))
        try:
            here.state.drafts.save(draft_id, browser, made=kept.made)
        except StateError as error:
            note_unkept(kept, error)
    return jobs


def refusal_of(error: LedgerError) -> str:
    """Return what a person is told whose order could not be recorded. The form keeps what they typed."""
    if isinstance(error, LedgerUncertain):
        return (
            f"The order may be in the log or not: the disk gave no clear answer. It was not sent. {error} "
            "Once the studio is started again, History shows whether it is there, and it is yours to send or "
            "to withdraw. Ordering the same before that may make it two."
        )
    return f"Nothing was sent and nothing was spent, because the log cannot be written. {error}"
