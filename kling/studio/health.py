"""Whether the studio works, in one word: for a proxy, a container or whoever watches it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

from kling.studio.archive import free_bytes
from kling.studio.operator_warnings import LOW_DISK
from kling.studio.poller import BEAT
from kling.studio.state.records import StateError

Word = Literal["ok", "poller", "log", "disk", "database"]

STALE_AFTER = 5 * BEAT  # seconds without a sign of life after which the poller counts as hanging
NEARLY_FULL = LOW_DISK / 5  # bytes; pages warn long before
KEPT_FOR = 1.0  # seconds: anybody may ask, as often as they like


class Health:
    """Looks at the parts that all others need.

    Args:
        alive_at: gives when the poller last gave a sign of life, by `monotonic`.
        log_trouble: gives why nothing can be recorded, empty if nothing is known to prevent it.
        log: path of the log.
        check_database: raises StateError if the database does not answer.
        monotonic: seconds of a clock that never jumps.
        free: gives the free bytes on the disk of a folder.
    """

    def __init__(
        self,
        *,
        alive_at: Callable[[], float],
        log_trouble: Callable[[], str],
        log: Path,
        check_database: Callable[[], None],
        monotonic: Callable[[], float],
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._alive_at, self._log_trouble, self._log = alive_at, log_trouble, log
        self._check_database, self._monotonic, self._free = check_database, monotonic, free
        self._lock = threading.Lock()
        self._last: tuple[Word, float] = ("ok", float("-inf"))

    def word(self) -> Word:
        """Return `ok`, or the first part that fails: poller, log, disk, database.

        It may wait for the disk and the database; do not call it on an event loop.
        """
        with self._lock:
            word, at = self._last
            if self._monotonic() - at < KEPT_FOR:
                return word
            word = next((part for part, works in self.parts().items() if not works), "ok")
            self._last = word, self._monotonic()
            return word

    def parts(self) -> dict[Word, bool]:
        """Return which parts work."""
        return {
            "poller": self.turn_age() <= STALE_AFTER,
            "log": not self._log_trouble() and self._can_append(),
            "disk": self._has_room(),
            "database": self._answers(),
        }

    def turn_age(self) -> float:
        """Return how many seconds ago the poller gave a sign of life."""
        return self._monotonic() - self._alive_at()

    def _can_append(self) -> bool:
        try:
            with closing(os.fdopen(os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), "ab")):
                return True
        except FileNotFoundError:  # the next append makes it anew
            return os.access(self._log.parent, os.W_OK)
        except OSError:
            return False

    def _has_room(self) -> bool:
        try:
            return self._free(self._log.parent) >= NEARLY_FULL
        except OSError:
            return False

    def _answers(self) -> bool:
        try:
            self._check_database()
        except StateError:
            return False
        return True
