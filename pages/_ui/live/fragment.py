"""`live_fragment`: a part of a page that is drawn again when something that concerns it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import streamlit as st

from kling.studio.jobs import OPEN
from pages._ui.context import studio
from pages._ui.current_user import current_user, drawn_by_itself
from pages._ui.errors import readable
from pages._ui.escape import escape_attribute
from pages._ui.live.script import component

EVERY_JOB = "*"  # stands for the id of any job; such a part is drawn again at most every few seconds
# Streamlit's page asks for a run by itself when it finds its server again only if it has a part with a timer.
# Nothing else needs this timer.
_TIMER = 3600  # seconds


def live_fragment(
    draw: Callable[[], None],
    key: str,
    *,
    concerns: Callable[[], Iterable[str]] = lambda: (EVERY_JOB,),
    rerun_page_if_changed: Callable[[], object] = lambda: None,
    on_stale_page: Callable[[str], None] = lambda _run: None,
) -> None:
    """Draw now, and again after each change that concerns the part, without running the rest of the page.

    Where the user or the role is not the same any more, the whole page runs instead. Nothing is drawn while
    the tab is hidden; it is caught up with as soon as it is seen.

    Streamlit 1.67 sends what happens within a moment in one batch, and runs only one fragment for it. If a
    click on the page comes together with a trigger from here, the values of all widgets arrive, but only this
    fragment runs, and the rest of the page would stay as it was. The last two callables deal with that.

    Args:
        draw: draws the part.
        key: names the part on its page.
        concerns: returns names of what the part shows, as in `kling.studio.changes`: ids of jobs, after whose
            changes it is drawn again at once, topics, and `EVERY_JOB`; none for what changes by itself only.
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

    @st.fragment(run_every=_TIMER)
    def fragment() -> None:
        with readable(), nullcontext() if is_page_running else drawn_by_itself():
            is_other = current_user() != drawn_for  # signed out, or with another role
            if not is_page_running and (is_other or rerun_page_if_changed() != drawn_from):
                st.rerun()
            # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
            component()(key=f"live.{key}", on_changed_change=triggered)
            version = studio().changes.version
            st.html(_mark(key, version, sorted(concerns())))
            draw()

    fragment()
    is_page_running = False


def _mark(key: str, version: int, names: Sequence[str]) -> str:
    """Return what tells the script of a part.

    Args:
        key: of the part.
        version: of the studio when it is drawn.
        names: of what it shows.
    """
    jobs = [studio().ledger.get(name) for name in names]
    is_open = any(job is not None and job.state in OPEN for job in jobs)
    shown = escape_attribute(" ".join(names))
    ages = " data-live-ages" if is_open else ""  # the words about such a job depend on the clock
    return f'<i data-live="{key}" data-version="{version}" data-live-jobs="{shown}"{ages} hidden></i>'
