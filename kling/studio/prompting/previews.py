"""Short free clips of a camera move or a storyboard, drawn by the sandbox's renderer in a child process.

They are no tasks and cost nothing. The name of a file is a hash of its content's description, so a clip that
was drawn once is found again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kling.camera_control import CameraControl
from kling.catalog import catalog
from kling.shots import Shot
from kling.studio.child_environment import child_environment
from kling.studio.prompting.storyboard import seconds, total
from kling.text_to_video import TextToVideo

log = logging.getLogger(__name__)

FOLDER = "previews"  # in the data folder
NAME = re.compile(r"[0-9a-f]{32}\.mp4")
MOST_WAITING = 16  # previews, one for each person
MOST_BYTES = 100 * 2**20  # of the folder
PATIENCE = 30.0  # seconds that drawing one preview may take
RETRY_AFTER = 60.0  # seconds after which a preview that failed is tried again
LONGEST_CUT = 30  # seconds of video
_AREA = 320 * 180  # pixels
_LOOK = 3  # raise it when the renderer draws differently, so that older files are not found any more
_ROOT = str(Path(__file__).parents[3])

State = Literal["ready", "drawing", "busy", "failed"]
Draw = Callable[[str, str, Path], str]


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview as it is now.

    Args:
        name: of its file, under `<base>/previews/`.
        state: `ready` to play; `drawing`: the listener is called at its end; `busy`: too many wait, so ask
            again later; `failed`.
        problem: why it failed, in words.
    """

    name: str
    state: State
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    kind: str
    spec: str
    name: str


