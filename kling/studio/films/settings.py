"""What a film carries of its parts, in its metadata; `take_away.settings` reads it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from kling.studio.films.store import Film
from kling.studio.jobs import Job, dump_json
from kling.studio.library.facts import texts_of
from kling.studio.spending import counted_at
from kling.studio.take_away import mp4_text
from kling.studio.take_away.bundle import Taken
from kling.studio.take_away.mp4_text import COMMENT, DAY, LONGEST, TITLE, TOOL, Copy
from kling.studio.take_away.names import file_stem
from kling.studio.take_away.settings import LONGEST_TITLE, MARK, PARTS, TOOL_NAME, VERSION, carried
from kling.text import storable

START = "start"  # of a part, in seconds
_ROOM = LONGEST - 4096  # bytes of the settings of all parts; more would not be read again


def film_copy(jobs: Sequence[Job], film: Film, path: Path) -> Copy:
    """Return a copy of a film with the settings of its parts in its metadata; the file stays as it is.

    Args:
        jobs: its parts.
        film: a ready one.
        path: of its file.

    Raises:
        OSError: it cannot be read.
    """
    room = _ROOM // len(jobs)
    parts = [
        {**_within(carried(job), room), START: f"{start:.3f}"}
        for job, start in zip(jobs, film.starts, strict=True)
    ]
    words = next((text for name, text in texts_of(jobs[0]) if name.startswith(("prompt", "shot"))), "")
    title = " ".join(storable(words).split())
    texts = {
        TITLE: title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        DAY: counted_at(jobs[0]).isoformat(timespec="seconds"),
        TOOL: TOOL_NAME,
        COMMENT: dump_json({MARK: VERSION, PARTS: parts}),
    }
    return mp4_text.with_texts(path, {kind: storable(text) for kind, text in texts.items() if text})


def take_film(jobs: Sequence[Job], film: Film, path: Path, zone: tzinfo) -> Taken:
    """Return a film to take away; see `film_copy`.

    Args:
        jobs: its parts.
        film: a ready one.
        path: of its file.
        zone: whose days count.

    Raises:
        OSError: it cannot be read.
    """
    copy = film_copy(jobs, film, path)
    return Taken(f"{file_stem(jobs[0], zone)}_film.mp4", "video/mp4", copy.size, copy.chunks(), copy.tag)


def _within(record: dict[str, str], room: int) -> dict[str, str]:
    """Return a record without its longest texts, if it is too long."""
    kept = dict(record)
    while len(dump_json(kept).encode()) > room:
        del kept[max(kept, key=lambda name: len(kept[name]))]
    return kept
