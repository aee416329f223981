"""A clip from a RenderSpec: its shots one after another, each a scene and a camera."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.renderer.camera import Pose, path_from_control, path_from_words, pose_at
from kling.sandbox.renderer.canvas import Canvas
from kling.sandbox.renderer.film import dub, write
from kling.sandbox.renderer.grade import Grade
from kling.sandbox.renderer.label import apply_stamp, stamps_of, without_label
from kling.sandbox.renderer.layers import Layer, Mirror, Planes, View, compose
from kling.sandbox.renderer.picture import last_piece, picture_path, picture_pieces, read_picture
from kling.sandbox.renderer.prompt_reader import Scene, read_scene
from kling.sandbox.renderer.scale import Bytes, fit, resize
from kling.sandbox.renderer.scene import plan
from kling.sandbox.renderer.sound import soundscape

# Pairs: the short side in pixels from which it holds, the share of the size at which the frame is painted.
PAINTED = ((1440, 1 / 2), (1000, 2 / 3), (600, 3 / 4))
MARGIN = 6  # pixels around the part that the camera shows


def draw_clip(spec: RenderSpec, path: Path) -> None:
    """Draws `spec` into one MP4 at `path`.

    Args:
        spec: what to draw. The same spec always gives the same clip.
        path: where the file is written; whatever is there is replaced.
    """
    scenes = [read_scene(shot.prompt, spec.negative_prompt) for shot in spec.shots]
    loud = read_scene(spec.sound_prompt, spec.negative_prompt) if spec.sound_prompt else scenes[0]
    write(
        path,
        frames(spec, scenes),
        size=(spec.width, spec.height),
        fps=spec.fps,
        sound=_sound(spec, loud) if spec.sound else None,
    )


def draw_sound(spec: RenderSpec, source: Path, path: Path) -> None:
    """Writes the pictures of a clip and a sound for it into one MP4.

    Args:
        spec: of the clip; `sound_prompt` has the words for the sound.
        source: the clip; its own sound is left out.
        path: where the file is written; whatever is there is replaced.
    """
    scene = read_scene(spec.sound_prompt or spec.shots[0].prompt, spec.negative_prompt)
    dub(source, path, _sound(spec, scene))


def draw_camera_preview(
    camera_type: str,
    camera_axes: Mapping[str, float],
    path: Path,
    *,
    seconds: int = 3,
    size: tuple[int, int] = (320, 180),
) -> None:
    """Shows a camera move in a small silent clip.

    Args:
        camera_type: `simple` or one of the four presets.
        camera_axes: the axes of `simple`, by name.
        path: where the file is written.
        seconds: how long the move takes.
        size: width and height, both even.
    """
    spec = RenderSpec(
        seed="preview",
        model_name="camera",
        mode=camera_type,
        width=size[0],
        height=size[1],
        fps=24,
        shots=(Shot(prompt="mountain lake at sunset", seconds=seconds),),
        camera_type=camera_type,
        camera_axes=camera_axes,
    )
    draw_clip(spec, path)


def seed_of(*parts: str) -> int:
    """A number made from texts; the same texts give the same number on every machine."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()[:6])


def _sound(spec: RenderSpec, scene: Scene) -> Iterator[np.typing.NDArray[np.float32]]:
    air = {"rain": 0.6, "storm": 0.7, "snow": 0.3, "fog": 0.2}.get(
        scene.weather, 0.5 if scene.place in {"sea", "beach", "waterfall"} else 0.12
    )
    return soundscape(
        spec.seconds, mood=scene.mood, air=air, noise=np.random.default_rng(seed_of(spec.seed, "sound"))
    )


def frames(spec: RenderSpec, scenes: list[Scene]) -> Iterator[Planes]:
    """Yields every frame of the clip. The arrays of a frame are overwritten by the next one."""
    marks = stamps_of(spec)
    grade = Grade(_stage_size(spec.width, spec.height), seed_of(spec.seed, "grain"))
    for number, (shot, scene) in enumerate(zip(spec.shots, scenes, strict=True)):
        first = spec.picture if number == 0 else ""
        last = spec.last_picture if number == len(spec.shots) - 1 else ""
        seed = seed_of(spec.seed, str(number))
        if first or last:
            made = _framed_shot(spec, shot, scene, (first, last), seed)
        else:
            path = path_from_control(spec.camera_type, spec.camera_axes) or path_from_words(scene.camera)
            made = map(grade, _shot(spec, shot, scene, path, seed))
        for planes in made:
            graded = _enlarged(planes, spec.width, spec.height)
            for mark in marks:
                apply_stamp(mark, graded)
            yield graded


def _stage_size(width: int, height: int) -> tuple[int, int]:
    """The size at which a frame is painted. Large frames are painted smaller and enlarged, to save time."""
    share = next((share for short, share in PAINTED if min(width, height) >= short), 1.0)
    return round(width * share / 2) * 2, round(height * share / 2) * 2


def _enlarged(planes: Planes, width: int, height: int) -> Planes:
    y, u, v = planes
    half = width // 2, height // 2
    return resize(y, width, height), resize(u, *half), resize(v, *half)


def _shot(spec: RenderSpec, shot: Shot, scene: Scene, path: tuple[Pose, ...], seed: int) -> Iterator[Planes]:
    frame = _stage_size(spec.width, spec.height)
    unit = float(min(frame))
    count = shot.seconds * spec.fps
    poses = [pose_at(path, number / max(1, count - 1)) for number in range(count)]
    views = [_view(each, frame, unit) for each in poses]
    layers = [
        piece.paint(_canvas(views, frame, piece.depth, (piece.reach[0] * unit, piece.reach[1] * unit)))
        for piece in plan(scene, seed, frame, shot.seconds)
    ]
    yield from _roll_film(layers, poses, views, frame, spec.fps)


