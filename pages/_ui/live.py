"""Parts of a page that are drawn again when the log changes, without asking the server again and again.

A tab has one socket (routes/live.py), whatever the number of live parts. Its script, live.js, also counts
elapsed seconds, says when the server does not answer, and announces jobs that end: a part draws
`<i hidden data-task="id" data-state="succeed" data-say="Video done: …">` for each, and
`data-chime="on"` on any element for a sound.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.current_user import current_user, drawn_by_itself
from pages._ui.errors import readable

SAFETY_NET = 15  # seconds between two drawings where a proxy lets no socket through

_SCRIPT = Path(__file__).with_suffix(".js")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = _SCRIPT.read_text(encoding="utf-8").replace("__PATH__", json.dumps(f"{base_path()}/live"))
    return st.components.v2.component("studio_live", js=script)


def live_fragment(
    draw: Callable[[], None],
    key: str,
    *,
    rerun_page_if_changed: Callable[[], object] = lambda: None,
    on_stale_page: Callable[[str], None] = lambda _run: None,
) -> None:
    """Draw now, and again after each change of the log, without running the rest of the page.

    Where the user or the role is not the same any more, the whole page runs instead.

    Streamlit 1.67 sends what happens within a moment in one batch, and runs only one fragment for it. If a
    click on the page comes together with a trigger from here, the values of all widgets arrive, but only this
    fragment runs, and the rest of the page would stay as it was. The two callables deal with that.

    Args:
        draw: draws the part.
        key: names the part on its page.
        rerun_page_if_changed: returns what the rest of the page is drawn from. If it has changed since the
            part was last drawn with the page, the whole page runs again.
        on_stale_page: called with the number of the run that had drawn the page that sent the trigger
            (`data-run` on the page), to take back edits that are older than the last run.
    """
    drawn_from, drawn_for = rerun_page_if_changed(), current_user()
    is_page_running = True

    def triggered() -> None:
        # Streamlit calls this also for a page that was left in the same moment, and has forgotten the part.
        trigger = (st.session_state.get(f"live.{key}") or {}).get("changed")
        if isinstance(trigger, dict):
            on_stale_page(str(trigger.get("run")))

    @st.fragment(run_every=SAFETY_NET)
    def fragment() -> None:
        with readable(), nullcontext() if is_page_running else drawn_by_itself():
            is_other = current_user() != drawn_for  # signed out, or with another role
            if not is_page_running and (is_other or rerun_page_if_changed() != drawn_from):
                st.rerun()
            # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
            _component()(key=f"live.{key}", on_changed_change=triggered)
            st.html(f'<i data-live="{key}" data-version="{studio().changes.version}" hidden></i>')
            draw()

    fragment()
    is_page_running = False
