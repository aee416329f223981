"""The studio as one object: what the pages know, and all that they know."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from kling.errors import KlingError
from kling.models import TextToVideo
from kling.studio.admission import AT_ONCE, Hold
from kling.studio.archive import Archive, free_bytes, safety
from kling.studio.connection import Connection, connect
from kling.studio.craft.previews import FOLDER as PREVIEWS
from kling.studio.craft.previews import Previews
from kling.studio.craft.saved import FOLDER as TEMPLATES
from kling.studio.craft.saved import SavedTemplates
from kling.studio.drafts import Drafts
from kling.studio.jobs import OPEN, WAITING, Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import Ledger
from kling.studio.ledger.index import JobIndex
from kling.studio.orders import Orders
from kling.studio.place import Place
from kling.studio.poller import Poller
from kling.studio.settings import Settings
from kling.studio.usual import Timeline, Usual, kind_of, timeline

log = logging.getLogger(__name__)

LONG_LOG = 4 * 2**20  # bytes; the first page does not wait for a longer one
LOW_DISK = 500 * 2**20  # bytes; below it the pages warn


class FolderTaken(Exception):
    """The data folder cannot be used; the text says why and what to do."""


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
        clock: Unix seconds.
        run: how a call is handed to a worker; by default to a few threads, in a test it may just call it.

    Raises:
        FolderTaken: another studio has the data folder, or it cannot be written.
        LedgerError: the log cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        connection: Connection | None = None,
        file: LogFile | None = None,
        clock: Callable[[], float] = time.time,
        run: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self.account = settings.account
        self._listeners: set[Callable[[], None]] = set()
        self._listeners_lock = threading.Lock()
        self.version = 0
        self._lock = _own(settings.data_dir)
        try:
            file = file or LogFile(settings.data_dir / "history.csv")
            self.ledger = Ledger(
                file,
                clock=clock,
                on_change=self._log_changed,
                read_later=file.path.exists() and file.path.stat().st_size > LONG_LOG,
            )
            self.archive = Archive(settings.data_dir / "videos")
            self.drafts = Drafts(settings.data_dir / "drafts", clock=clock)
            self.templates = SavedTemplates(settings.data_dir / TEMPLATES, clock=clock)
            self.previews = Previews(settings.data_dir / PREVIEWS, on_done=lambda _name: self._changed())
            self.connection = connection or connect(settings)
        except OSError as error:
            self._lock.release()
            raise _unwritable(settings.data_dir, error) from error
        except Exception:
            self._lock.release()
            raise
        self._senders = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        self._fetchers = ThreadPoolExecutor(2, thread_name_prefix="fetch")
        self._submitter = Orders(
            self.ledger,
            self.connection,
            self.account,
            run=run or self._senders.submit,
            clock=clock,
            on_free=self._wake,
        )
        self.poller = Poller(
            ledger=self.ledger,
            submitter=self._submitter,
            archive=self.archive,
            connection=self.connection,
            account=self.account,
            run=run or self._fetchers.submit,
            clock=clock,
            on_change=self._changed,
        )

    # -- life ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect and follow every unfinished task; returns at once."""
        self.connection.start()
        self.poller.start()

    def stop(self) -> None:
        """Let calls that are under way end, and give the folder free."""
        self.poller.stop()
        self._senders.shutdown(wait=True, cancel_futures=True)
        self._fetchers.shutdown(wait=True, cancel_futures=True)
        self.previews.stop()
        self.connection.stop()
        self._lock.release()

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
        return self._submitter.order(
            self._with_callback(request),
            person=person,
            session=session,
            take=take,
            parent=parent,
            group=group,
        )

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
        requests = [self._with_callback(request) for request in requests]
        return self._submitter.order_all(requests, person=person, session=session, parent=parent, group=group)

    def _with_callback(self, request: TextToVideo) -> TextToVideo:
        callback_url = self.settings.callback_url
        return replace(request, callback_url=callback_url) if callback_url else request

    def withdraw(self, job_id: str) -> Job:
        """Take back a wish that was not sent; see `Orders.withdraw`."""
        return self._submitter.withdraw(job_id)

    def withdraw_group(self, group: str) -> int:
        """Take back what is not sent of a batch; see `Orders.withdraw_group`."""
        return self._submitter.withdraw_group(group)

    def send_again(self, job_id: str) -> None:
        """Send a wish that never arrived, with its own id; see `Orders.send_again`."""
        self._submitter.send_again(job_id)

    def resume(self) -> None:
        """Try the held queues now."""
        self._submitter.resume()
        self._log_changed()

    def hint(self, job_id: str, task_id: str = "") -> None:
        """Look soon at a task that somebody says has changed; see `Poller.hint`."""
        self.poller.hint(job_id, task_id)

    def check_connection(self) -> Check:
        """Ask the account for one task of its list, which costs nothing, and say in words what came."""
        try:
            self.connection.client().list(page_size=1)
        except KlingError as error:
            meaning = getattr(error, "meaning", None)
            words = f"{meaning.what} {meaning.remedy} ({error})" if meaning else str(error)
            return Check(ok=False, message=words)
        name = "The sandbox" if self.connection.is_sandbox else "Kling"
        return Check(ok=True, message=f"{name} answers and accepts the key.")

    # -- what a page shows ---------------------------------------------------------------------------------

    def job(self, job_id: str) -> Job | None:
        """Return one task."""
        return self.ledger.get(job_id)

    @property
    def lists(self) -> JobIndex:
        """What a page shows a part of: the newest tasks, a batch, the clips."""
        return self.ledger.lists

    def earlier_prompts(self, person: str, most: int) -> list[str]:
        """Return what this person asked for before, each prompt once, the last one first."""
        return self.lists.prompts(person, most)

    @property
    def running(self) -> int:
        """How many tasks of the account have been sent and have not ended."""
        return sum(job.state in OPEN - {WAITING} and self.owns(job) for job in self.ledger.unfinished())

    @property
    def waiting(self) -> int:
        """How many tasks of the account wait to be sent."""
        return sum(job.state == WAITING and self.owns(job) for job in self.ledger.unfinished())

    @property
    def not_safe(self) -> tuple[int, int]:
        """How many videos are at risk, and how many are gone; every other one is in our own copy."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        counts = Counter(safety(job, now)[0] for job in self.ledger.unfinished())
        return counts["at risk"], counts["gone"]

    @property
    def holds(self) -> tuple[Hold, ...]:
        """What keeps tasks from being sent right now."""
        return self._submitter.holds

    def place(self, job: Job) -> Place | None:
        """Return where a waiting wish stands and why it waits, None for a task that does not wait."""
        return self.places().get(job.id) if job.state == WAITING else None

    def places(self) -> dict[str, Place]:
        """Return `place` of all waiting wishes at once, by id."""
        return self._submitter.places()

    def usual(self, what: TextToVideo | Job) -> Usual | None:
        """Return how long a task of this account, model, mode and duration usually takes, if known."""
        if isinstance(what, TextToVideo):
            return self.ledger.times.usual((self.account, what.model_name, what.mode or "", what.duration))
        return self.ledger.times.usual(kind_of(what))

    def timeline(self, job: Job) -> Timeline:
        """Return how the time of a task was spent: waiting here, queued at Kling, processing."""
        return timeline(job, datetime.fromtimestamp(self._clock(), UTC))

    def owns(self, job: Job) -> bool:
        """Whether a task belongs to the account in use; others are shown, and left alone."""
        return job["account"] == self.account

    @property
    def warnings(self) -> Iterator[str]:
        """What an operator should know, in words for a page."""
        if self.ledger.opening:
            yield "The log is being read. What is in it appears by itself."
        if self.ledger.failure:
            yield self.ledger.failure
        if self.poller.trouble:
            yield self.poller.trouble
        if self.ledger.unreadable:
            yield (
                f"{self.ledger.unreadable} lines of history.csv cannot be read. They are left in the file; "
                "all others are shown."
            )
        yield from self.templates.unreadable
        with contextlib.suppress(OSError):
            if (room := free_bytes(self.settings.data_dir)) < LOW_DISK:
                yield f"The disk of the data folder has {room / 2**20:,.0f} MB left. Make room."

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


def _own(folder: Path) -> FileLock:
    """Make the folder and hold it: one studio process owns it."""
    owner = folder / ".owner.json"
    lock = FileLock(folder / ".lock", timeout=0, thread_local=False)  # the thread that stops may be another
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat()}
        owner.write_text(json.dumps(facts), encoding="utf-8")
    except Timeout as error:
        raise FolderTaken(f"{_whose(owner)} Stop it, or set STUDIO_DATA_DIR to another folder.") from error
    except OSError as error:
        lock.release()
        raise _unwritable(folder, error) from error
    return lock


def _unwritable(folder: Path, error: OSError) -> FolderTaken:
    return FolderTaken(
        f"The data folder {folder} cannot be written ({error.strerror or error}). "
        "Give this user the right to write there, or set STUDIO_DATA_DIR to another folder."
    )


def _whose(owner: Path) -> str:
    try:
        facts = json.loads(owner.read_text(encoding="utf-8"))
        return (
            f"The data folder {owner.parent} belongs to a studio that is running: process {facts['pid']} "
            f"on {facts['host']}, since {facts['since'][:16]}."
        )
    except (OSError, ValueError, KeyError, TypeError):
        return f"The data folder {owner.parent} belongs to a studio that is running."
