"""Fetches the videos of jobs that succeeded, checks all of each once, and fetches broken ones again.

`step` starts what is due, costs as much as that, and returns when it wants to be called again.
A job whose video is wanted waits in one of four queues:

    KNOWN        the address of its video is known, mostly because the poller has just seen it
    AT_RISK      Kling keeps its video for now, and has to be asked for the address
    CONFIRMING   Kling's 30 days are over, and it has said at least once that it has no video any more
    OVERDUE      Kling's 30 days are over, and it has not said so yet

A later queue waits for an earlier one, and two calls to Kling are at least `ASK_PAUSE` apart, so that tens of
thousands of old jobs keep nobody waiting. A video counts as gone when its 30 days are over and Kling has said
`GONE_ANSWERS` times in a row that it has none. Silence and errors never make it so.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import random
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum

from kling.addresses import BadAddress, joined, origin
from kling.client import Client
from kling.errors import Actor, APIError, DownloadFailed, KlingError, MaybeSent
from kling.studio.archive import MOST_AGAIN, Archive, again, cleared_at
from kling.studio.connection import Connection, find_task
from kling.studio.jobs import SUCCEED, TERMINAL, Job, StateChanged, dump_json, task_cells
from kling.studio.ledger import Ledger, LedgerError
from kling.studio.video_check import CheckInterrupted
from kling.tasks import Task, Video

log = logging.getLogger(__name__)

AT_ONCE = 2  # videos that are fetched together
PAUSES = (2.0, 5.0, 15.0, 60.0, 300.0, 3600.0)  # seconds between tries to fetch, the last one for ever
CONFIRM_PAUSE = 3600.0  # seconds between two answers that a video is gone
GONE_ANSWERS = 3
GONE_STATUSES = frozenset({403, 404, 410})  # of a link that Kling has just given
ASK_PAUSE = {True: 0.1, False: 1.5}  # seconds between two calls: to the sandbox, to Kling
ELSEWHERE_PAUSE = 600.0  # seconds until the job of another account is looked at again
AGAIN_PAUSES = (10.0, 600.0, 6 * 3600.0)  # seconds until a broken file is fetched again, by the copies so far
CHECK_PAUSES = (60.0, 600.0, 3600.0)  # seconds until a check that came to nothing is made again
MOST_AT_A_STEP = 200  # jobs that one step takes from the queues
MOST_DRIFT = 3600.0  # seconds between both clocks; more is somebody who has set the wall clock
_LATE_CELLS = frozenset(
    {"final_unit_deduction", "final_balance_deduction", "video_id", "video_duration", "updated_at"}
)
MOST_NOTED = 10_000  # addresses of jobs that have not ended yet


class _Rank(IntEnum):
    KNOWN, AT_RISK, CONFIRMING, OVERDUE = range(4)


@dataclass(slots=True, eq=False)
class _Fetch:
    """A video that is to be fetched.

    Args:
        job_id: whose it is.
        deadline: Unix seconds when Kling clears it.
        is_repair: our copy is broken, and a better one is wanted.
        due: monotonic seconds; an entry of a queue with another time is out of date.
        tries: since it was met.
        is_running, is_closed: a worker has it; it is not wanted any more.
        video: its addresses, if they are known.
        is_fresh: they are from an answer to this try.
        link: its address for a person.
        trouble: why the last try failed, in words.
        answers: how often in a row Kling has said that it has no video.
    """

    job_id: str
    deadline: float
    is_repair: bool = False
    due: float = 0.0
    tries: int = 0
    is_running: bool = False
    is_closed: bool = False
    video: Video | None = field(default=None, repr=False)
    is_fresh: bool = False
    link: str = field(default="", repr=False)
    trouble: str = ""
    answers: int = 0


_Entry = tuple[float, float, int, _Fetch]  # due, what is more urgent at the same time, a tie-break


class _NoVideo(DownloadFailed):
    """Kling has answered that it has no video for a task."""


class Downloads:
    """The videos of one account.

    Only one thread may call `step`; everything else is for any thread.

    Args:
        ledger, archive, connection: the studio's parts.
        owns: whether a job belongs to the account in use.
        run: hands a call to a worker; three workers keep a long check from holding up two transfers.
        clock: Unix seconds, for the 30 days and for what is written down.
        monotonic: seconds that never jump, for every pause.
        on_change: told when a page has something new to show.
        wake: asks for a `step` soon.
        rng: for jitter.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        archive: Archive,
        connection: Connection,
        owns: Callable[[Job], bool],
        run: Callable[[Callable[[], None]], object],
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
        wake: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._ledger, self._archive, self._connection, self._owns = ledger, archive, connection, owns
        self._run, self._clock, self._monotonic = run, clock, monotonic
        self._on_change, self._wake = on_change, wake
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._who = "The sandbox" if connection.is_sandbox else "Kling"
        self._started = clock(), monotonic()
        self._lock = threading.RLock()
        self._order = itertools.count()
        self._generation: int | None = None
        self._fetches: dict[str, _Fetch] = {}  # of jobs without a file
        self._repairs: dict[str, _Fetch] = {}
        self._noted: dict[str, Video] = {}  # of jobs that are not known to have succeeded
        self._queues: dict[_Rank, list[_Entry]] = {rank: [] for rank in _Rank}
        self._deadlines: list[float] = []  # of `_fetches`, sorted
        self._running = 0
        self._gone = 0
        self._next_ask = float("-inf")
        self._checks: list[tuple[float, int, str]] = []
        self._check_tries: dict[str, int] = {}
        self._is_checking = False

    # -- what others tell and ask ----------------------------------------------------------------------------

    def note(self, job_id: str, video: Video) -> None:
        """Take a fresh address of a job's video; it need not be known yet that the job has succeeded."""
        with self._lock:
            fetch = self._fetches.get(job_id) or self._repairs.get(job_id)
            if fetch is None:
                if len(self._noted) < MOST_NOTED:
                    self._noted[job_id] = video
                return
            self._give(fetch, video)

    def note_task(self, job_id: str, task: Task) -> None:
        """Record what is new of a task that has ended: its charge may come as late as its video.

        Raises:
            LedgerError: it could not be recorded.
        """
        job = self._ledger.get(job_id)
        if job is None or not task.terminal or job.state != SUCCEED:
            return
        cells = {name: cell for name, cell in task_cells(task).items() if name in _LATE_CELLS}
        changed = {name: cell for name, cell in cells.items() if cell and cell != job[name]}
        if job.gone and task.videos:  # Kling has it after all
            changed["extra"] = dump_json({"gone": None})
        if changed.keys() - {"updated_at"}:
            with contextlib.suppress(StateChanged):
                job = self._ledger.append(job_id, only={SUCCEED}, **changed)
        if task.videos and _is_wanted(job):
            with self._lock:
                self._give(self._fetches.get(job_id) or self._add(job, self._monotonic()), task.videos[0])

    def trouble(self, job_id: str) -> str:
        """Return why a video is not here yet, and when it is tried again; empty if nothing has failed."""
        with self._lock:
            fetch = self._fetches.get(job_id) or self._repairs.get(job_id)
            if fetch is None or not fetch.trouble:
                return ""
            what = "A better copy of this broken video" if fetch.is_repair else "The video"
            when = "now" if fetch.is_running else _in_words(fetch.due - self._monotonic())
            return f"{what} is not here yet: {fetch.trouble.rstrip('.')}. It is tried again {when}."

    def link(self, job_id: str) -> str:
        """Return the last known address of a video that is not safe here, empty if there is none."""
        with self._lock:
            fetch = self._fetches.get(job_id) or self._repairs.get(job_id)
            return fetch.link if fetch else ""

    @property
    def not_safe(self) -> tuple[int, int]:
        """How many videos are at risk, and how many are gone. Those whose 30 days are over are at risk."""
        return len(self._fetches), self._gone

    @property
    def overdue(self) -> int:
        """How many of those at risk are past Kling's 30 days, without proof that they are gone."""
        with self._lock:
            return bisect_right(self._deadlines, self._clock())

    # -- one step --------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Start what is due; return the monotonic time of what is due next, None if nothing is."""
        self._take_over()
        now = self._monotonic()
        more = self._start_fetches(now)
        self._start_check(now)
        return now if more else self._next_due()

    def _start_fetches(self, now: float) -> bool:
        """Hand due fetches to workers; return whether there are more than one step takes."""
        for _ in range(MOST_AT_A_STEP):
            with self._lock:
                fetch = self._next(now) if self._running < AT_ONCE else None
                if fetch is None:
                    return False
                self._schedule(fetch, now + self._pause(PAUSES, fetch.tries))  # before anything can fail
            job = self._ledger.get(fetch.job_id)
            is_late = fetch.is_repair and fetch.deadline < self._clock()
            if job is None or is_late or not _is_wanted(job, repair=fetch.is_repair):
                self._close(fetch)
            elif not self._owns(job):
                fetch.trouble = "the studio is connected to another account than the one that it belongs to."
                self._schedule(fetch, now + ELSEWHERE_PAUSE * self._rng.uniform(1.0, 1.2))
            else:
                self._start_fetch(fetch, now)
        return True

    def _start_fetch(self, fetch: _Fetch, now: float) -> None:
        with self._lock:
            fetch.tries += 1
            fetch.is_running, fetch.is_fresh = True, False
            self._running += 1
            if fetch.video is None:
                self._next_ask = now + ASK_PAUSE[self._connection.is_sandbox]
        try:
            self._run(lambda: self._fetch(fetch))
        except RuntimeError:  # the workers have been told to stop
            self._let_go(fetch)

    def _start_check(self, now: float) -> None:
        """Hand a due check to a worker: one at a time, and only while nothing is fetched."""
        with self._lock:
            if self._is_checking or self._running or not self._checks or self._checks[0][0] > now:
                return
            _, _, job_id = heapq.heappop(self._checks)
            self._is_checking = True
        try:
            self._run(lambda: self._check(job_id))
        except RuntimeError:  # the workers have been told to stop
            self._is_checking = False

    def _next_due(self) -> float | None:
        with self._lock:
            dues = []
            if self._running < AT_ONCE:
                for rank, queue in self._queues.items():
                    if queue:
                        due = queue[0][0]
                        dues.append(due if rank == _Rank.KNOWN else max(due, self._next_ask))
            if self._checks and not self._running and not self._is_checking:
                dues.append(self._checks[0][0])
            return min(dues, default=None)

    # -- the queues ------------------------------------------------------------------------------------------

    def _next(self, now: float) -> _Fetch | None:
        """Take the next due fetch from the queues."""
        for rank, queue in self._queues.items():
            while queue and queue[0][0] <= now and (rank == _Rank.KNOWN or self._next_ask <= now):
                due, _, _, fetch = heapq.heappop(queue)
                if due != fetch.due or fetch.is_closed or fetch.is_running:  # `_let_go` makes a new entry
                    continue
                if (right := self._rank(fetch)) != rank:
                    self._schedule(fetch, due)
                    if right < rank:
                        return self._next(now)
                    continue
                return fetch
        return None

    def _rank(self, fetch: _Fetch) -> _Rank:
        if fetch.video is not None:
            return _Rank.KNOWN
        if fetch.deadline > self._clock():
            return _Rank.AT_RISK
        return _Rank.CONFIRMING if fetch.answers else _Rank.OVERDUE

    def _schedule(self, fetch: _Fetch, due: float) -> None:
        with self._lock:
            fetch.due = due
            if not fetch.is_closed:
                rank = self._rank(fetch)
                # Of those that are overdue, the youngest may still be there.
                urgency = -fetch.deadline if rank >= _Rank.CONFIRMING else fetch.deadline
                heapq.heappush(self._queues[rank], (due, urgency, next(self._order), fetch))

    def _pause(self, pauses: tuple[float, ...], tries: int) -> float:
        return pauses[min(tries, len(pauses) - 1)] * self._rng.uniform(0.8, 1.2)

    def _give(self, fetch: _Fetch, video: Video) -> None:
        with self._lock:
            if fetch.video == video:
                return
            fetch.video = video
            fetch.link = _link("", video.url) or fetch.link
            if not fetch.is_running:  # it moves to another queue
                is_new = not fetch.tries and not fetch.is_repair
                self._schedule(fetch, self._monotonic() if is_new else fetch.due)

    def _close(self, fetch: _Fetch) -> None:
        """Forget a fetch, because it is done or not wanted any more."""
        with self._lock:
            if fetch.is_closed:
                return
            fetch.is_closed = True
            (self._repairs if fetch.is_repair else self._fetches).pop(fetch.job_id, None)
            if not fetch.is_repair:
                at = bisect_left(self._deadlines, fetch.deadline)
                if at < len(self._deadlines) and self._deadlines[at] == fetch.deadline:
                    del self._deadlines[at]

    # -- what the ledger has ---------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Take over what is new in the ledger. All of it is looked at only when somebody else changed it."""
        if self._ledger.opening:
            return
        generation = self._ledger.generation
        if generation != self._generation:
            self._generation = generation
            self._take_over_ended()
            self._take_over_unfetched()
        for job_id in tuple(self._noted):
            job = self._ledger.get(job_id)
            if job is None or job.state in TERMINAL:
                with self._lock:
                    video = self._noted.pop(job_id)
                    if job is not None and _is_wanted(job):
                        self._give(self._fetches.get(job_id) or self._add(job, self._monotonic()), video)
        # Otherwise somebody else has recorded that a job succeeded, or that its file is here.
        if not self._running and len(self._ledger.unfetched()) != len(self._fetches):
            self._take_over_unfetched()

    def _take_over_unfetched(self) -> None:
        unfetched, now = dict(self._ledger.unfetched()), self._monotonic()
        with self._lock:
            for job_id in self._fetches.keys() - unfetched.keys():
                self._close(self._fetches[job_id])
            new = [job for job_id, job in unfetched.items() if job_id not in self._fetches]
            if len(new) > 1:  # all at once: one by one each would move all others
                deadlines = [*self._deadlines, *(self._add(job, now, counted=False).deadline for job in new)]
                self._deadlines = sorted(deadlines)
            else:
                for job in new:
                    self._add(job, now)

    def _take_over_ended(self) -> None:
        """Count what is gone, and find the files that are to be checked or fetched again."""
        gone = 0
        files = []
        for job in self._ledger.jobs():
            if job.state == SUCCEED:
                if job["file"]:
                    files.append(job)
                else:
                    gone += job.gone
        with self._lock:
            self._gone = gone
            self._checks = []
            for job in files:
                self._follow_up(job)

    def _add(self, job: Job, now: float, *, counted: bool = True) -> _Fetch:
        with self._lock:
            fetch = _Fetch(job.id, cleared_at(job).timestamp())
            self._fetches[job.id] = fetch
            if counted:
                insort(self._deadlines, fetch.deadline)
            self._schedule(fetch, now)
            return fetch

    def _follow_up(self, job: Job) -> None:
        """See to a file while Kling still has it: decode all of it once, fetch it again if it is broken."""
        if "check" in job["extra"] and job.extra.get("check") != "broken":
            return
        deadline = cleared_at(job).timestamp()
        if deadline < self._clock():
            return
        with self._lock:
            if _is_unchecked(job):
                heapq.heappush(self._checks, (self._monotonic(), next(self._order), job.id))
            elif _is_wanted(job, repair=True) and job.id not in self._repairs:
                fetch = self._repairs[job.id] = _Fetch(job.id, deadline, is_repair=True)
                fetch.trouble = str(job.extra.get("check_reason", ""))[:500]
                self._schedule(fetch, self._monotonic() + self._pause(AGAIN_PAUSES, again(job)))

    # -- in a worker -----------------------------------------------------------------------------------------

    def _fetch(self, fetch: _Fetch) -> None:
        before = fetch.trouble
        try:
            job = self._ledger.get(fetch.job_id)
            if job is None:
                self._close(fetch)
                return
            client = self._connection.client()
            take = self._archive.fetch_again if fetch.is_repair else self._archive.fetch
            cells = take(job, lambda: self._address(fetch, client), client)
            job = self._ledger.append(job.id, **cells)
            self._close(fetch)
            self._follow_up(job)
        except CheckInterrupted:
            pass
        except (KlingError, LedgerError, OSError) as error:
            self._note_failure(fetch, error)
        except Exception:
            log.exception("Fetching the video of job %s ended unexpectedly.", fetch.job_id)
            fetch.trouble = "the studio's log file says why."
            fetch.tries = max(fetch.tries, len(PAUSES))
        finally:
            self._let_go(fetch)
            if fetch.trouble != before and fetch.deadline > self._clock():  # others are too many, and too old
                self._on_change()
            self._wake()

    def _let_go(self, fetch: _Fetch) -> None:
        with self._lock:
            fetch.is_running = False
            self._running -= 1
            pause = self._pause(PAUSES, fetch.tries - 1)  # after its end, however long it took
            self._schedule(fetch, max(fetch.due, self._monotonic() + pause))

    def _address(self, fetch: _Fetch, client: Client) -> Video:
        """Return the addresses of a video, asking for them by our id if they are not known."""
        if fetch.video is None:
            task = find_task(client, fetch.job_id)
            if task is None:
                raise _NoVideo(f"{self._who} does not know this task any more.")
            self.note_task(fetch.job_id, task)
            if not task.videos:
                kind = _NoVideo if task.terminal else DownloadFailed
                raise kind(f"{self._who} lists no video for this task.")
            fetch.video, fetch.is_fresh = task.videos[0], True
        fetch.link = _link(client.base_url, fetch.video.url)
        return fetch.video

    def _note_failure(self, fetch: _Fetch, error: Exception) -> None:
        fetch.trouble = _words_of(error)
        is_proof = isinstance(error, _NoVideo)
        if isinstance(error, DownloadFailed | MaybeSent):
            fetch.video = None  # its address may have expired: ask for the task again
        if isinstance(error, DownloadFailed):
            is_proof = is_proof or (fetch.is_fresh and error.status in GONE_STATUSES)
        if fetch.is_repair:
            if is_proof and fetch.tries >= GONE_ANSWERS:
                self._close(fetch)
        elif is_proof and fetch.deadline < self._clock():
            fetch.answers += 1
            self._schedule(fetch, self._monotonic() + CONFIRM_PAUSE * self._rng.uniform(1.0, 1.2))
            if fetch.answers >= GONE_ANSWERS:
                self._record_gone(fetch)
        elif fetch.is_fresh:  # Kling does have a video
            fetch.answers = 0

    def _record_gone(self, fetch: _Fetch) -> None:
        if self._clock_has_jumped():
            return  # nobody knows whether the 30 days are over
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        try:
            self._ledger.append(fetch.job_id, only={SUCCEED}, extra=dump_json({"gone": at}))
        except LedgerError as error:
            fetch.trouble = str(error)
            return
        with self._lock:
            self._close(fetch)
            self._gone += 1

    def _clock_has_jumped(self) -> bool:
        wall, steady = self._started
        return abs((self._clock() - wall) - (self._monotonic() - steady)) > MOST_DRIFT

    def _check(self, job_id: str) -> None:
        is_done = False
        try:
            job = self._ledger.get(job_id)
            if job is not None and _is_unchecked(job):
                job = self._ledger.append(job_id, **self._archive.check(job))
                self._follow_up(job)
            is_done = True
        except CheckInterrupted:
            pass
        except (KlingError, LedgerError, OSError) as error:
            log.warning("The video of job %s could not be checked: %s", job_id, _words_of(error))
        except Exception:
            log.exception("Checking the video of job %s ended unexpectedly.", job_id)
        finally:
            with self._lock:
                tries = self._check_tries.pop(job_id, 0)
                if not is_done:
                    self._check_tries[job_id] = tries + 1
                    due = self._monotonic() + self._pause(CHECK_PAUSES, tries)
                    heapq.heappush(self._checks, (due, next(self._order), job_id))
                self._is_checking = False
            self._wake()


def _is_wanted(job: Job, *, repair: bool = False) -> bool:
    if repair:
        is_broken = job.has_clip and job.extra.get("check") == "broken"
        return is_broken and again(job) < MOST_AGAIN
    return job.state == SUCCEED and not job["file"] and not job.gone


def _is_unchecked(job: Job) -> bool:
    return job.has_clip and "check" not in job.extra


def _link(base: str, url: str) -> str:
    """Return an address as a person may open it, empty if it is none."""
    try:
        link = joined(f"{base}/", url)
        origin(link)
    except BadAddress:
        return ""
    return link


def _words_of(error: Exception) -> str:
    if isinstance(error, APIError):
        remedy = f" {error.meaning.remedy}" if error.meaning.actor is Actor.OPERATOR else ""
        return f"{error.meaning.what}{remedy} (code {error.code})"
    if isinstance(error, OSError):
        return f"the disk answers: {error.strerror or error}."
    return str(error)


def _in_words(seconds: float) -> str:
    if seconds < 90:
        return "in a moment" if seconds < 20 else "in a minute"
    return (
        f"in about {round(seconds / 60)} minutes"
        if seconds < 5400
        else f"in about {round(seconds / 3600)} hours"
    )
