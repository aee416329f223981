"""What people were about to order, kept on the disk: neither a refresh nor a restart loses it.

A draft belongs to the browser that made it. Whoever else opens its address gets a copy.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

DRAFT_ID = re.compile("[0-9a-f]{20}")
MOST_DRAFTS = 5_000  # of all browsers
MOST_BYTES = 1_000_000  # of one draft
MOST_MADE = 50  # tasks that a draft remembers
KEPT_SECONDS = 90 * 24 * 3600.0  # since its last change


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A draft as it lies on the disk.

    Args:
        id: stands in the page's address.
        browser: that made it; empty where a browser keeps no cookies.
        fields: of the form, as JSON; see `kling.studio.prompting.draft.Draft.from_json`.
        made: ids of the tasks that were ordered from it, the last one first.
    """

    id: str
    browser: str = ""
    fields: Mapping[str, Any]
    made: tuple[str, ...] = ()


class Drafts:
    """The folder of drafts, for threads to share.

    Args:
        folder: made if it is not there.
        clock: Unix seconds.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()
        self._written = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clear()

    def load(self, draft_id: str) -> Saved | None:
        """Return a draft, None if there is none of that id that can be read."""
        if not DRAFT_ID.fullmatch(draft_id):
            return None
        try:
            stored = json.loads(self._path(draft_id).read_text(encoding="utf-8"))
            return Saved(
                id=draft_id,
                browser=str(stored["browser"]),
                fields=dict(stored["fields"]),
                made=tuple(map(str, stored["made"])),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            log.warning("Draft %s cannot be read.", draft_id)
            return None

    def open(self, draft_id: str, browser: str) -> Saved:
        """Return the draft of an address: the own one, a copy of another browser's, or a new one."""
        found = self.load(draft_id)
        if found is not None and found.browser == browser:
            return found
        new = Saved(id=secrets.token_hex(10), browser=browser, fields=found.fields if found else {})
        if found is not None:
            with self._lock:
                self._write(new)
        return new

    def save(
        self,
        draft_id: str,
        browser: str,
        *,
        fields: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        made: tuple[str, ...] | None = None,
    ) -> bool:
        """Keep changes to a draft; what is not named stays as it is.

        Args:
            draft_id: a new one begins a draft.
            browser: that asks.
            fields: of the form, as JSON.
            texts: that are being typed, by the name of their widget: a field, or `shot_1` and so on.
            made: ids of the tasks that were ordered from it, the last one first.

        Returns:
            False if nothing was kept: it is another browser's, it is too large, or the disk refuses.
        """
        if not DRAFT_ID.fullmatch(draft_id):
            return False
        with self._lock:
            draft = self.load(draft_id) or Saved(id=draft_id, browser=browser, fields={})
            if draft.browser != browser:
                return False
            draft = replace(
                draft,
                fields=_with(draft.fields, fields or {}, texts or {}),
                made=draft.made if made is None else _newest({*draft.made, *made}),
            )
            return self._write(draft)

    def _write(self, draft: Saved) -> bool:
        self._written += 1
        if self._written % MOST_DRAFTS == 0:
            self._clear()
        content = json.dumps({"browser": draft.browser, "fields": draft.fields, "made": draft.made}).encode()
        if len(content) > MOST_BYTES:
            return False
        path = self._path(draft.id)
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        try:
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            log.warning("Draft %s cannot be kept: %s", draft.id, error)
            return False
        return True

    def _path(self, draft_id: str) -> Path:
        return self._folder / f"{draft_id}.json"

    def _clear(self) -> None:
        """Delete what nobody has touched for long; of too many, the oldest of who has the most."""
        for path in self._folder.glob("*.part"):
            path.unlink(missing_ok=True)
        files = sorted(((path.stat().st_mtime, path) for path in self._folder.iterdir()), reverse=True)
        oldest = self._clock() - KEPT_SECONDS
        kept = [path for touched, path in files if touched >= oldest]
        if len(kept) > MOST_DRAFTS:
            ranks: Counter[str] = Counter()
            ranked = []
            for place, path in enumerate(kept):
                draft = self.load(path.stem)
                browser = draft.browser if draft else ""
                ranks[browser] += 1
                ranked.append((ranks[browser], place, path))
            kept = [path for _, _, path in sorted(ranked)[:MOST_DRAFTS]]
        for path in {path for _, path in files} - set(kept):
            path.unlink(missing_ok=True)


def _newest(made: set[str]) -> tuple[str, ...]:
    """Return the ids, which begin with their time, the last one first."""
    return tuple(sorted(made, reverse=True)[:MOST_MADE])


def _with(old: Mapping[str, Any], new: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    merged = {**old, **new}
    shots = [dict(shot) for shot in merged.get("shots", ()) if isinstance(shot, Mapping)]
    for name, text in texts.items():
        number = name.removeprefix("shot_")
        if number == name:
            merged[name] = text
        elif number.isdecimal() and int(number) <= len(shots):
            shots[int(number) - 1]["prompt"] = text
    return {**merged, "shots": shots} if shots else merged
