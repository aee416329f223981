"""Films are joined once, in the background, and are gone when one of their clips is."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kling.studio.films.store import MOST_WAITING, RETRY_AFTER, Films, share_file
from kling.studio.jobs import SUCCEED, Job
from kling.studio.limited_child import ChildFailed
from tests.studio.disk_calls import DiskCalls
from tests.studio.films.reels import reel, shown, tone

FACTS = {"seconds": 1.9, "copied": True}


def job(job_id: str, digest: str = "ab", **cells: str) -> Job:
    known = {"external_task_id": job_id, "state": SUCCEED, "file": f"{job_id}.mp4", "file_sha256": digest}
    return Job({**known, **cells})


class Bench:
    """Films whose work is done when `work` is called, by a quick hand."""

    def __init__(self, folder: Path, **about: Any) -> None:
        self.clips = folder / "videos"
        self.clips.mkdir(exist_ok=True)
        for name in "abcdefgh":
            (self.clips / f"{name}.mp4").write_bytes(b"clip of " + name.encode())
        self.now, self.joined, self.done = 1000.0, 0, list[str]()
        self.works: list[Callable[[], None]] = []
        self.answer: Mapping[str, Any] = {}
        about = {"join": self.join, "free": lambda _folder: 2**40, **about}
        self.films = Films(
            folder / "films",
            lambda job_id: self.clips / f"{job_id}.mp4",
            on_done=self.done.append,
            start=self.works.append,
            monotonic=lambda: self.now,
            **about,
        )

    def join(self, out: Path, clips: Sequence[Path]) -> Mapping[str, Any]:
        self.joined += 1
        out.write_bytes(b" ".join(clip.read_bytes() for clip in clips))
        return self.answer or {**FACTS, "starts": [0.9 * number for number in range(len(clips))]}

    def work(self) -> None:
        while self.works:
            self.works.pop(0)()

    def ready(self, *ids: str) -> Path:
        self.films.film([job(each) for each in ids])
        self.work()
        film = self.films.film([job(each) for each in ids])
        assert film.state == "ready"
        path = self.films.path(film.name)
        assert path is not None
        return path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def files(bench: Bench) -> list[str]:
    return sorted(path.suffix for path in bench.films.folder.glob("*"))


def test_a_film_is_joined_once_and_found_again(bench: Bench):
    parts = [job("a"), job("b")]
    assert bench.films.film(parts).state == "joining"
    assert bench.films.film(parts, person="mia").state == "joining"
    bench.work()
    film = bench.films.film(parts)
    assert (film.state, film.starts, film.seconds, film.copied) == ("ready", (0.0, 0.9), 1.9, True)
    assert bench.films.path(film.name).read_bytes() == b"clip of a clip of b"  # type: ignore[union-attr]
    assert (bench.joined, bench.done) == (1, [film.name])


def test_other_clips_another_order_and_a_better_copy_are_other_films(bench: Bench):
    names = {
        bench.films.film(parts).name
        for parts in ([job("a"), job("b")], [job("b"), job("a")], [job("a")], [job("a"), job("b", "cd")])
    }
    assert len(names) == 4


def test_a_clip_that_is_not_here_is_named(bench: Bench):
    film = bench.films.film(
        [job("a"), replace(job("b"), cells={"external_task_id": "b"}), job("c", deleted="x")]
    )
    assert (film.state, film.problem) == ("failed", "The clip of part 2, 3 is not here.")
    assert bench.works == []


@pytest.mark.parametrize("why", ["limits", "stopped"])
def test_what_failed_is_said_and_tried_again_later(tmp_path: Path, why: Any):
    def fails(_out: Path, _clips: Sequence[Path]) -> Mapping[str, Any]:
        raise ChildFailed(why)

    bench = Bench(tmp_path, join=fails)
    bench.films.film([job("a")])
    bench.work()
    film = bench.films.film([job("a")])
    assert film.state == "failed"
    assert film.problem
    assert bench.works == []
    bench.now += RETRY_AFTER
    assert bench.films.film([job("a")]).state == "joining"
    assert files(bench) == []


@pytest.mark.parametrize("answer", [{"refused": "broken"}, {"refused": {"a": 1}}, {"refused": "<b>"}])
def test_the_words_of_a_child_are_never_shown(bench: Bench, answer: Mapping[str, Any]):
    bench.answer = answer
    bench.films.film([job("a")])
    bench.work()
    assert bench.films.film([job("a")]).problem == "One of the clips cannot be read."
    assert files(bench) == []


def test_facts_that_are_none_make_the_film_again(bench: Bench):
    bench.answer = {"starts": "x", "seconds": None}
    bench.films.film([job("a")])
    bench.work()
    assert bench.films.film([job("a")]).state == "joining"


@pytest.mark.parametrize("left", [b"", b"half a film"])
def test_a_film_that_a_power_cut_has_shortened_is_joined_again(bench: Bench, left: bytes):
    film = bench.ready("a", "b")
    whole = film.read_bytes()
    film.write_bytes(left)
    assert bench.films.film([job("a"), job("b")]).state == "joining"
    assert bench.ready("a", "b").read_bytes() == whole


def test_a_film_is_on_the_disk_before_it_is_said_to_be_ready(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    calls = DiskCalls(monkeypatch)
    film = bench.ready("a", "b")
    facts = film.with_suffix(".json")
    assert calls.of([film, facts, film.parent]) == [
        f"{call} {name}"
        for path in (film, facts)
        for call, name in (("sync", path.name), ("replace", path.name), ("sync", "films"))
    ]


def test_an_empty_film_is_none(tmp_path: Path):
    bench = Bench(tmp_path, join=lambda *_: FACTS)
    bench.films.film([job("a")])
    bench.work()
    assert bench.films.film([job("a")]).state == "failed"
    assert files(bench) == []


def test_facts_of_another_number_of_parts_make_the_film_again(bench: Bench):
    bench.answer = {**FACTS, "starts": [0.0]}
    bench.films.film([job("a"), job("b")])
    bench.work()
    assert bench.films.film([job("a"), job("b")]).state == "joining"


def test_a_disk_that_becomes_full_is_not_taken_for_a_damaged_clip(tmp_path: Path):
    def fails(_out: Path, _clips: Sequence[Path]) -> Mapping[str, Any]:
        raise OSError(errno.ENOSPC, "No space left on device")

    bench = Bench(tmp_path, join=fails)
    bench.films.film([job("a")])
    bench.work()
    assert "too full" in bench.films.film([job("a")]).problem


def test_a_full_disk_is_left_to_the_log(tmp_path: Path):
    bench = Bench(tmp_path, free=lambda _folder: 0)
    bench.films.film([job("a")])
    bench.work()
    assert "too full" in bench.films.film([job("a")]).problem
    assert bench.joined == 0


def test_a_newer_film_of_a_person_replaces_the_one_that_waits(bench: Bench):
    bench.films.film([job("a")], person="ada")
    bench.films.film([job("b")], person="ada")
    bench.work()
    assert bench.joined == 1
    assert bench.films.film([job("b")]).state == "ready"


def test_too_many_that_wait_are_asked_to_come_again(bench: Bench):
    for number in range(MOST_WAITING):
        bench.films.film([job("a", str(number))], person=str(number))
    assert bench.films.film([job("b")], person="one more").state == "busy"


def test_a_film_is_gone_when_one_of_its_clips_is(bench: Bench):
    of_two, of_other = bench.ready("a", "b"), bench.ready("c")
    bench.films.forget("b")
    assert not of_two.exists()
    assert of_other.exists()
    assert files(bench) == [".json", ".mp4"]


@pytest.mark.parametrize("facts", ["", "{", '{"jobs": 5}', '{"jobs": "ab"}', "[]"])
def test_a_film_that_does_not_say_of_what_it_is_made_is_gone_too(bench: Bench, facts: str):
    film = bench.ready("a", "b")
    film.with_suffix(".json").write_text(facts)
    bench.films.forget("c")
    assert files(bench) == []


def test_a_film_without_its_facts_is_gone_too(bench: Bench):
    film = bench.ready("a", "b")
    film.with_suffix(".json").unlink()
    bench.films.forget("a")
    assert files(bench) == []


def test_a_clip_that_is_deleted_while_its_film_is_joined_is_in_no_film(tmp_path: Path):
    def join(out: Path, _clips: Sequence[Path]) -> Mapping[str, Any]:
        out.write_bytes(b"a film")
        own.films.forget("a")
        return FACTS

    own = Bench(tmp_path, join=join)
    own.films.film([job("a"), job("b")])
    own.work()
    assert files(own) == []


def test_films_not_asked_for_longest_give_way(tmp_path: Path):
    bench = Bench(tmp_path, most_bytes=25)
    first, second = bench.ready("a"), bench.ready("b")
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    bench.ready("c")
    assert not first.exists()
    assert second.exists()
    assert files(bench) == [".json", ".json", ".mp4", ".mp4"]


def test_what_a_killed_process_has_left_is_gone(tmp_path: Path):
    bench = Bench(tmp_path)
    bench.films.folder.mkdir()
    (bench.films.folder / "x.mp4.part").write_bytes(b"half")
    Bench(tmp_path)
    assert files(bench) == []


def test_no_other_file_is_given_out(bench: Bench):
    path = bench.ready("a")
    for name in ("", "../history.csv", path.with_suffix(".json").name, "0" * 32 + ".mp4"):
        assert bench.films.path(name) is None


@pytest.mark.parametrize(
    ("noted", "share"), [("0.250", 0.25), ("", 0.0), ("9", 0.0), ("nan", 0.0), ("é", 0.0)]
)
def test_how_much_of_it_is_joined_is_known_meanwhile(tmp_path: Path, noted: str, share: float):
    seen: list[float] = []

    def join(_out: Path, _clips: Sequence[Path]) -> Mapping[str, Any]:
        share_file(own.films.folder / own.films.film([job("a")]).name).write_text(noted, encoding="utf-8")
        seen.append(own.films.film([job("a")]).share)
        return {"refused": "broken"}

    own = Bench(tmp_path, join=join)
    own.films.film([job("a")])
    own.work()
    assert seen == [share]
    assert files(own) == []


def test_after_the_stop_nothing_is_begun(bench: Bench):
    bench.films.film([job("a")])
    bench.films.stop()
    bench.work()
    assert bench.joined == 0
    assert bench.films.film([job("b")]).state == "busy"


def test_clips_are_joined_in_a_child(tmp_path: Path):
    for number, name in enumerate("ab"):
        reel(tmp_path / f"{name}.mp4", first=23 * number, sound=tone(440))
    films = Films(
        tmp_path / "films",
        lambda job_id: tmp_path / f"{job_id}.mp4",
        start=lambda work: work(),
        free=lambda _folder: 2**40,
    )
    parts = [job("a"), job("b")]
    films.film(parts)
    film = films.film(parts)
    assert (film.state, film.problem, film.copied) == ("ready", "", True)
    path = films.path(film.name)
    assert path is not None
    assert shown(path).bars == [*range(24), *range(23, 47)]
    assert path.stat().st_mode & 0o077 == 0
