"""What lay in the database last, in a small file beside it: a database that was deleted is missed by it.

Without its limits everything can be ordered, and without its accounts nobody signs in. Nothing else would say
so: a new database is made in its place.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kling.studio.state.faults import FILE
from kling.whole_file import write_whole

log = logging.getLogger(__name__)

HOLDINGS = "holdings.json"  # in the data folder
MEANT = {  # what is counted: in the singular, in the plural, and what its loss means
    "limits": ("limit of a budget", "limits of budgets", "orders are not bound by them any more"),
    "accounts": ("account", "accounts", "nobody can sign in with them any more"),
}

Counts = Mapping[str, int]  # by the names in `MEANT`


def read(folder: Path) -> Counts:
    """Return what the database of a folder held last; empty if nothing is known."""
    try:
        found = json.loads((folder / HOLDINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in MEANT if type(found.get(name)) is int and found[name] > 0}


def missed(before: Counts, now: Counts) -> str:
    """Return in words what a database has lost, empty if it has lost nothing.

    Only what is gone to the last one is missed: single limits and accounts are removed on purpose.
    """
    gone = [name for name in MEANT if before.get(name, 0) and not now.get(name, 0)]
    if not gone:
        return ""
    counts = " and ".join(f"{before[name]:,} {MEANT[name][before[name] > 1]}" for name in gone)
    meaning = ", and ".join(MEANT[name][2] for name in gone)
    return (
        f"{FILE} held {counts}, and there are none now: {meaning}. Stop the studio and put a backup of "
        f"{FILE} in its place. If it was meant so, delete {HOLDINGS}."
    )


class Holdings:
    """Keeps the file of a folder up to date.

    Args:
        folder: the data folder.
        count: counts what the open database holds.
    """

    def __init__(self, folder: Path, count: Callable[[], Counts]) -> None:
        self._folder, self._count = folder, count
        self._known = dict(read(folder))
        now = count()
        self._lost = {name: self._known[name] for name in self._known if not now.get(name, 0)}
        if self.warning:
            log.warning(self.warning)
        self.keep()

    @property
    def warning(self) -> str:
        """What was lost, in words; empty if nothing was, or since some of it was made anew."""
        return missed(self._lost, {})

    @property
    def warnings(self) -> Iterator[str]:
        """The warning, if there is one and the file that says so was not deleted."""
        if self._lost and (self._folder / HOLDINGS).exists():
            yield self.warning

    def keep(self) -> None:
        """Write down what the database holds now; what it has lost stays noted until there is some again."""
        now = self._count()
        self._lost = {name: number for name, number in self._lost.items() if not now.get(name, 0)}
        known = {**now, **self._lost}
        if known == self._known and (self._folder / HOLDINGS).exists():
            return
        try:
            write_whole(self._folder / HOLDINGS, json.dumps(known).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", HOLDINGS, error)
            return
        self._known = known
