"""Previews: drawn once, one for each person at a time, in bounds, and served by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling import CameraControl, Shot
from kling.studio.prompting import previews
from kling.studio.prompting.previews import MOST_WAITING, NAME, Preview, Previews
from tests.kling.tools import law

ROOT = Path(__file__).parents[3]
TILT = CameraControl(type="simple", config={"tilt": 4})
SHOTS = (Shot(prompt="a fox", duration="1"), Shot(prompt="a city at night", duration="2"))


def pan(value: float) -> CameraControl:
    return CameraControl(type="simple", config={"pan": value})


class Bench:
    """Previews whose drawing and threads are ours."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.drawn: list[tuple[str, dict[str, Any]]] = []
        self.done: list[str] = []
        self.work: list[Any] = []
        self.problem, self.content, self.now = "", b"x" * 1000, 0.0
        self.while_drawing: Callable[[], object] = lambda: None
        parts: dict[str, Any] = {
            "on_done": self.done.append,
            "draw": self.draw,
            "start": self.work.append,
            "clock": lambda: self.now,
        }
        self.previews = Previews(folder / "previews", **(parts | more))

    def draw(self, kind: str, spec: str, path: Path) -> str:
        self.while_drawing()
        self.drawn.append((kind, json.loads(spec)))
        if not self.problem and self.content:
            path.write_bytes(self.content)
        return self.problem

    def run(self) -> None:
        while self.work:
            self.work.pop(0)()


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_it_is_drawn_once_and_then_there_at_once(bench):
    first = bench.previews.camera(TILT)
    assert (first.state, bench.drawn) == ("drawing", [])
    assert bench.previews.camera(TILT) == first
    bench.run()
    assert bench.drawn == [("camera", {"type": "simple", "config": {"tilt": 4}, "size": [320, 180]})]
    assert bench.done == [first.name]
    assert NAME.fullmatch(first.name)
    # the same move, told with its other axes
    again = bench.previews.camera(CameraControl(type="simple", config={"pan": 0, "tilt": 4.02}))
    assert again == Preview(first.name, "ready")
    assert bench.work == []


def test_what_is_being_drawn_is_not_drawn_again(bench):
    asked = []
    bench.while_drawing = lambda: asked.append(bench.previews.camera(TILT, person="bob").state)
    bench.previews.camera(TILT, person="ann")
    bench.run()
    assert (asked, len(bench.drawn)) == (["drawing"], 1)


def test_different_previews_have_different_names(bench):
    names = {
        bench.previews.camera(TILT).name,
        bench.previews.camera(pan(4)).name,
        bench.previews.camera(pan(-4)).name,
        bench.previews.camera(pan(4), aspect_ratio="9:16").name,
        bench.previews.camera(CameraControl(type="down_back")).name,
        bench.previews.cut(SHOTS).name,
        bench.previews.cut(SHOTS[::-1]).name,
        bench.previews.cut(SHOTS, negative_prompt="rain").name,
    }
    assert len(names) == 8


def test_a_newer_request_takes_the_place_of_what_the_same_person_still_waits_for(bench):
    for value in range(1, 9):
        bench.previews.camera(pan(value), person="ann")
    bench.previews.camera(pan(-1), person="bob")
    bench.run()
    assert [spec["config"]["pan"] for _, spec in bench.drawn] == [8, -1]


def test_the_queue_is_bounded_and_says_so(bench):
    states = [bench.previews.camera(pan(n / 10), person=str(n)).state for n in range(1, MOST_WAITING + 3)]
    assert states == ["drawing"] * MOST_WAITING + ["busy"] * 2
    bench.run()
    assert len(bench.drawn) == MOST_WAITING
    assert bench.previews.camera(pan(9), person="late").state == "drawing"


def test_what_failed_says_so_and_is_tried_again_later(bench, caplog):
    bench.problem = "no encoder"
    name = bench.previews.camera(TILT).name
    bench.run()
    failed = bench.previews.camera(TILT)
    assert (failed.name, failed.state, bench.done) == (name, "failed", [name])
    assert "no encoder" in caplog.text
    assert "no encoder" not in failed.problem
    bench.problem, bench.now = "", 61.0
    assert bench.previews.camera(TILT).state == "drawing"
    bench.run()
    assert bench.previews.camera(TILT).state == "ready"


def test_a_file_that_was_not_drawn_is_a_failure(bench):
    bench.content = b""
    bench.previews.camera(TILT)
    bench.run()
    assert bench.previews.camera(TILT).state == "failed"


def test_a_listener_that_fails_stops_nothing(tmp_path, caplog):
    def fail(_name: str) -> None:
        raise RuntimeError("gone")

    bench = Bench(tmp_path, on_done=fail)
    bench.previews.camera(TILT)
    bench.run()
    assert bench.previews.camera(TILT).state == "ready"
    assert "Nobody could be told" in caplog.text


