"""Sessions: a token in a browser's cookie, and what it stands for here.

Only the SHA-256 of a token is stored, so that a copy of the database lets nobody in. All sessions are in
memory too: asking whose a token is waits for nothing, and goes on while the database does not answer.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from kling.studio.identity.people import People
from kling.studio.identity.person import Person
from kling.studio.identity.person_rows import row_of
from kling.studio.identity.roles import User
from kling.studio.identity.session_info import SessionInfo, browser_line, token_key
from kling.studio.state.database import Database, Note
from kling.studio.state.records import StateError
from kling.studio.state.tables import people as people_table
from kling.studio.state.tables import sessions

__all__ = ["SessionInfo", "Sessions"]

log = logging.getLogger(__name__)

MOST_OF_ONE = 100  # sessions of a person; a new one ends the one that was used longest ago
MINUTE = 60.0  # seconds between two writings of the times of use, and between two looks at what has ended


class Sessions:
    """The sessions, for threads to share.

    Args:
        database: where they lie.
        people: whose they are.
        clock: Unix seconds.
        hours: from a sign-in until its session ends.
        idle_hours: from the last use until a session ends.

    Raises:
        StateError: the database does not answer.
    """

    def __init__(
        self,
        database: Database,
        people: People,
        clock: Callable[[], float],
        *,
        hours: float = 12.0,
        idle_hours: float = 4.0,
    ) -> None:
        self._database, self._people, self._clock = database, people, clock
        self._length, self._idle = hours * 3600.0, idle_hours * 3600.0
        self._open: Mapping[str, SessionInfo] = {}  # by the hash of the token; replaced whole, never changed
        self._seen: dict[str, float] = {}  # when each was last used, where that is later than in `_open`
        self._stored: dict[str, float] = {}  # what of it is in the database
        self._written = clock()
        self._next_end = 0.0  # no session ends before
        people.changes.keep_loaded(self._load)

    # -- from memory: these never wait ---------------------------------------------------------------------

    def who(self, token: str, *, touch: bool = True) -> User | None:
        """Return whose session a token stands for, with the role of now; None if it is nobody's.

        Args:
            token: from a cookie; anything is taken.
            touch: whether this counts as use, which puts off the end of an idle session.
        """
        key = token_key(token)
        session = self._open.get(key)
        if session is None:
            return None
        now = self._clock()
        if now >= self._end(key, session):
            return None
        person = self._people.get(session.person_id)
        if person is None or person.removed:
            return None
        if touch:
            self._seen[key] = now
        return person.user

    def way_of(self, token: str) -> str:
        """Return how the person of a session came in; empty if the token is nobody's."""
        session = self._open.get(token_key(token))
        return session.way if session and self.who(token, touch=False) else ""

    def all(self) -> tuple[SessionInfo, ...]:
        """Return the sessions of everybody, the one used last first."""
        now = self._clock()
        found = (
            replace(session, seen=self._last_use(key, session))
            for key, session in self._open.items()
            if now < self._end(key, session)
        )
        return tuple(sorted(found, key=lambda each: -each.seen))

    def of(self, person_id: str) -> tuple[SessionInfo, ...]:
        """Return the sessions of a person, the one used last first."""
        return tuple(session for session in self.all() if session.person_id == person_id)

    def session_id(self, token: str) -> str:
        """Return the id of the session of a token, as `SessionInfo` has it; empty if it is nobody's."""
        session = self._open.get(token_key(token))
        return session.id if session else ""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each change of people or sessions, in any thread; return what ends this."""
        return self._people.changes.subscribe(callback)

    # -- changes -------------------------------------------------------------------------------------------

    def begin(self, person: Person, way: str, browser: str) -> str:
        """Begin a session; return its token, which is always a new one.

        Args:
            person: who has proved to be that.
            way: how.
            browser: what the browser calls itself.

        Raises:
            UnknownPerson: the person was removed meanwhile.
            StateError: the database does not answer; there is no session.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        key = token_key(token)
        called = browser_line(browser)
        session = SessionInfo(key[:16], person.id, way, called, now, now, now + self._length)
        too_many = self._too_many(person.id)

        def then() -> None:
            if too_many:
                self._forget(lambda each, _session: each in too_many)
            self._open = {**self._open, key: session}
            self._next_end = min(self._next_end, self._end(key, session))

        with self._people.changes.write(then=then) as connection:
            row_of(connection, person.id)
            connection.execute(
                insert(sessions).values(
                    token_hash=key,
                    person_id=person.id,
                    way=way,
                    browser=called,
                    created=now,
                    seen=now,
                    ends=session.ends,
                )
            )
            connection.execute(update(people_table).where(people_table.c.id == person.id).values(seen=now))
            if too_many:
                _delete(connection, too_many)
        return token

    def end(self, token: str) -> None:
        """End the session of a token, if there is one: signing out.

        Raises:
            StateError: the database does not answer; the session goes on.
        """
        self._end_all([token_key(token)])

    def end_by_id(self, person_id: str, session_id: str, *, note: Note | None = None) -> None:
        """End a session of a person.

        Args:
            person_id: of the person.
            session_id: of its `SessionInfo`. One that has ended already, or is another's, changes nothing.
            note: writes down the change, in the same transaction.

        Raises:
            StateError: as `end`.
        """
        mine = [
            key
            for key, session in self._open.items()
            if (session.id, session.person_id) == (session_id, person_id)
        ]
        self._end_all(mine, note=note, about=person_id)

    def end_all(self, person_id: str, *, note: Note | None = None) -> None:
        """End all sessions of a person: signing out everywhere.

        Args:
            person_id: of the person.
            note: writes down the change, in the same transaction.

        Raises:
            StateError: as `end`.
        """

        def then() -> None:
            self._forget(lambda _key, session: session.person_id == person_id)

        with self._people.changes.write(then=then, note=note, about=person_id) as connection:
            connection.execute(delete(sessions).where(sessions.c.person_id == person_id))

    def tick(self) -> None:
        """Do what time brings: end sessions, and write down when the others were last used.

        The watch calls it often. What the database refuses is tried again a minute later.
        """
        now = self._clock()
        if now >= self._next_end:
            self._next_end = now + MINUTE
            if ended := [key for key, session in self._open.items() if now >= self._end(key, session)]:
                self._end_late(ended)
            ends = (self._end(key, session) for key, session in self._open.items())
            self._next_end = min([self._next_end, *(each for each in ends if each > now)])
        if not 0 <= now - self._written < MINUTE:
            self._written = now
            self.write_uses()

    # -- inside --------------------------------------------------------------------------------------------

    def _last_use(self, key: str, session: SessionInfo) -> float:
        return max(session.seen, self._seen.get(key, 0.0))

    def _end(self, key: str, session: SessionInfo) -> float:
        """Return when a session ends, by the settings of now."""
        return min(session.ends, session.created + self._length, self._last_use(key, session) + self._idle)

    def _too_many(self, person_id: str) -> frozenset[str]:
        mine = sorted(
            (self._last_use(key, session), key)
            for key, session in self._open.items()
            if session.person_id == person_id
        )
        return frozenset(key for _, key in mine[: max(0, len(mine) - MOST_OF_ONE + 1)])

    def _end_all(self, keys: Collection[str], *, note: Note | None = None, about: str = "") -> None:
        known = frozenset(keys) & self._open.keys()
        if not known:
            return

        def then() -> None:
            self._forget(lambda key, _session: key in known)

        with self._people.changes.write(then=then, note=note, about=about) as connection:
            _delete(connection, known)

    def _end_late(self, keys: Collection[str]) -> None:
        try:
            self._end_all(keys)
        except StateError as error:
            log.warning("Sessions that have ended are not deleted yet: %s", error)
            self._people.changes.notify()  # nobody comes in with them all the same

    def _forget(self, is_ended: Callable[[str, SessionInfo], bool]) -> None:
        self._open = {key: each for key, each in self._open.items() if not is_ended(key, each)}

    def write_uses(self) -> None:
        """Write down when sessions were last used; several uses of one make one row."""
        there = self._open
        for key in self._seen.copy().keys() - there.keys():
            self._seen.pop(key, None)
        uses = [
            (key, at, there[key].person_id)
            for key, at in self._seen.copy().items()
            if key in there and at > max(there[key].seen, self._stored.get(key, 0.0))
        ]
        if not uses:
            return
        of_people: dict[str, float] = {}
        for _, at, person_id in uses:
            of_people[person_id] = max(at, of_people.get(person_id, 0.0))
        is_session, is_person = (
            sessions.c.token_hash == bindparam("key"),
            people_table.c.id == bindparam("key"),
        )
        try:
            with self._database.write() as connection:
                connection.execute(
                    update(sessions).where(is_session).values(seen=bindparam("at")),
                    [{"key": key, "at": at} for key, at, _ in uses],
                )
                connection.execute(
                    update(people_table).where(is_person).values(seen=bindparam("at")),
                    [{"key": person_id, "at": at} for person_id, at in of_people.items()],
                )
        except StateError as error:
            log.warning("When sessions were last used is not written down: %s", error)
            return
        stored = {key: at for key, at in self._stored.items() if key in there}
        self._stored = stored | {key: at for key, at, _ in uses}

    def _load(self, connection: Connection) -> Callable[[], None]:
        found = {
            row.token_hash: SessionInfo(
                row.token_hash[:16], row.person_id, row.way, row.browser, row.created, row.seen, row.ends
            )
            for row in connection.execute(select(sessions))
        }

        def place() -> None:
            self._open = found
            self._next_end = 0.0

        return place


def _delete(connection: Connection, keys: Collection[str]) -> None:
    connection.execute(
        delete(sessions).where(sessions.c.token_hash == bindparam("key")), [{"key": key} for key in keys]
    )
