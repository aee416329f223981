"""Seconds of work for each second of clip, against encoding alone: `python tests/benchmarks/draw.py`."""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from kling.sandbox.draw import draw_clip
from kling.sandbox.draw.clip import frames
from kling.sandbox.draw.film import write
from kling.sandbox.draw.words import read
from kling.sandbox.order import Order, Shot

PROMPTS = (
    "Mountain lake at sunset",
    "A red fox walking through a snowy forest at dawn",
    "Neon city in the rain",
)
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}


def wish(prompt: str, size: tuple[int, int], seconds: int) -> Order:
    return Order(
        seed="7", model_name="kling-v2-6", mode="pro", width=size[0], height=size[1], fps=24,
        shots=(Shot(prompt=prompt, seconds=seconds),),
    )  # fmt: skip


def measure(name: str, size: tuple[int, int], prompt: str, seconds: int, folder: Path) -> None:
    order, path = wish(prompt, size, seconds), folder / "clip.mp4"
    start = time.perf_counter()
    draw_clip(order, path)
    whole, weight = time.perf_counter() - start, path.stat().st_size / 1e6
    drawn = [tuple(p.copy() for p in planes) for planes in frames(order, [read(prompt)])]
    start = time.perf_counter()
    write(path, drawn, size=size, fps=24)  # type: ignore[arg-type]
    encode = time.perf_counter() - start
    print(
        f"{name:>6} {prompt[:28]:<28} {whole / seconds:5.2f} s of work a second, "
        f"{whole / encode:4.1f} times encoding alone, {weight / seconds * 5:4.1f} MB for 5 s"
    )


def memory(seconds: int) -> float:
    order = wish(PROMPTS[0], SIZES["720p"], seconds)
    tracemalloc.start()
    for _ in frames(order, [read(PROMPTS[0])]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        measure("warm", (320, 180), PROMPTS[0], 1, Path(folder))
        for name, size in SIZES.items():
            for prompt in PROMPTS if name == "720p" else PROMPTS[:1]:
                measure(name, size, prompt, {"4k": 2}.get(name, 5), Path(folder))
    short, long = memory(2), memory(10)
    print(f"memory: {short:.0f} MB for 2 s, {long:.0f} MB for 10 s, {long / short:.2f} times")


if __name__ == "__main__":
    main()
