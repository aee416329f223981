"""Which jobs make a film: each one begins with the last frame of the one before it.

A job that was ordered so says that it goes on with its parent (`Press.continues`). A clip that got its sound
afterwards has the pictures of the silent one, and stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from kling.studio.jobs import Job

MOST_PARTS = 40  # of a film; with the longest clips these are ten minutes
SOUND = "video2audio"  # the endpoint whose result has the pictures of its parent

Get = Callable[[str], Job | None]
MadeFrom = Callable[[str], Sequence[Job]]


def continues(job: Job) -> bool:
    """Whether a job begins with the last frame of its parent."""
    return bool(job.parent) and job.extra.get("continues") is True


def film_with(job: Job, get: Get, made_from: MadeFrom) -> tuple[Job, ...]:
    """Return the longest film that a job is a part of, the first part first; the job alone if it is in none.

    Of several clips that go on with one, it takes the newest, and none that is hidden. Where a part got sound
    afterwards, the newest clip with sound stands in its place, unless that is hidden or gone. The job itself
    is in the film, whichever of them it is.

    Args:
        job: any part.
        get: returns a job by its id.
        made_from: returns the jobs whose parent has an id, such as `JobIndex.made_from`.
    """
    here = _silent(job, get)

    def shown(silent: Job) -> Job:
        if silent.id == here.id:
            return job
        _, *with_sound = _versions(silent, made_from)
        with_sound = [each for each in with_sound if is_there(each) and not each.hidden]
        return max(with_sound, key=_age, default=silent)

    last, seen = here, {here.id}
    while len(seen) < MOST_PARTS:
        after = {
            each.id: each
            for version in _versions(last, made_from)
            for each in made_from(version.id)
            if _goes_on(each) and each.id not in seen
        }
        following = [each for each in after.values() if (clip := shown(each)).has_clip and not clip.hidden]
        if not following:
            break
        last = max(following, key=_age)
        seen.add(last.id)
    parts = tuple(shown(silent) for silent in _chain_to(last, get))
    return parts if job in parts else (job,)  # a file that a person changed may go in a circle


def is_film(jobs: Sequence[Job], get: Get) -> bool:
    """Whether two or more jobs, in this order, are parts of a film that follow one another.

    Args:
        jobs: any.
        get: as for `film_with`.
    """
    parts = _chain_to(_silent(jobs[-1], get), get)[-len(jobs) :] if len(jobs) > 1 else ()
    return [part.id for part in parts] == [_silent(job, get).id for job in jobs] if parts else False


def is_there(job: Job) -> bool:
    """Whether a job has a clip that can be joined."""
    return job.has_clip and not job.erased


def has_others(job: Job, without: Collection[str], get: Get, made_from: MadeFrom) -> bool:
    """Whether another clip can take the place of a job's in its film: with sound, or the silent one.

    Args:
        job: any part.
        without: ids of jobs that do not count, the job's own among them.
        get: as for `film_with`.
        made_from: likewise.
    """
    versions = _versions(_silent(job, get), made_from)
    return any(is_there(each) and not each.hidden and each.id not in without for each in versions)


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
        if is_there(part):
            parts.append(part)
        elif job in parts:
            break
        else:
            parts.clear()
    return tuple(parts) if job in parts else ()


def _goes_on(job: Job) -> bool:
    return continues(job) and job["endpoint"] != SOUND


def _chain_to(last: Job, get: Get) -> tuple[Job, ...]:
    """Return the jobs that have made the pictures of a film, up to one of them."""
    parts, seen = [last], {last.id}
    while len(parts) < MOST_PARTS and _goes_on(parts[-1]):
        parent = get(parts[-1].parent)
        before = None if parent is None else _silent(parent, get)
        if before is None or before.id in seen:  # a file that a person changed may go in a circle
            break
        seen.add(before.id)
        parts.append(before)
    return tuple(reversed(parts))


def _silent(job: Job, get: Get) -> Job:
    """Return the job that has made the pictures of a clip."""
    seen = {job.id}
    while job["endpoint"] == SOUND and (parent := get(job.parent)) is not None and parent.id not in seen:
        seen.add(parent.id)
        job = parent
    return job


def _versions(silent: Job, made_from: MadeFrom) -> list[Job]:
    """Return the jobs whose clips have the same pictures: the silent one first."""
    return [silent, *(each for each in made_from(silent.id) if each["endpoint"] == SOUND)]


def _age(job: Job) -> tuple[datetime, str]:
    return job.ordered_at, job.id
