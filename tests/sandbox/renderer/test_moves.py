"""Where the picture goes when the camera moves, measured on the frames of decoded files.

The page of the API says what a camera does: it moves right with a positive `horizontal`, looks up with a
positive `tilt`, rolls clockwise with a positive `roll`, sees more with a positive `zoom`. What stands in the
frame moves the other way. A piece of one frame is found again in another: where it lies, how large it is.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.sandbox.renderer.reel import Frames, Part, likeness, shoot, slid, spec

WIDTH, HEIGHT = 192, 108
FAR = (slice(38, 64), slice(104, 150))  # mountains
NEAR = (slice(49, 84), slice(74, 100))  # a telephone box, ten times nearer
MIDDLE = (slice(34, 74), slice(62, 130))
SCALES = np.geomspace(0.6, 1.7, 43)


def turned(frame: Frames, degrees: float, scale: float) -> Frames:
    """A frame turned counterclockwise and scaled around its middle."""
    image = Image.fromarray(frame).rotate(degrees, Image.Resampling.BILINEAR)
    wide, high = WIDTH / scale / 2, HEIGHT / scale / 2
    box = (WIDTH / 2 - wide, HEIGHT / 2 - high, WIDTH / 2 + wide, HEIGHT / 2 + high)
    smooth = Image.Resampling.BILINEAR
    return np.asarray(image.transform((WIDTH, HEIGHT), Image.Transform.EXTENT, box, smooth))


def scale_of(first: Frames, last: Frames, part: Part = MIDDLE) -> float:
    """How much larger a part of the first frame is in the last one, wherever it is there."""
    found = [likeness(turned(first, 0, scale)[part].astype(float), last.astype(float))[0] for scale in SCALES]
    assert max(found) > 0.6
    return float(SCALES[int(np.argmax(found))])


def angle_of(first: Frames, last: Frames) -> int:
    """By how many degrees the first frame has turned counterclockwise."""
    angles = range(-34, 35)
    wanted = last[MIDDLE].astype(float)
    return max(angles, key=lambda angle: likeness(wanted, turned(first, angle, 1)[MIDDLE].astype(float))[0])


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The frames of a move, drawn once: five, so that one of them is in the middle."""
    drawn = {}

    def take(camera_type, **axes):
        key = camera_type, *axes.items()
        if key not in drawn:
            wanted = spec(
                "a red telephone box before mountains at noon",
                width=WIDTH,
                height=HEIGHT,
                fps=5,
                camera_type=camera_type,
                camera_axes=axes,
            )
            drawn[key] = shoot(wanted, tmp_path_factory.mktemp("move")).grey
        return drawn[key]

    return take


@pytest.fixture(scope="module")
def measured(film):
    """What an axis does, measured where it shows best: positive as the API's page says."""

    def measure(axis, value):
        frames = film("simple", **{axis: value})
        first, last = frames[0], frames[-1]
        match axis:
            case "roll":
                return angle_of(first, last)
            case "zoom":
                return -100 * np.log(scale_of(first, last))
        right, down = slid(first, last, NEAR if axis in {"horizontal", "vertical"} else FAR)
        return -right if axis in {"horizontal", "pan"} else down

    return measure


AXES = ["horizontal", "vertical", "pan", "tilt", "roll", "zoom"]


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_moves_the_camera_the_way_its_sign_says(measured, axis):
    assert measured(axis, 4) >= 4
    assert measured(axis, -4) <= -4


@pytest.mark.parametrize("axis", AXES)
def test_2_4_and_8_move_in_proportion(measured, axis):
    two, four, eight = (measured(axis, value) for value in (2, 4, 8))
    assert 0 < two < four < eight
    assert eight == pytest.approx(4 * two, rel=0.35)


@pytest.mark.parametrize("axis", ["horizontal", "vertical"])
def test_what_is_near_moves_further_when_the_camera_is_moved(film, axis):
    frames = film("simple", **{axis: 8})
    near, far = (max(map(abs, slid(frames[0], frames[-1], part))) for part in (NEAR, FAR))
    assert near > 4 * far > 0


@pytest.mark.parametrize("axis", ["pan", "tilt"])
def test_everything_moves_alike_when_the_camera_only_turns(film, axis):
    frames = film("simple", **{axis: 4})
    near, far = (slid(frames[0], frames[-1], part) for part in (NEAR, FAR))
    assert np.abs(np.subtract(near, far)).max() <= 1


def test_down_back_sinks_and_draws_back(film):
    frames = film("down_back")
    assert scale_of(frames[0], frames[-1], NEAR) < 0.9
    assert slid(frames[0], frames[-1], FAR)[1] <= 0


def test_forward_up_goes_on_and_looks_up(film):
    frames = film("forward_up")
    assert scale_of(frames[0], frames[-1], NEAR) > 1.1
    assert slid(frames[0], frames[-1], FAR)[1] > 8


@pytest.mark.parametrize(("preset", "sign"), [("right_turn_forward", 1), ("left_turn_forward", -1)])
def test_a_turn_comes_first_and_then_the_way_forward(film, preset, sign):
    frames = film(preset)
    half = len(frames) // 2
    assert slid(frames[0], frames[half], FAR)[0] * sign < -25
    assert scale_of(frames[0], frames[half], NEAR) == pytest.approx(1, abs=0.05)
    assert abs(slid(frames[half], frames[-1], FAR)[0]) < 6
    assert scale_of(frames[0], frames[-1], NEAR) > 1.1
