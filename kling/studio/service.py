"""The studio as one object: what the pages know, and all that they know."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kling.errors import KlingError
from kling.studio.account_scan import AccountScan
from kling.studio.accounts import Accounts
from kling.studio.admission import AT_ONCE, AdmissionControl, Hold
from kling.studio.archive import Archive, free_bytes, orphans
from kling.studio.connection import Connection, connect
from kling.studio.downloads import Downloads
from kling.studio.durations import DurationEstimate, Timeline, kind_of, timeline
from kling.studio.evidence import Evidence
from kling.studio.folder import DataFolder, FolderTaken, unwritable
from kling.studio.ids import folder_mark
from kling.studio.jobs import OPEN, WAITING, Job, StateChanged
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.index import JobIndex
from kling.studio.orders import Orders, Press
from kling.studio.outlook import Outlook, Views, outlook
from kling.studio.poller import Poller
from kling.studio.prompting.previews import FOLDER as PREVIEWS
from kling.studio.prompting.previews import Previews
from kling.studio.queue_position import QueuePosition
from kling.studio.reconciler import Reconciler
from kling.studio.sender import Sender
from kling.studio.settings import Settings
from kling.studio.state.shared import SharedState
from kling.studio.video_check import VideoChecker
from kling.text_to_video import TextToVideo

__all__ = ["Check", "FolderTaken", "Studio"]

log = logging.getLogger(__name__)

LONG_LOG = 4 * 2**20  # bytes; the first page does not wait for a longer one
LOW_DISK = 500 * 2**20  # bytes; below it the pages warn


@dataclass(frozen=True, slots=True)
class Check:
    """What a free look at the account said."""

    ok: bool
    message: str


class Studio:
    """Everything behind the pages. Open one a data folder, `start` it, and `stop` it at the end.

    Args:
        settings: what the operator decided.
        connection: the account; by default the one that the settings name.
        file: the log; a test gives one that fails.
        clock: Unix seconds, only written down.
        monotonic: seconds that never jump, for every pause and age.
        run: how a call is handed to a worker; by default to a few threads, in a test it may just call it.
        rng: for jitter.
        checker: looks at files; by default in a child process.

    Raises:
        FolderTaken: another studio has the data folder, or it cannot be written.
        LedgerError: the log cannot be opened.
        StateError: the database of drafts and templates is damaged, or of a newer version.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connection: Connection | None = None,
        file: LogFile | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        run: Callable[[Callable[[], None]], object] | None = None,
        rng: random.Random | None = None,
        checker: VideoChecker | None = None,
    ) -> None:
        self.settings = settings
        self._clock, self._monotonic = clock, monotonic
        self._listeners: set[Callable[[], None]] = set()
        self._listeners_lock = threading.Lock()
        self.version = 0
        self.folder = DataFolder(settings.data_dir)
        try:
            file = file or LogFile(settings.data_dir / "history.csv")
            self.ledger = CsvLedger(
                file,
                clock=clock,
                on_change=self._log_changed,
                read_later=file.path.exists() and file.path.stat().st_size > LONG_LOG,
            )
            self.archive = Archive(settings.data_dir / "videos", checker=checker)
            self.state = SharedState(settings.data_dir, clock=clock, monotonic=monotonic)
            self.previews = Previews(settings.data_dir / PREVIEWS, on_done=lambda _name: self._changed())
            self.connection = connection or connect(settings)
            self.accounts = Accounts(settings.data_dir, settings.account, self.ledger)
        except OSError as error:
            self.folder.release()
            raise unwritable(settings.data_dir, error) from error
        except Exception:
            self.folder.release()
            raise
        self._mark_lock = threading.Lock()
        self._mark = ""
        self._senders = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        self._fetchers = ThreadPoolExecutor(3, thread_name_prefix="fetch")  # two fetch, one checks
        self._assemble(run, rng or random.Random())  # noqa: S311 - jitter, no secret

    def _assemble(self, run: Callable[[Callable[[], None]], object] | None, rng: random.Random) -> None:
        """Put the parts together that send, look up, follow and fetch."""
        ledger, monotonic, owns = self.ledger, self._monotonic, self.accounts.owns
        send, fetch = run or self._senders.submit, run or self._fetchers.submit
        self.evidence = Evidence(monotonic, changed=lambda: ledger.generation > 1)
        self.admission = AdmissionControl(ledger, owns=owns, monotonic=monotonic, rng=rng)
        self.reconciler = Reconciler(
            ledger,
            self.connection,
            self.admission,
            self.evidence,
            resend=lambda job: self.orders.send(job),  # noqa: PLW0108 - there are no orders yet
            monotonic=monotonic,
            rng=rng,
        )
        self._sender = Sender(
            ledger,
            self.admission,
            self.evidence,
            self.reconciler,
            may_spend=self.folder.check,
            monotonic=monotonic,
        )

        def hand_over(job: Job) -> None:
            def call() -> None:
                self._sender.send(job)
                self._wake()

            send(call)

        self.orders = Orders(
            ledger,
            self.admission,
            self.evidence,
            account=lambda: self.accounts.name,
            mark=self.mark,
            hand_over=hand_over,
            retired_ok=self.connection.is_sandbox,
            account_cells={} if self.connection.is_sandbox else self._price_cells(),
            clock=self._clock,
            monotonic=monotonic,
        )
        self.downloads = Downloads(
            ledger=ledger,
            archive=self.archive,
            connection=self.connection,
            owns=owns,
            run=fetch,
            clock=self._clock,
            monotonic=monotonic,
            on_change=self._changed,
            wake=self._wake,
            rng=rng,
        )
        self.scan = AccountScan(
            ledger,
            account=lambda: self.accounts.name,
            owns=owns,
            mark=self.mark,
            recognise=self.accounts.recognise,
            take_up=self.reconciler.take_up,
            note=self.downloads.note_task,
            orphans=lambda: orphans(self.archive, ledger),
            clock=self._clock,
            is_sandbox=self.connection.is_sandbox,
            on_change=self._changed,
        )
        self.poller = Poller(
            ledger=ledger,
            accounts=self.accounts,
            admission=self.admission,
            orders=self.orders,
            sender=self._sender,
            reconciler=self.reconciler,
            downloads=self.downloads,
            scan=self.scan,
            connection=self.connection,
            monotonic=monotonic,
            on_change=self._changed,
            rng=rng,
        )

    def _price_cells(self) -> dict[str, str]:
        return {"unit_price": str(self.settings.unit_price), "currency": self.settings.currency}

    def mark(self) -> str:
        """Return the mark of the data folder, which every id of ours carries.

        Raises:
            LedgerError: it cannot be kept.
        """
        with self._mark_lock:
            if not self._mark:
                try:
                    self._mark = folder_mark(self.settings.data_dir, (job.id for job in self.ledger.jobs()))
                except OSError as error:
                    raise LedgerError(f"studio.id cannot be written: {error.strerror or error}.") from error
            return self._mark

    # -- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect and follow every unfinished job; returns at once."""
        self.state.start()
        self.connection.start()
        self.poller.start()

    def stop(self) -> None:
        """Let calls that are under way end, and give the folder free."""
        self.poller.stop()
        self.archive.stop()
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._fetchers.shutdown(wait=True, cancel_futures=True)
        self.previews.stop()
        self.state.stop()
        self.connection.stop()
        self.ledger.beat()
        self.folder.release()

    # -- what a person does --------------------------------------------------------------------------------

    def order(
        self,
        request: TextToVideo,
        *,
        person: str,
        session: str,
        take: int = 1,
        parent: str = "",
        group: str = "",
    ) -> Job:
        """Order a video; see `Orders.order`. The operator's callback address goes with it."""
        press = Press(person=person, session=session, parent=parent, group=group)
        return self.orders.order(self._with_callback(request), press, take=take)

    def order_all(
        self,
        requests: Sequence[TextToVideo],
        *,
        person: str,
        session: str,
        parent: str = "",
        group: str = "",
    ) -> list[Job]:
        """Order everything that one press asks for, all of it or nothing; see `Orders.order_all`."""
        press = Press(person=person, session=session, parent=parent, group=group)
        return self.orders.order_all([self._with_callback(request) for request in requests], press)

    def _with_callback(self, request: TextToVideo) -> TextToVideo:
        callback_url = self.settings.callback_url
        return replace(request, callback_url=callback_url) if callback_url else request

    def withdraw(self, job_id: str) -> Job:
        """Take back a job that was not sent; see `Orders.withdraw`."""
        return self.orders.withdraw(job_id)

    def withdraw_group(self, group: str) -> int:
        """Take back what is not sent of a batch; see `Orders.withdraw_group`."""
        return self.orders.withdraw_group(group)

    def give_up(self, job_id: str) -> Job:
        """End a job that is looked up for long, at a risk; see `Orders.give_up`."""
        return self.orders.give_up(job_id)

    def send_again(self, job_id: str) -> None:
        """Send a job that was left to a person, with its own id; see `Orders.send_again`."""
        self.orders.send_again(job_id, owns=self.owns)

    def left(self) -> list[Job]:
        """Return the jobs of the account that wait for a person to send or withdraw them."""
        return [job for job in self.ledger.index.left() if self.owns(job)]

    def send_left(self) -> int:
        """Send every job that was left to a person; return how many."""
        count = 0
        for job in self.left():
            with contextlib.suppress(StateChanged):
                self.send_again(job.id)
                count += 1
        return count

    def resume(self) -> None:
        """Try what is held now, and ask again for what was not answered."""
        self.admission.resume()
        self.accounts.ask_again()
        self._log_changed()

    def scan_account(self) -> None:
        """Compare the account with the log now; see `AccountScan`."""
        self.scan.request()
        self._wake()

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Take in tasks that a scan found; see `AccountScan.take_in`."""
        count = self.scan.take_in(task_ids)
        self._wake()
        return count

    def hint(self, job_id: str, task_id: str = "") -> None:
        """Look soon at a task that somebody says has changed; see `Poller.wake_for`."""
        self.poller.wake_for(job_id, task_id)

    def check_connection(self) -> Check:
        """Ask the account for a few tasks, and a file host for the first bytes of a video; both are free.

        The second is tried because a network may let this machine talk to the API and not to the files' host,
        and a video that cannot be fetched is paid for all the same.
        """
        name = "The sandbox" if self.connection.is_sandbox else "Kling"
        try:
            client = self.connection.client()
            page = client.list(page_size=30)
        except KlingError as error:
            meaning = getattr(error, "meaning", None)
            words = f"{meaning.what} {meaning.remedy} ({error})" if meaning else str(error)
            return Check(ok=False, message=words)
        self.resume()
        url = next((video.url for task in page for video in task.videos), "")
        if not url:
            words = (
                " No video is there yet to try the files' host with."
                if not self.connection.is_sandbox
                else ""
            )
            return Check(ok=True, message=f"{name} answers and accepts the key.{words}")
        try:
            client.can_fetch(url)
        except KlingError as error:
            return Check(ok=False, message=f"{name} answers, but its videos cannot be fetched. {error}")
        return Check(ok=True, message=f"{name} answers and accepts the key, and its videos can be fetched.")

    # -- what a page shows ---------------------------------------------------------------------------------

    @property
    def account(self) -> str:
        """The name of the account in use, as new jobs are recorded under it."""
        return self.accounts.name

    def job(self, job_id: str) -> Job | None:
        """Return one job."""
        return self.ledger.get(job_id)

    @property
    def lists(self) -> JobIndex:
        """What a page shows a part of: the newest jobs, a batch, the clips."""
        return self.ledger.index

    def earlier_prompts(self, person: str, most: int) -> list[str]:
        """Return what this person asked for before, each prompt once, the last one first."""
        return self.lists.prompts(person, most)

    @property
    def running(self) -> int:
        """How many jobs of the account have been sent and have not ended."""
        return sum(job.state in OPEN - {WAITING} for job in self.admission.own_jobs())

    @property
    def waiting(self) -> int:
        """How many jobs of the account wait to be sent."""
        return sum(job.state == WAITING for job in self.admission.own_jobs())

    @property
    def not_safe(self) -> tuple[int, int]:
        """How many videos are at risk, and how many are gone; every other one is in our own copy."""
        return self.downloads.not_safe

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What keeps jobs from being sent right now."""
        return self.admission.holds

    def queue_position(self, job: Job) -> QueuePosition | None:
        """Return where a waiting job stands and why it waits, None for a job that does not wait."""
        return self.queue_positions().get(job.id) if job.state == WAITING else None

    def queue_positions(self) -> dict[str, QueuePosition]:
        """Return `queue_position` of all waiting jobs at once, by id."""
        return self.admission.positions()

    def explain(self, job: Job) -> Outlook | None:
        """Return why a job is where it is, what is tried next and when, and who has to act; see `outlook`."""
        return outlook(
            job,
            Views(
                owns=self.owns,
                position=self.queue_position,
                reconciler=self.reconciler,
                usual=self.usual,
                missing_since=self.poller.missing_since,
                trouble=lambda: self.poller.trouble,
                download_trouble=self.downloads.trouble,
                clock=self._clock,
                monotonic=self._monotonic,
            ),
        )

    def nothing_spent(self, job: Job) -> bool:
        """Whether a page may say that nothing was spent for a job that came to nothing (`evidence`)."""
        return job.state not in OPEN and self.evidence.nothing_spent(job)

    def usual(self, what: TextToVideo | Job) -> DurationEstimate | None:
        """Return how long a job of this account, model, mode and duration usually takes, if known."""
        if isinstance(what, TextToVideo):
            return self.ledger.times.usual((self.account, what.model_name, what.mode or "", what.duration))
        return self.ledger.times.usual(kind_of(what))

    def timeline(self, job: Job) -> Timeline:
        """Return how the time of a job was spent: waiting here, queued at Kling, processing."""
        return timeline(job, datetime.fromtimestamp(self._clock(), UTC))

    def owns(self, job: Job) -> bool:
        """Whether a job belongs to the account in use; others are shown, and left alone."""
        return self.accounts.owns(job)

    @property
    def warnings(self) -> Iterator[str]:
        """What an operator should know, in words for a page."""
        if self.ledger.opening:
            yield "The log is being read. What is in it appears by itself."
        if self.ledger.failure:
            yield self.ledger.failure
        if self.poller.trouble:
            yield self.poller.trouble
        yield from self.ledger.warnings
        yield from self._money_warnings()
        yield from self.state.warnings
        with contextlib.suppress(OSError):
            if (room := free_bytes(self.settings.data_dir)) < LOW_DISK:
                yield f"The disk of the data folder has {room / 2**20:,.0f} MB left. Make room."

    def _money_warnings(self) -> Iterator[str]:
        for other in self.accounts.others:
            videos = "1 paid video" if other.count == 1 else f"{other.count:,} paid videos"
            yield (
                f"{videos} of the account {other.name} cannot be followed with the key in use. Set a key of "
                f"that account; Kling keeps the last of them until {other.until:%d %B %Y}."
            )
        stuck, why = self.reconciler.trouble()
        if stuck:
            jobs = "1 job is" if stuck == 1 else f"{stuck:,} jobs are"
            yield (
                f"{jobs} being looked up, and Kling does not answer. {why} Check the key, the base URL and "
                "the connection."
            )
        found = self.scan.findings
        if found.needs_operator:
            yield found.trouble
        if found.is_complete and found.of_others and not self.ledger.index.tasks:
            yield (
                f"The log is empty, and Kling has {found.of_others:,} tasks of another data folder. If they "
                "are this studio's, its data volume is not mounted, or STUDIO_DATA_DIR names another folder."
            )
        if found.maybe_ours:
            yield (
                f"Kling has {len(found.maybe_ours):,} tasks that may be this studio's and that the log does "
                "not know. See History, Compare with Kling."
            )

    # -- changes -------------------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, from any thread; return what ends that."""
        with self._listeners_lock:
            self._listeners.add(listener)

        def unsubscribe() -> None:
            with self._listeners_lock:
                self._listeners.discard(listener)

        return unsubscribe

    def _log_changed(self) -> None:
        self._wake()
        self._changed()

    def _wake(self) -> None:
        if poller := getattr(self, "poller", None):
            poller.wake()

    def _changed(self) -> None:
        with self._listeners_lock:
            self.version += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:  # a page that is going must not break off an order
                log.debug("A listener has gone.", exc_info=True)
