"""What may be spent: limits for everybody and for single people, and how far they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.amounts import amount
from kling.studio.budget_limits import NO_LIMIT, UNITS, Limit, Scope
from kling.studio.state.records import StateError
from pages._ui.admin.asking import problem_of, submit
from pages._ui.context import studio
from pages._ui.current_user import has_sign_in
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import price
from pages._ui.session_state import admin_state

WORDS = {
    Scope.CLIP: "One clip",
    Scope.PERSON_DAY: "A person, a day",
    Scope.PERSON_MONTH: "A person, a month",
    Scope.TEAM_DAY: "The team, a day",
    Scope.TEAM_MONTH: "The team, a month",
}
OF_A_PERSON = (Scope.CLIP, Scope.PERSON_DAY, Scope.PERSON_MONTH)


def budgets() -> None:
    """Draw the section."""
    here = studio()
    try:
        limits = here.budgets.limits
    except StateError as error:
        st.error(escape_markdown(str(error)), icon=":material/warning:")
        return
    st.caption(
        escape_markdown(
            f"They hold for the account in use, {here.accounts.name}. Days and months are those of "
            f"{here.spending.zone}. What waits, runs or is looked up counts with its price. Where no limit "
            "stands, nothing is refused."
        )
    )
    for words in here.budgets.warnings:
        st.warning(escape_markdown(words), icon=":material/savings:")
    st.subheader("For everybody", anchor=False)
    form(tuple(Scope), limits, "")
    if has_sign_in():
        single(limits)
    spending()


def form(scopes: Sequence[Scope], limits: Sequence[Limit], person_id: str) -> None:
    """Draw the form of these limits.

    Args:
        scopes: what the limits are for.
        limits: all that are set.
        person_id: whose they are; empty for everybody.
    """
    known = {limit.scope: limit for limit in limits if limit.person_id == person_id}
    of_all = {limit.scope: limit for limit in limits if person_id and not limit.person_id}
    name = person_id or "everybody"
    with st.form(f"admin.limits-{name}", border=False):
        for scope in scopes:
            row(scope, known.get(scope), person_id, of_all.get(scope))
        st.form_submit_button(
            "Save the limits", on_click=_save, args=(scopes, known, person_id), key=f"admin.save-{name}"
        )
    if admin_state().saved == name:
        admin_state().saved = ""
        st.success("Saved. They hold from the next order on.", icon=":material/check:")


def row(scope: Scope, limit: Limit | None, person_id: str, of_all: Limit | None) -> None:
    """Draw the fields of one limit, and what is wrong with it.

    Args:
        scope: what it is for.
        limit: as it is set; None if it is not.
        person_id: whose it is; empty for everybody.
        of_all: the one for everybody that holds where this person has none; None if there is none.
    """
    name, currency = _name(scope, person_id), studio().settings.currency
    beside = st.container(horizontal=True, vertical_alignment="bottom")
    beside.text_input(
        WORDS[scope],
        value=_written(limit),
        placeholder=f"as for everybody: {of_all.amount_words}"
        if of_all and not (limit and limit.is_lifted)
        else "no limit",
        key=f"admin.amount-{name}",
        max_chars=20,
    )
    lifting = [NO_LIMIT] if of_all else []  # there is something that one person can be free of
    units = list(dict.fromkeys([currency, UNITS, *lifting, *([limit.unit] if limit else [])]))
    beside.selectbox(
        f"In what: {WORDS[scope].lower()}",
        units,
        index=units.index(limit.unit) if limit else 0,
        format_func=lambda each: {UNITS: "Units", NO_LIMIT: "no limit"}.get(each, each),
        key=f"admin.unit-{name}",
        label_visibility="collapsed",
        width=120,
    )
    problem_of(f"limit-{name}")


def _written(limit: Limit | None) -> str:
    """Return what stands in the field of a limit that is set so; empty without one."""
    return amount(limit.amount) if limit and not limit.is_lifted else ""


def _name(scope: Scope, person_id: str) -> str:
    return f"{scope.value}-{person_id}" if person_id else scope.value


def _save(scopes: Sequence[Scope], known: Mapping[Scope, Limit], person_id: str) -> None:
    """Set the limits whose fields say something else than before; an empty field removes one."""
    for scope in scopes:
        name, before = _name(scope, person_id), known.get(scope)
        typed = str(st.session_state.get(f"admin.amount-{name}") or "")
        typed = typed.strip().lstrip("$€¥£").replace(",", ".")
        unit = str(st.session_state.get(f"admin.unit-{name}") or UNITS)
        if before and (typed, unit) == (_written(before), before.unit):
            continue
        if unit == NO_LIMIT:
            if not (before and before.is_lifted):
                submit(f"limit-{name}", Actions.lift_limit, scope, person_id=person_id)
        elif typed:
            submit(f"limit-{name}", Actions.set_limit, scope, typed, unit, person_id=person_id)
        elif before:
            submit(f"limit-{name}", Actions.remove_limit, scope, person_id=person_id)
    if not admin_state().problems:
        admin_state().saved = person_id or "everybody"


def single(limits: Sequence[Limit]) -> None:
    """Draw the limits of one person, which stand in the place of those for everybody."""
    people = {person.id: person for person in studio().state.people.list()}
    if not people:
        return
    st.subheader("For one person", anchor=False)
    own = sorted({people[limit.person_id].name for limit in limits if limit.person_id in people})
    st.caption(
        escape_markdown(f"With limits of their own: {', '.join(own)}.")
        if own
        else "They stand in the place of those for everybody. Nobody has one yet."
    )
    chosen = st.selectbox(
        "Person",
        list(people),
        index=None,
        format_func=lambda each: people[each].name if each in people else "",
        key="admin.limit_person",
        placeholder="Choose a person",
    )
    if chosen:
        form(OF_A_PERSON, limits, chosen)


def spending() -> None:
    """Draw what everybody has used today and this month."""
    here = studio()
    st.subheader("What is used", anchor=False)
    team, spenders = here.spending.team(), here.spending.spenders()
    if not spenders:
        st.caption("Nothing was ordered this month.")
        return
    lines = [("The team", team), *((each.name or "Without a name", each.spending) for each in spenders)]
    cells = "".join(
        f'<tr><th scope="row" dir="auto">{escape_html(name)}</th>'
        f"<td>{_words(spent.day.used.units)}</td><td>{_words(spent.month.used.units)}</td>"
        f"<td>{_words(spent.month.reserved.units)}</td></tr>"
        for name, spent in lines
    )
    st.html(
        '<div class="studio-table" tabindex="0" role="group" aria-label="What is used">'
        '<table><thead><tr><th scope="col">Who</th><th scope="col">Today</th>'
        '<th scope="col">This month</th><th scope="col">Of that not deducted yet</th></tr></thead>'
        f"<tbody>{cells}</tbody></table></div>"
    )


def _words(units: Decimal) -> str:
    return escape_html(price(units))
