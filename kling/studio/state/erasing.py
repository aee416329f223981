"""Takes a person's words and name out of the database, while no studio runs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, insert, or_, select, update

from kling.studio.state.database import Database
from kling.studio.state.tables import (
    audit,
    collection_clips,
    collections,
    drafts,
    identity_version,
    invitations,
    name_owners,
    people,
    sessions,
    shares,
    team_templates,
)
from kling.studio.visible_names import name_key

ERASED = "erased"
BY = "command line"  # who a command is in the audit


def erase_words(
    path: Path, job_ids: Collection[str], *, name: str = "", person_ids: Collection[str] = ()
) -> None:
    """Delete drafts, templates and links; clips leave the collections.

    Args:
        path: of the database.
        job_ids: drafts from which these were ordered are deleted.
        name: of the person, as `name_key` gives it; empty where single jobs are erased.
        person_ids: of the person's accounts.

    Raises:
        StateError: the database does not answer.
    """
    with _writing(path) as connection:
        _erase_drafts(connection, frozenset(job_ids), person_ids)
        for job_id in job_ids:
            connection.execute(delete(collection_clips).where(collection_clips.c.job_id == job_id))
        if name:
            _erase_templates(connection, name)
            _erase_collections(connection, name, person_ids)


def erase_names(path: Path, *, name: str = "", person_ids: Collection[str] = (), jobs: int = 0) -> None:
    """Delete what lets the person in, replace the name elsewhere, and note in the audit that this was done.

    Args:
        path: of the database.
        name: of the person, as `name_key` gives it; empty where single jobs are erased.
        person_ids: of the person's accounts.
        jobs: how many were erased, for the audit.

    Raises:
        StateError: the database does not answer.
        sqlite3.Error: the file could not be written anew, so old pages of it may still hold what was erased.
    """
    with _writing(path) as connection:
        if name:
            _erase_names(connection, name, person_ids)
        for person_id in person_ids:
            _erase_person(connection, person_id)
        done = {"jobs": jobs, "accounts": len(person_ids)}
        row = {"person_id": BY, "name": BY, "action": "erase", "thing": "", "details": json.dumps(done)}
        connection.execute(insert(audit).values(time=time.time(), **row))
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as plain:
        plain.execute("PRAGMA secure_delete = ON")
        plain.execute("VACUUM")  # free pages still hold what was deleted
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _writing(path: Path) -> Iterator[Connection]:
    database = Database(path)
    try:
        with database.write() as connection:
            yield connection
    finally:
        database.close()


def _erase_drafts(connection: Connection, job_ids: frozenset[str], person_ids: Collection[str]) -> None:
    rows = connection.execute(select(drafts.c.id, drafts.c.owner, drafts.c.made)).all()
    gone = [row.id for row in rows if row.owner in person_ids or not job_ids.isdisjoint(_made(row.made))]
    for draft_id in gone:
        connection.execute(delete(drafts).where(drafts.c.id == draft_id))


def _made(stored: str) -> list[str]:
    try:
        made = json.loads(stored)
    except ValueError:
        return []
    return [str(each) for each in made] if isinstance(made, list) else []


def _erase_templates(connection: Connection, name: str) -> None:
    for row in connection.execute(select(team_templates.c.id, team_templates.c.author)).all():
        if row.author and name_key(row.author) == name:
            connection.execute(delete(team_templates).where(team_templates.c.id == row.id))


def _erase_collections(connection: Connection, name: str, person_ids: Collection[str]) -> None:
    """End what the person shares, and take their words off collections, which others may have filled too."""
    for row in connection.execute(select(shares.c.id, shares.c.person_id, shares.c.person)).all():
        if row.person_id in person_ids or name_key(row.person) == name:
            connection.execute(delete(shares).where(shares.c.id == row.id))
    for found in connection.execute(select(collections)).all():
        values = {}
        if found.person_id in person_ids or name_key(found.person) == name:
            values = {"title": "Collection", "text": "", "person": ERASED}
        if name_key(found.changed_by) == name:
            values["changed_by"] = ERASED
        if values:
            connection.execute(update(collections).where(collections.c.id == found.id).values(**values))


def _erase_names(connection: Connection, name: str, person_ids: Collection[str]) -> None:
    """Replace the name in the audit and wherever somebody's name is noted beside a change."""
    for row in connection.execute(select(audit)).all():
        is_by = name_key(row.name) == name or row.person_id in person_ids
        names = {text for text in (row.name, row.thing) if text and name_key(text) == name}
        details = _without_name(row.details, name)
        if is_by or names or details != row.details:
            values = {
                "name": ERASED if is_by else row.name,
                "thing": ERASED if row.thing in names else row.thing,
                "details": details,
            }
            connection.execute(update(audit).where(audit.c.id == row.id).values(**values))
    for table, column in ((invitations, invitations.c.made_by), (name_owners, name_owners.c.given_by)):
        for by in {each[0] for each in connection.execute(select(column)).all()}:
            if name_key(by) == name:
                connection.execute(update(table).where(column == by).values({column.name: ERASED}))
    gone = or_(name_owners.c.name_key == name, name_owners.c.person_id.in_(list(person_ids)))
    connection.execute(delete(name_owners).where(gone))


def _without_name(details: str, name: str) -> str:
    try:
        stored = json.loads(details)
    except ValueError:
        return details
    if not isinstance(stored, dict):
        return details
    new = {
        key: ERASED if isinstance(value, str) and name_key(value) == name else value
        for key, value in stored.items()
    }
    return details if new == stored else json.dumps(new, ensure_ascii=False)


def _erase_person(connection: Connection, person_id: str) -> None:
    """Leave the id, so that sums of the log still belong to one person; nobody can come in with it."""
    for table in (sessions, invitations):
        connection.execute(delete(table).where(table.c.person_id == person_id))
    row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
    if row is not None:
        values = {
            "name": f"{ERASED} {person_id[:8]}",
            "name_key": f"{ERASED}:{person_id}",
            "subject": f"{ERASED}:{person_id}",
            "password_hash": "",
            "removed": row.removed or row.created or 1.0,
        }
        connection.execute(update(people).where(people.c.id == person_id).values(**values))
    version = connection.scalar(select(identity_version.c.version))
    if version is None:
        connection.execute(insert(identity_version).values(version=1))
    else:
        connection.execute(update(identity_version).values(version=version + 1))
