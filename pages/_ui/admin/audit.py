"""Who did what and when: a search, page by page, and an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.audit import AuditEntry
from kling.studio.identity.roles import NotAllowed
from kling.studio.state.records import StateError
from pages._ui.context import studio
from pages._ui.current_user import acting_later
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import zone
from pages._ui.session_state import admin_state

PER_PAGE = 50


def audit() -> None:
    """Draw the section."""
    try:
        _audit()
    except StateError as error:
        st.error(escape_markdown(str(error)), icon=":material/warning:")


def _audit() -> None:
    state = admin_state()
    words, who, what = st.columns([3, 2, 2], vertical_alignment="bottom")
    text = words.text_input(
        "Search", type="search", live="250ms", key="admin.audit_text", placeholder="A name, an id, an action"
    )
    people = {person.id: person.name for person in studio().state.people.list(removed=True)}
    person = who.selectbox(
        "Who",
        list(people),
        index=None,
        format_func=lambda each: people.get(each, each),
        key="admin.audit_person",
        placeholder="Everybody",
    )
    action = what.selectbox(
        "What", studio().state.audit.actions(), index=None, key="admin.audit_action", placeholder="Everything"
    )
    asked = repr((text, person, action))
    if state.audit_asked != asked:  # another question begins at its first page
        state.audit_asked, state.older_than = asked, []
    before = state.older_than[-1] if state.older_than else None
    found = studio().state.audit.search(
        text or "", person=person or "", action=action or "", before_id=before, most=PER_PAGE + 1
    )
    shown = found[:PER_PAGE]
    if shown:
        _table(shown)
    else:
        st.caption("Nothing was found." if asked != repr(("", None, None)) else "Nothing was done yet.")
    with st.container(horizontal=True):
        if state.older_than:
            st.button("Newer", icon=":material/arrow_back:", key="admin.audit_newer", on_click=_newer)
        if len(found) > PER_PAGE:
            st.button("Older", key="admin.audit_older", on_click=_older, args=(shown[-1].id,))
        st.download_button(
            "Export all as CSV",
            data=partial(_export, acting_later()),
            file_name="audit.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="admin.audit_export",
        )


def _table(entries: tuple[AuditEntry, ...]) -> None:
    rows = "".join(
        f"<tr><td>{_time(entry.time)}</td>"
        f'<th scope="row" dir="auto">{escape_html(entry.name or "Not signed in")}</th>'
        f"<td>{escape_html(entry.action)}</td>"
        f'<td dir="auto">{escape_html(_thing(entry))}</td></tr>'
        for entry in entries
    )
    st.html(
        '<div class="studio-table" tabindex="0" role="group" aria-label="The audit"><table><thead><tr>'
        '<th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th>'
        f'<th scope="col">To what</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(zone()).strftime("%d %b %Y, %H:%M:%S")


def _thing(entry: AuditEntry) -> str:
    person = studio().state.people.get(entry.thing) if entry.thing else None
    parts = [person.name if person else entry.thing, _details(entry.details)]
    return " · ".join(part for part in parts if part)


def _details(details: Mapping[str, Any]) -> str:
    return ", ".join(
        str(value) if name == "did" else f"{name.replace('_', ' ')} {value}"
        for name, value in details.items()
    )


def _older(last_id: int) -> None:
    admin_state().older_than.append(last_id)


def _newer() -> None:
    admin_state().older_than.pop()


def _export(actions: Callable[[], Actions]) -> bytes:
    """Return the file, while it is downloaded; empty for who may not have it any more."""
    try:
        return "".join(actions().export_audit()).encode("utf-8-sig")
    except (NotAllowed, StateError):
        return b""
