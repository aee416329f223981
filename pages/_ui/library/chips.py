"""The chips of the bar, drawn from the table of filters. What a closed chip offers is not drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from kling.studio.library import JobQuery
from pages._ui.context import studio
from pages._ui.escape import escape_markdown
from pages._ui.library.address import ask, asked, change, is_asking
from pages._ui.library.filters import Filter, filters_of, mine, money_of, units_of
from pages._ui.style.sheet import style_sheet

MORE = "more"


def chips(page: str, query: JobQuery) -> None:
    """Draw the chips of a page: Mine, those of the table, More, and what else is asked for."""
    known = filters_of(page)
    own = [each for each in known if each.is_chip]
    rest = [each for each in known if not each.is_chip]
    if me := mine():
        _switch(page, "person", ":material/person: Mine", me, is_on=query.person == me)
    is_all_shown = False
    for each in own:
        if each.kind == "switch":
            label = f":material/star: {each.said(query) or each.label}"
            _switch(page, each.field, label, "any", is_on=bool(each.values(query)))
        else:
            # Mine has its own chip.
            said = "" if each.field == "person" and me and query.person == me else each.said(query)
            _chip(page, each.field, [each], query, said)
        if each.kind == "days":
            is_all_shown = _filter_switch(page)
    _chip(page, MORE, [each for each in rest if each.kind != "shown"], query)
    fields = {each.field for each in own}
    for each in rest:
        if each.field not in fields and (said := each.said(query)):
            _removable(page, each, said)
    if is_asking(query):
        st.button("Clear", key=f"{page}.clear", type="tertiary", on_click=ask, args=(page, JobQuery()))
    _chosen_style(query, is_all_shown=is_all_shown)


def _filter_switch(page: str) -> bool:
    """Draw the chip behind which the others are on a tablet; return whether they are shown."""
    with st.container(key="chip-filters", width="content"):
        shown = st.pills(
            "Filter",
            ["Filter"],
            format_func=lambda name: f":material/tune: {name}",
            key=f"{page}.filters",
            label_visibility="collapsed",
        )
    return shown is not None


def _chosen_style(query: JobQuery, *, is_all_shown: bool) -> None:
    """Draw which chips stand first on a phone, and which are shown on a tablet."""
    chosen = [name for name, is_on in (("person", query.person), ("star", query.star)) if is_on]
    chips_on = ", ".join(f".st-key-library_chips > :has(> .st-key-chip-switch-{name})" for name in chosen)
    shown = ".st-key-library_chips > *" if is_all_shown else chips_on
    first = f"@media (max-width: 640px) {{ {chips_on} {{ order: -1; }} }}" if chosen else ""
    there = (
        f"@media (min-width: 641px) and (max-width: 1100px) {{ {shown} {{ display: flex !important; }} }}"
        if shown
        else ""
    )
    style_sheet(f"<style>{first}{there}</style>")


def _switch(page: str, field: str, label: str, value: str, *, is_on: bool) -> None:
    key = f"{page}.switch-{field}"
    _show(key, value if is_on else None)
    with st.container(key=f"chip-switch-{field}", width="content"):
        st.pills(
            field.capitalize(),
            [value],
            format_func=lambda _: label,
            key=key,
            label_visibility="collapsed",
            on_change=_chosen,
            args=(page, field, key),
        )


def _chip(page: str, name: str, offered: Sequence[Filter], query: JobQuery, said: str = "") -> None:
    """Draw a chip that opens; beside it what is chosen, which a press takes back.

    Its label stays the same, because Streamlit closes what is open when the label changes.
    """
    label = "More" if name == MORE else offered[0].label
    with st.container(key=f"chip-{name}", horizontal=True, gap=None, width="content"):
        opened = st.popover(label, key=_open_key(page, name), on_change="rerun")
        if opened.open:
            with opened:
                for each in offered:
                    _offer(page, each, query, is_alone=len(offered) == 1)
        if said:
            _take_back(page, offered[0], said)


def _removable(page: str, each: Filter, said: str) -> None:
    with st.container(key=f"chip-{each.field}", horizontal=True, gap=None, width="content"):
        _take_back(page, each, said)


def _take_back(page: str, each: Filter, said: str) -> None:
    st.button(
        escape_markdown(said),
        key=f"{page}.without-{each.field}",
        icon=":material/close:",
        icon_position="right",
        help=f"{each.label}: take it back",
        on_click=change,
        args=(page,),
        kwargs=each.nothing(),
    )


def _open_key(page: str, name: str) -> str:
    return f"{page}.open-{name}"


# -- what is open ------------------------------------------------------------------------------------------


def _offer(page: str, each: Filter, query: JobQuery, *, is_alone: bool) -> None:
    if each.kind == "cost":
        _cost(page, query)
        return
    key, values = f"{page}.choose-{each.label}", each.values(query)
    offered = list(dict.fromkeys([*each.offers(), *filter(None, values)]))
    if not offered:
        st.caption(f"No job has {each.label.lower()} yet.")
        return
    is_many = each.kind == "many"
    field = "period" if each.kind == "days" else each.field
    one = str(getattr(query, field))
    _show(key, list(values) if is_many else one if one in offered else None)
    st.pills(
        each.label,
        offered,
        format_func=lambda value: escape_markdown(each.word(value)),
        selection_mode="multi" if is_many else "single",
        key=key,
        label_visibility="collapsed" if is_alone else "visible",
        on_change=_chosen,
        args=(page, field, key),
        kwargs={"closes": _open_key(page, each.field) if is_alone and not is_many else ""},
    )
    if each.kind == "days":
        _days(page, query)


def _days(page: str, query: JobQuery) -> None:
    with st.container(horizontal=True):
        for field, label, day in (("first", "From", query.first), ("last", "To", query.last)):
            key = f"{page}.choose-{field}"
            _show(key, day)
            st.date_input(
                label, value=None, key=key, format="YYYY-MM-DD", on_change=_chosen, args=(page, field, key)
            )


def _cost(page: str, query: JobQuery) -> None:
    with st.container(horizontal=True):
        for field, label, units in (
            ("cost_from", "Cost from", query.cost_from),
            ("cost_to", "Cost to", query.cost_to),
        ):
            key = f"{page}.choose-{field}"
            _show(key, money_of(units))
            st.number_input(
                f"{label}, {studio().settings.currency}",
                value=None,
                min_value=0.0,
                step=0.1,
                format="%.2f",
                key=key,
                on_change=_chosen,
                args=(page, field, key),
            )


def _show(key: str, value: object) -> None:
    """Have a widget show what the address says, which may have been changed by Back or by a link."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _chosen(page: str, field: str, key: str, *, closes: str = "") -> None:
    value: Any = st.session_state[key]
    query, nothing = asked(page), JobQuery()
    if field in {"cost_from", "cost_to"}:
        value = units_of(value)
    elif value is None:
        value = getattr(nothing, field)
    elif field in {"at_risk", "continued"}:
        value = bool(value)
    fields = {field: value}
    if field == "period":
        fields |= {"first": None, "last": None}
    if value != getattr(query, field):
        change(page, **fields)
    if closes:
        st.session_state[closes] = False
