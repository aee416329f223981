"""A file that is dropped on Compose: a clip that was downloaded, or its sidecar. Its settings fill the form.

It may come from anybody: what it says is text, and a request that the form shows and nobody has sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from kling import TextToVideo
from kling.image_to_video import ImageToVideo
from kling.pictures import is_name
from kling.studio.prompting import import_request
from kling.studio.prompting.draft import Draft
from kling.studio.take_away.settings import Found, read_clip, read_sidecar
from pages._ui.composer.pictures import picture_named
from pages._ui.escape import escape_markdown
from pages._ui.scripts.assets import loader
from pages._ui.scripts.script import CLIP_TEXTS, script_of
from pages._ui.session_state import composer_state

KEY = "composer.dropped"
LONGEST_NAME = 80  # characters of the name of a file that are shown
MOST_BYTES = 9 * 2**20  # of what the script sends, in base64
_SCRIPT = Path(__file__).with_suffix(".js")
_DOWNLOAD = "a clip that was downloaded from this studio, or the .json beside it"
# Why nothing was read, by what the script says of the file.
WHY: Mapping[str, str] = {
    "zip": (
        "is a ZIP, which may hold many clips. Unpack it and drop one clip or its .json; Admin, Import takes "
        "all of it into History."
    ),
    "large": f"is too large for a sidecar. Drop {_DOWNLOAD}.",
    "other": f"is neither a video nor a .json. Drop {_DOWNLOAD}.",
    "unread": "could not be read by the browser. Try again, or copy it to another folder first.",
}
Begin = Callable[[Draft, Sequence[str]], None]


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = loader("dropping", script_of(CLIP_TEXTS, _SCRIPT))
    return st.components.v2.component("studio_dropping", js=script)


def dropping(begin_with: Begin) -> None:
    """Listen to files that are dropped, and say once why one of them was of no use.

    Args:
        begin_with: fills the form with a draft, and shows notes.
    """
    _component()(key=KEY, on_dropped_change=partial(_dropped, begin_with))
    state = composer_state()
    if state.drop_problem:
        st.error(escape_markdown(state.drop_problem), icon=":material/warning:")
        state.drop_problem = ""


def _dropped(begin_with: Begin) -> None:
    said = (st.session_state.get(KEY) or {}).get("dropped")
    if not isinstance(said, dict):
        return
    name = str(said.get("name") or "")[:LONGEST_NAME] or "The file"
    found = settings_in(name, str(said.get("kind")), said.get("data"))
    if isinstance(found, str):
        composer_state().drop_problem = found
        return
    draft, notes = import_request.draft_of(found)
    others = said.get("others")
    more = (
        [f"Of {others + 1} files only this one was read."] if isinstance(others, int) and others > 0 else []
    )
    begin_with(draft, (f"The settings of “{name}” are in the form.", *more, *notes))


def settings_in(name: str, kind: str, data: object) -> import_request.ImportedRequest | str:
    """Return the request that a file was made from, or why there is none, in words.

    Args:
        name: of the file.
        kind: what the script takes it for: `clip`, `text`, or a key of `WHY`.
        data: its bytes in base64; of a clip, those of the part with its texts.
    """
    if kind not in {"clip", "text"}:
        return f"“{name}” {WHY.get(kind, WHY['other'])}"
    content = _bytes(data)
    found = read_clip(content) if kind == "clip" else read_sidecar(content)
    request = found.request
    if isinstance(request, TextToVideo) or (isinstance(request, ImageToVideo) and is_name(request.image)):
        return import_request.ImportedRequest(replace(request, external_task_id="", callback_url=""))
    if found.record or found.parts:
        return f"“{name}” was made in a way for which this studio has no form."
    if kind == "text":
        return _pasted(name, content)
    return _strangers(name, found)


def _bytes(data: object) -> bytes:
    if not isinstance(data, str) or len(data) > MOST_BYTES:
        return b""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _pasted(name: str, content: bytes) -> import_request.ImportedRequest | str:
    """Return the request in a text that is no sidecar: the body of a create call, or a cURL command."""
    try:
        return import_request.parse_request(content.decode("utf-8", "replace"), picture_named)
    except import_request.ImportRequestError:
        return f"“{name}” does not say what a clip was made from. Drop {_DOWNLOAD}."


def _strangers(name: str, found: Found) -> str:
    title = f" (it calls itself “{found.title}”)" if found.title else ""
    return (
        f"“{name}”{title} does not say what it was made from. Only copies that were downloaded from this "
        "studio do, and only while no other program has saved them again."
    )
