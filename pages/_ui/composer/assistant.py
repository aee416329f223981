"""The prompt assistant in the form: a menu under the prompt, and *Soften* on a job that Kling has refused.

Its script, assistant.js, asks the server (routes/assistant.py) and shows the answer in a panel. Nothing of
it is in the form before somebody presses *Take it*; then it comes here, and goes into the draft like a
template. Where no language model is set up, nothing is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from kling import Shot, catalog
from kling.studio.assistant.answers import as_alternatives
from kling.studio.assistant.questions import ALTERNATIVES
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from kling.studio.prompting import storyboard
from kling.studio.prompting.draft import ONE_SHOT, STORYBOARD, Draft
from kling.studio.remedies import RemedyKind, remedy
from kling.text import storable
from pages._ui.address import base_path
from pages._ui.composer.draft_state import drop_stale_edits, read_draft, replace_draft
from pages._ui.composer.toolbar import begin_with
from pages._ui.composer.unsent import keep_unsent
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_attribute
from pages._ui.requests import draft_of
from pages._ui.scripts.assets import lean_sheet, loader
from pages._ui.session_state import composer_state
from pages._ui.style import sheet

FORM = "composer.assistant"  # key of the component under the prompt
_SCRIPTS = (Path(__file__).with_suffix(".js"), Path(__file__).with_name("assistant_menu.js"))
_SHEET = Path(sheet.__file__).with_name("assistant.css")


@cache
def _component() -> Any:
    """Return the script as a component, which Streamlit is told of once."""
    script = "".join(path.read_text(encoding="utf-8") for path in _SCRIPTS)
    script = script.replace("__PATH__", json.dumps(f"{base_path()}/assistant"))
    script = script.replace("__CSS__", json.dumps(lean_sheet(_SHEET.read_text(encoding="utf-8"))))
    return st.components.v2.component("studio_assistant", js=loader("assistant", script))


def is_offered() -> bool:
    """Whether there is an assistant, and the user may ask it."""
    return studio().assistant.is_on and acting().may(Action.ASSIST)


def tools(draft: Draft) -> None:
    """Draw the menu for the prompt in the form; nothing without an assistant."""
    if not is_offered():
        return
    state, request = composer_state(), draft.request()
    if state.taken and not _holds(draft, state.taken[0]):
        state.taken = None  # somebody has edited it since: *Undo* would take that back too
    _component()(key=FORM, width="content", on_act_change=on_act)
    facts = {
        "host": studio().assistant.host,
        "answered": state.answered_assistant,
        "storyboard": draft.is_storyboard,
        "undo": state.taken is not None,
        "model": request.model_name,
        "duration": draft.duration,
        "aspect_ratio": draft.aspect_ratio,
        "sound": draft.sound,
        "picture": bool(draft.first_frame),
    }
    # Not as the component's `data`: Streamlit would load pandas to look at it. `data-style` marks an element
    # that takes no space.
    st.html(f'<i data-assistant="{escape_attribute(json.dumps(facts))}" data-style hidden></i>')


def is_softened(job: Job) -> bool:
    """Whether `soften_button` draws a button for a job: its prompt was refused, and can be taken up."""
    if not is_offered() or draft_of(job) is None:
        return False
    found = remedy(job, nothing_spent=False)
    return found is not None and found.kind is RemedyKind.EDIT_PROMPT


def soften_button(job: Job) -> None:
    """Draw *Soften* for a job that Kling's content control has refused; nothing for any other job."""
    if not is_softened(job):
        return

    def taken() -> None:
        _take_softened(key, job)

    key = f"soften-{job.id}"
    with st.container(key=f"softens-{job.id}", width="content"):
        pressed = _component()(key=key, width="content", on_act_change=taken)
        host = escape_attribute(studio().assistant.host)
        st.html(
            f'<i data-soften="{escape_attribute(job.id)}" data-host="{host}" '
            f'data-answered="{composer_state().answered_assistant}" data-style hidden></i>'
        )
    if pressed.act and composer_state().pending:
        st.switch_page("compose.py")


