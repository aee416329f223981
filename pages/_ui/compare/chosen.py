"""Which clips a link to Compare means, and why some of them cannot be played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import Job
from kling.studio.spending import counted_at
from pages._ui.compare.address import FEWEST, MOST
from pages._ui.format import counted

LONGEST = 24  # characters of an id in a sentence


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is compared.

    Args:
        jobs: with a clip that can be played, in the order of the link; four at most.
        notices: sentences about what is missing.
    """

    jobs: tuple[Job, ...]
    notices: tuple[str, ...] = ()


def chosen_of(ids: Sequence[str], get: Callable[[str], Job | None]) -> Chosen:
    """Return the clips that ids name.

    Args:
        ids: come from an address, so they may be anything.
        get: gives a job by its id.
    """
    jobs, notices = [], []
    for job_id in ids[:MOST]:
        job = get(job_id)
        if why := _trouble(job_id, job):
            notices.append(why)
        elif job is not None:
            jobs.append(job)
    if (more := len(ids) - MOST) > 0:
        notices.append(
            f"The link names {counted(more, 'clip', 'clips')} more than four: the first four are shown."
        )
    if len(jobs) < FEWEST:
        notices.append(
            "Add a clip to compare it with." if jobs else "Choose two to four clips to compare them."
        )
    return Chosen(tuple(jobs), tuple(notices))


def _trouble(job_id: str, job: Job | None) -> str:
    """Return why a clip cannot be played; empty if it can."""
    name = job_id if len(job_id) <= LONGEST else f"{job_id[:LONGEST]}…"
    if job is None or job.retracted or not PLAIN_ID.fullmatch(job_id):
        return f"The log has no clip {name}. The link may be cut off, or of another studio."
    if job.deleted:
        return f"The file of clip {name} was deleted."
    return "" if job.has_clip else f"Clip {name} is not made, or its file is not here."


def others(jobs: Sequence[Job], near: Iterator[Job], most: int) -> list[Job]:
    """Return clips that can be put in the place of these, the compared ones among them, oldest first.

    Args:
        jobs: that are compared.
        near: candidates, the nearest first.
        most: how many.
    """
    found = {job.id: job for job in jobs}
    for job in near:
        if len(found) >= most:
            break
        if job.has_clip and not job.hidden and PLAIN_ID.fullmatch(job.id):
            found.setdefault(job.id, job)
    return sorted(found.values(), key=lambda job: (counted_at(job), job.take, job.id))
