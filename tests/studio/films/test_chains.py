"""Which jobs make a film, also where a log says odd things of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kling.studio.films.chains import MOST_PARTS, SOUND, film_with, has_others, is_film
from kling.studio.jobs import SUCCEED, Job, dump_json


class Log:
    """Jobs by id, in the order in which they were added."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def add(
        self, job_id: str, parent: str = "", *, continues: bool = True, clip: bool = True, **cells: str
    ) -> Job:
        cells |= {"external_task_id": job_id, "parent": parent, "state": SUCCEED}
        cells["time"] = f"2026-11-27T10:00:{len(self.jobs):02}+00:00"
        if continues and parent:
            cells["extra"] = dump_json({"continues": True})
        if clip:
            cells["file"] = f"{job_id}.mp4"
        self.jobs[job_id] = Job(cells)
        return self.jobs[job_id]

    def made_from(self, job_id: str) -> list[Job]:
        return [job for job in self.jobs.values() if job.parent == job_id]

    def to(self, job_id: str) -> list[str]:
        """Return the film as it was when nothing had been made after a job."""
        before = dict(list(self.jobs.items())[: list(self.jobs).index(job_id) + 1])
        made_from = lambda parent: [job for job in before.values() if job.parent == parent]  # noqa: E731
        return [job.id for job in film_with(self.jobs[job_id], before.get, made_from)]

    def is_film(self, *ids: str) -> bool:
        return is_film([self.jobs[each] for each in ids], self.jobs.get)

    def with_(self, job_id: str) -> list[str]:
        return [job.id for job in film_with(self.jobs[job_id], self.jobs.get, self.made_from)]


def test_each_part_goes_on_with_its_parent():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("c", "b")
    assert log.to("c") == ["a", "b", "c"]
    assert log.to("a") == ["a"]
    assert log.with_("a") == log.with_("b") == ["a", "b", "c"]


def test_clips_in_a_row_are_a_film_in_their_order_only():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("c", "b")
    log.add("other")
    assert log.is_film("a", "b", "c")
    assert log.is_film("b", "c"), "it need not begin with the first part"
    for ids in ([], ["a"], ["b", "a"], ["a", "c"], ["a", "b", "other"], ["other", "a", "b"], ["b", "b"]):
        assert not log.is_film(*ids), ids


def test_a_remix_is_no_part_of_the_film():
    log = Log()
    log.add("a")
    log.add("b", "a", continues=False)
    assert log.to("b") == ["b"]
    assert log.with_("a") == ["a"]


def test_of_several_that_go_on_the_newest_with_a_clip_is_shown():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("c", "a")
    log.add("d", "a", clip=False)
    assert log.with_("a") == ["a", "c"]
    assert log.with_("b") == ["a", "b"]


def test_it_does_not_go_on_with_a_hidden_clip_unless_one_asks_for_that():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("c", "a", hidden="yes")
    assert log.with_("a") == ["a", "b"]
    assert log.with_("c") == ["a", "c"]


def test_a_clip_that_got_sound_stands_in_the_place_of_the_silent_one():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("loud", "b", continues=False, endpoint=SOUND)
    log.add("c", "loud")
    log.add("d", "b")
    for part in ("a", "loud", "d"):
        assert log.with_(part) == ["a", "loud", "d"], "newer than c, and it goes on with the same pictures"
    assert log.with_("c") == ["a", "loud", "c"]
    assert log.with_("b") == ["a", "b", "d"], "the page of the silent clip has that one"
    assert log.is_film("a", "loud", "d")
    assert log.is_film("a", "b", "c")
    assert not log.is_film("a", "loud", "b")


def test_of_clips_with_sound_the_newest_that_is_there_and_not_hidden_is_shown():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("old", "a", continues=False, endpoint=SOUND)
    log.add("new", "a", continues=False, endpoint=SOUND)
    log.add("being made", "a", continues=False, endpoint=SOUND, clip=False)
    assert log.with_("b") == ["new", "b"]
    log.add("new", "a", continues=False, endpoint=SOUND, hidden="1")
    assert log.with_("b") == ["old", "b"]
    assert log.with_("a") == ["a", "b"]
    log.add("old", "a", continues=False, endpoint=SOUND, clip=False)
    assert log.with_("b") == ["a", "b"]


def test_another_clip_with_the_same_pictures_can_take_the_place_of_one():
    log = Log()
    log.add("a")
    log.add("b", "a")
    log.add("loud", "b", continues=False, endpoint=SOUND)

    def is_kept(job_id: str, *without: str) -> bool:
        return has_others(log.jobs[job_id], {job_id, *without}, log.jobs.get, log.made_from)

    assert is_kept("b")
    assert is_kept("loud")
    assert not is_kept("a")
    assert not is_kept("b", "loud")


def test_parts_that_are_not_in_the_log_end_the_film():
    log = Log()
    log.add("b", "gone")
    assert log.to("b") == ["b"]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.booleans()), max_size=12))
def test_no_log_makes_a_film_without_end_or_a_part_twice(rows):
    log = Log()
    for job_id, parent, is_sound in rows:
        log.add(job_id, parent, endpoint=SOUND if is_sound else "image2video")
    for job_id in log.jobs:
        parts = log.with_(job_id)
        assert len(parts) == len(set(parts))
        assert job_id in parts


def test_a_film_has_a_bounded_number_of_parts():
    log = Log()
    for number in range(MOST_PARTS + 9):
        log.add(str(number), str(number - 1) if number else "")
    assert len(log.to(str(MOST_PARTS + 8))) == MOST_PARTS
    assert len(log.with_("0")) == MOST_PARTS
