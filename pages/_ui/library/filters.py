"""The table of filters: what each asks, what it offers, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kling import catalog
from kling.studio.amounts import money
from kling.studio.jobs import MOST_RATING, STATES
from kling.studio.library import IndexBroken, JobQuery
from kling.studio.library.query import BY_COST, HIDDEN, KINDS, ORDERS, PERIODS
from kling.studio.library.spend import Group
from kling.studio.visible_names import name_key
from pages._ui import words
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices

_NOTHING = JobQuery()
HISTORY_ONLY, GALLERY_ONLY = ("history",), ("gallery",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter of the bar.

    Args:
        field: of `JobQuery` that it sets; `days` and `cost` stand for the two ends of a range.
        label: of its chip, or of its part of More.
        kind: `one` or `many` of what it offers, `switch`, `days` or `cost`; `shown` comes from a link only.
        offers: gives the values, as the address has them; asked while the filter is open.
        word: says a value.
        on: the pages that have it.
        is_chip: whether it has a chip of its own; else it is in More.
        is_about_cost: only for who may see prices.
    """

    field: str
    label: str
    kind: str = "one"
    offers: Callable[[], Sequence[str]] = tuple
    word: Callable[[str], str] = str
    on: Sequence[str] = ("history", "gallery")
    is_chip: bool = False
    is_about_cost: bool = False

    def values(self, query: JobQuery) -> tuple[str, ...]:
        """Return what is asked of it, none if nothing is."""
        if self.kind == "days":
            is_set = query.period or query.first or query.last
            return (query.period,) if is_set else ()
        if self.kind == "cost":
            return ("",) if query.cost_from is not None or query.cost_to is not None else ()
        value = getattr(query, self.field)
        if value == getattr(_NOTHING, self.field):
            return ()
        return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)

    def said(self, query: JobQuery) -> str:
        """Return what is asked of it in words, empty if nothing is."""
        if not (values := self.values(query)):
            return ""
        if self.kind == "days":
            return PERIOD_WORDS.get(query.period) or _range(
                *(f"{day:%d %b %Y}" if day else "" for day in (query.first, query.last))
            )
        if self.kind == "cost":
            return _range(*map(_cost, (query.cost_from, query.cost_to)))
        first, *others = map(self.word, values)
        return f"{first} +{len(others)}" if others else first

    def nothing(self) -> dict[str, Any]:
        """Return the fields of a question that does not ask for it."""
        names = {"days": ("period", "first", "last"), "cost": ("cost_from", "cost_to")}
        return {name: getattr(_NOTHING, name) for name in names.get(self.field, (self.field,))}


def _range(start: str, end: str) -> str:
    if start and end:
        return start if start == end else f"{start} – {end}"
    return f"from {start}" if start else f"up to {end}"


# -- words -------------------------------------------------------------------------------------------------

PERIOD_WORDS: Mapping[str, str] = {
    "today": "Today",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "month": "This month",
    "last-month": "Last month",
}
ORDER_WORDS: Mapping[str, str] = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "dearest": "Dearest first",
    "cheapest": "Cheapest first",
    "rated": "Best rated first",
    "longest": "Longest first",
}
_STARS = {"any": "Starred", "mine": "Starred by me"}
_HIDDEN = {"only": "Hidden only", "all": "With hidden ones"}
_KINDS = {"words": "Words", "picture": "A picture", "sound": "A clip, with sound added"}
_SOUND = {"on": "With sound", "off": "Silent"}


def _model(name: str) -> str:
    return words.model_title(name, catalog().models.get(name))


def _state(name: str) -> str:
    return words.STATES[name][0] if name in words.STATES else name


def _rating(value: str) -> str:
    return f"{value} stars" if value == str(MOST_RATING) else f"{value} stars and more"


def _person(value: str) -> str:
    if person := studio().state.people.get(value):
        return person.name
    return next((name for key, name in people() if key == value), value)


# -- what the log has --------------------------------------------------------------------------------------


def people() -> list[tuple[str, str]]:
    """Return who has ordered something: the value of the filter, and the name."""
    known: dict[str, str] = {}
    with suppress(IndexBroken):
        everything = JobQuery(hidden="all")
        known = {row.key: row.name for row in studio().library.spend(everything, Group.PERSON) if row.key}
    names = {name_key(name) for name in known.values()}
    # Those of other accounts, and of imported jobs, are in no sum.
    known |= {name: name for name, _ in studio().ledger.index.people() if name_key(name) not in names}
    return list(known.items())


def known_tags() -> list[str]:
    """Return the tags of jobs, the most used first; none without an index."""
    with suppress(IndexBroken):
        return studio().library.tags(studio().ledger.get)
    return []


def mine() -> str:
    """Return the value of Person for the user, empty for a user without a name."""
    user = acting()
    return user.person_id or user.user.name


def _models() -> Iterator[str]:
    used = dict.fromkeys(model for _, model, _ in studio().ledger.index.counts() if model)
    yield from (name for name in catalog().models if name in used)
    yield from (name for name in used if name not in catalog().models)


def _lengths() -> list[str]:
    return sorted({each for model in catalog().models.values() for each in model.durations}, key=int)


def _shapes() -> list[str]:
    return list(dict.fromkeys(each for model in catalog().models.values() for each in model.aspect_ratios))


def _qualities() -> list[str]:
    return list(dict.fromkeys(each for model in catalog().models.values() for each in model.modes))


def _orders() -> list[str]:
    return [order for order in ORDERS if sees_prices() or order not in BY_COST]


def units_of(value: float | None) -> Decimal | None:
    """Return the Units for what somebody has typed as a limit of the cost: money, as a Unit costs now."""
    return None if value is None else round(Decimal(str(value)) / studio().settings.unit_price, 6)


def money_of(units: Decimal | None) -> float | None:
    """Return a limit of the cost in money, in hundredths, as it is typed and shown."""
    return None if units is None else float(round(units * studio().settings.unit_price, 2))


def _cost(units: Decimal | None) -> str:
    return "" if units is None else money(units * studio().settings.unit_price, studio().settings.currency)


# -- the table, in the order of the bar --------------------------------------------------------------------

FILTERS: Sequence[Filter] = (
    Filter(
        field="person",
        label="Person",
        is_chip=True,
        offers=lambda: [key for key, _ in people()],
        word=_person,
    ),
    Filter(
        field="days",
        label="Date",
        kind="days",
        is_chip=True,
        offers=lambda: PERIODS[1:],
        word=PERIOD_WORDS.__getitem__,
    ),
    Filter(
        field="models", label="Model", kind="many", is_chip=True, offers=lambda: list(_models()), word=_model
    ),
    Filter(
        field="states",
        label="State",
        kind="many",
        is_chip=True,
        offers=lambda: list(words.STATES),
        word=_state,
        on=HISTORY_ONLY,
    ),
    Filter(field="shapes", label="Shape", kind="many", is_chip=True, offers=_shapes, on=GALLERY_ONLY),
    Filter(field="star", label="Starred", kind="switch", is_chip=True, word=_STARS.__getitem__),
    Filter(
        field="rating",
        label="Rating",
        is_chip=True,
        offers=lambda: [str(each) for each in range(MOST_RATING, 0, -1)],
        word=_rating,
    ),
    Filter(
        field="tags",
        label="Tags",
        kind="many",
        is_chip=True,
        offers=known_tags,
    ),
    Filter(field="order", label="Order", offers=_orders, word=ORDER_WORDS.__getitem__),
    Filter(field="star", label="Stars", offers=lambda: list(_STARS), word=_STARS.__getitem__),
    Filter(field="shapes", label="Shape", kind="many", offers=_shapes, on=HISTORY_ONLY),
    Filter(field="modes", label="Quality", kind="many", offers=_qualities, word=words.quality),
    Filter(field="durations", label="Length", kind="many", offers=_lengths, word=lambda value: f"{value} s"),
    Filter(
        field="endpoints",
        label="Made from",
        kind="many",
        offers=lambda: list(KINDS),
        word=lambda kind: _KINDS.get(kind, kind),
    ),
    Filter(
        field="continued", label="Film", offers=lambda: ["True"], word=lambda _: "Goes on from another clip"
    ),
    Filter(field="sound", label="Sound", offers=lambda: list(_SOUND), word=_SOUND.__getitem__),
    Filter(field="cost", label="Cost", kind="cost", is_about_cost=True),
    Filter(
        field="at_risk",
        label="File",
        offers=lambda: ["True"],
        word=lambda _: "Not saved yet",
    ),
    Filter(field="hidden", label="Hidden", offers=lambda: HIDDEN[1:], word=_HIDDEN.__getitem__),
    Filter(field="batch", label="Batch", kind="shown", word=lambda value: f"Batch {value}"),
    Filter(field="parent", label="Parent", kind="shown", word=lambda value: f"Made from {value}"),
    Filter(field="clips", label="Clips", kind="shown", word=lambda _: "With a clip", on=HISTORY_ONLY),
)
assert set(words.STATES) == set(STATES)  # noqa: S101 - of the code


def filters_of(page: str) -> list[Filter]:
    """Return the filters that a page has for the user."""
    sees_cost = sees_prices()
    return [each for each in FILTERS if page in each.on and (sees_cost or not each.is_about_cost)]
