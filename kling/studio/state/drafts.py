"""Drafts of requests: neither a refresh nor a restart loses what somebody was about to order.

A draft belongs to the person who made it, or without sign-in to the browser. Whoever else opens its address
gets a copy.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kling.studio.state.database import Database
from kling.studio.state.records import (
    ALL_DRAFT_BYTES,
    DRAFT_BYTES,
    DRAFT_ID,
    DRAFT_SECONDS,
    DRAFTS_OF_ONE,
    JOBS_OF_ONE,
    NotKept,
    StateError,
    StoredDraft,
    TooLarge,
)
from kling.studio.state.tables import drafts
from kling.text import storable

OLD_OWNER = "old:"  # in front of an id of the old form: no cookie of today proves it
LEAST = 1024  # bytes that a draft counts for at least: the total is summed up in each save that grows
EXCHANGE_SECONDS = 60.0  # in which a browser's other tabs, which still have its old cookie, get the same id
_EXCHANGES = 1000  # that are remembered
_LARGEST = 2**63  # of integers; larger ones are in no form, and some readers of JSON refuse them
_DEPTH = 8  # of JSON in a draft's fields; the form's own has two levels


class DraftStore:
    """The drafts, for threads to share.

    Args:
        database: where they lie.
        clock: Unix seconds.
        monotonic: seconds that never jump.
        most_bytes: of all drafts together. What is there stays; new drafts and growth are refused.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        most_bytes: int = ALL_DRAFT_BYTES,
    ) -> None:
        self._database, self._clock, self._most_bytes = database, clock, most_bytes
        self._monotonic = monotonic
        self._given: dict[str, tuple[str, float]] = {}  # by old id: the new one, and until when it is told
        self.is_full = False  # the last draft that needed more space did not get it

    def load(self, draft_id: str) -> StoredDraft | None:
        """Return a draft, None if there is none of that id.

        Raises:
            StateError: it cannot be read. It may be there.
        """
        if not DRAFT_ID.fullmatch(draft_id):
            return None
        with self._database.read() as connection:
            row = _row(connection, draft_id)
        return _draft(row) if row else None

    def newest(self, owner: str, most: int) -> tuple[StoredDraft, ...]:
        """Return the drafts of an owner that were changed last, the last one first, without damaged ones.

        Raises:
            StateError: they cannot be read.
        """
        own = select(drafts).where(drafts.c.owner == owner).order_by(drafts.c.changed.desc()).limit(most)
        with self._database.read() as connection:
            rows = connection.execute(own).all() if owner else []
        found = []
        for row in rows:
            with suppress(StateError):
                found.append(_draft(row))
        return tuple(found)

    def open(self, draft_id: str, owner: str) -> StoredDraft:
        """Return the draft of an address: the own one, a copy of another browser's, or a new one.

        Args:
            draft_id: from the address; may be anything.
            owner: id of the browser that asks.

        Raises:
            StateError: it cannot be read. It may be there, so nothing may be written in its place.
        """
        found = self.load(draft_id)
        if found and owner and found.owner == owner:
            return found
        new = StoredDraft(id=secrets.token_hex(10), owner=owner, fields=found.fields if found else {})
        if found:
            try:
                self.save(new.id, owner, fields=new.fields)
            except StateError as error:
                return replace(new, not_kept=str(error))
        return new

    def save(
        self,
        draft_id: str,
        owner: str,
        *,
        fields: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        made: tuple[str, ...] | None = None,
        at_leisure: bool = False,
    ) -> tuple[str, ...]:
        """Keep changes to a draft; what is not named stays as it is.

        An owner who has 100 drafts loses the one of these that was not changed for longest when they begin
        another one, and of those that nothing was ordered from first.

        Args:
            draft_id: of a draft; a new id begins one.
            owner: id of the browser that asks.
            fields: of the form, as JSON.
            texts: that are being typed, by the name of their widget: a field, or `shot_1` and so on; once the
                shots were rearranged `shot_1.2`, with the number of the field `arrangement`. Texts of another
                arrangement are passed over.
            made: ids of the jobs that were ordered from it, the last one first.
            at_leisure: do not wait for the disk; see `Database.write`.

        Returns:
            Names of texts that were not stored, because the draft has no such shot; all else was.

        Raises:
            NotKept: it is another browser's, it is too large, or there is no space; nothing has changed.
            StateError: the database does not answer; nothing has changed.
        """
        if not DRAFT_ID.fullmatch(draft_id):
            raise NotKept(
                "This draft has no address, so what you change is not kept on the server. Open Compose again."
            )
        if not owner:
            raise NotKept(
                "This browser keeps no cookies, so the server does not keep the draft. It stays in this page."
            )
        now = self._clock()
        new_fields = {name: _storable(value) for name, value in (fields or {}).items()}
        new_texts = {name: storable(text) for name, text in (texts or {}).items()}
        with self._database.write(at_leisure=at_leisure) as connection:
            row = _row(connection, draft_id)
            old = _draft(row) if row else StoredDraft(id=draft_id, owner=owner)
            if old.owner != owner:
                raise NotKept("This draft is another browser's. Load the page again to get a copy of it.")
            merged, no_shot = _merged(old.fields, new_fields, new_texts)
            all_made = old.made if made is None else _newest({*old.made, *made})
            draft = replace(old, fields=merged, made=all_made)
            values = values_of(draft, now)
            if row is None:
                connection.execute(delete(drafts).where(drafts.c.changed < now - DRAFT_SECONDS))
                _delete_oldest_of(connection, owner)
            self._check(connection, values["size"], row.size if row else 0)
            if row is None:
                connection.execute(insert(drafts).values(**values))
            else:
                connection.execute(update(drafts).where(drafts.c.id == draft_id).values(**values))
        return no_shot

    def give_to(self, new_owner: str, old_id: str) -> str:
        """Give the drafts of a browser with an id of the old form to the id that it gets; works once.

        A look comes first, so that made-up ids wait for no lock.

        Args:
            new_owner: id of the browser from now on.
            old_id: the id of before, without a signature.

        Returns:
            The id that has got them, now or within the last minute; empty if there is none.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        owned = drafts.c.owner == f"{OLD_OWNER}{old_id}"
        with self._database.read() as connection:
            there = connection.execute(select(drafts.c.id).where(owned).limit(1)).first()
        if there:
            with self._database.write() as connection:
                if connection.execute(update(drafts).where(owned).values(owner=new_owner)).rowcount:
                    # Before others can see that it is done: they look here once they find no drafts.
                    self._remember(old_id, new_owner)
        owner, until = self._given.get(old_id, ("", 0.0))
        return owner if self._monotonic() < until else ""

    def _remember(self, old_id: str, new_owner: str) -> None:
        """Remember an exchange; called by one thread at a time."""
        now = self._monotonic()
        recent = {old: given for old, given in self._given.items() if now < given[1]}
        recent[old_id] = new_owner, now + EXCHANGE_SECONDS
        self._given = dict(list(recent.items())[-_EXCHANGES:])

    def give_all(self, browser: str, person_id: str) -> None:
        """Give all drafts of a browser to the person who has signed in there.

        A look comes first, so that the usual sign-in, which finds none, waits for no lock.

        Args:
            browser: id of the browser, verified.
            person_id: owns them from now on.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        owned = drafts.c.owner == browser
        with self._database.read() as connection:
            if not connection.execute(select(drafts.c.id).where(owned).limit(1)).first():
                return
        with self._database.write() as connection:
            connection.execute(update(drafts).where(owned).values(owner=person_id))

    def delete_old(self) -> None:
        """Delete what nobody has changed for 90 days.

        Raises:
            StateError: the database does not answer.
        """
        with self._database.write() as connection:
            connection.execute(delete(drafts).where(drafts.c.changed < self._clock() - DRAFT_SECONDS))

    def _check(self, connection: Connection, size: int, before: int) -> None:
        """Refuse what is over a limit; a draft that was over one before may stay as large as it was."""
        if size <= before:
            return
        if size > DRAFT_BYTES:
            raise TooLarge(
                f"This draft is too long to be kept on the server: {size:,} of {DRAFT_BYTES:,} bytes. "
                "What you typed is still in this page. Shorten its texts."
            )
        total = connection.scalar(select(func.coalesce(func.sum(drafts.c.size), 0))) or 0
        self.is_full = total - before + size > self._most_bytes
        if self.is_full:
            raise NotKept(
                "The server has no space left for drafts, so this one is not kept there. What you typed is "
                "still in this page: order it, or copy it, before you leave."
            )


