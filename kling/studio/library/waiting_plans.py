"""Imports that somebody looks at: each admin's last file, until it is taken in, put away, or an hour old."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

KEPT_SECONDS = 3600.0
MOST = 3  # of all people; a plan may be as large as its file
Plan = TypeVar("Plan")


@dataclass(frozen=True, slots=True)
class WaitingPlan(Generic[Plan]):
    """What a file would add, and whose decision that is.

    Args:
        id: by which a page asks for it.
        owner: id of the admin who has sent the file.
        name: of the file.
        plan: what is in it.
        ends: Unix seconds.
    """

    id: str
    owner: str
    name: str
    plan: Plan
    ends: float


class WaitingPlans(Generic[Plan]):
    """The plans, for threads to share.

    Args:
        clock: Unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, WaitingPlan[Plan]] = {}

    def keep(self, owner: str, name: str, plan: Plan) -> WaitingPlan[Plan]:
        """Keep a plan in the place of the one that the same person had."""
        new = WaitingPlan(secrets.token_hex(16), owner, name, plan, self._clock() + KEPT_SECONDS)
        with self._lock:
            self._kept.pop(owner, None)
            self._kept[owner] = new
            while len(self._kept) > MOST:
                del self._kept[next(iter(self._kept))]
        return new

    def of(self, owner: str) -> WaitingPlan[Plan] | None:
        """Return the plan that waits for a person; None if there is none."""
        with self._lock:
            found = self._kept.get(owner)
            if found is not None and found.ends <= self._clock():
                del self._kept[owner]
                found = None
        return found

    def put_away(self, owner: str) -> None:
        """Forget the plan of a person."""
        with self._lock:
            self._kept.pop(owner, None)
