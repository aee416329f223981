"""Decodes pictures and clips for the store, in child processes with limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

from kling.studio.limited_child import Children, Limits

MEMORY = 300 * 2**20  # bytes of address space of the child that decodes a picture
# Libraries for video take 130 MB of addresses, of which a third is ever used; a frame of 4k then needs 230 MB
# of real memory, with as many frames to refer to as a clip of 4k may have.
CLIP_MEMORY = 512 * 2**20
SECONDS = 20  # of CPU
FILE_BYTES = 128 * 2**20  # largest file that the child may write while it looks for a size that fits

At = Literal["first", "last"] | float  # of a clip: a frame by its place, or by seconds from the start


class Maker(Protocol):
    """Decodes what comes from outside; that of the studio is `ChildMaker`."""

    def remake(self, file: Path, out: Path, *, crop: bool = False) -> dict[str, Any]:
        """Write a picture anew, and return what `reencode` returns or prints.

        Args:
            file: to read.
            out: to write.
            crop: as for `reencode`.

        Raises:
            ChildFailed: there is no answer.
        """
        ...

    def take_frame(self, clip: Path, out: Path, at: At) -> dict[str, Any]:
        """Write a frame of a clip as a PNG, and return what `frame_of_clip` prints.

        Raises:
            ChildFailed: there is no answer.
        """
        ...

    def stop(self) -> None:
        """Interrupt what is being decoded."""
        ...


class ChildMaker:
    """Decodes in child processes with limits, two at a time."""

    def __init__(self) -> None:
        self._children = Children(2)

    def remake(self, file: Path, out: Path, *, crop: bool = False) -> dict[str, Any]:
        """Write a picture anew; see `Maker`."""
        program = Path(__file__).with_name("reencode.py")
        limits = Limits(MEMORY, SECONDS, FILE_BYTES)
        arguments = [str(file.absolute()), str(out.absolute()), *(["crop"] if crop else [])]
        return dict(self._children.ask(program, arguments, limits))

    def take_frame(self, clip: Path, out: Path, at: At) -> dict[str, Any]:
        """Write a frame of a clip as a PNG; see `Maker`."""
        program = Path(__file__).with_name("frame_of_clip.py")
        limits = Limits(CLIP_MEMORY, SECONDS, FILE_BYTES)
        arguments = [str(clip.absolute()), str(out.absolute()), str(at)]
        return dict(self._children.ask(program, arguments, limits))

    def stop(self) -> None:
        """Interrupt what is being decoded."""
        self._children.stop()
