"""Where clips lie, and the processes that draw them, away from the one that answers."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from kling.sandbox.contract import MODELS
from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.rules import mode_of
from kling.sandbox.store import Store, Task

_ATTEMPTS = 2
_WORKERS = 2 if (os.cpu_count() or 1) >= 4 else 1
_SHORT_TINY = 72
# A clip that takes longer than this, and this again for each of its seconds, must not keep others waiting. It
# is ten times what the slowest one takes on an idle machine.
_PATIENCE = 60.0
_KEEP_SECONDS = 31 * 24 * 3600

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """The folder of the clips.

    Args:
        folder: exists.
        style: `drawn`, a clip of its own for each task, or `tiny`, one small clip for all tasks of the
            same length, shape and sound.
    """

    folder: Path
    style: str

    def path(self, task: Task, *, watermark: bool = False) -> Path:
        """Return where a task's clip lies once it is drawn."""
        if self.style == "drawn":
            return self.folder / f"{task.task_id}{'-watermark' if watermark else ''}.mp4"
        spec = self.spec(task)
        size = f"{spec.width}x{spec.height}"
        return self.folder / f"tiny-{size}-{spec.fps}-{spec.seconds}-{spec.sound}.mp4"

    def find(self, task: Task, *, watermark: bool = False) -> Path | None:
        """Return a task's clip if it is there, also one that an earlier run drew in the other style."""
        for style in (self.style, *({"drawn", "tiny"} - {self.style})):
            path = replace(self, style=style).path(task, watermark=watermark)
            if path.exists():
                return path
        return None

    def spec(self, task: Task, *, watermark: bool = False) -> RenderSpec:
        """Return what to draw for a task."""
        request, fault = task.request, task.clip_fault
        short = mode_of(request)["short_side"] if self.style == "drawn" else _SHORT_TINY
        aspect_ratio = request["aspect_ratio"]
        if fault == "wrong-aspect":
            aspect_ratio = "16:9" if aspect_ratio == "1:1" else "1:1"
        width, height = frame_size(aspect_ratio, short)
        if fault == "wrong-size":
            width, height = width // 4 * 2, height // 4 * 2
        shots = _shots(request)
        if fault == "wrong-duration":
            shots = (*shots, Shot(prompt="", seconds=1))
        fps = MODELS[request["model_name"]]["fps"]
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
        )

    def jobs(self, task: Task) -> list[dict[str, Any]]:
        """Return what a worker is told, one job for each file of a task that is still missing."""
        marks = (False, True) if task.watermarked else (False,)
        wanted = {self.path(task, watermark=mark): mark for mark in marks}
        return [
            {"style": self.style, "path": str(path), "spec": asdict(self.spec(task, watermark=mark))}
            for path, mark in wanted.items()
            if not path.exists()
        ]

    def tidy(self) -> None:
        """Delete what was half drawn and, as Kling does after 30 days (S1), what is old."""
        for path in self.folder.glob("*.mp4"):
            old = time.time() - path.stat().st_mtime > _KEEP_SECONDS
            if path.name.startswith("drawing-") or (self.style == "drawn" and old):
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all clips."""
        for path in self.folder.glob("*.mp4"):
            path.unlink(missing_ok=True)


def frame_size(aspect_ratio: str, short_side: int) -> tuple[int, int]:
    """Return width and height in pixels: the mode gives the short side."""
    across, down = map(int, aspect_ratio.split(":"))
    scale = short_side / min(across, down)
    return round(across * scale), round(down * scale)


def _shots(request: Any) -> tuple[Shot, ...]:
    if request["multi_shot"] and request.get("shot_type") == "customize":
        board = sorted(request["multi_prompt"], key=lambda shot: int(shot["index"]))
        return tuple(Shot(prompt=shot["prompt"], seconds=int(shot["duration"])) for shot in board)
    return (Shot(prompt=request["prompt"], seconds=int(request["duration"])),)


class RenderQueue:
    """The workers, and what they draw next: whatever the store has without a clip, the oldest first.

    A clip whose drawing was cut by a restart is therefore drawn again.

    Args:
        store: of the tasks.
        clips: where they go.
        clock: the sandbox's time in ms.
    """

    def __init__(self, store: Store, clips: Clips, clock: Callable[[], int]) -> None:
        self._store = store
        self._clips = clips
        self._clock = clock
        self._wake = asyncio.Condition()
        self._at_work: set[str] = set()
        self._painters: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the workers; they get their libraries ready at once, so that the first clip is quick."""
        self._clips.tidy()
        self._painters = [asyncio.create_task(self._paint()) for _ in range(_WORKERS)]

    async def stop(self) -> None:
        """Stop the workers; a clip in the making is dropped."""
        for painter in self._painters:
            painter.cancel()
        await asyncio.gather(*self._painters, return_exceptions=True)

    async def wake(self) -> None:
        """Say that there may be something to draw."""
        async with self._wake:
            self._wake.notify_all()

    async def _paint(self) -> None:
        worker = Worker()
        try:
            with suppress(OSError):  # told when there is something to draw
                await worker.start()
            while True:
                async with self._wake:
                    task = self._store.undrawn(frozenset(self._at_work))
                    if task is None:
                        await self._wake.wait()
                        continue
                    self._at_work.add(task.task_id)
                try:
                    await self._draw(worker, task)
                finally:
                    self._at_work.discard(task.task_id)
        finally:
            await worker.stop()

    async def _draw(self, worker: Worker, task: Task) -> None:
        problem = ""
        for _ in range(_ATTEMPTS):
            try:
                problems = [await worker.draw(job) for job in self._clips.jobs(task)]
            except TimeoutError as error:  # a second try would take as long
                problem = str(error)
                break
            problem = "; ".join(filter(None, problems))
            if not problem:
                break
        if problem:
            log.error("task %s could not be drawn: %s", task.task_id, problem)
            self._store.mark_failed(task.task_id, "The sandbox could not draw this clip", self._clock())
        elif not self._store.mark_ready(task.task_id, self._clock()) and self._clips.style == "drawn":
            for mark in (False, True):  # forgotten while it was drawn
                self._clips.path(task, watermark=mark).unlink(missing_ok=True)


class Worker:
    """One process that draws. It ends when its pipe ends, however its parent died.

    Args:
        patience: seconds that a clip may take, and again for each of its own seconds.
    """

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        """Start the process, unless it runs."""
        if self._process is None or self._process.returncode is not None:
            found = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kling.sandbox.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))},
            )
        return self._process

    async def draw(self, job: dict[str, Any]) -> str:
        """Draw one clip and return what went wrong, or an empty text.

        Raises:
            TimeoutError: it took too long; the process that drew it is ended.
        """
        limit = self._patience * (1 + sum(shot["seconds"] for shot in job["spec"]["shots"]))
        try:
            answer = await asyncio.wait_for(self._ask(json.dumps(job).encode() + b"\n"), limit)
        except TimeoutError:
            await self.stop()
            raise TimeoutError(f"it was not drawn within {limit:.0f} s") from None
        if answer.endswith(b"\n"):
            return str(json.loads(answer)["problem"])
        await self.stop()  # so that the next try starts another one
        return "the worker ended before it had drawn the clip"

    async def _ask(self, line: bytes) -> bytes:
        with suppress(OSError):
            process = await self.start()
            if process.stdin and process.stdout:
                process.stdin.write(line)
                await process.stdin.drain()
                return await process.stdout.readline()
        return b""

    async def stop(self) -> None:
        """End the process."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
