"""Deletes the files of jobs for good: the row stays, with a tombstone that has the digest of the clip.

A tombstone is an end. It stands in the log and, as a small file, among the videos: so the clip is not fetched
again either after an older log or a backup was put back. It is written before anything is deleted, and a
deletion that a crash cut off is completed at the next start. `erase` leaves one that says when, and no more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from kling.studio.archive import Archive, Tombstone
from kling.studio.jobs import Job
from kling.studio.ledger import Ledger, LedgerError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deletable:
    """What a deletion takes, or has taken.

    Args:
        jobs: ids of the jobs that have files here.
        files: how many files these are, with pictures and copies with a watermark.
        size: bytes of them.
        without: how many of the jobs that were named have none, or are deleted already.
    """

    jobs: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    without: int = 0


class Deletions:
    """Deletes files, and keeps what is deleted from coming back.

    Args:
        ledger, archive: the studio's parts.
        clock: Unix seconds.
        forget: deletes what was made of the clip of a job, by its id; may raise OSError.
    """

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        clock: Callable[[], float],
        *,
        forget: Callable[[str], None] = lambda _job_id: None,
    ) -> None:
        self._ledger, self._archive, self._clock, self._forget = ledger, archive, clock, forget

    def find(self, job_ids: Iterable[str]) -> Deletable:
        """Return what a deletion would take; nothing is changed."""
        found: list[str] = []
        files = size = without = 0
        for job_id in dict.fromkeys(job_ids):
            job = self._ledger.get(job_id)
            sizes = self._archive.sizes(job_id) if job is not None and job.has_clip else ()
            if job is None or not job.has_clip:
                without += 1
                continue
            found.append(job_id)
            files += len(sizes)
            size += sum(sizes)
        return Deletable(tuple(found), files, size, without)

    def delete(self, job_ids: Sequence[str], *, by: str, by_name: str) -> Deletable:
        """Delete the files of jobs, one after the other.

        Args:
            job_ids: of the jobs.
            by: id of who deletes; empty where there is no sign-in.
            by_name: their name.

        Raises:
            LedgerError: the deletion of one was not recorded; its files and those after it are there.
            OSError: the same, because the folder of videos cannot be written.
        """
        found = self.find(job_ids)
        for job_id in found.jobs:
            job = self._ledger.get(job_id)
            if job is not None:
                self._delete(job, by, by_name)
        return found

    def _delete(self, job: Job, by: str, by_name: str) -> None:
        digest = job["file_sha256"] or self._archive.digest(job.id)
        when = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        stone = Tombstone(when, digest, job["file_bytes"], by)
        self._archive.bury(job.id, stone)
        try:
            self._record(job.id, stone, by_name)
        except LedgerError:
            self._archive.unbury(job.id)
            raise
        self._forget(job.id)
        self._archive.remove(job.id)
        self._forget(job.id)  # what began to be made of the clip in between

    def complete(self) -> None:
        """Record the tombstones that the log has lost, and delete what was to be deleted.

        Raises:
            LedgerError: one was not recorded.
        """
        if self._ledger.opening or self._ledger.failure:
            return
        for job_id in self._archive.buried():
            self.record(job_id)
            if (job := self._ledger.get(job_id)) is not None and (job.deleted or job.erased):
                try:
                    self._forget(job_id)
                    self._archive.remove(job_id)
                except OSError as error:
                    log.warning("The files of job %s could not be deleted: %s", job_id, error)

    def record(self, job_id: str) -> bool:
        """Record the tombstone of a job that the log does not say to be deleted; return whether it has one.

        One that was erased needs no such row.

        Raises:
            LedgerError: it was not recorded.
        """
        stone, job = self._archive.tombstone(job_id), self._ledger.get(job_id)
        if stone is None or job is None:
            return False
        if not (job.deleted or job.erased):
            self._record(job_id, stone)
        return True

    def _record(self, job_id: str, stone: Tombstone, by_name: str = "") -> None:
        self._ledger.append(
            job_id,
            deleted=stone.when,
            file_sha256=stone.sha256,
            file_bytes=stone.size,
            by=stone.by,
            by_name=by_name,
        )