def on_act() -> None:
    """Take, insert or undo, as the panel was told to: the component's callback."""
    asked = _asked(FORM)
    if asked is None:
        return
    do, now = asked.get("do"), read_draft()
    if do == "undo":
        _undo(now)
    elif do == "take" and (values := _values(asked, now)):
        _take(values, now)
    elif do == "below" and (text := _text(asked, "text").strip()):
        _take({"prompt": storable(f"{now.prompt.rstrip()}\n\n{text}".lstrip())}, now)


def _asked(key: str) -> Mapping[str, Any] | None:
    """Return what the panel asks for; None if that was done: the script asks until the page shows it."""
    state, component = composer_state(), st.session_state.get(key)
    found: Any = component.get("act") if component is not None else None
    asked: Mapping[str, Any] = found if isinstance(found, dict) else {}
    # A page that asks again does not show yet what was taken, and sends its fields as they were before.
    drop_stale_edits(str(asked.get("run")))
    at = asked.get("at")
    if not isinstance(at, int) or at <= state.answered_assistant:
        return None
    state.answered_assistant = at
    return asked


def _take(values: Mapping[str, Any], now: Draft) -> None:
    """Put values into the draft; what they replace is kept for *Undo*, and the prompt also for Alt+↑."""
    keep_unsent(now.prompt)
    composer_state().taken = values, {name: getattr(now, name) for name in values}
    replace_draft(**values)


def _undo(now: Draft) -> None:
    state = composer_state()
    if state.taken:
        before, state.taken = state.taken[1], None
        keep_unsent(now.prompt)
        replace_draft(**before)


def _holds(draft: Draft, values: Mapping[str, Any]) -> bool:
    """Whether the draft still has the texts that were taken; choices may have been changed to fit."""
    texts = {name: value for name, value in values.items() if name == "prompt"}
    if "shots" in values:
        return [shot.prompt for shot in draft.shots] == [shot.prompt for shot in values["shots"]]
    return all(getattr(draft, name) == value for name, value in texts.items())


def _values(asked: Mapping[str, Any], now: Draft) -> dict[str, Any]:
    """Return the fields of the draft that an answer changes; none where there is nothing in it."""
    if shots := _shots(asked):
        if now.is_storyboard and len(shots) == len(now.shots):
            pairs = zip(shots, now.shots, strict=True)
            return {"shots": tuple(replace(shot, duration=old.duration) for shot, old in pairs)}
        model = _text(asked, "model")
        switched = {"model": model} if model in catalog().models else {}
        total = str(storyboard.total(shots))
        return {**switched, "cut": STORYBOARD, "duration": total, "shots": shots}
    alternatives = asked.get("alternatives")
    if isinstance(alternatives, list) and len(alternatives) > 1:
        texts = [storable(each) for each in alternatives[:ALTERNATIVES] if isinstance(each, str)]
        return {"prompt": as_alternatives(texts), "variations": True}
    text = _text(asked, "text").strip()
    if not text:
        return {}
    # A literal brace of a single text must not become a variation; where those are on it may be meant as one.
    return {"prompt": text, "cut": ONE_SHOT} if now.is_storyboard else {"prompt": text}


def _take_softened(key: str, job: Job) -> None:
    """Begin a draft with the softened prompt and the job's other settings."""
    asked, draft = _asked(key), draft_of(job)
    if asked is None or draft is None or asked.get("do") != "take":
        return
    text, shots = _text(asked, "text").strip(), _shots(asked)
    if shots and draft.is_storyboard and len(shots) == len(draft.shots):
        pairs = zip(shots, draft.shots, strict=True)
        softened = tuple(replace(shot, duration=old.duration) for shot, old in pairs)
        begin_with(replace(draft, shots=softened))
    elif text and not shots:
        begin_with(replace(draft, prompt=text))


def _shots(asked: Mapping[str, Any]) -> tuple[Shot, ...]:
    given = asked.get("shots")
    return tuple(
        Shot(prompt=_text(shot, "prompt"), duration=_text(shot, "duration"))
        for shot in (given if isinstance(given, list) else [])[: catalog().shot_limit]
        if isinstance(shot, dict)
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return storable(value) if isinstance(value, str) else ""
