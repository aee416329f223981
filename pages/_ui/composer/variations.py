"""Variations: each alternative of the texts with each combination of choices, as a table with prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import streamlit as st

from kling import catalog
from kling.studio.prompting.alternatives import has_alternatives
from kling.studio.prompting.draft import OTHER_MODES, Draft, FormRequest
from kling.studio.prompting.matrix import Row, Table, combine, total
from kling.studio.prompting.template_language import TemplateSyntaxError
from kling.studio.prompting.variables import parse_variables
from kling.studio.prompting.words import as_text_to_video
from pages._ui.composer.draft_state import persistent, replace_draft
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, price
from pages._ui.panels import form_panel
from pages._ui.session_state import composer_state
from pages._ui.words import FIELDS, quality

VARIABLES_HELP = "A line each: animal = fox | heron. Write {animal} in the prompt."


@dataclass(frozen=True, slots=True)
class Plan:
    """What one press orders.

    Args:
        requests: each once; takes come on top.
        units: what they cost once, None where it is not known.
        table: of the variations, None without them.
        key: of the table's widget.
        problem: why there is no table.
    """

    requests: tuple[FormRequest, ...]
    units: Decimal | None
    table: Table | None = None
    key: str = ""
    problem: str = ""


def plan(draft: Draft) -> Plan:
    """Return what the draft orders, with the rows that are ticked."""
    if not draft.variations:
        request = draft.request()
        return Plan((request,), request.units())
    try:
        table = _table(draft)
    except TemplateSyntaxError as error:
        return Plan((), Decimal(0), problem=str(error))
    key = "composer.rows_" + sha256(repr([row.request for row in table.rows]).encode()).hexdigest()[:16]
    event: Any = st.session_state.get(key)
    if event is not None:  # the table is on the page; while it is not, what was ticked in it still counts
        composer_state().ticked = (key, tuple(event["selection"]["rows"]))
    rows = [table.rows[index] for index in sorted(_ticked(key, len(table.rows))) if index < len(table.rows)]
    return Plan(tuple(row.request for row in rows), total(rows), table, key)


def _ticked(key: str, number: int) -> Sequence[int]:
    """Return the rows that are ticked in a table: all of them until somebody has changed that."""
    known, rows = composer_state().ticked
    return rows if known == key else range(number)


def _table(draft: Draft) -> Table:
    """Make the table, once for each change of what it is made from."""
    state = composer_state()
    source = repr(
        (draft.request(), draft.variables, draft.models, draft.modes, draft.durations, draft.aspect_ratios)
    )
    if state.table is not None and state.table[0] == source:
        return state.table[1]
    table = combine(
        draft.request(),
        parse_variables(draft.variables),
        models=draft.models,
        modes=draft.modes,
        durations=draft.durations,
        aspect_ratios=draft.aspect_ratios,
    )
    state.table = (source, table)
    return table


def hint(draft: Draft, planned: Plan) -> None:
    """Say what the alternatives in the texts make, and offer the other way to send them; or what is wrong."""
    if planned.problem:
        st.error(escape_markdown(planned.problem))
    if not any(map(has_alternatives, draft.sent_texts)):
        return
    if draft.variations:
        words = "" if planned.problem else "One clip for each variation."
        label, key = "Send as typed", "composer.send_as_typed"
    else:
        words = "The braces are sent as they stand."
        label, key = "Make a table of variations", "composer.make_variations"
    with st.container(horizontal=True, vertical_alignment="center", key="variations_hint"):
        st.caption(escape_markdown(words), width="content")
        st.button(label, on_click=_make_table, args=(not draft.variations,), type="tertiary", key=key)


def _make_table(wanted: bool) -> None:
    replace_draft(variations=wanted)


def variations(draft: Draft, planned: Plan) -> None:
    """Draw the panel."""
    state = counted(len(planned.requests) * draft.takes, "clip", "clips") if draft.variations else "none"
    form_panel(
        "variations",
        "Variations",
        lambda: _table_of(draft, planned),
        icon="data_object",
        state=state,
        is_set=draft.variations,
        is_wrong=bool(planned.problem),
    )


def _table_of(draft: Draft, planned: Plan) -> None:
    """Draw what varies, and the table of what would be ordered."""
    st.toggle(
        "Generate a table of variations",
        help="Every alternative {a|b|c} of the texts, with every combination chosen here. "
        "A brace that is meant as one is written \\{ or \\}.",
        **persistent("variations"),
    )
    if not draft.variations:
        return
    st.text_area(
        "Variables", height=80, placeholder=VARIABLES_HELP, help=VARIABLES_HELP, **persistent("variables")
    )
    _choices(draft)
    if planned.table is not None:
        _rows(planned, draft.takes)


def _choices(draft: Draft) -> None:
    models = {name: model.title for name, model in catalog().models.items() if not model.retired}
    durations = sorted({each for model in catalog().models.values() for each in model.durations}, key=int)
    ratios = next(iter(catalog().models.values())).aspect_ratios
    multi: Any = {"selection_mode": "multi"}
    st.pills("Models", list(models), format_func=lambda name: models[name], **multi, **persistent("models"))
    modes = [mode for mode in OTHER_MODES if mode != "none"]
    st.pills("Qualities", modes, format_func=quality, **multi, **persistent("modes"))
    if not draft.first_frame:  # which sets the shape
        st.pills("Shapes", ratios, **multi, **persistent("aspect_ratios"))
    st.pills("Lengths in seconds", durations, **multi, **persistent("durations"))
    st.caption("Where nothing is chosen, the choice above counts.")


def _rows(planned: Plan, takes: int) -> None:
    table = planned.table
    if table is None:
        return
    if table.rows:
        st.dataframe(
            [_row(row) for row in table.rows],
            column_config={
                "Prompt": st.column_config.TextColumn(width="large"),
                "Units": st.column_config.NumberColumn(format="%.2f"),
            },
            hide_index=True,
            selection_mode="multi-row",
            selection_default={"selection": {"rows": list(_ticked(planned.key, len(table.rows)))}},
            on_select="rerun",
            key=planned.key,
            height=min(38 * (len(table.rows) + 1), 420),
        )
    chosen = counted(len(planned.requests), "clip", "clips")
    each = f" × {takes}" if takes > 1 else ""
    cost = price(None if planned.units is None else planned.units * takes)
    st.caption(escape_markdown(f"{chosen} of {len(table.rows):,} ticked{each}: {cost}."))
    for left_out in table.left_out[:5]:
        words = " ".join(problem.message for problem in left_out.problems)
        st.caption(
            escape_markdown(
                f"Left out: {left_out.request.model_name}, “{left_out.request.prompt[:60]}”. {words}"
            )
        )


def _row(row: Row) -> dict[str, Any]:
    request = row.request
    return {
        "Prompt": request.prompt or " / ".join(shot.prompt for shot in request.multi_prompt),
        FIELDS["model_name"]: request.model_name,
        FIELDS["mode"]: quality(request.mode or "", catalog().models.get(request.model_name)),
        FIELDS["duration"]: f"{request.duration} s",
        FIELDS["aspect_ratio"]: as_text_to_video(request).aspect_ratio or "of the picture",
        FIELDS["sound"]: request.sound,
        "Units": None if row.units is None else float(row.units),
        "Moved": ", ".join(
            f"{FIELDS.get(change.field, change.field)} {change.old} → {change.new}" for change in row.changes
        ),
    }
