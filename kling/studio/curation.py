"""What people say of a job, as cells of a row: star, rating, tags, note, hidden. Each can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kling.studio.jobs import MOST_RATING, TAKEN_BACK, Job, who_is
from kling.studio.library.normal import normalise
from kling.text import storable

LONGEST_NOTE = 2_000  # characters
LONGEST_TAG = 40
MOST_TAGS = 20  # of one job
MOST_JOBS = 1_000  # that are changed together


class CurationError(ValueError):
    """A value that cannot be kept; the text names the field and the remedy. Nothing was recorded."""


def star_cells(job: Job, by: str, by_name: str, *, on: bool) -> dict[str, str]:
    """Return the cells that give a person's star or take it back; none if it is so already."""
    known = job.opinions.get(who_is(by, by_name))
    return {} if bool(known and known.star) == on else {"star": "1" if on else TAKEN_BACK}


def rating_cells(job: Job, by: str, by_name: str, rating: int) -> dict[str, str]:
    """Return the cells of a person's rating; none if it is so already.

    Args:
        job: that is rated.
        by: id of the person; empty where there is no sign-in.
        by_name: their name.
        rating: 1 to 5, 0 for none.

    Raises:
        CurationError: it is another number.
    """
    if not 0 <= rating <= MOST_RATING:
        raise CurationError(f"Rating: choose 1 to {MOST_RATING}, or none.")
    known = job.opinions.get(who_is(by, by_name))
    return {} if (known.stars if known else 0) == rating else {"rating": str(rating or TAKEN_BACK)}


def note_cells(job: Job, text: str) -> dict[str, str]:
    """Return the cells of a note; an empty one takes it back.

    Raises:
        CurationError: it is too long.
    """
    note = storable(text, 4 * LONGEST_NOTE).strip()
    if len(note) > LONGEST_NOTE:
        raise CurationError(f"Note: it has {len(note):,} characters; {LONGEST_NOTE:,} fit. Shorten it.")
    note = "" if note == TAKEN_BACK else note
    return {} if note == job["note"] else {"note": note or TAKEN_BACK}


def tag_cells(job: Job, tags: Iterable[str]) -> dict[str, str]:
    """Return the cells of all tags of a job; none if it has these already.

    Raises:
        CurationError: there are too many, or one is too long.
    """
    chosen = clean_tags(tags)
    return {} if chosen == job.tags else {"tags": ", ".join(chosen) or TAKEN_BACK}


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: on one line, without commas, each spelling once.

    Raises:
        CurationError: there are too many, or one is too long.
    """
    found: dict[str, str] = {}
    for text in tags:
        for part in storable(text).split(","):
            shown = " ".join("".join(char if char.isprintable() else " " for char in part).split())
            if shown != TAKEN_BACK and (key := normalise(shown)):
                found.setdefault(key, shown)
    if long := [tag for tag in found.values() if len(tag) > LONGEST_TAG]:
        raise CurationError(f"Tags: “{long[0][:LONGEST_TAG]}…” is too long; {LONGEST_TAG} characters fit.")
    if len(found) > MOST_TAGS:
        raise CurationError(f"Tags: {len(found)} are too many; a clip has {MOST_TAGS} at most.")
    return tuple(found.values())


def hidden_cells(job: Job, *, on: bool) -> dict[str, str]:
    """Return the cells that hide a job or show it again; none if it is so already."""
    return {} if job.hidden == on else {"hidden": "1" if on else TAKEN_BACK}


def check_count(job_ids: Sequence[str]) -> None:
    """Refuse to change too many jobs at once.

    Raises:
        CurationError: there are more than `MOST_JOBS`.
    """
    if len(job_ids) > MOST_JOBS:
        raise CurationError(
            f"Selection: {len(job_ids):,} are too many at once; choose {MOST_JOBS:,} at most."
        )