def values_of(draft: StoredDraft, changed: float) -> dict[str, Any]:
    """Return the columns of a draft.

    Args:
        draft: its texts are storable.
        changed: Unix seconds.
    """
    fields = json.dumps(draft.fields, ensure_ascii=False)
    made = json.dumps(draft.made)
    return {
        "id": draft.id,
        "owner": draft.owner,
        "changed": changed,
        "size": max(len(fields.encode()) + len(made), LEAST),
        "has_jobs": int(bool(draft.made)),
        "made": made,
        "fields": fields,
    }


def _row(connection: Connection, draft_id: str) -> Row[Any] | None:
    return connection.execute(select(drafts).where(drafts.c.id == draft_id)).one_or_none()


def _draft(row: Row[Any]) -> StoredDraft:
    try:
        fields, made = json.loads(row.fields), json.loads(row.made)
        made = tuple(map(str, made))
        return StoredDraft(id=row.id, owner=row.owner, fields=dict(fields), made=made, changed=row.changed)
    except (ValueError, TypeError, RecursionError) as error:
        raise StateError(
            "This draft is damaged in the database and is left as it is. Begin a new one in Compose, or ask "
            "the operator for the backup."
        ) from error


def _delete_oldest_of(connection: Connection, owner: str) -> None:
    """Make room for one more draft of an owner, who has all that one may have; nobody else loses any."""
    own = drafts.c.owner == owner
    if (connection.scalar(select(func.count()).select_from(drafts).where(own)) or 0) < DRAFTS_OF_ONE:
        return
    oldest = select(drafts.c.id).where(own).order_by(drafts.c.has_jobs, drafts.c.changed).limit(1)
    connection.execute(delete(drafts).where(drafts.c.id == connection.scalar(oldest)))


