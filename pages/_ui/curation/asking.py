"""What every dialog of curation does: it begins with the last refusal, and ends with two buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.curation.decisions import close
from pages._ui.decide import carry_out
from pages._ui.escape import escape_markdown
from pages._ui.session_state import app_state


def jobs_of(job_ids: Sequence[str]) -> list[Job]:
    """Return the jobs of these ids; those that the log does not have are passed over."""
    return [job for job in map(studio().ledger.get, job_ids) if job is not None]


def at_start(now: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stood there when the dialog was opened."""
    state = app_state()
    if state.at_start is None:
        state.at_start = now
    return state.at_start


def answers(number: int, yes: str, act: Callable[[Actions], object], *, in_form: bool = False) -> None:
    """Draw the two buttons under a dialog; whichever is pressed closes it, unless it was refused."""
    button: Callable[..., bool] = st.form_submit_button if in_form else st.button
    with st.container(horizontal=True):
        button(yes, type="primary", key=f"app.asked-yes-{number}", on_click=_do, args=(number, act))
        button("Cancel", key=f"app.asked-no-{number}", on_click=close)


def begin() -> None:
    """Say why the last press was refused; where it was answered, have the page run without the dialog."""
    state = app_state()
    if not state.asked[0]:
        st.rerun()
    if state.refused:
        st.error(escape_markdown(state.refused), icon=":material/warning:")
        state.refused = ""


def _do(number: int, act: Callable[[Actions], object]) -> None:
    what, _, asked = app_state().asked
    if not what or asked != number:
        return  # the second press of a double one: the first has answered
    # No toast: Streamlit 1.67 puts one from a dialog's callback into the place of the dialog, whose own
    # elements then have no parent, and the whole page turns white
    # (github.com/streamlit/streamlit/issues/11367).
    done, refused = carry_out(act)
    if refused:
        app_state().refused = refused
    elif done is not None:
        close()
