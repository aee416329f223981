"""A film is its clips without a gap: measured on the frames and samples that a player decodes."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.films.join_clips import CannotJoin, Part, join, main, starts_of
from tests.studio.clips import zeroed
from tests.studio.films.reels import RATE, SIZE, clicks_at, packets, reel, shown, tone

FRAME = 1 / 24


def three(folder: Path, **about) -> list[Path]:
    """Return three clips of a second; each begins with the frame that the one before ends with."""
    return [reel(folder / f"{number}.mp4", first=23 * number, **about) for number in range(3)]


# -- pictures ------------------------------------------------------------------------------------------------


def test_pictures_of_one_form_are_copied_bit_by_bit(tmp_path: Path):
    clips = three(tmp_path)
    facts = join(clips, tmp_path / "film.mp4")
    assert facts["copied"] is True
    assert packets(tmp_path / "film.mp4") == [packet for clip in clips for packet in packets(clip)]


def test_frames_follow_each_other_evenly_and_the_shared_one_is_seen_once(tmp_path: Path):
    join(three(tmp_path), tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    assert film.bars == [*range(24), *range(23, 47), *range(46, 70)]
    seen = [after - before for before, after in pairwise(film.times)]
    shared = [number for number, (a, b) in enumerate(pairwise(film.bars)) if a == b]
    assert shared == [23, 47]
    assert all(seen[number] < 0.0001 for number in shared)
    assert all(abs(each - FRAME) < 0.0001 for number, each in enumerate(seen) if number not in shared)
    for time, bar in zip(film.times, film.bars, strict=True):
        assert abs(time - bar * FRAME) < 0.0002


def test_clips_of_different_forms_are_encoded_once_in_the_largest_size_and_at_the_highest_rate(
    tmp_path: Path,
):
    small = reel(tmp_path / "small.mp4", frames=24)
    large = reel(tmp_path / "large.mp4", first=0, frames=30, rate=30, size=(640, 360))
    facts = join([small, large], tmp_path / "film.mp4")
    assert (facts["copied"], facts["width"], facts["height"]) == (False, 640, 360)
    film = shown(tmp_path / "film.mp4")
    assert all(abs(b - a - 1 / 30) < 0.0001 for a, b in pairwise(film.times))
    assert facts["seconds"] == pytest.approx(1 - FRAME + 1)
    assert len(film.times) == round(facts["seconds"] * 30)
    first = [bar for time, bar in zip(film.times, film.bars, strict=True) if time < 1 - FRAME - 0.001]
    assert first == [2 * min(int((time + 0.0104) * 24), 23) for time in np.arange(len(first)) / 30]


def test_a_clip_of_another_shape_stands_between_black_bars(tmp_path: Path):
    wide = reel(tmp_path / "wide.mp4")
    tall = reel(tmp_path / "tall.mp4", size=(180, 320))
    join([wide, tall], tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    assert frames[0].shape == (180, 320)
    assert frames[-1][:, :100].max() < 8  # black
    assert abs(int(np.median(frames[-1][:, 115:205])) - 40) < 8  # the background of the clip


@pytest.mark.parametrize(
    "other",
    [
        {"crf": "12", "bf": "0"},
        {"codec": "mpeg4"},
        {"rate": Fraction(30000, 1001)},
        {"x264-params": "colormatrix=bt709"},
    ],
)
def test_what_a_player_could_not_go_on_with_is_never_copied(tmp_path: Path, other):
    facts = join([reel(tmp_path / "a.mp4"), reel(tmp_path / "b.mp4", **other)], tmp_path / "film.mp4")
    assert facts["copied"] is False
    film = shown(tmp_path / "film.mp4")
    assert len(set(np.round(np.diff(film.times), 3))) <= 2


def test_rates_that_are_no_whole_numbers_do_not_drift(tmp_path: Path):
    rate = Fraction(24000, 1001)
    clips = [reel(tmp_path / f"{number}.mp4", first=23 * number, rate=rate) for number in range(3)]
    facts = join(clips, tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    assert facts["copied"] is True
    assert all(abs(time - bar / rate) < 0.0003 for time, bar in zip(film.times, film.bars, strict=True))


def test_times_that_were_rounded_do_not_make_an_odd_rate(tmp_path: Path):
    even = reel(tmp_path / "even.mp4", ticks=1000)
    uneven = reel(tmp_path / "uneven.mp4", ticks=90)  # by up to 6 ms
    assert join([even, even], tmp_path / "film.mp4")["copied"] is True
    facts = join([even, uneven], tmp_path / "film.mp4")
    assert facts["copied"] is False
    film = shown(tmp_path / "film.mp4")
    assert all(abs(b - a - FRAME) < 0.0001 for a, b in pairwise(film.times))


def test_a_film_can_begin_to_play_before_it_is_loaded(tmp_path: Path):
    join(three(tmp_path, sound=tone(440)), tmp_path / "film.mp4")
    content = (tmp_path / "film.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_how_much_is_done_grows_to_all_of_it(tmp_path: Path):
    for later in ("3", "0"):  # copied, and encoded
        shares: list[float] = []
        clips = [reel(tmp_path / "a.mp4"), reel(tmp_path / "b.mp4", bf=later)]
        join(clips, tmp_path / "film.mp4", shares.append)
        assert shares == sorted(shares)
        assert shares[0] < 0.1
        assert shares[-1] == pytest.approx(1, abs=0.05)


def test_a_film_of_one_clip_is_that_clip(tmp_path: Path):
    clip = reel(tmp_path / "clip.mp4", sound=tone(440))
    assert join([clip], tmp_path / "film.mp4")["copied"] is True
    assert packets(tmp_path / "film.mp4") == packets(clip)


# -- sound ---------------------------------------------------------------------------------------------------


def jump(samples) -> float:
    """Return the largest step between two samples, which one hears as a click."""
    return float(np.abs(np.diff(samples)).max())


def test_the_sound_has_no_jump_and_no_hole_between_two_clips(tmp_path: Path):
    """The same tone in each clip begins anew, in another phase: cut, it would jump by up to 0.6."""
    facts = join(three(tmp_path, sound=tone(443.7)), tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    usual = jump(film.heard(0.3, 0.6))
    for start in facts["starts"][1:]:
        assert jump(film.heard(start - 0.1, start + 0.1)) < 1.6 * usual
        loud = [
            float(np.abs(film.heard(at, at + 0.005)).max())
            for at in np.arange(start - 0.05, start + 0.05, 0.005)
        ]
        assert min(loud) > 0.15  # of 0.3


def test_sounds_that_only_meet_at_the_cut_pass_into_each_other(tmp_path: Path):
    loud = reel(tmp_path / "loud.mp4", sound=tone(300, 0.8))
    other = reel(tmp_path / "other.mp4", first=23, sound=tone(2000, 0.2))
    facts = join([loud, other], tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    start = facts["starts"][1]
    usual = max(jump(film.heard(0.3, 0.6)), jump(film.heard(start + 0.3, start + 0.6)))
    assert jump(film.heard(start - 0.1, start + 0.1)) < 1.5 * usual


def test_sound_stays_with_its_pictures_to_the_millisecond(tmp_path: Path):
    clips = three(tmp_path, sound=clicks_at(0.25, 0.75))
    facts = join(clips, tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    for start in facts["starts"]:
        for at in (0.25, 0.75):
            around = np.abs(film.heard(start + at - 0.1, start + at + 0.1))
            middle = float(np.average(np.arange(around.size), weights=around**2)) / RATE
            assert abs(middle - 0.1) < 0.001


def test_sound_is_as_long_as_the_pictures(tmp_path: Path):
    for seconds in (0.9, 1.0, 1.2):  # of each clip's sound, whose pictures take 1 s
        facts = join(three(tmp_path, sound=tone(440), sound_seconds=seconds), tmp_path / "film.mp4")
        film = shown(tmp_path / "film.mp4")
        assert 0 <= film.samples.shape[1] / RATE - facts["seconds"] < 1024 / RATE  # one packet of the codec


def test_a_clip_without_sound_is_silent_and_the_others_keep_their_place(tmp_path: Path):
    loud = reel(tmp_path / "loud.mp4", sound=tone(440))
    silent = reel(tmp_path / "silent.mp4")
    facts = join([loud, silent, loud], tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    _, begin, end = facts["starts"]
    assert np.abs(film.heard(0.2, begin - 0.02)).max() > 0.25
    assert np.abs(film.heard(begin + 0.06, end - 0.06)).max() < 0.01
    assert np.abs(film.heard(end + 0.1, end + 0.9)).max() > 0.25
    usual = jump(film.heard(0.3, 0.6))
    assert jump(film.heard(begin - 0.1, end + 0.1)) < 1.5 * usual


def test_a_sound_that_ends_early_ends_without_a_click(tmp_path: Path):
    short = reel(tmp_path / "short.mp4", sound=tone(440), sound_seconds=0.7)
    join([short, short], tmp_path / "film.mp4")
    film = shown(tmp_path / "film.mp4")
    assert jump(film.heard(0.65, 0.9)) < 1.5 * jump(film.heard(0.3, 0.6))


@pytest.mark.parametrize(("rate", "layout"), [(44_100, "stereo"), (48_000, "mono"), (22_050, "mono")])
def test_sound_of_any_rate_keeps_its_pitch_and_loudness(tmp_path: Path, rate: int, layout: str):
    clips = three(tmp_path, sound=tone(440), sound_rate=rate, sound_layout=layout)
    join(clips, tmp_path / "film.mp4")
    heard = shown(tmp_path / "film.mp4").heard(0.2, 0.8)
    crossings = int((np.diff(np.signbit(heard)) != 0).sum()) / 2 / 0.6
    assert abs(crossings - 440) < 4
    before = shown(clips[0]).heard(0.2, 0.8)  # what the codec has left of it
    assert abs(np.abs(heard).max() - np.abs(before).max()) < 0.01


def test_clips_without_sound_make_a_film_without_it(tmp_path: Path):
    facts = join(three(tmp_path), tmp_path / "film.mp4")
    assert facts["sound"] is False
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert not container.streams.audio


# -- what makes no film --------------------------------------------------------------------------------------


def test_a_clip_of_one_frame_is_refused(tmp_path: Path):
    with pytest.raises(CannotJoin, match="too_short"):
        join([reel(tmp_path / "a.mp4"), reel(tmp_path / "b.mp4", frames=1)], tmp_path / "film.mp4")


def test_a_file_with_sound_alone_is_refused(tmp_path: Path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        track = container.add_stream("aac", rate=RATE, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, RATE), np.float32), format="fltp", layout="mono")
        block.sample_rate = RATE
        container.mux(track.encode(block))
        container.mux(track.encode())
    with pytest.raises(CannotJoin, match="no_video"):
        join([tmp_path / "a.mp4"], tmp_path / "film.mp4")


def test_a_clip_that_is_damaged_inside_is_joined_as_it_is(tmp_path: Path):
    """It was paid for, and a player shows what can be seen of it."""
    clips = three(tmp_path, sound=tone(440))
    clips[1].write_bytes(zeroed(clips[1].read_bytes(), 0.6))
    facts = join(clips, tmp_path / "film.mp4")
    assert facts["seconds"] == pytest.approx(3 - 2 * FRAME)


@given(
    st.lists(st.tuples(st.integers(2, 400), st.sampled_from([24, 25, 30, Fraction(24000, 1001)])), min_size=1)
)
def test_a_film_is_as_long_as_its_clips_without_the_shared_frames(clips):
    parts = [
        Part(
            Path("x"),
            None,
            *SIZE,
            Fraction(rate),
            frames,
            Fraction(0),
            frames / Fraction(rate),
            has_sound=False,
        )
        for frames, rate in clips
    ]
    starts = starts_of(parts)
    assert starts[0] == 0
    assert all(b > a for a, b in pairwise(starts))
    shared = sum(part.step for part in parts[:-1])
    assert starts[-1] + parts[-1].length == sum(part.length for part in parts) - shared


def test_a_full_disk_is_told_from_a_clip_that_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    clip = reel(tmp_path / "a.mp4")
    main(["/dev/full", str(tmp_path / "share"), str(clip)])
    assert json.loads(capsys.readouterr().out) == {"refused": "room"}
    main([str(tmp_path / "out"), str(tmp_path / "share"), str(tmp_path / "none.mp4")])
    assert json.loads(capsys.readouterr().out) == {"refused": "broken"}
