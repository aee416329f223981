"""Every combination of prompts, models, modes, durations and ratios, as priced rows that can be ordered.

A choice that a model does not take is moved as in the form (`draft.snap_to_model`): a duration to the nearest
one, sound to silence. Combinations that are the same request after that become one row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import product
from math import prod

from kling.problems import Problem
from kling.studio.prompting.draft import Change, Draft, FormRequest, snap_to_model
from kling.studio.prompting.template_language import TemplateSyntaxError, Values, count_all, expand_all
from kling.text_to_video import TextToVideo

MOST_ROWS = 500  # combinations before equal ones are merged
ASK_AGAIN = 20  # rows from which a page asks the person to confirm the press


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request of a batch.

    Args:
        request: legal, and no other row's.
        units: its price by the catalog; None where it is not known.
        changes: fields of its first combination that were moved to values that the model takes.
        merged: how many combinations it stands for.
    """

    request: FormRequest
    units: Decimal | None
    changes: tuple[Change, ...] = ()
    merged: int = 1


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A combination that the API would refuse, and why."""

    request: FormRequest
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that can be ordered.

    Args:
        rows: in the order of `combine`.
        left_out: combinations that break a rule of the API.
    """

    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()


def combine(
    base: FormRequest,
    variables: Values | None = None,
    *,
    models: Sequence[str] = (),
    modes: Sequence[str] = (),
    durations: Sequence[str] = (),
    aspect_ratios: Sequence[str] = (),
    retired_ok: bool = False,
) -> Table:
    """Return every combination as rows: prompts change slowest, then models, modes, durations and ratios.

    Args:
        base: the values that do not vary. Its prompt, negative prompt and shots are expanded together.
        variables: values of the variables in them.
        models: to combine; empty leaves what `base` has, here and below.
        modes: `std`, `pro`, `4k`.
        durations: whole seconds, as strings.
        aspect_ratios: such as `16:9`; beside a picture there is none to choose.
        retired_ok: whether the account decides by itself about retired models, as a sandbox does; otherwise
            they are left out.

    Raises:
        TemplateSyntaxError: a text cannot be expanded, or there are more than `MOST_ROWS` combinations.
    """
    texts = (base.prompt, base.negative_prompt, *(shot.prompt for shot in base.multi_prompt))
    choices = (
        models or (base.model_name,),
        modes or (base.mode,),
        durations or (base.duration,),
        (aspect_ratios or (base.aspect_ratio,)) if isinstance(base, TextToVideo) else ("",),
    )
    number = count_all(texts, variables) * prod(map(len, choices))
    if number > MOST_ROWS:
        many = f"{number:,}" if number < 10**6 else "more than a million"
        raise TemplateSyntaxError(
            f"These are {many} combinations; at most {MOST_ROWS} go at once. Choose fewer."
        )
    touched = [
        name
        for name, given in (("mode", modes), ("duration", durations), ("aspect_ratio", aspect_ratios))
        if given
    ]
    rows: dict[str, Row] = {}
    left_out: dict[str, LeftOut] = {}
    for written in expand_all(texts, variables):
        for model, mode, duration, ratio in product(*choices):
            asked = replace(
                _with_texts(base, written),
                model_name=model,
                mode=mode,
                duration=duration,
                external_task_id="",
            )
            if isinstance(asked, TextToVideo):
                asked = replace(asked, aspect_ratio=ratio)
            request = _nearest_legal(asked, touched, retired_ok=retired_ok)
            key = repr(request)
            if problems := request.problems(retired_ok=retired_ok):
                left_out[key] = LeftOut(request, problems)
            elif key in rows:
                rows[key] = replace(rows[key], merged=rows[key].merged + 1)
            else:
                rows[key] = Row(request=request, units=request.units(), changes=_changes(asked, request))
    return Table(tuple(rows.values()), tuple(left_out.values()))


def total(rows: Iterable[Row]) -> Decimal | None:
    """Return what some rows cost in Units together; None if the price of one is not known."""
    prices = [row.units for row in rows]
    known = [price for price in prices if price is not None]
    return sum(known, Decimal(0)) if len(known) == len(prices) else None


def _with_texts(base: FormRequest, texts: tuple[str, ...]) -> FormRequest:
    prompt, negative_prompt, *shots = texts
    return replace(
        base,
        prompt=prompt,
        negative_prompt=negative_prompt,
        multi_prompt=tuple(
            replace(shot, prompt=text) for shot, text in zip(base.multi_prompt, shots, strict=True)
        ),
    )


def _nearest_legal(asked: FormRequest, touched: Collection[str], *, retired_ok: bool) -> FormRequest:
    """Return the request itself if it is legal, else the nearest one that its model takes."""
    if not asked.problems(retired_ok=retired_ok):
        return asked
    draft, _ = snap_to_model(Draft.from_request(asked), touched)
    return replace(draft.request(), callback_url=asked.callback_url)


def _changes(asked: FormRequest, request: FormRequest) -> tuple[Change, ...]:
    return tuple(
        Change(field.name, getattr(asked, field.name), getattr(request, field.name))
        for field in fields(asked)
        if getattr(asked, field.name) != getattr(request, field.name)
    )
