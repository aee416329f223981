"""Camera moves: Kling's six axes and four presets, as positions of a camera over time.

The camera moves, so the picture moves the other way: a camera that pans right shows what lies to the
right, and everything on the screen slides left. A camera rolling clockwise sees the world turn the other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera stands and looks. Lengths are in units of the frame's shorter side.

    Args:
        x, y, z: to the right, up, forward.
        pan, tilt: to the right, up; as the distance that the picture slides.
        roll: degrees, clockwise.
        zoom: width of the field of view, 1 at rest; larger shows more.
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

# The end of each move at its full value, where it starts at rest.
AXES = {
    "horizontal": lambda share: Pose(x=1.1 * share),
    "vertical": lambda share: Pose(y=0.7 * share),
    "pan": lambda share: Pose(pan=0.6 * share),
    "tilt": lambda share: Pose(tilt=0.4 * share),
    "roll": lambda share: Pose(roll=30.0 * share),
    "zoom": lambda share: Pose(zoom=1.6**share),
}
PRESETS = {
    "down_back": (Pose(y=-0.30, z=-0.75),),
    "forward_up": (Pose(z=0.55, tilt=0.14),),
    "right_turn_forward": (Pose(pan=0.35), Pose(pan=0.35, z=0.55)),
    "left_turn_forward": (Pose(pan=-0.35), Pose(pan=-0.35, z=0.55)),
}
# The same from plain words in a prompt, gentler.
WORDS = {
    # By the lens: to move every layer nearer takes five times as long, and is for who orders it.
    "push": Pose(zoom=0.76),
    "pull": Pose(zoom=1.28),
    "zoom_in": Pose(zoom=0.72),
    "zoom_out": Pose(zoom=1.35),
    "pan_left": Pose(pan=-0.35),
    "pan_right": Pose(pan=0.35),
    "tilt_up": Pose(tilt=0.22),
    "tilt_down": Pose(tilt=-0.22),
    "left": Pose(x=-0.55),
    "right": Pose(x=0.55),
    "rise": Pose(y=0.35),
    "sink": Pose(y=-0.35),
    "roll": Pose(roll=14.0),
    "still": REST,
}


def spoken(word: str) -> tuple[Pose, ...]:
    """The move that a prompt's words ask for; without any, a quiet drift."""
    return (REST, WORDS.get(word, DRIFT))


def waypoints(camera_type: str | None, axes: Mapping[str, float]) -> tuple[Pose, ...] | None:
    """The poses an order asks for, from rest to the end, or None where it leaves the camera to us."""
    if camera_type in PRESETS:
        return (REST, *PRESETS[camera_type])
    if camera_type == "simple":
        end = REST
        for axis, value in axes.items():
            if value and axis in AXES:
                moved = AXES[axis](max(-FULL, min(FULL, value)) / FULL)
                end = replace(
                    end,
                    **{
                        name: getattr(moved, name)
                        for name in moved.__slots__
                        if getattr(moved, name) != getattr(REST, name)
                    },
                )
        return (REST, end)
    return None


def pose(path: tuple[Pose, ...], progress: float) -> Pose:
    """The pose after a share of the shot, eased in and out of every waypoint."""
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
