"""A copy of the data folder, made while the studio runs; `restoring` puts it back.

The order of the parts makes the copy consistent. The log comes first: it only grows, so the bytes up to its
last whole line are what it was at one moment. Everything that it names was there before its line: the videos,
the pictures, and the people in the database. What happens meanwhile is in the parts that are copied later,
and does no harm there.

The log's seal is not in it: it belongs to one file at one time, and what waits in a copy that was put back
must not be sent by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kling.pictures import FIELDS, is_name
from kling.studio.amounts import counted
from kling.studio.files import give_to_owner_of
from kling.studio.films.store import FOLDER as FILMS
from kling.studio.jobs import fold
from kling.studio.jobs.job import Job
from kling.studio.ledger.csv_text import parse
from kling.studio.pictures.store import FOLDER as PICTURES
from kling.studio.server_options import WRITTEN_DOWN
from kling.studio.state.faults import FILE as STATE
from kling.studio.state.holdings import HOLDINGS
from kling.studio.uploads import FOLDER as UPLOADS
from kling.whole_file import sync_folder, write_whole

MANIFEST = "backup.json"
KNOWN = "backups.json"  # in the data folder: where backups went, so that an erasure can name them
MOST_KNOWN = 1000
FORM = 1  # of the manifest
LOG, VIDEOS, SANDBOX = "history.csv", "videos", "sandbox"
LINKED = (VIDEOS, PICTURES)  # folders whose files are never changed in place
PATIENCE = 5.0  # seconds that a locked database is waited for
ASIDE = "before-restore-"  # in the data folder: what was there before a backup was put back, with a number
STAGED = "restoring.part"  # in the data folder: a backup that is being put back
# Not in a backup: locks, what can be made again, and what holds for this folder or this file alone.
_LEFT_OUT = frozenset(
    {
        ".lock",
        ".owner.json",
        "previews",
        UPLOADS,
        FILMS,
        "index.sqlite3",
        HOLDINGS,
        WRITTEN_DOWN,
        KNOWN,
        f"{LOG}.seal",
        STAGED,
    }
)
_ENDINGS = (".part", ".new", "-wal", "-shm", "-journal")
_DATABASES = (".sqlite3", ".sqlite")


class BackupError(Exception):
    """There is no backup, or nothing was restored; the text says why and what to do."""


@dataclass(slots=True)
class Summary:
    """What a backup or a restore did.

    Args:
        jobs: how many are in its log.
        files: how many files it has.
        size: bytes of them, those of linked videos too.
        linked: how many of them share their place on the disk with the studio's own.
        notes: what somebody should know, in words.
    """

    jobs: int = 0
    files: int = 0
    size: int = 0
    linked: int = 0
    notes: list[str] = field(default_factory=list)


def back_up(folder: Path, to: Path, *, link: bool = True, now: datetime | None = None) -> Summary:
    """Copy a data folder; its studio may run.

    Args:
        folder: the data folder.
        to: a folder that is not there yet, or is empty. It appears whole or not at all.
        link: share videos with the studio where the disk is the same. They are never changed in place.
        now: the time that is noted.

    Raises:
        BackupError: there is no copy.
    """
    folder, to = folder.resolve(), to.absolute()
    if not any((folder / name).is_file() for name in (LOG, STATE)):
        raise BackupError(f"{folder} has no {LOG}: set STUDIO_DATA_DIR to the studio's data folder.")
    if folder == to.resolve() or folder in to.resolve().parents or to.resolve() in folder.parents:
        raise BackupError("The backup may lie neither in the data folder nor above it: name another folder.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BackupError(f"{to} is there already: name a new folder for each backup.")
    stage = to.with_name(f"{to.name}.{secrets.token_hex(4)}.part")
    done = Summary()
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        stage.mkdir(mode=0o700)
        files = _fill(folder, stage, done, link=link)
        time = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        manifest = {"form": FORM, "made": time, "of": str(folder), "jobs": done.jobs, "files": files}
        (stage / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        os.sync()
        stage.rename(to)
        sync_folder(to.parent)
    except BaseException as error:
        shutil.rmtree(stage, ignore_errors=True)
        if not isinstance(error, OSError | sqlite3.Error):
            raise
        raise BackupError(f"The backup was not made: {in_words(error)} Nothing was left at {to}.") from error
    _remember(folder, to, time)
    return done


def known_backups(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield where backups of a data folder went, and when each was made; they may be elsewhere by now."""
    for entry in _read_known(folder):
        yield Path(str(entry.get("to", ""))), str(entry.get("made", ""))[:16]


# -- making ------------------------------------------------------------------------------------------------


