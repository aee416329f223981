"""The state as the rest of the studio knows it: opened in the background, or when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from kling.studio.state.browsers import OLD_FORM, Browsers
from kling.studio.state.faults import FILE, check_file
from kling.studio.state.records import StateError

if TYPE_CHECKING:
    from kling.studio.audit import Audit
    from kling.studio.identity.invitations import Invitations
    from kling.studio.identity.names import Names
    from kling.studio.identity.passwords import Passwords
    from kling.studio.identity.people import People
    from kling.studio.identity.roles import User
    from kling.studio.identity.sessions import Sessions
    from kling.studio.shares import Shares
    from kling.studio.state.clip_collections import Collections
    from kling.studio.state.drafts import DraftStore
    from kling.studio.state.limits import LimitStore
    from kling.studio.state.opened import Opened
    from kling.studio.state.team_templates import TeamTemplates

log = logging.getLogger(__name__)

SESSION_HOURS = 12.0
IDLE_HOURS = 4.0
RETRY_AFTER = 10.0  # seconds until an opening that failed is tried again


class SharedState:
    """Drafts, team templates, collections, shares, browsers, limits, people and the audit of a data folder.

    Nothing is opened before `start` or the first use. What only an operator can mend is found at once.

    Args:
        folder: the data folder; it has to be there.
        clock: Unix seconds.
        monotonic: seconds that never jump.
        session_hours: from a sign-in until its session ends.
        idle_hours: from the last use until a session ends.
        passwords: makes and compares hashes; a test may give cheap ones.
        on_roles: called after each change of who may do what, in any thread; not for sessions.

    Raises:
        StateError: the file was made by a newer version, or is no database.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        session_hours: float = SESSION_HOURS,
        idle_hours: float = IDLE_HOURS,
        passwords: Passwords | None = None,
        on_roles: Callable[[], None] = lambda: None,
    ) -> None:
        check_file(folder / FILE)
        self._folder, self._clock, self._monotonic = folder, clock, monotonic
        self._hours, self._passwords = (session_hours, idle_hours), passwords
        self._on_roles, self._roles = on_roles, frozenset[tuple[str, str]]()
        self._started = False
        self._lock = threading.Lock()
        self._opened: Opened | None = None
        self._failure: tuple[str, float] | None = None
        self._closed = False

    def start(self) -> None:
        """Open the database in the background, and then look for changes of people; returns at once.

        An opening that is under way is waited for.
        """
        with self._lock:
            self._started = True
            if self._opened:  # by the look for accounts that a start with a public address takes
                self._opened.watch.start()
        threading.Thread(target=self._open_early, name="state", daemon=True).start()

    def stop(self) -> None:
        """Close the database. An opening that is under way is waited for."""
        with self._lock:
            self._closed = True
            if self._opened:
                self._opened.watch.stop()
                self._opened.people.threads.stop()
                with suppress(StateError):  # only numbers of plays are lost
                    self._opened.shares.flush()
                self._opened.database.close()

    @property
    def drafts(self) -> DraftStore:
        """The drafts; raises StateError where the database cannot be opened."""
        return self._get().drafts

    @property
    def templates(self) -> TeamTemplates:
        """The team's templates; raises StateError where the database cannot be opened."""
        return self._get().templates

    @property
    def collections(self) -> Collections:
        """The collections of clips; raises StateError where the database cannot be opened."""
        return self._get().collections

    @property
    def shares(self) -> Shares:
        """The shared links; raises StateError where the database cannot be opened."""
        return self._get().shares

    @property
    def browsers(self) -> Browsers:
        """Ids of browsers; raises StateError where the database cannot be opened."""
        return self._get().browsers

    @property
    def limits(self) -> LimitStore:
        """The limits of budgets; raises StateError where the database cannot be opened."""
        return self._get().limits

    def limits_if_any(self) -> LimitStore | None:
        """Return the limits of budgets; None, without opening anything, if the folder has no database."""
        if self._opened is None and not (self._folder / FILE).exists():
            return None
        return self.limits

    @property
    def people(self) -> People:
        """The people; raises StateError where the database cannot be opened."""
        return self._get().people

    @property
    def sessions(self) -> Sessions:
        """The sessions; raises StateError where the database cannot be opened."""
        return self._get().sessions

    @property
    def invitations(self) -> Invitations:
        """The invitations; raises StateError where the database cannot be opened."""
        return self._get().invitations

    @property
    def names(self) -> Names:
        """Whose names of the log are; raises StateError where the database cannot be opened."""
        return self._get().names

    @property
    def audit(self) -> Audit:
        """The audit; raises StateError where the database cannot be opened."""
        return self._get().audit

    @property
    def people_if_open(self) -> People | None:
        """The people, None while the database is not open; never waits."""
        return self._opened.people if self._opened and not self._closed else None

    @property
    def names_if_open(self) -> Names | None:
        """Whose names of the log are, None while the database is not open; never waits."""
        return self._opened.names if self._opened and not self._closed else None

    @property
    def sessions_if_open(self) -> Sessions | None:
        """The sessions, None while the database is not open; never waits."""
        return self._opened.sessions if self._opened and not self._closed else None

    def who(self, token: str) -> User | None:
        """Return whose session a token stands for; None if it is nobody's, or while nobody can be known.

        It never waits and never fails, see `Sessions.who`. Just after a start the database may not be open
        yet: whoever can wait asks for `sessions` first, not on an event loop.
        """
        sessions = self.sessions_if_open
        return sessions.who(token) if sessions else None

    def look_for_changes(self) -> None:
        """See now what other processes and time have changed; a started state looks twice a second itself.

        Raises:
            StateError: the database cannot be opened.
        """
        self._get().watch.look()

    @property
    def browsers_if_open(self) -> Browsers | None:
        """Ids of browsers, None while the database is not open; never waits."""
        return self._opened.browsers if self._opened else None

    @property
    def warnings(self) -> Iterator[str]:
        """What an operator should know, in words for a page; never waits."""
        if self._failure:
            yield f"Drafts and the team's templates are not there. {self._failure[0]}"
        if self._opened:
            yield from self._opened.warnings
            yield from self._opened.holdings.warnings
            if trouble := self._opened.database.trouble:
                yield f"Drafts and the team's templates are not all kept or shown. {trouble}"
            if self._opened.drafts.is_full:
                yield (
                    "The space for drafts is used up, so new ones are not kept. It gets free as drafts that "
                    "nobody has changed for 90 days are deleted."
                )

    def cookie_for(self, cookie: str) -> str:
        """Return the cookie that a browser has to get, empty if the one that it has is good.

        A cookie of the old form whose drafts were taken in is exchanged once: the new id owns them. Tabs of
        one browser that come together get the same id. It reads the database and may wait; do not call it on
        an event loop.

        Args:
            cookie: that the browser has sent; empty if it has none.

        Raises:
            StateError: the database does not answer; the browser keeps what it has.
        """
        here = self._get()
        if here.browsers.verify(cookie):
            return ""
        new = here.browsers.new()
        if not OLD_FORM.fullmatch(cookie):
            return new
        owner = here.drafts.give_to(here.browsers.verify(new), cookie)
        return here.browsers.cookie(owner) if owner else new

    def check(self) -> None:
        """Raise StateError where the database does not answer, or an operator has to mend something."""
        self._get().database.check()

    def texts(self) -> list[str]:
        """Return the texts of all drafts and team templates, which may name pictures.

        Raises:
            StateError: the database does not answer.
        """
        from sqlalchemy import select

        from kling.studio.state.tables import drafts, team_templates

        with self._get().database.read() as connection:
            return [
                *connection.scalars(select(drafts.c.fields)),
                *connection.scalars(select(team_templates.c.request)),
            ]

    def backup(self, to: Path) -> None:
        """Write a consistent copy of the database; see `Database.backup`."""
        self._get().database.backup(to)

    def _look_at_roles(self, people: People) -> None:
        roles = frozenset((person.id, person.role) for person in people.list())
        if roles != self._roles:
            self._roles = roles
            self._on_roles()

    def _open_early(self) -> None:
        with suppress(StateError):  # who needs it hears of it
            self._get()

    def _get(self) -> Opened:
        if self._opened and not self._closed:
            return self._opened
        with self._lock:
            if self._closed:
                raise StateError("The studio is stopping.")
            if self._opened:
                return self._opened
            if self._failure and self._monotonic() < self._failure[1]:
                raise StateError(self._failure[0])
            try:
                self._opened = self._open()
            except StateError as error:
                log.warning("%s cannot be opened: %s", FILE, error)
                self._failure = str(error), self._monotonic() + RETRY_AFTER
                raise
            self._failure = None
            if self._started:
                self._opened.watch.start()
            return self._opened

    def _open(self) -> Opened:
        from kling.studio.state.opened import open_state  # here, because SQLAlchemy takes long to import

        opened = open_state(
            self._folder,
            clock=self._clock,
            monotonic=self._monotonic,
            hours=self._hours,
            passwords=self._passwords,
        )
        opened.people.changes.subscribe(lambda: self._look_at_roles(opened.people))
        return opened
