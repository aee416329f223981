"""Where jobs are recorded: what every ledger does, whatever it is kept in.

`csv_ledger.CsvLedger` keeps it in a file of comma-separated values. Whatever else does has to pass
`tests/studio/ledger/conformance.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kling.studio.durations import DurationStats
    from kling.studio.jobs import Job
    from kling.studio.ledger.index import JobIndex


class LedgerError(Exception):
    """Nothing was recorded, and so nothing may be sent or spent."""


class LedgerUncertain(LedgerError):
    """It may be recorded or not: only a restart shows it. Nothing may be sent before."""


class Ledger(Protocol):
    """Every job, for threads to share. The one process that owns the data folder has one of it."""

    @property
    def opening(self) -> bool:
        """Whether the jobs are still being read; until then it looks empty, and `append` waits."""

    @property
    def failure(self) -> str:
        """Why the jobs cannot be read, empty if they can; nothing is recorded then."""

    @property
    def warnings(self) -> Sequence[str]:
        """What somebody should look at, in words for a page."""

    @property
    def generation(self) -> int:
        """How often the jobs were read, at the start and after changes that somebody else made."""

    @property
    def index(self) -> JobIndex:
        """The jobs as people look at them."""

    @property
    def times(self) -> DurationStats:
        """How long jobs take."""

    @property
    def unconfirmed(self) -> AbstractSet[str]:
        """Ids of jobs that no process is known to have confirmed, and that may not be sent by themselves.

        They are read from what is stored alone, and are neither accepted nor ended. A job leaves it when it
        is accepted or ends, when `not_sent` is recorded for it, and by `confirm`.
        """

    def confirm(self, external_task_id: str) -> None:
        """Take a job out of `unconfirmed`: a person has decided that it may be sent."""

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        """Record a change to a job; it is durable when this returns.

        Args:
            external_task_id: whose change it is; a new one starts a job.
            only: states in which this may happen; None does not ask.
            cells: by column; an empty one says nothing.

        Raises:
            StateChanged: the job is in none of the states of `only`.
            LedgerError: nothing was recorded.
            LedgerUncertain: it may be recorded or not.
        """

    def append_many(
        self, changes: Sequence[tuple[str, Mapping[str, str]]], *, only: Collection[str] | None = None
    ) -> list[Job]:
        """Record several changes: all of them, or none.

        A crash meanwhile may leave the first of them, each whole; nobody was told of any.

        Args:
            changes: whose each one is, and its cells, as in `append`.
            only: states in which each of them may happen.

        Raises:
            StateChanged, LedgerError, LedgerUncertain: as in `append`.
        """

    def get(self, external_task_id: str) -> Job | None:
        """Return a job, None if there is none of that id."""

    def jobs(self) -> tuple[Job, ...]:
        """Return every job, the first ordered first."""

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in one of the states of `jobs.OPEN`."""

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded, have no file here, and whose video is not gone."""

    def unfinished(self) -> tuple[Job, ...]:
        """Return what `open_jobs` and `unfetched` have."""

    def sync(self) -> None:
        """Take note now of what somebody else has changed. What was known and is missing is recorded again.

        Raises:
            LedgerError: what is stored cannot be read, or not be completed.
        """

    def beat(self) -> None:
        """Note that this process is alive; call it about once a minute. It raises nothing."""
