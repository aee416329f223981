"""Changes of what banners say are noticed, once each."""

from __future__ import annotations

from kling.studio.notices import PAUSE, Notices
from tests.kling.tools import Clock


def test_a_change_of_the_facts_is_told_once_and_looked_for_with_pauses():
    said, told, clock = ["calm"], [0], Clock()
    asked: list[float] = []

    def facts() -> tuple[str, ...]:
        asked.append(clock())
        return tuple(said)

    notices = Notices(facts, lambda: told.append(len(asked)), clock)
    notices.look()
    notices.look()
    assert told == [0, 1]
    clock.now += PAUSE
    notices.look()
    assert told == [0, 1]
    said.append("a hold")
    clock.now += PAUSE
    notices.look()
    notices.look()
    assert told == [0, 1, 3]


def test_facts_that_cannot_be_had_stop_nobody():
    def facts() -> str:
        raise OSError("The disk is gone.")

    notices = Notices(facts, lambda: None, Clock())
    notices.look()
