"""What a person can say and do about jobs that were ordered: judge, label, hide, delete, import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kling.studio import curation
from kling.studio.actions_base import ActionsBase
from kling.studio.deletion import Deletable
from kling.studio.identity.roles import Action, check
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from kling.studio.library.export import csv_lines, json_lines
from kling.studio.library.imports import ImportPlan
from kling.studio.library.normal import normalise


class LibraryActions(ActionsBase):
    """The part of `Actions` that is about the library.

    Each method takes ids of jobs; those that the log does not have are passed over. It returns the jobs that
    have changed, so that a page can offer to take that back.
    """

    def star(self, job_ids: Sequence[str], *, on: bool = True) -> list[Job]:
        """Give jobs the user's star, or take it back.

        Raises:
            CurationError: too many jobs.
            LedgerError: nothing was recorded.
        """
        check(self.user, Action.STAR)
        by, name = self.person_id, self.user.name
        return self._curate(
            Action.STAR, job_ids, lambda job: curation.star_cells(job, by, name, on=on), on=on
        )

    def rate(self, job_ids: Sequence[str], rating: int) -> list[Job]:
        """Give jobs the user's rating from 1 to 5; 0 takes it back.

        Raises:
            CurationError: another rating, or too many jobs.
            LedgerError: nothing was recorded.
        """
        check(self.user, Action.STAR)
        by, name = self.person_id, self.user.name
        return self._curate(
            Action.STAR, job_ids, lambda job: curation.rating_cells(job, by, name, rating), rating=rating
        )

    def add_tags(self, job_ids: Sequence[str], tags: Sequence[str]) -> list[Job]:
        """Give jobs further tags.

        Raises:
            CurationError: a tag that cannot be kept, or too many jobs.
            LedgerError: nothing was recorded.
        """
        self._check_all(Action.TAG, self._jobs(job_ids))
        return self._curate(Action.TAG, job_ids, lambda job: curation.tag_cells(job, [*job.tags, *tags]))

    def remove_tags(self, job_ids: Sequence[str], tags: Sequence[str]) -> list[Job]:
        """Take tags off jobs, in whatever spelling; raises as `add_tags`."""
        self._check_all(Action.TAG, self._jobs(job_ids))
        gone = {normalise(tag) for tag in tags}

        def cells(job: Job) -> dict[str, str]:
            return curation.tag_cells(job, [tag for tag in job.tags if normalise(tag) not in gone])

        return self._curate(Action.TAG, job_ids, cells)

    def set_note(self, job_id: str, text: str) -> list[Job]:
        """Write a note on a job in the place of the one that it has; an empty one takes it back.

        Raises:
            CurationError: it is too long.
            LedgerError: nothing was recorded.
        """
        self._check_all(Action.NOTE, self._jobs([job_id]))
        return self._curate(Action.NOTE, [job_id], lambda job: curation.note_cells(job, text))

    def hide(self, job_ids: Sequence[str], *, on: bool = True) -> list[Job]:
        """Leave jobs out of the lists, or show them again.

        Raises:
            CurationError: too many jobs.
            LedgerError: nothing was recorded.
        """
        self._check_all(Action.HIDE, self._jobs(job_ids))
        return self._curate(Action.HIDE, job_ids, lambda job: curation.hidden_cells(job, on=on), on=on)

    def files_of(self, job_ids: Sequence[str]) -> Deletable:
        """Return what `delete_files` would delete: how many files, and how large."""
        return self._studio.deletions.find(job_ids)

    def delete_files(self, job_ids: Sequence[str]) -> Deletable:
        """Delete the clips of jobs from this studio for good, and never fetch them again; the rows stay.

        Raises:
            CurationError: too many jobs.
            LedgerError, OSError: the deletion of one failed; those after it were not tried.
        """
        self._check_all(Action.DELETE, self._jobs(job_ids))
        curation.check_count(job_ids)
        done = self._studio.deletions.delete(job_ids, by=self.person_id, by_name=self.user.name)
        thing = done.jobs[0] if len(done.jobs) == 1 else ""
        self._note(Action.DELETE, thing, jobs=len(done.jobs), files=done.files, size=done.size)
        self._studio.changes.notify()
        return done

    # -- to carry elsewhere, and back ----------------------------------------------------------------------

    def export(
        self, query: JobQuery, form: str = "csv", *, ids: Sequence[str] | None = None
    ) -> Iterator[bytes]:
        """Return exactly what a question finds, as lines of a file; what it cost if the user sees prices.

        Args:
            query: its page does not matter.
            form: `csv` or `jsonl`.
            ids: only these jobs, in this order, whatever the question finds; None for all that it finds.

        Raises:
            IndexBroken: there is no index to ask.
        """
        check(self.user, Action.LOOK)
        prices = self.may(Action.SEE_PRICES)
        query = query if prices else query.without_costs
        found = self._studio.library.ids(query, who=self.who) if ids is None else dict.fromkeys(ids)
        self._note(Action.LOOK, did="exported", jobs=len(found))
        jobs = (job for job_id in found if (job := self._job(job_id)) is not None and not job.retracted)
        return (json_lines if form == "jsonl" else csv_lines)(jobs, prices=prices)

    def read_import(self, data: bytes) -> ImportPlan:
        """Return what a file would add to the log; nothing is changed. See `imports.read_import`."""
        check(self.user, Action.IMPORT)
        return self._studio.imports.read(data)

    def import_jobs(self, plan: ImportPlan) -> str:
        """Take in the jobs of a file as history; return the id by which that is undone. See `imports`."""
        check(self.user, Action.IMPORT)
        import_id = self._studio.imports.take_in(plan, by=self.person_id, by_name=self.user.name)
        self._note(Action.IMPORT, import_id, did="imported", jobs=plan.jobs)
        return import_id

    def undo_import(self, import_id: str) -> int:
        """Take an import back; return how many jobs are not shown any more."""
        check(self.user, Action.IMPORT)
        count = self._studio.imports.undo(import_id)
        self._note(Action.IMPORT, import_id, did="import undone", jobs=count)
        return count

    def _curate(
        self,
        action: Action,
        job_ids: Sequence[str],
        cells: Callable[[Job], dict[str, str]],
        **details: object,
    ) -> list[Job]:
        curation.check_count(job_ids)
        who = {"by": self.person_id, "by_name": self.user.name}
        changes = [(job.id, {**found, **who}) for job in self._jobs(job_ids) if (found := cells(job))]
        jobs = self._studio.ledger.append_many(changes)
        if jobs:
            self._note(action, jobs[0].id if len(jobs) == 1 else "", jobs=len(jobs), **details)
        return jobs
