"""The only way from a page to the queue: an order, and its entry in the list of this session."""

from __future__ import annotations

from collections.abc import Sequence

from kling import InvalidRequest
from kling.endpoint import AnyRequest
from kling.studio.budget_limits import OverBudget
from kling.studio.identity.roles import NotAllowed
from kling.studio.jobs import Job
from kling.studio.ledger import LedgerError, LedgerUncertain
from kling.studio.state.records import StateError
from pages._ui.ask_name import ask_name_once
from pages._ui.composer.unsaved_draft import note_unkept
from pages._ui.current_user import acting, browser_id, session_token
from pages._ui.session_state import Unkept, composer_state


def place_order(
    requests: Sequence[AnyRequest], *, parent: str = "", group: str = "", continues: bool = False
) -> list[Job]:
    """Order everything that one press asks for, and list it under "This session"; call it in a callback.

    The list is stored with the draft, so that it is still there after a refresh. A page without a draft
    leaves the list to the next draft that is opened.

    Args:
        requests: what to order.
        parent: id of the job that they were made from.
        group: id of the batch that they belong to.
        continues: they begin with the last frame of the parent's clip, so both are parts of one film.

    Raises:
        NotAllowed: the user may not order.
        OverBudget: it would pass a limit; none was recorded.
        InvalidRequest: one of them breaks rules of the API; none was recorded.
        LedgerError: none was recorded, and none is sent.
        LedgerUncertain: they may be recorded or not; none is sent.
    """
    user, state, browser, token = acting(), composer_state(), browser_id(), session_token()
    jobs = user.order_all(requests, session=token, parent=parent, group=group, continues=continues)
    ask_name_once(user.user)
    state.jobs[:0] = [job.id for job in jobs if job.id not in state.jobs]
    if state.draft_id:
        unkept = Unkept(draft_id=state.draft_id, made=tuple(state.jobs))
        try:
            user.save_draft(state.draft_id, browser=browser, made=unkept.made)
        except StateError as error:
            note_unkept(unkept, error)
    return jobs


REFUSALS = (InvalidRequest, NotAllowed, OverBudget, LedgerError)  # of an order that is not made


def refusal_of(error: Exception) -> str:
    """Return what to tell a person whose order was not made. The form keeps what they typed.

    Args:
        error: one of `REFUSALS`.
    """
    if isinstance(error, InvalidRequest):
        return " ".join(problem.message for problem in error.problems)
    if isinstance(error, LedgerUncertain):
        return (
            "The order may be in the log or not: the disk gave no clear answer. It was not sent; ordering "
            f"the same before the studio is started again may make it two. {error} After the start History "
            "shows whether it is there, and it is yours to send or to cancel."
        )
    return f"Nothing was sent and nothing was spent. {error}"
