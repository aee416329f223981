"""A key, clocks that only move when told, and how property tests run."""

from __future__ import annotations

from hypothesis import settings

KEY = "api-key-kling-0123456789"

law = settings(derandomize=True, database=None, deadline=None)  # the same examples every time


class Clock:
    """Seconds that pass when somebody sleeps, or by `tick` at every look."""

    def __init__(self, now: float = 1_000_000.0, *, tick: float = 0.0) -> None:
        self.now, self.tick = now, tick
        self.slept: list[float] = []

    def __call__(self) -> float:
        self.now += self.tick
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
