"""Tells systemd that the studio is ready, that it stops, and that its poller still turns (sd_notify(3)).

A unit with `Type=notify` and `WatchdogSec=` sets `NOTIFY_SOCKET` and `WATCHDOG_USEC`. Everywhere else nothing
happens here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress


class Systemd:
    """The service manager, if one has started this process.

    Args:
        environment: of this process. `WATCHDOG_PID`, where it is set, has to name this process.
        pid: of this process.
        monotonic: seconds of a clock that never jumps.
    """

    def __init__(
        self, environment: Mapping[str, str], *, monotonic: Callable[[], float], pid: int | None = None
    ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        meant = environment.get("WATCHDOG_PID", "")
        microseconds = environment.get("WATCHDOG_USEC", "")
        is_ours = not meant or meant == str(os.getpid() if pid is None else pid)
        # Half of what systemd waits, as its manual advises.
        self._pause = int(microseconds) / 2e6 if microseconds.isdecimal() and is_ours else None
        self._monotonic, self._fed_at = monotonic, float("-inf")

    def ready(self) -> None:
        """Say that the studio serves its pages."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Say that it stops on purpose, and wants no watchdog meanwhile."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog; called by the poller, so that one that hangs is restarted with its process."""
        now = self._monotonic()
        if self._pause is not None and now - self._fed_at >= self._pause / 2:
            self._fed_at = now
            self._send("WATCHDOG=1")

    def _send(self, words: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
            to.settimeout(1)
            to.sendto(words.encode(), self._address)
