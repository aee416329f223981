"""The team's own templates: whole orders with a name, one file each, in the data folder.

Everybody may add, change and delete. Nothing is lost when two do so at once: a change says which version it
changes, and a file that cannot be read is put aside, never overwritten.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kling.studio.prompting import import_request
from kling.text_to_video import TextToVideo

log = logging.getLogger(__name__)

FOLDER = "templates"  # in the data folder
MOST = 500  # templates
MOST_BYTES = 100_000  # of one
_ID = re.compile("[0-9a-f]{16}")
_LIMITS = {"title": 80, "category": 40, "teaches": 300, "author": 80}  # characters


class TeamTemplateError(Exception):
    """A template was not saved; the message says why and what helps."""


class ChangedMeanwhile(TeamTemplateError):
    """Somebody else has changed or deleted it since it was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamTemplate:
    """One template of the team.

    Args:
        id: ours; names its file.
        title: one line, not empty.
        category: one line, may be empty.
        teaches: a note; may be empty.
        author: who saved this version.
        changed: when, in UTC.
        version: counts the changes, from 1.
        request: the whole order; it may be unfinished.
    """

    id: str
    title: str
    category: str
    teaches: str
    author: str
    changed: datetime
    version: int
    request: TextToVideo


class TeamTemplates:
    """The folder of templates, for threads to share. One studio owns it, and reads it once.

    Args:
        folder: made when the first one is saved.
        clock: Unix seconds.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()
        self._all: dict[str, TeamTemplate] = {}
        self.unreadable: tuple[str, ...] = ()
        self._load()

    def all(self) -> tuple[TeamTemplate, ...]:
        """Return every template, by title."""
        with self._lock:
            found = list(self._all.values())
        return tuple(sorted(found, key=lambda each: (each.title.casefold(), each.id)))

    def add(
        self, request: TextToVideo, *, title: str, category: str = "", teaches: str = "", author: str = ""
    ) -> TeamTemplate:
        """Save an order as a new template; another of the same title stays beside it.

        Raises:
            TeamTemplateError: it has no title, is too large, there are too many, or it cannot be written.
        """
        new = TeamTemplate(
            id=secrets.token_hex(8),
            title=title,
            category=category,
            teaches=teaches,
            author=author,
            changed=self._now(),
            version=1,
            request=request,
        )
        with self._lock:
            if len(self._all) >= MOST:
                raise TeamTemplateError(f"There are {MOST:,} templates already: delete some first.")
            return self._keep(new)

    def update(self, seen: TeamTemplate, *, author: str = "", **changes: Any) -> TeamTemplate:
        """Change a template.

        Args:
            seen: as it was shown to who changes it.
            author: who does.
            changes: new values of `title`, `category`, `teaches` or `request`.

        Raises:
            ChangedMeanwhile: it is not what was shown any more; nothing was overwritten.
            TeamTemplateError: as `add`.
        """
        with self._lock:
            self._check(seen)
            new = replace(seen, author=author, changed=self._now(), version=seen.version + 1, **changes)
            return self._keep(new)

    def delete(self, seen: TeamTemplate) -> None:
        """Delete a template.

        Raises:
            ChangedMeanwhile: it is not what was shown any more.
            TeamTemplateError: its file cannot be deleted.
        """
        with self._lock:
            self._check(seen)
            try:
                self._path(seen.id).unlink(missing_ok=True)
            except OSError as error:
                raise TeamTemplateError(f"The template cannot be deleted: {error.strerror}.") from error
            del self._all[seen.id]

    def _check(self, seen: TeamTemplate) -> None:
        now = self._all.get(seen.id)
        if now is None:
            raise ChangedMeanwhile("Somebody has deleted this template. Save yours as a new one.")
        if now.version != seen.version:
            raise ChangedMeanwhile(
                f"{now.author or 'Somebody'} has changed this template meanwhile. Look at it again, or save "
                "yours as a new one."
            )

    def _keep(self, template: TeamTemplate) -> TeamTemplate:
        new = replace(
            template,
            title=_line(template, "title"),
            category=_line(template, "category"),
            teaches=_line(template, "teaches"),
            author=_line(template, "author"),
            request=replace(template.request, external_task_id="", callback_url=""),  # of one task, not of it
        )
        if not new.title:
            raise TeamTemplateError("Give the template a name.")
        content = json.dumps(_to_json(new), indent=1).encode()
        if len(content) > MOST_BYTES:
            raise TeamTemplateError(
                f"This is too long for a template: {len(content):,} of {MOST_BYTES:,} bytes."
            )
        try:
            self._write(self._path(new.id), content)
        except OSError as error:
            raise TeamTemplateError(f"The template could not be written: {error.strerror}.") from error
        self._all[new.id] = new
        return new

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _load(self) -> None:
        broken = []
        for path in sorted(self._folder.glob("*.json")) if self._folder.is_dir() else ():
            try:
                template = _from_json(path)
            except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                broken.append(_put_aside(path))
            else:
                self._all[template.id] = template
        self.unreadable = tuple(broken)

    def _path(self, template_id: str) -> Path:
        return self._folder / f"{template_id}.json"

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _put_aside(path: Path) -> str:
    aside = path.with_suffix(".unreadable")
    if aside.exists():
        aside = path.with_suffix(f".{secrets.token_hex(4)}.unreadable")
    try:
        path.rename(aside)
    except OSError:
        aside = path
    log.warning("The template %s cannot be read.", aside)
    return f"A template could not be read. Its file is kept as {aside.parent.name}/{aside.name}."


def _line(template: TeamTemplate, field: str) -> str:
    text: str = getattr(template, field)
    return " ".join(text.split())[: _LIMITS[field]].strip()


def _to_json(template: TeamTemplate) -> dict[str, Any]:
    return {
        **{name: getattr(template, name) for name in _LIMITS},
        "changed": template.changed.isoformat(),
        "version": template.version,
        "request": template.request.to_wire(),
    }


def _from_json(path: Path) -> TeamTemplate:
    if not _ID.fullmatch(path.stem) or path.stat().st_size > MOST_BYTES:
        raise ValueError(path.name)
    stored = json.loads(path.read_text(encoding="utf-8"))
    lines = {name: stored[name][:most] for name, most in _LIMITS.items()}
    changed = datetime.fromisoformat(stored["changed"]).astimezone(UTC)
    if not all(isinstance(line, str) for line in lines.values()) or not isinstance(stored["version"], int):
        raise TypeError(path.name)
    return TeamTemplate(
        id=path.stem,
        **lines,
        changed=changed,
        version=stored["version"],
        request=import_request.parse_request(json.dumps(stored["request"])).request,
    )
