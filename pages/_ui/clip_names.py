"""The name under which a browser keeps a clip: one that a person can read and every system can store."""

from __future__ import annotations

import re
import unicodedata

from kling.studio.jobs import Job
from pages._ui.requests import prompts_of

LONGEST_NAME = 60  # characters of the prompt
_OTHERS = re.compile(r"[\W_]+")  # neither letters nor digits


def file_name(job: Job, note: str = "") -> str:
    """Return it, such as `a-red-fox-in-the-snow-720p-20261126.mp4`.

    Only letters, digits and hyphens are in it, whatever the prompt holds.

    Args:
        job: has a clip.
        note: a word or two that tell its files apart.
    """
    words = _plain(prompts_of(job))
    if len(words) > LONGEST_NAME:  # cut between two words
        words = words[: LONGEST_NAME + 1].rpartition("-")[0] or words[:LONGEST_NAME]
    when = (job.ended_at or job.ordered_at).strftime("%Y%m%d")
    return (
        "-".join(part for part in (words or "kling", _plain(note), when, _plain(job.id[-4:])) if part)
        + ".mp4"
    )


def _plain(text: str) -> str:
    """Return text of letters and digits, with hyphens between its words."""
    return "-".join(_OTHERS.sub(" ", unicodedata.normalize("NFKC", text)).casefold().split())
