"""The library: everything that was ordered, to find again, to judge, to add up, and to carry elsewhere.

    query          `JobQuery`: what somebody looks for, to and from an address
    normal         text made comparable
    facts          what the index holds of a job
    store          the file of the index
    search         a question as SQL
    spend          sums in groups
    library        `Library`: the index, kept up to date
    export         jobs as rows to carry elsewhere, as CSV or JSON Lines
    imports        takes in jobs of an export or of another log, as history
    waiting_plans  imports that an admin looks at before they are taken in

The log owns every fact. The index is made from it, and made again whenever it does not fit.
"""

from __future__ import annotations

from kling.studio.library.library import Around, Found, Library, Match, Page, Totals
from kling.studio.library.query import HIDDEN, ORDERS, PARAMETERS, PER_PAGE, PERIODS, SOUNDS, STARS, JobQuery
from kling.studio.library.search import Sums
from kling.studio.library.spend import Group, SpendRow, Times
from kling.studio.library.store import IndexBroken

__all__ = [
    "HIDDEN",
    "ORDERS",
    "PARAMETERS",
    "PERIODS",
    "PER_PAGE",
    "SOUNDS",
    "STARS",
    "Around",
    "Found",
    "Group",
    "IndexBroken",
    "JobQuery",
    "Library",
    "Match",
    "Page",
    "SpendRow",
    "Sums",
    "Times",
    "Totals",
]
