"""Camera moves: Kling's six axes and four presets, as positions of a camera over time.

When the camera moves, the picture moves the other way: a camera that pans right shows more of the right side,
and everything on the screen slides to the left. When it rolls clockwise, the world turns counterclockwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera stands and looks. Lengths are in units of the frame's shorter side.

    Args:
        x, y, z: the camera's position: to the right, up, forward.
        pan, tilt: its direction: to the right, up; as the distance that the picture slides.
        roll: degrees, clockwise.
        zoom: the width of the field of view: 1 at rest, larger shows more.
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    pan: float = 0.0
    tilt: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0


REST = Pose()
DRIFT = Pose(x=0.10)
FULL = 10.0  # the largest value of an axis

# The pose at the end of a move along each of Kling's axes; `share` is its value divided by FULL.
AXES = {
    "horizontal": lambda share: Pose(x=1.1 * share),
    "vertical": lambda share: Pose(y=0.7 * share),
    "pan": lambda share: Pose(pan=0.6 * share),
    "tilt": lambda share: Pose(tilt=0.4 * share),
    "roll": lambda share: Pose(roll=30.0 * share),
    "zoom": lambda share: Pose(zoom=1.6**share),
}
# The change of pose by each move that a prompt can name; a usual move has a force of 1.
MOVES = {
    "push": lambda force: Pose(z=0.55 * force),
    "pull": lambda force: Pose(z=-0.75 * force),
    # An orbit turns towards a point at a distance of 3.
    "orbit_left": lambda force: Pose(x=-0.75 * force, pan=0.25 * force),
    "orbit_right": lambda force: Pose(x=0.75 * force, pan=-0.25 * force),
} | {
    word: lambda force, axis=axis, half=half: AXES[axis](half * force)
    for word, axis, half in (
        ("left", "horizontal", -0.5),
        ("right", "horizontal", 0.5),
        ("sink", "vertical", -0.5),
        ("rise", "vertical", 0.5),
        ("pan_left", "pan", -0.5),
        ("pan_right", "pan", 0.5),
        ("tilt_down", "tilt", -0.5),
        ("tilt_up", "tilt", 0.5),
        ("roll_left", "roll", -0.5),
        ("roll_right", "roll", 0.5),
        ("zoom_in", "zoom", -0.5),
        ("zoom_out", "zoom", 0.5),
    )
}
FORCES = {"slow": 0.4, "fast": 1.6}
WHIPS = {"whip_left": Pose(pan=-0.8), "whip_right": Pose(pan=0.8)}
SLANT = Pose(roll=9.0)
# A camera in a shaking hand: pan and tilt, one pose after another.
SHAKE = (
    (0.000, 0.000), (0.014, 0.006), (-0.008, 0.012), (0.010, -0.007), (-0.014, -0.003), (0.004, 0.010),
    (0.015, -0.006), (-0.006, 0.004), (0.009, 0.011), (-0.012, -0.008), (0.003, 0.003),
)  # fmt: skip

Leg = tuple[tuple[str, str], ...]
PRESETS: dict[str, tuple[Leg, ...]] = {
    "down_back": ((("pull", ""), ("sink", "")),),
    "forward_up": ((("push", ""), ("tilt_up", "")),),
    "right_turn_forward": ((("pan_right", ""),), (("push", ""),)),
    "left_turn_forward": ((("pan_left", ""),), (("push", ""),)),
}


def path_from_words(legs: tuple[Leg, ...]) -> tuple[Pose, ...]:
    """The poses of the camera move that a prompt asks for; a slow drift if it asks for none.

    Args:
        legs: the parts of the move, one after another. Each has one or more names out of `MOVES` that happen
            at once, each with `slow`, `fast` or an empty text.
    """
    if not legs:
        return (REST, DRIFT)
    word = legs[0][0][0]
    if word == "still":
        return (REST, REST)
    if word == "slant":
        return (SLANT, SLANT)
    if word == "hand":
        return tuple(Pose(pan=pan, tilt=tilt) for pan, tilt in SHAKE)
    if word in WHIPS:  # the move itself takes a fifth of the shot
        return (REST, REST, REST, WHIPS[word], WHIPS[word], WHIPS[word])
    path = [REST]
    for leg in legs:
        end = path[-1]
        for name, force in leg:
            if name in MOVES:
                end = _and(end, MOVES[name](FORCES.get(force, 1.0)))
        path.append(end)
    return tuple(path)


def path_from_control(camera_type: str | None, axes: Mapping[str, float]) -> tuple[Pose, ...] | None:
    """The poses of a camera control, from rest to the end; None if it leaves the move to the prompt.

    Args:
        camera_type: `simple`, a preset, or None.
        axes: the values of `simple` by axis; values beyond [-10, 10] count as the nearest of these.
    """
    if camera_type in PRESETS:
        return path_from_words(PRESETS[camera_type])
    if camera_type == "simple":
        end = REST
        for axis, value in axes.items():
            if value and axis in AXES:
                end = _and(end, AXES[axis](max(-FULL, min(FULL, value)) / FULL))
        return (REST, end)
    return None


def _and(one: Pose, other: Pose) -> Pose:
    """The pose after two moves at once."""
    added = {name: getattr(one, name) + getattr(other, name) for name in Pose.__slots__}
    return Pose(**added | {"zoom": one.zoom * other.zoom})


def pose_at(path: tuple[Pose, ...], progress: float) -> Pose:
    """The pose after a share (0..1) of the shot. The camera moves slowly near each pose of the path."""
    legs = len(path) - 1
    leg = min(int(progress * legs), legs - 1)
    u = progress * legs - leg
    eased = u * u * (3 - 2 * u)
    start, end = path[leg], path[leg + 1]
    return Pose(
        *(
            getattr(start, name) + (getattr(end, name) - getattr(start, name)) * eased
            for name in Pose.__slots__
        )
    )
