"""Spend: what a month has cost, and for whom."""

from __future__ import annotations

import streamlit as st

from pages._ui.current_user import sees_prices


def page() -> None:
    if not sees_prices():
        st.info("Costs are shown to makers and admins.", icon=":material/lock:")
        return
    st.header("Spend", anchor=False)


page()
