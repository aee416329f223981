"""How many jobs of a model Kling takes at once, learnt from its refusals.

Kling runs a limited number of tasks of a model at once and refuses any further one with 1303, but it does not
say the limit (S2). So the limit is learnt: it is the number of jobs that ran at the last refusal. While fewer
run, a job is sent at once. Otherwise one job is tried after growing pauses, and each one that Kling accepts
raises the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

BUSY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1303 while we run nothing
PROBE_PAUSES = (15.0, 30.0, 60.0, 120.0, 300.0)  # seconds after 1303 while our own jobs fill the slots
AT_ONCE = 4  # calls under way for a model at most; so many may be refused before its limit is known
FRESH = 3.0  # seconds after a poll in which the number of running jobs is certain
ONE_MOMENT = 300.0  # seconds after a probe was due in which a refusal continues the series of pauses


@dataclass(frozen=True, slots=True)
class _Limit:
    """The learnt limit of a model.

    Args:
        known: how many jobs run at once at least.
        probe_at: when one more may be tried (monotonic).
        tries: how many pauses of the series are over.
    """

    known: int
    probe_at: float
    tries: int = 0


class Capacity:
    """The learnt limits of all models.

    Args:
        pause: gives the seconds of the next pause of a series; see `Holds.pause`.
    """

    def __init__(self, pause: Callable[..., float]) -> None:
        self._pause = pause
        self._limits: dict[str, _Limit] = {}
        self._polled_at = float("-inf")

    def mark_polled(self, now: float) -> None:
        """Note that the states of all running jobs have just been read from Kling."""
        self._polled_at = now

    def assume(self, model: str, running: int, now: float) -> None:
        """Assume a limit where none is known: so many jobs run now, and others wait for a slot."""
        self._limits.setdefault(model, _Limit(running, now))

    def refused(self, model: str, running: int, now: float, *, at_least: float) -> None:
        """Note a refusal because the slots are taken: the number of running jobs is the limit."""
        before = self._limits.get(model)
        tries = 0
        if before and now - before.probe_at <= ONE_MOMENT:
            tries = before.tries + (before.probe_at <= now)  # several refusals at the same time count once
        pauses = PROBE_PAUSES if running else BUSY_PAUSES
        self._limits[model] = _Limit(running, now + self._pause(pauses, tries, at_least), tries)

    def accepted(self, model: str, running: int, now: float) -> None:
        """Note an acceptance: if more jobs run now than the known limit, the limit is higher."""
        limit = self._limits.get(model)
        if limit and running > limit.known:
            self._limits[model] = replace(limit, known=running, probe_at=now)

    def probe_now(self, now: float, model: str | None = None) -> None:
        """Let one more job be tried now, of one model or of each."""
        for name in self._limits if model is None else {model} & self._limits.keys():
            self._limits[name] = replace(self._limits[name], probe_at=now)

    def is_known(self, model: str) -> bool:
        """Whether a limit of a model is known."""
        return model in self._limits

    def probe_at(self, model: str) -> float | None:
        """Return when one more job is tried, None if no limit is known."""
        limit = self._limits.get(model)
        return limit.probe_at if limit else None

    def free_slots(self, model: str, running: int, in_flight: int, now: float) -> int:
        """Return how many jobs of a model may go now.

        Args:
            model: of them.
            running: how many jobs have a slot at Kling or may have one.
            in_flight: how many calls are under way.
            now: by the monotonic clock.
        """
        limit = self._limits.get(model)
        if limit is None:
            return max(AT_ONCE - in_flight, 0)
        if (free := limit.known - running - in_flight) > 0:
            return max(min(free, AT_ONCE - in_flight), 0)
        # One job beyond the limit is tried only right after a poll, because before it a finished task may
        # still count as running.
        is_certain = not running or now - self._polled_at <= FRESH
        return int(not in_flight and limit.probe_at <= now and is_certain)
