"""Joins films in the background, one after the other, and keeps them while they are asked for.

A film follows from its clips, so it can be made again: the folder is bounded, and no backup has it. Its name
is a hash of the clips and of their order.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kling.studio.files import KEPT_FREE
from kling.studio.films.chains import MOST_PARTS
from kling.studio.films.join_clips import NO_ROOM
from kling.studio.jobs import Job
from kling.studio.limited_child import ChildFailed, Children, Limits
from kling.whole_file import whole_file, write_whole

log = logging.getLogger(__name__)

FOLDER = "films"  # below the data folder
NAME = re.compile(r"[0-9a-f]{32}\.mp4")
MOST_WAITING = 16  # films, one for each person
MOST_BYTES = 4 * 2**30  # of the folder
RETRY_AFTER = 60.0  # seconds after which a film that failed is tried again
MEMORY = 2 * 2**30  # bytes of address space of the child; encoding 4k takes about half of it
SECONDS = 1800  # of CPU
FILE_BYTES = 2 * 2**30
_FORM = 1  # raise it when films are joined differently, so that older ones are not found any more

State = Literal["ready", "joining", "busy", "failed"]
Join = Callable[[Path, Sequence[Path]], Mapping[str, Any]]

WORDS: Mapping[str, str] = {
    "no_video": "One of the clips has no pictures that can be read.",
    "too_short": "One of the clips has a single picture.",
    "too_long": "One of the clips is too long, or has an unusual speed.",
    "broken": "One of the clips cannot be read.",
    "work": "Joining the clips takes more memory than the studio allows.",
    "limits": "Joining the clips takes more memory or time than the studio allows.",
    "stopped": "The studio is stopping.",
    "room": "The disk of the studio is too full to join the clips. Tell its operator.",
}


@dataclass(frozen=True, slots=True)
class Film:
    """A film as it is now.

    Args:
        name: of its file.
        state: `ready` to play; `joining`: the listener is called at its end; `busy`: too many wait, so ask
            again later; `failed`.
        problem: why it failed, in words.
        starts: when each part begins, in seconds; once it is ready.
        seconds: how long it is; once it is ready.
        copied: whether its pictures are those of the clips bit by bit; otherwise they were encoded once more.
        share: how much of it is joined, 0 to 1.
    """

    name: str
    state: State
    problem: str = ""
    starts: tuple[float, ...] = ()
    seconds: float = 0.0
    copied: bool = False
    share: float = 0.0


class _NoFilm(Exception):
    """These clips make no film; the text is a key of `WORDS`, or whatever the child has said."""


@dataclass(frozen=True, slots=True)
class _Work:
    name: str
    clips: tuple[Path, ...]
    ids: tuple[str, ...]


class Films:
    """The films, for threads to share.

    Args:
        folder: made when the first one is joined.
        clip: returns where the video of a job lies, by its id.
        on_done: called in another thread with the name of each film that was joined or has failed.
        join: joins clips into a file, and returns what `join_clips` prints; by default in a child process.
        start: runs a function; by default in a thread.
        most_bytes: limit of the folder's size; films that were not asked for longest are deleted first.
        monotonic: seconds of a clock that never jumps.
        free: returns how many bytes are free on the disk of a folder.
    """

    def __init__(
        self,
        folder: Path,
        clip: Callable[[str], Path],
        *,
        on_done: Callable[[str], None] = lambda _name: None,
        join: Join | None = None,
        start: Callable[[Callable[[], None]], object] | None = None,
        most_bytes: int = MOST_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.folder = folder
        self._clip, self._on_done, self._most_bytes = clip, on_done, most_bytes
        self._monotonic, self._free = monotonic, free
        self._children = Children(1)
        self._join = join or self._in_child
        self._start = start or _on_a_thread
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, _Work] = OrderedDict()  # by person
        self._at_work: _Work | None = None
        self._is_working = False
        self._failed: OrderedDict[str, tuple[float, str]] = OrderedDict()  # when and why, by name
        self._forgotten: set[str] = set()  # ids of jobs whose clips were deleted while a film was joined
        self._stopped = False
        for part in folder.glob("*.part"):  # left by a process that was killed
            part.unlink(missing_ok=True)

    def film(self, jobs: Sequence[Job], *, person: str = "") -> Film:
        """Return the film of some jobs, and start to join it if it is not there.

        Args:
            jobs: from the first part to the last one, as `chains` gives them.
            person: who asks. A newer film of the same person replaces one that still waits.
        """
        missing = [number for number, job in enumerate(jobs, 1) if not job.has_clip]
        if missing or not 1 <= len(jobs) <= MOST_PARTS:
            parts = ", ".join(map(str, missing))
            problem = f"The clip of part {parts} is not here." if missing else f"At most {MOST_PARTS} clips."
            return Film("", "failed", problem)
        name = name_of(jobs)
        if (ready := self._ready(name, len(jobs))) is not None:
            return ready
        work = _Work(name, tuple(self._clip(job.id) for job in jobs), tuple(job.id for job in jobs))
        with self._lock:
            when, why = self._failed.get(name, (float("-inf"), ""))
            if self._monotonic() - when < RETRY_AFTER:
                return Film(name, "failed", WORDS.get(why, WORDS["broken"]))
            if work == self._at_work or work in self._waiting.values():
                return Film(name, "joining", share=_share(self.folder / name))
            if self._stopped or (person not in self._waiting and len(self._waiting) >= MOST_WAITING):
                return Film(name, "busy")
            self._waiting[person] = work
            is_idle, self._is_working = not self._is_working, True
        if is_idle:
            self._start(self._work)
        return Film(name, "joining")

    def path(self, name: str) -> Path | None:
        """Return where a film lies, None if there is none of that name."""
        path = self.folder / name
        return path if NAME.fullmatch(name) and path.is_file() else None

    def forget(self, job_id: str) -> None:
        """Delete the films that a job has a part in: its clip was deleted for good.

        So is a film that does not say of which jobs it is made: it can be made again.

        Raises:
            OSError: one cannot be deleted.
        """
        with self._lock:
            self._forgotten.add(job_id)
            for name in {path.stem for path in self.folder.glob("*.*") if path.suffix in {".json", ".mp4"}}:
                facts = self.folder / f"{name}.json"
                jobs = _read(facts).get("jobs")
                if not isinstance(jobs, list) or job_id in jobs:
                    facts.with_suffix(".mp4").unlink(missing_ok=True)
                    facts.unlink(missing_ok=True)

    def stop(self) -> None:
        """Forget the films that wait, and end the one that is being joined."""
        with self._lock:
            self._stopped = True
            self._waiting.clear()
        self._children.stop()

    def _ready(self, name: str, parts: int) -> Film | None:
        """Return a film that is there; None if it is not whole, or its facts do not fit its parts."""
        path = self.folder / name
        try:
            os.utime(path)  # it was asked for just now
            size = path.stat().st_size
        except OSError:
            return None
        facts = _read(path.with_suffix(".json"))
        if not size or facts.get("bytes") != size:  # a film of an older version is joined once more
            return None
        starts, seconds = facts.get("starts"), facts.get("seconds")
        if not isinstance(starts, list) or not isinstance(seconds, int | float):
            return None
        times = tuple(float(each) for each in starts if isinstance(each, int | float))
        if len(times) != parts:
            return None
        copied = facts.get("copied") is True
        return Film(name, "ready", starts=times, seconds=float(seconds), copied=copied, share=1.0)

    def _work(self) -> None:
        """Join the films that wait, the oldest first, until none is left."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._at_work, self._is_working = None, False
                    return
                _, work = self._waiting.popitem(last=False)
                self._at_work = work
                self._forgotten.clear()
            why = self._made(work)
            with self._lock:
                self._at_work = None
                if why:
                    log.warning("A film of %d clips could not be joined: %s", len(work.clips), why)
                    self._failed[work.name] = (self._monotonic(), why)
                    while len(self._failed) > MOST_WAITING:
                        self._failed.popitem(last=False)
            try:
                self._on_done(work.name)
            except Exception:
                log.exception("Nobody could be told that a film is done.")

    def _made(self, work: _Work) -> str:
        """Join one film; return why it failed, empty if it did not."""
        path = self.folder / work.name
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            size = sum(clip.stat().st_size for clip in work.clips)
            if self._free(self.folder) < KEPT_FREE + 2 * size:
                return "room"
            with whole_file(path) as part:
                facts = self._joined(part, work.clips)
            with self._lock:
                if self._forgotten.intersection(work.ids):
                    path.unlink(missing_ok=True)
                    return "broken"
                about = json.dumps({**facts, "jobs": work.ids}).encode()
                try:
                    write_whole(path.with_suffix(".json"), about)  # last: it says that the film is whole
                except OSError:
                    path.unlink(missing_ok=True)
                    raise
            self._trim(path)
        except (_NoFilm, ChildFailed) as failed:
            return str(failed)
        except OSError as error:
            log.warning("A film cannot be kept: %s", error)
            return "room" if error.errno in NO_ROOM else "broken"
        finally:
            with contextlib.suppress(OSError):
                share_file(path).unlink(missing_ok=True)
        return ""

    def _joined(self, out: Path, clips: Sequence[Path]) -> dict[str, Any]:
        """Join clips into a file, and return what is noted of the film.

        Raises:
            _NoFilm, ChildFailed, OSError: there is none.
        """
        facts = self._join(out, clips)
        size = out.stat().st_size
        if "refused" in facts or not size:
            raise _NoFilm(str(facts.get("refused", "broken")))
        return {**{name: facts.get(name) for name in ("starts", "seconds", "copied")}, "bytes": size}

    def _in_child(self, out: Path, clips: Sequence[Path]) -> Mapping[str, Any]:
        program = Path(__file__).with_name("join_clips.py")
        paths = [str(path.absolute()) for path in (out, share_file(out), *clips)]
        return self._children.ask(program, paths, Limits(MEMORY, SECONDS, FILE_BYTES, nice=True))

    def _trim(self, newest: Path) -> None:
        """Delete films until the rest fits, those not asked for longest first."""
        films = []
        for path in self.folder.glob("*.mp4"):
            facts = path.stat()
            films.append((path == newest, facts.st_mtime, facts.st_size, path))
        size = sum(each[2] for each in films)
        for is_newest, _, bytes_, path in sorted(films):
            if size <= self._most_bytes or is_newest:
                break
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
            size -= bytes_


def name_of(jobs: Sequence[Job]) -> str:
    """Return the name of the film of some jobs."""
    described = json.dumps([_FORM, *([job.id, job["file_sha256"]] for job in jobs)])
    return f"{hashlib.sha256(described.encode()).hexdigest()[:32]}.mp4"


def share_file(film: Path) -> Path:
    """Return where the child notes how much of a film is joined, also given the part that it writes."""
    return film.with_name(f"{film.name.partition('.')[0]}.share.part")


def _share(film: Path) -> float:
    try:
        share = float(share_file(film).read_text(encoding="ascii")[:10])
    except (OSError, ValueError):  # it waits, or the note is just being written
        return 0.0
    return share if 0 <= share <= 1 else 0.0


def _read(facts: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(facts.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _on_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="films", daemon=True).start()
