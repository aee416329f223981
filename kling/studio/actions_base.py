"""What all that a person does has in common: who acts and on what, whose a job is, and the audit."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kling.studio.identity.roles import LOCAL, Action, User, check, may
from kling.studio.jobs import Job, who_is
from kling.studio.parts import Parts
from kling.studio.state.records import StateError

if TYPE_CHECKING:
    from kling.studio.state.database import Note

log = logging.getLogger(__name__)

UNKNOWN_OWNER = "?"  # nobody's id: while the database does not say whose a job is, only an admin decides


class ActionsBase:
    """Who acts; each part of `Actions` stands on it.

    Args:
        studio: that is changed.
        user: who acts.
    """

    def __init__(self, studio: Parts, user: User) -> None:
        self._studio, self.user = studio, user

    @property
    def person_id(self) -> str:
        """The id of the person who acts; empty where the studio has no sign-in."""
        return "" if self.user.id == LOCAL else self.user.id

    @property
    def who(self) -> str:
        """The key of the user among the people who have starred and rated (`jobs.who_is`)."""
        return who_is(self.person_id, self.user.name)

    def owner_of(self, job: Job) -> str:
        """Return the id of the person whose job it is; empty if it is nobody's."""
        if owner := job["person_id"]:
            return owner
        if not job["person"] or self.user.id == LOCAL:
            return ""
        try:
            return self._studio.state.names.owner_of(job["person"])
        except StateError:
            return UNKNOWN_OWNER

    def may(self, action: Action, job: Job | None = None) -> bool:
        """Whether the user may do something; pages leave out what would be refused.

        Args:
            action: what would be done.
            job: to which; None for what belongs to nobody or to the user.
        """
        return may(self.user, action, self._owner(job, action))

    def _owner(self, job: Job | None, action: Action | None = None) -> str:
        if job is None:
            return ""
        owner = self.owner_of(job)
        is_named = bool(job["person"]) and self.user.id != LOCAL
        # Nothing brings a file back, so one under a name that is nobody's yet is an admin's to delete.
        return UNKNOWN_OWNER if action is Action.DELETE and not owner and is_named else owner

    def _job(self, job_id: str) -> Job | None:
        return self._studio.ledger.get(job_id)

    def _jobs(self, job_ids: Sequence[str]) -> list[Job]:
        return [job for job_id in dict.fromkeys(job_ids) if (job := self._job(job_id)) is not None]

    def _check_all(self, action: Action, jobs: Sequence[Job]) -> None:
        """Check an action on what belongs to the user, and to each person whose jobs these are."""
        for owner in {"", *(self._owner(job, action) for job in jobs)}:
            check(self.user, action, owner)

    def _note(self, action: Action, thing: str = "", **details: object) -> None:
        """Note in the audit what was done. It was done, so a database that does not answer is only logged."""
        try:
            self._studio.state.audit.note(self.user, action.value, thing, **details)
        except StateError as error:
            log.warning("Not in the audit: %s by %s. %s", action.value, self.user.id, error)

    def _entry(self, action: Action, **details: object) -> Note:
        """Return what notes a change in the audit in the change's own transaction."""
        return self._studio.state.audit.entry(self.user, action.value, **details)
