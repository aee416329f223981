"""Collections of clips. Several people fill and order one at the same time, and nobody undoes another.

Clips are put in, taken out and moved one by one, each in a transaction: such changes of two people add up.
Title, text and cover are written whole: who changes them says which version was seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kling.studio.identity.roles import LOCAL, User
from kling.studio.printable import one_line, printable
from kling.studio.state.database import Database
from kling.studio.state.records import (
    CLIPS_OF_ONE,
    COLLECTION_TEXT,
    COLLECTION_TITLE,
    COLLECTIONS,
    Collection,
    CollectionChanged,
    CollectionError,
)
from kling.studio.state.tables import collection_clips, collections
from kling.studio.visible_names import visible
from kling.text import storable

GONE = "Somebody has deleted this collection."


class Collections:
    """The collections, for threads to share.

    Each method that changes something may raise `CollectionError`, whose text says what helps, or
    `StateError` where the database does not answer; nothing has changed then.

    Args:
        database: where they lie.
        clock: Unix seconds.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def all(self) -> tuple[Collection, ...]:
        """Return every collection, the one that was changed last first.

        Raises:
            StateError: the database does not answer.
        """
        table = collection_clips.c
        with self._database.read() as connection:
            rows = connection.execute(select(collections).order_by(collections.c.changed.desc())).all()
            places = select(table.collection_id, table.job_id).order_by(table.collection_id, table.place)
            clips: dict[str, list[str]] = {}
            for collection_id, job_id in connection.execute(places):
                clips.setdefault(collection_id, []).append(job_id)
        return tuple(_collection(row, clips.get(row.id, ())) for row in rows)

    def get(self, collection_id: str) -> Collection | None:
        """Return a collection, None if there is none of that id.

        Raises:
            StateError: the database does not answer.
        """
        with self._database.read() as connection:
            return _read(connection, collection_id)

    def add(
        self, user: User, *, title: str, text: str = "", cover: str = "", clips: Sequence[str] = ()
    ) -> Collection:
        """Make a collection.

        Args:
            user: who makes it.
            title: it has to have one.
            text: a few lines.
            cover: one of its clips; empty for the first.
            clips: ids of jobs, in order.
        """
        now, chosen, words = self._clock(), tuple(dict.fromkeys(clips)), _words(title, text)
        new = Collection(
            id=secrets.token_hex(8),
            title=words["title"],
            text=words["text"],
            cover=cover if cover in chosen else "",
            clips=chosen,
            person_id="" if user.id == LOCAL else user.id,
            person=visible(storable(user.name)),
            made=now,
            changed=now,
            changed_by=visible(storable(user.name)),
        )
        _check_count(len(new.clips))
        with self._database.write() as connection:
            if (connection.scalar(select(func.count()).select_from(collections)) or 0) >= COLLECTIONS:
                raise CollectionError(f"There are {COLLECTIONS:,} collections already: delete some first.")
            connection.execute(insert(collections).values(**_values(new)))
            _place(connection, new.id, new.clips)
        return new

    def change(self, user: User, seen: Collection, **changes: str) -> Collection:
        """Change title, text or cover.

        Args:
            user: who does.
            seen: as it was shown.
            changes: new values of `title`, `text` or `cover`; a cover that is no clip of it counts as none.

        Raises:
            CollectionChanged: the words are not those that were shown any more.
        """
        words = _words(changes.get("title", seen.title), changes.get("text", seen.text))
        with self._changing(user, seen.id) as (connection, now):
            if now.version != seen.version:
                raise CollectionChanged(
                    f"{now.changed_by or 'Somebody'} has changed this collection meanwhile. Look at it again."
                )
            cover = changes.get("cover", now.cover)
            values = {**words, "cover": cover if cover in now.clips else "", "version": now.version + 1}
            connection.execute(update(collections).where(collections.c.id == seen.id).values(**values))
        return self._sure(seen.id)

    def put(self, user: User, collection_id: str, job_ids: Sequence[str]) -> Collection:
        """Put clips at the end; those that are in it already stay where they are."""
        with self._changing(user, collection_id) as (connection, now):
            new = [each for each in dict.fromkeys(job_ids) if each not in now.clips]
            _check_count(len(now.clips) + len(new))
            _place(connection, collection_id, new, after=_last_place(connection, collection_id))
        return self._sure(collection_id)

    def take_out(self, user: User, collection_id: str, job_ids: Sequence[str]) -> Collection:
        """Take clips out; those that are not in it are passed over."""
        table = collection_clips.c
        with self._changing(user, collection_id) as (connection, _):
            for job_id in dict.fromkeys(job_ids):
                same = table.collection_id == collection_id, table.job_id == job_id
                connection.execute(delete(collection_clips).where(*same))
        return self._sure(collection_id)

    def move(self, user: User, collection_id: str, job_ids: Sequence[str], *, before: str = "") -> Collection:
        """Move clips together, in the order in which they are named.

        Args:
            user: who does.
            collection_id: of the collection.
            job_ids: clips of it; others are passed over.
            before: the clip in front of which they are put; empty, or one that is not there, for the end.
        """
        table = collection_clips.c
        with self._changing(user, collection_id) as (connection, now):
            moved = [each for each in dict.fromkeys(job_ids) if each in now.clips]
            rest = [each for each in now.clips if each not in moved]
            at = rest.index(before) if before in rest else len(rest)
            if before in moved:  # dropped on one of themselves: where that one stands
                at = sum(each not in moved for each in now.clips[: now.clips.index(before)])
            ordered = (*rest[:at], *moved, *rest[at:])
            for place, job_id in enumerate(ordered):
                same = table.collection_id == collection_id, table.job_id == job_id
                connection.execute(update(collection_clips).where(*same).values(place=place))
        return self._sure(collection_id)

    def delete(self, collection_id: str) -> None:
        """Delete a collection; its clips stay where they are."""
        with self._database.write() as connection:
            connection.execute(
                delete(collection_clips).where(collection_clips.c.collection_id == collection_id)
            )
            connection.execute(delete(collections).where(collections.c.id == collection_id))

    @contextmanager
    def _changing(self, user: User, collection_id: str) -> Iterator[tuple[Connection, Collection]]:
        """Give a transaction and the collection as it is in it; at its end it was changed by this user."""
        with self._database.write() as connection:
            now = _read(connection, collection_id)
            if now is None:
                raise CollectionChanged(GONE)
            yield connection, now
            said = {"changed": self._clock(), "changed_by": visible(storable(user.name))}
            connection.execute(update(collections).where(collections.c.id == collection_id).values(**said))

    def _sure(self, collection_id: str) -> Collection:
        found = self.get(collection_id)
        if found is None:
            raise CollectionChanged(GONE)
        return found


