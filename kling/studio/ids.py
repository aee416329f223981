"""Our ids. Each has a mark of the data folder, so that every task at Kling shows which studio made it.

    v4fk2a7qz-019ab1c2d3e4a1b2c3d4e5f6      v, the mark, a hyphen, milliseconds and chance in hexadecimal
    v019ab1c2d3e4a1b2c3d4e5f6               as versions before 2026-11-26 made them: any folder's
    k841234567890123456                     adopted from the account: Kling's own id after a k

No id is a number to a spreadsheet, and each can be a file's name.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kling.whole_file import write_whole

MARK_FILE = "studio.id"
PLAIN_ID = re.compile("[0-9A-Za-z][0-9A-Za-z_-]{0,63}")  # any id of a job, also an imported one
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_MARKED = re.compile("v([a-z2-7]{8})-[0-9a-f]{24}")
_OLD = re.compile("v[0-9a-f]{24}")
_ADOPTED = re.compile("k([0-9][0-9A-Za-z_-]{0,62})")


def new_id(mark: str, now: float) -> str:
    """Return an id for a job that is ordered at `now` (Unix seconds)."""
    return f"v{mark}-{int(now * 1000):012x}{secrets.token_hex(6)}"


def mark_of(job_id: str) -> str | None:
    """Return the mark in an id, empty for an id of the old form, None for an id that no studio made."""
    if found := _MARKED.fullmatch(job_id):
        return found[1]
    return "" if _OLD.fullmatch(job_id) else None


def adopted_id(task_id: str) -> str | None:
    """Return the id of a task that was found in the account, None if it cannot be a file's name."""
    return f"k{task_id}" if _ADOPTED.fullmatch(f"k{task_id}") else None


def asked_by(job_id: str) -> str:
    """Return the id by which Kling is asked for a job: ours, or Kling's own for one that was adopted."""
    adopted = _ADOPTED.fullmatch(job_id)
    return adopted[1] if adopted else job_id


def our_id_of(external_task_id: str) -> str:
    """Return the id by which a task may be a job's; empty for a stranger's in the form of an adopted one."""
    return "" if _ADOPTED.fullmatch(external_task_id) else external_task_id


def stored_marks(folder: Path) -> tuple[str, ...]:
    """Return the marks in the file of a data folder, none if there is no such file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        lines = (folder / MARK_FILE).read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return ()
    marks = map(str.strip, lines)
    return tuple(dict.fromkeys(mark for mark in marks if re.fullmatch("[a-z2-7]{8}", mark)))


def store_marks(folder: Path, marks: Iterable[str]) -> None:
    """Store the marks of a data folder, a line for each.

    Raises:
        OSError: they cannot be stored.
    """
    write_whole(folder / MARK_FILE, "".join(f"{mark}\n" for mark in marks).encode())


def folder_marks(folder: Path, known: Iterable[str]) -> tuple[str, ...]:
    """Return the marks of a data folder; they are stored in a file beside the log.

    The first one is made once, and is that of new ids. `restore` adds those of what was there before it.

    Args:
        folder: of the log.
        known: the ids in the log. If the file is lost, the mark of most of these ids is taken again.

    Raises:
        OSError: the mark cannot be stored.
    """
    if stored := stored_marks(folder):
        return stored
    marks = Counter(known_mark for job_id in known if (known_mark := mark_of(job_id)))
    mark = marks.most_common(1)[0][0] if marks else "".join(secrets.choice(_LETTERS) for _ in range(8))
    store_marks(folder, [mark])
    return (mark,)
