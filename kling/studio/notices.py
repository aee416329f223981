"""Notices when what every page says above its content is another thing than before."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress

PAUSE = 0.5  # seconds between two looks


class Notices:
    """Looks at some facts from time to time.

    Args:
        facts: what the notices are made of.
        changed: called when they are not what they were at the last look.
        monotonic: seconds of a clock that never jumps.
    """

    def __init__(
        self, facts: Callable[[], Hashable], changed: Callable[[], None], monotonic: Callable[[], float]
    ) -> None:
        self._facts, self._changed, self._monotonic = facts, changed, monotonic
        self._seen: Hashable = None
        self._next = float("-inf")

    def look(self) -> None:
        """Look, unless that was done a moment ago. Call it from one thread only."""
        now = self._monotonic()
        if now < self._next:
            return
        self._next = now + PAUSE
        with suppress(Exception):  # pages say what is wrong when they draw it; who looks here has other work
            facts = self._facts()
            if facts != self._seen:
                self._seen = facts
                self._changed()
