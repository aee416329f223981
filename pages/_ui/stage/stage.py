"""The stage of Compose: the newest or the chosen clip as large as fits, and under it the strip of clips.

The pictures are one component, stage.js with its parts, because Streamlit may not be asked for a run on each
key or second. It takes what it shows from a hidden element. Words and buttons are Streamlit's own.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.jobs import WAITING, Job
from pages._ui.address import base_path
from pages._ui.composer.draft_state import drop_stale_edits
from pages._ui.curation import overlays
from pages._ui.decide import decide
from pages._ui.live.fragment import EVERY_JOB
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import ELEMENTS, FINGER, script_of
from pages._ui.session_state import composer_state
from pages._ui.stage.cards import Card, card_of, newest_of_user, recent_cards, recent_keys, session_cards
from pages._ui.stage.chosen import PLACE, words_and_buttons
from pages._ui.stage.facts import as_html, facts
from pages._ui.stage.first_run import first_run, six, use

# Each a script beside this module.
_FILES = ("tools", "tile", "strip", "first", "arrange", "phone", "hints", "stage")
_KEY = "stage.view"


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    files = (Path(__file__).with_name(f"{name}.js") for name in _FILES)
    script = loader("stage", script_of(ELEMENTS, FINGER, *files, BASE=base_path()))
    return st.components.v2.component("studio_stage", js=script, isolate_styles=False)


def stage() -> None:
    """Draw the stage; call it in a live part, so that it is drawn again when a job changes."""
    state = composer_state()
    mine = session_cards(state.jobs)
    if mine and mine[0].key != state.newest:  # something was ordered
        state.newest = state.chosen = mine[0].key
    card, job = _chosen(state.chosen) or _chosen(mine[0].key if mine else "") or (newest_of_user(), None)
    if card is not None and len(card.jobs) == 1:
        job = card.jobs[0]
    told: dict[str, Any] = facts(
        {
            "mine": mine,
            "recent": recent_cards({each.key for each in mine}),
            "on": [card] if card is not None else [],
        }
    )
    told |= {"chosen": _key_of(card, job), "focus": state.focus}
    if card is None:
        told["first"] = six()
    announced = [job for each in mine for job in each.jobs]
    with st.container(key="stage_body"):
        # Without `data`: Streamlit would load pandas to look at it, and the first page would wait.
        _component()(key=_KEY, on_did_change=_did)
        st.html(as_html(told, time.time(), announced))
        if card is None:
            first_run()
        else:
            words_and_buttons(card, job)
    overlays(PLACE)
    state.stage_drawn_from = _drawn_from()


def is_stage_old() -> bool:
    """Whether something was ordered or chosen since the stage was drawn, or others have new clips."""
    return composer_state().stage_drawn_from != _drawn_from()


def _drawn_from() -> tuple[object, ...]:
    state = composer_state()
    return tuple(state.jobs), state.chosen, state.focus, *recent_keys()


def concerned() -> list[str]:
    """Return what the stage is drawn again for: its jobs, and any job while one of them waits in line."""
    state = composer_state()
    cards = session_cards(state.jobs)
    if (chosen := card_of(state.chosen)) is not None:
        cards.append(chosen)
    jobs = {job.id: job for card in cards for job in card.jobs}
    in_line = any(job.state == WAITING for job in jobs.values())
    return [*jobs, *([EVERY_JOB] if in_line else [])]


def _chosen(key: str) -> tuple[Card, Job | None] | None:
    """Return the card that a key names, and the one job of it if the key is that job's."""
    card = card_of(key)
    if card is None:
        return None
    job = card.jobs[0]
    if len(card.jobs) == 1 and job.group and key == job.id:
        whole = card_of(job.group)
        return (whole, job) if whole is not None else (card, job)
    return card, None


def _key_of(card: Card | None, job: Job | None) -> str:
    if card is None:
        return ""
    return card.key if job is None or len(card.jobs) == 1 else job.id


def _did() -> None:
    """Do what somebody has pressed in the component."""
    did = (st.session_state.get(_KEY) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(did, dict):
        return
    drop_stale_edits(str(did.get("run")))
    what, of = did.get("what"), str(did.get("of"))
    if what == "choose" and card_of(of) is not None:
        composer_state().chosen = of
    elif what == "cancel":
        decide(Actions.withdraw, of)
    elif what == "use":
        use(of)
