"""The library's answers as a few lines of Python over the folded jobs: what the index has to equal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from kling.studio.jobs import SUCCEED, Job
from kling.studio.jobs.cells import load_json
from kling.studio.library import JobQuery
from kling.studio.spending import Price, counted_at
from kling.studio.visible_names import name_key

ACCENTS = {chr(code) for code in range(0x300, 0x370)}
UNSEEN = set(
    "\xad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
)
UNSEEN |= {chr(code) for code in range(0xFE00, 0xFE10)}


def plain(text: str) -> str:
    """Return what the spellings of a text have in common, character by character."""
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.casefold()).casefold())
    kept = (
        " " if unicodedata.category(char) == "Cc" else char for char in once if char not in ACCENTS | UNSEEN
    )
    return " ".join("".join(kept).replace("ı", "i").split())


def words(text: str) -> list[str]:
    """Return the terms of a search: what stands outside of double quotes at blanks, inside as it is."""
    found: list[str] = []
    for number, part in enumerate(text.split('"')):
        found += [part] if number % 2 else part.split()
    terms = [plain(each)[:100].strip() for each in found]
    return list(dict.fromkeys(filter(None, terms)))


def texts(job: Job) -> list[str]:
    shots = load_json(job["multi_prompt"])
    shown = [shot["prompt"] for shot in shots] if isinstance(shots, list) else []
    names = ("prompt", "negative_prompt", "tags", "note", "person", "external_task_id", "task_id")
    return [plain(text) for text in [*(job[name] for name in names), job.message, *shown]]


def cost(job: Job) -> Decimal | None:
    charged = job.decimal("final_unit_deduction")
    if charged is not None:
        return charged
    may_cost = job.state not in {"failed", "withdrawn", "not_sent"}
    return job.decimal("units") if may_cost else None


def is_found(
    job: Job,
    query: JobQuery,
    *,
    who: str = "",
    today: date = date(1970, 1, 1),
    zone: tzinfo = UTC,
    names: Iterable[str] = (),
) -> bool:
    """Whether a job is an answer to a question."""
    day = counted_at(job).astimezone(zone).date()
    first, last = query.days(today)
    units = cost(job)
    stars = {key for key, opinion in job.opinions.items() if opinion.star}
    rating = max((opinion.stars for opinion in job.opinions.values()), default=0)
    tags = {plain(tag) for tag in job.tags}
    by_name = not job["person_id"] and name_key(job["person"]) in {name_key(query.person), *names} - {""}
    at_risk = job.state == SUCCEED and not job["file"] and not job.gone
    return all(
        [
            not job.retracted,
            all(any(term in text for text in texts(job)) for term in words(query.text)),
            {"": not job.hidden, "only": job.hidden, "all": True}[query.hidden],
            not query.states or job.state in query.states,
            not query.models or job["model_name"] in query.models,
            not query.modes or job["mode"] in query.modes,
            not query.endpoints or (job["endpoint"] or "text2video") in query.endpoint_names,
            not query.durations or job["duration"] in query.durations,
            not query.shapes or job["aspect_ratio"] in query.shapes,
            not query.sound or ("on" if job["sound"] == "on" else "off") == query.sound,
            not query.batch or job.group == query.batch,
            not query.parent or job.parent == query.parent,
            not query.person or job["person_id"] == query.person or by_name,
            first is None or day >= first,
            last is None or day <= last,
            query.cost_from is None or (units is not None and units >= query.cost_from),
            query.cost_to is None or (units is not None and units <= query.cost_to),
            query.star != "any" or bool(stars),
            query.star != "mine" or who in stars,
            rating >= query.rating,
            all(plain(tag) in tags for tag in query.tags),
            not query.at_risk or at_risk,
            not query.continued or (bool(job.parent) and job.extra.get("continues") is True),
            not query.clips or job.has_clip,
        ]
    )


def in_order(jobs: Iterable[tuple[int, Job]], order: str) -> list[str]:
    """Return the ids of jobs, given with their number in the log, in an order of a question."""

    def newest(item: tuple[int, Job]) -> tuple[int, int]:
        return int(counted_at(item[1]).timestamp() * 1000), item[0]

    found = sorted(jobs, key=newest, reverse=order != "oldest")

    def units(job: Job, unknown: int) -> Decimal:
        found = cost(job)
        return Decimal(unknown) if found is None else found

    values: dict[str, Callable[[Job], Decimal]] = {
        "dearest": lambda job: -units(job, -(10**18)),
        "cheapest": lambda job: units(job, 10**18),
        "rated": lambda job: -Decimal(max((each.stars for each in job.opinions.values()), default=0)),
        "longest": lambda job: -(job.decimal("duration") or Decimal(0)),
    }
    if key := values.get(order):
        found.sort(key=lambda item: key(item[1]))
    return [job.id for _, job in found]


def used(jobs: Iterable[Job], price: Price) -> tuple[Decimal, Decimal]:
    """Return the Units and the money that jobs count for."""
    counts = [price.counts_of(job) or (0, 0, 0, 0, 0) for job in jobs]
    units = sum(each[0] + each[2] for each in counts)
    money = sum(each[1] + each[3] for each in counts)
    return Decimal(units) / 10**6, Decimal(money) / 10**12


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
