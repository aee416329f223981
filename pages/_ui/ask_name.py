"""Where nobody signs in, a person is asked for a name once: at the first order, with the known names.

The order does not wait for the answer. What was ordered before it gets the name too.
"""

from __future__ import annotations

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.roles import LOCAL, User
from kling.studio.visible_names import PERSON_LIMIT, visible
from pages._ui.context import studio
from pages._ui.current_user import ASKED_COOKIE, remember, remembered, use_name
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown
from pages._ui.session_state import app_state, composer_state
from pages._ui.style.sheet import own_sheet, style_sheet

QUESTION = "Whose order is it?"
WHY = "The name shows in History and Spend."
MOST_NAMES = 8  # known names to pick from
_STYLE = f"<style>{own_sheet('ask_name')}</style>"


def ask_name_once(user: User) -> None:
    """Have the page ask for a name if an order has none; called with each order.

    Who orders again instead of answering is asked at the next visit.

    Args:
        user: who ordered.
    """
    state = app_state()
    if state.name_question == "drawn":
        state.name_question = "later"
    elif user.id == LOCAL and not user.name and not remembered(ASKED_COOKIE):
        state.name_question = state.name_question or "due"


def ask_name() -> None:
    """Draw the question, until it is answered or put off."""
    row = st.container(key="who")  # keeps its place while it is empty, or what stands below is drawn anew
    if app_state().name_question not in {"due", "drawn"}:
        return
    app_state().name_question = "drawn"
    known = [name for name, _ in studio().ledger.index.people()[:MOST_NAMES]]
    with row:
        st.caption(f"**{QUESTION}**" if known else f"**{QUESTION}** {WHY}")  # beside names there is no room
        if known:
            with st.container(horizontal=True, key="known_names"):
                for number, name in enumerate(known):
                    st.button(
                        escape_markdown(name), key=f"app.name-known-{number}", on_click=_take, args=(name,)
                    )
        with st.form("app.name_form", border=False), st.container(horizontal=True):
            st.text_input(
                QUESTION,
                placeholder="Another name" if known else "Your name",
                max_chars=PERSON_LIMIT,
                label_visibility="collapsed",
                key="app.name_new",
            )
            st.form_submit_button("Use this name", on_click=_take_typed, key="app.name_use")
            st.form_submit_button(
                "Without a name", type="tertiary", on_click=_take, args=("",), key="app.name_none"
            )
        style_sheet(_STYLE)  # last: the sheet tells the parts of the row by their places


def _take_typed() -> None:
    if name := visible(str(st.session_state.get("app.name_new") or "")):
        _take(name)


def _take(name: str) -> None:
    """Use a name from now on, and for what this session has ordered without one."""
    app_state().name_question = "later"
    remember(ASKED_COOKIE, "yes")  # in this browser it is not asked again
    if name:
        use_name(name)
        decide(Actions.name_jobs, tuple(composer_state().jobs))
