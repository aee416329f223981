"""The draft in the form.

Its life: `open_draft` reads a stored draft and writes its fields into the session, one key for each widget
(`composer.prompt` and so on, see `key`). Every run of the page begins with `apply_changes`: it compares the
widgets with `ComposerState.saved`, which is the draft as it is stored. Where they differ, a person changed
them: what does not fit the model any more is changed too, before widgets are drawn that would fail on it,
and only the fields that changed are stored, for another tab may have stored others. While somebody types,
Streamlit hears of another number of clips only; until the field is left, autosave.js stores the text over
HTTP. An edit that was sent by a page that had not seen the last run is taken back by `drop_stale_edits`.

So five copies of a prompt are kept: the browser's field, which Streamlit seldom reads before it is left;
Streamlit's value of the widget; `ComposerState.saved`, to see what a person has changed; the stored draft,
which outlives session and browser; and, once it is ordered, the row of its job, which never changes again.
"""

from __future__ import annotations

import secrets
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from kling import Shot
from kling.studio.prompting.draft import (
    LONGEST_SHOT,
    Draft,
    merge,
    snap_to_model,
    sync_camera_words,
)
from kling.studio.state.records import StateError, StoredDraft
from pages._ui.composer.follow_ups import (
    notice_of,
    taken_back,
    ways_back,
    ways_of,
    ways_to_json,
    with_follow_ups,
)
from pages._ui.composer.unsaved_draft import keep_changes
from pages._ui.context import studio
from pages._ui.current_user import acting, browser_id
from pages._ui.panels import FORM_PANELS, panel_key
from pages._ui.session_state import Outcome, Unkept, composer_state

REMEMBERED_RUNS = 5  # a page is hardly further behind
WIDGETS = tuple(field.name for field in fields(Draft) if field.name not in {"shots", "parent"})


def key(field: str) -> str:
    """Return the session key of a field's widget."""
    return f"composer.{field}"


def shot_field(part: str, number: int) -> str:
    """Return the name of a field of a shot: `shot` is its prompt, `seconds` its length.

    The name changes when the shots are rearranged. A click that was made before the page had drawn the new
    arrangement brings the old values of all fields along, and so does a text that autosave.js sent before;
    under the old names they replace nothing.
    """
    arrangement = composer_state().arrangement
    return f"{part}_{number}.{arrangement}" if arrangement else f"{part}_{number}"


def persistent(field: str) -> dict[str, Any]:
    """Return the arguments that make a field's widget keep its value while another page is open."""
    return {"key": key(field), "persist_state": "session"}


def open_draft(draft_id: str, *, origin: Draft | None = None) -> None:
    """Fill the form with a stored draft, or with a new one.

    Args:
        draft_id: of the page's address; somebody else's draft is copied.
        origin: what a new draft begins with.
    """
    state = composer_state()
    stored, unkept = _stored(draft_id, browser_id())
    before = list(state.jobs)  # what this session ordered stays beside the form, whatever the form holds
    state.jobs = sorted({*before, *stored.made}, key=_ordered_at, reverse=True)
    state.is_copy = bool(draft_id and stored.id != draft_id and stored.fields)
    state.picture_news = None
    state.notice, state.outcome = None, Outcome()
    own = stored.fields.get("own", ())
    state.unsent_prompts = [text for text in own if isinstance(text, str)] if isinstance(own, list) else []
    draft = origin or Draft.from_json(stored.fields)
    state.unkept = unkept
    if origin is not None:
        state.arrangement += state.is_open
        values = draft.to_json() | {"arrangement": state.arrangement, "ways_back": {}}
        keep_changes(stored.id, fields=values, made=tuple(state.jobs))
    elif not state.draft_id and not set(before) <= set(stored.made):
        # Another page ordered before this session had a draft to store the list with.
        keep_changes(stored.id, made=tuple(state.jobs))
    if origin is None:
        number = stored.fields.get("arrangement")
        state.arrangement = number if isinstance(number, int) else 0
    state.ways_back = ways_of(stored.fields.get("ways_back"), draft) if origin is None else {}
    write_draft(draft)
    state.saved = read_draft()
    state.draft_id, state.is_open = stored.id, True  # last: a run that is stopped before it begins again


def _stored(draft_id: str, browser: str) -> tuple[StoredDraft, Unkept | None]:
    """Return a stored draft, or a new one, and what the store refused of it.

    A draft that cannot be read may exist all the same: what is typed in its place stays on the page, and is
    stored under no id.
    """
    try:
        user = acting()
        user.take_drafts_of(browser)
        saved = user.open_draft(draft_id, browser=browser)
    except StateError as error:
        if draft_id:
            why = f"This draft could not be read, so nothing of it is shown and nothing is kept. {error}"
            return StoredDraft(id="", owner=browser), Unkept(draft_id="", why=why)
        saved = StoredDraft(id=secrets.token_hex(10), owner=browser)
        return saved, Unkept(draft_id=saved.id, why=f"What you change is not kept yet. {error}")
    if saved.not_kept:
        return saved, Unkept(draft_id=saved.id, why=saved.not_kept, fields=saved.fields)
    return saved, None


def _ordered_at(job_id: str) -> tuple[float, str]:
    """Return what sorts jobs by the time of their order; of one that the log does not have yet, by its id."""
    job = studio().ledger.get(job_id)
    return (job.ordered_at.timestamp() if job else 0.0, job_id)


