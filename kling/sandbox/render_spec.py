"""What a clip has to look like. The sandbox makes a RenderSpec from a task, and the renderer draws it.

The renderer knows nothing else about a task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a clip: its prompt, and its duration in whole seconds."""

    prompt: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSpec:
    """Everything that decides how a clip looks.

    Args:
        seed: the task's id. The same spec always gives the same clip; another seed gives another variant.
        model_name: of the task; it changes nothing in the picture.
        mode: `std`, `pro` or `4k`; it changes nothing in the picture.
        width: of the frame, in pixels, even.
        height: of the frame, in pixels, even.
        fps: frames per second.
        shots: at least one. Their seconds add up to the clip's duration; there is a cut between two shots.
        negative_prompt: names what must not be drawn.
        sound: whether the file has a stereo AAC track. Without sound it has no audio track at all.
        camera_type: `simple` or one of Kling's four presets; None: the prompt decides about the camera.
        camera_axes: with `simple`, Kling's six axes by name, each in [-10, 10].
        picture: the path of the picture with which the first shot begins, or empty. What is not there (a URL,
            which is not fetched) is drawn from the prompt.
        last_picture: the path of the picture with which the last shot ends, or empty.
        sound_prompt: words for the sound; empty: those of the first shot.
        watermark: whether the picture carries a watermark. A task that asks for one has two files, without
            and with it.
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
    picture: str = ""
    last_picture: str = ""
    sound_prompt: str = ""

    @property
    def seconds(self) -> int:
        """The clip's duration in seconds."""
        return sum(shot.seconds for shot in self.shots)
