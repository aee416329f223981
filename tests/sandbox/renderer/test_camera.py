"""Where the picture goes when the camera moves, measured on frames."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from kling.sandbox.renderer import draw_camera_preview
from kling.sandbox.renderer.camera import REST, path_from_control, path_from_words, pose_at
from kling.sandbox.renderer.clip import frames
from kling.sandbox.renderer.layers import View
from kling.sandbox.renderer.prompt_reader import Scene, read_scene
from tests.sandbox.renderer.reel import slid, spec

SIZE = (160, 96)
MIDDLE = (slice(40, 62), slice(60, 100))
SCENE = read_scene("mountains at noon, static camera")


def ends(camera_type: str | None, axes: dict[str, float], scene: Scene = SCENE):
    """The first and the last frame of one second, brightness only; no other frame is drawn."""
    wanted = spec("x", width=SIZE[0], height=SIZE[1], fps=2, camera_type=camera_type, camera_axes=axes)
    made = [planes[0].astype(float) for planes in frames(wanted, [scene])]
    return made[0], made[-1]


def error(one, other) -> float:
    return float(np.abs(one - other).mean())


@pytest.mark.parametrize(
    ("axis", "across", "down"),
    [("horizontal", -1, 0), ("pan", -1, 0), ("vertical", 0, 1), ("tilt", 0, 1)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_picture_slides_against_the_camera(axis, across, down, sign):
    first, last = ends("simple", {axis: 6 * sign})
    right, low = slid(first, last, MIDDLE)
    if across:
        assert right * across * sign > 2
        assert abs(low) <= 2
    else:
        assert low * down * sign > 1
        assert abs(right) <= 2


@pytest.mark.parametrize("axis", ["horizontal", "vertical", "pan", "tilt", "roll", "zoom"])
def test_2_4_and_8_move_more_and_more(axis):
    still = ends("simple", {axis: 0})[1]
    moved = []
    for value in (2, 4, 8):
        path = path_from_control("simple", {axis: value})
        assert path is not None
        end = pose_at(path, 1)
        moved.append(sum(abs(getattr(end, name) - getattr(REST, name)) for name in end.__slots__))
    assert moved[1] == pytest.approx(2 * moved[0], rel=0.15)
    assert moved[2] == pytest.approx(4 * moved[0], rel=0.3)
    assert error(ends("simple", {axis: 8})[1], still) > error(ends("simple", {axis: 2})[1], still)


def test_translation_has_parallax_and_rotation_has_none():
    def shift(end, depth: float) -> float:
        at = (end.x * 100, end.y * 100, end.z)
        _, dx, _ = View(end.pan * 100, 0, 160, 96, (80, 48), at).projection(depth)
        return float(dx - end.pan * 100)

    paths = {axis: path_from_control("simple", {axis: 8}) for axis in ("horizontal", "pan")}
    moved = {
        axis: [shift(pose_at(path, 1), depth) for depth in (2.0, 20.0)]
        for axis, path in paths.items()
        if path
    }
    assert moved["horizontal"][0] == pytest.approx(10 * moved["horizontal"][1])
    assert moved["pan"][0] == moved["pan"][1]


def test_a_clockwise_roll_turns_the_world_counterclockwise():
    for sign in (1, -1):
        first, last = ends("simple", {"roll": 5 * sign})
        left, right = (
            slid(first, last, (slice(36, 60), slice(16, 46)), least=0.3),
            slid(first, last, (slice(36, 60), slice(114, 144)), least=0.3),
        )
        # the left edge goes down, the right one up
        assert (left[1] - right[1]) * sign > 8


def test_positive_zoom_is_a_wider_view():
    usual = ends("simple", {"zoom": 0})[1]

    def within(one, other) -> float:
        """How well the first frame's middle, enlarged, shows what the second one does."""
        middle = one[24:72, 40:120].astype(np.uint8)
        large = np.asarray(Image.fromarray(middle).resize(SIZE, Image.Resampling.BILINEAR), float)
        return error(large[8:80], other[8:80])

    near = ends("simple", {"zoom": -10})[1]
    wide = ends("simple", {"zoom": 10})[1]
    assert within(usual, near) < within(near, usual)
    assert within(wide, usual) < within(usual, wide)


