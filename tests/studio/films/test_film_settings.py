"""A film that is taken away says what each of its parts was made from, and that is read again."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest

from kling.studio.films.settings import film_copy, take_film
from kling.studio.films.store import Film
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import SUCCEED, Job, dump_json
from kling.studio.take_away import mp4_text
from kling.studio.take_away.mp4_text import COMMENT, LONGEST, TITLE
from kling.studio.take_away.settings import read_clip
from tests.studio.fakes import Bench
from tests.studio.films.reels import packets, reel

FILM = Film("x.mp4", "ready", starts=(0.0, 4.958), seconds=9.9)


def job(job_id: str, prompt: str, **cells: str) -> Job:
    known = {
        "external_task_id": job_id,
        "state": SUCCEED,
        "time": "2026-11-27T10:00:00+00:00",
        "endpoint": "text2video",
        "model_name": "kling-v3",
        "prompt": prompt,
        "person": "Ada Lovelace",
        "units": "3.5",
    }
    return Job({**known, **cells})


PARTS = (
    job("a", "Ein Fuchs, 雪の狐 🦊"),
    job("b", "It turns round", parent="a", extra=dump_json({"continues": True})),
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return reel(tmp_path / "film.mp4")


def test_the_settings_of_each_part_come_back(tmp_path: Path, clip: Path):
    (tmp_path / "taken.mp4").write_bytes(b"".join(film_copy(PARTS, FILM, clip).chunks()))
    found = read_clip(tmp_path / "taken.mp4")
    assert found.record == {}
    assert [part["prompt"] for part in found.parts] == ["Ein Fuchs, 雪の狐 🦊", "It turns round"]
    assert found.parts[1]["parent"] == "a"
    assert json.loads(found.parts[1]["extra"]) == {"continues": True}
    assert found.title == "Ein Fuchs, 雪の狐 🦊"
    assert found.words == ""
    assert packets(tmp_path / "taken.mp4") == packets(clip)


def test_nothing_of_people_and_costs_is_in_it(clip: Path):
    content = b"".join(film_copy(PARTS, FILM, clip).chunks())
    assert b"Ada" not in content
    assert b"units" not in content


def test_it_says_when_each_part_begins(clip: Path):
    texts = film_copy(PARTS, FILM, clip).texts
    assert texts is not None
    assert [part["start"] for part in json.loads(texts[COMMENT])["parts"]] == ["0.000", "4.958"]
    assert texts[TITLE] == "Ein Fuchs, 雪の狐 🦊"


def test_it_has_a_name_and_a_size_before_it_is_read(clip: Path):
    taken = take_film(PARTS, FILM, clip, UTC)
    assert taken.name == "2026-11-27_fuchs-雪の狐_film.mp4" or taken.name.endswith("_film.mp4")
    assert taken.size == len(b"".join(taken.chunks))


def test_the_longest_settings_of_many_parts_are_cut_and_not_lost(tmp_path: Path, clip: Path):
    parts = [job(f"j{number}", "雪" * 3000, negative_prompt="no " * 500) for number in range(40)]
    film = Film("x.mp4", "ready", starts=tuple(map(float, range(40))), seconds=40)
    copy = film_copy(parts, film, clip)
    assert copy.texts is not None
    assert len(copy.texts[COMMENT].encode()) < LONGEST
    (tmp_path / "taken.mp4").write_bytes(b"".join(copy.chunks()))
    found = read_clip(tmp_path / "taken.mp4").parts
    assert [part["external_task_id"] for part in found] == [part.id for part in parts]
    assert all(part["model_name"] == "kling-v3" for part in found)


def test_an_import_takes_all_parts(bench: Bench, clip: Path):
    admin = bench.studio.acting_as(User(LOCAL, "Bob", "admin"))
    admin.import_jobs(admin.read_import(b"".join(film_copy(PARTS, FILM, clip).chunks())))
    assert [bench.job(part.id)["prompt"] for part in PARTS] == [part["prompt"] for part in PARTS]


@pytest.mark.parametrize(
    "comment",
    [
        '{"kling_studio": 1, "parts": 7}',
        '{"kling_studio": 1, "parts": [7, [], null, {"person": "x"}]}',
        '{"kling_studio": "x", "parts": [{"prompt": "a"}]}',
        '{"kling_studio": 1, "parts": [' + '{"prompt": "a"},' * 5000 + "{}]}",
        '{"kling_studio": 1, "parts": ' + "[" * 5000,
    ],
)
def test_what_strangers_write_there_is_bounded_text(tmp_path: Path, clip: Path, comment: str):
    copy = mp4_text.with_texts(clip, {COMMENT: comment})
    (tmp_path / "taken.mp4").write_bytes(b"".join(copy.chunks()))
    found = read_clip(tmp_path / "taken.mp4")
    assert len(found.parts) <= 100
    assert all(part.keys() <= {"prompt"} for part in found.parts)