def read_draft() -> Draft:
    """Return the draft as the widgets hold it.

    Now and then Streamlit has nothing for a choice that the page shows (seen with 1.67, no issue known):
    nobody has changed that one.
    """
    state, session = composer_state(), st.session_state
    held = {name: _frozen(session.get(key(name))) for name in WIDGETS}
    return Draft(
        **{name: getattr(state.saved, name) if value is None else value for name, value in held.items()},
        shots=tuple(
            Shot(
                prompt=session.get(key(shot_field("shot", number)), ""),
                duration=str(session.get(key(shot_field("seconds", number)), 1)),
            )
            for number in range(1, state.shot_count + 1)
        ),
        parent=state.parent,
    )


def fingerprint(draft: Draft, dialog: str = "") -> str:
    """Return what the form is drawn from, as text to compare.

    Args:
        draft: as the widgets hold it.
        dialog: that waits to be opened; none in the run that opens it.
    """
    state, session = composer_state(), st.session_state
    panels = [session.get(panel_key(panel)) for panel in FORM_PANELS]
    return repr((draft, state.pending, dialog, state.outcome, state.picture_news, panels))


def write_draft(draft: Draft) -> None:
    """Put a draft into the widgets. Only before they are drawn, or in a callback.

    A value that a widget holds already is not written: Streamlit would send it to the page, and take back
    what somebody chose there meanwhile.
    """
    state, session = composer_state(), st.session_state
    values: dict[str, Any] = {name: getattr(draft, name) for name in WIDGETS}
    for number, shot in enumerate(draft.shots, 1):
        values[shot_field("shot", number)] = shot.prompt
        seconds = int(shot.duration) if shot.duration.isdecimal() else 1
        values[shot_field("seconds", number)] = min(max(seconds, 1), LONGEST_SHOT)
    for name, value in values.items():
        if _frozen(session.get(key(name))) != value:
            session[key(name)] = list(value) if isinstance(value, tuple) else value
    state.shot_count, state.parent = len(draft.shots), draft.parent


def changed_fields(before: Draft, after: Draft) -> set[str]:
    """Return the names of the fields in which two drafts differ."""
    return {
        field.name for field in fields(Draft) if getattr(before, field.name) != getattr(after, field.name)
    }


def apply_changes() -> Draft:
    """Take what the person changed, change what does not fit it any more, and store both."""
    state, now = composer_state(), read_draft()
    touched = changed_fields(state.saved, now)
    chosen = taken_back(state.ways_back, now, touched)
    fitted, moved = snap_to_model(with_follow_ups(state.saved, chosen, touched), touched)
    fitted = sync_camera_words(fitted, touched)
    if fitted != now or any(st.session_state.get(key(name)) is None for name in WIDGETS):
        write_draft(fitted)
    notice = notice_of(state.saved, chosen, fitted, moved)
    ways = ways_back(state.ways_back, state.saved, chosen, fitted, touched)
    # A switch of the model is told, with the way back, while somebody writes the shots that it was made for.
    is_kept = state.notice and state.notice.switched_from and not touched & {"cut", "model"}
    if notice or (touched and not is_kept):
        state.notice = notice
    # The store may have a text as it was typed: what was changed to fit is stored even if it is as before.
    new = changed_fields(state.saved, fitted) | changed_fields(now, fitted)
    new |= {"ways_back"} if ways != state.ways_back else set()
    state.ways_back = ways
    _store(state.saved, fitted, new)
    state.saved = fitted
    state.run += 1
    state.recent_runs[str(state.run)] = fitted
    state.recent_runs.pop(str(state.run - REMEMBERED_RUNS), None)
    return fitted


def _store(before: Draft, draft: Draft, new: set[str], *, is_rearranged: bool = False) -> None:
    """Store the new fields, and no others: another tab may have stored those."""
    if not new:
        return
    texts: dict[str, str] = {}
    if "cut" in new or is_rearranged:
        new |= {"shots"}  # autosave.js can store the texts of shots only in a draft that has these shots
    elif [shot.duration for shot in before.shots] == [shot.duration for shot in draft.shots]:
        new -= {"shots"}
        pairs = enumerate(zip(before.shots, draft.shots, strict=True), 1)
        texts = {shot_field("shot", number): shot.prompt for number, (old, shot) in pairs if old != shot}
    state = composer_state()
    values = draft.to_json() | {
        "arrangement": state.arrangement,
        "ways_back": ways_to_json(state.ways_back),
    }
    if "shots" in new:
        new |= {"arrangement"}
    changed = {name: values[name] for name in new}
    keep_changes(state.draft_id, fields=changed, texts=texts)


def drop_stale_edits(run: str) -> None:
    """Take back edits of a page that had not seen the last run: their values are old, and nobody chose them.

    Call it in a callback only.

    Args:
        run: number of the run that drew the page, as it stands there.
    """
    state = composer_state()
    shown = state.recent_runs.get(run)
    if shown is not None and run != str(state.run):
        sent = read_draft()
        if (merged := merge(sent, shown, state.saved)) != sent:
            write_draft(merged)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def replace_draft(**values: Any) -> None:
    """Change fields of the draft from a callback, and store them.

    While somebody types, autosave.js stores texts that this session does not know. A field that goes back to
    what it was in the last run is no change for `apply_changes`, and has to be stored all the same.
    """
    before = read_draft()
    after = replace(before, **values)
    is_rearranged = after.shots != before.shots
    composer_state().arrangement += is_rearranged
    write_draft(after)
    _store(before, after, set(values), is_rearranged=is_rearranged)
