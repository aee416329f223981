"""Puts a backup in the place of what is in a data folder."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from kling.studio.amounts import counted
from kling.studio.archive import BURIED
from kling.studio.backup import (
    ASIDE,
    FORM,
    KNOWN,
    LINKED,
    LOG,
    MANIFEST,
    STAGED,
    VIDEOS,
    BackupError,
    Summary,
    in_words,
    link_or_copy,
    sha256_of,
)
from kling.studio.files import give_to_owner_of
from kling.studio.folder import DataFolder
from kling.studio.ids import MARK_FILE, store_marks, stored_marks
from kling.studio.ledger.csv_text import parse
from kling.studio.state.faults import FILE as STATE
from kling.whole_file import sync_folder


def restore(source: Path, folder: Path) -> Summary:
    """Put a backup in the place of what is in a data folder. No studio may run there.

    What was there is moved into `before-restore-N` and stays; its marks and tombstones hold on. Everything is
    copied and compared before that.

    Raises:
        FolderTaken: a studio runs there, or the folder cannot be written.
        BackupError: nothing was changed, but for a text that says otherwise.
    """
    files = _manifest(source)
    owned = DataFolder(folder)
    try:
        return _restore(source, folder, files)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(
            f"The backup could not be put back: {in_words(error)} What was in {folder} is there, or in its "
            "newest folder before-restore-…; make room or mend the rights, and run the command again."
        ) from error
    finally:
        owned.release()


def _manifest(source: Path) -> dict[str, tuple[int, str]]:
    try:
        stored = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        form, files = stored["form"], stored["files"]
        is_whole = LOG in files and all(_is_inside(name, *about) for name, about in files.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        is_whole, form, files = False, FORM, {}
    if form != FORM:
        raise BackupError(f"{source} was made by another version of the studio: use that one.")
    if not is_whole:
        raise BackupError(
            f"{source} is no backup: it has no {MANIFEST} that can be read. Name a folder that `backup` made."
        )
    checked: dict[str, tuple[int, str]] = {name: (about[0], about[1]) for name, about in files.items()}
    return checked


def _is_inside(name: str, size: object, digest: object) -> bool:
    path = Path(name)
    is_about_it = isinstance(size, int) and isinstance(digest, str)
    return is_about_it and not path.is_absolute() and ".." not in path.parts


def _restore(source: Path, folder: Path, files: dict[str, tuple[int, str]]) -> Summary:
    done = Summary()
    stage = folder / STAGED
    shutil.rmtree(stage, ignore_errors=True)
    for name, (size, digest) in files.items():
        target = stage / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            done.linked += link_or_copy(source / name, target, link=Path(name).parts[0] in LINKED)
        except FileNotFoundError:
            shutil.rmtree(stage, ignore_errors=True)
            raise BackupError(f"{source / name} is missing. Nothing was changed.") from None
        if target.stat().st_size != size or (digest and sha256_of(target) != digest):
            shutil.rmtree(stage, ignore_errors=True)
            raise BackupError(f"{source / name} is not what was backed up. Nothing was changed.")
        done.files, done.size = done.files + 1, done.size + size
    _end_sessions(stage / STATE)
    # After a crash in the middle of a move they are only where it went.
    before = [folder, *sorted(folder.glob(f"{ASIDE}*"))]
    _keep_marks(before, stage, done)
    _keep_deleted(before, stage, done)
    give_to_owner_of(folder, stage, *stage.rglob("*"))
    done.jobs = len({row["external_task_id"] for row in parse((stage / LOG).read_bytes()).rows})
    os.sync()
    _swap(folder, stage, done)
    return done


def _end_sessions(database: Path) -> None:
    """Let nobody come in by a session, an invitation or a link that may have ended since the backup."""
    if not database.exists():
        return
    with closing(sqlite3.connect(database, isolation_level=None)) as found:
        tables = {row[0] for row in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in ("sessions", "invitations"):
            if table in tables:
                found.execute(f"DELETE FROM {table}")  # noqa: S608 - one of the two above
        if "shares" in tables:
            found.execute("UPDATE shares SET ended = CAST(strftime('%s', 'now') AS REAL) WHERE ended = 0")
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _keep_marks(before: Sequence[Path], stage: Path, done: Summary) -> None:
    """Let what was ordered under another mark since the backup be this folder's too."""
    own = stored_marks(stage)
    marks = tuple(dict.fromkeys([*own, *(mark for place in before for mark in stored_marks(place))]))
    if marks != own:
        store_marks(stage, marks)
    if own and (further := marks[len(own) :]):
        done.notes.append(f"Tasks with the mark {' or '.join(further)} are this folder's too ({MARK_FILE}).")


def _keep_deleted(before: Sequence[Path], stage: Path, done: Summary) -> None:
    """Let what was deleted for good since the backup stay so."""
    stones = {
        stone.name: stone for place in reversed(before) for stone in (place / VIDEOS).glob(f"*{BURIED}")
    }
    if not stones:
        return
    videos = stage / VIDEOS
    videos.mkdir(exist_ok=True, mode=0o700)
    ids = {name.removesuffix(BURIED) for name in stones}
    deleted = [path for path in videos.iterdir() if path.name.split(".")[0] in ids]
    for path in deleted:  # tombstones too: they may share their place on the disk with the backup's
        path.unlink()
    for name, stone in stones.items():
        shutil.copy2(stone, videos / name)
    if clips := len({path.name.split(".")[0] for path in deleted if path.suffix != BURIED}):
        stay = counted(clips, "clip stays deleted: it was", "clips stay deleted: they were")
        done.notes.append(f"{stay} deleted for good since the backup.")


def _swap(folder: Path, stage: Path, done: Summary) -> None:
    """Move what is there aside and the backup in, the log at once: without one a start would begin anew."""
    staying = {".lock", ".owner.json", STAGED, KNOWN}
    before = [
        path for path in folder.iterdir() if path.name not in staying and not path.name.startswith(ASIDE)
    ]
    if before:
        number = 1
        while (aside := folder / f"{ASIDE}{number}").exists():
            number += 1
        aside.mkdir(mode=0o700)
        give_to_owner_of(folder, aside)
        for path in sorted(before, key=lambda path: path.name != LOG):
            path.rename(aside / path.name)
            if path.name == LOG:
                (stage / LOG).rename(folder / LOG)
        done.notes.append(f"What was there is in {aside}; delete it once all is well.")
    for path in sorted(stage.iterdir()):
        path.rename(folder / path.name)
    stage.rmdir()
    sync_folder(folder)
