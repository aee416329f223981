"""The draft in the session: every widget of the form has a key `draft_<field>`.

A run begins with `apply_changes`: what the person changed stays, and what no longer goes with it moves before
the widgets are drawn, because a model that does not take an old value must not make the page fail.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

import streamlit as st

from kling import Shot
from kling.studio.prompting.draft import (
    AUTOMATIC,
    OTHER_DURATIONS,
    Change,
    Draft,
    merge,
    snap_to_model,
    sync_camera_words,
)
from kling.studio.state.records import StateError, StoredDraft
from pages._ui.composer.unkept import Unkept, keep_changes
from pages._ui.context import studio
from pages._ui.routes.middleware import BROWSER_COOKIE

RUNS = 5  # that are remembered: a page is hardly further behind
LONGEST_SHOT = int(OTHER_DURATIONS[-1])  # seconds
FLAT = tuple(field.name for field in fields(Draft) if field.name not in {"shots", "parent"})

DRAWN_FROM = (
    "chosen",
    "opens",
    "outcome",
    "panel",
    "open_shots",
    "open_variations",
    "open_camera",
    "open_more",
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What moved by itself, and the price before and after."""

    changes: tuple[Change, ...]
    before: Decimal | None
    after: Decimal | None


def key(field: str) -> str:
    """Return the session key of a field."""
    return f"draft_{field}"


def keep(field: str) -> dict[str, Any]:
    """Return what makes a widget keep its value across reruns and pages."""
    return {"key": key(field), "persist_state": "session"}


def browser() -> str:
    """Return the id of this browser; where it keeps no cookies, an id for this visit that it never sees."""
    cookie = str(st.context.cookies.get(BROWSER_COOKIE, ""))
    try:
        known = studio().state.browsers.verify(cookie)
    except StateError:
        return ""  # whoever keeps a draft under it hears why that cannot be done
    visit: str = known or st.session_state.setdefault("visit", secrets.token_hex(16))
    return visit


def open_draft(draft_id: str, *, origin: Draft | None = None) -> None:
    """Fill the form with a draft of the disk, or with a new one.

    Args:
        draft_id: of the page's address; of another browser's draft a copy is opened.
        origin: what a new draft begins with.
    """
    session = st.session_state
    owner = browser()
    saved, unkept = _stored(draft_id, owner)
    # What this session ordered stays beside the form, whatever the form holds now.
    made = list(session.get("made", ()))
    session.made = sorted({*made, *saved.made}, key=_ordered_at, reverse=True)
    session.copied = bool(draft_id and saved.id != draft_id and saved.fields)
    session.notice, session.outcome = None, {}
    own = saved.fields.get("own", ())
    session.own = [text for text in own if isinstance(text, str)] if isinstance(own, list) else []
    draft = origin or Draft.from_json(saved.fields)
    session.unkept = unkept
    if origin is not None:
        keep_changes(saved.id, owner, fields=draft.to_json(), made=tuple(session.made))
    elif not session.get("draft_id") and not set(made) <= set(saved.made):
        # Another page has ordered before this session had a draft to keep that with.
        keep_changes(saved.id, owner, made=tuple(session.made))
    write_draft(draft)
    session.settled = read_draft()
    session.open_shots, session.open_variations = draft.is_storyboard, draft.variations
    session.open_camera = draft.camera != AUTOMATIC
    session.draft_id = saved.id  # last: a run that is stopped before it begins again


def _stored(draft_id: str, owner: str) -> tuple[StoredDraft, Unkept | None]:
    """Return the draft of an address as the server has it, and what it does not keep of it.

    A draft that cannot be read may be there: what is typed in its place stays on the page, and under no id.
    """
    try:
        saved = studio().state.drafts.open(draft_id, owner)
    except StateError as error:
        if draft_id:
            why = f"This draft could not be read, so nothing of it is shown and nothing is kept. {error}"
            return StoredDraft(id="", owner=owner), Unkept(draft_id="", why=why)
        saved = StoredDraft(id=secrets.token_hex(10), owner=owner)
        return saved, Unkept(draft_id=saved.id, why=f"What you change is not kept yet. {error}")
    if saved.not_kept:
        return saved, Unkept(draft_id=saved.id, why=saved.not_kept, fields=saved.fields)
    return saved, None


def _ordered_at(job_id: str) -> tuple[float, str]:
    """Return what sorts jobs by the time of their order; of one that the log does not have yet, by its id."""
    job = studio().ledger.get(job_id)
    return (job.ordered_at.timestamp() if job else 0.0, job_id)


