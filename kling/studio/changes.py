"""Tells pages what has changed, by names.

A name is the id of a job, or one of the topics below, which begin with a colon. `None` in place of names
stands for anything: nobody knows what has changed.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

log = logging.getLogger(__name__)

NOTICE = ":notice"  # what banners above every page say
SCAN = ":scan"  # the comparison of the log with the account
PACKS = ":packs"  # what is left on the account
PREVIEWS = ":previews"  # one of them is drawn
FILMS = ":films"  # one of them is joined
COLLECTIONS = ":collections"  # one was made, changed or deleted
SHARES = ":shares"  # likewise a link
LIBRARY = ":library"  # the index is complete again; somebody had been shown a part
JOBS = ":jobs"  # one is new or has ended, or something else was written of one that is not in the making
MOST_NAMES = 100  # that are kept for one follower; with more of them it hears that anything may have changed
REMEMBERED = 500  # changes whose names are kept, for a page that was cut off for a while


@dataclass(frozen=True, slots=True)
class News:
    """What a follower has not heard of yet.

    Args:
        version: how many changes there were, in all.
        names: what has changed; None if that may be anything.
    """

    version: int
    names: frozenset[str] | None


class Follower:
    """Collects what changes until somebody takes it; made by `Changes.follow`."""

    def __init__(self, changes: Changes, wake: Callable[[], object], names: frozenset[str] | None) -> None:
        self._changes, self._wake = changes, wake
        self._names = None if names is None else set(names)
        self._is_awake = True

    def take(self) -> News:
        """Return what has changed since this was called last."""
        with self._changes.lock:
            names, self._names, self._is_awake = self._names, set(), False
            return News(self._changes.version, None if names is None else frozenset(names))

    def stop(self) -> None:
        """Hear of nothing more."""
        self._changes.forget(self)

    def note(self, names: frozenset[str] | None) -> Callable[[], object] | None:
        """Collect names, under the lock of the changes; return what wakes who waits for them, if anybody."""
        if names is None or self._names is None or len(self._names | names) > MOST_NAMES:
            self._names = None
        else:
            self._names |= names
        if self._is_awake:
            return None
        self._is_awake = True
        return self._wake


class Changes:
    """Counts changes and tells of each one; safe to use from several threads.

    Args:
        version: the number of the first one. A page that outlives the server compares numbers of both
            servers, so the second should begin above the first.
    """

    def __init__(self, version: int = 0) -> None:
        self.version = version
        self.lock = threading.Lock()
        self._past: deque[frozenset[str] | None] = deque(maxlen=REMEMBERED)  # names of the last changes
        self._listeners: set[Callable[[], None]] = set()
        self._followers: set[Follower] = set()

    @property
    def listeners(self) -> int:
        """How many listeners and followers there are."""
        return len(self._listeners) + len(self._followers)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, in the thread that made it; return a function that ends this."""
        with self.lock:
            self._listeners.add(listener)

        def unsubscribe() -> None:
            with self.lock:
                self._listeners.discard(listener)

        return unsubscribe

    def follow(self, wake: Callable[[], object], *, since: int | None = None) -> Follower:
        """Return what collects changes.

        Args:
            wake: called when there is something new to take, once until it is taken, in the thread that
                changed it.
            since: the version that is known already; None if nothing is known.
        """
        with self.lock:
            follower = Follower(self, wake, self._names_since(since))
            self._followers.add(follower)
        return follower

    def _names_since(self, version: int | None) -> frozenset[str] | None:
        count = -1 if version is None else self.version - version
        if not 0 <= count <= len(self._past):
            return None
        names: set[str] = set()
        for changed in islice(reversed(self._past), count):
            if changed is None:
                return None
            names |= changed
        return frozenset(names) if len(names) <= MOST_NAMES else None

    def forget(self, follower: Follower) -> None:
        """Tell a follower nothing more."""
        with self.lock:
            self._followers.discard(follower)

    def notify(self, names: Iterable[str] | None = None) -> None:
        """Count a change and tell of it. An error of who is told is logged and goes no further.

        Args:
            names: what has changed; None if that may be anything.
        """
        changed = None if names is None else frozenset(names)
        with self.lock:
            self.version += 1
            self._past.append(changed)
            woken = [follower.note(changed) for follower in self._followers]
            told = (*self._listeners, *filter(None, woken))
        for tell in told:
            try:
                tell()
            except Exception:  # a page that is being closed must not stop an order
                log.debug("A listener failed.", exc_info=True)
