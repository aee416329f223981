"""How often passwords may be tried: growing pauses for each name, and a bound for all together.

Nobody can lock somebody else out for good. A pause has an end, and a browser in which a person has signed in
before is counted apart from all others, so that a stranger who tries without end does not stop that person.
A try counts as a failed one from its beginning, so that many at once are counted too.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from kling.studio.visible_names import name_key

FREE = 3  # tries for a name before the first pause
LONGEST = 60.0  # seconds of a pause
FORGET = 900.0  # seconds after the last try until the tries for a name count no more
IN_ALL = 60  # failed tries at once, from everybody together
PER_SECOND = 2.0  # failed tries that become free again
MOST = 10_000  # names, and browsers, that are remembered


@dataclass(slots=True)
class _Count:
    tries: int = 0
    last: float = 0.0
    until: float = 0.0  # no try before


class Tries:
    """Counts tries, for threads to share. What it remembers is lost by a restart.

    Args:
        monotonic: seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()  # the one tried last is last
        self._known: OrderedDict[str, None] = OrderedDict()  # names with browsers that have signed in
        self._free, self._filled = float(IN_ALL), monotonic()

    def wait(self, name: str, browser: str = "") -> float:
        """Return for how many seconds a password may not be tried; 0: once, now, and that counts as a try.

        Args:
            name: as it was typed; it need not be anybody's.
            browser: id that only this browser can present (`Browsers.verify`); empty if there is none.
        """
        key, is_known = self._key(name, browser)
        with self._lock:
            now = self._monotonic()
            count = self._counts.get(key)
            if count and now - count.last >= FORGET:
                count = None
            if count and now < count.until:
                return count.until - now
            if not is_known:
                self._fill(now)
                if self._free < 1:
                    return (1 - self._free) / PER_SECOND
                self._free -= 1
            count = count or _Count()
            count.tries += 1
            self._pause(count, now)
            self._counts[key] = count
            self._counts.move_to_end(key)
            if len(self._counts) > MOST:
                self._counts.popitem(last=False)
            return 0.0

    def failed(self, name: str, browser: str = "") -> None:
        """Note that the try was in vain: its pause begins now, not when the password was handed in."""
        key, _ = self._key(name, browser)
        with self._lock:
            if count := self._counts.get(key):
                self._pause(count, self._monotonic())

    def succeeded(self, name: str, browser: str = "") -> None:
        """Note that somebody has signed in: there is no pause, and the browser is known from now on."""
        key, is_known = self._key(name, browser)
        with self._lock:
            self._counts.pop(key, None)
            if not is_known:
                self._fill(self._monotonic())
                self._free = min(self._free + 1, float(IN_ALL))
            if browser:
                known = _hash(name, browser)
                self._known[known] = None
                self._known.move_to_end(known)
                if len(self._known) > MOST:
                    self._known.popitem(last=False)

    def _key(self, name: str, browser: str) -> tuple[str, bool]:
        """Return under what a try is counted, and whether the browser has signed in as this name before."""
        if browser and (known := _hash(name, browser)) in self._known:
            return known, True
        return _hash(name, ""), False

    def _pause(self, count: _Count, now: float) -> None:
        beyond = count.tries - FREE
        count.last = now
        count.until = now + (min(2.0 ** min(beyond, 10), LONGEST) if beyond >= 0 else 0.0)

    def _fill(self, now: float) -> None:
        self._free = min(self._free + (now - self._filled) * PER_SECOND, float(IN_ALL))
        self._filled = now


def _hash(name: str, browser: str) -> str:
    """Return a short text for a name, however long, and a browser."""
    return sha256(f"{browser}\0{name_key(name)}".encode("utf-8", "replace")).hexdigest()
