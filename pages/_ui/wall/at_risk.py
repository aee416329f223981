"""Clips that are made and not saved here yet: said in the bar of Gallery, and fetched by a press."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

import streamlit as st

from kling import catalog
from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.library import JobQuery
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.decide import attempt
from pages._ui.format import counted

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

# The line's place in the bar, for this run.
_slot: ContextVar[DeltaGenerator | None] = ContextVar("at_risk", default=None)
SAVE_NOW = "Save now"
URGENT = 7  # days left, from which the chip says how many


def make_room() -> None:
    """Draw the place of the chip; call it in the bar."""
    _slot.set(st.empty())


def room() -> DeltaGenerator | None:
    """Return the place of the chip in the bar that this run has drawn; a part that runs later has none."""
    return _slot.get()


def chip(query: JobQuery, slot: DeltaGenerator | None) -> None:
    """Draw the chip while there are such clips; wall.js makes its link one within the session.

    Args:
        query: what is asked for.
        slot: as `room` has returned it in the run of the whole page.
    """
    at_risk = studio().downloads.not_safe[0]
    if slot is None:
        return
    if not at_risk or query.at_risk:
        slot.empty()
        return
    days = studio().downloads.days_left
    left = f", {counted(days, 'day', 'days')} left" if days is not None and days <= URGENT else ""
    slot.html(
        f'<a class="wall-risk" data-within href="{base_path()}/gallery?risk=1" title="Finished at Kling, '
        f'and not fetched. Kling deletes them after {catalog().retention_days} days.">'
        f'<span class="ms" aria-hidden="true">schedule</span>{at_risk:,} not saved yet{left}</a>'
    )


def say(query: JobQuery) -> None:
    """Say above the wall what is not saved and what is lost, if that is what is asked for."""
    at_risk, gone = studio().downloads.not_safe
    if not query.at_risk:
        return
    with st.container(key="at_risk", horizontal=True, vertical_alignment="center"):
        days = studio().downloads.days_left
        first = f" The first is deleted in {counted(days, 'day', 'days')}." if days is not None else ""
        words = (
            f"**{counted(at_risk, 'clip is', 'clips are')} not saved yet.** The studio keeps trying. "
            f"Kling deletes clips after {catalog().retention_days} days.{first}"
            if at_risk
            else "**Every clip is saved.** Kling may delete its own copies."
        )
        if gone:
            words += f" {counted(gone, 'clip is', 'clips are')} lost: Kling cleared them before that."
        st.markdown(words, width="stretch")
        if at_risk and acting().may(Action.ORDER):
            st.button(
                SAVE_NOW, type="primary", icon=":material/download:", key="gallery.rescue", on_click=_rescue
            )


def _rescue() -> None:
    if (number := attempt(Actions.rescue)) is not None:
        over = f"Kling’s {catalog().retention_days} days are over for all of them"
        words = f"{counted(number, 'clip is', 'clips are')} being fetched."
        again = f"{over}: it is asked again from hour to hour."
        st.toast(words if number else again, icon=":material/download:")
