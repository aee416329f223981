"""Sharing: the links to clips that there are, by whom, until when, how often they were looked at."""

from __future__ import annotations

import streamlit as st

from kling.studio.changes import SHARES
from kling.studio.identity.roles import Action
from pages._ui.current_user import acting
from pages._ui.live import live_fragment
from pages._ui.sharing.links import links


def sharing() -> None:
    if not acting().may(Action.SHARE):
        st.info(
            "Sharing clips takes the role maker. Ask an admin of the studio.",
            icon=":material/lock:",
        )
        return
    live_fragment(links, "sharing", concerns=lambda: [SHARES])


sharing()