def _read(connection: Connection, collection_id: str) -> Collection | None:
    row = connection.execute(select(collections).where(collections.c.id == collection_id)).one_or_none()
    table = collection_clips.c
    places = select(table.job_id).where(table.collection_id == collection_id).order_by(table.place)
    return None if row is None else _collection(row, connection.scalars(places).all())


def _last_place(connection: Connection, collection_id: str) -> int:
    table = collection_clips.c
    last = connection.scalar(select(func.max(table.place)).where(table.collection_id == collection_id))
    return -1 if last is None else int(last)


def _place(connection: Connection, collection_id: str, job_ids: Sequence[str], *, after: int = -1) -> None:
    rows = [
        {"collection_id": collection_id, "job_id": job_id, "place": place}
        for place, job_id in enumerate(job_ids, after + 1)
    ]
    if rows:
        connection.execute(insert(collection_clips), rows)


def _check_count(count: int) -> None:
    if count > CLIPS_OF_ONE:
        raise CollectionError(
            f"A collection holds {CLIPS_OF_ONE:,} clips at most; this would make {count:,}."
        )


def _words(title: str, text: str) -> dict[str, str]:
    """Return title and text as they are kept, or refuse them."""
    line = one_line(title)
    if not line:
        raise CollectionError("Title: give the collection a name.")
    if len(line) > COLLECTION_TITLE:
        raise CollectionError(f"Title: it has {len(line):,} characters; {COLLECTION_TITLE} fit. Shorten it.")
    lines = printable(storable(text)).strip()
    if len(lines) > COLLECTION_TEXT:
        raise CollectionError(f"Text: it has {len(lines):,} characters; {COLLECTION_TEXT:,} fit. Shorten it.")
    return {"title": line, "text": lines}


def _values(new: Collection) -> dict[str, Any]:
    names = (each.name for each in collections.c)
    return {name: getattr(new, name) for name in names}


def _collection(row: Row[Any], clips: Sequence[str]) -> Collection:
    return Collection(**row._mapping, clips=tuple(clips))  # noqa: SLF001 - SQLAlchemy's public name
