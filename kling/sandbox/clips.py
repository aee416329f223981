"""The folder of the clips: which file belongs to a task, and what has to be drawn into it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kling.sandbox.contract import ALL_MODELS, VIDEO_TO_AUDIO
from kling.sandbox.pictures import references
from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.rules import mode_of
from kling.sandbox.task import Task

_TINY_SHORT_SIDE = 72  # pixels
_KEEP_SECONDS = 31 * 24 * 3600
SOUNDS = ("mp3", "wav")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """The folder of the clips.

    Args:
        folder: an existing folder.
        style: `drawn`: each task has a clip of its own; `tiny`: all tasks of the same length, shape and sound
            share one small clip.
    """

    folder: Path
    style: str

    def path(self, task: Task, *, watermark: bool = False) -> Path:
        """Return the path that a task's clip has once it is drawn."""
        if self.style == "drawn":
            return self.folder / f"{task.task_id}{'-watermark' if watermark else ''}.mp4"
        spec = self.spec(task)
        size = f"{spec.width}x{spec.height}"
        kind = "tiny-dubbed" if task.endpoint == VIDEO_TO_AUDIO else "tiny"  # it has files of its sound
        return self.folder / f"{kind}-{size}-{spec.fps}-{spec.seconds}-{spec.sound}.mp4"

    def sound(self, task: Task, kind: str) -> Path:
        """Return the path that the sound of a task of video-to-audio has once it is drawn.

        Args:
            task: the task.
            kind: `mp3` or `wav`.
        """
        return self.path(task).with_suffix(f".{kind}")

    def find_sound(self, task: Task, kind: str) -> Path | None:
        """Return the path of a task's sound, also in the style of an earlier run, or None."""
        clip = self.find(task) if task.endpoint == VIDEO_TO_AUDIO else None
        path = clip.with_suffix(f".{kind}") if clip else None
        return path if path and path.exists() else None

    def find(self, task: Task, *, watermark: bool = False) -> Path | None:
        """Return the path of a task's clip, also one that an earlier run drew in the other style, or None."""
        for style in (self.style, *({"drawn", "tiny"} - {self.style})):
            path = replace(self, style=style).path(task, watermark=watermark)
            if path.exists():
                return path
        return None

    def spec(self, task: Task, *, watermark: bool = False) -> RenderSpec:
        """Return what has to be drawn for a task, with the fault that its clip must have."""
        request, fault = _seen(task.request), task.clip_fault
        short = mode_of(request)["short_side"] if self.style == "drawn" else _TINY_SHORT_SIDE
        aspect_ratio = "{}:{}".format(*request["frame"]) if "frame" in request else request["aspect_ratio"]
        if fault == "wrong-aspect":
            across, down = aspect_ratio.split(":")
            aspect_ratio = "16:9" if across == down else "1:1"
        width, height = frame_size(aspect_ratio, short)
        if fault == "wrong-size":
            width, height = width // 4 * 2, height // 4 * 2
        shots = _shots(request)
        if fault == "wrong-duration":
            shots = (*shots, Shot(prompt="", seconds=1))
        fps = ALL_MODELS[request["model_name"]]["fps"]
        sound = request["sound"] == "on"
        if fault in {"no-sound", "unexpected-sound"}:
            sound = fault == "unexpected-sound"
        camera = request.get("camera_control", {})
        return RenderSpec(
            seed=task.task_id,
            model_name=request["model_name"],
            mode=request["mode"],
            width=width,
            height=height,
            fps=fps // 2 if fault == "wrong-fps" else fps,
            shots=shots,
            negative_prompt=request.get("negative_prompt", ""),
            sound=sound,
            camera_type=camera.get("type"),
            camera_axes=camera.get("config", {}),
            watermark=watermark,
            picture=request.get("image", ""),
            last_picture=request.get("image_tail", ""),
            sound_prompt=request.get("sound_prompt", ""),
        )

    def jobs(self, task: Task) -> list[dict[str, Any]]:
        """Return the jobs for a render worker: one for each file of a task that is missing."""
        marks = (False, True) if task.watermarked else (False,)
        wanted = {self.path(task, watermark=mark): mark for mark in marks}
        jobs: list[dict[str, Any]] = [
            {"style": self.style, "path": str(path), "spec": asdict(self.spec(task, watermark=mark))}
            for path, mark in wanted.items()
            if not path.exists()
        ]
        if task.endpoint == VIDEO_TO_AUDIO:
            sounds = [str(self.sound(task, kind)) for kind in SOUNDS]
            jobs = [job | {"source": self._source(task), "sounds": sounds} for job in jobs]
        return jobs

    def pictures(self, task: Task) -> dict[str, Path]:
        """Return the files for the pictures of a task while its clip is drawn, by their references."""
        names = [one for one in references(task.request) if one.startswith("sha256:")]
        return {one: self.folder / f"picture-{task.task_id}-{number}" for number, one in enumerate(names)}

    def _source(self, task: Task) -> str:
        """Return the path of the clip for which a task makes sound, or an empty text if it is not there."""
        source = self.folder / f"{task.request.get('source', '')}.mp4"
        return str(source) if task.request.get("source") and source.exists() else ""

    def tidy(self) -> None:
        """Delete files that are half drawn and, as Kling does after 30 days (S1), files that are old."""
        for path in (*self.folder.glob("*.*"), *self.folder.glob("picture-*")):
            old = time.time() - path.stat().st_mtime > _KEEP_SECONDS
            if path.name.startswith(("drawing-", "picture-")) or (self.style == "drawn" and old):
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all clips and sounds."""
        for kind in ("mp4", *SOUNDS):
            for path in self.folder.glob(f"*.{kind}"):
                path.unlink(missing_ok=True)


def frame_size(aspect_ratio: str, short_side: int) -> tuple[int, int]:
    """Return the width and the height in pixels, both even.

    Args:
        aspect_ratio: such as `16:9`, or the sides of a picture in pixels.
        short_side: pixels of the shorter side; the mode decides it.
    """
    across, down = map(int, aspect_ratio.split(":"))
    scale = short_side / min(across, down)
    return round(across * scale / 2) * 2, round(down * scale / 2) * 2


def _seen(request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a task's request; of a task of video-to-audio that of its video, with sound and its words."""
    if "source_model" not in request:
        return request
    words = [request.get("sound_effect_prompt", ""), request.get("bgm_prompt", "")]
    video = {"model_name": request["source_model"], "prompt": request.get("source_prompt", "")}
    return dict(request) | video | {"sound": "on", "multi_shot": False, "sound_prompt": ". ".join(words)}


def _shots(request: Any) -> tuple[Shot, ...]:
    if request["multi_shot"] and request.get("shot_type") == "customize":
        board = sorted(request["multi_prompt"], key=lambda shot: int(shot["index"]))
        return tuple(Shot(prompt=shot["prompt"], seconds=int(shot["duration"])) for shot in board)
    return (Shot(prompt=request["prompt"], seconds=int(request["duration"])),)