def _fill(folder: Path, stage: Path, done: Summary, *, link: bool) -> dict[str, list[str | int]]:
    """Copy everything; return size and SHA-256 of each file by its path. Videos have no SHA-256 there."""
    log = _whole_lines(folder / LOG)
    (stage / LOG).write_bytes(log)
    jobs: dict[str, Job] = {}
    for row in parse(log).rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    done.jobs = len(jobs)
    for path in _others(folder):
        name = path.relative_to(folder)
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.suffix in _DATABASES:
            _copy_database(path, target, done)
        elif name.parts[0] in LINKED:
            with suppress(FileNotFoundError):  # replaced or deleted since it was listed
                done.linked += link_or_copy(path, target, link=link)
        else:
            with suppress(FileNotFoundError):
                shutil.copy2(path, target)
    names = {job["file"] for job in jobs.values() if job.has_clip}
    if missing := [name for name in names if not (stage / VIDEOS / name).exists()]:
        clips = counted(len(missing), "clip that the log names is", "clips that the log names are")
        done.notes.append(f"{clips} not in {folder / VIDEOS}.")
    if lost := _pictures_of(jobs.values()) - {path.stem for path in (stage / PICTURES).glob("*")}:
        pictures = counted(len(lost), "picture that the log names is", "pictures that the log names are")
        done.notes.append(f"{pictures} not in {folder / PICTURES}.")
    files: dict[str, list[str | int]] = {}
    for path in sorted(path for path in stage.rglob("*") if path.is_file()):
        name = path.relative_to(stage)
        size = path.stat().st_size
        files[name.as_posix()] = [size, "" if name.parts[0] == VIDEOS else sha256_of(path)]
        done.files, done.size = done.files + 1, done.size + size
    return files


def _pictures_of(jobs: Iterable[Job]) -> set[str]:
    return {job[field] for job in jobs for field in FIELDS if is_name(job[field])}


def _whole_lines(log: Path) -> bytes:
    """Return the log up to its last whole line; a row that is being written belongs to the next backup."""
    data = log.read_bytes() if log.exists() else b""
    return data[: data.rfind(b"\n") + 1]


def _others(folder: Path) -> Iterator[Path]:
    yield from _files_of(folder)
    for name in LINKED:
        if (folder / name).is_symlink():  # on another disk; a walk does not follow it
            yield from _files_of(folder / name)


def _files_of(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        here = Path(root)
        top = here == folder
        folders[:] = sorted(
            name
            for name in folders
            if not (top and (name in _LEFT_OUT or name.startswith(ASIDE)))
            and not (here == folder / SANDBOX and name == "clips")  # the studio has its own copies
        )
        for name in sorted(names):
            path = here / name
            left_out = top and (name in _LEFT_OUT or name == LOG)
            if not left_out and not name.endswith(_ENDINGS) and path.is_file():
                yield path


def _copy_database(path: Path, target: Path, done: Summary) -> None:
    try:
        with (
            closing(sqlite3.connect(path, timeout=PATIENCE)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            # A locked file fails here, after `timeout`; `backup` itself would wait for it without end.
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(copy)
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError(f"{path.name} is damaged")
    except sqlite3.OperationalError as error:
        # A running sandbox keeps its file to itself. It holds nothing that was paid for.
        if path.parent.name != SANDBOX or "locked" not in str(error):
            raise
        target.unlink(missing_ok=True)
        done.notes.append(
            "The running sandbox keeps its own tasks to itself, so they are not in the backup. All that the "
            "studio knows of them is."
        )


def link_or_copy(path: Path, target: Path, *, link: bool) -> bool:
    """Put a file at another place too; return whether both share the bytes on the disk."""
    if link and not path.is_symlink():
        with suppress(OSError):
            os.link(path, target)
            return True
    shutil.copy2(path, target)
    return False


def _remember(folder: Path, to: Path, time: str) -> None:
    known = [*_read_known(folder), {"to": str(to), "made": time}][-MOST_KNOWN:]
    with suppress(OSError):  # the backup is there all the same
        write_whole(folder / KNOWN, json.dumps(known, indent=1).encode())
        give_to_owner_of(folder, folder / KNOWN)


def _read_known(folder: Path) -> list[dict[str, object]]:
    try:
        stored = json.loads((folder / KNOWN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in stored if isinstance(entry, dict)] if isinstance(stored, list) else []


def sha256_of(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def in_words(error: BaseException) -> str:
    """Return an error of the disk or of a database as the end of a sentence."""
    if isinstance(error, OSError):
        return f"{error.filename or 'the disk'}: {error.strerror or error}."
    return f"{error}."
