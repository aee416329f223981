"""The second line of a row: why a job has no clip, else what was ordered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kling.studio.jobs import FAILED, NOT_SENT, UNKNOWN, WITHDRAWN, Job
from kling.studio.queue_position import QueuePosition
from kling.studio.reconciler import klings_words
from kling.studio.remedies import NOTHING_SPENT, RemedyKind, remedy
from pages._ui.context import studio
from pages._ui.current_user import sees_prices
from pages._ui.format import in_local_time, order_line, state
from pages._ui.job_status import not_saved
from pages._ui.words import FILE_DELETED, IMPORTED

LONGEST = 200  # characters
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def second_line(job: Job, told: Mapping[str, Any], place: QueuePosition | None) -> tuple[str, str]:
    """Return it, and its tone: `bad`, `warn`, or empty.

    Args:
        job: of the row.
        told: what the script is told of it (`stage.facts.of_job`).
        place: in line, if it waits there.
    """
    look = told["look"]
    words, tone = "", ""
    if job.deleted:
        words = FILE_DELETED
    elif look != "done" and job.imported:
        words = IMPORTED
    elif look != "done" and (risk := not_saved(job, datetime.now(UTC))):
        words, tone = risk, "warn"
    elif look == "failed":
        words, tone = _why(job), "bad"
    elif look == "made":
        words = ", ".join(filter(None, [told.get("say", ""), told.get("usual", "")]))
    elif look == "held" and place is not None:
        why = in_local_time(place.why)
        words, tone = f"{why[:1].upper()}{why[1:]}", "warn"
    elif look == "waiting" and place is not None:
        words = in_local_time(place.words)
    elif job.state in {NOT_SENT, UNKNOWN, WITHDRAWN}:
        words, tone = in_local_time(_first(job.message)), "" if job.state == WITHDRAWN else "warn"
    return (words, tone) if words else (order_line(job), "")


def _why(job: Job) -> str:
    """Return why a job failed in a sentence, and that nothing was spent where that is proved."""
    spent = NOTHING_SPENT if studio().nothing_spent(job) else ""
    what = remedy(job, nothing_spent=False, prices=sees_prices())
    is_policy = what is not None and what.kind is RemedyKind.EDIT_PROMPT  # Kling's words for it say less
    words = "" if is_policy else _first(klings_words(job))
    words = words or (what.text if what is not None and job.state == FAILED else state(job)[0])
    return " ".join(filter(None, [words if words.endswith((".", "!", "?")) else f"{words}.", spent]))


def _first(text: str) -> str:
    """Return the first sentence of a text, cut if that is long."""
    sentence = _SENTENCE.split(" ".join(text[: 2 * LONGEST].split()), maxsplit=1)[0]
    return sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST].rstrip()}…"
