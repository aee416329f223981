"""Passwords: what one may be, and a hash that takes memory and time on purpose.

One hash takes 64 MiB and up to 0.3 s, so at most two are made at once, and a server makes them in threads of
their own (`PasswordThreads`).
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from kling.studio.identity.errors import BadPassword, Busy
from kling.text import storable

if TYPE_CHECKING:
    from pwdlib import PasswordHash

LEAST = 12  # characters
MOST = 1024
AT_ONCE = 2  # hashes
MOST_WAITING = 64  # sign-ins that wait for a thread, or are in one

_P = ParamSpec("_P")
_T = TypeVar("_T")


def checked(password: str) -> str:
    """Return a new password as it is hashed.

    Raises:
        BadPassword: it is too short, too long, or has characters that cannot be stored.
    """
    if len(password) > MOST:
        raise BadPassword(f"The password has more than {MOST} characters. Choose a shorter one.")
    same = _same(password)
    if len(same) < LEAST:
        raise BadPassword(f"The password has fewer than {LEAST} characters. Choose a longer one.")
    if storable(password, MOST) != password:
        raise BadPassword(
            "The password has a character that cannot be stored. Choose one of letters, digits and signs."
        )
    return same


def _same(password: str) -> str:
    """Return one form for all ways in which keyboards and systems write the same characters."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Makes and compares hashes, two at once.

    Args:
        hasher: by default Argon2id with the library's own parameters; a test may give a cheap one.
    """

    def __init__(self, hasher: PasswordHash | None = None) -> None:
        self._given = hasher
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """Return the hash of a new password.

        Raises:
            BadPassword: as `checked`.
        """
        same = checked(password)
        with self._free:
            return self._hasher.hash(same)

    def verify(self, password: str, hashed: str) -> tuple[bool, str]:
        """Return whether a password is right, and a new hash where the old one is weaker than one of today.

        It takes the same time for a password that is wrong, for one that nobody can have, and without a hash.

        Args:
            password: as it was typed.
            hashed: of the person; empty if there is no such person, or one without a password.
        """
        from pwdlib.exceptions import PwdlibError

        possible = len(password) <= MOST and storable(password, MOST) == password
        with self._free:
            # Made for every name, so that the first one that is unknown takes no longer than the others.
            nobody_s = self._nobody_s
            try:
                right, better = self._hasher.verify_and_update(
                    _same(password) if possible else "", hashed or nobody_s
                )
            except PwdlibError:  # no hash of ours
                return False, ""
        return bool(right and hashed and possible), better or ""

    @cached_property
    def _hasher(self) -> PasswordHash:
        from pwdlib import PasswordHash

        return self._given or PasswordHash.recommended()

    @cached_property
    def _nobody_s(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))


class PasswordThreads:
    """The threads in which a server compares passwords, so that others' work does not wait for it."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._count = 0

    def submit(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Make a call in one of the threads.

        Raises:
            Busy: too many wait already.
        """
        with self._lock:
            if self._count >= MOST_WAITING:
                raise Busy("Too many people are signing in at this moment. Try again in a minute.")
            self._count += 1
            if self._threads is None:
                self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
            future = self._threads.submit(call, *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def stop(self) -> None:
        """End the threads; calls that wait are not made any more."""
        with self._lock:
            threads, self._threads = self._threads, None
        if threads:
            threads.shutdown(wait=True, cancel_futures=True)

    def _done(self, _future: Future[_T]) -> None:
        with self._lock:
            self._count -= 1
