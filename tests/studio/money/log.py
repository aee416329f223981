"""The log as a stranger reads it, and what people, programs and backups do to it.

The reading follows the description of the log in README, not the studio's code: an oracle of its own.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

UNSENT = ("waiting", "intent", "unknown", "not_sent")
ENDED_UNSENT = ("failed", "withdrawn")
ACCEPTED_BY_NAME = frozenset({"submitted", "processing", "succeed"})
OF_A_TASK = ("task_id", "task_status_msg", "created_at", "updated_at", "video_id", "file")
ACCEPTED = ("submitted", "processing", "failed", "succeed")  # the later, the stronger
OF_MONEY = re.compile(
    r"nothing (was|is|has been) (spent|paid|charged|bought|sent)|not? charged|free of charge|costs? nothing",
    re.IGNORECASE,
)
MIXED_UP = ("any order", "sorted by state", "newest first", "every row twice")
LOST = ("an earlier copy", "a part", "cut off", "deleted", "emptied", "only the header")
EDITED = ("ids rounded", "dates without a zone", "words of an old version")


def records(data: bytes) -> list[bytes]:
    """Return the whole lines, the header first."""
    return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)


def rows(data: bytes) -> Iterator[Mapping[str, str]]:
    """Read the records that are whole."""
    lines = records(data)
    header: list[str] = []
    for cells in csv.reader(line.decode("utf-8-sig", "replace") for line in lines):
        if not header:
            header = cells
        elif len(cells) == len(header):
            yield dict(zip(header, cells, strict=True))


def states(data: bytes) -> dict[str, str]:
    """Return what each job is by all of its rows: accepted for ever, if one of them shows it."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for row in rows(data):
        if job_id := row["external_task_id"]:
            found.setdefault(job_id, []).append((row["state"], any(row[name] for name in OF_A_TASK)))
    return {job_id: _fold(said) for job_id, said in found.items()}


def _fold(said: list[tuple[str, bool]]) -> str:
    """Return the state that rows say, each with whether it holds something of a task."""
    shown = [state for state, of_a_task in said if of_a_task or state in ACCEPTED_BY_NAME]
    if shown:
        return max((state for state in shown if state in ACCEPTED), key=ACCEPTED.index, default="submitted")
    names = [state for state, _ in said]
    for ended in ENDED_UNSENT:
        if ended in names:
            return ended
    return next((state for state in reversed(names) if state in UNSENT), "")


class Copies:
    """Copies of a log as it was at earlier times, and of what lies beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seal = path.with_name(path.name + ".seal")
        self._kept: list[tuple[bytes, bytes | None]] = []

    def keep(self) -> bytes:
        """Make a copy if there is something new, and return what the log holds."""
        data = self.path.read_bytes() if self.path.exists() else b""
        if data and (not self._kept or self._kept[-1][0] != data):
            self._kept.append((data, self.seal.read_bytes() if self.seal.exists() else None))
        return data

    def change(self, what: str, choice: random.Random, *, in_place: bool) -> bytes:
        """Do something to the log; return what it holds then."""
        data = self.path.read_bytes() if self.path.exists() else b""
        if what == "deleted":
            self.path.unlink(missing_ok=True)
            return b""
        changed = self._changed(what, data, choice)
        if in_place:
            self.path.write_bytes(changed)
        else:
            part = self.path.with_name("history.new")
            part.write_bytes(changed)
            part.replace(self.path)
        return changed

    def restore_all(self, choice: random.Random) -> bytes:
        """Put back a copy of the log together with what lay beside it."""
        if not self._kept:
            return self.keep()
        data, seal = choice.choice(self._kept)
        self.path.write_bytes(data)
        if seal is None:
            self.seal.unlink(missing_ok=True)
        else:
            self.seal.write_bytes(seal)
        return data

    def _changed(self, what: str, data: bytes, choice: random.Random) -> bytes:
        if what == "an earlier copy":
            return choice.choice(self._kept)[0] if self._kept else data
        if what == "emptied":
            return b""
        if what == "cut off":
            return data[: choice.randint(0, len(data))]
        header, *lines = records(data) or [b""]
        return b"".join([header, *_OF_LINES[what](header, lines, choice)])


_OF_LINES: dict[str, Callable[[bytes, list[bytes], random.Random], list[bytes]]] = {
    "any order": lambda _header, lines, choice: choice.sample(lines, len(lines)),
    "a part": lambda _header, lines, choice: [line for line in lines if choice.random() < 0.5],
    "sorted by state": lambda header, lines, _choice: sorted(
        lines, key=lambda line: line.split(b",")[header.split(b",").index(b"state")]
    ),
    "newest first": lambda _header, lines, _choice: lines[::-1],
    "every row twice": lambda _header, lines, _choice: lines * 2,
    "only the header": lambda _header, _lines, _choice: [],
    "ids rounded": lambda _header, lines, _choice: [  # as a spreadsheet does with 18 digits
        re.sub(rb"(?<=,)8(\d)\d{16}(?=,)", rb"8.\1E+17", line) for line in lines
    ],
    "dates without a zone": lambda _header, lines, _choice: [line.replace(b"+00:00", b"") for line in lines],
    "words of an old version": lambda header, lines, _choice: [
        _with_old_words(header, line) for line in lines
    ],
}


def _with_old_words(header: bytes, line: bytes) -> bytes:
    """Return a row with what versions before this one wrote into it."""
    names = header.decode("utf-8-sig").rstrip("\n").split(",")
    cells = next(csv.reader([line.decode("utf-8", "replace")]))
    if len(cells) != len(names) or '"' in line.decode("utf-8", "replace"):
        return line
    at = names.index("message")
    cells[at] = f"{cells[at]} Nothing was spent.".strip()
    return (",".join(cells) + "\n").encode() if not any("," in cell for cell in cells) else line