def _framed_shot(
    spec: RenderSpec, shot: Shot, scene: Scene, pictures: tuple[str, str], seed: int
) -> Iterator[Planes]:
    """A shot that begins or ends with a picture. It is not graded, so that it shows the picture as it is."""
    first, last = pictures
    # Full size up to 1080p: in a chain of clips each one would else be less sharp than the one before.
    large = min(spec.width, spec.height) >= PAINTED[0][0]
    frame = _stage_size(spec.width, spec.height) if large else (spec.width, spec.height)
    path = picture_path(scene.camera, returns=bool(last))
    count = shot.seconds * spec.fps
    poses = [pose_at(path, number / max(1, count - 1)) for number in range(count)]
    unit = float(min(frame))
    views = [_view(each, frame, unit) for each in poses]
    pieces = (
        picture_pieces(_bare(spec, first, frame), seed) if first else plan(scene, seed, frame, shot.seconds)
    )
    if last:
        pieces = [*pieces, last_piece(_bare(spec, last, frame), shot.seconds, seed)]
    layers = [
        piece.paint(_canvas(views, frame, piece.depth, (piece.reach[0] * unit, piece.reach[1] * unit)))
        for piece in pieces
    ]
    yield from _roll_film(layers, poses, views, frame, spec.fps)


def _bare(spec: RenderSpec, path: str, frame: tuple[int, int]) -> Bytes:
    """A picture at the size of the frame, without the label that an earlier clip has put on it."""
    return without_label(read_picture(Path(path), frame), replace(spec, width=frame[0], height=frame[1]))


def _roll_film(
    layers: list[Layer | Mirror], poses: list[Pose], views: list[View], frame: tuple[int, int], fps: int
) -> Iterator[Planes]:
    stage: Planes | None = None
    for number, (each, view) in enumerate(zip(poses, views, strict=True)):
        if stage is None or stage[0].shape != (view.height, view.width):
            stage = _blank(view.width, view.height)
        compose(layers, view, number / fps, stage)
        if each.zoom == 1 and each.roll == 0:
            yield stage
        else:
            yield _lens(stage, each, frame)


def _blank(width: int, height: int) -> Planes:
    half = (height // 2, width // 2)
    return np.zeros((height, width), np.uint8), np.zeros(half, np.uint8), np.zeros(half, np.uint8)


def _view(each: Pose, frame: tuple[int, int], unit: float) -> View:
    """The view for a pose: the frame itself, or a larger part of the scene for a zoomed or rolled camera."""
    width, height = frame
    centre = (width / 2, height / 2)
    x, y = each.pan * unit, -each.tilt * unit
    at = (each.x * unit, each.y * unit, each.z)
    if each.zoom == 1 and each.roll == 0:
        return View(x, y, width, height, centre, at)
    turn = math.radians(each.roll)
    c, s = abs(math.cos(turn)), abs(math.sin(turn))
    # only sizes that scale to whole pixels: otherwise a zoom would jitter
    wide, _ = fit(math.ceil((width * c + height * s) * each.zoom) + 4, 1 / each.zoom, step=4)
    high, _ = fit(math.ceil((width * s + height * c) * each.zoom) + 4, 1 / each.zoom, step=4)
    return View(centre[0] + x - wide / 2, centre[1] + y - high / 2, wide, high, centre, at)


def _lens(stage: Planes, each: Pose, frame: tuple[int, int]) -> Planes:
    """Scales and turns the composed view into the frame."""
    turn = math.radians(each.roll)
    c, s = math.cos(turn), math.sin(turn)
    made = []
    for index, plane in enumerate(stage):
        half = 2 if index else 1
        width, height = frame[0] // half, frame[1] // half
        high, wide = (round(side / each.zoom / 2) * 2 for side in plane.shape)
        seen = resize(plane, wide, high)
        cx, cy = wide / 2, high / 2
        if each.roll == 0:
            left, top = (wide - width) // 2, (high - height) // 2
            made.append(seen[top : top + height, left : left + width])
            continue
        matrix = (c, -s, cx - c * width / 2 + s * height / 2, s, c, cy - s * width / 2 - c * height / 2)
        image = Image.fromarray(seen).transform(
            (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR
        )
        made.append(np.array(image))
    return made[0], made[1], made[2]


def _canvas(views: list[View], frame: tuple[int, int], depth: float, reach: tuple[float, float]) -> Canvas:
    """The canvas for a layer: the part of it that any view shows, plus its own movement (`reach`)."""
    lefts, tops, rights, bottoms = [], [], [], []
    for view in views:
        scale, dx, dy = view.projection(depth)
        cx, cy = view.centre
        left = (view.left - cx - dx) / scale + cx
        top = (view.top - cy - dy) / scale + cy
        lefts.append(left)
        tops.append(top)
        rights.append(left + view.width / scale)
        bottoms.append(top + view.height / scale)
    left = min(lefts) - max(0.0, reach[0]) - MARGIN
    top = min(tops) - max(0.0, reach[1]) - MARGIN
    right = max(rights) - min(0.0, reach[0]) + MARGIN
    bottom = max(bottoms) - min(0.0, reach[1]) + MARGIN
    left, top = math.floor(left / 2) * 2, math.floor(top / 2) * 2
    return Canvas(left, top, math.ceil((right - left) / 2) * 2, math.ceil((bottom - top) / 2) * 2, frame)
