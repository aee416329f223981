"""The team's templates: whole orders, kept through restarts, spoiled files and two people at once."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo
from kling.studio.prompting.team_templates import (
    MOST,
    MOST_BYTES,
    ChangedMeanwhile,
    TeamTemplateError,
    TeamTemplates,
)
from kling.studio.prompting.templates import search
from tests.kling.tools import law
from tests.studio.prompting.legal import requests

FOX = TextToVideo(prompt="A {red|blue} fox", mode="pro", sound="on")
NOW = 1_790_000_000.5


def opened(folder: Path) -> TeamTemplates:
    return TeamTemplates(folder / "templates", clock=lambda: NOW)


def test_a_whole_order_is_kept_through_a_restart(tmp_path):
    whole = TextToVideo(
        model_name="kling-v3",
        prompt="ignored",
        negative_prompt="blur",
        mode="4k",
        duration="5",
        aspect_ratio="1:1",
        sound="on",
        cfg_scale=0.25,
        camera_control=CameraControl(type="simple", config={"pan": 3.5}),
        multi_shot=True,
        shot_type="customize",
        multi_prompt=(Shot(prompt="a", duration="2"), Shot(prompt="", duration="9")),
        watermark=True,
        external_task_id="mine",
        callback_url="https://here.example",
    )
    made = opened(tmp_path).add(whole, title=" Two\nshots ", category="Film", teaches="How", author="Ann")
    (found,) = opened(tmp_path).all()
    assert found == made
    assert found.request == replace(whole, external_task_id="", callback_url="")
    assert (found.title, found.category, found.teaches, found.author) == ("Two shots", "Film", "How", "Ann")
    assert (found.version, found.changed.timestamp()) == (1, NOW)
    stored = json.loads(next((tmp_path / "templates").iterdir()).read_text())
    assert stored["request"] == found.request.to_wire()


@given(requests(), st.lists(st.text(), min_size=4, max_size=4))
@settings(law, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_order_and_any_text_comes_back_as_it_was_saved(tmp_path, request_, texts):
    folder = tmp_path / os.urandom(4).hex()
    title, category, teaches, author = texts
    saved = opened(folder)
    if not title.strip():
        with pytest.raises(TeamTemplateError, match="name"):
            saved.add(request_, title=title, category=category, teaches=teaches, author=author)
        return
    made = saved.add(request_, title=title, category=category, teaches=teaches, author=author)
    (found,) = opened(folder).all()
    assert found == made
    assert found.request.to_wire() == request_.to_wire()
    assert "\n" not in found.title + found.author
    assert [path.suffix for path in (folder / "templates").iterdir()] == [".json"]


def test_they_are_listed_by_title_and_searched_like_the_others(tmp_path):
    saved = opened(tmp_path)
    for title in ("zebra", "Apple", "apple"):
        saved.add(FOX, title=title, category="Fruit")
    assert [each.title for each in saved.all()] in (["Apple", "apple", "zebra"], ["apple", "Apple", "zebra"])
    assert [each.title for each in search("zeb fox", saved.all())] == ["zebra"]


def test_a_change_is_a_new_version_and_an_old_one_overwrites_nothing(tmp_path):
    saved = opened(tmp_path)
    first = saved.add(FOX, title="Fox", author="Ann")
    second = saved.update(first, title="Red fox", author="Bob")
    assert (second.version, second.id, second.request) == (2, first.id, FOX)
    with pytest.raises(ChangedMeanwhile, match="Bob has changed"):
        saved.update(first, request=replace(FOX, prompt="mine"), author="Ann")
    with pytest.raises(ChangedMeanwhile):
        saved.delete(first)
    assert opened(tmp_path).all() == (second,)
    saved.delete(second)
    with pytest.raises(ChangedMeanwhile, match="has deleted"):
        saved.update(second, title="Again")
    assert opened(tmp_path).all() == saved.all() == ()


def test_many_at_once_lose_nothing(tmp_path):
    saved = opened(tmp_path)
    shared = saved.add(FOX, title="shared")

    def change(number: int) -> bool:
        saved.add(FOX, title=f"{number:03}")
        try:
            saved.update(shared, title=f"by {number}")
        except ChangedMeanwhile:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        won = list(people.map(change, range(60)))
    assert won.count(True) == 1
    kept = [each.title for each in opened(tmp_path).all()]
    assert kept == [*(f"{number:03}" for number in range(60)), f"by {won.index(True)}"]


SPOILED = {
    "0" * 16: b"",
    "1" * 16: b"\xff\xfe garbage",
    "2" * 16: b'{"title": "cut off',
    "3" * 16: b"[]",
    "4" * 16: b'{"title": 1, "category": "", "teaches": "", "author": ""}',
    "5" * 16: b"[" * 100_000,
    "6" * 16: b'{"title": "x"}' + b" " * MOST_BYTES,
    "not-ours": b"{}",
}


def test_a_spoiled_file_is_put_aside_and_told_and_the_others_stay(tmp_path):
    kept = opened(tmp_path).add(FOX, title="Fox")
    folder = tmp_path / "templates"
    good = json.loads((folder / f"{kept.id}.json").read_text())
    wrong = [{"version": "1"}, {"changed": "yesterday"}, {"title": ["x"]}, {"request": {"prompt": [1]}}]
    wrong += [{"request": None}, {"changed": None}, {"changed": "0001-01-01T00:00:00+14:00"}]
    for number, change in enumerate(wrong):
        (folder / f"{number:016x}.json".replace("0", "a")).write_text(json.dumps(good | change))
    for name, content in SPOILED.items():
        (folder / f"{name}.json").write_bytes(content)
    saved = opened(tmp_path)
    assert saved.all() == (kept,)
    assert len(saved.unreadable) == len(SPOILED) + len(wrong)
    assert "kept as templates/not-ours.unreadable" in " ".join(saved.unreadable)
    assert {(folder / f"{name}.unreadable").read_bytes() for name in SPOILED} == set(SPOILED.values())
    assert opened(tmp_path).unreadable == ()
    (folder / "not-ours.json").write_bytes(b"again")
    opened(tmp_path)
    assert len(list(folder.glob("not-ours*.unreadable"))) == 2


def test_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    saved = opened(tmp_path)
    first = saved.add(FOX, title="Fox")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TeamTemplateError, match="No space left"):
        saved.add(FOX, title="New")
    with pytest.raises(TeamTemplateError, match="No space left"):
        saved.update(first, title="New")
    assert saved.all() == opened(tmp_path).all() == (first,)
    assert len(list((tmp_path / "templates").iterdir())) == 1


def test_a_crash_before_the_last_step_leaves_the_old_version(tmp_path, monkeypatch):
    saved = opened(tmp_path)
    first = saved.add(FOX, title="Fox")

    def crash(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", crash)
        with pytest.raises(TeamTemplateError, match="Input/output"):
            saved.update(first, title="New")
    assert saved.all() == opened(tmp_path).all() == (first,)
    assert saved.update(first, title="New").version == 2


def test_what_is_too_much_is_told(tmp_path):
    saved = opened(tmp_path)
    with pytest.raises(TeamTemplateError, match="too long"):
        saved.add(TextToVideo(prompt="x" * MOST_BYTES), title="Long")
    with pytest.raises(TeamTemplateError, match="a name"):
        saved.add(FOX, title=" \n ")
    long = saved.add(FOX, title="t" * 500, category="c" * 500, teaches="n" * 500, author="a" * 500)
    assert [len(text) for text in (long.title, long.category, long.teaches, long.author)] == [80, 40, 300, 80]
    saved._all |= {str(number): long for number in range(MOST)}
    with pytest.raises(TeamTemplateError, match="delete some first"):
        saved.add(FOX, title="One more")


def test_nothing_is_written_before_something_is_saved(tmp_path):
    assert opened(tmp_path).all() == ()
    assert list(tmp_path.iterdir()) == []
