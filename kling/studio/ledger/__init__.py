"""Where jobs are recorded: the protocol that every ledger follows, wherever it stores them.

`csv_ledger.CsvLedger` stores them in a file of comma-separated values. Any other ledger has to pass the tests
of `tests/studio/ledger/conformance.py` too.

    index    the jobs by batch, parent, state, ...: what pages list
    records  what was recorded of one job
    restore  what has to be recorded again after somebody changed the stored records
    csv_ledger, csv_file, csv_text, seal  the ledger in `history.csv`: jobs, file, text, and its seal
    rewrite  writes that file anew with texts taken out, while no studio runs
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from kling.studio.durations import DurationStats
from kling.studio.jobs import Job
from kling.studio.ledger.index import JobIndex

# Told of each change, with the ids of the jobs that have changed; None if they may be any.
OnChange = Callable[[Collection[str] | None], None]


class LedgerError(Exception):
    """Nothing was recorded, and so nothing may be sent or spent."""


class LedgerUncertain(LedgerError):
    """Nobody knows whether it was recorded until the studio is started again. Nothing may be sent before."""


def file_error(name: str, what: str, error: OSError) -> LedgerError:
    """Return the error for a file that cannot be used, with the remedy.

    Args:
        name: of the file.
        what: what cannot be done with it: it cannot be `opened`, `written` …
        error: why.
    """
    return LedgerError(
        f"{name} cannot be {what}: {error.strerror or error}. Whoever runs the studio has to make room on "
        "the disk, or mend the rights of the file and its folder."
    )


class View(Protocol):
    """What is derived from the jobs and kept beside them; told of every change under the ledger's lock."""

    def reset(self, jobs: Iterable[Job]) -> None:
        """Take all jobs: the ledger has read its records."""

    def changed(self, before: Job | None, job: Job) -> None:
        """Take one change; `before` is None for a new job."""

    def recorded(self, stamp: str) -> None:
        """Take note that all changes so far were told; `stamp` tells these records from any others."""


class AllViews:
    """Several views as one.

    Args:
        views: each is told everything, in this order.
    """

    def __init__(self, *views: View) -> None:
        self._views = views

    def reset(self, jobs: Iterable[Job]) -> None:
        """Take all jobs."""
        found = tuple(jobs)
        for view in self._views:
            view.reset(found)

    def changed(self, before: Job | None, job: Job) -> None:
        """Take one change."""
        for view in self._views:
            view.changed(before, job)

    def recorded(self, stamp: str) -> None:
        """Take note that all changes so far were told."""
        for view in self._views:
            view.recorded(stamp)


class Ledger(Protocol):
    """Every job of a data folder; safe to use from several threads. Only the process that owns it has one."""

    @property
    def opening(self) -> bool:
        """Whether the jobs are still being read.

        Until they are, the ledger looks empty, and `append` waits.
        """

    @property
    def failure(self) -> str:
        """Why the jobs could not be read, empty if they could. With a failure, `append` records nothing."""

    @property
    def warnings(self) -> Sequence[str]:
        """Faults that an operator should look at, in words for a page."""

    @property
    def generation(self) -> int:
        """How often the jobs were read: once at the start, and after each change by another program."""

    @property
    def index(self) -> JobIndex:
        """The jobs in the parts that pages list."""

    @property
    def times(self) -> DurationStats:
        """How long tasks took."""

    @property
    def unconfirmed(self) -> AbstractSet[str]:
        """Ids of jobs that must not be sent without a person's decision, because the record may be wrong.

        Such a job was only read from the stored records, no studio process is known to have written it so,
        and it is neither accepted nor ended. A job leaves this set when it is accepted or ends, when the
        state `not_sent` is recorded for it, and by `confirm`.
        """

    def confirm(self, external_task_id: str) -> None:
        """Take a job out of `unconfirmed`: a person has decided that it may be sent."""

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        """Record a change to a job. The record survives a crash from the moment when this returns.

        Args:
            external_task_id: the id of the job; a new id starts a job.
            only: the states in which the change is allowed; None allows all.
            cells: by column; an empty cell changes nothing. `time` says when it happened, in the place of
                now, for what another studio has recorded.

        Raises:
            StateChanged: the job has none of the states of `only`.
            LedgerError: nothing was recorded.
            LedgerUncertain: nobody knows whether it was recorded.
        """

    def append_many(
        self,
        changes: Sequence[tuple[str, Mapping[str, str]]],
        *,
        only: Collection[str] | None = None,
        check: Callable[[], None] | None = None,
    ) -> list[Job]:
        """Record several changes: all of them, or none.

        A crash before this returns may leave the first few of them, each whole. The caller was not told of
        any, so a start treats their jobs as `unconfirmed`.

        Args:
            changes: for each one the id of its job, and its cells, as in `append`.
            only: the states in which each change is allowed.
            check: called once all jobs are known as they are now, before anything is recorded. Nothing
                changes between it and the record; what it raises is raised here, and nothing is recorded.

        Raises:
            StateChanged, LedgerError, LedgerUncertain: as in `append`.
        """

    def get(self, external_task_id: str) -> Job | None:
        """Return a job, None if there is none of that id."""

    def records(self, external_task_id: str) -> Sequence[Mapping[str, str]]:
        """Return every record of a job as it was made, by column and without empty cells, the first first.

        It may take a tenth of a second.

        Raises:
            LedgerError: they cannot be read.
        """

    def jobs(self) -> tuple[Job, ...]:
        """Return every job, the first ordered first."""

    def open_jobs(self) -> tuple[Job, ...]:
        """Return the jobs in one of the states of `jobs.OPEN`."""

    def unfetched(self) -> Mapping[str, Job]:
        """Return by id the jobs that succeeded and whose video is neither in the archive nor gone."""

    def unfinished(self) -> tuple[Job, ...]:
        """Return the jobs of `open_jobs` and of `unfetched`."""

    def sync(self) -> None:
        """Read changes by another program now. Known facts that are missing afterwards are recorded again.

        Raises:
            LedgerError: the stored records cannot be read, or the missing ones cannot be added.
        """

    def beat(self) -> None:
        """Note that this process is alive, for the next start.

        Call it about once a minute; raises nothing.
        """
