"""What the index holds of a job: a row of facts to filter and add up by, and the text to search in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from kling.endpoint import TEXT_TO_VIDEO
from kling.studio.archive import retention_status
from kling.studio.clip_verification import cost
from kling.studio.durations import timeline
from kling.studio.films.chains import continues
from kling.studio.jobs import FAILED, SUCCEED, Job
from kling.studio.jobs.cells import load_json
from kling.studio.library.normal import normalise
from kling.studio.spending import Price, counted_at
from kling.studio.visible_names import name_key

NONE, SAFE, AT_RISK, GONE, DELETED = range(5)  # of a job's video
RETRACTED = 2  # value of `hidden`: the import was undone, so no query finds the job
KEPT_FROM = 4  # a clip is kept if somebody has starred it, or rated it so much
PARTED = "\x1f"  # between two fields of a text; no search has it
END = PARTED * 2  # of a text, so that each of its characters is followed by two
_MICRO = 10**6
_LATEST = 2**42 - 1  # milliseconds, in the year 2109
_SAME_TIME = 2**21  # jobs of one millisecond that keep their order
_WIDEST = 24 * 3600 * 1000  # milliseconds; a longer time says nothing


class Counted(NamedTuple):
    """What one job adds to counts and sums. Jobs that add the same are of one kind.

    Args:
        account: in whose books it is.
        imported: 1 if it was imported, and is in no books.
        clips: 1 if its video is in the archive; the other counts are 1 or 0 too.
        succeeded, failed: how it ended at Kling.
        kept: see `KEPT_FROM`.
        unpriced: 1 if it may cost something that nobody knows.
        expected: Units in millionths, as all Units here: the price of what was settled, 0 if nobody knows it.
        charged_of_expected: what was settled, if its price is known.
        reserved, settled, kept_units: as budgets count them; the last one is `settled` of one that is kept.
        reserved_money, settled_money, kept_money, expected_money: in millionths of millionths.
    """

    account: str
    imported: int
    clips: int
    succeeded: int
    failed: int
    kept: int
    unpriced: int
    expected: int
    charged_of_expected: int
    reserved: int
    settled: int
    kept_units: int
    reserved_money: int
    settled_money: int
    kept_money: int
    expected_money: int

    @property
    def numbers(self) -> tuple[int, ...]:
        """What is added up, in the order of `NUMBERS`."""
        return self[2:]


NUMBERS = Counted._fields[2:]


@lru_cache(maxsize=4096)
def counted_of(text: str) -> Counted:
    """Return what `json.dumps` has written."""
    return Counted(*json.loads(text))


@dataclass(frozen=True, slots=True)
class Facts:
    """One row of the index.

    Args:
        place: the later the order, then the later in the log, the smaller; below 1, and no job has another's.
        id: our id.
        day, hour: of the order, in the studio's time zone.
        state, model, mode, batch, parent, endpoint, duration, shape, sound: cells.
        person_id, person: cells.
        person_key: of the name; empty where there is an id.
        clip: one of `NONE` to `DELETED`.
        hidden: 1 or 0, or `RETRACTED`.
        imported: 1 or 0.
        continued: 1 if it goes on from the last frame of its parent's clip, else 0.
        stars: how many people have starred it.
        rating: the best one.
        tags: normalised, each between two `PARTED`; empty for none.
        cost: Units that were charged, or that it is expected to cost, in millionths; None for neither.
        seconds: of the video that was ordered, in thousandths, to sort by.
        template: id of the template that it was ordered from.
        waited, queued, processed: milliseconds of a job that succeeded; None for what is not known.
        kind: of the sums it is in, as JSON of a `Counted`; the file has a number of it.
    """

    place: int
    kind: str
    hidden: int
    imported: int
    continued: int
    clip: int
    stars: int
    rating: int
    hour: int
    waited: int | None
    queued: int | None
    processed: int | None
    cost: int | None
    seconds: int
    day: str
    state: str
    model: str
    mode: str
    person_id: str
    person_key: str
    endpoint: str
    duration: str
    shape: str
    sound: str
    tags: str
    batch: str
    parent: str
    template: str
    id: str
    person: str


COLUMNS = tuple(field.name for field in fields(Facts))


def facts_of(job: Job, number: int, zone: tzinfo, price: Price) -> Facts:
    """Return the facts of a job.

    Args:
        job: of any state.
        number: of the job in the log.
        zone: the studio's time zone.
        price: counts what it costs.
    """
    moment = counted_at(job)
    local = moment.astimezone(zone)
    ratings = [opinion.stars for opinion in job.opinions.values()]
    stars, rating = sum(bool(opinion.star) for opinion in job.opinions.values()), max(ratings, default=0)
    clip, kept = _clip(job), job.state == SUCCEED and (stars > 0 or rating >= KEPT_FROM)
    units, seconds = cost(job), job.decimal("duration")
    return Facts(
        place=place_of(moment, number),
        kind=json.dumps(_counted(job, price, clip=clip, kept=kept), separators=(",", ":")),
        id=job.id,
        day=local.date().isoformat(),
        hour=local.hour,
        state=job.state,
        model=job["model_name"],
        mode=job["mode"],
        batch=job.group,
        parent=job.parent,
        endpoint=job["endpoint"] or TEXT_TO_VIDEO.name,
        duration=job["duration"],
        shape=job["aspect_ratio"],
        sound="on" if job["sound"] == "on" else "off",
        person_id=job["person_id"],
        person=job["person"],
        person_key="" if job["person_id"] else name_key(job["person"]),
        clip=clip,
        hidden=RETRACTED if job.retracted else int(job.hidden),
        imported=int(job.imported),
        continued=int(continues(job)),
        stars=stars,
        rating=rating,
        tags=f"{PARTED}{PARTED.join(map(normalise, tags))}{PARTED}" if (tags := job.tags) else "",
        cost=None if units is None else int(units * _MICRO),
        seconds=0 if seconds is None else int(seconds * 1000),
        template=_template(job),
        **_times(job),
    )


def place_of(moment: datetime, number: int) -> int:
    """Return the place of a job among all, by time and then by its number in the log.

    The newest comes first, because SQLite writes, and the search reads, rows much quicker in the order of
    their places: the index is built from the newest job on, and mostly asked for the newest ones.
    """
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), _LATEST)
    return -(milliseconds * _SAME_TIME + number % _SAME_TIME)


def number_of(place: int) -> int:
    """Return the number in the log that is in a place."""
    return -place % _SAME_TIME


def _clip(job: Job) -> int:
    if job.deleted:
        return DELETED
    found = {"safe": SAFE, "at risk": AT_RISK, "gone": GONE}
    return found.get(retention_status(job, datetime.now(UTC))[0], NONE)  # the days that are left are not used


def _template(job: Job) -> str:
    found = job.extra.get("template") if "template" in job["extra"] else None
    return found[:100] if isinstance(found, str) else ""


def _counted(job: Job, price: Price, *, clip: int, kept: bool) -> Counted:
    reserved, reserved_money, settled, settled_money, unpriced = price.counts_of(job) or (0, 0, 0, 0, 0)
    units = job.decimal("units")
    is_known = bool(settled) and units is not None and units >= 0
    expected = int(units * _MICRO) if is_known and units is not None else 0
    return Counted(
        account=job["account"],
        imported=int(job.imported),
        clips=int(clip == SAFE),
        succeeded=int(job.state == SUCCEED),
        failed=int(job.state == FAILED),
        kept=int(kept),
        unpriced=unpriced,
        expected=expected,
        charged_of_expected=settled if is_known else 0,
        reserved=reserved,
        settled=settled,
        kept_units=settled if kept else 0,
        reserved_money=reserved_money,
        settled_money=settled_money,
        kept_money=settled_money if kept else 0,
        expected_money=price.money_of(job, expected),
    )


def _times(job: Job) -> dict[str, int | None]:
    if job.state != SUCCEED or job.imported or SUCCEED not in job.since:
        return {"waited": None, "queued": None, "processed": None}
    spent = timeline(job, job.since[SUCCEED])
    return {
        "waited": _milliseconds(spent.waited),
        "queued": _milliseconds(spent.queued),
        "processed": _milliseconds(spent.processing),
    }


def _milliseconds(seconds: float | None) -> int | None:
    found = None if seconds is None else round(seconds * 1000)
    return found if found is not None and 0 <= found <= _WIDEST else None


# -- text ----------------------------------------------------------------------------------------------


def texts_of(job: Job) -> Iterator[tuple[str, str]]:
    """Yield what is searched in a job: the name of each field, and its text as it was written."""
    for name in ("prompt", "negative_prompt", "sound_effect_prompt", "bgm_prompt"):
        if text := job[name]:
            yield name, text
    for number, text in enumerate(_shots(job), 1):
        yield f"shot {number}", text
    for name in ("tags", "note", "person", "message", "external_task_id", "task_id"):
        if text := (job.message if name == "message" else job[name]):
            yield name, text


def hay_of(job: Job) -> str:
    """Return everything that is searched in a job, normalised."""
    return PARTED.join(filter(None, (normalise(text) for _, text in texts_of(job)))) + END


def _shots(job: Job) -> Sequence[str]:
    found = load_json(job["multi_prompt"]) if job["multi_prompt"] else None
    prompts = (
        (shot.get("prompt") for shot in found if isinstance(shot, dict)) if isinstance(found, list) else ()
    )
    return [prompt for prompt in prompts if isinstance(prompt, str) and prompt]
