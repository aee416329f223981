"""Tells pages that something has changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Changes:
    """Counts changes and tells listeners of each one; safe to use from several threads."""

    def __init__(self) -> None:
        self.version = 0
        self._listeners: set[Callable[[], None]] = set()
        self._lock = threading.Lock()

    @property
    def listeners(self) -> int:
        """How many listeners there are."""
        return len(self._listeners)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each change, in the thread that made it; return a function that ends this."""
        with self._lock:
            self._listeners.add(listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.discard(listener)

        return unsubscribe

    def notify(self) -> None:
        """Count a change and tell every listener. An error of a listener is logged and goes no further."""
        with self._lock:
            self.version += 1
            listeners = tuple(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:  # a page that is being closed must not stop an order
                log.debug("A listener failed.", exc_info=True)