def read_draft() -> Draft:
    """Return the draft as the widgets hold it."""
    session, blank = st.session_state, Draft()
    count = session.get(key("count"), len(blank.shots))
    return Draft(
        **{name: _frozen(session.get(key(name), getattr(blank, name))) for name in FLAT},
        shots=tuple(
            Shot(
                prompt=session.get(key(f"shot_{number}"), ""),
                duration=str(session.get(key(f"seconds_{number}"), 1)),
            )
            for number in range(1, count + 1)
        ),
        parent=session.get("parent", ""),
    )


def fingerprint() -> str:
    """Return what the form is drawn from, as text to compare: an outcome changes in its place."""
    return repr((read_draft(), *(st.session_state.get(name) for name in DRAWN_FROM)))


def write_draft(draft: Draft) -> None:
    """Put a draft into the widgets. Only before they are drawn, or in a callback.

    What a widget holds already is not written: the answer would take back a click made meanwhile.
    """
    session = st.session_state
    values = {key(name): getattr(draft, name) for name in FLAT}
    values[key("count")] = len(draft.shots)
    for number, shot in enumerate(draft.shots, 1):
        values[key(f"shot_{number}")] = shot.prompt
        seconds = int(shot.duration) if shot.duration.isdecimal() else 1
        values[key(f"seconds_{number}")] = min(max(seconds, 1), LONGEST_SHOT)
    for name, value in values.items():
        if _frozen(session.get(name)) != value:
            session[name] = list(value) if isinstance(value, tuple) else value
    session.parent = draft.parent


def changed(before: Draft, after: Draft) -> set[str]:
    """Return the fields in which two drafts differ."""
    return {
        field.name for field in fields(Draft) if getattr(before, field.name) != getattr(after, field.name)
    }


def apply_changes() -> Draft:
    """Take what the person changed, move what gives way, and keep both on the disk."""
    session = st.session_state
    before, now = session.settled, read_draft()
    touched = changed(before, now)
    fitted, moved = snap_to_model(now, touched)
    fitted = sync_camera_words(fitted, touched)
    if fitted != now:
        write_draft(fitted)
    if moved:
        session.notice = Notice(moved, price_of(before), price_of(fitted))
    elif touched:
        session.notice = None
    if new := changed(before, fitted) | changed(now, fitted):  # the server may have a text as it was typed
        _keep(before, fitted, new)
        session.settled = fitted
    session.run = session.get("run", 0) + 1
    session.recent_runs = dict([*session.get("recent_runs", {}).items(), (str(session.run), fitted)][-RUNS:])
    return fitted


def drop_stale_edits(run: str) -> None:
    """Take back what was sent by a page that had not seen the last answer: it is old, and nobody chose it.

    Call it in a callback only.

    Args:
        run: that the page had been drawn by, as it stands there.
    """
    session = st.session_state
    shown = session.get("recent_runs", {}).get(run)
    if shown is not None and run != str(session.run):
        sent = read_draft()
        if (merged := merge(sent, shown, session.settled)) != sent:
            write_draft(merged)


def _keep(before: Draft, after: Draft, new: set[str]) -> None:
    """Keep what has changed, and no more of it: another tab may have written beside it."""
    texts: dict[str, str] = {}
    if "cut" in new:
        new = {*new, "shots"}  # texts that are typed need the shots that they belong to
    elif [shot.duration for shot in before.shots] == [shot.duration for shot in after.shots]:
        new = new - {"shots"}
        pairs = enumerate(zip(before.shots, after.shots, strict=True), 1)
        texts = {f"shot_{number}": shot.prompt for number, (old, shot) in pairs if old != shot}
    stored = after.to_json()
    kept = {name: stored[name] for name in new}
    keep_changes(st.session_state.draft_id, browser(), fields=kept, texts=texts)


def price_of(draft: Draft) -> Decimal | None:
    """Return what pressing the button costs, in Units; None where that is not known."""
    units = draft.request().units()
    return None if units is None else units * draft.takes


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def replace_draft(**values: Any) -> None:
    """Change fields of the draft from a callback, and keep them.

    The server has texts already that this session was not told of. So a field that goes back to what it was
    in the last run, in which `apply_changes` sees no change, has to be kept too.
    """
    before = read_draft()
    after = replace(before, **values)
    write_draft(after)
    _keep(before, after, set(values))
