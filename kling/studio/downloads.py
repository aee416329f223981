"""Fetches the videos of jobs that succeeded, has each of them checked once, and fetches broken ones again.

`step` starts what is due and returns when it wants to be called again; its cost grows only with what it
starts. `download_queue` says in which order videos are fetched, and `clip_rechecks` decodes them.

A video counts as gone when Kling's 30 days are over and Kling has said `GONE_ANSWERS` times in a row that it
has none. Silence and errors never prove that.
"""

from __future__ import annotations

import contextlib
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime

from kling.addresses import BadAddress, joined, origin
from kling.client import Client
from kling.errors import Actor, APIError, DownloadFailed, KlingError, MaybeSent
from kling.studio.archive import MOST_AGAIN, Archive, again, cleared_at
from kling.studio.clip_rechecks import Rechecks, is_unchecked
from kling.studio.connection import Connection, find_task
from kling.studio.download_queue import Fetch, FetchQueue
from kling.studio.jobs import SUCCEED, TERMINAL, Job, StateChanged, dump_json, json_object, task_cells
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
ELSEWHERE_PAUSE = 600.0  # seconds until the job of another account is tried again
AGAIN_PAUSES = (10.0, 600.0, 6 * 3600.0)  # seconds until a broken file is fetched again, by the copies so far
MOST_AT_A_STEP = 200  # fetches that one step takes from the queues
MOST_DRIFT = 3600.0  # seconds between both clocks; more shows that somebody has set the wall clock
MOST_NOTED = 10_000  # addresses of jobs that have not ended yet
_LATE_CELLS = frozenset(
    {"final_unit_deduction", "final_balance_deduction", "video_id", "video_duration", "updated_at"}
)


class _NoVideo(DownloadFailed):
    """Kling has answered that it has no video for a task."""


