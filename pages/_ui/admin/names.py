"""Names of the log that belong to no account, each given to a person by a press that can be undone."""

from __future__ import annotations

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.names import OldName
from kling.studio.visible_names import name_key
from pages._ui.admin.asking import when
from pages._ui.context import studio
from pages._ui.decide import decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted
from pages._ui.pagination import paged

PER_PAGE = 25


def names() -> None:
    """Draw the section."""
    here = studio()
    people = {person.id: person.name for person in here.state.people.list()}
    found = here.state.names.unowned(job["person"] for job in here.ledger.jobs() if not job["person_id"])
    given = here.state.names.given()
    st.caption(
        "Jobs that were ordered without signing in carry a name that somebody typed. Give it to a person, "
        "and its jobs are that person's: in who may withdraw them, and in what is spent."
    )
    if not found and not given:
        st.info("Every job of the log belongs to somebody.", icon=":material/check_circle:")
        return
    if found and not people:
        st.info("Nobody has an account yet, to give them to.", icon=":material/person_off:")
    shown = paged(
        lambda start, stop: found[start:stop], len(found), key="admin.page_names", per_page=PER_PAGE
    )
    for name in shown:
        with st.container(key=f"admin-row-{name_key(name.name)}"):
            one(name, people)
    if given:
        st.subheader("Given", anchor=False)
    for each in given:
        with st.container(horizontal=True, vertical_alignment="center"):
            person = here.state.people.get(each.person_id)
            whose = escape_markdown(person.name if person else "somebody who is not here any more")
            st.markdown(f"**{escape_markdown(each.name)}** is {whose}, {escape_markdown(when(each.given))}")
            st.button(
                "Undo",
                icon=":material/undo:",
                key=f"admin.take_back-{name_key(each.name)}",
                on_click=decide,
                args=(Actions.take_back_name, each.name),
            )


def one(name: OldName, people: dict[str, str]) -> None:
    """Draw a name, and to whom it may be given."""
    key = name_key(name.name)
    ids = list(people)
    same = next((index for index, each in enumerate(ids) if name_key(people[each]) == key), None)
    who, person, give = st.columns([3, 3, 2], vertical_alignment="center")
    who.markdown(f"**{escape_markdown(name.name)}**  \n{counted(name.count, 'job', 'jobs')}")
    if not people:
        return
    chosen = person.selectbox(
        f"Who is {escape_markdown(name.name)}?",
        ids,
        index=same,
        format_func=lambda each: people.get(each, ""),
        key=f"admin.name_person-{key}",
        placeholder="Choose a person",
        label_visibility="collapsed",
    )
    give.button(
        "Give",
        key=f"admin.give-{key}",
        disabled=chosen is None,
        help="Choose a person first." if chosen is None else None,
        on_click=decide,
        args=(Actions.give_name, name.name, chosen or ""),
        width="stretch",
    )
