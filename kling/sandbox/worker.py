"""A process that draws clips. It reads one job a line on stdin, and answers each with a line on stdout.

A job and an answer are JSON objects; the answer says what went wrong, or nothing.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from kling.sandbox.render_spec import RenderSpec, Shot

_NICE = 10


def main() -> None:
    """Draw until stdin ends."""
    # Ctrl-C reaches this process too; the parent handles it and closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(max(0, _NICE - os.nice(0)))
    # What libraries print goes to stderr, so that stdout carries nothing but answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    _prepare()
    while True:
        problem = _draw(json.loads(jobs.get()))
        answers.write(json.dumps({"problem": problem}) + "\n")
        answers.flush()


def _read(jobs: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        jobs.put(line)
    os._exit(0)  # the parent is gone; the sandbox deletes the half-written file at its next start


def _prepare() -> None:
    try:
        import av  # noqa: F401

        import kling.sandbox.renderer  # noqa: F401
    except ImportError:  # the first job fails for the same reason, and its answer says so
        traceback.print_exc()


def _draw(job: dict[str, Any]) -> str:
    path = Path(job["path"])
    spec = RenderSpec(**job["spec"] | {"shots": tuple(Shot(**shot) for shot in job["spec"]["shots"])})
    half_written = path.with_name(f"drawing-{os.getpid()}-{path.name}")
    try:
        _draw_file(spec, half_written, tiny=job["style"] == "tiny", source=job.get("source", ""))
        if job.get("sounds"):
            from kling.sandbox.sound_files import write_sounds

            write_sounds(half_written, [Path(one) for one in job["sounds"]])
        half_written.replace(path)
    except Exception as error:  # noqa: BLE001 -- the answer names it, whatever it is, and the next job is drawn
        traceback.print_exc()
        half_written.unlink(missing_ok=True)
        return f"{type(error).__name__}: {error}"
    return ""


def _draw_file(spec: RenderSpec, path: Path, *, tiny: bool, source: str) -> None:
    if tiny:
        from kling.sandbox.placeholder_clip import draw_placeholder_clip

        draw_placeholder_clip(spec, path)
    elif source:
        from kling.sandbox.renderer import draw_sound

        draw_sound(spec, Path(source), path)
    else:
        from kling.sandbox.renderer import draw_clip

        draw_clip(spec, path)


if __name__ == "__main__":
    main()
