"""Our own copy of every video: fetched as soon as it exists, checked, and never half there."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import socket
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kling.catalog import catalog
from kling.client import Client
from kling.errors import DownloadBroken
from kling.models import Video
from kling.studio.jobs import SUCCEED, Job

MAX_BYTES = 2**30  # of one video; 15 s of 4k has about a tenth of it
POSTER_WIDTH = 640  # pixels
_SAFE_ID = re.compile("[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


class Archive:
    """The folder of videos and posters, named by our ids only.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def video(self, job_id: str, *, watermark: bool = False) -> Path:
        """Return where the video of a task lies or will lie."""
        return self._path(job_id, ".watermark.mp4" if watermark else ".mp4")

    def poster(self, job_id: str) -> Path:
        """Return where the picture of a video lies or will lie."""
        return self._path(job_id, ".jpg")

    def fetch(self, job: Job, result: Callable[[], Video], client: Client) -> dict[str, str]:
        """Fetch what is not here yet of a result, and return the log's cells of it.

        Args:
            job: that succeeded.
            result: gives the addresses; not asked if every file is here already.
            client: that fetches.

        Raises:
            DownloadBroken: it did not arrive whole, or is no video.
            TransportError: there was no answer.
            OSError: it cannot be kept.
        """
        may_open = guard(client.base_url)
        path = self.video(job.id)
        if not path.exists():  # else its row was cut off by a crash or a full disk, and its url may be dead
            client.download(result().url, path, max_bytes=MAX_BYTES, may_open=may_open)
        try:
            check_mp4(path)
            facts = self._look_at(job.id)
        except DownloadBroken:
            path.unlink(missing_ok=True)
            raise
        cells = {
            "file": path.name,
            "file_bytes": str(path.stat().st_size),
            "file_sha256": _sha256(path),
            "extra": facts,
        }
        if job.request.watermark:
            marked = self.video(job.id, watermark=True)
            try:
                if not marked.exists() and (url := result().watermark_url):
                    client.download(url, marked, max_bytes=MAX_BYTES, may_open=may_open)
                if marked.exists():
                    check_mp4(marked)
                    cells["watermark_file"] = marked.name
            except DownloadBroken as error:  # the clip itself is here, and is not kept from anybody
                marked.unlink(missing_ok=True)
                cells["message"] = f"The copy with a watermark could not be kept. {error}"
        return cells

    def _look_at(self, job_id: str) -> str:
        """Read what the file really is, and make its poster."""
        facts, picture = look_at(self.video(job_id))
        part = self.poster(job_id).with_suffix(".jpg.part")
        picture.thumbnail((POSTER_WIDTH, POSTER_WIDTH))
        picture.save(part, "JPEG", quality=82)
        part.replace(self.poster(job_id))
        return json.dumps({"probe": facts}, separators=(",", ":"))

    def _path(self, job_id: str, ending: str) -> Path:
        if not _SAFE_ID.fullmatch(job_id):
            raise DownloadBroken(f"{job_id[:40]!r} is no id that a file can be named by.")
        return self.folder / f"{job_id}{ending}"


def safety(job: Job, now: datetime) -> tuple[str, int]:
    """Return how safe the video of a task is: `safe`, `at risk` with the days left, or `gone`.

    Kling clears results 30 days after it made them (S1). A task without a video is none of these.
    """
    if job.state != SUCCEED:
        return "", 0
    if job["file"]:
        return "safe", 0
    try:
        made = datetime.fromisoformat(job["updated_at"])
    except ValueError:
        made = job.since[SUCCEED]
    left = timedelta(days=catalog().retention_days) - (now - made)
    return ("at risk", max(left.days, 0)) if left > timedelta() else ("gone", 0)


def check_mp4(path: Path) -> None:
    """Check that a file is a whole MP4: its boxes fill it to the last byte, and the needed ones are there.

    Raises:
        DownloadBroken: it is not.
    """
    boxes: list[bytes] = []
    end = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at < end:
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                raise DownloadBroken("What arrived is not a whole MP4 file.")
            size, kind = struct.unpack(">I4s", head[:8])
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack(">Q", head[8:])
            elif size == 0:
                size = end - at
            if size < 8 or (not boxes and kind != b"ftyp"):
                raise DownloadBroken("What arrived is not an MP4 file.")
            boxes.append(kind)
            at += size
    if at != end or not {b"ftyp", b"moov", b"mdat"} <= set(boxes):
        raise DownloadBroken("What arrived is not a whole MP4 file.")


def look_at(path: Path) -> tuple[dict[str, Any], Any]:
    """Return what a video file really is, and one of its frames as a picture.

    Raises:
        DownloadBroken: it cannot be decoded.
    """
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            seconds = float(container.duration or 0) / 1_000_000
            facts = {
                "width": stream.width,
                "height": stream.height,
                "fps": round(float(stream.average_rate or 0), 3),
                "seconds": round(seconds, 3),
                "audio": bool(container.streams.audio),
            }
            container.seek(int(min(1.0, seconds / 2) * 1_000_000))
            picture = next(container.decode(stream)).to_image()  # type: ignore[no-untyped-call]
    except (av.error.FFmpegError, IndexError, StopIteration, ValueError) as error:
        raise DownloadBroken("What arrived cannot be decoded as a video.") from error
    return facts, picture


def guard(base_url: str, *, resolve: Callable[..., list[Any]] = socket.getaddrinfo) -> Callable[[str], None]:
    """Return a check of addresses to fetch from: the API's own host, or a public one over https.

    An answer of the API is not trusted to send this machine to its own network.
    """
    own = urlsplit(base_url).hostname

    def may_open(url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise DownloadBroken("The video's address is not one.") from error
        if host == own and parts.scheme in {"http", "https"}:
            return
        if parts.scheme != "https" or not host:
            raise DownloadBroken("The video's address is not https.")
        try:
            found = resolve(host, port or 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise DownloadBroken("The video's host is not known.") from error
        if not all(ipaddress.ip_address(entry[4][0]).is_global for entry in found):
            raise DownloadBroken("The video's address leads into a private network.")

    return may_open


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_bytes(folder: Path) -> int:
    """Return how much room the disk of a folder has."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize
