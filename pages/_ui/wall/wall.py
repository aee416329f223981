"""`wall`: pictures of clips in rows, each a button that opens the clip.

The pictures are one component, because Streamlit may not be asked for a run on hover or on keys. It takes
what it shows from a hidden element. What plays, plays on when others come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.address import base_path
from pages._ui.compare.address import MOST
from pages._ui.curation.presses import answered, did
from pages._ui.current_user import acting
from pages._ui.format import zone
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import ELEMENTS, LISTS, SENDING, hidden_facts, script_of
from pages._ui.sharing.allowed import is_sharing_on
from pages._ui.style.sheet import with_sheets
from pages._ui.wall.tiles import Looker, tile_facts

FILES = ("tools", "rows", "tile", "playing", "choosing", "menu", "pending", "moving", "keys", "more", "wall")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    return st.components.v2.component("studio_wall", js=loader("wall", module()), isolate_styles=False)


def module() -> str:
    """Return the whole script."""
    files = (Path(__file__).with_name(f"{name}.js") for name in FILES)
    return with_sheets(
        script_of(ELEMENTS, LISTS, SENDING, *files, BASE=base_path(), MOST_COMPARED=MOST),
        "list_menus",
        "wall",
    )


def wall(
    jobs: Iterable[Job],
    key: str,
    *,
    among: str = "",
    collection: str = "",
    more: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Draw clips in the given order, without days; call it in a live part, which draws it again.

    The page has to call `curation.overlays` in the same part: stars, tags, dialogs are asked for from here.

    Args:
        jobs: of which those with a clip are shown.
        key: of the component, begins with the name of its page.
        among: the list that the lightbox walks through, as the query of an address: `collection=<id>`.
        collection: the id of the one whose clips these are, and can be dragged, or moved with Alt and the
            arrows; empty where nobody may.
        more: further things to do with what is selected: by name (curation/presses), the words and the icon.
    """
    to = looker()
    tiles = [tile_facts(job, to) for job in jobs if job.has_clip]
    told = {
        "of": among or key,
        "among": among,
        "days": [{"key": "", "name": "", "count": ""}],
        "tiles": tiles,
        "more": 0,
        "can_order": bool(collection),
        "collection": collection,
        "extra": [[name, *words] for name, words in (more or {}).items()],
    }
    draw(told, key, to)


def looker() -> Looker:
    """Return for whom tiles are drawn in this run of a page."""
    return Looker.of(acting(), zone())


def draw(told: Mapping[str, Any], key: str, to: Looker, *, version: int = 0) -> None:
    """Draw a wall.

    Args:
        told: what the script is told beside what the user may do.
        key: of the component.
        to: for whom.
        version: of the studio, by which the script knows that something may have changed further down.
    """
    can: Sequence[Action] = (Action.STAR, Action.COLLECT, Action.SHARE, Action.TAG, Action.HIDE)
    off = () if is_sharing_on() else (Action.SHARE,)
    may = {"can": [each.value for each in can if to.user.may(each) and each not in off]}
    with st.container(key="wall"):
        _component()(key=key, on_did_change=partial(did, key))
        st.html(hidden_facts("wall", {**told, **may}, did=answered()))
        st.html(f'<i hidden data-wall-version="{version}"></i>')
