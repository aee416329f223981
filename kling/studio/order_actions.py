"""What a person does with jobs until Kling has them: order, withdraw, give up, send again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from kling.endpoint import AnyRequest
from kling.studio.actions_base import ActionsBase
from kling.studio.identity.roles import Action, check
from kling.studio.jobs import NOT_SENT, WAITING, Job, StateChanged
from kling.studio.orders import Press


class OrderActions(ActionsBase):
    """The part of `Actions` that is about orders."""

    def order_all(
        self,
        requests: Sequence[AnyRequest],
        *,
        session: str,
        parent: str = "",
        group: str = "",
        template: str = "",
        continues: bool = False,
    ) -> list[Job]:
        """Order everything that one press asks for, all of it or nothing; see `Orders.order_all`."""
        check(self.user, Action.ORDER)
        jobs = self._studio.order_all(
            requests,
            Press(
                person=self.user.name,
                person_id=self.person_id,
                by_admin=self.user.role == "admin",
                session=session,
                parent=parent,
                group=group,
                template=template,
                continues=continues,
            ),
        )
        self._note(Action.ORDER, group or (jobs[0].id if jobs else ""), jobs=len(jobs))
        return jobs

    def name_jobs(self, job_ids: Sequence[str]) -> int:
        """Put the user's name on jobs that have none, of a studio without sign-in; return how many.

        Raises:
            LedgerError: nothing was recorded.
        """
        check(self.user, Action.ORDER)
        if self.person_id or not self.user.name:
            return 0
        jobs = (self._job(job_id) for job_id in job_ids)
        nameless = [job.id for job in jobs if job is not None and not (job["person"] or job["person_id"])]
        cells = {"person": self.user.name}
        return len(self._studio.ledger.append_many([(job_id, cells) for job_id in nameless]))

    def withdraw(self, job_id: str) -> Job:
        """Take back a job that was not sent; see `Orders.withdraw`."""
        check(self.user, Action.WITHDRAW, self._owner(self._job(job_id)))
        job = self._studio.orders.withdraw(job_id)
        self._note(Action.WITHDRAW, job_id)
        return job

    def withdraw_group(self, group: str) -> int:
        """Take back what was not sent of a batch, if all of it is allowed; see `Orders.withdraw_group`."""
        self._check_all(Action.WITHDRAW, _not_sent(self._studio.ledger.index.batch(group) if group else ()))
        count = self._studio.orders.withdraw_group(group)
        self._note(Action.WITHDRAW, group, jobs=count)
        return count

    def give_up(self, job_id: str) -> Job:
        """End a job that has been looked up for long; see `Orders.give_up`."""
        check(self.user, Action.WITHDRAW, self._owner(self._job(job_id)))
        job = self._studio.orders.give_up(job_id)
        self._note(Action.WITHDRAW, job_id, given_up=True)
        return job

    def send_again(self, job_id: str) -> None:
        """Send a job that was left to a person; see `Orders.send_again`."""
        check(self.user, Action.SEND, self._owner(self._job(job_id)))
        self._studio.orders.send_again(job_id)
        self._note(Action.SEND, job_id)

    def check_now(self, job_id: str) -> bool:
        """Have Kling asked about a job soon; see `Studio.check_now`. The audit leaves it out."""
        check(self.user, Action.ORDER)
        return self._studio.check_now(job_id)

    def rescue(self) -> int:
        """Try at once to fetch every clip that is not saved yet; return how many there are."""
        check(self.user, Action.ORDER)
        number = self._studio.rescue()
        self._note(Action.ORDER, did="fetched what is not saved", clips=number)
        return number

    def left(self) -> list[Job]:
        """Return the jobs that were left to a person, and that this user may send."""
        return [job for job in self._studio.orders.left() if self.may(Action.SEND, job)]

    def send_left(self) -> int:
        """Send every job that was left to a person and that the user may send; return how many.

        Raises:
            LedgerError: the change of one was not recorded; those after it were not tried.
        """
        check(self.user, Action.SEND)
        return self._with_each_left(self.send_again)

    def withdraw_left(self) -> int:
        """Take back every job that was left to a person and that the user may take back; return how many.

        Raises:
            LedgerError: the change of one was not recorded; those after it were not tried.
        """
        check(self.user, Action.WITHDRAW)
        return self._with_each_left(self.withdraw)

    def _with_each_left(self, act: Callable[[str], object]) -> int:
        """Act on each job that was left to a person and is so still; return how many there were."""
        count = 0
        for job in self.left():
            with contextlib.suppress(StateChanged):
                act(job.id)
                count += 1
        return count

    def may_withdraw_group(self, jobs: Sequence[Job]) -> bool:
        """Whether `withdraw_group` would be allowed for these jobs of a batch."""
        return all(self.may(Action.WITHDRAW, job) for job in _not_sent(jobs))


def _not_sent(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.state in {WAITING, NOT_SENT}]
