from __future__ import annotations

import itertools
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from kling.sandbox.render_spec import Shot
from kling.sandbox.renderer import draw_clip
from kling.sandbox.renderer.clip import frames
from kling.sandbox.renderer.film import write
from kling.sandbox.renderer.prompt_reader import read_scene
from tests.sandbox.renderer.reel import difference, shoot, spec

SEA_THEN_CITY = (Shot(prompt="the sea at noon", seconds=1), Shot(prompt="a city at night", seconds=2))


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A clip without sound."""
    return shoot(spec(), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    """The same clip with sound."""
    return shoot(spec(sound=True), tmp_path_factory.mktemp("loud"))


def boxes(path: Path) -> list[str]:
    """The names of the file's outermost boxes; every byte must belong to one."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        assert size >= 8
        found.append(name.decode())
        at += size
    assert at == len(data)
    return found


@pytest.mark.parametrize(
    ("width", "height", "fps", "seconds"), [(160, 90, 24, 1), (90, 160, 30, 2), (120, 120, 24, 1)]
)
def test_a_clip_has_the_size_rate_and_length_that_were_ordered(tmp_path, width, height, fps, seconds):
    reel = shoot(spec(seconds=seconds, width=width, height=height, fps=fps), tmp_path)
    assert reel.size == (width, height)
    assert reel.fps == fps
    assert len(reel.grey) == fps * seconds
    assert reel.seconds == seconds


def test_a_clip_streams_and_parses_to_the_last_byte(loud):
    found = boxes(loud.path)
    assert found[0] == "ftyp"
    assert found.index("moov") < found.index("mdat")


def test_a_clip_without_sound_has_no_audio_track(plain):
    assert plain.audio is None


@pytest.mark.parametrize(
    "prompt", ["storm over the sea", "a quiet library", "birthday party, bright and fun"]
)
def test_sound_is_stereo_gentle_and_without_clicks(tmp_path, prompt):
    audio = shoot(spec(prompt, seconds=2, fps=6, sound=True), tmp_path).audio
    assert audio is not None
    assert audio.shape[0] == 2
    assert audio.shape[1] == pytest.approx(2 * 48_000, abs=2048)
    assert 0.02 < np.abs(audio).max() < 10 ** (-1 / 20)
    assert np.abs(np.diff(audio, axis=1)).max() < 0.1
    assert np.abs(audio[:, :200]).max() < 0.02
    assert not np.array_equal(audio[0], audio[1])


def test_the_same_spec_gives_the_same_file(loud, tmp_path):
    draw_clip(spec(sound=True), tmp_path / "again.mp4")
    assert loud.path.read_bytes() == (tmp_path / "again.mp4").read_bytes()


def test_two_seeds_give_two_pictures_of_one_prompt(plain, tmp_path):
    other = shoot(spec(seed="another"), tmp_path)
    assert difference(plain.grey[0, 15:], other.grey[0, 15:]) > 2  # below the label


def test_the_cut_stands_at_the_frame_that_the_shots_say(tmp_path):
    grey = shoot(spec(shots=SEA_THEN_CITY), tmp_path).grey
    jumps = [difference(one, other) for one, other in itertools.pairwise(grey)]
    assert len(grey) == 72
    assert int(np.argmax(jumps)) == 23
    assert max(jumps) > 4 * sorted(jumps)[-2]


def test_the_watermark_changes_its_corner_only(plain, tmp_path):
    bare, marked = plain.grey[0], shoot(spec(watermark=True), tmp_path).grey[0]
    assert difference(bare[:20, 80:], marked[:20, 80:]) > 5
    assert difference(bare[40:], marked[40:]) < 2  # the encoder spends its bits elsewhere


def test_every_clip_carries_the_label(tmp_path):
    wanted = spec("snowy mountains at noon", width=320, height=180, fps=4)
    grey = shoot(wanted, tmp_path).grey
    assert grey[:, 2:12, 4:60].max() > 160  # white letters
    assert np.median(grey[:, 2:10, 4:60]) < np.median(grey[:, 2:10, 80:136])  # on a veil


def test_a_picture_moves_smoothly(tmp_path):
    grey = shoot(spec("a forest", seconds=2), tmp_path).grey[:, :75]
    jumps = np.array([difference(one, other) for one, other in itertools.pairwise(grey)])
    assert jumps.max() < 4
    levels = grey.mean(axis=(1, 2))
    assert np.abs(np.diff(levels)).max() < 1  # no flicker


LIMIT = 4_000_000  # bytes, of five seconds of 720p
BUSY = "Neon city street in heavy rain at night, handheld"


def test_a_busy_second_of_720p_takes_its_share_of_4_mb(tmp_path):
    path = tmp_path / "clip.mp4"
    draw_clip(spec(BUSY, width=1280, height=720, sound=True), path)
    assert 200_000 < path.stat().st_size < LIMIT / 5


def test_no_picture_however_busy_takes_more_than_4_mb_for_5_s_of_720p(tmp_path):
    """The encoder's limit goes by the pixel: a sixteenth of the frame has a sixteenth of the bytes."""
    dice = np.random.default_rng(1)
    size, rows, columns = (320, 180), 180, 320
    noise = [dice.integers(16, 235, (rows * 2, columns * 2), np.uint8) for _ in range(7)]
    grey = np.full((rows // 2, columns // 2), 128, np.uint8)

    def frame(number: int):
        top, left = dice.integers(0, rows), dice.integers(0, columns)
        return noise[number % 7][top : top + rows, left : left + columns], grey, grey

    path = tmp_path / "noise.mp4"
    write(path, map(frame, range(5 * 24)), size=size, fps=24)
    assert LIMIT / 40 < path.stat().st_size < LIMIT / 16


def test_memory_does_not_grow_with_the_duration():
    def peak(seconds: int) -> int:
        wanted = spec("city", seconds=seconds, fps=12, camera_type="simple", camera_axes={"pan": 5})
        tracemalloc.start()
        for _ in frames(wanted, [read_scene("city")]):
            pass
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    assert peak(8) < 1.3 * peak(2)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "\0\0\0",
        "e" + "\u0301" * 2499,
        "\u202eمدينة في الليل\u202c",
        "🦊🌲🌙✨" * 300,
        "一只狐狸在雪中的森林里",
        "\ud800",
        "%s{}[](*?+\\" * 200,
        "夕暮れの海",
    ],
)
def test_any_text_gives_a_scene(tmp_path, prompt):
    reel = shoot(spec(prompt, fps=4, negative_prompt=prompt), tmp_path)
    assert len(reel.grey) == 4
    assert reel.grey[0].std() > 8


def test_a_file_in_the_way_is_replaced(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_text("old")
    draw_clip(spec(fps=2), path)
    assert boxes(path)[0] == "ftyp"
