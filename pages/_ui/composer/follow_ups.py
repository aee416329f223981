"""What a change of the draft brings along, besides the choices that give way to its model.

A storyboard switches to a model that makes several shots, and a model that makes single shots to the prompt.
Alternatives in braces switch the table of variations on, until somebody wants them to be sent as typed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any

from kling import Shot, catalog
from kling.studio.prompting.alternatives import has_alternatives
from kling.studio.prompting.draft import CAMERA_FIELDS, ONE_SHOT, STORYBOARD, Change, Draft
from pages._ui.composer.price_of import price_of
from pages._ui.session_state import Notice

Ways = Mapping[str, tuple[Draft, Draft]]

_NEEDS: Mapping[str, frozenset[str]] = {  # fields that may need other choices, and which
    "cut": frozenset({"model"}),
    "sound": frozenset({"mode", "duration"}),
    "last_frame": frozenset({"mode", "duration"}),
}
# What another model may move, and with it what goes back.
_WITH_MODEL = CAMERA_FIELDS | {"model", "mode", "duration", "aspect_ratio", "sound"}


def with_follow_ups(before: Draft, now: Draft, touched: Collection[str]) -> Draft:
    """Return the draft with what follows from a change.

    Args:
        before: the draft as it was.
        now: as the person changed it.
        touched: the names of the fields that differ.
    """
    if "cut" in touched:
        now = _with_shots(now)
    elif "model" in touched and now.cut == STORYBOARD and not now.can_send("multi_shot"):
        now = replace(now, cut=ONE_SHOT)  # the shots are kept
    return _with_table(before, now, touched)


def taken_back(ways: Ways, now: Draft, touched: Collection[str]) -> Draft:
    """Take back, with the shots, the sound or the last frame, the model or the quality that was taken for it.

    Whoever only looked at the storyboard pays no more than before. What was chosen meanwhile stays, the
    length of shots excepted.

    Args:
        ways: the ways back, as `ways_back` returned them.
        now: as the person changed it.
        touched: the names of the fields that differ from the last run.
    """
    for field, (before, after) in ways.items():
        moved = _moved(before, after, now)
        if field in touched and not _is_on(now, field) and moved & _NEEDS[field]:
            back = moved & _WITH_MODEL | {"duration"} if field == "cut" else moved & _NEEDS[field]
            now = replace(now, **{name: getattr(before, name) for name in back})
    return now


def ways_back(ways: Ways, before: Draft, chosen: Draft, fitted: Draft, touched: Collection[str]) -> Ways:
    """Return the ways back after a change: the drafts before and after one, by the field that needed it.

    Args:
        ways: those before the change.
        before: the draft as it was.
        chosen: as the person changed it.
        fitted: with everything that it brought along.
        touched: the names of the fields that the person changed.
    """
    kept = {
        field: way
        for field, way in ways.items()
        if _is_on(fitted, field) and not {"model", *_NEEDS[field]}.intersection(touched)
    }
    new = {
        field: (before, fitted)
        for field, needs in _NEEDS.items()
        if field in touched
        and _is_on(fitted, field)
        and any(getattr(chosen, name) != getattr(fitted, name) for name in needs)
    }
    return kept | new


def ways_to_json(ways: Ways) -> dict[str, Any]:
    """Return ways back for a stored draft: the choices before and after; `ways_of` reads them."""
    return {
        field: [{name: getattr(each, name) for name in sorted(_WITH_MODEL)} for each in way]
        for field, way in ways.items()
    }


def ways_of(stored: object, draft: Draft) -> Ways:
    """Return the ways back of a stored draft; what cannot be used is left out."""
    found = stored if isinstance(stored, dict) else {}
    return {
        field: (_with_choices(draft, way[0]), _with_choices(draft, way[1]))
        for field in _NEEDS
        if isinstance(way := found.get(field), list) and [type(each) for each in way] == [dict, dict]
    }


def _with_choices(draft: Draft, choices: Mapping[str, Any]) -> Draft:
    return Draft.from_json({**draft.to_json(), **choices})


def _is_on(draft: Draft, field: str) -> bool:
    return getattr(draft, field) not in {False, "", ONE_SHOT}


def _moved(before: Draft, after: Draft, now: Draft) -> set[str]:
    """Return the fields that a switch has moved, and that are still as it left them."""
    return {
        field.name
        for field in fields(Draft)
        if getattr(before, field.name) != getattr(after, field.name) == getattr(now, field.name)
    }


def _with_shots(now: Draft) -> Draft:
    """Take a model that makes several shots where there are to be some; the first one shows the prompt."""
    if now.cut == ONE_SHOT:
        return now
    if not now.can_send("multi_shot"):
        able = [
            name
            for name, model in catalog().models.items()
            if "multi_shot" in model.takes and not model.retired
        ]
        now = replace(now, model=able[0]) if able else replace(now, cut=ONE_SHOT)
    if now.cut == STORYBOARD and not any(shot.prompt.strip() for shot in now.shots):
        first, *rest = now.shots
        now = replace(now, shots=(Shot(prompt=now.prompt, duration=first.duration), *rest))
    return now


def _with_table(before: Draft, now: Draft, touched: Collection[str]) -> Draft:
    """Switch the table of variations on or off with the alternatives in the texts."""
    stand = any(map(has_alternatives, now.sent_texts))
    if "variations" in touched:
        return replace(now, as_typed=stand and not now.variations)
    if stand:
        return now if now.as_typed else replace(now, variations=True)
    chosen = now.models or now.modes or now.durations or now.aspect_ratios or now.variables.strip()
    went = any(map(has_alternatives, before.sent_texts)) and not chosen
    return replace(now, as_typed=False, variations=now.variations and not went)


def notice_of(before: Draft, now: Draft, fitted: Draft, moved: tuple[Change, ...]) -> Notice | None:
    """Return what to tell about a change, None if nothing but the change was made.

    Args:
        before: the draft as it was.
        now: with the change of the person.
        fitted: with everything that it brought along.
        moved: what gave way to the model or the shots.
    """
    is_switched = fitted.model != now.model
    if now.shots != before.shots and fitted.is_storyboard:  # the length is a fact there, and the page says it
        moved = tuple(change for change in moved if change.field != "duration")
    if (now.cut, fitted.cut) == (STORYBOARD, ONE_SHOT):
        moved = (*moved, Change("cut", STORYBOARD, ONE_SHOT))
    unsent = _unsent(before, fitted)
    if not moved and not is_switched and not unsent:
        return None
    changed = {
        field.name
        for field in fields(Draft)
        if getattr(before, field.name) != getattr(fitted, field.name)
        and field.name not in {"shots", "prompt"}
    }
    if fitted.is_storyboard and before.is_storyboard:
        changed.add("shots")
    known = before.known
    return Notice(
        moved,
        price_of(before),
        price_of(fitted),
        unsent,
        switched_from=(known.title if known else before.other_model) if is_switched else "",
        undo={name: getattr(before, name) for name in changed},
    )


def _unsent(before: Draft, now: Draft) -> tuple[str, ...]:
    """Return the fields of the request that gave way to a model or a picture, while the draft holds them.

    A camera move that is no field any more is said in the prompt, but not in a storyboard.
    """
    same = {name: getattr(before, name) for name in ("model", "other_model", "first_frame")}
    sent, still, held = (each.request().to_wire() for each in (before, now, replace(now, **same)))
    optional = catalog().optional | {"negative_prompt"}
    return tuple(
        name
        for name in sent
        if name in optional & held.keys() - still.keys() and (name != "camera_control" or now.is_storyboard)
    )