class Previews:
    """Draws previews one after another, and stores them.

    Args:
        folder: made if it is not there.
        on_done: called in another thread with the name of each preview that was drawn or has failed.
        draw: draws a file from its kind, its JSON description and its path, and returns why it failed, empty
            if it did not; by default in a child process.
        start: runs a function; by default in a thread.
        most_bytes: limit of the folder's size; files that were not asked for longest are deleted first.
        clock: seconds of a clock that never jumps.
    """

    def __init__(
        self,
        folder: Path,
        *,
        on_done: Callable[[str], None] = lambda _name: None,
        draw: Draw | None = None,
        start: Callable[[Callable[[], None]], object] | None = None,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self._on_done, self._most_bytes, self._clock = on_done, most_bytes, clock
        self._child = _Child()
        self._draw = draw or self._child.draw
        self._start = start or _on_a_thread
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, _Job] = OrderedDict()  # by person
        self._at_work: str | None = None
        self._failed: OrderedDict[str, float] = OrderedDict()  # when
        self._stopped = False

    def camera(self, control: CameraControl, *, aspect_ratio: str = "16:9", person: str = "") -> Preview:
        """Return the preview of a camera move of three seconds, and start to draw it if it is not there.

        Args:
            control: the move.
            aspect_ratio: width to height.
            person: who asks. A newer preview of the same person replaces one that still waits.
        """
        probe = TextToVideo(prompt="x", model_name="kling-v1", camera_control=control)
        if problems := [each.message for each in probe.problems() if each.field == "camera_control"]:
            return Preview("", "failed", problems[0])
        config = {axis: round(float(value), 1) for axis, value in control.config.items() if value}
        return self._preview("camera", {"type": control.type, "config": config}, aspect_ratio, person)

    def cut(
        self,
        shots: Sequence[Shot],
        *,
        aspect_ratio: str = "16:9",
        negative_prompt: str = "",
        person: str = "",
    ) -> Preview:
        """Return the preview of a storyboard in its real time, and start to draw it if it is not there.

        Args:
            shots: one to six, of `LONGEST_CUT` seconds at most together.
            aspect_ratio: width to height.
            negative_prompt: what should not be seen.
            person: as for `camera`.
        """
        limits = catalog()
        if not 1 <= len(shots) <= limits.shot_limit or total(shots) > LONGEST_CUT:
            return Preview(
                "", "failed", f"A preview has 1 to {limits.shot_limit} shots and at most {LONGEST_CUT} s."
            )
        described = [
            {"prompt": shot.prompt[: limits.shot_prompt_limit], "seconds": seconds(shot)} for shot in shots
        ]
        spec = {"shots": described, "negative_prompt": negative_prompt[: limits.prompt_limit]}
        return self._preview("cut", spec, aspect_ratio, person)

    def stop(self) -> None:
        """Forget the previews that wait, and end the one that is being drawn."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
        self._child.stop()

    def _preview(self, kind: str, spec: dict[str, Any], aspect_ratio: str, person: str) -> Preview:
        described = json.dumps({**spec, "size": size_of(aspect_ratio)}, sort_keys=True)
        name = hashlib.sha256(f"{_LOOK} {kind} {described}".encode()).hexdigest()[:32] + ".mp4"
        with contextlib.suppress(OSError):
            os.utime(self.folder / name)  # it was asked for just now
            return Preview(name, "ready")
        with self._lock:
            if self._clock() - self._failed.get(name, float("-inf")) < RETRY_AFTER:
                return Preview(name, "failed", "The preview could not be drawn; the server's log says why.")
            if name == self._at_work or any(job.name == name for job in self._waiting.values()):
                return Preview(name, "drawing")
            if self._stopped or (person not in self._waiting and len(self._waiting) >= MOST_WAITING):
                return Preview(name, "busy")
            self._waiting[person] = _Job(kind, described, name)
            idle = self._at_work is None
            if idle:
                self._at_work = ""
        if idle:
            self._start(self._work)
        return Preview(name, "drawing")

    def _work(self) -> None:
        """Draw the previews that wait, the oldest first, until none is left."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._at_work = None
                    return
                _, job = self._waiting.popitem(last=False)
                self._at_work = job.name
            problem = self._draw_job(job)
            with self._lock:
                self._at_work = ""
                if problem:
                    log.warning("A preview could not be drawn: %s", problem)
                    self._failed[job.name] = self._clock()
                    while len(self._failed) > MOST_WAITING:
                        self._failed.popitem(last=False)
            try:
                self._on_done(job.name)
            except Exception:
                log.exception("Nobody could be told that a preview is done.")

    def _draw_job(self, job: _Job) -> str:
        """Draw one preview; return why it failed, empty if it did not."""
        path = self.folder / job.name
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            problem = self._draw(job.kind, job.spec, path)
            self._trim(path)
        except OSError as error:
            return str(error)
        return problem or ("" if path.exists() else "no file was drawn")

    def _trim(self, newest: Path) -> None:
        """Delete files until the rest fits, those not asked for longest first; and parts left by a crash."""
        files = []
        for path in self.folder.iterdir():
            if NAME.fullmatch(path.name):
                facts = path.stat()
                files.append((path == newest, facts.st_mtime, facts.st_size, path))
            elif path.name.endswith(".mp4"):
                path.unlink(missing_ok=True)
        size = sum(each[2] for each in files)
        for is_newest, _, bytes_, path in sorted(files):
            if size <= self._most_bytes or is_newest:
                break
            path.unlink(missing_ok=True)
            size -= bytes_


class _Child:
    """One process for each preview: it starts in less than a second and leaves nothing behind."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def draw(self, kind: str, spec: str, path: Path) -> str:
        found = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
        with self._lock:
            if self._stopped:
                return "the studio is stopping"
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "kling.sandbox.renderer", kind, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=child_environment(PYTHONPATH=found),
            )
        try:
            _, said = process.communicate(spec.encode(), timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"it took longer than {PATIENCE:g} s"
        return said.decode(errors="replace")[-300:] if process.returncode else ""

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()


def _on_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="previews", daemon=True).start()


def size_of(aspect_ratio: str) -> tuple[int, int]:
    """Return an even width and height of about the usual area; a ratio that cannot be read gives a square."""
    across, down = (
        map(int, aspect_ratio.split(":")) if re.fullmatch(r"\d{1,2}:\d{1,2}", aspect_ratio) else (1, 1)
    )
    shape = min(max(across / down, 1 / 3), 3) if across and down else 1.0
    return round((_AREA * shape) ** 0.5 / 2) * 2, round((_AREA / shape) ** 0.5 / 2) * 2
