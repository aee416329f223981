"""What a clip costs, and what it costs the pages: `python tests/benchmarks/draw.py [PART ...]`.

clips    seconds of work for each second of clip, whole against encoding the same frames, already drawn
presets  the same for the four presets of the camera, at 720p
memory   the most memory of a process that draws 2 s and 10 s of 720p
rerun    a small change on Compose while two clips are drawn, against the same at rest (aim: 1.5 at most)

Times are those of a clock on the wall. Whole includes the reading of the prompt, painting and the file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kling.sandbox.render_spec import RenderSpec, Shot  # noqa: E402
from kling.sandbox.renderer import draw_clip  # noqa: E402
from kling.sandbox.renderer.camera import PRESETS  # noqa: E402
from kling.sandbox.renderer.clip import frames  # noqa: E402
from kling.sandbox.renderer.film import write  # noqa: E402
from kling.sandbox.renderer.prompt_reader import read_scene  # noqa: E402

PROMPTS = (
    "Mountain lake at sunset",
    "A red fox walking through a snowy forest at dawn",
    "Neon city in the rain",
)
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
AIMS = {"720p": " (aim: 1.0)", "1080p": " (aim: 2.5)"}
BLOCKS, CHANGES = 5, 12  # of changes on Compose, at rest and while clips are drawn


def spec_of(prompt: str, size: str, seconds: int, preset: str | None = None) -> RenderSpec:
    width, height = SIZES.get(size, (320, 180))
    return RenderSpec(
        seed="7", model_name="kling-v2-6", mode="pro", width=width, height=height, fps=24,
        shots=(Shot(prompt=prompt, seconds=seconds),), camera_type=preset,
    )  # fmt: skip


def measure(folder: Path, prompt: str, size: str, seconds: int = 5, preset: str | None = None) -> str:
    """Draw a clip, then encode its frames again; say what both took."""
    spec, path = spec_of(prompt, size, seconds, preset), folder / "clip.mp4"
    start = time.perf_counter()
    draw_clip(spec, path)
    whole, weight = time.perf_counter() - start, path.stat().st_size / 1e6
    drawn = [(y.copy(), u.copy(), v.copy()) for y, u, v in frames(spec, [read_scene(prompt)])]
    start = time.perf_counter()
    write(path, drawn, size=(spec.width, spec.height), fps=spec.fps)
    encode = time.perf_counter() - start
    return (
        f"{whole / seconds:5.2f} s for each second, {whole / encode:4.1f} times encoding alone "
        f"({encode / seconds:4.2f} s), {weight / seconds * 5:4.1f} MB for 5 s"
    )


def clips(folder: Path) -> None:
    for size in SIZES:
        for prompt in PROMPTS:
            line = measure(folder, prompt, size, 2 if size == "4k" else 5)
            print(f"{size:>6} {prompt[:24]:<24} {line}{AIMS.get(size, '')}")


def presets(folder: Path) -> None:
    for preset in PRESETS:
        print(f"  720p {preset:<24} {measure(folder, PROMPTS[0], '720p', preset=preset)}")


def most_memory(seconds: int) -> float:
    """Draw a clip; return the megabytes that this process, which has done nothing else, ever held."""
    with tempfile.TemporaryDirectory() as folder:
        draw_clip(spec_of(PROMPTS[0], "720p", seconds), Path(folder) / "clip.mp4")
    # Not by getrusage: that goes on from the process that started this one.
    line = Path("/proc/self/status").read_text(encoding="ascii")
    return int(line.split("VmHWM:")[1].split()[0]) / 1024


def memory(_folder: Path) -> None:
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        short, long = processes.map(most_memory, (2, 10))
    print(f"memory {short:.0f} MB for 2 s, {long:.0f} MB for 10 s: {long / short:.2f} times")


@contextmanager
def two_workers(folder: Path) -> Iterator[None]:
    """Two of the sandbox's own processes, each drawing one clip after another."""
    workers = []
    for number in range(2):
        worker = subprocess.Popen(
            [sys.executable, "-m", "kling.sandbox.worker"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        workers.append(worker)
        path = str(folder / f"{number}.mp4")
        jobs = [spec_of(PROMPTS[0], "", 1), *(spec_of(prompt, "720p", 10) for prompt in PROMPTS * 4)]
        lines = [json.dumps({"style": "drawn", "path": path, "spec": asdict(job)}) for job in jobs]
        assert worker.stdin
        worker.stdin.write("\n".join(lines) + "\n")
        worker.stdin.flush()
    try:
        for worker in workers:
            assert worker.stdout
            worker.stdout.readline()  # the first, small one is done: the next is on its way
        yield
        assert all(worker.poll() is None for worker in workers)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def rerun(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    from tests.benchmarks.compose import WARM_UP, middle, opened
    from tests.e2e.chromium import BROWSER, QUIET

    rest: list[float] = []
    busy: list[float] = []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as browser,
        opened(browser, folder / "studio", ROOT / "app.py") as side,
    ):
        for _ in range(WARM_UP):
            side.change()
        for _ in range(BLOCKS):  # in turn, so that a slower machine is slower for both
            rest += [side.change() for _ in range(CHANGES)]
            with two_workers(folder):
                busy += [side.change() for _ in range(CHANGES)]
    ratio = statistics.median(busy) / statistics.median(rest)
    print(
        f" rerun {middle(busy, '.0f')} ms while two clips are drawn, {middle(rest, '.0f')} ms at rest:",
        end="",
    )
    print(f" {ratio:.2f} times (aim: 1.5 at most); {side.lost} changes were not followed within 5 s")


def main() -> None:
    parts = {"clips": clips, "presets": presets, "memory": memory, "rerun": rerun}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*parts, []], metavar="PART", default=[])
    chosen = parser.parse_args().parts or parts
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), PROMPTS[0], "warm", 1)
        for part in chosen:
            parts[part](Path(folder))
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
