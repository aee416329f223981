"""Which cards stand on the strip: what one press ordered is one card, whether it is one video or many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kling.studio.actions import Actions
from kling.studio.identity.roles import LOCAL
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.current_user import acting

OF_SESSION, RECENT = 12, 12  # cards on the strip
SEARCHED = 60  # cards, or jobs, among which the newest of a person is looked for


@dataclass(frozen=True, slots=True)
class Card:
    """What one press ordered.

    Args:
        key: the id of the batch, or of the one job.
        jobs: in the order in which they were ordered; at least one.
    """

    key: str
    jobs: tuple[Job, ...]


def session_cards(job_ids: Sequence[str]) -> list[Card]:
    """Return the cards of these jobs, in this order; a batch is shown as a whole."""
    found = dict.fromkeys(
        job.group or job.id for job in map(studio().ledger.get, job_ids) if job is not None and job.id
    )
    cards = (card_of(key) for key in list(found)[:OF_SESSION])
    return [card for card in cards if card is not None]


def recent_cards(without: Collection[str]) -> list[Card]:
    """Return cards with the newest clips of everybody.

    Args:
        without: keys of cards that stand elsewhere.
    """
    found = _clips(OF_SESSION + RECENT)
    return [card for card in found if card.key not in without][:RECENT]


def recent_keys() -> list[str]:
    """Return what changes when there is another clip among those of `recent_cards`."""
    return [f"{card.key} {len(card.jobs)}" for card in _clips(OF_SESSION + RECENT)]


def newest_of_user() -> Card | None:
    """Return the card with the newest clip of the current user; None if there is none among the latest.

    Where nobody signs in, a browser without a name has the newest of all.
    """
    user = acting()
    return next((card for card in _clips(SEARCHED) if _is_own(card.jobs[0], user)), None)


def newest_order() -> str:
    """Return the id of what the current user ordered last; empty if that is not among the latest."""
    user = acting()
    return next((job.id for job in studio().ledger.index.newest(0, SEARCHED) if _is_own(job, user)), "")


def _is_own(job: Job, user: Actions) -> bool:
    if user.user.id == LOCAL:
        return not user.user.name or job["person"] == user.user.name
    return user.owner_of(job) == user.user.id


def card_of(key: str) -> Card | None:
    """Return the card of a batch or of a job; None if there is neither.

    Args:
        key: comes from a page, so it may be anything.
    """
    here = studio()
    if batch := here.ledger.index.batch(key):
        return Card(key, tuple(reversed(batch)))
    job = here.ledger.get(key)
    return Card(key, (job,)) if job is not None else None


def _clips(most: int) -> list[Card]:
    """Return the newest cards whose clips are here and are not hidden."""
    cards = []
    for card in studio().ledger.index.page_of_cards(0, most):
        jobs = tuple(job for job in reversed(card) if not job["hidden"])
        if jobs:
            cards.append(Card(jobs[0].group or jobs[0].id, jobs))
    return cards
