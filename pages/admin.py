"""Admin: who may do what, what may be spent, what was done, and how the studio is. For admins only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.state.records import StateError
from pages._ui.admin.account import account
from pages._ui.admin.audit import audit
from pages._ui.admin.budgets import budgets
from pages._ui.admin.health import health
from pages._ui.admin.imports import imports
from pages._ui.admin.names import names
from pages._ui.admin.people import people
from pages._ui.admin.sessions import sessions
from pages._ui.current_user import acting
from pages._ui.escape import escape_markdown

# By the name in the page's address: the words on it, the role's action that it takes, and what draws it.
SECTIONS: Mapping[str, tuple[str, Action, Callable[[], None]]] = {
    "people": ("People", Action.MANAGE_PEOPLE, people),
    "sessions": ("Sessions", Action.MANAGE_PEOPLE, sessions),
    "budgets": ("Budgets", Action.SET_BUDGETS, budgets),
    "account": ("Account", Action.SEE_ACCOUNT, account),
    "health": ("Health", Action.SEE_HEALTH, health),
    "import": ("Import", Action.IMPORT, imports),
    "audit": ("Audit", Action.SEE_AUDIT, audit),
    "names": ("Old names", Action.MANAGE_PEOPLE, names),
}


def admin() -> None:
    user = acting()
    if not user.may(Action.MANAGE_PEOPLE):
        st.info("This page is for admins. Ask an admin of the studio.", icon=":material/lock:")
        return
    name = st.query_params.get("section", "")
    st.session_state.setdefault("admin.section", name if name in SECTIONS else next(iter(SECTIONS)))
    with st.container(key="admin"):
        st.html('<p class="studio-title" aria-hidden="true">Admin</p>')  # the heading is in the bar
        chosen = st.pills(
            "Section",
            list(SECTIONS),
            format_func=lambda each: SECTIONS[each][0],
            required=True,
            key="admin.section",
            label_visibility="collapsed",
        )
        section = chosen or next(iter(SECTIONS))
        st.query_params["section"] = section
        _, action, draw = SECTIONS[section]
        if not user.may(action):
            return
        try:
            draw()
        except StateError as error:
            st.error(escape_markdown(str(error)), icon=":material/warning:")


admin()