def test_moves_are_eased_in_and_out():
    path = path_from_control("simple", {"horizontal": 10})
    assert path is not None
    steps = np.diff([pose_at(path, at / 24).x for at in range(25)])
    assert steps[0] < steps[12] / 4
    assert steps[-1] < steps[12] / 4
    assert (steps > 0).all()


@pytest.mark.parametrize(
    ("preset", "signs"),
    [
        ("down_back", {"y": -1, "z": -1}),
        ("forward_up", {"z": 1, "tilt": 1}),
        ("right_turn_forward", {"pan": 1, "z": 1}),
        ("left_turn_forward", {"pan": -1, "z": 1}),
    ],
)
def test_presets_move_as_documented(preset, signs):
    path = path_from_control(preset, {})
    assert path is not None
    end = pose_at(path, 1)
    moved = {name: np.sign(getattr(end, name) - getattr(REST, name)) for name in end.__slots__}
    assert {name: sign for name, sign in moved.items() if sign} == signs
    first, last = ends(preset, {})
    assert error(first, last) > 5


@pytest.mark.parametrize("preset", ["right_turn_forward", "left_turn_forward"])
def test_a_turn_comes_before_the_way_forward(preset):
    path = path_from_control(preset, {})
    assert path is not None
    half = pose_at(path, 0.5)
    assert half.z == 0
    assert half.pan != 0


def changes_of(path) -> list[dict[str, int]]:
    """What changes on each leg of a path, and its sign."""
    steps = [{name: getattr(each, name) for name in each.__slots__} for each in path]
    return [
        {name: int(np.sign(after[name] - before[name])) for name in before if after[name] != before[name]}
        for before, after in pairwise(steps)
    ]


@pytest.mark.parametrize(
    ("words", "legs"),
    [
        ("slow dolly in on a violinist", [{"z": 1}]),
        ("dolly out", [{"z": -1}]),
        ("slow push in", [{"z": 1}]),
        ("The camera slowly pulls back to reveal the city", [{"z": -1}]),
        ("crane up over the roofs", [{"y": 1}]),
        ("pedestal down", [{"y": -1}]),
        ("truck left along the shops", [{"x": -1}]),
        ("tracking shot of a cyclist", [{"x": 1}]),
        ("the camera orbits the statue", [{"x": 1, "pan": -1}]),
        ("orbit left", [{"x": -1, "pan": 1}]),
        ("whip pan", [{}, {}, {"pan": 1}, {}, {}]),
        ("whip pan left", [{}, {}, {"pan": -1}, {}, {}]),
        ("the camera pans left", [{"pan": -1}]),
        ("tilt down from the sky", [{"tilt": -1}]),
        ("Tilt up to the sky", [{"tilt": 1}]),
        ("zoom in on the tree", [{"zoom": -1}]),
        ("fast zoom out", [{"zoom": 1}]),
        ("dutch roll", [{"roll": 1}]),
        ("static shot of a lake", [{}]),
        ("locked-off shot, waves roll in", [{}]),
        ("a forest, no camera movement", [{}]),
        ("The camera pans left and tilts up. Then it zooms out.", [{"pan": -1, "tilt": 1}, {"zoom": 1}]),
        ("a quiet afternoon", [{"x": 1}]),
        ("the sun rises over rolling hills", [{"x": 1}]),
        ("a lake, no zoom in", [{"x": 1}]),
    ],
)
def test_plain_words_move_the_camera(words, legs):
    assert changes_of(path_from_words(read_scene(words).camera)) == legs


def test_a_preview_of_a_move_takes_less_than_two_seconds(tmp_path):
    draw_camera_preview("simple", {"roll": 10}, tmp_path / "warm.mp4", seconds=1, size=(64, 36))
    start = time.thread_time()
    draw_camera_preview("simple", {"roll": 10}, tmp_path / "move.mp4")
    assert time.thread_time() - start < 2
