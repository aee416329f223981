"""What the renderer is asked to draw: the line between the engine, which decides, and `draw`, which draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a clip: its words and its whole seconds."""

    prompt: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSpec:
    """Everything that decides how a clip looks.

    Args:
        seed: the task's id. The same order always gives the same clip; another seed gives another take.
        model_name: as ordered; shown in the label only.
        mode: `std`, `pro` or `4k`; shown in the label only.
        width, height: of the frame, in pixels, both even.
        fps: frames per second.
        shots: at least one. Their seconds add up to the clip's duration; there is a cut between two shots.
        negative_prompt: what should not be seen.
        sound: whether the file has a stereo AAC track. Without sound it has no audio track at all.
        camera_type: `simple` or one of Kling's four presets, or None for the model's own choice.
        camera_axes: with `simple`, Kling's six axes by name, each in [-10, 10].
        watermark: whether this file carries the watermark (the second file of a task that asked for one).
    """

    seed: str
    model_name: str
    mode: str
    width: int
    height: int
    fps: int
    shots: tuple[Shot, ...]
    negative_prompt: str = ""
    sound: bool = False
    camera_type: str | None = None
    camera_axes: Mapping[str, float] = field(default_factory=dict)
    watermark: bool = False

    @property
    def seconds(self) -> int:
        """The clip's duration in seconds."""
        return sum(shot.seconds for shot in self.shots)