def test_the_folder_stays_in_bounds_and_keeps_what_is_asked_for(tmp_path):
    bench = Bench(tmp_path, most_bytes=3000)
    names = []
    for value in (1, 2, 3):
        names.append(bench.previews.camera(pan(value)).name)
        bench.run()
    folder = tmp_path / "previews"
    for age, name in enumerate(names):
        os.utime(folder / name, (1000 + age, 1000 + age))
    (folder / ".7-half.mp4").write_bytes(b"x" * 5000)
    (folder / "note.txt").write_text("not ours")
    assert bench.previews.camera(pan(1)).state == "ready"  # asked for again: no longer the oldest
    bench.previews.camera(pan(4))
    bench.run()
    kept = {path.name for path in folder.iterdir()}
    assert kept == {names[0], names[2], bench.previews.camera(pan(4)).name, "note.txt"}


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda p: p.camera(pan(0)), "exactly one axis"),
        (lambda p: p.camera(pan(11)), "between -10 and 10"),
        (lambda p: p.camera(CameraControl(type="spin")), "type of camera movement"),
        (lambda p: p.cut(()), "1 to 6 shots"),
        (lambda p: p.cut(SHOTS * 4), "1 to 6 shots"),
        (lambda p: p.cut((Shot(prompt="x", duration="31"),)), "at most 30 s"),
    ],
)
def test_what_is_no_move_and_no_cut_is_not_drawn(bench, ask, words):
    refused = ask(bench.previews)
    assert (refused.state, refused.name) == ("failed", "")
    assert words in refused.problem
    assert bench.work == []


@given(st.text(), st.text(max_size=8), st.text(max_size=8))
@law
def test_no_text_reaches_a_file_name_or_a_size_that_is_too_large(prompt, ratio, duration):
    bench = Bench(Path("/nowhere"))
    preview = bench.previews.cut([Shot(prompt=prompt, duration=duration)], aspect_ratio=ratio)
    assert preview.state == "failed" or NAME.fullmatch(preview.name)
    width, height = previews.size_of(ratio)
    assert width % 2 == height % 2 == 0
    assert 50_000 < width * height < 65_000


def test_after_stop_nothing_is_started(bench):
    bench.previews.camera(TILT)
    bench.previews.stop()
    bench.run()
    assert bench.drawn == []
    assert bench.previews.camera(pan(1)).state == "busy"


def test_a_real_move_and_a_real_cut(tmp_path):
    done = threading.Semaphore(0)
    drawer = Previews(tmp_path, on_done=lambda _name: done.release())
    asked = [
        (drawer.camera(TILT, aspect_ratio="9:16", person="a"), (180, 320), 3, 24),
        (drawer.cut(SHOTS, person="b"), (320, 180), 3, 12),
    ]
    for _ in asked:
        assert done.acquire(timeout=120)
    for preview, size, seconds, fps in asked:
        with av.open(str(tmp_path / preview.name)) as file:
            video = file.streams.video[0]
            assert (video.width, video.height) == size
            assert video.frames == seconds * fps
            assert len(file.streams.audio) == 0
    assert {path.name for path in tmp_path.iterdir()} == {preview.name for preview, *_ in asked}
    drawer.stop()


def draw(*arguments: str, spec: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kling.sandbox.renderer", *arguments]
    return subprocess.run(command, input=spec, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("spec", ["", "{}", "[]", '{"type": "simple", "size": "large"}'])
def test_a_spec_that_cannot_be_drawn_is_told_and_leaves_nothing(spec, tmp_path):
    done = draw("camera", str(tmp_path / "x.mp4"), spec=spec)
    assert done.returncode == 1
    assert "camera cannot be drawn" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_route_serves_previews_and_nothing_else(tmp_path):
    from pages._ui import context
    from pages._ui.routes import previews as route

    folder = tmp_path / previews.FOLDER
    folder.mkdir()
    name = "0" * 32 + ".mp4"
    (folder / name).write_bytes(b"0123456789")
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (folder / "note.mp4").write_bytes(b"secret")
    studio: Any = SimpleNamespace(settings=SimpleNamespace(data_dir=tmp_path))
    context.install(studio)
    try:
        with TestClient(Starlette(routes=route.routes())) as client:
            whole = client.get(f"/previews/{name}")
            assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
            part = client.get(f"/previews/{name}", headers={"Range": "bytes=2-3"})
            assert (part.status_code, part.content) == (206, b"23")
            for other in (
                "1" * 32 + ".mp4",
                "note.mp4",
                "..%2Fsecret.mp4",
                "%2e%2e/secret.mp4",
                name + "%00",
            ):
                assert client.get(f"/previews/{other}").status_code == 404
            assert client.post(f"/previews/{name}").status_code == 405
    finally:
        context.install(None)
