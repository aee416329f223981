"""The page Compare. compare.js and deck.js draw it; a hidden element carries what they show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.address import base_path
from pages._ui.compare.address import IDS, ids_of_address
from pages._ui.compare.chosen import Chosen, chosen_of, others
from pages._ui.compare.differences import prompts, settings
from pages._ui.compare.keep import keep
from pages._ui.context import studio
from pages._ui.curation import overlays
from pages._ui.current_user import acting
from pages._ui.job.tree import family_of
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import hidden_facts, script_of
from pages._ui.session_state import app_state
from pages._ui.style.sheet import with_sheets
from pages._ui.viewer.facts import clip_facts

KEY = "compare.view"
TAKES, RECENT = 12, 24  # clips on the two strips
_FILES = ("../viewer/sync.js", "elements.js", "deck.js", "differ.js", "compare.js")  # beside this module


@cache
def _component() -> Any:
    """Return the scripts as one component, which Streamlit is told of once."""
    return st.components.v2.component("studio_compare", js=loader("compare", script()), isolate_styles=False)


def script() -> str:
    """Return the whole script of the page."""
    return with_sheets(script_of(*(Path(__file__).parent / name for name in _FILES)), "deck", "compare")


def chosen() -> Chosen:
    """Return the clips that the page shows."""
    return chosen_of(concerned(), studio().ledger.get)


def concerned() -> list[str]:
    """Return the ids of the jobs that the page shows.

    The script changes the address when other clips are put in. Streamlit does not see that, so the script
    tells the ids too.
    """
    named = ids_of_address(st.query_params)
    at_first, instead = app_state().compared
    return list(instead) if instead and at_first == ",".join(named) else named


def compare_page() -> None:
    """Draw the page; call it in a live part, so that it is drawn again when a job changes."""
    found = chosen()
    with st.container(key="compare"):
        _component()(key=KEY, on_did_change=did)
        st.html(hidden_facts("compare", facts_of(found)))
    overlays()


def facts_of(found: Chosen) -> dict[str, Any]:
    """Return what the script is told."""
    jobs = found.jobs
    takes = others(jobs, _near(jobs), TAKES)
    known = {job.id for job in takes}
    recent = [] if len(takes) > TAKES else [job for job in _newest(RECENT) if job.id not in known]
    return {
        "asked": concerned(),
        "opening": studio().ledger.opening,
        "clips": [_facts(job, jobs) for job in jobs],
        "takes": [clip_facts(job) | _rate(job) for job in takes] if jobs else [],
        "recent": [clip_facts(job) | _rate(job) for job in recent],
        "notices": [] if studio().ledger.opening else list(found.notices),
        "prompts": prompts(jobs) if jobs else [],
        "settings": settings(jobs),
        "back": _back(),
    }


def _facts(job: Job, jobs: Sequence[Job]) -> dict[str, Any]:
    facts = clip_facts(job)
    return (
        facts
        | _rate(job)
        | {
            "rating": max((opinion.stars for opinion in job.opinions.values()), default=0),
            "hidden": job.hidden,
            "keep": acting().may(Action.STAR) and len(jobs) > 1,
            "kept": facts["star"]
            and not job.hidden
            and all(_is_left(other) for other in jobs if other is not job),
        }
    )


def _is_left(job: Job) -> bool:
    """Whether a clip was not kept: it is hidden, or neither starred by the user nor theirs to hide."""
    user = acting()
    mine = job.opinions.get(user.who)
    return job.hidden or not ((mine and mine.star) or user.may(Action.HIDE, job))


def _rate(job: Job) -> dict[str, float]:
    """Return how many pictures a second a clip has, if that is known."""
    rate = job.probe.get("fps")
    return {"fps": float(rate)} if isinstance(rate, int | float) and 1 <= rate <= 240 else {}


def _near(jobs: Sequence[Job]) -> Iterator[Job]:
    """Yield the clips that are related to these, those of the first one first."""
    index = studio().ledger.index
    families = (
        family_of(job, get=studio().ledger.get, batch=index.batch, made_from=index.made_from, most=TAKES)
        for job in jobs
    )
    return (member.job for family in families for member in family.members if not member.job.retracted)


def _newest(most: int) -> list[Job]:
    """Return the newest clips of everybody, the newest first."""
    cards = studio().ledger.index.page_of_cards(0, most)
    jobs = chain.from_iterable(cards)
    return [job for job in jobs if job.has_clip and not job.hidden][:most]


def _back() -> str:
    """Return the address of the list that was looked at last, or of Compose."""
    page, parameters = app_state().address
    if page == "compose":
        return f"{base_path()}/"
    query = f"?{urlencode(parameters)}" if parameters else ""
    return f"{base_path()}/{page if page in {'history', 'gallery'} else 'gallery'}{query}"


def did() -> None:
    """Do what somebody has pressed in the component."""
    told = (st.session_state.get(KEY) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(told, dict):
        return
    ids = ids_of_address({IDS: told.get("ids")})
    app_state().compared = ",".join(ids_of_address(st.query_params)), tuple(ids)
    if told.get("what") == "keep" and (kept := str(told.get("of"))) in ids:
        keep(kept, [each for each in ids if each != kept])
