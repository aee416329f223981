"""People who are signed in, for tests that run a page without a browser."""

from __future__ import annotations

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from kling.studio.identity.person import Person
from kling.studio.identity.roles import Role, User
from kling.studio.identity.sessions import Sessions
from kling.studio.identity.ways import ACCOUNT
from kling.studio.service import Studio
from pages._ui.routes.cookies import session_cookie_name
from tests.pages.conftest import new_tab


def person_of(studio: Studio, name: str, role: Role) -> Person:
    """Return the person of a name; added if there is none."""
    return studio.state.people.by_name(name) or studio.state.people.add(name, role)


def sign_in(monkeypatch: pytest.MonkeyPatch, studio: Studio, name: str, role: Role) -> Person:
    """Let every page that runs from now on be the one of this person's browser."""
    person = person_of(studio, name, role)
    cookies = {session_cookie_name(): studio.state.sessions.begin(person, ACCOUNT, "Firefox on Linux")}
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _self: cookies))
    return person


def forget_cookies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pages that run from now on be those of a browser that was never here."""
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _self: {}))


def uses_of(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list that gets whether it is use of the session, each time that somebody is asked for."""
    used, who = list[bool](), sessions.who

    def noted(token: str, *, touch: bool = True) -> User | None:
        used.append(touch)
        return who(token, touch=touch)

    monkeypatch.setattr(sessions, "who", noted)
    return used


def open_app() -> AppTest:
    """Open Compose in a new tab."""
    return new_tab().run()


def everything(at: AppTest) -> str:
    """Return all that a page says, tooltips and tables included."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "header", "subheader")
    said = [str(element.value) for kind in kinds for element in getattr(at, kind)]
    said += [str(each.value) for each in (*at.html, *at.code, *at.toast) if "<style" not in str(each.value)]
    said += [f"{each.label} {each.help}" for each in at.button]
    said += [f"{each.proto.label} {each.proto.query_string}" for each in at.get("page_link")]
    said += [f"{each.value.to_csv()} {each.proto.columns}" for each in at.dataframe]
    return "\n".join(said)
