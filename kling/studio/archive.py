"""Our own copy of every video: fetched as soon as it exists, checked, and either whole or absent.

A whole MP4 file is never deleted by itself, even if this machine cannot decode it: it was paid for, and a
browser may still play it. It is only ever replaced by a better copy of the same video, or deleted by somebody
who says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kling.catalog import catalog
from kling.client import Client
from kling.errors import DownloadFailed
from kling.studio.ids import PLAIN_ID, asked_by, mark_of
from kling.studio.jobs import SUCCEED, Job, dump_json
from kling.studio.ledger import Ledger
from kling.studio.video_check import ChildChecker, Decoded, VideoChecker
from kling.tasks import Video
from kling.whole_file import sync_folder, write_whole

MAX_BYTES = 2**30  # of one video; 15 s of 4k take about a tenth of that
MOST_BOXES = 10_000  # at the top level of one file
MOST_AGAIN = 3  # further copies of a broken file that are fetched
_EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)  # Kling's API is younger, so an earlier time is an error


_ENDINGS = (".mp4", ".watermark.mp4", ".again.mp4", ".jpg")  # of the files of a job
BURIED = ".deleted"  # of the note that they were deleted for good


class Buried(DownloadFailed):
    """The clip was deleted for good, so it is not fetched."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a clip that was deleted for good.

    Args:
        when: in UTC, as text.
        sha256, size: of the clip; the bytes as text.
        by: id of who deleted it; empty where there is no sign-in.
    """

    when: str
    sha256: str = ""
    size: str = ""
    by: str = ""


class Archive:
    """The folder of videos and posters. Files are named by our ids only.

    Args:
        folder: made if it is not there.
        checker: examines the files; by default in child processes.
    """

    def __init__(self, folder: Path, *, checker: VideoChecker | None = None) -> None:
        self.folder = folder
        self._checker = checker or ChildChecker()
        self._lock = threading.Lock()  # held while a file takes its place, or is deleted
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for part in folder.glob("*.part"):  # left by a process that was killed: no other one uses this folder
            part.unlink(missing_ok=True)

    def video(self, job_id: str, *, watermark: bool = False) -> Path:
        """Return where the video of a job lies or will lie."""
        return self._path(job_id, ".watermark.mp4" if watermark else ".mp4")

    def poster(self, job_id: str) -> Path:
        """Return where the poster of a video lies or will lie; one that cannot be decoded here has none."""
        return self._path(job_id, ".jpg")

    def stop(self) -> None:
        """Interrupt every examination of a file: its caller gets a `CheckInterrupted`."""
        self._checker.stop()

    def fetch(self, job: Job, result: Callable[[], Video], client: Client) -> dict[str, str]:
        """Fetch the files of a result that are not here yet, and return the log's cells for them.

        In their `extra`, `probe` has the facts of the file. If this machine cannot decode the file, `check`
        is `unchecked`, and `check_reason` says why; otherwise the method `check` adds `check` later.

        Args:
            job: one that succeeded.
            result: gives the addresses; not called if every file is here already.
            client: fetches the files.

        Raises:
            DownloadFailed: it did not arrive whole, or is no MP4 file.
            TransportError: there was no answer.
            OSError: it cannot be kept.
            CheckInterrupted: the studio stops; the file may be here.
            Buried: it was deleted for good.
        """
        path = self.video(job.id)
        self._refuse_if_buried(job.id)
        # A whole file may be here although its row is not, after a crash or on a full disk. It is taken as it
        # is, because its address may have expired.
        if not _is_whole(path):
            _download(result().url, path, client)
        with self._lock:
            self._refuse_if_buried(job.id)
        cells = self._cells(job.id)
        if job["watermark_info"].lower() == "true":
            marked = self.video(job.id, watermark=True)
            try:
                if not _is_whole(marked) and (url := result().watermark_url):
                    _download(url, marked, client)
                if _is_whole(marked):
                    cells["watermark_file"] = marked.name
            except DownloadFailed as error:  # the clip itself is here and can be shown
                cells["message"] = f"The copy with a watermark could not be kept. {error}"
        return cells

    def check(self, job: Job) -> dict[str, str]:
        """Decode a video to its end, and return the log's cells for the outcome.

        In their `extra`, `check` is `ok`, `broken`, or `unchecked` if this machine cannot tell. For the
        latter two, `check_reason` says why.

        Raises:
            OSError: the file cannot be read.
            CheckInterrupted: the studio stops.
        """
        path = self.video(job.id)
        if not path.exists():
            return _extra("broken", "The file is not in the folder of videos.")
        decoded = self._checker.decode(path)
        if self.poster(job.id).exists():
            return _extra(decoded.outcome, decoded.problem)
        return self._cells(job.id, decoded)  # a file that a person put there, or that was found without a row

    def fetch_again(self, job: Job, result: Callable[[], Video], client: Client) -> dict[str, str]:
        """Fetch another copy of a broken file, and replace the file if the copy is better.

        Returns:
            The log's cells. `again` in their `extra` counts the copies that arrived so far; after
            `MOST_AGAIN` no further one is fetched.

        Raises:
            DownloadFailed, TransportError, OSError, CheckInterrupted: as in `fetch`; the file is as it was.
        """
        path = self.video(job.id)
        self._refuse_if_buried(job.id)
        here = path.exists()
        before = self._checker.decode(path) if here else Decoded("broken", problem="The file is not here.")
        if before.outcome == "ok":  # it was replaced before, but a crash came before the row of that
            return self._cells(job.id, before)
        beside = self._path(job.id, ".again.mp4")
        _download(result().url, beside, client)
        count = again(job) + 1
        try:
            if here and _sha256(beside) == _sha256(path):
                reason = f"{before.problem} Kling gives the very same file again."
                return _extra(before.outcome, reason, again=MOST_AGAIN)
            after = self._checker.decode(beside)
            if here and after.outcome != "ok" and after.good <= before.good:
                return _extra(before.outcome, before.problem, again=count)
            with self._lock:
                self._refuse_if_buried(job.id)
                beside.replace(path)  # its content is on the disk, as it was downloaded whole
                sync_folder(self.folder)  # before the row that has its new SHA-256
        finally:
            beside.unlink(missing_ok=True)
        return self._cells(job.id, after, again=count)

    def _cells(self, job_id: str, decoded: Decoded | None = None, **noted: Any) -> dict[str, str]:
        """Examine a file, make its poster, and return the log's cells."""
        path, poster = self.video(job_id), self.poster(job_id)
        part = poster.with_suffix(".jpg.part")
        try:
            probe = self._checker.probe(path, part)
            with self._lock:
                self._refuse_if_buried(job_id)
                if not probe.problem and part.exists():
                    write_whole(poster, part.read_bytes())
        finally:
            part.unlink(missing_ok=True)
        if probe.facts:
            noted["probe"] = dict(probe.facts)
        if decoded is not None:
            noted |= {"check": decoded.outcome, "check_reason": decoded.problem}
        elif probe.beyond_us:
            noted |= {"check": "unchecked", "check_reason": probe.problem}
        return {
            "file": path.name,
            "file_bytes": str(path.stat().st_size),
            "file_sha256": _sha256(path),
            "extra": dump_json(noted) if noted else "",
        }

    # -- files that are deleted for good ---------------------------------------------------------------------

    def sizes(self, job_id: str) -> list[int]:
        """Return the bytes of each file of a job that is here."""
        paths = (self._path(job_id, ending) for ending in _ENDINGS)
        return [path.stat().st_size for path in paths if path.exists()]

    def digest(self, job_id: str) -> str:
        """Return the SHA-256 of a video, empty if it is not here."""
        path = self.video(job_id)
        return _sha256(path) if path.exists() else ""

    def bury(self, job_id: str, stone: Tombstone) -> None:
        """Note for good that the files of a job are deleted; from now on none of them comes here.

        Raises:
            OSError: it was not noted.
        """
        with self._lock:
            write_whole(self._path(job_id, BURIED), json.dumps(asdict(stone)).encode())

    def unbury(self, job_id: str) -> None:
        """Take back the note of a deletion that was not recorded; nothing was deleted."""
        self._path(job_id, BURIED).unlink(missing_ok=True)

    def tombstone(self, job_id: str) -> Tombstone | None:
        """Return the note that the files of a job were deleted, None if there is none."""
        if not PLAIN_ID.fullmatch(job_id) or not (path := self._path(job_id, BURIED)).exists():
            return None
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            facts = None
        texts = {name: facts.get(name) for name in Tombstone.__slots__} if isinstance(facts, dict) else {}
        known = {name: text[:200] for name, text in texts.items() if isinstance(text, str)}
        return Tombstone(**{"when": "unknown", **known})

    def buried(self) -> Iterator[str]:
        """Yield the ids of the jobs whose files were deleted for good."""
        return (path.name.removesuffix(BURIED) for path in sorted(self.folder.glob(f"*{BURIED}")))

    def remove(self, job_id: str) -> None:
        """Delete the files of a job.

        Raises:
            OSError: one of them cannot be deleted.
        """
        with self._lock:
            for ending in _ENDINGS:
                self._path(job_id, ending).unlink(missing_ok=True)

    def _refuse_if_buried(self, job_id: str) -> None:
        if self._path(job_id, BURIED).exists():
            raise Buried("This clip was deleted here for good.")

    def _path(self, job_id: str, ending: str) -> Path:
        if not PLAIN_ID.fullmatch(job_id):
            raise DownloadFailed(f"{job_id[:40]!r} is no id that a file can be named by.")
        return self.folder / f"{job_id}{ending}"


