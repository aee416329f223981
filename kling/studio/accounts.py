"""Which account names in the log belong to the account in use.

A name is the API's host with a fingerprint of the key. Keys are replaced and hosts get other names, but the
account stays the same. Kling shows which names are one account: if the key in use can see a task that was
recorded under another name, both names belong to the same account.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kling.catalog import catalog
from kling.client import Client
from kling.errors import KlingError
from kling.studio.connection import find_task
from kling.studio.jobs import INTENT, UNKNOWN, Job
from kling.studio.ledger import Ledger
from kling.whole_file import write_whole

log = logging.getLogger(__name__)

FILE = "accounts.json"
SANDBOX = "sandbox"  # the account of everything that costs nothing
ASK_PAUSES = (30.0, 120.0, 600.0, 3600.0)  # seconds between two attempts, the last one for ever
ASKED_AT_ONCE = 2  # tasks of one name that are asked for in one step
NEWEST = 500  # newest jobs that are searched for an account's tasks, if it has too few unfinished ones


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An account with paid videos that the key in use cannot see.

    Args:
        name: of the account, as in the log.
        count: how many of its jobs run, may run, or have a video that is not fetched.
        until: when Kling deletes the last of these videos.
    """

    name: str
    count: int
    until: datetime


class Accounts:
    """The names of the account in use.

    Args:
        folder: of the log. Names that were found to be one account are stored there too. If that file is lost
            or damaged, Kling is asked again, which is free.
        current: the name that the settings give.
        ledger: has the jobs.
    """

    def __init__(self, folder: Path, current: str, ledger: Ledger) -> None:
        self._path, self._ledger = folder / FILE, ledger
        self._groups = _read(self._path)
        group = next((group for group in self._groups if current in group), [current])
        self.name = group[0]  # new jobs are recorded under the oldest name of the account
        self._names = {*group, current}
        self._current = current
        self._due: float | None = None
        self._tries = 0
        self._others: tuple[OtherAccount, ...] = ()

    def owns(self, job: Job) -> bool:
        """Whether a job is this studio's to act on: of the account in use, and of an endpoint that it knows.

        All other jobs, and those that were imported, are shown, and left alone.
        """
        return job["account"] in self._names and job.endpoint is not None and not job.imported

    @property
    def names(self) -> frozenset[str]:
        """All names of the account in use."""
        return frozenset(self._names)

    @property
    def others(self) -> tuple[OtherAccount, ...]:
        """The accounts with unfinished jobs that the key in use does not see."""
        return self._others

    def ask_again(self) -> None:
        """Ask Kling again at the next step, because somebody has changed something."""
        self._due, self._tries = None, 0

    def step(self, client: Callable[[], Client], now: float) -> float | None:
        """Ask with the key in use for a few tasks of the other names.

        Args:
            client: gives the client of the key in use.
            now: by the monotonic clock.

        Returns:
            When to call this again, None if there are no other names.
        """
        if self._due is not None and self._due > now:
            return self._due if self._others else None
        unseen = self._unseen()
        if unseen:
            self._due = now + ASK_PAUSES[min(self._tries, len(ASK_PAUSES) - 1)]
            self._tries += 1
        else:
            self._due = now + ASK_PAUSES[0]  # only the log is read again then
        if self._current != SANDBOX:
            for name, jobs in unseen.items():
                if self._is_seen(client, name, jobs):
                    self._join(name)
        retention = timedelta(days=catalog().retention_days)
        self._others = tuple(
            OtherAccount(name, len(paid), max(_made(job) for job in paid) + retention)
            for name, jobs in sorted(self._unseen().items())
            if (paid := [job for job in jobs if job.accepted or job.state in {INTENT, UNKNOWN}])
        )
        return self._due if unseen else None

    def recognise(self, job: Job) -> None:
        """Note that the account in use lists a task of a job, whose account name therefore belongs to it."""
        name = job["account"]
        if name and name not in self._names and SANDBOX not in {name, self._current}:
            self._join(name)

    def _unseen(self) -> dict[str, list[Job]]:
        """Return the unfinished jobs of other names, by name.

        Not those of the sandbox, which are free, nor those of an unknown endpoint.
        """
        unseen: dict[str, list[Job]] = {}
        for job in (*self._ledger.open_jobs(), *self._ledger.unfetched().values()):
            if job["account"] not in self._names | {SANDBOX, ""} and job.endpoint is not None:
                unseen.setdefault(job["account"], []).append(job)
        return unseen

    def _is_seen(self, client: Callable[[], Client], name: str, jobs: list[Job]) -> bool:
        """Return whether the key in use can see one of the newest tasks of a name."""
        unsure = [job for job in jobs if job.state in {INTENT, UNKNOWN}]
        accepted = [job for job in jobs if job.accepted]
        newest = self._ledger.index.newest(0, NEWEST) if len(accepted) < ASKED_AT_ONCE else []
        accepted += [
            job
            for job in newest
            if job["account"] == name and job.accepted and job.endpoint is not None and not job.imported
        ]
        for job in (*_newest(accepted), *_newest(unsure)):
            try:
                if find_task(client(), job) is not None:
                    return True
            except KlingError as error:
                log.info("The account of task %s could not be asked for: %s", job.id, type(error).__name__)
        return False

    def _join(self, name: str) -> None:
        """Note that a name belongs to the account in use."""
        joined = next((group for group in self._groups if name in group), [name])
        ours = next((group for group in self._groups if self._current in group), [self._current])
        merged = list(dict.fromkeys([*joined, *ours]))
        self._groups = [group for group in self._groups if group not in (joined, ours)] + [merged]
        self._names |= set(merged)
        self.name = merged[0]
        try:
            write_whole(self._path, json.dumps({"accounts": self._groups}).encode())
        except OSError:
            log.warning(
                "The names of the account could not be kept; they are asked for again.", exc_info=True
            )


def _newest(jobs: list[Job]) -> list[Job]:
    candidates = {job.id: job for job in jobs}.values()
    return sorted(candidates, key=lambda job: job.ordered_at, reverse=True)[:ASKED_AT_ONCE]


def _made(job: Job) -> datetime:
    return job.moment("updated_at") or job.ordered_at


def _read(path: Path) -> list[list[str]]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))["accounts"]
        return [[name for name in group if isinstance(name, str)] for group in stored if group]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []
