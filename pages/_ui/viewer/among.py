"""The list that a clip stands in: where in it, what is beside it, and what the list is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from kling.studio.library import JobQuery
from kling.studio.library.store import IndexBroken
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import StateError
from pages._ui.context import studio
from pages._ui.viewer.address import COLLECTION

PERIODS = {
    "today": "today",
    "7d": "last 7 days",
    "30d": "last 30 days",
    "month": "this month",
    "last-month": "last month",
}
LONGEST = 40  # characters of what was looked for
MOST_PRESENTED = 500  # clips


@dataclass(frozen=True, slots=True)
class Among:
    """A list of clips, as an address names it.

    Args:
        query: what is looked for in the library; not asked if it is a collection.
        collection: id of one, else empty.
    """

    query: JobQuery
    collection: str = ""

    @property
    def address(self) -> str:
        """The list as the query of an address; empty for all clips."""
        if self.collection:
            return urlencode({COLLECTION: self.collection})
        return urlencode(replace(self.query, clips=False, page=1).to_address())


def among_of(parameters: Mapping[str, str], user: Actions) -> Among:
    """Return the list that an address names, as far as the user may ask for it.

    Args:
        parameters: of the address.
        user: who asks; an order by cost would tell the costs.
    """
    query = replace(JobQuery.of_address(parameters), clips=True, page=1)
    if not user.may(Action.SEE_PRICES):
        query = query.without_costs
    return Among(query, parameters.get(COLLECTION, "")[:64])


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a clip stands.

    Args:
        place: from 1; 0 if it is not in the list.
        total: how many clips the list has.
        words: what the list is called; may be empty.
        jobs: it and its neighbours, in order; itself alone if it is not in the list.
    """

    place: int
    total: int
    words: str
    jobs: tuple[Job, ...]


def placed(job: Job, among: Among, user: Actions, *, reach: int) -> Placed:
    """Return where a clip stands in a list; in none while the index does not answer.

    Args:
        job: of the clip.
        among: the list.
        user: who asks.
        reach: the most neighbours on each side.
    """
    get = studio().ledger.get
    if among.collection:
        title, jobs = collected(among.collection)
        ids = [each.id for each in jobs]
        if job.id not in ids:
            return Placed(0, len(ids), title, (job,))
        at = ids.index(job.id)
        return Placed(at + 1, len(ids), title, tuple(jobs[max(0, at - reach) : at + reach + 1]))
    try:
        found = studio().library.around(among.query, job.id, reach=reach, who=user.who)
    except IndexBroken:
        return Placed(0, 0, "", (job,))
    near = (each for each in map(get, found.ids) if each is not None and each.has_clip)
    return Placed(found.place, found.total, words_of(among.query), tuple(near) or (job,))


def collected(collection_id: str) -> tuple[str, list[Job]]:
    """Return the title and the clips of a collection that can be shown; nothing if there is none."""
    try:
        found = studio().state.collections.get(collection_id)
    except StateError:
        return "", []
    if found is None:
        return "", []
    jobs = (studio().ledger.get(each) for each in found.clips)
    return found.title, [job for job in jobs if job is not None and can_be_shown(job)]


def words_of(query: JobQuery) -> str:
    """Return what a list is called, such as `last 7 days, “fox”`; empty for all clips."""
    words = []
    if query.period:
        words.append(PERIODS[query.period])
    elif query.first or query.last:
        words.append(" to ".join(str(day) for day in dict.fromkeys((query.first, query.last)) if day))
    if query.text:
        words.append(f"“{query.text if len(query.text) <= LONGEST else f'{query.text[:LONGEST]}…'}”")
    rest = replace(query, period="", first=None, last=None, text="", clips=False)
    if rest.is_filtered:
        words.append("filtered")
    return ", ".join(words)


def presented(among: Among, user: Actions, at: str = "") -> tuple[str, list[Job]]:
    """Return the title and the clips of a list for Present, at most `MOST_PRESENTED` of them.

    Args:
        among: the list.
        user: who asks.
        at: id of the clip that it begins with, if the list is longer than that.

    Raises:
        IndexBroken: the index does not answer.
    """
    if among.collection:
        title, jobs = collected(among.collection)
        return title, jobs[:MOST_PRESENTED]
    library = studio().library
    ids = library.around(among.query, at, reach=MOST_PRESENTED, who=user.who).ids if at else ()
    if not ids:  # it may have just left the list
        page = library.page(among.query, studio().ledger.get, who=user.who, per_page=MOST_PRESENTED)
        return words_of(among.query), [row.job for row in page.rows]
    first = max(0, min(ids.index(at) - MOST_PRESENTED // 2, len(ids) - MOST_PRESENTED))
    found = (studio().ledger.get(each) for each in ids[first : first + MOST_PRESENTED])
    return words_of(among.query), [job for job in found if job is not None and job.has_clip]
