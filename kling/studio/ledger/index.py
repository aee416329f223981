"""The jobs in the parts that pages list: the newest, a batch, the clips. A part costs as much as it holds."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TypeVar

from kling.endpoint import ENDPOINTS
from kling.studio.jobs import NOT_SENT, OPEN, SUCCEED, Job
from kling.studio.jobs.columns import column_of
from kling.studio.visible_names import name_key

Item = TypeVar("Item")

MOST_LOOKED_AT = 5_000  # orders of one person, for a list of the latest that have some words
# Two orders with the same of these cells asked for the same.
_REQUEST = tuple(
    dict.fromkeys(
        column_of(name)
        for endpoint in ENDPOINTS
        for name in endpoint.request.FIELDS
        if name not in {"external_task_id", "callback_url"}
    )
)


class JobIndex:
    """Every job of a ledger, by batch, parent, state and so on. The job that was ordered last comes first.

    Each change of a job updates all of it. The prompt of a job never changes, and its person only from none.
    A job whose import was undone is found by its id and among `jobs`, and nowhere else, until it is imported
    again, maybe with other words.

    Args:
        lock: the ledger's, which it holds while it makes a change.
    """

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._jobs: dict[str, Job] = {}
        self._retracted: set[str] = set()
        self._ids: list[str] = []  # in the order in which they were ordered
        self._positions: dict[str, int] = {}  # of each id in `_ids`
        self._states: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, str, str]] = Counter()  # by account, model and state
        self._batches: dict[str, dict[str, None]] = {}
        self._made_from: dict[str, dict[str, None]] = {}
        self._prompts: dict[str, dict[str, int]] = {}  # how often each person ordered each
        self._ordered_by: dict[str, dict[str, None]] = {}
        self._people: Counter[str] = Counter()
        self._spellings: dict[str, str] = {}  # of names, the first one, by `name_key`
        # A card shows all clips of a batch, or one clip without a batch. Its position is that of its newest
        # clip.
        self._cards: list[int] = []  # positions, sorted
        self._cards_of_batches: dict[str, int] = {}
        self._open: dict[str, Job] = {}
        self._unfetched: dict[str, Job] = {}
        self._left: dict[str, Job] = {}
        self._all_open: tuple[Job, ...] | None = ()
        self._all_unfetched: Mapping[str, Job] | None = MappingProxyType({})
        self.clips = 0  # jobs with a video in the archive that nobody has hidden

    def update(self, job: Job) -> None:
        """Take in a job that is new or has changed."""
        cells = job.cells
        job_id, state = cells.get("external_task_id", ""), cells.get("state") or job.state
        before = self._jobs.get(job_id)
        self._jobs[job_id] = job
        group, parent = cells.get("batch", ""), cells.get("parent", "")
        has_clip = state == SUCCEED and "file" in cells and _is_shown(job)
        had_clip, old_group = False, ""
        if before is None:
            position = self._positions[job_id] = len(self._ids)
            self._ids.append(job_id)
        else:
            position = self._positions[job_id]
            had_clip, old_group = _is_shown(before), before.group
            if old_group and old_group != group:
                self._batches[old_group].pop(job_id, None)
            if before.parent and before.parent != parent:
                self._made_from[before.parent].pop(job_id, None)
        self._count(job_id, before, job)
        if group:
            self._batches.setdefault(group, {})[job_id] = None
        if parent:
            self._made_from.setdefault(parent, {})[job_id] = None
        if has_clip != had_clip or (has_clip and group != old_group):
            if had_clip:
                self._remove_clip(position, old_group)
            if has_clip:
                self._add_clip(position, group)
        self._update_unfinished(job_id, job, state)

    def _count(self, job_id: str, before: Job | None, job: Job) -> None:
        """Count a job by state, kind and person as it is now, and no longer as it was."""
        was = None if before is None or job_id in self._retracted else before
        now = None if job.retracted else job
        (self._retracted.add if now is None else self._retracted.discard)(job_id)
        for each, step in ((was, -1), (now, 1)):
            if each is not None:
                self._states[each.state] += step
                self._kinds[each["account"], each["model_name"], each.state] += step
        if was is None or now is None or (now["person"] and not was["person"]):
            if was is not None:
                self._forget_person(job_id, was)
            if now is not None:
                self._note_person(job_id, now)

    def _note_person(self, job_id: str, job: Job) -> None:
        person = job["person"]
        if not self._people[person]:
            self._spellings.setdefault(name_key(person), person)
        self._people[person] += 1
        self._ordered_by.setdefault(person, {})[job_id] = None
        if prompt := job["prompt"]:
            prompts = self._prompts.setdefault(person, {})
            prompts[prompt] = prompts.pop(prompt, 0) + 1  # a repeated prompt becomes the latest one

    def _forget_person(self, job_id: str, job: Job) -> None:
        person, prompt = job["person"], job["prompt"]
        self._people[person] -= 1
        self._ordered_by[person].pop(job_id, None)
        prompts = self._prompts.get(person, {})
        if prompt in prompts:
            prompts[prompt] -= 1
            if not prompts[prompt]:
                del prompts[prompt]
        key = name_key(person)
        if not self._people[person] and self._spellings.get(key) == person:
            del self._spellings[key]
            others = (name for name, count in self._people.items() if count > 0 and name_key(name) == key)
            if (other := next(others, None)) is not None:
                self._spellings[key] = other

    def _update_unfinished(self, job_id: str, job: Job, state: str) -> None:
        if state == NOT_SENT:
            self._left[job_id] = job
        else:
            self._left.pop(job_id, None)
        if state in OPEN:
            self._open[job_id] = job
            self._all_open = None
        elif self._open.pop(job_id, None) is not None:
            self._all_open = None
        if state == SUCCEED and not job.cells.get("file") and not job.gone:
            self._unfetched[job_id] = job
            self._all_unfetched = None
        elif self._unfetched.pop(job_id, None) is not None:
            self._all_unfetched = None

    def _add_clip(self, position: int, group: str) -> None:
        self.clips += 1
        if group:
            newest = self._cards_of_batches.get(group)
            if newest is not None:
                if newest > position:
                    return
                self._remove_card(newest)
            self._cards_of_batches[group] = position
        insort(self._cards, position)

    def _remove_clip(self, position: int, group: str) -> None:
        self.clips -= 1
        if not group:
            self._remove_card(position)
        elif self._cards_of_batches[group] == position:
            self._remove_card(position)
            del self._cards_of_batches[group]
            clips = [job_id for job_id in self._batches[group] if _is_shown(self._jobs[job_id])]
            if clips:
                newest = max(self._positions[job_id] for job_id in clips)
                self._cards_of_batches[group] = newest
                insort(self._cards, newest)

    def _remove_card(self, position: int) -> None:
        del self._cards[bisect_left(self._cards, position)]

    # -- for the studio's parts ----------------------------------------------------------------------------

    def left(self) -> list[Job]:
        """Return the jobs that were left to a person to send or withdraw, the first ordered first."""
        with self._lock:
            return sorted(self._left.values(), key=lambda job: self._positions[job.id])

    def get(self, job_id: str) -> Job | None:
        """Return a job, None if there is none of that id."""
        return self._jobs.get(job_id)

    def jobs(self) -> tuple[Job, ...]:
        """Return every job, the first ordered first."""
        with self._lock:
            return tuple(self._jobs.values())

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in a state of `OPEN`."""
        with self._lock:
            if self._all_open is None:
                self._all_open = tuple(self._open.values())
            return self._all_open

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded and whose video is neither in the archive nor gone."""
        with self._lock:
            if self._all_unfetched is None:
                self._all_unfetched = MappingProxyType(dict(self._unfetched))
            return self._all_unfetched

    # -- for pages -----------------------------------------------------------------------------------------

    @property
    def tasks(self) -> int:
        """How many jobs there are."""
        return len(self._jobs) - len(self._retracted)

    @property
    def cards(self) -> int:
        """How many cards it takes to show all clips."""
        return len(self._cards)

    def count(self, state: str) -> int:
        """Return how many jobs are in a state."""
        return self._states[state]

    def counts(self) -> Mapping[tuple[str, str, str], int]:
        """Return how many jobs there are by account, model and state."""
        with self._lock:
            return {kind: count for kind, count in self._kinds.items() if count}

    def newest(self, start: int, stop: int) -> list[Job]:
        """Return a part of all jobs: from position `start` up to, but without, `stop`."""
        with self._lock:
            if not self._retracted:
                return [self._jobs[job_id] for job_id in _part(self._ids, start, stop)]
            shown = (job_id for job_id in reversed(self._ids) if job_id not in self._retracted)
            return [self._jobs[job_id] for job_id in islice(shown, start, stop)]

    def batch(self, group: str) -> list[Job]:
        """Return the jobs of a batch, without those whose import was undone."""
        return [job for job in self._all(self._batches.get(group, {})) if not job.retracted]

    def made_from(self, job_id: str) -> list[Job]:
        """Return the jobs that were remixed from this one, without those whose import was undone."""
        return [job for job in self._all(self._made_from.get(job_id, {})) if not job.retracted]

    def people(self) -> list[tuple[str, int]]:
        """Return the names that jobs were ordered under, and how many under each; the most first."""
        with self._lock:
            return [(name, count) for name, count in self._people.most_common() if name and count > 0]

    def spelling(self, name: str) -> str:
        """Return a name as it was written first, whatever its case, blanks and accents now."""
        return self._spellings.get(name_key(name), name)

    def prompts(self, person: str, most: int) -> list[str]:
        """Return the latest prompts of a person, each once, at most `most` of them."""
        with self._lock:
            return list(islice(reversed(self._prompts.get(person, {})), most))

    def orders_of(self, person: str, most: int, words: Sequence[str] = ()) -> list[Job]:
        """Return the latest orders of a person, those without a text left out.

        A batch is there once, by its last job, and so is each request that was ordered alone.

        Args:
            person: the name that they were ordered under.
            most: how many at most.
            words: case-folded; each has to stand in the prompt or in the shots.
        """
        found: dict[str, Job] = {}
        with self._lock:
            ids = list(islice(reversed(self._ordered_by.get(person, {})), MOST_LOOKED_AT))
        for job_id in ids:
            job = self._jobs[job_id]
            text = f"{job['prompt']} {job['multi_prompt']}".casefold()
            if text.strip() and all(word in text for word in words):
                found.setdefault(job.group or repr([job[name] for name in _REQUEST]), job)
                if len(found) == most:
                    break
        return list(found.values())

    def page_of_cards(self, start: int, stop: int) -> list[list[Job]]:
        """Return a part of the cards, from `start` up to, but without, `stop`: the jobs of each card."""
        with self._lock:
            return [self._card(self._ids[position]) for position in _part(self._cards, start, stop)]

    def _card(self, job_id: str) -> list[Job]:
        job = self._jobs[job_id]
        return [each for each in self.batch(job.group) if _is_shown(each)] if job.group else [job]

    def _all(self, ids: Mapping[str, None]) -> list[Job]:
        with self._lock:
            newest_first = sorted(ids, key=self._positions.__getitem__, reverse=True)
            return [self._jobs[job_id] for job_id in newest_first]


def _is_shown(job: Job) -> bool:
    """Whether a card shows the clip of a job."""
    return job.has_clip and not job.hidden


def _part(items: list[Item], start: int, stop: int) -> list[Item]:
    """Return a part of the reversed list, from `start` up to, but without, `stop`."""
    size = len(items)
    return items[max(size - stop, 0) : max(size - start, 0)][::-1]
