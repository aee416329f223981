"""What the stage's script is told of jobs: plain values, each of them checked or harmless as text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from kling.studio.actions import Actions
from kling.studio.films.chains import SOUND
from kling.studio.identity.roles import Action
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import FAILED, FOLLOWED, INTENT, SUBMITTED, SUCCEED, WAITING, Job
from kling.studio.prompting.differences import differences, joined
from kling.studio.queue_position import QueuePosition
from pages._ui.clip_names import file_name
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.format import counted, is_sandbox, prompt_of, span, state
from pages._ui.job_status import announcement, failure
from pages._ui.live.marks import began, job_mark
from pages._ui.scripts.script import hidden_facts
from pages._ui.stage.cards import Card
from pages._ui.words import DELETED, LOST

LONGEST_WORDS = 200  # characters of a prompt on the strip and in names for readers
LONGEST_OWN = 40  # characters on a tile that say how it differs from the others
MOST_TILES = 36  # of one card
SHAPE = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")
WIDEST = 4.0  # ratio of the sides that a box is given at most
USUAL_SHAPE = (16, 9)


def facts(cards: Mapping[str, Sequence[Card]]) -> dict[str, list[dict[str, Any]]]:
    """Return what the script is told of cards.

    Args:
        cards: by their place on the page.
    """
    jobs = [job for group in cards.values() for card in group for job in card.jobs]
    waits = any(job.state == WAITING for job in jobs)
    line, user = (studio().admission.positions(), acting()) if waits else ({}, None)

    def of_card(card: Card) -> dict[str, Any]:
        words, own = alternatives(card)
        told = [of_job(job, line.get(job.id), user) for job in card.jobs[:MOST_TILES]]
        if len(card.jobs) > 1:
            for each, job, part in zip(told, card.jobs, own, strict=False):
                if part:
                    each["own"] = part[:LONGEST_OWN]
                if each["look"] == "done":
                    each["file"] = file_name(job)
        done = sum(job.has_clip for job in card.jobs)
        return {
            "key": card.key,
            "words": words[:LONGEST_WORDS],
            "of": len(card.jobs),
            "done": done,
            "jobs": told,
        }

    return {place: [of_card(card) for card in group] for place, group in cards.items()}


def alternatives(card: Card) -> tuple[str, tuple[str, ...]]:
    """Return the prompt of a card in one line, and what each of its jobs has for itself.

    Where prompts differ, the differing part stands in braces, as it is written in the form.
    """
    return _alternatives(tuple(" ".join(prompt_of(job).split()) for job in card.jobs))


@lru_cache(maxsize=64)  # the texts of a card stay, and the stage is drawn at each change of a job
def _alternatives(texts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    own = tuple(differences(texts))
    return joined(texts) if any(own) else texts[0], own


def of_job(job: Job, place: QueuePosition | None = None, user: Actions | None = None) -> dict[str, Any]:
    """Return what the script is told of one job; what is absent or false is left out.

    Args:
        job: in any state.
        place: in line, if it waits there.
        user: who may cancel it then.
    """
    look, word = look_of(job, place)
    found: dict[str, Any] = {"id": job.id, "look": look, "word": word, "shape": shape_of(job)}
    if not PLAIN_ID.fullmatch(job.id):
        return found | {"look": "ended"}  # it has no address: another program wrote its id
    if look == "done":
        found |= {"sound": job.probe.get("audio") is True}
    elif look == "made":
        found |= {"since": began(job), "say": _made_where(job), **_usual(job)}
    elif look in {"waiting", "held"} and place is not None:
        ahead = place.position - 1
        say = "Next in line" if ahead < 1 else f"{ahead:,} ahead of you"
        found |= {"say": word if look == "held" else say, "why": place.why}
        found |= {"cancel": user is not None and user.may(Action.WITHDRAW, job)}
    return {name: value for name, value in found.items() if value not in (False, "", None)}


def look_of(job: Job, place: QueuePosition | None = None) -> tuple[str, str]:
    """Return how a tile of a job looks, and the word on it.

    Args:
        job: in any state.
        place: in line, if it waits there.
    """
    here = studio()
    if job.has_clip:
        return "done", state(job)[0]
    if job.endpoint is None or not here.accounts.owns(job):
        return "failed" if job.state == FAILED else "ended", DELETED if job.deleted else state(job)[0]
    if job.state in {INTENT, *FOLLOWED} or (job.state == SUCCEED and not job.gone):
        return "made", "Queued" if job.state == SUBMITTED else state(job)[0]
    if job.state == WAITING:
        return ("held", "Held") if place is not None and place.needs_person else ("waiting", "Queued")
    if job.state == FAILED:
        return "failed", failure(job)
    lost = DELETED if job.deleted else LOST
    return "ended", lost if job.state == SUCCEED else state(job)[0]


def shape_of(job: Job) -> list[int]:
    """Return the two sides of a job's picture: of its clip if it is here, else those that are to come."""
    probe = job.probe if job.has_clip else {}
    wide, high = probe.get("width"), probe.get("height")
    if wide is None:
        wide, high = _ordered_sides(job)
    if isinstance(wide, int) and isinstance(high, int) and 0 < wide < 10**5 and 0 < high < 10**5:
        return [wide, high] if 1 / WIDEST <= wide / high <= WIDEST else list(USUAL_SHAPE)
    return list(USUAL_SHAPE)


