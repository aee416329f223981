"""Admin: who may do what, what may be spent, and how the studio is. For admins only."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity.roles import Action
from pages._ui.current_user import acting


def admin() -> None:
    st.title("Admin")
    if not acting().may(Action.MANAGE_PEOPLE):
        st.info("This page is for admins. Ask an admin of the studio.", icon=":material/lock:")
        return
    st.caption("Not built yet.")


admin()
