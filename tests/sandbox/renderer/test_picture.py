"""A picture as a scene: the clip begins with it, ends with the last one, and moves between."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from kling.sandbox.clips import Clips
from kling.sandbox.contract import IMAGE_TO_VIDEO
from kling.sandbox.render_queue import RenderQueue, RenderWorker
from kling.sandbox.render_spec import Shot
from kling.sandbox.renderer import draw_clip, draw_sound
from kling.sandbox.renderer.camera import REST
from kling.sandbox.renderer.label import without_label
from kling.sandbox.renderer.picture import picture_path, read_picture
from kling.sandbox.sound_files import write_sounds
from tests.sandbox.conftest import base64_of, picture
from tests.sandbox.renderer.reel import spec

SIZE = (160, 120)


def stripes(path: Path, hue: int, **options: Any) -> Path:
    """Write a picture with upright stripes and a gradient downwards."""
    rows, columns = np.mgrid[0:300, 0:400]
    levels = np.stack([columns // 40 % 2 * 180 + 40, rows * 200 // 300, np.full_like(rows, hue)], axis=-1)
    Image.fromarray(levels.astype(np.uint8)).save(path, **options)
    return path


def colours(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in file.decode(video=0)]


def distance(frame: np.ndarray, picture: Path) -> float:
    """Return how far a frame is from a picture, in levels; the label is left out."""
    return float(np.abs(frame - read_picture(picture, SIZE).astype(int))[30:].mean())


def seconds_of(file: Any) -> float:
    """Return how long the sound of an open file lasts."""
    return float(file.streams.audio[0].duration * file.streams.audio[0].time_base)


def content_of(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    stripes(folder / "first.png", 30)
    stripes(folder / "last.png", 220)
    return folder


@pytest.mark.parity("picture-animated")
def test_a_clip_begins_with_the_picture_and_moves(folder):
    clip = folder / "moves.mp4"
    draw_clip(spec(width=160, height=120, seconds=2, picture=str(folder / "first.png")), clip)
    seen = colours(clip)
    assert len(seen) == 48
    assert distance(seen[0], folder / "first.png") < 5
    assert distance(seen[-1], folder / "first.png") > 7
    below, above = (np.abs(seen[-1] - seen[0])[part].mean() for part in (slice(90, None), slice(30, 60)))
    assert below > above, "what is lower is nearer, and moves more"


def test_a_clip_ends_with_the_last_picture(folder):
    clip = folder / "ends.mp4"
    frames: dict[str, Any] = {"picture": str(folder / "first.png"), "last_picture": str(folder / "last.png")}
    draw_clip(spec(width=160, height=120, seconds=2, **frames), clip)
    seen = colours(clip)
    assert distance(seen[0], folder / "first.png") < 5
    assert distance(seen[-1], folder / "last.png") < 5


def test_the_frames_belong_to_the_first_and_the_last_shot(folder):
    clip = folder / "shots.mp4"
    shots = tuple(Shot(prompt=prompt, seconds=1) for prompt in ("it waits", "the sea at noon", "it ends"))
    frames: dict[str, Any] = {"picture": str(folder / "first.png"), "last_picture": str(folder / "last.png")}
    draw_clip(spec(width=160, height=120, shots=shots, **frames), clip)
    seen = colours(clip)
    assert [len(seen), distance(seen[0], folder / "first.png") < 5] == [72, True]
    assert distance(seen[30], folder / "first.png") > 20
    assert distance(seen[-1], folder / "last.png") < 5


def test_a_picture_is_read_as_one_sees_it(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    upright = stripes(tmp_path / "turned.jpg", 30, exif=turned, quality=95)
    assert read_picture(upright, (120, 160)).shape == (160, 120, 3)
    assert np.abs(np.diff(read_picture(upright, (120, 160)).astype(int)[:, 60, 0])).max() > 60
    Image.new("RGBA", (400, 300), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_picture(tmp_path / "clear.png", SIZE).min() == 255
    Image.fromarray(np.full((300, 400), 0x8000, np.uint16)).save(tmp_path / "deep.png")
    assert abs(int(read_picture(tmp_path / "deep.png", SIZE).mean()) - 128) < 3
    Image.new("CMYK", (400, 300), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    assert read_picture(tmp_path / "print.jpg", SIZE)[60, 80, 0] > 200


def test_the_label_of_an_earlier_clip_is_taken_out_of_its_frame(tmp_path):
    order = spec(width=640, height=360, fps=2, shots=(Shot(prompt="a lake at noon", seconds=1),))
    draw_clip(order, tmp_path / "clip.mp4")
    labelled = colours(tmp_path / "clip.mp4")[0].astype(np.uint8)
    bare = without_label(labelled, order)
    box, beside = labelled[6:22, 12:90], bare[34:50, 12:90]
    assert box[..., 0].std() > 30, "white letters on a dark plate"
    assert np.abs(bare[6:22, 12:90].astype(float).mean() - beside.mean()) < 25
    assert bare[6:22, 12:90, 0].std() < box[..., 0].std()
    assert np.array_equal(bare[:, 200:], labelled[:, 200:])
    assert without_label(bare, order) is bare, "it was there once"


@pytest.mark.parametrize("fill", [0, 90, 255])
def test_a_picture_without_the_label_stays_as_it_is(fill):
    order = spec(width=640, height=360)
    plain = np.full((360, 640, 3), fill, np.uint8)
    noise = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    for one in (plain, noise):
        assert without_label(one, order) is one


@pytest.mark.parametrize(
    "legs", [(), (("still", ""),), (("slant", ""),), (("push", "fast"),), (("hand", ""),)]
)
@pytest.mark.parametrize("returns", [True, False])
def test_the_camera_starts_at_rest_and_returns_where_it_must(legs, returns):
    path = picture_path((legs,) if legs else (), returns=returns)
    assert path[0] == REST
    assert len(path) > 1
    assert path[-1] == REST or not returns


def test_sound_is_laid_under_a_clip_whose_pictures_stay(folder):
    silent, loud = folder / "silent.mp4", folder / "loud.mp4"
    order = spec(width=160, height=120, seconds=2)
    draw_clip(order, silent)
    draw_sound(spec(width=160, height=120, seconds=2, sound_prompt="a storm"), silent, loud)
    with av.open(str(silent)) as one, av.open(str(loud)) as other:
        assert [bytes(packet) for packet in one.demux(video=0)] == [
            bytes(packet) for packet in other.demux(video=0)
        ]
    paths = [folder / "sound.mp3", folder / "sound.wav"]
    write_sounds(loud, paths)
    for path in (loud, *paths):
        with av.open(str(path)) as file:
            samples = np.concatenate(
                [frame.to_ndarray().astype(float).mean(axis=0) for frame in file.decode(audio=0)]
            )
            assert abs(seconds_of(file) - 2) < 0.1
            assert np.abs(samples).max() > 0
    assert {path.name for path in folder.iterdir() if path.name.startswith("drawing")} == set()


def test_the_queue_hands_over_pictures_and_takes_them_away(bench, tmp_path, monkeypatch):
    body = {"model_name": "kling-v3", "prompt": "Snow", "image": base64_of(picture())}
    body |= {"image_tail": "https://example.com/a.png"}
    bench.made(IMAGE_TO_VIDEO, body)
    seen = []
    done = asyncio.Event()

    async def draw(_worker, job):
        seen.append([content_of(job["spec"][name]) for name in ("picture", "last_picture")])
        done.set()
        return ""

    async def go() -> None:
        queue = RenderQueue(bench.engine.store, Clips(folder=tmp_path, style="drawn"), lambda: bench.now)
        queue.start()
        await done.wait()
        await asyncio.sleep(0)
        await queue.stop()

    monkeypatch.setattr(RenderWorker, "start", lambda _self: asyncio.sleep(0))
    monkeypatch.setattr(RenderWorker, "draw", draw)
    asyncio.run(asyncio.wait_for(go(), 20))
    assert seen == [[picture(), None]], "a URL is not fetched"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("style", ["drawn", "tiny"])
def test_a_worker_makes_the_sound_of_a_task(bench, tmp_path, style):
    clips = Clips(folder=tmp_path, style=style)
    video = bench.create(model_name="kling-v3", duration="3")["task_id"]
    bench.finish()
    task_id = bench.made("/v1/audio/video-to-audio", {"video_id": f"9{video[1:]}", "bgm_prompt": "rain"})[
        "task_id"
    ]
    task = bench.engine.store.find(task_id)
    if style == "drawn":
        draw_clip(spec(width=160, height=120, seconds=3), clips.path(bench.engine.store.find(video)))
    (job,) = clips.jobs(task)
    assert bool(job["source"]) == (style == "drawn")

    async def go() -> str:
        worker = RenderWorker()
        problem = await worker.draw(job)
        await worker.stop()
        return problem

    assert asyncio.run(go()) == ""
    assert clips.jobs(task) == []
    bench.finish()
    for path in (clips.find(task), clips.find_sound(task, "mp3"), clips.find_sound(task, "wav")):
        with av.open(str(path)) as file:
            assert abs(seconds_of(file) - 3) < 0.1
    assert asdict(clips.spec(task))["sound"] is True
