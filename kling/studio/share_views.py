"""What a shared link shows at this moment. It is asked anew at each request, so an end counts at once."""

from __future__ import annotations

from dataclasses import dataclass

from kling.studio.actions_base import ActionsBase
from kling.studio.films.chains import is_film
from kling.studio.identity.roles import LOCAL, Action, User, may
from kling.studio.jobs import Job
from kling.studio.parts import Parts
from kling.studio.share_settings import audience_of
from kling.studio.state.records import Audience, Share


@dataclass(frozen=True, slots=True)
class SharedView:
    """What a link shows.

    Args:
        share: the link.
        audience: who may see it now; it may be fewer than those it was made for.
        title: of the page; empty where nobody gave one.
        text: below it; may be empty.
        clips: the jobs, in order.
        cover: the one whose picture stands for all.
        is_film: whether the clips go on with each other, so that they can be shown as the film that they are.
    """

    share: Share
    audience: Audience
    title: str
    text: str
    clips: tuple[Job, ...]
    cover: Job
    is_film: bool

    def clip(self, job_id: str) -> Job | None:
        """Return one of the clips, None if it is none of them."""
        return next((job for job in self.clips if job.id == job_id), None)


def shared_view(studio: Parts, token: str) -> SharedView | None:
    """Return what the link of a token shows; None if it shows nothing to anybody.

    That is so for a token that is nobody's; after the link has ended, or was ended; where sharing is off;
    where who shares was removed or may not share any more; where the collection was deleted; and where no
    clip is left. A clip is left out that is hidden or has no file, that was taken out of the collection, or
    that who shares might not share now.

    Raises:
        StateError: the database does not answer.
    """
    sharing = studio.settings.sharing
    if sharing == "off" or (share := studio.state.shares.find(token)) is None:
        return None
    if (sharer := _sharer(studio, share)) is None or not may(sharer, Action.SHARE):
        return None
    order, title, text, cover = share.clips, share.title, "", ""
    if share.collection_id:
        if (collection := studio.state.collections.get(share.collection_id)) is None:
            return None
        order = tuple(each for each in collection.clips if each in share.clips)
        title, text, cover = collection.title, collection.text, collection.cover
    acting = ActionsBase(studio, sharer)
    found = (studio.ledger.get(job_id) for job_id in order)
    clips = tuple(
        job for job in found if job is not None and can_be_shown(job) and acting.may(Action.SHARE, job)
    )
    if not clips:
        return None
    first = next((job for job in clips if job.id == cover), clips[0])
    audience, joins = audience_of(share.audience, sharing), is_film(clips, studio.ledger.get)
    return SharedView(share, audience, title, text, clips, first, joins)


def can_be_shown(job: Job) -> bool:
    """Whether the clip of a job is here, and nobody has hidden it."""
    return job.has_clip and not job.hidden and not job.erased


def _sharer(studio: Parts, share: Share) -> User | None:
    """Return who made a link, None if they are gone: removed, or of a time before there was a sign-in."""
    people = studio.state.people
    if share.person_id:
        person = people.get(share.person_id)
        return None if person is None or person.removed else person.user
    has_sign_in = studio.settings.sign_in.has_way_in or people.has_accounts
    return None if has_sign_in else User(LOCAL, share.person, "admin")
