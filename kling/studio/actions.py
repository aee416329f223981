"""Everything that a person can change, as one user: each method asks the roles first, and the audit notes it.

Pages and routes change nothing past it. What only admins do is in `admin_actions.py`, what
concerns jobs that were ordered in `library_actions.py` and `gallery_actions.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kling.camera_control import CameraControl
from kling.endpoint import AnyRequest
from kling.shots import Shot
from kling.studio.assistant.assistant import Asking
from kling.studio.assistant.questions import Question
from kling.studio.gallery_actions import GalleryActions
from kling.studio.identity.roles import Action, check
from kling.studio.jobs import NOT_SENT, WAITING, Job, StateChanged
from kling.studio.orders import Press
from kling.studio.pictures.maker import At
from kling.studio.pictures.store import Picture, PictureRefused
from kling.studio.prompting.draft import FormRequest
from kling.studio.state.records import StoredDraft, TeamTemplate

if TYPE_CHECKING:
    from kling.studio.prompting.previews import Preview

__all__ = ["Actions"]


class Actions(GalleryActions):
    """What one user can change; made by `Studio.acting_as` for each action, so that the role is that of now.

    Every method may raise `NotAllowed`, which says in words what it takes; nothing has changed then.
    """

    # -- orders --------------------------------------------------------------------------------------------

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

    def keep_frame(self, job_id: str, at: At = "last") -> Picture:
        """Keep a frame of the clip of a job as such a picture; see `Pictures.put_frame`.

        Raises:
            PictureRefused: it has no clip, or there is no such frame.
        """
        check(self.user, Action.ORDER)
        job = self._studio.ledger.get(job_id)
        if job is None or not job.has_clip:
            raise PictureRefused("The clip is not here.")
        return self._studio.pictures.put_frame(self._studio.archive.video(job_id), at)

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

    # -- drafts and previews, which the audit leaves out ---------------------------------------------------

    def draft_owner(self, browser: str) -> str:
        """Return the id that owns the user's drafts: the person's, without sign-in that of the browser."""
        return self.person_id or browser

    def open_draft(self, draft_id: str, *, browser: str) -> StoredDraft:
        """Open a draft, which may store a copy; see `DraftStore.open`."""
        check(self.user, Action.DRAFT)
        return self._studio.state.drafts.open(draft_id, self.draft_owner(browser))

    def newest_drafts(self, *, browser: str, most: int) -> tuple[StoredDraft, ...]:
        """Return the user's own drafts that were changed last; see `DraftStore.newest`."""
        check(self.user, Action.DRAFT)
        return self._studio.state.drafts.newest(self.draft_owner(browser), most)

    def save_draft(
        self,
        draft_id: str,
        *,
        browser: str,
        fields: Mapping[str, Any] | None = None,
        texts: Mapping[str, str] | None = None,
        made: tuple[str, ...] | None = None,
        at_leisure: bool = False,
    ) -> tuple[str, ...]:
        """Keep changes to a draft; see `DraftStore.save`, which also refuses somebody else's."""
        check(self.user, Action.DRAFT)
        owner = self.draft_owner(browser)
        drafts = self._studio.state.drafts
        return drafts.save(draft_id, owner, fields=fields, texts=texts, made=made, at_leisure=at_leisure)

    def take_drafts_of(self, browser: str) -> None:
        """Give the drafts of a browser to the person who has signed in there; nothing without sign-in."""
        check(self.user, Action.DRAFT)
        if browser and self.person_id:
            self._studio.state.drafts.give_all(browser, self.person_id)

    def preview_camera(self, control: CameraControl, *, aspect_ratio: str, browser: str) -> Preview:
        """Return the preview of a camera move, or have it drawn; see `Previews.camera`."""
        check(self.user, Action.DRAFT)
        person = self.draft_owner(browser)
        return self._studio.previews.camera(control, aspect_ratio=aspect_ratio, person=person)

    def preview_cut(
        self, shots: Sequence[Shot], *, aspect_ratio: str, negative_prompt: str, browser: str
    ) -> Preview:
        """Return the preview of a cut, or have it drawn; see `Previews.cut`."""
        check(self.user, Action.DRAFT)
        return self._studio.previews.cut(
            shots,
            aspect_ratio=aspect_ratio,
            negative_prompt=negative_prompt,
            person=self.draft_owner(browser),
        )

    # -- the prompt assistant ------------------------------------------------------------------------------

    def ask_assistant(self, question: Question) -> Asking:
        """Return a question to run, which counts as asked; see `Assistant.begin`. The audit has no prompt."""
        check(self.user, Action.ASSIST)
        asking = self._studio.assistant.begin(self.user.id, question)
        self._note(Action.ASSIST, question.instruction.value, characters=len(question.text))
        return asking

    # -- the team's templates ------------------------------------------------------------------------------

    def add_template(self, request: FormRequest, **words: str) -> TeamTemplate:
        """Save a request for the team; see `TeamTemplates.add`."""
        check(self.user, Action.TEMPLATE)
        who = {"author": self.user.name, "person_id": self.person_id}
        template = self._studio.state.templates.add(request, **who, **words)
        self._note(Action.TEMPLATE, template.id, did="added")
        return template

    def change_template(self, seen: TeamTemplate, **changes: Any) -> TeamTemplate:
        """Change one of the team's templates; see `TeamTemplates.update`."""
        check(self.user, Action.TEMPLATE)
        who = {"author": self.user.name, "person_id": self.person_id}
        template = self._studio.state.templates.update(seen, **who, **changes)
        self._note(Action.TEMPLATE, template.id, did="changed")
        return template

    def delete_template(self, seen: TeamTemplate) -> None:
        """Delete one of the team's templates; see `TeamTemplates.delete`."""
        check(self.user, Action.TEMPLATE)
        self._studio.state.templates.delete(seen)
        self._note(Action.TEMPLATE, seen.id, did="deleted")


def _not_sent(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.state in {WAITING, NOT_SENT}]
