"""The family of a job: what it was made from, what was ordered with it, and what was made from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kling.studio.jobs import Job
from kling.studio.spending import counted_at

LOOKED_AT = 60  # relatives, the nearest first
SHOWN = 6  # at first
PART = 0.4  # of a row


@dataclass(frozen=True, slots=True)
class Member:
    """One row of the tree.

    Args:
        job: it.
        depth: how many of its ancestors are rows above it.
        base: the job that it is compared with: its parent, or the first one of its batch; None for neither.
        up: how many rows above it the line begins that leads to it: at its parent, or at the one before it
            that has the same parent; a part of a row less at the parent, because it begins below it.
    """

    job: Job
    depth: int
    base: Job | None
    up: float = 1.0


@dataclass(frozen=True, slots=True)
class Family:
    """The rows of a tree, from the top.

    Args:
        members: in the order of the tree.
        more: how many relatives are known and not among them.
        is_cut: whether there may be more relatives than were looked at.
    """

    members: tuple[Member, ...]
    more: int = 0
    is_cut: bool = False


def family_of(
    job: Job,
    *,
    get: Callable[[str], Job | None],
    batch: Callable[[str], Sequence[Job]],
    made_from: Callable[[str], Sequence[Job]],
    most: int = SHOWN,
) -> Family:
    """Return the nearest relatives of a job, and the job itself.

    Args:
        job: whose family it is.
        get: gives a job by its id.
        batch: gives the jobs of a batch.
        made_from: gives the jobs that were made from one.
        most: how many rows, the job among them.
    """
    near, is_cut = _nearest(job, get, batch, made_from)
    shown = {each.id: each for each in near[:most]}
    return Family(tuple(_in_order(shown, get)), len(near) - len(shown), is_cut)


def _nearest(
    job: Job,
    get: Callable[[str], Job | None],
    batch: Callable[[str], Sequence[Job]],
    made_from: Callable[[str], Sequence[Job]],
) -> tuple[list[Job], bool]:
    """Return the job and its relatives, the nearest first, and whether there may be more."""
    found, waiting = {job.id: job}, deque([job])
    while waiting:
        one = waiting.popleft()
        parent = get(one.parent) if one.parent else None
        others = [parent] if parent is not None else []
        if one is job and one.group:
            others += sorted(batch(one.group), key=lambda each: abs(each.take - job.take))
        others += reversed(made_from(one.id))
        for each in others:
            if each.id not in found and not each.retracted:
                if len(found) == LOOKED_AT:
                    return list(found.values()), True
                found[each.id] = each
                waiting.append(each)
    return list(found.values()), False


def _in_order(shown: dict[str, Job], get: Callable[[str], Job | None]) -> Iterator[Member]:
    below: dict[str, list[Job]] = {}
    for each in sorted(shown.values(), key=lambda one: (counted_at(one), one.take, one.id)):
        below.setdefault(each.parent if each.parent in shown else "", []).append(each)
    first_of_batch = {each.group: each for each in reversed(below.get("", [])) if each.group}
    seen: dict[str, int] = {}  # the number of each row

    def rows(parent: str, depth: int) -> Iterator[Member]:
        above = start = seen.get(parent, 0)
        for each in below.get(parent, ()):
            if each.id in seen:
                continue
            seen[each.id] = number = len(seen)
            up = number - above - (PART if above == start else 0)
            above = number
            base = shown.get(each.parent) or (get(each.parent) if each.parent else None)
            if base is None and (first := first_of_batch.get(each.group)) is not None and first is not each:
                base = first
            yield Member(each, depth, base, up)
            yield from rows(each.id, depth + 1)

    yield from rows("", 0)
    for each in shown.values():  # jobs that name one another as their parent, as no studio writes it
        if each.id not in seen:
            seen[each.id] = len(seen)
            yield Member(each, 0, get(each.parent))
