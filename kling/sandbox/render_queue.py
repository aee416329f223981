"""The queue of clips that have to be drawn, and the processes that draw them.

Drawing takes seconds of full work, so it does not run in the process that answers requests.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kling.sandbox.clips import Clips
from kling.sandbox.store import Store
from kling.sandbox.task import Task

_ATTEMPTS = 2
_WORKERS = 2 if (os.cpu_count() or 1) >= 4 else 1
# Seconds that a clip may take, and again for each of its own seconds; then its worker is ended, so that other
# clips do not wait. It is ten times what the slowest clip takes on an idle machine.
_TIMEOUT = 60.0

log = logging.getLogger(__name__)


class RenderQueue:
    """Draws the clips of all tasks in the store that have none, the oldest task first.

    The store itself is the queue, so a clip that was being drawn when the sandbox stopped is drawn after the
    next start.

    Args:
        store: the tasks.
        clips: the folder into which clips are drawn.
        clock: returns the sandbox's time in ms.
    """

    def __init__(self, store: Store, clips: Clips, clock: Callable[[], int]) -> None:
        self._store = store
        self._clips = clips
        self._clock = clock
        self._wake = asyncio.Condition()
        self._drawing: set[str] = set()  # task_ids
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start the workers. They load their libraries at once, so that the first clip is drawn soon."""
        self._clips.tidy()
        self._loops = [asyncio.create_task(self._draw_all()) for _ in range(_WORKERS)]

    async def stop(self) -> None:
        """Stop the workers; a clip that is half drawn is given up."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def wake(self) -> None:
        """Look for tasks without a clip at once: there may be a new one."""
        async with self._wake:
            self._wake.notify_all()

    async def _draw_all(self) -> None:
        worker = RenderWorker()
        try:
            with suppress(OSError):  # if it cannot start now, the first clip that it must draw says so
                await worker.start()
            while True:
                async with self._wake:
                    task = self._store.undrawn(frozenset(self._drawing))
                    if task is None:
                        await self._wake.wait()
                        continue
                    self._drawing.add(task.task_id)
                try:
                    await self._draw(worker, task)
                finally:
                    self._drawing.discard(task.task_id)
        finally:
            await worker.stop()

    async def _draw(self, worker: RenderWorker, task: Task) -> None:
        problem = ""
        pictures = self._clips.pictures(task)
        jobs = [_with_pictures(job, pictures) for job in self._clips.jobs(task)]
        for reference, content in self._store.pictures(task.task_id).items() if jobs else ():
            pictures[reference].write_bytes(content)
        for _ in range(_ATTEMPTS):
            try:
                problems = [await worker.draw(job) for job in jobs]
            except TimeoutError as error:  # no second try: it would take as long
                problem = str(error)
                break
            problem = "; ".join(filter(None, problems))
            if not problem:
                break
        for path in pictures.values():
            path.unlink(missing_ok=True)
        if problem:
            log.error("task %s could not be drawn: %s", task.task_id, problem)
            self._store.mark_failed(task.task_id, "The sandbox could not draw this clip", self._clock())
        elif not self._store.mark_ready(task.task_id, self._clock()) and self._clips.style == "drawn":
            for mark in (False, True):  # the task was deleted by a reset while its clip was drawn
                self._clips.path(task, watermark=mark).unlink(missing_ok=True)


class RenderWorker:
    """One process that draws clips (worker.py). It ends when the pipe to it ends, however its parent died.

    Args:
        timeout: seconds that a clip may take, and again for each of its own seconds.
    """

    def __init__(self, timeout: float = _TIMEOUT) -> None:
        self._timeout = timeout
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        """Start the process, unless it is running, and return it."""
        if self._process is None or self._process.returncode is not None:
            found = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "kling.sandbox.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=_without_keys() | {"PYTHONPATH": os.pathsep.join(filter(None, found))},
            )
        return self._process

    async def draw(self, job: dict[str, Any]) -> str:
        """Draw one clip; return what went wrong, or an empty text.

        Args:
            job: one that `Clips.jobs` returned.

        Raises:
            TimeoutError: it took too long; the process was ended.
        """
        limit = self._timeout * (1 + sum(shot["seconds"] for shot in job["spec"]["shots"]))
        try:
            answer = await asyncio.wait_for(self._ask(json.dumps(job).encode() + b"\n"), limit)
        except TimeoutError:
            await self.stop()
            raise TimeoutError(f"it was not drawn within {limit:.0f} s") from None
        if answer.endswith(b"\n"):
            return str(json.loads(answer)["problem"])
        await self.stop()  # the next try starts another process
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


def _with_pictures(job: dict[str, Any], pictures: Mapping[str, Path]) -> dict[str, Any]:
    """Return a job whose spec names the files of its pictures."""
    files = {name: str(pictures.get(job["spec"][name], "")) for name in ("picture", "last_picture")}
    return job | {"spec": job["spec"] | files}


def _without_keys() -> dict[str, str]:
    """Return the environment without keys: the sandbox's own, and those of whoever has started it."""
    keys = ("SANDBOX_", "KLINGAI_", "STUDIO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(keys)}
