"""How often passwords may be tried: growing pauses for each name, and a bound for all together.

Nobody can lock somebody else out for good. A pause has an end; addresses that can be told apart are counted
apart; and so is a browser in which a person has signed in before, so that a stranger who tries without end
does not stop that person. A try counts as a failed one from its beginning, so that many at once are counted.
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
IN_ALL = 60  # failed tries at once, from one address, or from everybody where addresses are not known
PER_SECOND = 2.0  # failed tries that become free again
MOST = 10_000  # names, browsers, and addresses that are remembered


@dataclass(slots=True)
class _Count:
    tries: int = 0
    last: float = 0.0
    until: float = 0.0  # no try before


@dataclass(slots=True)
class _Free:
    tries: float
    filled: float


class Tries:
    """Counts tries, for threads to share. What it remembers is lost by a restart; see `remember`.

    Args:
        monotonic: seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()  # the one tried last is last
        self._known: OrderedDict[str, None] = OrderedDict()  # names with browsers that have signed in
        self._free: OrderedDict[str, _Free] = OrderedDict()  # by address

    def remember(self, name: str, browser: str) -> None:
        """Take a browser for one in which somebody of this name has signed in before."""
        with self._lock:
            self._know(_hash(name, browser))

    def wait(self, name: str, browser: str = "", address: str = "") -> float:
        """Return for how many seconds a password may not be tried; 0: once, now, and that counts as a try.

        Args:
            name: as it was typed; it need not be anybody's.
            browser: id that only this browser can present (`Browsers.verify`); empty if there is none.
            address: of the machine that asks; empty where that cannot be told.
        """
        key, is_known = self._key(name, browser, address)
        with self._lock:
            now = self._monotonic()
            count = self._counts.get(key)
            if count and now - count.last >= FORGET:
                count = None
            if count and now < count.until:
                return count.until - now
            if not is_known:
                free = self._filled(address, now)
                if free.tries < 1:
                    return (1 - free.tries) / PER_SECOND
                free.tries -= 1
            count = count or _Count()
            count.tries += 1
            self._pause(count, now)
            self._counts[key] = count
            self._counts.move_to_end(key)
            if len(self._counts) > MOST:
                self._counts.popitem(last=False)
            return 0.0

    def failed(self, name: str, browser: str = "", address: str = "") -> None:
        """Note that the try was in vain: its pause begins now, not when the password was handed in."""
        key, _ = self._key(name, browser, address)
        with self._lock:
            if count := self._counts.get(key):
                self._pause(count, self._monotonic())

    def succeeded(self, name: str, browser: str = "", address: str = "") -> None:
        """Note that somebody has signed in: there is no pause, and the browser is known from now on."""
        key, is_known = self._key(name, browser, address)
        with self._lock:
            self._counts.pop(key, None)
            if not is_known:
                free = self._filled(address, self._monotonic())
                free.tries = min(free.tries + 1, float(IN_ALL))
            if browser:
                self._know(_hash(name, browser))

    def _know(self, known: str) -> None:
        self._known[known] = None
        self._known.move_to_end(known)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _key(self, name: str, browser: str, address: str) -> tuple[str, bool]:
        """Return under what a try is counted, and whether the browser has signed in as this name before."""
        if browser and (known := _hash(name, browser)) in self._known:
            return known, True
        return _hash(name, f"address {address}"), False

    def _pause(self, count: _Count, now: float) -> None:
        beyond = count.tries - FREE
        count.last = now
        count.until = now + (min(2.0 ** min(beyond, 10), LONGEST) if beyond >= 0 else 0.0)

    def _filled(self, address: str, now: float) -> _Free:
        """Return how many tries are free for an address, with those that have become free since."""
        free = self._free.setdefault(address, _Free(float(IN_ALL), now))
        free.tries = min(free.tries + (now - free.filled) * PER_SECOND, float(IN_ALL))
        free.filled = now
        self._free.move_to_end(address)
        if len(self._free) > MOST:
            self._free.popitem(last=False)
        return free


def _hash(name: str, where: str) -> str:
    """Return a short text for a name, however long, and where it is tried."""
    return sha256(f"{where}\0{name_key(name)}".encode("utf-8", "replace")).hexdigest()
