"""Which jobs make a film: each one begins with the last frame of the one before it.

A job that was ordered so says that it goes on with its parent (`Press.continues`). A clip that got its sound
afterwards stands in the place of the silent one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kling.studio.jobs import Job

MOST_PARTS = 40  # of a film; with the longest clips these are ten minutes
SOUND = "video2audio"  # the endpoint whose result has the pictures of its parent

Get = Callable[[str], Job | None]
MadeFrom = Callable[[str], Sequence[Job]]


def continues(job: Job) -> bool:
    """Whether a job begins with the last frame of its parent."""
    return bool(job.parent) and job.extra.get("continues") is True


def film_to(job: Job, get: Get) -> tuple[Job, ...]:
    """Return the jobs of the film that ends with a job, the first one first; the job alone if it begins one.

    Args:
        job: the last part.
        get: returns a job by its id.
    """
    parts, seen = [job], {job.id}
    current = job
    while len(parts) < MOST_PARTS:
        before = get(_silent(current, get).parent) if continues(_silent(current, get)) else None
        if before is None or before.id in seen:  # a file that a person changed may go in a circle
            break
        seen.add(before.id)
        parts.append(before)
        current = before
    return tuple(reversed(parts))


def film_with(job: Job, get: Get, made_from: MadeFrom) -> tuple[Job, ...]:
    """Return the longest film that a job is a part of; of several that go on, the newest with a clip.

    It does not go on with one that is hidden.

    Args:
        job: any part.
        get: returns a job by its id.
        made_from: returns the jobs whose parent has an id, such as `JobIndex.made_from`.
    """
    last, seen = job, {job.id}
    while len(seen) < MOST_PARTS:
        following = [
            each for each in made_from(last.id) if continues(each) and each.has_clip and not each.hidden
        ]
        following = [each for each in following if each.id not in seen]
        if not following:
            break
        last = max(following, key=lambda each: (each.ordered_at, each.id))
        seen.add(last.id)
    return film_to(last, get)


def is_film(jobs: Sequence[Job], get: Get) -> bool:
    """Whether two or more jobs, in this order, are parts of a film that follow one another.

    Args:
        jobs: any.
        get: as for `film_to`.
    """
    parts = film_to(jobs[-1], get)[-len(jobs) :] if len(jobs) > 1 else ()
    return [part.id for part in parts] == [job.id for job in jobs] if parts else False


def clips_with(job: Job, get: Get, made_from: MadeFrom) -> tuple[Job, ...]:
    """Return the parts of a job's film that can be joined: those in a row around it whose clips are here.

    There is none if the job has no clip, and one if no clip goes on with another.

    Args:
        job: any part.
        get: as for `film_with`.
        made_from: likewise.
    """
    parts: list[Job] = []
    for part in film_with(job, get, made_from):
        if part.has_clip and not part.erased:
            parts.append(part)
        elif job in parts:
            break
        else:
            parts.clear()
    return tuple(parts) if job in parts else ()


def _silent(job: Job, get: Get) -> Job:
    """Return the job that has made the pictures of a clip."""
    if job["endpoint"] == SOUND and job.parent:
        return get(job.parent) or job
    return job