def _newest(made: Iterable[str]) -> tuple[str, ...]:
    """Return the ids, which begin with their time, the last one first."""
    return tuple(sorted((storable(each, 64) for each in made), reverse=True)[:JOBS_OF_ONE])


def _storable(value: Any, depth: int = _DEPTH) -> Any:
    """Return JSON whose texts can be stored; what is nested deeper than any form is left out."""
    if isinstance(value, str):
        return storable(value)
    if depth and isinstance(value, Mapping):
        return {storable(str(name), 64): _storable(each, depth - 1) for name, each in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_storable(each, depth - 1) for each in value]
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return None
    return value if isinstance(value, bool | int | float) else None


def _merged(
    old: Mapping[str, Any], new: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields with the changes, and the names of texts whose shot is not there."""
    no_shot = []
    merged = {**old, **new}
    stored = merged.get("shots")
    shots = [dict(shot) for shot in stored if isinstance(shot, Mapping)] if isinstance(stored, list) else []
    for name, text in texts.items():
        number, _, arrangement = name.removeprefix("shot_").partition(".")
        if not name.startswith("shot_"):
            merged[name] = text
        elif arrangement != (str(merged["arrangement"]) if merged.get("arrangement") else ""):
            continue  # the shots were rearranged since, with what their fields held
        elif number.isdecimal() and 0 < int(number) <= len(shots):
            shots[int(number) - 1]["prompt"] = text
        else:
            no_shot.append(name)
    return ({**merged, "shots": shots} if shots else merged), tuple(no_shot)