def again(job: Job) -> int:
    """Return how many further copies of a job's broken file have arrived."""
    count = job.extra.get("again")
    return count if isinstance(count, int) and 0 < count <= MOST_AGAIN else 0


def orphans(archive: Archive, ledger: Ledger) -> list[str]:
    """Return the ids of the videos that no accepted job of the ledger has."""
    if ledger.opening or ledger.failure:  # it looks empty then, but is not
        return []
    ids = (path.stem for path in archive.folder.glob("*.mp4"))
    ours = (job_id for job_id in ids if mark_of(job_id) is not None or asked_by(job_id) != job_id)
    return sorted(job_id for job_id in ours if (job := ledger.get(job_id)) is None or not job.accepted)


def cleared_at(job: Job) -> datetime:
    """Return when Kling deletes the video of a job: 30 days after it was made, as far as that is known."""
    seen = job.since.get(SUCCEED) or _EARLIEST
    seen = seen if seen.tzinfo else seen.replace(tzinfo=UTC)
    made = job.moment("updated_at")
    if made is None or not _EARLIEST <= made <= seen + timedelta(days=1):
        made = seen
    return made + timedelta(days=catalog().retention_days)


def retention_status(job: Job, now: datetime) -> tuple[str, int]:
    """Return whether the video of a job is stored here, and the days that are left otherwise.

    Kling deletes results 30 days after it made them. That day alone proves nothing, so a video whose time is
    over stays `at risk`, with 0 days left, until Kling has said that it is gone.

    Args:
        job: of any state.
        now: the time of day.

    Returns:
        `safe`, `at risk` with the days left, `gone`, or an empty text for a job that did not succeed or whose
        video nobody wants (`Job.unwanted`).
    """
    if job.state != SUCCEED or job.unwanted:
        return "", 0
    if job["file"]:
        return "safe", 0
    if job.gone:
        return "gone", 0
    now = now if now.tzinfo else now.replace(tzinfo=UTC)
    return "at risk", max((cleared_at(job) - now).days, 0)


