"""Holds: nothing is sent for a while, of one model or of the whole account."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

ACCOUNT = "*"  # the key of a hold on every model
RETRY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1302, or no connection
DISK_PAUSES = (2.0, 5.0, 15.0, 30.0, 60.0)  # seconds after the log could not be written
PERSON_PAUSE = 300.0  # seconds between two tries while a person has to act
JITTER = 0.2  # share of each pause, so that several users of an account do not try at the same moment


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold.

    Args:
        until: when it expires (monotonic).
        reason: why nothing is sent, in words.
        code: Kling's code, 0 for no connection, or `NO_LOG`.
        tries: how many holds with this key came before it without a success.
        needs_person: whether somebody has to act on the account.
    """

    until: float
    reason: str
    code: int
    tries: int
    needs_person: bool


class Holds:
    """The holds of an account, each on a model or on the `ACCOUNT`.

    Args:
        rng: the source of jitter.
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
        """Hold a model or the account; the pause grows with each hold that follows an expired one.

        Args:
            key: a model's name, or `ACCOUNT`.
            reason: why nothing is sent, in words.
            code: Kling's code, 0 for no connection, or `NO_LOG`.
            now: by the monotonic clock.
            pauses: seconds of the series of pauses, the last one for ever.
            at_least: seconds that Kling has asked for.
            needs_person: whether somebody has to act on the account.
        """
        before = self._holds.get(key)
        is_active = before is not None and before.until > now
        # Several refusals at the same time count once.
        tries = before.tries + (not is_active) if before else 0
        seconds = self.pause((PERSON_PAUSE,) if needs_person else pauses, tries, at_least)
        hold = Hold(now + seconds, reason, code, tries, needs_person)
        if before is None or not is_active or hold.until > before.until:
            self._holds[key] = hold

    def pause(self, pauses: Sequence[float], tries: int, at_least: float = 0) -> float:
        """Return the seconds of a pause of a series, with jitter, and at least what Kling has asked for."""
        jitter = self._rng.uniform(1 - JITTER, 1 + JITTER)
        return max(pauses[min(tries, len(pauses) - 1)] * jitter, min(at_least, PERSON_PAUSE))

    def clear(self, model: str | None = None) -> None:
        """End the holds of a model and of the account; without a model, all holds."""
        for key in list(self._holds) if model is None else (ACCOUNT, model):
            self._holds.pop(key, None)

    def drop_expired(self, model: str, now: float) -> None:
        """Forget the expired holds of a model and of the account: Kling now gives another answer."""
        for key in (ACCOUNT, model):
            if (hold := self._holds.get(key)) and hold.until <= now:
                del self._holds[key]

    def expire(self, model: str, now: float) -> None:
        """Let the holds of a model and of the account expire now, so that one request goes as a probe."""
        for key in (ACCOUNT, model):
            if key in self._holds:
                self._holds[key] = replace(self._holds[key], until=now)

    def active(self, now: float) -> tuple[Hold, ...]:
        """Return every hold that has not expired."""
        return tuple(hold for hold in list(self._holds.values()) if hold.until > now)

    def of(self, model: str, now: float) -> Hold | None:
        """Return the hold on jobs of this model that lasts longest, None if there is none."""
        holds = [hold for hold in self._of_model(model) if hold.until > now]
        return max(holds, key=lambda hold: hold.until, default=None)

    def shown(self, model: str, now: float) -> Hold | None:
        """Return the hold to show to people: one that needs a person is shown even after it has expired."""
        return next((hold for hold in self._of_model(model) if hold.needs_person), self.of(model, now))

    def has(self, key: str) -> bool:
        """Whether there is a hold, even an expired one: after that, one request goes first, as a probe."""
        return key in self._holds

    def _of_model(self, model: str) -> list[Hold]:
        return [hold for key in (ACCOUNT, model) if (hold := self._holds.get(key))]
