"""People and roles: who may come in and what they may do; invitations; undoing a removal."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from kling.studio.actions import Actions
from kling.studio.identity.invitations import OpenInvitation
from kling.studio.identity.person import ROLES_OF_ACCOUNTS, Person
from kling.studio.identity.roles import ROLES, Role
from kling.studio.identity.session_info import SessionInfo
from kling.studio.identity.ways import ACCOUNT
from pages._ui.address import base_path
from pages._ui.admin.asking import confirmed_button, problem_of, submit, when
from pages._ui.context import studio
from pages._ui.copy_button import copy_button
from pages._ui.current_user import current_user, has_sign_in
from pages._ui.decide import attempt, decide
from pages._ui.escape import escape_markdown
from pages._ui.format import counted
from pages._ui.pagination import paged
from pages._ui.session_state import admin_state

PER_PAGE = 25
WAYS = {"account": "Named account", "oidc": "Signs in at the provider", "proxy": "Comes through the proxy"}
FIRST = "python -m kling.studio people add NAME --role admin"


def people() -> None:
    """Draw the section."""
    everybody = studio().state.people.list()
    if not has_sign_in():
        st.info(
            "Nobody signs in here: the studio answers this machine only, and whoever uses it is its admin. "
            "The first account switches signing in on, for everybody. Make it on the command line; it prints "
            "a link that sets the password:",
            icon=":material/person_off:",
        )
        st.code(FIRST, language=None)
        return
    invited()
    add()
    st.subheader(f"{counted(len(everybody), 'person', 'people')}", anchor=False)
    if not everybody:
        st.caption("Nobody has signed in yet.")
    shown = paged(
        lambda start, stop: everybody[start:stop], len(everybody), key="admin.page_people", per_page=PER_PAGE
    )
    links = {link.person_id: link for link in studio().state.invitations.open()}
    for person in shown:
        with st.container(key=f"admin-row-{person.id}"):
            one(person, links.get(person.id))
    removed = [each for each in studio().state.people.list(removed=True) if each.removed]
    if removed:
        with st.expander(f"Removed: {len(removed):,}", key="admin.open_removed"):
            for person in removed:
                gone(person)


def add() -> None:
    """Draw the form that adds an account and invites it."""
    with st.form("admin.add_person", border=True):
        st.markdown("**Add an account**")
        name, role = st.columns([3, 2], vertical_alignment="bottom")
        name.text_input("Name", key="admin.new_name", max_chars=60)
        role.selectbox(
            "Role", ROLES_OF_ACCOUNTS, index=ROLES_OF_ACCOUNTS.index("maker"), key="admin.new_role"
        )
        problem_of("add_person")
        st.form_submit_button(
            "Add, and make a link", icon=":material/person_add:", on_click=_add, key="admin.add"
        )
    st.caption("A viewer sees all clips. A maker also makes clips. An admin may do everything.")


def _add() -> None:
    session = st.session_state
    name = str(session.get("admin.new_name") or "")
    role: Role = session.get("admin.new_role") or "maker"
    person = submit("add_person", Actions.add_person, name, role)
    if person is None:
        return
    session["admin.new_name"] = ""
    _invite(person)


def _invite(person: Person) -> None:
    if token := attempt(Actions.invite, person.id):
        admin_state().invited = (person.name, token)


def invited() -> None:
    """Draw the link of the invitation that was made last, which is shown once."""
    if admin_state().invited is None:
        return
    name, token = admin_state().invited or ("", "")
    with st.container(border=True, key="elsewhere_invitation"):
        st.markdown(
            f":material/link: **Send this link to {escape_markdown(name)}.** It sets the password, once, "
            "within 72 hours, and is not shown again."
        )
        st.code(invitation_link(token), language=None, wrap_lines=True)
        if not studio().settings.public_url:
            st.caption("Put the studio's address in front, or set STUDIO_PUBLIC_URL to get whole links.")
        with st.container(horizontal=True):
            copy_button("admin.copy_link")
            st.button("Done", key="admin.hide_link", on_click=_hide_link)


def _hide_link() -> None:
    admin_state().invited = None


def invitation_link(token: str) -> str:
    """Return the link of an invitation; without the host where the studio does not know its address."""
    return f"{studio().settings.public_url}{base_path()}/sign-in/invitation/{token}"


def one(person: Person, link: OpenInvitation | None) -> None:
    """Draw a person: who it is, the role, and what else an admin may do.

    Args:
        person: who is drawn.
        link: with which the person can still set a password.
    """
    is_me = person.id == current_user().id
    sessions = studio().state.sessions.of(person.id)
    who, role = st.columns([3, 2], vertical_alignment="center")
    with who, st.container(gap=None):
        st.markdown(f"**{escape_markdown(person.name)}**{' (you)' if is_me else ''}")
        st.caption(escape_markdown(" · ".join(_facts(person, sessions, link))))
    key = f"admin.role-{person.id}-{person.role}"
    roles = ROLES_OF_ACCOUNTS if person.way == ACCOUNT else ROLES
    role.selectbox(
        f"Role of {escape_markdown(person.name)}",
        roles,
        index=roles.index(person.role),
        key=key,
        on_change=_set_role,
        args=(person, key),
        label_visibility="collapsed",
    )
    with st.container(horizontal=True):
        if person.way == ACCOUNT:
            st.button(
                "New password link" if person.has_password else "New invitation",
                key=f"admin.invite-{person.id}",
                on_click=_invite,
                args=(person,),
            )
        if link:
            st.button(
                "Withdraw the link",
                help="The link that was made last cannot be used any more then.",
                key=f"admin.withdraw-{person.id}",
                on_click=_withdraw,
                args=(person,),
            )
        if sessions and not is_me:
            st.button(
                "End sessions",
                key=f"admin.end-{person.id}",
                on_click=decide,
                args=(Actions.end_sessions, person.id),
            )
        name = escape_markdown(person.name)
        confirmed_button(
            "Remove",
            sure=f"**Remove {name}?** Every session ends. The jobs stay and keep the name. It can be undone; "
            "a password is set anew then.",
            yes=f"Yes, remove {name}",
            key=f"remove-{person.id}",
            act=Actions.remove_person,
            args=(person.id,),
        )


def _withdraw(person: Person) -> None:
    decide(Actions.withdraw_invitation, person.id)
    shown = admin_state().invited
    still_open = {link.person_id for link in studio().state.invitations.open()}
    if shown and shown[0] == person.name and person.id not in still_open:
        _hide_link()


def _facts(person: Person, sessions: Sequence[SessionInfo], link: OpenInvitation | None) -> list[str]:
    facts = [WAYS.get(person.way, person.way)]
    if person.way == ACCOUNT and not person.has_password:
        facts.append("no password yet")
    if link:
        facts.append(f"a link made {when(link.created)} by {link.made_by} sets a password")
    count = counted(len(sessions), "session", "sessions")
    facts.append(f"signed in, {count}" if sessions else "not signed in")
    if seen := max([person.seen, *(session.seen for session in sessions)]):
        facts.append(f"last seen {when(seen)}")
    return facts


def _set_role(person: Person, key: str) -> None:
    role: Role = st.session_state.get(key) or person.role
    if attempt(Actions.set_role, person.id, role) is None:
        st.session_state[key] = person.role


def gone(person: Person) -> None:
    """Draw somebody who was removed."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{escape_markdown(person.name)}, removed {escape_markdown(when(person.removed))}")
        st.button(
            "Undo",
            icon=":material/undo:",
            key=f"admin.undo-{person.id}",
            on_click=decide,
            args=(Actions.take_back_person, person.id),
        )
