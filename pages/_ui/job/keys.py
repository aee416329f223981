"""The keys of a job's page, and its links that change the page within the session."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st

_SCRIPT = Path(__file__).with_name("job.js")
_KEY = "job.keys"
_PAGES = frozenset({"job", "history", "gallery"})
_LONGEST = 4_000  # characters of an address


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    return st.components.v2.component(
        "studio_job", js=_SCRIPT.read_text(encoding="utf-8"), isolate_styles=False
    )


def keys() -> None:
    """Draw what listens to them; call it outside of parts that are drawn again by themselves."""
    _component()(key=_KEY, on_did_change=_did)


def _did() -> None:
    did = (st.session_state.get(_KEY) or {}).get("did")  # none if the page was left in the same moment
    if not isinstance(did, dict):
        return
    page, query = str(did.get("page")), str(did.get("query"))
    if page in _PAGES and len(query) <= _LONGEST:
        st.switch_page(f"{page}.py", query_params=dict(parse_qsl(query)))
