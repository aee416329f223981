"""A proxy in front that has signed people in: it names them in a header, and proves itself by a secret.

The header alone proves nothing, because everybody can send it. The proxy is asked at every request: a session
that began by its word does not outlive it.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from starlette.requests import HTTPConnection

from kling.studio.identity import claims
from kling.studio.identity.person import Person
from kling.studio.identity.ways import PROXY
from kling.studio.service import Studio
from kling.studio.sign_in_settings import PROXY_HEADER, SignInSettings
from pages._ui.routes.new_session import begin

MOST_KEPT = 4096  # tokens, and people without one, that are kept in memory
SHARED_SECONDS = 60.0  # in which requests of one browser that come without a cookie get the same session


class NotNamed(Exception):
    """The proxy's headers are not to be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the proxy's headers say, as they stand there.

    Args:
        user: who asks.
        roles: roles or groups.
    """

    user: str
    roles: tuple[str, ...] = ()


def named(connection: HTTPConnection, settings: SignInSettings) -> Named | None:
    """Return whom the proxy names; None where no proxy speaks, or it names nobody.

    Args:
        connection: a request or a socket, with its headers as they came.
        settings: of the studio.

    Raises:
        NotNamed: a header is there that the proxy has not proved to be its own.
    """
    users = connection.headers.getlist(settings.user_header)
    given = connection.headers.getlist(PROXY_HEADER)
    if not users and not given:
        return None
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), settings.proxy_secret.encode()):
        raise NotNamed(
            f"Who asks is not believed: {PROXY_HEADER} does not hold the secret of this studio. The proxy in "
            "front has to send it."
        )
    if len(users) > 1:
        raise NotNamed(
            f"{settings.user_header} came more than once: the proxy has to replace it, not add one."
        )
    if not users or not users[0].strip():
        return None
    roles = connection.headers.getlist(settings.roles_header) if settings.roles_header else []
    return Named(_text(users[0]), tuple(map(_text, roles)))


def _text(value: str) -> str:
    """Return a header's value as the proxy meant it: bytes of UTF-8, which servers read as Latin-1."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


class ProxySessions:
    """Which sessions belong to whom the proxy names.

    Args:
        studio: that is running.
        monotonic: seconds that never jump.
    """

    def __init__(self, studio: Studio, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._studio, self._monotonic = studio, monotonic
        self._lock = threading.Lock()
        self._known: dict[str, Named] = {}  # by token
        self._shared: dict[tuple[Named, str], tuple[str, float]] = {}

    def is_known(self, token: str, who: Named) -> bool:
        """Whether the session of a token began by these words of the proxy; never waits."""
        return self._known.get(token) == who

    def person(self, who: Named) -> Person:
        """Return the person whom the proxy names, added the first time. It may wait for the database.

        Raises:
            BadClaim: the name cannot be used.
            PeopleError: the person was removed, or cannot be kept.
            StateError: the database does not answer.
        """
        settings = self._studio.settings.sign_in
        said = claims.of_headers(who.user, who.roles, settings)
        return self._studio.state.people.from_outside(
            PROXY, said.subject, said.name, said.role, settings.default_role
        )

    def token_for(self, who: Named, connection: HTTPConnection, token: str, *, is_wanted: bool) -> str:
        """Return the session of whom the proxy names, begun if need be; it may wait for the database.

        Args:
            who: whom the proxy names.
            connection: that is answered.
            token: that came with it; empty if none did.
            is_wanted: the person has asked for a new session; else one that has ended stays so.

        Returns:
            The token; empty where the session of this person in this browser has ended.

        Raises:
            BadClaim: the name cannot be used.
            PeopleError: the person was removed, or cannot be kept.
            StateError: the database does not answer.
        """
        sessions = self._studio.state.sessions
        with self._lock:
            person = self.person(who)
            user = sessions.who(token, touch=False)
            if user and user.id == person.id and sessions.way_of(token) == PROXY:
                return self._keep(token, who)
            ended = token and user is None and self._known.get(token, who).user == who.user
            if ended and not is_wanted:
                return ""
            browser = who, connection.headers.get("user-agent", "")
            shared, until = self._shared.get(browser, ("", 0.0))
            if not token and self._monotonic() < until and sessions.who(shared, touch=False):
                return self._keep(shared, who)
            new = begin(self._studio, person, PROXY, connection)
            if len(self._shared) >= MOST_KEPT:
                self._shared.clear()
            self._shared[browser] = new, self._monotonic() + SHARED_SECONDS
            return self._keep(new, who)

    def _keep(self, token: str, who: Named) -> str:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[token] = who
        return token


_of: WeakKeyDictionary[Studio, ProxySessions] = WeakKeyDictionary()


def proxy_sessions(studio: Studio) -> ProxySessions:
    """Return the proxy's sessions of the running studio."""
    if studio not in _of:
        _of[studio] = ProxySessions(studio)
    return _of[studio]
