"""The team's own templates: whole requests with a name.

Everybody may add, change and delete. Nothing is lost when two do so at once: a change says which version it
changes, and what cannot be read is never overwritten.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from kling.studio.printable import one_line
from kling.studio.prompting.draft import FormRequest
from kling.studio.prompting.import_request import parse_request
from kling.studio.state.database import Database
from kling.studio.state.records import (
    TEMPLATE_BYTES,
    TEMPLATE_LINES,
    TEMPLATES,
    ChangedMeanwhile,
    TeamTemplate,
    TeamTemplateError,
)
from kling.studio.state.tables import team_templates
from kling.text import storable

log = logging.getLogger(__name__)


class TeamTemplates:
    """The templates, for threads to share.

    Args:
        database: where they lie.
        clock: Unix seconds.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock
        self._lock = threading.Lock()
        self._read: dict[tuple[str, int], TeamTemplate | None] = {}  # by id and version; None: unreadable

    def all(self) -> tuple[TeamTemplate, ...]:
        """Return every template, by title. One that cannot be read is left out, and the server's log says so.

        Raises:
            StateError: the database does not answer.
        """
        with self._lock:
            known = self._read
        table = team_templates.c
        with self._database.read() as connection:
            there = [(row.id, row.version) for row in connection.execute(select(table.id, table.version))]
            if unread := [each[0] for each in there if each not in known]:
                rows = connection.execute(select(team_templates).where(table.id.in_(unread))).all()
                known = {**known, **{(row.id, row.version): _template(row) for row in rows}}
        found = {each: known[each] for each in there if each in known}
        with self._lock:
            self._read = found
        readable = [template for template in found.values() if template]
        return tuple(sorted(readable, key=lambda each: (each.title.casefold(), each.id)))

    def add(
        self,
        request: FormRequest,
        *,
        title: str,
        category: str = "",
        teaches: str = "",
        author: str = "",
        person_id: str = "",
    ) -> TeamTemplate:
        """Save a request as a new template; another of the same title stays beside it.

        Args:
            request: it may be unfinished.
            title: as in `TeamTemplate`; what is too long is cut.
            category: likewise.
            teaches: likewise.
            author: likewise.
            person_id: of the author.

        Raises:
            TeamTemplateError: it has no title, is too large, or there are too many.
            StateError: the database does not answer; nothing has changed.
        """
        new = _checked(
            TeamTemplate(
                id=secrets.token_hex(8),
                title=title,
                category=category,
                teaches=teaches,
                author=author,
                changed=self._now(),
                version=1,
                request=request,
                person_id=person_id,
            )
        )
        with self._database.write() as connection:
            if (connection.scalar(select(func.count()).select_from(team_templates)) or 0) >= TEMPLATES:
                raise TeamTemplateError(f"There are {TEMPLATES:,} templates already: delete some first.")
            connection.execute(insert(team_templates).values(**_values(new)))
        return new

    def update(
        self, seen: TeamTemplate, *, author: str = "", person_id: str = "", **changes: Any
    ) -> TeamTemplate:
        """Change a template.

        Args:
            seen: as it was shown to who changes it.
            author: who does.
            person_id: their id.
            changes: new values of `title`, `category`, `teaches` or `request`.

        Raises:
            ChangedMeanwhile: it is not what was shown any more; nothing was overwritten.
            TeamTemplateError, StateError: as `add`.
        """
        changes |= {"author": author, "person_id": person_id, "changed": self._now()}
        new = _checked(replace(seen, version=seen.version + 1, **changes))
        with self._database.write() as connection:
            _refuse_if_changed(connection, seen)
            same = team_templates.c.id == seen.id
            connection.execute(update(team_templates).where(same).values(**_values(new)))
        return new

    def delete(self, seen: TeamTemplate) -> None:
        """Delete a template.

        Raises:
            ChangedMeanwhile: it is not what was shown any more.
            StateError: the database does not answer; nothing has changed.
        """
        with self._database.write() as connection:
            _refuse_if_changed(connection, seen)
            connection.execute(delete(team_templates).where(team_templates.c.id == seen.id))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def body_of(stored: str) -> FormRequest:
    """Return the request in the JSON of a create call.

    Raises:
        ValueError: it is none.
    """
    # With escapes: in a pasted text some characters, as U+2028, stand for the end of a line.
    return parse_request(json.dumps(json.loads(stored))).request


def _refuse_if_changed(connection: Connection, seen: TeamTemplate) -> None:
    table = team_templates.c
    now = connection.execute(select(table.version, table.author).where(table.id == seen.id)).one_or_none()
    if now is None:
        raise ChangedMeanwhile("Somebody has deleted this template. Save yours as a new one.")
    if now.version != seen.version:
        raise ChangedMeanwhile(
            f"{now.author or 'Somebody'} has changed this template meanwhile. Look at it again, or save "
            "yours as a new one."
        )


def _checked(template: TeamTemplate) -> TeamTemplate:
    """Return the template as it is stored, or refuse it."""
    lines = {name: _line(getattr(template, name), most) for name, most in TEMPLATE_LINES.items()}
    if not lines["title"]:
        raise TeamTemplateError("Give the template a name.")
    # Ids and addresses belong to one job, not to a template.
    request = replace(template.request, external_task_id="", callback_url="")
    stored = _storable(request.to_wire())
    size = len(json.dumps([lines, stored], ensure_ascii=False).encode())
    if size > TEMPLATE_BYTES:
        raise TeamTemplateError(f"This is too long for a template: {size:,} of {TEMPLATE_BYTES:,} bytes.")
    if stored != request.to_wire():
        request = body_of(json.dumps(stored))
    return replace(
        template,
        title=lines["title"],
        category=lines["category"],
        teaches=lines["teaches"],
        author=lines["author"],
        request=request,
    )


def _line(text: str, most: int) -> str:
    return one_line(text)[:most].strip()


def _storable(value: Any) -> Any:
    """Return the body of a create call with texts that can be stored."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {str(name): _storable(each) for name, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, list | tuple) else value


def _values(template: TeamTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "version": template.version,
        "changed": template.changed.isoformat(),
        **{name: getattr(template, name) for name in TEMPLATE_LINES},
        "request": json.dumps(template.request.to_wire(), ensure_ascii=False),
        "person_id": template.person_id,
    }


def _template(row: Row[Any]) -> TeamTemplate | None:
    try:
        return TeamTemplate(
            id=row.id,
            **{name: str(getattr(row, name)) for name in TEMPLATE_LINES},
            changed=datetime.fromisoformat(row.changed).astimezone(UTC),
            version=row.version,
            request=body_of(row.request),
            person_id=row.person_id,
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        log.warning("The template %s cannot be read; it is left as it is.", row.id)
        return None