class Downloads:
    """The videos of one account.

    Only one thread may call `step`; all other methods are safe to call from any thread.

    Args:
        ledger, archive, connection: the studio's parts.
        owns: whether a job is this studio's to act on (`Accounts.owns`).
        is_deleted: says whether a video was deleted here for good, and records that where the log does not
            say so: an older log may have been put back.
        run: hands a call to a worker. With three workers a long check does not delay the two transfers.
        clock: Unix seconds, for the 30 days and for recorded times.
        monotonic: seconds of a clock that never jumps, for every pause.
        on_change: called with the id of a job of which a page has something new to show.
        wake: asks for a `step` soon.
        rng: the source of jitter.
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
        is_deleted: Callable[[str], bool] = lambda _: False,
        on_change: Callable[[str], None] = lambda _job_id: None,
        wake: Callable[[], None] = lambda: None,
        rng: random.Random | None = None,
    ) -> None:
        self._ledger, self._archive, self._connection, self._owns = ledger, archive, connection, owns
        self._run, self._clock, self._monotonic = run, clock, monotonic
        self._is_deleted, self._on_change, self._wake = is_deleted, on_change, wake
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._other_side = "The sandbox" if connection.is_sandbox else "Kling"
        self._started = clock(), monotonic()
        self._queue = FetchQueue(clock=clock, ask_pause=ASK_PAUSE[connection.is_sandbox])
        self._lock = self._queue.lock
        self._rechecks = Rechecks(
            ledger=ledger,
            archive=archive,
            run=run,
            monotonic=monotonic,
            pause=self._pause,
            on_checked=self._plan_check_or_repair,
            wake=wake,
        )
        self._generation: int | None = None  # of the ledger, when all its jobs were read last
        self._noted: dict[str, Video] = {}  # addresses of jobs that are not known to have succeeded
        self._running = 0
        self._gone = 0

    # -- for the poller and for pages ------------------------------------------------------------------------

    def note(self, job_id: str, video: Video) -> None:
        """Take a fresh address of a job's video. The job need not be known to have succeeded yet."""
        with self._lock:
            fetch = self._queue.get(job_id)
            if fetch is not None:
                self._give(fetch, video)
            elif len(self._noted) < MOST_NOTED:
                self._noted[job_id] = video

    def note_task(self, job_id: str, task: Task) -> None:
        """Record what is new of a task that has ended: its charge may come as late as its video.

        Raises:
            LedgerError: it could not be recorded.
        """
        job = self._ledger.get(job_id)
        if job is None or not task.terminal or job.state != SUCCEED:
            return
        cells = task_cells(task)
        changed = {name: cells[name] for name in _LATE_CELLS if cells[name] and cells[name] != job[name]}
        noted = {}
        if "final_balance_deduction" in changed:
            noted = dict(json_object(cells["extra"]))  # the currency of the charge
        if job.gone and task.videos and not job.unwanted:  # Kling has it after all
            noted["gone"] = None
        if noted:
            changed["extra"] = dump_json(noted)
        if changed.keys() - {"updated_at"}:
            with contextlib.suppress(StateChanged):
                job = self._ledger.append(job_id, only={SUCCEED}, **changed)
        if task.videos and _is_wanted(job):
            self._give(self._add(job), task.videos[0])

    def trouble(self, job_id: str) -> str:
        """Return why a video is not here yet, and when it is tried again; empty if nothing has failed."""
        with self._lock:
            fetch = self._queue.get(job_id)
            if fetch is None or not fetch.trouble:
                return ""
            what = "A better copy of this broken video" if fetch.is_repair else "The video"
            when = "now" if fetch.is_running else _in_words(fetch.due - self._monotonic())
            return f"{what} is not here yet: {fetch.trouble.rstrip('.')}. It is tried again {when}."

    def link(self, job_id: str) -> str:
        """Return the last known address of a video that is not safe here, empty if there is none."""
        fetch = self._queue.get(job_id)
        return fetch.link if fetch else ""

    @property
    def not_safe(self) -> tuple[int, int]:
        """How many videos are at risk, and how many are gone. Those whose 30 days are over are at risk."""
        return len(self._queue), self._gone

    @property
    def overdue(self) -> int:
        """How many of those at risk are past Kling's 30 days, without proof that they are gone."""
        return self._queue.overdue()

    @property
    def days_left(self) -> int | None:
        """In how many whole days Kling deletes the next of those at risk; None if none is ahead."""
        first = self._queue.first_deadline()
        return None if first is None else int((first - self._clock()) // 86_400)

    def fetch_now(self) -> int:
        """Try at once to fetch every video that is not here and that Kling still stores; return how many."""
        number = self._queue.hurry(self._monotonic())
        self._wake()
        return number

    # -- one step --------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """Start what is due; return the monotonic time of what is due next, None if nothing is."""
        self._read_ledger()
        now = self._monotonic()
        has_more = self._start_fetches(now)
        if not self._running:
            self._rechecks.start_due(now)
        return now if has_more else self._next_due()

    def _start_fetches(self, now: float) -> bool:
        """Hand due fetches to workers; return whether more are due than one step takes."""
        for _ in range(MOST_AT_A_STEP):
            with self._lock:
                fetch = self._queue.take(now) if self._running < AT_ONCE else None
                if fetch is None:
                    return False
                # The next try is planned before anything can fail.
                self._queue.schedule(fetch, now + self._pause(PAUSES, fetch.tries))
            job = self._ledger.get(fetch.job_id)
            is_late = fetch.is_repair and fetch.deadline < self._clock()
            is_wanted = job is not None and _is_wanted(job, repair=fetch.is_repair)
            if job is None or is_late or not is_wanted or self._was_deleted(job.id):
                self._queue.close(fetch)
            elif not self._owns(job):
                elsewhere = "the studio is connected to another account than the one that it belongs to."
                fetch.trouble = elsewhere if job.endpoint is not None else ""
                self._queue.schedule(fetch, now + ELSEWHERE_PAUSE * self._rng.uniform(1.0, 1.2))
            else:
                self._start_fetch(fetch, now)
        return True

    def _was_deleted(self, job_id: str) -> bool:
        try:
            return self._is_deleted(job_id)
        except LedgerError as error:
            log.warning("The deletion of job %s could not be recorded: %s", job_id, error)
            return True

    def _start_fetch(self, fetch: Fetch, now: float) -> None:
        with self._lock:
            fetch.tries += 1
            fetch.is_running, fetch.is_fresh = True, False
            self._running += 1
            if fetch.video is None:
                self._queue.mark_asked(now)
        try:
            self._run(lambda: self._fetch(fetch))
        except RuntimeError:  # the workers have been told to stop
            self._end_try(fetch)

    def _next_due(self) -> float | None:
        with self._lock:
            dues = [
                self._queue.next_due() if self._running < AT_ONCE else None,
                None if self._running else self._rechecks.next_due(),
            ]
            return min((due for due in dues if due is not None), default=None)

    def _pause(self, pauses: tuple[float, ...], tries: int) -> float:
        return pauses[min(tries, len(pauses) - 1)] * self._rng.uniform(0.8, 1.2)

    def _give(self, fetch: Fetch, video: Video) -> None:
        self._queue.give(fetch, video, _link("", video.url), self._monotonic())

    # -- jobs of the ledger ----------------------------------------------------------------------------------

    def _read_ledger(self) -> None:
        """Find the jobs whose video is wanted.

        All jobs are read only after another program changed the log.
        """
        if self._ledger.opening:
            return
        generation = self._ledger.generation
        if generation != self._generation:
            self._generation = generation
            self._read_ended()
            self._read_unfetched()
        for job_id in tuple(self._noted):
            job = self._ledger.get(job_id)
            if job is None or job.state in TERMINAL:
                with self._lock:
                    video = self._noted.pop(job_id)
                    if job is not None and _is_wanted(job):
                        self._give(self._add(job), video)
        # A different number shows that another part has recorded a success, or that a file is here.
        if not self._running and len(self._ledger.unfetched()) != len(self._queue):
            self._read_unfetched()

    def _read_unfetched(self) -> None:
        unfetched = dict(self._ledger.unfetched())
        with self._lock:
            new = [unfetched[job_id] for job_id in self._queue.missing(unfetched)]
            self._queue.add_all(((job.id, cleared_at(job).timestamp()) for job in new), self._monotonic())

    def _read_ended(self) -> None:
        """Count the videos that are gone, and find the files that are to be checked or fetched again."""
        ended = [job for job in self._ledger.jobs() if job.state == SUCCEED]
        with self._lock:
            self._gone = sum(job.gone and not job.unwanted for job in ended if not job["file"])
            self._rechecks.clear()
            for job in ended:
                if job.has_clip:
                    self._plan_check_or_repair(job)

    def _add(self, job: Job) -> Fetch:
        return self._queue.add(job.id, cleared_at(job).timestamp(), self._monotonic())

    def _plan_check_or_repair(self, job: Job) -> None:
        """Have a file decoded once, and fetched again if it is broken, as long as Kling still has it."""
        if "check" in job["extra"] and job.extra.get("check") != "broken":
            return
        deadline = cleared_at(job).timestamp()
        if deadline < self._clock():
            return
        if is_unchecked(job):
            self._rechecks.add(job.id)
        elif _is_wanted(job, repair=True):
            due = self._monotonic() + self._pause(AGAIN_PAUSES, again(job))
            self._queue.add_repair(job.id, deadline, due, str(job.extra.get("check_reason", ""))[:500])

    # -- one fetch, in a worker ------------------------------------------------------------------------------

    def _fetch(self, fetch: Fetch) -> None:
        before = fetch.trouble
        try:
            job = self._ledger.get(fetch.job_id)
            if job is None:
                self._queue.close(fetch)
                return
            self._fetch_file(fetch, job)
        except CheckInterrupted:
            pass
        except (KlingError, LedgerError, OSError) as error:
            self._note_failure(fetch, error)
        except Exception:
            log.exception("Fetching the video of job %s ended unexpectedly.", fetch.job_id)
            fetch.trouble = "the studio's log file says why."
            fetch.tries = max(fetch.tries, len(PAUSES))
        finally:
            self._end_try(fetch)
            # Overdue fetches would redraw too often.
            if fetch.trouble != before and fetch.deadline > self._clock():
                self._on_change(fetch.job_id)
            self._wake()

    def _fetch_file(self, fetch: Fetch, job: Job) -> None:
        client = self._connection.client()
        fetch_file = self._archive.fetch_again if fetch.is_repair else self._archive.fetch
        cells = fetch_file(job, lambda: self._address(fetch, job, client), client)
        changed = self._ledger.append(job.id, **cells)
        self._queue.close(fetch)
        self._plan_check_or_repair(changed)

    def _end_try(self, fetch: Fetch) -> None:
        with self._lock:
            fetch.is_running = False
            self._running -= 1
            pause = self._pause(PAUSES, fetch.tries - 1)  # counted from the end, however long the try took
            self._queue.schedule(fetch, max(fetch.due, self._monotonic() + pause))

    def _address(self, fetch: Fetch, job: Job, client: Client) -> Video:
        """Return the addresses of a video, asking for them by our id if they are not known."""
        if fetch.video is None:
            task = find_task(client, job)
            if task is None:
                raise _NoVideo(f"{self._other_side} does not know this task any more.")
            self.note_task(job.id, task)
            if not task.videos:
                kind = _NoVideo if task.terminal else DownloadFailed
                raise kind(f"{self._other_side} lists no video for this task.")
            fetch.video, fetch.is_fresh = task.videos[0], True
        fetch.link = _link(client.base_url, fetch.video.url)
        return fetch.video

    def _note_failure(self, fetch: Fetch, error: Exception) -> None:
        fetch.trouble = _error_words(error)
        is_denial = isinstance(error, _NoVideo)
        if isinstance(error, DownloadFailed | MaybeSent):
            fetch.video = None  # its address may have expired: ask for the task again
        if isinstance(error, DownloadFailed):
            is_denial = is_denial or (fetch.is_fresh and error.status in GONE_STATUSES)
        if fetch.is_repair:
            if is_denial and fetch.tries >= GONE_ANSWERS:
                self._queue.close(fetch)
        elif is_denial and fetch.deadline < self._clock():
            fetch.denials += 1
            self._queue.schedule(fetch, self._monotonic() + CONFIRM_PAUSE * self._rng.uniform(1.0, 1.2))
            if fetch.denials >= GONE_ANSWERS:
                self._record_gone(fetch)
        elif fetch.is_fresh:  # Kling does have a video
            fetch.denials = 0

    def _record_gone(self, fetch: Fetch) -> None:
        if self._clock_has_jumped():
            return  # nobody knows whether the 30 days are over
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        try:
            self._ledger.append(fetch.job_id, only={SUCCEED}, extra=dump_json({"gone": at}))
        except LedgerError as error:
            fetch.trouble = str(error)
            return
        with self._lock:
            self._queue.close(fetch)
            self._gone += 1

    def _clock_has_jumped(self) -> bool:
        wall, steady = self._started
        return abs((self._clock() - wall) - (self._monotonic() - steady)) > MOST_DRIFT


def _is_wanted(job: Job, *, repair: bool = False) -> bool:
    if repair:
        is_broken = job.has_clip and job.extra.get("check") == "broken"
        return is_broken and again(job) < MOST_AGAIN and not job.imported
    return job.state == SUCCEED and not job["file"] and not job.gone


def _link(base: str, url: str) -> str:
    """Return an address as a person may open it, empty if it is none."""
    try:
        link = joined(f"{base}/", url)
        origin(link)
    except BadAddress:
        return ""
    return link


def _error_words(error: Exception) -> str:
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
