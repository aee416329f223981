"""How long jobs waited and were made, by model and by the hour of their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from kling import catalog
from kling.studio.library.spend import Times, together
from pages._ui.context import studio
from pages._ui.escape import escape_html
from pages._ui.format import span
from pages._ui.spend.charts import by_hour
from pages._ui.spend.facts import Facts
from pages._ui.words import model_title

HEADS = ("Jobs", "Waited here", "Queued at Kling", "Made")


def times(facts: Facts, hours: DeltaGenerator, paces: DeltaGenerator) -> None:
    """Draw the chart of a model and the table of all; nothing where no job has succeeded.

    Args:
        facts: what the page is about.
        hours: the place of the chart.
        paces: the place of the table.

    Raises:
        IndexBroken: there is no index.
    """
    found = studio().library.times(facts.query)
    models: Mapping[str, Sequence[Times]] = {
        model: list(rows) for model, rows in groupby(found, key=lambda each: each.model)
    }
    if not models:
        return
    wholes = sorted((together(rows) for rows in models.values()), key=lambda each: -each.jobs)
    with paces:
        st.html('<h2 class="spend-head">How long it took</h2>')
        _table("Average of all hours", "Model", [(_name(each.model), each) for each in wholes])
        with st.expander("By hour", key="spend.by_hour"):
            rows = [(f"{_name(each.model)}, {each.hour:02}:00", each) for each in found]
            _table("Average by hour of the order", "Model and hour", rows)
    with hours:
        st.html('<h2 class="spend-head">By hour of the order</h2>')
        model = wholes[0].model
        if len(wholes) > 1:
            model = st.selectbox(
                "Model",
                [each.model for each in wholes],
                format_func=_name,
                key="spend.model",
                label_visibility="collapsed",
            )
        by_hour(models[model], _name(model))


def _name(model: str) -> str:
    return model_title(model, catalog().models.get(model)) or "Not known"


def _table(caption: str, head: str, rows: Sequence[tuple[str, Times]]) -> None:
    heads = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in (head, *HEADS))
    body = "".join(
        f'<tr role="row"><th scope="row" role="rowheader"><bdi>{escape_html(name)}</bdi></th>'
        f"{_cells(each)}</tr>"
        for name, each in rows
    )
    st.html(
        f'<table class="spend-table" role="table"><caption>{caption}</caption>'
        f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _cells(times: Times) -> str:
    said = (f"{times.jobs:,}", *(_span(each) for each in (times.waited, times.queued, times.processed)))
    return "".join(
        f'<td role="cell" data-name="{head}">{cell}</td>' for head, cell in zip(HEADS, said, strict=True)
    )


def _span(seconds: float | None) -> str:
    return "–" if seconds is None else span(seconds)
