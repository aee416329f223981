"""The draft that orders a whole batch again: what differs between its requests becomes alternatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kling.studio.prompting.differences import joined
from kling.studio.prompting.draft import MOST_TAKES, Draft, FormRequest
from kling.studio.prompting.matrix import combine
from kling.studio.prompting.template_language import TemplateSyntaxError

CHOICES = {
    "model_name": "models",
    "mode": "modes",
    "duration": "durations",
    "aspect_ratio": "aspect_ratios",
}


def draft_of_batch(requests: Sequence[FormRequest], *, parent: str = "") -> Draft | None:
    """Return the draft that orders all of these requests with one press; None if no draft does.

    Args:
        requests: in the order in which they were ordered; at least one.
        parent: as in `Draft`.
    """
    plain = [replace(request, external_task_id="", callback_url="") for request in requests]
    times = Counter(map(repr, plain))
    takes = times[repr(plain[0])]
    if takes > MOST_TAKES or set(times.values()) != {takes}:
        return None
    each = list({repr(request): request for request in plain}.values())
    draft = replace(Draft.from_request(each[0], parent=parent), takes=takes)
    if len(each) == 1:
        return draft
    draft = _with_all(draft, each)
    return draft if _orders(draft, each) else None


def _with_all(draft: Draft, requests: Sequence[FormRequest]) -> Draft:
    """Return the draft with what differs between the requests as alternatives, and as choices to combine."""
    shots = tuple(
        replace(shot, prompt=joined([_shot(request, at) for request in requests]))
        for at, shot in enumerate(draft.shots)
    )
    choices: dict[str, Any] = {}
    for field, name in CHOICES.items():
        values = tuple(dict.fromkeys(getattr(request, field, None) for request in requests))
        choices[name] = values if len(values) > 1 and None not in values else ()
    return replace(
        draft,
        prompt=joined([request.prompt for request in requests]),
        negative_prompt=joined([request.negative_prompt for request in requests]),
        shots=shots if draft.is_storyboard else draft.shots,
        variations=True,
        as_typed=False,
        **choices,
    )


def _shot(request: FormRequest, at: int) -> str:
    return request.multi_prompt[at].prompt if at < len(request.multi_prompt) else ""


def _orders(draft: Draft, requests: Sequence[FormRequest]) -> bool:
    """Whether the draft makes exactly these requests."""
    choices: dict[str, Any] = {name: getattr(draft, name) for name in CHOICES.values()}
    try:
        table = combine(draft.request(), **choices, retired_ok=True)
    except TemplateSyntaxError:
        return False
    return {repr(row.request) for row in table.rows} == set(map(repr, requests))
