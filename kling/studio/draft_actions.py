"""What a person does before an order: drafts, previews, the assistant, templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kling.camera_control import CameraControl
from kling.shots import Shot
from kling.studio.actions_base import ActionsBase
from kling.studio.assistant.assistant import Asking
from kling.studio.assistant.questions import Question
from kling.studio.identity.roles import Action, check
from kling.studio.pictures.maker import At
from kling.studio.pictures.store import Picture, PictureRefused
from kling.studio.prompting.draft import FormRequest
from kling.studio.state.records import StoredDraft, TeamTemplate

if TYPE_CHECKING:
    from kling.studio.prompting.previews import Preview


class DraftActions(ActionsBase):
    """The part of `Actions` that is about the form."""

    # -- drafts, previews and frames, which the audit leaves out -------------------------------------------

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
