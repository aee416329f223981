"""Beginning and ending sessions: the same for every way in."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from kling.studio.identity.person import Person
from kling.studio.service import Studio
from pages._ui.routes.cookies import is_secure, session_cookie_name, set_cookie


def token_of(connection: HTTPConnection) -> str:
    """Return what a browser has sent as its session; empty if it has sent nothing."""
    return connection.cookies.get(session_cookie_name(), "")


def begin(studio: Studio, person: Person, way: str, connection: HTTPConnection) -> str:
    """Begin a session for somebody who has proved to be that; return its token.

    It is always a new one, and the one that the browser had before ends: so nobody can plant a session into a
    browser and use it after its owner has signed in. It writes to the database; call it in a thread.

    Args:
        studio: that is running.
        person: who comes in.
        way: how.
        connection: that is answered.

    Raises:
        UnknownPerson: the person was removed meanwhile.
        StateError: the database does not answer.
    """
    sessions = studio.state.sessions
    token = sessions.begin(person, way, connection.headers.get("user-agent", ""))
    sessions.end(token_of(connection))
    studio.state.audit.note(person.user, "sign in", way)
    return token


def session_cookie(connection: HTTPConnection, studio: Studio, token: str) -> str:
    """Return the `Set-Cookie` for a session; one that deletes it for an empty token.

    Args:
        connection: that is answered.
        studio: that is running.
        token: of the session.
    """
    settings = studio.settings
    return set_cookie(
        session_cookie_name(),
        token,
        secure=is_secure(settings.public_url, connection.scope["scheme"]),
        seconds=round(settings.sign_in.hours * 3600) if token else 0,
    )
