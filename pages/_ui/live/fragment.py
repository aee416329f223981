"""`live_fragment`: a part of a page that is drawn again when something that concerns it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import streamlit as st

from kling.studio.jobs import OPEN
from pages._ui.context import studio
from pages._ui.current_user import current_user, drawn_by_itself
from pages._ui.errors import readable
from pages._ui.escape import escape_attribute
from pages._ui.live.script import component
from pages._ui.session_state import app_state

EVERY_JOB = "*"  # stands for the id of any job; such a part is drawn again at most every few seconds
# Streamlit 1.67's page asks for a run by itself when it finds its server again only if it has a part with a
# timer (github.com/streamlit/streamlit/pull/11890). Nothing else needs this timer.
_TIMER = 3600  # seconds


def live_fragment(
    draw: Callable[[], None],
    key: str,
    *,
    concerns: Callable[[], Iterable[str]] = lambda: (EVERY_JOB,),
    on_stale_page: Callable[[str], None] = lambda _run: None,
) -> None:
    """Draw now, and again after each change that concerns the part, without running the rest of the page.

    Where the user or the role is not the same any more, the whole page runs instead. Nothing is drawn while
    the tab is hidden; it is caught up with as soon as it is seen.

    Streamlit 1.67 sends what happens within a moment in one batch, and runs only one fragment for it
    (github.com/streamlit/streamlit/pull/12747). If a click on the page comes together with a trigger from
    here, the values of all widgets arrive, but only this fragment runs, and the rest of the page would stay
    as it was. `page_is_old_when` and `on_stale_page` deal with that.

    Args:
        draw: draws the part.
        key: names the part on its page.
        concerns: returns names of what the part shows, as in `kling.studio.changes`: ids of jobs, after whose
            changes it is drawn again at once, topics, and `EVERY_JOB`; none for what changes by itself only.
        on_stale_page: called with the number of the run that had drawn the page that sent the trigger
            (`data-run` on the page), to take back edits that are older than the last run.
    """

    def triggered() -> None:
        # Streamlit calls this also for a page that was left in the same moment, and has forgotten the part.
        trigger = (st.session_state.get(f"live.{key}") or {}).get("changed")
        if isinstance(trigger, dict):
            on_stale_page(str(trigger.get("run")))

    def marked() -> None:
        # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
        component()(key=f"live.{key}", on_changed_change=triggered)
        version = studio().changes.version
        st.html(_mark(key, version, sorted(concerns())))
        draw()

    _fragment(marked, is_page_old=lambda: app_state().is_page_old(), run_every=_TIMER, by=drawn_by_itself)


def page_is_old_when(is_old: Callable[[], bool]) -> None:
    """Let the whole page run in the place of a live part, whichever, when the rest of the page is old.

    Args:
        is_old: returns whether what the page is drawn from has changed since it was drawn.
    """
    app_state().is_page_old = is_old


def part_of_page(draw: Callable[[], None], *, is_page_old: Callable[[], bool]) -> None:
    """Draw now, and again without the rest of the page after a change of a widget in it.

    Args:
        draw: draws the part.
        is_page_old: returns whether what the rest of the page is drawn from has changed since it was drawn.
            The whole page runs again then.
    """
    _fragment(draw, is_page_old=is_page_old, run_every=None, by=nullcontext)


def _fragment(
    draw: Callable[[], None],
    *,
    is_page_old: Callable[[], bool],
    run_every: float | None,
    by: Callable[[], AbstractContextManager[None]],
) -> None:
    """Draw a part of the page, which runs alone later; the whole page runs for another user or role.

    Args:
        draw: draws the part.
        is_page_old: as for `part_of_page`.
        run_every: seconds.
        by: returns the context of the runs alone.
    """
    drawn_for, is_page_running = current_user(), True

    @st.fragment(run_every=run_every)
    def fragment() -> None:
        with readable(), nullcontext() if is_page_running else by():
            if not is_page_running and (current_user() != drawn_for or is_page_old()):
                st.rerun()
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
