"""Whose turn it is goes by the person's id, and by the name where there is none."""

from __future__ import annotations

from kling.studio.fairness import Fairness
from kling.studio.jobs import Job


def job(job_id: str, **cells: str) -> Job:
    return Job({"external_task_id": job_id, "model_name": "kling-v3", "state": "waiting", **cells})


def turns(*jobs: Job) -> list[str]:
    return [each.id for each in Fairness().queues(jobs, {})["kling-v3"]]


def test_two_people_of_one_name_take_turns():
    one = {"person": "Ada", "person_id": "p1"}
    other = {"person": "Ada", "person_id": "p2"}
    assert turns(job("a1", **one), job("a2", **one), job("b1", **other)) == ["a1", "b1", "a2"]


def test_a_person_under_a_new_name_gets_no_second_turn():
    assert turns(
        job("a1", person="Ada", person_id="p1"),
        job("a2", person="Ada L.", person_id="p1"),
        job("b1", person="Ben"),
    ) == ["a1", "b1", "a2"]


def test_who_was_served_is_known_by_id():
    fairness = Fairness()
    fairness.served("kling-v3", "p1", fairness.next_turn())
    waiting = [job("a", person="Ada", person_id="p1"), job("b", person="Ben", person_id="p2")]
    assert [each.id for each in fairness.queues(waiting, {})["kling-v3"]] == ["b", "a"]
