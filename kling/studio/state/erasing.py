"""Takes a person's words and name out of the database, while no studio runs."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from kling.studio.identity.person import hashed_subject
from kling.studio.identity.roles import COMMANDS
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
from kling.studio.whose import Whose

ERASED = "erased"


def erase_words(path: Path, job_ids: Collection[str], whose: Whose) -> None:
    """Delete drafts, templates and links; clips leave the collections.

    Args:
        path: of the database.
        job_ids: drafts from which these were ordered are deleted.
        whose: the person; nobody where single jobs are erased.

    Raises:
        StateError: the database does not answer.
    """
    with _writing(path) as connection:
        _erase_drafts(connection, frozenset(job_ids), whose)
        for job_id in job_ids:
            connection.execute(delete(collection_clips).where(collection_clips.c.job_id == job_id))
        _erase_templates(connection, whose)
        _erase_collections(connection, whose)


def erase_names(path: Path, whose: Whose, *, jobs: int = 0) -> None:
    """Delete what lets the person in, replace the name elsewhere, and note in the audit that this was done.

    Args:
        path: of the database.
        whose: as for `erase_words`.
        jobs: how many were erased, for the audit.

    Raises:
        StateError: the database does not answer.
        sqlite3.Error: the file could not be written anew, so old pages of it may still hold what was erased.
    """
    with _writing(path) as connection:
        _erase_names(connection, whose)
        if whose.person_id:
            _erase_person(connection, whose.person_id)
        done = {"jobs": jobs, "accounts": int(bool(whose.person_id))}
        row = {"person_id": COMMANDS, "name": COMMANDS, "action": "erase", "thing": ""}
        connection.execute(insert(audit).values(time=time.time(), details=json.dumps(done), **row))
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


def _erase_drafts(connection: Connection, job_ids: frozenset[str], whose: Whose) -> None:
    rows = connection.execute(select(drafts.c.id, drafts.c.owner, drafts.c.made)).all()
    gone = [row.id for row in rows if whose.has(row.owner, "") or not job_ids.isdisjoint(_made(row.made))]
    for draft_id in gone:
        connection.execute(delete(drafts).where(drafts.c.id == draft_id))


def _made(stored: str) -> list[str]:
    try:
        made = json.loads(stored)
    except ValueError:
        return []
    return [str(each) for each in made] if isinstance(made, list) else []


def _erase_templates(connection: Connection, whose: Whose) -> None:
    table = team_templates.c
    for row in connection.execute(select(table.id, table.person_id, table.author)).all():
        if whose.has(row.person_id, row.author):
            connection.execute(delete(team_templates).where(table.id == row.id))


def _erase_collections(connection: Connection, whose: Whose) -> None:
    """End what the person shares, and take their words off collections, which others may have filled too."""
    for row in connection.execute(select(shares.c.id, shares.c.person_id, shares.c.person)).all():
        if whose.has(row.person_id, row.person):
            connection.execute(delete(shares).where(shares.c.id == row.id))
    for found in connection.execute(select(collections)).all():
        values = {}
        is_theirs = whose.has(found.person_id, found.person)
        if is_theirs:
            values = {"title": "Collection", "text": "", "person": ERASED}
        if whose.has("", found.changed_by) or (is_theirs and found.changed_by == found.person):
            values["changed_by"] = ERASED
        if values:
            connection.execute(update(collections).where(collections.c.id == found.id).values(**values))


def _erase_names(connection: Connection, whose: Whose) -> None:
    """Replace the name in the audit and wherever somebody's name is noted beside a change."""
    for row in connection.execute(select(audit)).all():
        values = {
            "name": ERASED if whose.has(row.person_id, row.name) else row.name,
            "thing": ERASED if whose.has("", row.thing) else row.thing,
            "details": _without_name(row.details, whose, row.thing),
        }
        if any(value != getattr(row, column) for column, value in values.items()):
            connection.execute(update(audit).where(audit.c.id == row.id).values(**values))
    for table, column in ((invitations, invitations.c.made_by), (name_owners, name_owners.c.given_by)):
        for by in {each[0] for each in connection.execute(select(column)).all()}:
            if whose.has("", by):
                connection.execute(update(table).where(column == by).values({column.name: ERASED}))
    if whose.person_id:
        connection.execute(delete(name_owners).where(name_owners.c.person_id == whose.person_id))


def _without_name(details: str, whose: Whose, thing: str) -> str:
    """Return the details of an entry of the audit without the person's names; `name` is that of the thing."""
    try:
        stored = json.loads(details)
    except ValueError:
        return details
    if not isinstance(stored, dict):
        return details
    is_about = whose.has(thing, "")
    new = {
        key: ERASED
        if isinstance(value, str) and (whose.has("", value) or (is_about and key == "name"))
        else value
        for key, value in stored.items()
    }
    return details if new == stored else json.dumps(new, ensure_ascii=False)


def _erase_person(connection: Connection, person_id: str) -> None:
    """Leave the id, so that sums of the log still belong to one person, and a hash that keeps them out."""
    for table in (sessions, invitations):
        connection.execute(delete(table).where(table.c.person_id == person_id))
    row = connection.execute(select(people).where(people.c.id == person_id)).one_or_none()
    if row is not None:
        values = {
            "name": f"{ERASED} {person_id[:8]}",
            "name_key": f"{ERASED}:{person_id}",
            "subject": hashed_subject(row.way, row.subject),
            "password_hash": "",
            "removed": row.removed or row.created or 1.0,
        }
        connection.execute(update(people).where(people.c.id == person_id).values(**values))
    version = connection.scalar(select(identity_version.c.version))
    if version is None:
        connection.execute(insert(identity_version).values(version=1))
    else:
        connection.execute(update(identity_version).values(version=version + 1))
