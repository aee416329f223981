"""How many jobs of a model Kling takes at once, learnt from its refusals.

Kling lets only so many tasks of a model run at once and refuses one more with 1303; how many, it does not say
(S2). So it is learnt: as many as ran at the last refusal fit in. Below that, a job goes out at once; above,
one is tried after growing pauses, and what is accepted raises the number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

BUSY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1303 while we run nothing
PROBE_PAUSES = (15.0, 30.0, 60.0, 120.0, 300.0)  # seconds after 1303 while our own jobs fill the slots
AT_ONCE = 4  # calls under way for a model; so many may be refused before its limit is known
FRESH = 3.0  # seconds after a poll in which the number of running jobs is sure
ONE_MOMENT = 300.0  # seconds after a probe was due within which a refusal belongs to the same series


@dataclass(frozen=True, slots=True)
class _Limit:
    """The limit of a model as far as it is known, and when one more may be tried."""

    known: int
    probe_at: float
    tries: int = 0


class Capacity:
    """The learnt limits.

    Args:
        pause: gives the seconds for a step of a series of pauses; see `Holds.pause`.
    """

    def __init__(self, pause: Callable[..., float]) -> None:
        self._pause = pause
        self._limits: dict[str, _Limit] = {}
        self._polled_at = float("-inf")

    def mark_polled(self, now: float) -> None:
        """Note that all running jobs have just been asked for."""
        self._polled_at = now

    def assume(self, model: str, running: int, now: float) -> None:
        """Begin with a limit: so many run now, and others wait for a slot."""
        self._limits.setdefault(model, _Limit(running, now))

    def refused(self, model: str, running: int, now: float, *, at_least: float) -> None:
        """Note a refusal because the slots are taken: as many as run fit in."""
        before = self._limits.get(model)
        tries = 0
        if before and now - before.probe_at <= ONE_MOMENT:
            tries = before.tries + (before.probe_at <= now)  # several refusals of one moment count once
        pauses = PROBE_PAUSES if running else BUSY_PAUSES
        self._limits[model] = _Limit(running, now + self._pause(pauses, tries, at_least), tries)

    def accepted(self, model: str, running: int, now: float) -> None:
        """Note an acceptance: there may be more slots than were known."""
        limit = self._limits.get(model)
        if limit and running > limit.known:
            self._limits[model] = replace(limit, known=running, probe_at=now)

    def probe_now(self, now: float, model: str | None = None) -> None:
        """Let one more be tried now, of one model or of all."""
        for name in self._limits if model is None else {model} & self._limits.keys():
            self._limits[name] = replace(self._limits[name], probe_at=now)

    def is_known(self, model: str) -> bool:
        """Whether a limit was met."""
        return model in self._limits

    def probe_at(self, model: str) -> float | None:
        """Return when one more is tried, None if no limit was met."""
        limit = self._limits.get(model)
        return limit.probe_at if limit else None

    def free_slots(self, model: str, running: int, in_flight: int, now: float) -> int:
        """Return how many jobs of a model may go now.

        Args:
            model: of them.
            running: jobs that have a slot at Kling, or may have.
            in_flight: calls under way.
            now: by the monotonic clock.
        """
        limit = self._limits.get(model)
        if limit is None:
            return max(AT_ONCE - in_flight, 0)
        if (free := limit.known - running - in_flight) > 0:
            return max(min(free, AT_ONCE - in_flight), 0)
        # Beyond the limit only right after a poll: a finished task that was not seen yet still counts as
        # running.
        is_sure = not running or now - self._polled_at <= FRESH
        return int(not in_flight and limit.probe_at <= now and is_sure)
