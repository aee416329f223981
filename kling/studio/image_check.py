"""Says what kind of picture a file is, in a child process with limits of memory and time.

What a file is called, and what its sender says of it, is not believed: its bytes are decoded, by a decoder
for the kinds that Kling takes and no other. The child imports nothing of the studio and has no secrets:

    python -m kling.studio.image_check FILE    prints one JSON object
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS: Mapping[str, tuple[str, str]] = {  # by Pillow's name of the format
    "JPEG": ("image/jpeg", ".jpg"),
    "PNG": ("image/png", ".png"),
    "WEBP": ("image/webp", ".webp"),
}
MEMORY = 2**29  # bytes of address space
SECONDS = 10  # of CPU and of wall time
GRACE = 2  # seconds that a child has to end by its own limits before it is killed
MOST_PIXELS = 50_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file is.

    Args:
        media_type: such as `image/png`.
        suffix: for its name, such as `.png`.
        width: in pixels.
        height: in pixels.
    """

    media_type: str
    suffix: str
    width: int
    height: int


def picture_of(file: Path, *, memory: int = MEMORY, seconds: int = SECONDS) -> Picture | None:
    """Return what kind of picture a file is; None if it is none that is taken, or too much work to decode.

    Args:
        file: to look at.
        memory: bytes of address space that the child may have.
        seconds: of CPU and of wall time that it may take.
    """
    from kling.studio.child_environment import child_environment  # the child runs this file alone

    command = [sys.executable, "-B", "-P", __file__, str(file.absolute()), str(memory), str(seconds)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=child_environment(),
            timeout=seconds + GRACE,
            check=True,
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
    return _checked(answer)


def _checked(answer: Any) -> Picture | None:
    """Return what a child has answered, which may be anything once a file has taken it over."""
    if not isinstance(answer, dict) or answer.get("format") not in KINDS:
        return None
    width, height = answer.get("width"), answer.get("height")
    if not isinstance(width, int) or not isinstance(height, int) or not 0 < width * height <= MOST_PIXELS:
        return None
    return Picture(*KINDS[answer["format"]], width, height)


# -- in the child --------------------------------------------------------------------------------------------


def look_at(file: Path) -> dict[str, object]:
    """Decode a file whole, and return its facts; empty if it is no picture. The caller has to set limits."""
    from PIL import Image

    warnings.simplefilter("error")
    try:
        with Image.open(file, formats=list(KINDS)) as image:
            if not 0 < image.width * image.height <= MOST_PIXELS:
                return {}
            image.load()
            return {"format": image.format, "width": image.width, "height": image.height}
    except (OSError, ValueError, SyntaxError, MemoryError, Warning, Image.DecompressionBombError):
        return {}


def _limit(memory: int, seconds: int) -> None:
    import resource

    for name, limit in {
        "RLIMIT_AS": memory,
        "RLIMIT_CPU": seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": 0,
    }.items():
        with contextlib.suppress(OSError, ValueError):  # not every system has each of them
            resource.setrlimit(getattr(resource, name), (limit, limit))
    signal.alarm(seconds)
    with contextlib.suppress(
        OSError
    ):  # if the machine runs out of memory, the system kills this process first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def main(arguments: Sequence[str]) -> None:
    """Print the facts of a file as JSON.

    Args:
        arguments: the file, bytes of memory, seconds.
    """
    file, memory, seconds = arguments
    with contextlib.suppress(ImportError):  # not on every system
        _limit(int(memory), int(seconds))
    print(json.dumps(look_at(Path(file))))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
