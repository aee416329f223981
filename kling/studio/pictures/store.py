"""The folder of pictures, each kept once under the SHA-256 of its bytes.

A request, the log and a draft name a picture by that hash, never by its bytes. What is kept is not what came,
but what a child process has made of it (`reencode`). Files are never changed in place.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kling.studio.files import KEPT_FREE
from kling.studio.limited_child import ChildFailed
from kling.studio.pictures import words
from kling.studio.pictures.maker import At, ChildMaker, Maker
from kling.studio.pictures.reencode import MOST_BYTES
from kling.whole_file import whole_file

FOLDER = "pictures"  # below the data folder
MOST_HANDED_IN = 50 * 2**20  # bytes of a file that is looked at; the newer API takes as much (S2)
KEPT_SECONDS = 24 * 3600.0  # seconds that an unreferenced picture is kept
HASH = re.compile("[0-9a-f]{64}")
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg"}
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg"}


class PictureRefused(Exception):
    """A picture is not taken; the text says why, and what to do.

    Args:
        words: for whoever gave it.
        status: of HTTP.
    """

    def __init__(self, words: str, status: int = 422) -> None:
        super().__init__(words)
        self.status = status


class PictureMissing(LookupError):
    """A picture that is referred to is not in the folder, or its bytes are not those that were kept."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is kept.

    Args:
        sha256: of its bytes, in hex; its name everywhere.
        width, height: in pixels.
        bytes: how many it has.
        media_type: `image/png` or `image/jpeg`.
        notes: what was changed of the one that was handed in, each as a sentence; empty for one that was
            here already.
    """

    sha256: str
    width: int
    height: int
    bytes: int
    media_type: str = "image/png"
    notes: tuple[str, ...] = ()

    @property
    def is_cropped(self) -> bool:
        """Whether only the middle of the one that was handed in was kept."""
        return words.CROPPED in self.notes


class Pictures:
    """The pictures, for threads to share.

    Args:
        folder: of them; made when the first one comes.
        maker: decodes them; a test may give a quick one.
        clock: Unix seconds, as those of files.
        free: returns how many bytes are free on the disk of a folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        maker: Maker | None = None,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.folder = folder
        self._maker, self._clock, self._free = maker or ChildMaker(), clock, free
        self._lock = threading.Lock()  # held while a picture takes its place, or is deleted
        for part in folder.glob("*.part"):  # left by a process that was killed
            part.unlink(missing_ok=True)

    def put_file(self, path: Path, *, crop: bool = False) -> Picture:
        """Keep a picture, and return it. One that is kept already is returned as it is.

        Args:
            path: of a file as it came from outside. It stays as it is, and is not read into memory.
            crop: of one that is too long or too high its middle is kept, which is noted, in place of a
                refusal.

        Raises:
            PictureRefused: it is not taken.
            OSError: the file cannot be read.
        """
        _refuse_large(path.stat().st_size)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if (here := self._again(digest)) is not None:
            return here
        with self._room():
            return self._remade(path, crop=crop)

    def put_frame(self, clip: Path, at: At = "last") -> Picture:
        """Keep a frame of a clip of our own as a picture, and return it. The same frame is kept once.

        Args:
            clip: an MP4 file.
            at: which one; `last` is what a clip that continues this one begins with.

        Raises:
            PictureRefused: there is no such frame, or Kling takes no picture of its size.
        """
        with self._room() as part:
            try:
                answer = self._maker.take_frame(clip, part, at)
            except ChildFailed as failed:
                raise _refused(failed) from failed
            if answer or not part.is_file():
                raise PictureRefused(words.NO_FRAME)
            return self._remade(part)

    def read(self, sha256: str) -> bytes:
        """Return the bytes of a picture, to be sent.

        Raises:
            PictureMissing: it is not here, or not whole.
        """
        path = self.path(sha256)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise PictureMissing(f"The picture {sha256[:12]}… cannot be read.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PictureMissing(f"The file of the picture {sha256[:12]}… was changed, so it is not used.")
        return content

    def find(self, sha256: str) -> Picture | None:
        """Return the facts of a picture, None if it is not here."""
        try:
            path = self.path(sha256)
            facts, size = _facts(path), path.stat().st_size
        except (PictureMissing, OSError):
            return None
        return Picture(sha256, *facts[1:], size, _MEDIA_TYPES[path.suffix]) if facts else None

    def path(self, sha256: str) -> Path:
        """Return where a picture lies.

        Raises:
            PictureMissing: it is not here.
        """
        for suffix in _MEDIA_TYPES if HASH.fullmatch(sha256) else ():
            if (path := self.folder / f"{sha256}{suffix}").is_file():
                return path
        raise PictureMissing(f"The picture {sha256[:12]}… is not in the folder of pictures.")

    def named(self, beginning: str) -> str:
        """Return the hash of the one picture whose hash begins so; empty if there is not exactly one."""
        found = [sha256 for sha256 in self.kept() if sha256.startswith(beginning)]
        return found[0] if len(found) == 1 else ""

    def kept(self) -> Iterator[str]:
        """Yield the hashes of all pictures."""
        for path in sorted(self.folder.glob("*")):
            if HASH.fullmatch(path.stem) and path.suffix in _MEDIA_TYPES:
                yield path.stem

    def forget(self, needed: Collection[str]) -> int:
        """Delete the pictures that nobody needs, but for those of the last day; return how many.

        Args:
            needed: hashes of those that stay.

        Raises:
            OSError: one cannot be deleted.
        """
        count = 0
        for sha256 in list(self.kept()):
            with self._lock, suppress(PictureMissing, FileNotFoundError):
                path = self.path(sha256)
                if sha256 not in needed and self._clock() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()
                    count += 1
        return count

    def stop(self) -> None:
        """Interrupt what is being decoded; its caller gets a `PictureRefused`."""
        self._maker.stop()

    def _again(self, sha256: str) -> Picture | None:
        """Return a picture that is here already, and count its day anew."""
        with self._lock:
            try:
                self.read(sha256)  # a file that was changed is written anew
            except PictureMissing:
                return None
            now = self._clock()
            os.utime(self.path(sha256), (now, now))
            return self.find(sha256)

    @contextmanager
    def _room(self) -> Iterator[Path]:
        """Give a path for a file that is gone after the block, if there is room on the disk."""
        part = self.folder / f"{secrets.token_hex(16)}.in.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._free(self.folder) < KEPT_FREE + MOST_HANDED_IN:
                raise PictureRefused(
                    "The disk of the studio is too full for pictures. Tell its operator.", 507
                )
            yield part
        except OSError as error:
            why = error.strerror or error
            raise PictureRefused(
                f"The picture cannot be kept: {why}. Tell the studio's operator.", 507
            ) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _remade(self, file: Path, *, crop: bool = False) -> Picture:
        out = self.folder / f"{secrets.token_hex(16)}.out.part"
        try:
            answer = self._maker.remake(file, out, crop=crop)
            if "refused" in answer:
                raise PictureRefused(words.refusal(answer), 415 if answer["refused"] == "kind" else 422)
            return self._keep(out, answer)
        except ChildFailed as failed:
            raise _refused(failed) from failed
        finally:
            out.unlink(missing_ok=True)

    def _keep(self, out: Path, answer: dict[str, Any]) -> Picture:
        """Put what a child has written in its place; it may be anything, if a file has taken over."""
        kind, width, height = answer.get("kind"), answer.get("width"), answer.get("height")
        if not out.is_file() or not 0 < out.stat().st_size <= MOST_BYTES:
            raise PictureRefused(words.TOO_MUCH)
        content = out.read_bytes()
        if _facts(io.BytesIO(content)) != (kind, width, height):
            raise PictureRefused(words.TOO_MUCH)
        sha256, suffix = hashlib.sha256(content).hexdigest(), _SUFFIXES[str(kind)]
        path = self.folder / f"{sha256}{suffix}"
        with self._lock:
            with whole_file(path) as part:
                part.write_bytes(content)
            now = self._clock()
            os.utime(path, (now, now))
        media_type, notes = _MEDIA_TYPES[suffix], words.notes(answer)
        return Picture(sha256, int(width or 0), int(height or 0), len(content), media_type, notes)


def _facts(file: Path | BinaryIO) -> tuple[str, int, int] | None:
    """Return format, width and height of one of our pictures, from its head alone; None if it is none."""
    from PIL import Image

    try:
        with Image.open(file, formats=tuple(_SUFFIXES)) as image:
            return str(image.format), image.width, image.height
    except (OSError, ValueError, SyntaxError):
        return None


def _refused(failed: ChildFailed) -> PictureRefused:
    return PictureRefused(words.STOPPED, 503) if failed.why == "stopped" else PictureRefused(words.TOO_MUCH)


def _refuse_large(size: int) -> None:
    if size > MOST_HANDED_IN:
        raise PictureRefused(f"The file is too large: it may have {MOST_HANDED_IN // 2**20} MB.", 413)