def _ordered_sides(job: Job) -> tuple[object, object]:
    """Return what is known of the sides before there is a clip; None where nothing is.

    They are the ratio that was chosen, those of the first frame, or of the silent clip that gets sound.
    """
    if found := SHAPE.fullmatch(job["aspect_ratio"]):
        return int(found[1]), int(found[2])
    if job["image"] and (picture := studio().pictures.find(job["image"])) is not None:
        return picture.width, picture.height
    if job["endpoint"] == SOUND and (silent := studio().ledger.get(job["parent"])) is not None:
        return silent.probe.get("width"), silent.probe.get("height")
    return None, None


def _made_where(job: Job) -> str:
    at = "in the sandbox" if is_sandbox(job) else "at Kling"
    if job.state == SUCCEED:
        return "Being fetched"
    if job.state == INTENT:
        return "Being sent" if is_sandbox(job) else "Being sent to Kling"
    return f"Queued {at}" if job.state == SUBMITTED else f"Being made {at}"


def _usual(job: Job) -> dict[str, Any]:
    """Return how long such a job usually takes: in words, and at most in seconds."""
    usual = studio().duration_estimate(job)
    if usual is None or usual.high <= 0:
        return {}
    low, high = span(usual.low), span(usual.high)
    return {"usual": f"usually {low}" if low == high else f"usually {low} to {high}", "high": usual.high}


def batch_words(card: Card) -> str:
    """Return how many jobs of a card are done, as `2 of 4 done`, and what became of the others."""
    done = sum(job.has_clip for job in card.jobs)
    words = [f"{done:,} of {counted(len(card.jobs), 'clip', 'clips')} done"]
    for look, word in (("failed", "failed"), ("held", "held"), ("ended", "ended without a clip")):
        if number := sum(look_of(job)[0] == look for job in card.jobs):
            words.append(f"{number:,} {word}")
    if len(card.jobs) > MOST_TILES:
        words.append(f"the first {MOST_TILES} shown")
    return " · ".join(words)


def as_html(told: Mapping[str, Any], now: float, jobs: Sequence[Job]) -> str:
    """Return hidden elements that carry the facts, and the states of jobs for screen readers and the chime.

    Args:
        told: what the script is told.
        now: Unix seconds of the server, by which the page's clock is corrected.
        jobs: whose ends are announced.
    """
    elements = [hidden_facts("stage", told, now=int(now * 1000))]
    elements += [job_mark(job, announcement(job), is_own=True) for job in jobs]
    return "".join(elements)
