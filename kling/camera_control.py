"""The field `camera_control`: a movement of the camera, its rules, and its JSON in both directions (S1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kling.problems import Problem, listed
from kling.request_body import MOST_PARTS, Reader

CAMERA_TYPES = ("simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward")
CAMERA_AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
CAMERA_LIMIT = 10  # of the value of an axis, in both directions
_FIELDS = ("type", "config")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraControl:
    """A camera movement. An axis that does not move is left out, so that equal movements are equal.

    Args:
        type: `simple`, or one of four presets that take no config.
        config: with `simple`, the six axes by name, each in [-10, 10], exactly one of them not zero.
    """

    type: str
    config: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        moving = {axis: value for axis, value in self.config.items() if value or axis not in CAMERA_AXES}
        object.__setattr__(self, "config", moving)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object that the API takes: all six axes with `simple`, no config otherwise."""
        still = dict.fromkeys(CAMERA_AXES, 0) if self.type == "simple" else {}
        config = {**still, **self.config}
        return {"type": self.type, "config": config} if config else {"type": self.type}

    def problems(self) -> Iterator[Problem]:
        """Yield each rule that the movement breaks, whatever the model."""
        for message in self._broken():
            yield Problem("camera_control", message)

    def _broken(self) -> Iterator[str]:
        if self.type not in CAMERA_TYPES:
            yield f"The type of camera movement is {listed(CAMERA_TYPES)}."
        if self.type != "simple":
            if self.type in CAMERA_TYPES and self.config:
                yield f"The movement {self.type} takes no values of its own."
            return
        if unknown := set(self.config) - set(CAMERA_AXES):
            yield f"There is no axis {min(unknown)[:40]!r}: use {listed(CAMERA_AXES)}."
        if not all(abs(value) <= CAMERA_LIMIT for value in self.config.values()):  # also refuses NaN
            yield f"Each axis lies between -{CAMERA_LIMIT} and {CAMERA_LIMIT}."
        if sum(value != 0 for value in self.config.values()) != 1:
            yield "Set exactly one axis to a value other than 0."


def read_camera(body: Reader) -> CameraControl | None:
    """Return the movement of the field `camera_control`, None if it names none.

    The official page says that the config of a preset is "None".
    """
    camera = body.inner("camera_control", _FIELDS)
    if not camera.fields:
        return None
    named = camera.fields.get("config")
    axes = tuple(named) if isinstance(named, dict) else ()
    if len(axes) > MOST_PARTS:
        camera.refuse("config", f"has to name at most {len(CAMERA_AXES)} axes.")
        axes = ()
    config = Reader(None, ()) if named == "None" else camera.inner("config", axes)
    values = {axis: config.number(axis) for axis in axes}
    return CameraControl(
        type=camera.text("type"), config={axis: value for axis, value in values.items() if value is not None}
    )
