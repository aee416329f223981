"""`python -m kling.sandbox.renderer camera|cut|poster FILE`: draws one small file from JSON on stdin.

camera  {"type": "simple", "config": {"tilt": 4}, "size": [320, 180], "seconds": 3} as a silent MP4
cut     {"shots": [{"prompt": "a fox", "seconds": 3}], "negative_prompt": "", "size": [320, 180]} likewise
poster  {"prompts": ["a fox"], "negative_prompt": "", "aspect_ratio": "16:9"} as a JPEG of 320 by 180 pixels

The file appears only when it is complete. The process runs at low priority, and ends itself after 60 s.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageFilter

from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.renderer import draw_camera_preview, draw_clip

NICE = 10
PATIENCE = 60  # seconds; the text above says it, too
CUT_FPS = 12
POSTER = (320, 180)
POSTER_BYTES = 15_000
BACKDROP = 0.5  # brightness of what fills the sides of an upright poster

Spec = Mapping[str, Any]


def camera(spec: Spec, path: Path) -> None:
    """Draw a camera move."""
    size = _size(spec)
    draw_camera_preview(
        spec["type"], spec.get("config") or {}, path, seconds=spec.get("seconds", 3), size=size
    )


def cut(spec: Spec, path: Path) -> None:
    """Draw shots one after another, with few frames a second: enough to show where the cut is."""
    shots = tuple(Shot(prompt=shot["prompt"], seconds=shot["seconds"]) for shot in spec["shots"])
    draw_clip(_order(shots, _size(spec), spec.get("negative_prompt", ""), CUT_FPS), path)


def poster(spec: Spec, path: Path) -> None:
    """Draw one picture; up to three prompts are shown in it side by side."""
    prompts = spec["prompts"][:3]
    ratio = spec.get("aspect_ratio", "16:9") if len(prompts) == 1 else "16:9"
    across, down = map(int, ratio.split(":"))
    height = POSTER[1] * 2
    size = (round(height * across / down / len(prompts) / 2) * 2, height)
    stills = [_still(prompt, spec.get("negative_prompt", ""), size) for prompt in prompts]
    _save(_framed(_side_by_side(stills)), path)


DRAWINGS: dict[str, Callable[[Spec, Path], None]] = {"camera": camera, "cut": cut, "poster": poster}


def _size(spec: Spec) -> tuple[int, int]:
    width, height = spec.get("size", POSTER)
    return width, height


def _order(shots: tuple[Shot, ...], size: tuple[int, int], negative_prompt: str, fps: int) -> RenderSpec:
    return RenderSpec(
        seed="preview",
        model_name="preview",
        mode="cut",
        width=size[0],
        height=size[1],
        fps=fps,
        shots=shots,
        negative_prompt=negative_prompt,
    )


def _still(prompt: str, negative_prompt: str, size: tuple[int, int]) -> Image.Image:
    """Return the frame in the middle of a short clip."""
    with tempfile.TemporaryDirectory(prefix="kling-poster-") as folder:
        path = Path(folder) / "clip.mp4"
        draw_clip(_order((Shot(prompt=prompt, seconds=2),), size, negative_prompt, CUT_FPS), path)
        with av.open(str(path)) as clip:
            frame = next(islice(clip.decode(video=0), CUT_FPS, None))
            return Image.fromarray(frame.to_ndarray(format="rgb24"))


def _side_by_side(stills: list[Image.Image]) -> Image.Image:
    width, height = stills[0].size
    strip = Image.new("RGB", (width * len(stills), height), "white")
    for number, still in enumerate(stills):
        gap = 2 if number else 0
        strip.paste(still.crop((gap, 0, width, height)), (number * width + gap, 0))
    return strip


def _framed(picture: Image.Image) -> Image.Image:
    """Return a picture in the poster's size. A narrower one gets its own blurred copy as a background."""
    height = POSTER[1]
    small = picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.LANCZOS)
    if abs(small.width - POSTER[0]) <= 2:
        return small.resize(POSTER)
    wide = picture.resize((POSTER[0], round(picture.height * POSTER[0] / picture.width)))
    top = (wide.height - height) // 2
    backdrop = wide.crop((0, top, POSTER[0], top + height)).filter(ImageFilter.GaussianBlur(12))
    backdrop = backdrop.point(lambda light: int(light * BACKDROP))
    backdrop.paste(small, ((POSTER[0] - small.width) // 2, 0))
    return backdrop


def _save(picture: Image.Image, path: Path) -> None:
    content = io.BytesIO()
    for quality in (72, 62, 52, 42):
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=quality, optimize=True, progressive=True)
        if content.tell() < POSTER_BYTES:
            break
    path.write_bytes(content.getvalue())


def main(arguments: list[str] | None = None) -> int:
    """Draw the file that the command line and stdin describe; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kling.sandbox.renderer", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=sorted(DRAWINGS))
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    if hasattr(os, "nice"):
        os.nice(max(0, NICE - os.nice(0)))
    if hasattr(signal, "alarm"):
        signal.alarm(PATIENCE)
    half = options.file.with_name(f".{os.getpid()}-{options.file.name}")
    try:
        DRAWINGS[options.kind](json.load(sys.stdin), half)
        half.replace(options.file)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        sys.stderr.write(f"{options.kind} cannot be drawn: {type(error).__name__}: {error}\n")
        return 1
    finally:
        half.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
