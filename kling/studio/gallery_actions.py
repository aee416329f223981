"""What a person does with clips that belong together: collect, share, take away."""

from __future__ import annotations

from collections.abc import Sequence

from kling.studio.actions_base import UNKNOWN_OWNER, ActionsBase
from kling.studio.changes import COLLECTIONS, SHARES
from kling.studio.curation import CurationError, check_count
from kling.studio.films.chains import clips_with
from kling.studio.films.settings import take_film
from kling.studio.identity.roles import LOCAL, Action, check, may
from kling.studio.share_settings import DAYS, MOST_DAYS, audience_of, most_days
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import Audience, Collection, CollectionError, Share, ShareError
from kling.studio.take_away.bundle import Taken, take_all, take_clip

_DAY = 24 * 3600.0


class GalleryActions(ActionsBase):
    """The part of `Actions` that is about collections, shares and copies to take away."""

    # -- collections ---------------------------------------------------------------------------------------

    def add_collection(
        self, title: str, *, text: str = "", cover: str = "", clips: Sequence[str] = ()
    ) -> Collection:
        """Make a collection; see `Collections.add`. Ids that the log does not have are passed over."""
        check(self.user, Action.COLLECT)
        known = [job.id for job in self._jobs(clips)]
        new = self._studio.state.collections.add(self.user, title=title, text=text, cover=cover, clips=known)
        return self._collected(new, "added", clips=len(known))

    def change_collection(self, seen: Collection, **changes: str) -> Collection:
        """Change the title, the text or the cover of a collection; see `Collections.change`."""
        check(self.user, Action.COLLECT)
        new = self._studio.state.collections.change(self.user, seen, **changes)
        return self._collected(new, "changed")

    def collect(self, collection_id: str, job_ids: Sequence[str]) -> Collection:
        """Put clips at the end of a collection; see `Collections.put`."""
        check(self.user, Action.COLLECT)
        known = [job.id for job in self._jobs(job_ids)]
        new = self._studio.state.collections.put(self.user, collection_id, known)
        return self._collected(new, "put in", clips=len(known))

    def uncollect(self, collection_id: str, job_ids: Sequence[str]) -> Collection:
        """Take clips out of a collection; see `Collections.take_out`."""
        check(self.user, Action.COLLECT)
        new = self._studio.state.collections.take_out(self.user, collection_id, job_ids)
        return self._collected(new, "taken out", clips=len(set(job_ids)))

    def move_in_collection(
        self, collection_id: str, job_ids: Sequence[str], *, before: str = ""
    ) -> Collection:
        """Move clips within a collection; see `Collections.move`. The audit leaves it out."""
        check(self.user, Action.COLLECT)
        new = self._studio.state.collections.move(self.user, collection_id, job_ids, before=before)
        self._studio.changes.notify({COLLECTIONS})
        return new

    def delete_collection(self, collection_id: str) -> None:
        """Delete a collection, and with it what its shared links show; its clips stay."""
        check(self.user, Action.DELETE_COLLECTION)
        if (found := self._studio.state.collections.get(collection_id)) is None:
            return
        check(self.user, Action.DELETE_COLLECTION, found.person_id)
        self._studio.state.collections.delete(collection_id)
        self._note(Action.DELETE_COLLECTION, collection_id, clips=len(found.clips))
        self._studio.changes.notify({COLLECTIONS})

    def _collected(self, new: Collection, did: str, **details: object) -> Collection:
        self._note(Action.COLLECT, new.id, did=did, **details)
        self._studio.changes.notify({COLLECTIONS})
        return new

    # -- copies to take away -------------------------------------------------------------------------------

    def take_away(self, job_ids: Sequence[str], *, as_zip: bool = False) -> Taken:
        """Return a copy of a clip with its settings in its metadata; of several, a ZIP of copies.

        The sidecars in a ZIP say what clips cost if the user sees prices. Jobs without a clip here are left
        out.

        Args:
            job_ids: of the jobs, in order.
            as_zip: also of one.

        Raises:
            CurationError: there are too many, or none of them has a clip.
            OSError: a clip cannot be read.
        """
        check(self.user, Action.LOOK)
        check_count(job_ids)
        jobs = [
            job
            for job in self._jobs(job_ids)
            if job.has_clip and not job.erased and self._studio.archive.video(job.id).exists()
        ]
        if not jobs:
            raise CurationError("Selection: none of these has a clip here.")
        self._note(Action.LOOK, jobs[0].id if len(jobs) == 1 else "", did="taken away", clips=len(jobs))
        archive, zone = self._studio.archive, self._studio.settings.timezone
        if len(jobs) == 1 and not as_zip:
            return take_clip(jobs[0], archive, zone)
        return take_all(jobs, archive, zone, prices=self.may(Action.SEE_PRICES))

    def take_film(self, job_id: str) -> Taken:
        """Return a copy of the film that a clip is a part of, with the settings of its parts.

        Args:
            job_id: of any part.

        Raises:
            CurationError: it is a part of none, or the film is not joined yet.
            OSError: it cannot be read.
        """
        check(self.user, Action.LOOK)
        ledger, films = self._studio.ledger, self._studio.films
        job = ledger.get(job_id)
        jobs = () if job is None else clips_with(job, ledger.get, ledger.index.made_from)
        if len(jobs) < 2:
            raise CurationError("Film: this clip is a part of none.")
        film = films.film(jobs, person=self.who)
        if film.state != "ready" or (path := films.path(film.name)) is None:
            raise CurationError(f"Film: {film.problem or 'it is being joined. Try again in a moment.'}")
        self._note(Action.LOOK, job_id, did="took a film away", clips=len(jobs))
        return take_film(jobs, film, path, self._studio.settings.timezone)

    # -- shares --------------------------------------------------------------------------------------------

    def share(
        self,
        job_ids: Sequence[str],
        *,
        title: str = "",
        audience: Audience = "team",
        days: int = DAYS,
        prompts: bool = True,
        people: bool = True,
    ) -> tuple[Share, str]:
        """Make a link to clips; return it and its token, which nobody can read again.

        Args:
            job_ids: of the jobs; those whose clip is not here or hidden are left out.
            title: of the page; may be empty.
            audience: `team`, or `anyone` who has the link.
            days: until it ends.
            prompts: whether these are shown.
            people: whether it is shown who made the clips and when, and who shares them.

        Raises:
            ShareError: the operator has not allowed it, or it lasts too long, or there is no clip.
        """
        self._check_all(Action.SHARE, self._jobs(job_ids))
        return self._shared(job_ids, "", title, audience, days, prompts=prompts, people=people)

    def share_collection(
        self,
        collection_id: str,
        *,
        audience: Audience = "team",
        days: int = DAYS,
        prompts: bool = True,
        people: bool = True,
    ) -> tuple[Share, str]:
        """Make a link to a collection, with the clips that are in it now; see `share`.

        Its words, its order and what is taken out follow the collection. What somebody adds later is not
        shown before `renew_share`: no link shows more than who is responsible for it has seen.
        """
        check(self.user, Action.SHARE)
        clips = self._clips_of(collection_id)
        self._check_all(Action.SHARE, self._jobs(clips))
        return self._shared(clips, collection_id, "", audience, days, prompts=prompts, people=people)

    def renew_share(self, share_id: str) -> None:
        """Let a link to a collection show all clips that are in it now; see `share_collection`."""
        check(self.user, Action.SHARE)
        found = self._share(share_id)
        clips = self._clips_of(found.collection_id)
        self._check_all(Action.SHARE, self._jobs(clips))
        self._studio.state.shares.set_clips(share_id, self._to_show(clips))
        self._note(Action.SHARE, share_id, did="renewed", clips=len(clips))
        self._studio.changes.notify({SHARES})

    def end_share(self, share_id: str) -> None:
        """End a link now: one's own, or anybody's for an admin."""
        check(self.user, Action.SHARE)
        found = self._share(share_id)
        self._studio.state.shares.end(found.id)
        self._note(Action.SHARE, share_id, did="ended")
        self._studio.changes.notify({SHARES})

    def shares(self) -> tuple[Share, ...]:
        """Return the links that the user may end, the newest first, also those that have ended."""
        check(self.user, Action.SHARE)
        found = self._studio.state.shares.all()
        return tuple(each for each in found if may(self.user, Action.SHARE, self._sharer(each)))

    def _shared(
        self,
        job_ids: Sequence[str],
        collection_id: str,
        title: str,
        audience: Audience,
        days: int,
        *,
        prompts: bool,
        people: bool,
    ) -> tuple[Share, str]:
        self._check_sharing(audience, days)
        now = self._studio.now()
        new, token = self._studio.state.shares.add(
            self.user,
            self._to_show(job_ids),
            ends=now + days * _DAY,
            collection_id=collection_id,
            title=title,
            audience=audience,
            prompts=prompts,
            people=people,
        )
        self._note(
            Action.SHARE,
            new.id,
            did="shared",
            clips=len(new.clips),
            collection=collection_id,
            audience=audience,
            days=days,
        )
        self._studio.changes.notify({SHARES})
        return new, token

    def _check_sharing(self, audience: Audience, days: int) -> None:
        sharing = self._studio.settings.sharing
        if sharing == "off":
            raise ShareError("Sharing is switched off here (STUDIO_SHARING). Ask who runs the studio.")
        if audience != audience_of(audience, sharing):
            raise ShareError(
                "Audience: links for anyone are not allowed here (STUDIO_SHARING is team). Share with the "
                "team."
            )
        most = most_days(audience, self.user.role)
        if not 1 <= days <= most:
            raise ShareError(f"Days: choose 1 to {most}; an admin may choose {MOST_DAYS}.")

    def _to_show(self, job_ids: Sequence[str]) -> list[str]:
        return [job.id for job in self._jobs(job_ids) if can_be_shown(job)]

    def _clips_of(self, collection_id: str) -> tuple[str, ...]:
        found = self._studio.state.collections.get(collection_id)
        if found is None:
            raise CollectionError("There is no such collection. Somebody may have deleted it.")
        return found.clips

    def _share(self, share_id: str) -> Share:
        """Return a link that the user may change."""
        found = self._studio.state.shares.get(share_id)
        if found is None:
            raise ShareError("There is no such link. It may have ended long ago.")
        check(self.user, Action.SHARE, self._sharer(found))
        return found

    def _sharer(self, share: Share) -> str:
        """Return whose a link is. One of a time before there was a sign-in is an admin's to end."""
        return share.person_id or ("" if self.user.id == LOCAL else UNKNOWN_OWNER)
