"""The studio as one object: it puts the parts together, and the pages reach everything through it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from kling.endpoint import ENDPOINTS, AnyRequest, Endpoint, key_problems
from kling.studio import changes as topics
from kling.studio.account_books import BookKeeper
from kling.studio.account_packs import AccountPacks
from kling.studio.account_scan import AccountScan
from kling.studio.accounts import Accounts
from kling.studio.actions import Actions
from kling.studio.admission import AT_ONCE, AdmissionControl
from kling.studio.archive import Archive, orphans
from kling.studio.assistant.assistant import Assistant
from kling.studio.budgets import Budgets
from kling.studio.changes import Changes
from kling.studio.connection import Connection, connect
from kling.studio.connection_check import Check, check_connection
from kling.studio.deletion import Deletions
from kling.studio.downloads import Downloads
from kling.studio.durations import DurationEstimate, Timeline, kind_of, timeline
from kling.studio.evidence import Evidence
from kling.studio.films.store import FOLDER as FILMS
from kling.studio.films.store import Films
from kling.studio.folder import DataFolder, FolderTaken, unwritable
from kling.studio.health import Health
from kling.studio.identity.roles import User
from kling.studio.ids import MARK_FILE, folder_marks
from kling.studio.job_explanation import Explanation, Views, explain_job
from kling.studio.jobs import FOLLOWED, OPEN, WAITING, Job, request_cells
from kling.studio.ledger import AllViews, file_error
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.library import Library
from kling.studio.library.imports import Imports
from kling.studio.logs import PROMPTS
from kling.studio.notices import Notices
from kling.studio.operator_warnings import (
    account_warnings,
    disk_warnings,
    ledger_warnings,
    rights_warnings,
)
from kling.studio.orders import Orders, Press
from kling.studio.pictures.references import Cleaning
from kling.studio.pictures.store import FOLDER as PICTURES
from kling.studio.pictures.store import PictureMissing, Pictures
from kling.studio.poller import Poller
from kling.studio.prompting.previews import FOLDER as PREVIEWS
from kling.studio.prompting.previews import Previews
from kling.studio.reconciler import Reconciler
from kling.studio.sender import Sender
from kling.studio.settings import Settings
from kling.studio.share_views import SharedView, shared_view
from kling.studio.spending import Price, SpendingSums
from kling.studio.state.shared import SharedState
from kling.studio.uploads import Uploads
from kling.studio.video_check import VideoChecker
from kling.studio.visible_names import name_key

__all__ = ["Check", "FolderTaken", "Studio"]

log = logging.getLogger(__name__)

LONG_LOG = 4 * 2**20  # bytes; a longer log is read in a thread, and the first page does not wait for it


class Studio:
    """Everything behind the pages. Open one for a data folder, `start` it, and `stop` it at the end.

    Pages use its parts directly (`orders`, `ledger`, `library`, `admission`, `accounts`, `poller`,
    `downloads`, `archive`, `state`, `previews`, `scan`, `changes`); its own methods are those that need
    several parts.

    Args:
        settings: what the operator decided.
        connection: the account; by default the one that the settings name.
        file: the log; a test may give one whose writes fail.
        clock: Unix seconds, used only for times that are recorded or shown.
        monotonic: seconds of a clock that never jumps, used for every pause and age.
        run: hands a call to a worker thread; by default there are a few. A test may give a function that
            makes the call at once.
        rng: the source of jitter.
        checker: examines video files; by default in a child process.
        rest: waits so many seconds between parts of the library's work.
        on_alive: called at each sign of life of the poller.

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
        rest: Callable[[float], None] = time.sleep,
        on_alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings, self._on_alive = settings, on_alive
        self.changes = Changes(int(clock() * 1000))
        self._clock, self._monotonic = clock, monotonic
        self.folder = DataFolder(settings.data_dir)
        try:
            file = file or LogFile(settings.data_dir / "history.csv")
            self.spending = SpendingSums(
                zone=settings.timezone,
                unit_price=settings.unit_price,
                currency=settings.currency,
                accounts=lambda: self.accounts.names,
                owner_of=self._owner_of,
                clock=clock,
            )
            self.library = Library(
                settings.data_dir,
                zone=settings.timezone,
                price=Price(settings.unit_price, settings.currency),
                accounts=lambda: self.accounts.names,
                names_of=self._names_of,
                clock=clock,
                key=f"{settings.unit_price} {settings.currency}",
                jobs=lambda: self.ledger.jobs(),  # noqa: PLW0108 - `ledger` is made below
                has_room=lambda: not list(disk_warnings(settings.data_dir)),
                rest=rest,
                on_whole=lambda: self.changes.notify({topics.LIBRARY}),
            )
            self.ledger = CsvLedger(
                file,
                clock=clock,
                on_change=self._log_changed,
                view=AllViews(self.spending, self.library),
                read_later=file.path.exists() and file.path.stat().st_size > LONG_LOG,
            )
            self.pictures = Pictures(settings.data_dir / PICTURES, clock=clock)
            self.archive = Archive(settings.data_dir / "videos", checker=checker)
            self.films = Films(
                settings.data_dir / FILMS,
                self.archive.video,
                on_done=lambda _name: self.changes.notify({topics.FILMS}),
                monotonic=monotonic,
            )
            self.state = SharedState(
                settings.data_dir,
                clock=clock,
                monotonic=monotonic,
                session_hours=settings.sign_in.hours,
                idle_hours=settings.sign_in.idle_hours,
                on_roles=self.changes.notify,
            )
            self.assistant = Assistant(settings.assistant, monotonic=monotonic)
            self.uploads = Uploads(settings.data_dir)
            self.previews = Previews(
                settings.data_dir / PREVIEWS, on_done=lambda _name: self.changes.notify({topics.PREVIEWS})
            )
            self.connection = connection or connect(settings)
            self.accounts = Accounts(settings.data_dir, settings.account, self.ledger)
            self.budgets = Budgets(
                self.spending,
                account=lambda: self.accounts.name,
                names=lambda: self.accounts.names,
                store=self.state.limits_if_any,
                make_store=lambda: self.state.limits,
            )
            self._file = file
        except OSError as error:
            self.folder.release()
            raise unwritable(settings.data_dir, error) from error
        except Exception:
            self.folder.release()
            raise
        self._mark_lock = threading.Lock()
        self._marks: tuple[str, ...] = ()
        self._senders = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        self._fetchers = ThreadPoolExecutor(3, thread_name_prefix="fetch")  # two fetch, one checks
        self._assemble(run, rng or random.Random())  # noqa: S311 - jitter, no secret

    def _assemble(self, run: Callable[[Callable[[], None]], object] | None, rng: random.Random) -> None:
        """Make the parts that send, look up, follow and fetch."""
        ledger, monotonic, owns = self.ledger, self._monotonic, self.accounts.owns
        send, fetch = run or self._senders.submit, run or self._fetchers.submit
        self.evidence = Evidence(monotonic, changed=lambda: ledger.generation > 1)
        self.admission = AdmissionControl(ledger, owns=owns, monotonic=monotonic, rng=rng)
        self.reconciler = Reconciler(
            ledger,
            self.connection,
            self.admission,
            self.evidence,
            resend=lambda job: self.orders.send(job),  # noqa: PLW0108 - `orders` is made below
            monotonic=monotonic,
            rng=rng,
        )
        self.admission.holds_back = self.reconciler.holds_back
        self._sender = Sender(
            ledger,
            self.admission,
            self.evidence,
            self.reconciler,
            may_spend=self.folder.check,
            picture_bytes=self._picture_bytes,
            may_use=self.may_use,
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
            budgets=self.budgets,
            account=lambda: self.accounts.name,
            mark=self.mark,
            owns=owns,
            hand_over=hand_over,
            retired_ok=self.connection.is_sandbox,
            key_problems=lambda request: key_problems(request, self.settings.credentials),
            account_cells={} if self.connection.is_sandbox else self._price_cells(),
            clock=self._clock,
            monotonic=monotonic,
        )
        self.deletions = Deletions(ledger, self.archive, self._clock, forget=self.films.forget)
        self.picture_cleaning = Cleaning(self.pictures, ledger, self.state.texts)
        self.imports = Imports(ledger, self.archive, self._clock)
        self.downloads = Downloads(
            ledger=ledger,
            archive=self.archive,
            connection=self.connection,
            owns=owns,
            is_deleted=self.deletions.record,
            run=fetch,
            clock=self._clock,
            monotonic=monotonic,
            on_change=lambda job_id: self.changes.notify({job_id}),
            wake=self._wake,
            rng=rng,
        )
        self.scan = AccountScan(
            ledger,
            account=lambda: self.accounts.name,
            owns=owns,
            marks=self.marks,
            recognise=self.accounts.recognise,
            take_up=self.reconciler.take_up,
            note=self.downloads.note_task,
            orphans=lambda: orphans(self.archive, ledger),
            complete_deletions=self.deletions.complete,
            clock=self._clock,
            is_sandbox=self.connection.is_sandbox,
            endpoints=[endpoint for endpoint in ENDPOINTS if self.may_use(endpoint)],
            keeper=BookKeeper(
                Price(self.settings.unit_price, self.settings.currency), self.settings.timezone, self._clock
            ),
            on_change=lambda: self.changes.notify({topics.SCAN}),
        )
        self.packs = AccountPacks(
            self.connection.client,
            self.spending,
            clock=self._clock,
            monotonic=monotonic,
            on_change=lambda: self.changes.notify({topics.PACKS}),
        )
        self.notices = Notices(self._notice_facts, lambda: self.changes.notify({topics.NOTICE}), monotonic)
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
            may_use=self.may_use,
            on_change=self.notices.look,  # only banners say what its trouble is
            on_alive=self._alive,
            rng=rng,
        )
        self.health = Health(
            alive_at=lambda: self.poller.alive_at,
            log_trouble=lambda: ledger.failure or self._file.closed,
            log=self._file.path,
            check_database=self.state.check,
            monotonic=monotonic,
        )

    def _price_cells(self) -> dict[str, str]:
        return {"unit_price": str(self.settings.unit_price), "currency": self.settings.currency}

    def _owner_of(self, name: str) -> str:
        """Return the id of the person whom a name of the log was given to, from memory."""
        names = self.state.names_if_open
        return names.owner_of(name) if names else ""

    def _names_of(self, person_id: str) -> list[str]:
        """Return the keys of the names of the log that were given to a person, from memory."""
        names = self.state.names_if_open
        given = names.given() if names else ()
        return [name_key(each.name) for each in given if each.person_id == person_id]

    def mark(self) -> str:
        """Return the mark that is a part of every id that this studio makes; see `marks`."""
        return self.marks()[0]

    def marks(self) -> tuple[str, ...]:
        """Return the marks of the data folder: tasks of Kling with one of them are this studio's.

        Raises:
            LedgerError: the mark cannot be stored.
        """
        with self._mark_lock:
            if not self._marks:
                try:
                    self._marks = folder_marks(self.settings.data_dir, (job.id for job in self.ledger.jobs()))
                except OSError as error:
                    raise file_error(MARK_FILE, "written", error) from error
            return self._marks

    # -- start and stop ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect and follow every unfinished job; returns at once."""
        self.state.start()
        self.connection.start()
        self.library.start()
        self.poller.start()
        self.packs.start()
        self.picture_cleaning.start()

    def stop(self) -> None:
        """Wait for the calls that are under way, and release the folder."""
        self.picture_cleaning.stop()
        self.uploads.stop()
        self.pictures.stop()
        self.films.stop()
        self.packs.stop()
        self.poller.stop()
        self.archive.stop()
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._fetchers.shutdown(wait=True, cancel_futures=True)
        self.previews.stop()
        self.state.stop()
        self.connection.stop()
        self.ledger.beat()
        self.library.stop()
        self.folder.release()

    # -- actions of a person -------------------------------------------------------------------------------

    def now(self) -> float:
        """Return the time of day in Unix seconds."""
        return self._clock()

    def shared_view(self, token: str) -> SharedView | None:
        """Return what a shared link shows at this moment; see `share_views.shared_view`."""
        return shared_view(self, token)

    def acting_as(self, user: User) -> Actions:
        """Return what a user can change. Pages use nothing else for it: the methods below ask no role."""
        return Actions(self, user)

    def order_all(self, requests: Sequence[AnyRequest], press: Press) -> list[Job]:
        """Order everything that one press asks for, all of it or nothing; see `Orders.order_all`.

        The operator's callback address is added to each request.
        """
        jobs = self.orders.order_all([self._with_callback(request) for request in requests], press)
        _log_order(jobs)
        return jobs

    def may_use(self, endpoint: Endpoint) -> bool:
        """Whether the key of the account opens an endpoint; that of the sandbox opens all of them."""
        return endpoint.opens_for(self.settings.credentials)

    def _picture_bytes(self, sha256: str) -> bytes:
        """Return the bytes of a picture of the data folder.

        Raises:
            LookupError: it is not there.
        """
        try:
            return self.pictures.read(sha256)
        except PictureMissing as error:
            raise LookupError(str(error)) from error

    def _with_callback(self, request: AnyRequest) -> AnyRequest:
        callback_url = self.settings.callback_url
        return replace(request, callback_url=callback_url) if callback_url else request

    def resume(self) -> None:
        """End all holds now, and ask again for other accounts' tasks: somebody has acted on the account."""
        self.admission.resume()
        self.accounts.ask_again()
        self._log_changed(None)

    def scan_account(self) -> None:
        """Compare the account with the log now; see `AccountScan`."""
        self.scan.request()
        self._wake()

    def take_in(self, task_ids: Sequence[str]) -> int:
        """Take in tasks that a scan found; see `AccountScan.take_in`."""
        count = self.scan.take_in(task_ids)
        self._wake()
        return count

    def check_now(self, job_id: str) -> bool:
        """Ask Kling about a job soon; return whether it is one that Kling is asked about.

        Any number of calls cause one question a second at most; see `Poller.wake_for`.
        """
        job = self.ledger.get(job_id)
        if job is None or job.state not in FOLLOWED or not self.accounts.owns(job):
            return False
        self.poller.wake_for(job_id)
        return True

    def rescue(self) -> int:
        """Try at once to fetch every clip that is not here; return how many there are."""
        return self.downloads.fetch_now()

    def check_connection(self) -> Check:
        """Check the account and the host of its videos, free of charge; an answer ends all holds."""
        return check_connection(self.connection, on_answer=self.resume)

    # -- what a page shows ---------------------------------------------------------------------------------

    @property
    def running(self) -> int:
        """How many jobs of the account have been sent and have not ended."""
        return sum(job.state in OPEN - {WAITING} for job in self.admission.own_jobs())

    @property
    def waiting(self) -> int:
        """How many jobs of the account wait to be sent."""
        return sum(job.state == WAITING for job in self.admission.own_jobs())

    def explain(self, job: Job) -> Explanation | None:
        """Return what a job waits for, what is tried next and when, and who has to act; see `explain_job`."""
        return explain_job(
            job,
            Views(
                owns=self.accounts.owns,
                position=self.admission.position_of,
                reconciler=self.reconciler,
                usual=self.duration_estimate,
                missing_since=self.poller.missing_since,
                trouble=lambda: self.poller.trouble,
                may_use=self.may_use,
                download_trouble=self.downloads.trouble,
                clock=self._clock,
                monotonic=self._monotonic,
            ),
        )

    def nothing_spent(self, job: Job) -> bool:
        """Whether a page may say that nothing was spent for a job that ended without a task (`evidence`)."""
        return job.state not in OPEN and self.evidence.nothing_spent(job)

    def duration_estimate(self, what: AnyRequest | Job) -> DurationEstimate | None:
        """Return how long a job of this account and of the same kind usually takes, if that is known."""
        if isinstance(what, Job):
            return self.ledger.times.usual(kind_of(what))
        cells = {"account": self.accounts.name, **request_cells(what)}
        return self.ledger.times.usual(kind_of(Job(cells)))

    def timeline(self, job: Job) -> Timeline:
        """Return how the time of a job was spent: waiting here, queued at Kling, processing."""
        return timeline(job, datetime.fromtimestamp(self._clock(), UTC))

    @property
    def warnings(self) -> Iterator[str]:
        """Faults that an operator should know of, in words for a page, the worst one first."""
        yield from disk_warnings(self.settings.data_dir)
        yield from ledger_warnings(self.ledger)
        yield from self.ledger.warnings
        yield from self.state.warnings
        if self.poller.trouble:
            yield self.poller.trouble
        yield from account_warnings(self.ledger, self.accounts, self.reconciler, self.scan)
        if self.library.trouble:
            yield f"Searching goes on, but after each start it begins anew: {self.library.trouble}"
        yield from rights_warnings(self.settings.data_dir, self.settings.secrets_file)

    # -- changes -------------------------------------------------------------------------------------------

    def _log_changed(self, ids: Collection[str] | None) -> None:
        self._wake()
        if ids is None:
            self.changes.notify()
            return
        jobs = (self.ledger.get(job_id) for job_id in ids)
        is_only_in_the_making = all(job and job.state in FOLLOWED for job in jobs)
        self.changes.notify(ids if is_only_in_the_making else {*ids, topics.JOBS})

    def _notice_facts(self) -> Hashable:
        """Return what banners of pages are made of."""
        holds = [(hold.code, hold.reason, hold.needs_person) for hold in self.admission.holds]
        left = [job.id for job in self.orders.left()]
        return (*self.warnings, *self.packs.warnings(), *holds, *left)

    def _alive(self) -> None:
        """Hear a sign of life of the poller."""
        self._on_alive()
        self.notices.look()

    def _wake(self) -> None:
        if poller := getattr(self, "poller", None):  # the log may change before the poller is made
            poller.wake()


def _log_order(jobs: Sequence[Job]) -> None:
    """Log what a press has led to. The prompt is a fact that is left out unless the operator wants it."""
    for job in jobs:
        names = ("model_name", "units", "batch", *sorted(PROMPTS))
        facts = {name: job[name] for name in names if job[name]}
        log.info("Job %s was ordered.", job.id, extra={"facts": facts})