def check_mp4(path: Path) -> None:
    """Check that a file is a whole MP4: its boxes fill it to the last byte, and no needed box is missing.

    Raises:
        DownloadFailed: it is no whole MP4.
        OSError: it cannot be read.
    """
    kinds: set[bytes] = set()
    end = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        for number in range(MOST_BOXES):
            if at >= end:
                break
            file.seek(at)
            head = file.read(16)
            if len(head) < 8:
                raise DownloadFailed("What arrived is not a whole MP4 file.")
            size, kind = struct.unpack(">I4s", head[:8])
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack(">Q", head[8:])
            elif size == 0:
                size = end - at
            if size < 8 or (number == 0 and kind != b"ftyp"):
                raise DownloadFailed("What arrived is not an MP4 file.")
            kinds.add(kind)
            at += size
    if at != end or not {b"ftyp", b"moov", b"mdat"} <= kinds:
        raise DownloadFailed("What arrived is not a whole MP4 file.")


def free_bytes(folder: Path) -> int:
    """Return how many bytes are free on the disk of a folder."""
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def _download(url: str, path: Path, client: Client) -> None:
    """Fetch a file and check that it is a whole MP4. If nothing arrives, a file that is there stays."""
    client.download(url, path, max_bytes=MAX_BYTES)
    try:
        check_mp4(path)
    except DownloadFailed:
        path.unlink(missing_ok=True)
        raise


def _is_whole(path: Path) -> bool:
    try:
        check_mp4(path)
    except (DownloadFailed, FileNotFoundError):
        return False
    return True


def _extra(check: str, reason: str, **noted: Any) -> dict[str, str]:
    return {"extra": dump_json({"check": check, "check_reason": reason, **noted})}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
