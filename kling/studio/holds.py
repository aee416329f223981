"""What keeps jobs from being sent: of one model, or of the whole account."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

ACCOUNT = "*"  # the key of what holds every model
RETRY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1302, or no connection
DISK_PAUSES = (2.0, 5.0, 15.0, 30.0, 60.0)  # seconds after the log could not be written
PERSON_PAUSE = 300.0  # seconds between slow tries of what needs a person
JITTER = 0.2  # of each pause: whoever else uses the account does not knock at the same moment


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is sent, until when (monotonic), and whether a person has to act."""

    until: float
    reason: str
    code: int
    tries: int
    needs_person: bool


class Holds:
    """The holds of an account, by model or `ACCOUNT`.

    Args:
        rng: for jitter.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._holds: dict[str, Hold] = {}

    def add(
        self,
        key: str,
        reason: str,
        code: int,
        now: float,
        *,
        pauses: Sequence[float] = RETRY_PAUSES,
        at_least: float = 0,
        needs_person: bool = False,
    ) -> None:
        """Send nothing for a while; the pause grows with each hold that follows on another one."""
        before = self._holds.get(key)
        is_active = before is not None and before.until > now
        tries = before.tries + (not is_active) if before else 0  # several refusals of one moment count once
        seconds = self.pause((PERSON_PAUSE,) if needs_person else pauses, tries, at_least)
        hold = Hold(now + seconds, reason, code, tries, needs_person)
        if before is None or not is_active or hold.until > before.until:
            self._holds[key] = hold

    def pause(self, pauses: Sequence[float], tries: int, at_least: float = 0) -> float:
        """Return the seconds of a step of a series, with jitter; what Kling asked for is a lower bound."""
        jitter = self._rng.uniform(1 - JITTER, 1 + JITTER)
        return max(pauses[min(tries, len(pauses) - 1)] * jitter, min(at_least, PERSON_PAUSE))

    def clear(self, model: str | None = None) -> None:
        """Forget the holds of a model and of the account; without a model, all."""
        for key in list(self._holds) if model is None else (ACCOUNT, model):
            self._holds.pop(key, None)

    def drop_expired(self, model: str, now: float) -> None:
        """Forget the holds that have expired: Kling answers, and no longer so."""
        for key in (ACCOUNT, model):
            if (hold := self._holds.get(key)) and hold.until <= now:
                del self._holds[key]

    def expire(self, model: str, now: float) -> None:
        """Let one request through as a probe now."""
        for key in (ACCOUNT, model):
            if key in self._holds:
                self._holds[key] = replace(self._holds[key], until=now)

    def active(self, now: float) -> tuple[Hold, ...]:
        """Return everything that holds right now."""
        return tuple(hold for hold in list(self._holds.values()) if hold.until > now)

    def of(self, model: str, now: float) -> Hold | None:
        """Return what holds jobs of this model right now, the longest."""
        holds = [hold for hold in self._of_model(model) if hold.until > now]
        return max(holds, key=lambda hold: hold.until, default=None)

    def shown(self, model: str, now: float) -> Hold | None:
        """Return what to tell people: a hold that needs a person stands until somebody has acted."""
        return next((hold for hold in self._of_model(model) if hold.needs_person), self.of(model, now))

    def has(self, key: str) -> bool:
        """Whether there is a hold, also an expired one: then one request goes first, as a probe."""
        return key in self._holds

    def _of_model(self, model: str) -> list[Hold]:
        return [hold for key in (ACCOUNT, model) if (hold := self._holds.get(key))]
