"""What somebody looks for among the jobs, and the one way to and from the address of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from kling.studio.amounts import amount
from kling.studio.jobs import MOST_RATING, STATES, bounded
from kling.text import storable

ORDERS = ("newest", "oldest", "dearest", "cheapest", "rated", "longest")
BY_COST = frozenset({"dearest", "cheapest"})
PERIODS = ("", "today", "7d", "30d", "month", "last-month")
STARS = ("", "any", "mine")
HIDDEN = ("", "only", "all")
SOUNDS = ("", "on", "off")
KINDS: Final[Mapping[str, tuple[str, ...]]] = {  # names of `endpoints` that stand for several
    "words": ("text2video", "text-to-video"),
    "picture": ("image2video", "image-to-video"),
    "sound": ("video2audio",),
}
PER_PAGE = 50
LONGEST_TEXT = 300  # characters of what is looked for
LONGEST_VALUE = 100  # of any other value
MOST_VALUES = 20  # of one filter
LAST_PAGE = 100_000

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NAMES: Final = {
    "text": "q",
    "states": "state",
    "models": "model",
    "modes": "mode",
    "person": "person",
    "period": "when",
    "first": "from",
    "last": "to",
    "batch": "batch",
    "parent": "parent",
    "cost_from": "min",
    "cost_to": "max",
    "star": "star",
    "rating": "rating",
    "tags": "tag",
    "durations": "seconds",
    "shapes": "shape",
    "sound": "sound",
    "at_risk": "risk",
    "hidden": "hidden",
    "endpoints": "endpoint",
    "continued": "continued",
    "clips": "clips",
    "order": "order",
    "page": "page",
}
PARAMETERS = frozenset(_NAMES.values())  # of an address; a page may have others beside them


@dataclass(frozen=True, slots=True)
class JobQuery:
    """A question to the library. What makes no sense is as if it had not been said: nothing raises.

    Args:
        text: words that all have to be found; those between double quotes side by side.
        states, models, modes, endpoints, durations, shapes: one of these; none allows all. `endpoints` has
            `text2video` for a job that names none, and takes the names of `KINDS` too.
        person: id of who ordered, or a name of somebody without an account.
        period: a name of `PERIODS` that moves with the day; counts where `first` and `last` are None.
        first, last: days in the studio's time zone on which it was ordered.
        batch, parent: their ids.
        cost_from, cost_to: Units that were charged, or before that the price; a job without either is out.
        star: `any` for a star of anybody, `mine` for one of whoever asks.
        rating: the best rating that anybody gave is so much at least; 0 allows all.
        tags: all of these.
        sound: `on`, `off`, or empty for both.
        at_risk: only those whose video is not fetched yet.
        hidden: empty leaves hidden jobs out, `only` and `all` say it themselves.
        continued: only those that go on from the last frame of another clip.
        clips: only jobs with a video in the archive.
        order: one of `ORDERS`.
        page: from 1.
    """

    text: str = ""
    states: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    person: str = ""
    period: str = ""
    first: date | None = None
    last: date | None = None
    batch: str = ""
    parent: str = ""
    cost_from: Decimal | None = None
    cost_to: Decimal | None = None
    star: str = ""
    rating: int = 0
    tags: tuple[str, ...] = ()
    durations: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    sound: str = ""
    at_risk: bool = False
    hidden: str = ""
    endpoints: tuple[str, ...] = ()
    continued: bool = False
    clips: bool = False
    order: str = "newest"
    page: int = 1

    def __post_init__(self) -> None:
        for name, clean in _CLEAN.items():
            object.__setattr__(self, name, clean(getattr(self, name)))
        if self.first or self.last:
            object.__setattr__(self, "period", "")
            if self.first and self.last and self.first > self.last:
                first, last = self.last, self.first
                object.__setattr__(self, "first", first)
                object.__setattr__(self, "last", last)

    @classmethod
    def of_address(cls, parameters: Mapping[str, Any]) -> JobQuery:
        """Return the question of an address; others' parameters and senseless values are passed over."""
        return cls(**{name: parameters[key] for name, key in _NAMES.items() if key in parameters})

    def to_address(self) -> dict[str, str]:
        """Return the parameters of the address; what is left to its default has none."""
        default = JobQuery()
        return {
            key: _as_text(value)
            for name, key in _NAMES.items()
            if (value := getattr(self, name)) != getattr(default, name)
        }

    @property
    def without_costs(self) -> JobQuery:
        """The question of somebody who may not see prices: an order by cost would tell them too."""
        order = "newest" if self.order in BY_COST else self.order
        return replace(self, cost_from=None, cost_to=None, order=order)

    def with_page(self, page: int) -> JobQuery:
        """Return the question for another page."""
        return replace(self, page=page)

    @property
    def whole(self) -> JobQuery:
        """The question without order and page: what is counted and summed."""
        return replace(self, order="newest", page=1)

    @property
    def endpoint_names(self) -> tuple[str, ...]:
        """The endpoints that are asked for, each by its own name."""
        return tuple(name for each in self.endpoints for name in KINDS.get(each, (each,)))

    @property
    def is_filtered(self) -> bool:
        """Whether anything is asked for; without that, everything that is not hidden is meant."""
        return self.whole != JobQuery()

    def days(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and the last day that are meant, None where there is no such end."""
        if self.first or self.last or not self.period:
            return self.first, self.last
        start_of_month = today.replace(day=1)
        if self.period == "month":
            return start_of_month, today
        if self.period == "last-month":
            end = start_of_month - timedelta(days=1)
            return end.replace(day=1), end
        return today - timedelta(days={"today": 0, "7d": 6, "30d": 29}[self.period]), today


def _as_text(value: Any) -> str:
    match value:
        case bool():
            return "1"
        case tuple():
            return ",".join(value)
        case date():
            return value.isoformat()
        case Decimal():
            return amount(value)
    return str(value)


# -- one value each: anybody may type an address -----------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    plain = storable(_CONTROL.sub(" ", value[: 4 * LONGEST_TEXT]))
    return " ".join(plain.split())[:LONGEST_TEXT].strip()


def _word(value: object) -> str:
    """Return a value of one line that has no comma, else an empty text."""
    word = _name(value)
    return "" if "," in word else word.strip()


def _name(value: object) -> str:
    """Return a value of one line as it is; it may have joiners and blanks of any kind."""
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or not value.strip():
        return ""
    return "" if _CONTROL.search(value) or storable(value) != value else value


def _words(value: object) -> tuple[str, ...]:
    each: Iterable[object] = value.split(",") if isinstance(value, str) else ()
    if isinstance(value, tuple | list):
        each = value
    return tuple(dict.fromkeys(filter(None, map(_word, each))))[:MOST_VALUES]


def _states(value: object) -> tuple[str, ...]:
    return tuple(each for each in _words(value) if each in STATES)


def _day(value: object) -> date | None:
    if type(value) is date:
        found = value
    else:
        try:
            found = date.fromisoformat(value if isinstance(value, str) and _DATE.fullmatch(value) else "")
        except ValueError:
            return None
    return found if 1970 <= found.year <= 8999 else None


def _units(value: object) -> Decimal | None:
    if (
        isinstance(value, Decimal | str)
        and (number := bounded(str(value).strip())) is not None
        and number >= 0
    ):
        return number.normalize() + 0
    return None


def _number(least: int, most: int) -> Callable[[object], int]:
    def clean(value: object) -> int:
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        is_number = text.isascii() and text.isdecimal() and len(text) < 10
        return int(text) if is_number and least <= int(text) <= most else least

    return clean


def _one_of(names: tuple[str, ...]) -> Callable[[object], str]:
    return lambda value: value if isinstance(value, str) and value in names else names[0]


def _flag(value: object) -> bool:
    return value is True or value == "1"


_CLEAN: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _text,
    "states": _states,
    "models": _words,
    "modes": _words,
    "person": _name,
    "period": _one_of(PERIODS),
    "first": _day,
    "last": _day,
    "batch": _word,
    "parent": _word,
    "cost_from": _units,
    "cost_to": _units,
    "star": _one_of(STARS),
    "rating": _number(0, MOST_RATING),
    "tags": _words,
    "durations": _words,
    "shapes": _words,
    "sound": _one_of(SOUNDS),
    "at_risk": _flag,
    "hidden": _one_of(HIDDEN),
    "endpoints": _words,
    "continued": _flag,
    "clips": _flag,
    "order": _one_of(ORDERS),
    "page": _number(1, LAST_PAGE),
}
assert _CLEAN.keys() == _NAMES.keys() == {field.name for field in fields(JobQuery)}  # noqa: S101 - of this file
