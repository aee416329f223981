"""Links to clips: a random token each, of which only the hash is kept.

What a link shows, and whether it may, is asked anew at each request (`share_views`).
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kling.studio.identity.roles import LOCAL, User
from kling.studio.printable import one_line
from kling.studio.state.database import Database
from kling.studio.state.records import (
    CLIPS_OF_ONE,
    COLLECTION_TITLE,
    SHARES,
    Audience,
    Share,
    ShareError,
)
from kling.studio.state.tables import shares
from kling.studio.visible_names import visible
from kling.text import storable

TOKEN_BYTES = 16
LONGEST_TOKEN = 64  # characters; a longer one is nobody's
SECONDS_BETWEEN = 5.0  # in which plays are counted in memory


class Shares:
    """The links of a studio, for threads to share.

    Args:
        database: where they lie.
        clock: Unix seconds.
        monotonic: seconds that never jump.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._database, self._clock, self._monotonic = database, clock, monotonic
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str]] = Counter()  # by id and column, not written yet
        self._written_at = monotonic()

    def add(
        self,
        user: User,
        clips: Collection[str],
        *,
        ends: float,
        collection_id: str = "",
        title: str = "",
        audience: Audience = "team",
        prompts: bool = True,
        people: bool = True,
    ) -> tuple[Share, str]:
        """Make a link; return it and its token, which nobody can read again.

        Args:
            user: who shares.
            clips: ids of jobs.
            ends: Unix seconds.
            collection_id: as in `Share`, and so is the rest.
            title: of chosen clips.
            audience: who may see them.
            prompts: whether these are shown.
            people: whether these are.

        Raises:
            ShareError: there are none, or too many, or the title is too long.
            StateError: the database does not answer; nothing was shared.
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        new = Share(
            id=secrets.token_hex(8),
            collection_id=collection_id,
            clips=_checked(clips),
            title=_line(title),
            audience=audience,
            prompts=prompts,
            people=people,
            person_id="" if user.id == LOCAL else user.id,
            person=visible(storable(user.name)),
            made=self._clock(),
            ends=ends,
        )
        with self._database.write() as connection:
            self._make_room(connection)
            connection.execute(insert(shares).values(token_hash=_hash(token), **_values(new)))
        return new, token

    def find(self, token: str) -> Share | None:
        """Return the link of a token, None if it is nobody's or has ended.

        Raises:
            StateError: the database does not answer.
        """
        if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
            return None
        with self._database.read() as connection:
            row = connection.execute(select(shares).where(shares.c.token_hash == _hash(token))).one_or_none()
        found = None if row is None else _share(row)
        return found if found is not None and found.is_open(self._clock()) else None

    def get(self, share_id: str) -> Share | None:
        """Return a link by its own id, ended or not; None if there is none.

        Raises:
            StateError: the database does not answer.
        """
        self.flush()
        with self._database.read() as connection:
            row = connection.execute(select(shares).where(shares.c.id == share_id)).one_or_none()
        return None if row is None else _share(row)

    def all(self) -> tuple[Share, ...]:
        """Return every link, the newest first, also those that have ended.

        Raises:
            StateError: the database does not answer.
        """
        self.flush()
        with self._database.read() as connection:
            rows = connection.execute(select(shares).order_by(shares.c.made.desc(), shares.c.id)).all()
        return tuple(map(_share, rows))

    def set_clips(self, share_id: str, clips: Collection[str]) -> None:
        """Let a link show these clips in the place of others; raises as `add`."""
        stored = json.dumps(_checked(clips))
        with self._database.write() as connection:
            connection.execute(update(shares).where(shares.c.id == share_id).values(clips=stored))

    def end(self, share_id: str) -> None:
        """End a link now; one that has ended stays as it is.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        with self._database.write() as connection:
            same = shares.c.id == share_id, shares.c.ended == 0
            connection.execute(update(shares).where(*same).values(ended=self._clock()))

    def count(self, share_id: str, *, played: bool = False) -> None:
        """Count that the page of a link was opened, or a clip begun.

        It is written every few seconds, so that nobody who has a link keeps the disk busy. What is not
        written when the studio is killed is lost.

        Raises:
            StateError: the database does not answer; it is counted later.
        """
        with self._lock:
            self._counted[share_id, "played" if played else "opened"] += 1
            is_due = self._monotonic() - self._written_at >= SECONDS_BETWEEN
        if is_due:
            self.flush()

    def flush(self) -> None:
        """Write what was counted.

        Raises:
            StateError: the database does not answer; it is written later.
        """
        with self._lock:
            counted, self._counted = self._counted, Counter()
            self._written_at = self._monotonic()
        if not counted:
            return
        try:
            with self._database.write(at_leisure=True) as connection:
                for (share_id, name), number in counted.items():
                    column = shares.c[name]
                    more = {name: column + number}
                    connection.execute(update(shares).where(shares.c.id == share_id).values(**more))
        except Exception:
            with self._lock:
                self._counted.update(counted)
            raise

    def _make_room(self, connection: Connection) -> None:
        """Delete the oldest links that have ended, where there are as many as are kept."""
        count = int(connection.scalar(select(func.count()).select_from(shares)) or 0)
        if count < SHARES:
            return
        is_over = (shares.c.ended > 0) | (shares.c.ends <= self._clock())
        oldest = select(shares.c.id).where(is_over).order_by(shares.c.made).limit(count - SHARES + 1)
        gone = connection.scalars(oldest).all()
        if not gone:
            raise ShareError(f"There are {SHARES:,} open links already: end some first.")
        connection.execute(delete(shares).where(shares.c.id.in_(gone)))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _checked(clips: Collection[str]) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(clips))
    if not chosen:
        raise ShareError("There is no clip to share: choose one that is here and not hidden.")
    if len(chosen) > CLIPS_OF_ONE:
        raise ShareError(f"A link shows {CLIPS_OF_ONE:,} clips at most; these are {len(chosen):,}.")
    return chosen


def _line(title: str) -> str:
    """Return a title as it is kept, or refuse it."""
    line = one_line(title)
    if len(line) > COLLECTION_TITLE:
        raise ShareError(f"Title: it has {len(line):,} characters; {COLLECTION_TITLE} fit. Shorten it.")
    return line


def _values(share: Share) -> dict[str, Any]:
    names = (each.name for each in shares.c if each.name not in {"token_hash", "clips"})
    values = {name: getattr(share, name) for name in names}
    return {**values, "prompts": int(share.prompts), "people": int(share.people), **_stored(share.clips)}


def _stored(clips: Sequence[str]) -> dict[str, str]:
    return {"clips": json.dumps(clips)}


def _share(row: Row[Any]) -> Share:
    facts = {name: value for name, value in row._mapping.items() if name != "token_hash"}  # noqa: SLF001
    try:
        found = json.loads(row.clips)
    except ValueError:
        found = []
    clips = tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()
    share = Share(**{**facts, "clips": clips, "prompts": bool(row.prompts), "people": bool(row.people)})
    return share if share.audience == "anyone" else replace(share, audience="team")
