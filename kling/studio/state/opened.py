"""Opens the database of a data folder, and puts everything together that lies in it. Imports SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kling.studio.audit import Audit
from kling.studio.identity.invitations import Invitations
from kling.studio.identity.names import Names
from kling.studio.identity.passwords import Passwords
from kling.studio.identity.people import People
from kling.studio.identity.sessions import Sessions
from kling.studio.identity.watch import Watch
from kling.studio.identity.ways import ACCOUNT
from kling.studio.shares import Shares
from kling.studio.state.browsers import Browsers
from kling.studio.state.clip_collections import Collections
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.faults import FILE
from kling.studio.state.holdings import Holdings
from kling.studio.state.limits import LimitStore
from kling.studio.state.old_folders import OldFolders
from kling.studio.state.secret import kept_secret
from kling.studio.state.team_templates import TeamTemplates


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies in an open database; `warnings` are of older files that could not be taken in."""

    database: Database
    drafts: DraftStore
    templates: TeamTemplates
    collections: Collections
    shares: Shares
    browsers: Browsers
    limits: LimitStore
    people: People
    sessions: Sessions
    invitations: Invitations
    names: Names
    audit: Audit
    watch: Watch
    holdings: Holdings
    warnings: tuple[str, ...]


def open_state(
    folder: Path,
    *,
    clock: Callable[[], float],
    monotonic: Callable[[], float],
    hours: tuple[float, float],
    passwords: Passwords | None,
) -> Opened:
    """Open the database of a folder; files of older versions are taken in.

    Args:
        folder: the data folder.
        clock: Unix seconds.
        monotonic: seconds that never jump.
        hours: until a session ends, from the sign-in and from the last use.
        passwords: makes and compares hashes; None for those of a studio.

    Raises:
        StateError: it cannot be opened.
    """
    database = Database(folder / FILE)
    try:
        old = OldFolders(database, folder)
        old.take_in()
        drafts = DraftStore(database, clock=clock, monotonic=monotonic)
        drafts.delete_old()
        people = People(database, clock, passwords=passwords)
        sessions = Sessions(database, people, clock, hours=hours[0], idle_hours=hours[1])
        limits = LimitStore(database)
        holdings = Holdings(
            folder,
            lambda: {
                "limits": len(limits.all),
                "accounts": sum(person.way == ACCOUNT for person in people.list()),
            },
        )
        limits.on_change = holdings.keep
        people.changes.subscribe(holdings.keep)
        return Opened(
            database=database,
            drafts=drafts,
            templates=TeamTemplates(database, clock=clock),
            collections=Collections(database, clock=clock),
            shares=Shares(database, clock=clock, monotonic=monotonic),
            browsers=Browsers(kept_secret(database, "browsers")),
            limits=limits,
            people=people,
            sessions=sessions,
            invitations=Invitations(database, people, clock),
            names=Names(people, clock),
            audit=Audit(database, clock),
            watch=Watch(people, sessions),
            holdings=holdings,
            warnings=tuple(old.warnings),
        )
    except BaseException:
        database.close()
        raise
