"""The bar of every page: the pages, what is spent, what runs, and the account.

On a phone its title and account stay at the top, and the pages are a bar at the bottom.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.identity.roles import User
from pages._ui.budget_words import in_bar
from pages._ui.context import studio
from pages._ui.escape import escape_html
from pages._ui.frame.account import account
from pages._ui.frame.shortcuts import KEYS_BUTTON, keys_dialog
from pages._ui.job.address import back_of_address
from pages._ui.routes.paths import PAGES
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import script_of
from pages._ui.words import NOTHING_CHARGED, SANDBOX, SANDBOX_CONNECT, SANDBOX_HELP

_SCRIPT = Path(__file__).with_suffix(".js")


def bar(user: User, pages: Sequence[st.Page], page: st.Page) -> None:
    """Draw it.

    Args:
        user: who uses the page.
        pages: that it leads to.
        page: the one that is open.
    """
    with st.container(key="bar", horizontal=True, vertical_alignment="center"):
        st.html(
            '<span class="studio-mark"><span class="ms" aria-hidden="true">movie</span>'
            "<b>Kling studio</b></span>",
            width="content",
        )
        st.title(page.title, anchor=False, width="content")
        with st.container(key="pages", horizontal=True, width="content"):
            for each in pages:
                st.page_link(each, label=each.title, icon=each.icon)
        _facts(user)
        open_one = next((number for number, each in enumerate(pages) if _is_open(each, page)), len(pages))
        _component()(key=f"app.bar-{open_one}", width="content")
        account(user)


def _is_open(each: st.Page, page: st.Page) -> bool:
    """Whether a page of the bar is the one that is open; a job's page counts as the list that led there."""
    if page.title == "Job":
        return each.title == back_of_address(st.query_params).capitalize()
    return each is page


def _facts(user: User) -> None:
    """Say once whether orders are billed, what is spent of the budget, and what runs."""
    here = studio()
    st.html(
        f'<span class="studio-counts" data-counts>{escape_html(running_words(here.running, here.waiting))}'
        "</span>",
        width="content",
    )
    if here.connection.is_sandbox:
        with (
            st.container(key="sandbox", width="content"),
            st.popover(f"{SANDBOX} *· {NOTHING_CHARGED}*", icon=":material/science:"),
            st.container(key="sandbox_words"),
        ):
            st.markdown(SANDBOX_HELP)
            st.markdown(SANDBOX_CONNECT)
    elif words := in_bar(user):
        st.html(f'<span class="studio-spent">{escape_html(words)}</span>', width="content")


def running_words(running: int, waiting: int) -> str:
    """Return how many videos are being made, and how many wait here; empty if there are none.

    The script of the page writes the same words between two runs.
    """
    parts = [f"{running:,} being made"] if running else []
    return " · ".join([*parts, f"{waiting:,} waiting"] if waiting else parts)


@cache
def _component() -> Any:
    """Return what the bar does without the server as a component, which Streamlit is told of once."""
    script = loader("bar", script_of(_SCRIPT, KEYS=keys_dialog(), PAGES=PAGES))
    return st.components.v2.component("studio_bar", html=KEYS_BUTTON, js=script, isolate_styles=False)
