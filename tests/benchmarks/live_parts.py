"""When the live parts of a tab ask to be drawn again: pages/_ui/live/parts.js for tabs without a browser.

tests/e2e/test_live_script.py holds the two together.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pages._ui.live import EVERY_JOB
from pages._ui.live.timing import TIMES

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the server: what has changed, and when it was heard; None for anything."""

    version: int
    names: frozenset[str] | None
    at: float


@dataclass(slots=True)
class Part:
    """A live part as it was drawn last.

    Args:
        version: at which it was drawn.
        names: of what it shows.
        last: when it was last asked for, in milliseconds.
        luck: from 0 to 1, drawn anew at each time.
        ages: it names a job that has not ended.
        tried: how often it was asked for in vain.
    """

    version: int
    names: frozenset[str]
    last: float
    luck: float
    ages: bool = False
    tried: int = 0


class LiveParts:
    """The live parts of one tab that is in view.

    Args:
        luck: returns a number from 0 to 1.
    """

    def __init__(self, luck: Callable[[], float] = random.random) -> None:
        self.parts: dict[str, Part] = {}
        self._luck = luck
        self._told: list[Told] = []
        self._tabs = 1
        self._turn = self._heard = 0.0

    @property
    def version(self) -> int:
        """The lowest version at which a part was drawn."""
        return min(part.version for part in self.parts.values())

    def hear(self, version: int, jobs: Sequence[str] | None, tabs: int, now: float) -> None:
        """Take a message of the server."""
        self._tabs, self._heard = tabs, now
        if not self._told or version != self._told[-1].version:
            names = None if jobs is None else frozenset(jobs)
            self._told = [*self._told[-200:], Told(version, names, now)]

    def drawn(self, key: str, version: int, names: Iterable[str], now: float, *, ages: bool = False) -> None:
        """Take a part as the server has drawn it."""
        known = self.parts.get(key)
        if known is None:
            known = self.parts[key] = Part(version, frozenset(), now, self._luck())
        known.version, known.names, known.ages = version, frozenset(names), ages

    def asks(self, key: str, now: float) -> None:
        """Note that a part is asked for now."""
        part = self.parts[key]
        part.last, part.luck, part.tried = now, self._luck(), part.tried + 1
        self._turn = now + TIMES.apart

    def next(self) -> tuple[str, float]:
        """Return the part that is to be asked for next, and when; an empty name if there is none."""
        if not self.parts:
            return "", NEVER
        due, key = min((self._when(part), key) for key, part in self.parts.items())
        return key, max(due, self._heard + TIMES.soon, self._turn)

    def _when(self, part: Part) -> float:
        due = self._due(part)
        if due == NEVER:
            part.tried = 0
            return part.last + TIMES.old * (1 + TIMES.spread * part.luck) if part.ages else NEVER
        if part.tried:
            return part.last + float(min(TIMES.again * 2 ** (part.tried - 1), TIMES.longest_again))
        return due

    def _due(self, part: Part) -> float:
        for_all = TIMES.per_tab * self._tabs
        later = for_all * TIMES.spread * part.luck
        pause = max(TIMES.every, for_all) * (1 + TIMES.spread * part.luck)
        is_list = EVERY_JOB in part.names
        listed = TIMES.listed_per_tab * self._tabs if is_list else 0
        due = NEVER
        for told in reversed(self._told):
            if told.version <= part.version:
                break
            jobs = {name for name in told.names or () if not name.startswith(":")}
            if part.names & jobs:
                due = min(due, max(part.last + max(TIMES.own, listed), told.at + listed * part.luck))
            elif told.names is None:
                due = min(due, max(part.last + TIMES.own, told.at + later))
            elif part.names & told.names:
                due = min(due, max(part.last + max(TIMES.own, for_all), told.at + later))
            elif is_list and jobs:
                due = min(due, max(part.last + pause, told.at + later))
        return due
