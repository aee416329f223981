"""What lies on this machine: rights, data folder, disk, log and database."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kling.studio.amounts import counted
from kling.studio.archive import free_bytes
from kling.studio.backup import LOG
from kling.studio.doctor.finding import Finding, ok, problem, warning
from kling.studio.folder import is_taken
from kling.studio.health import NEARLY_FULL
from kling.studio.ledger.csv_file import fault_of
from kling.studio.ledger.csv_text import parse
from kling.studio.operator_warnings import LOW_DISK, is_open_to_others
from kling.studio.settings import Settings
from kling.studio.state import holdings
from kling.studio.state.faults import DAMAGED, FILE, check_file
from kling.studio.state.records import StateError

_COUNTED = {
    "limits": "SELECT count(*) FROM limits",
    "accounts": "SELECT count(*) FROM people WHERE way = 'account' AND removed = 0",
}
FEW_FILES = 1024  # that a process may have open; a hundred people need more
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"})


def secrets_file(settings: Settings) -> Iterator[Finding]:
    """Look who can read the file of settings."""
    path = settings.secrets_file
    if path is None or not path.exists():
        yield ok("secrets.toml", "there is none; the settings come from the environment")
    elif is_open_to_others(path) or path.stat().st_mode & stat.S_IRGRP:
        yield problem("secrets.toml", f"other users of this machine can read {path}", f"chmod 600 {path}")
    else:
        yield ok("secrets.toml", f"{path} is readable by its owner only")


def data_folder(folder: Path) -> Iterator[Finding]:
    """Look whether the folder can be written, who can read it, and on what disk it lies."""
    about = "data folder"
    if not folder.exists():
        above = next(parent for parent in folder.parents if parent.exists())
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            yield ok(about, f"{folder} is not there yet; it is made at the first start")
        else:
            remedy = "give this user the right to write there, or set STUDIO_DATA_DIR to another folder"
            yield problem(about, f"{folder} is not there and cannot be made", remedy)
        return
    if not folder.is_dir():
        yield problem(about, f"{folder} is a file", "set STUDIO_DATA_DIR to a folder")
        return
    if not _can_write(folder):
        remedy = "give this user the right to write there, or set STUDIO_DATA_DIR to another folder"
        yield problem(about, f"{folder} cannot be written by {_user()}", remedy)
    elif stranger := _first_unwritable(folder):
        remedy = f"chown -R {_user()} {folder}"
        yield problem(about, f"{stranger} cannot be written by {_user()}", remedy)
    else:
        running = ", and a studio runs there" if is_taken(folder) else ""
        yield ok(about, f"{folder} can be written{running}")
    if os.name == "posix" and os.geteuid() == 0 != folder.stat().st_uid:
        what = (
            f"{folder} belongs to user {folder.stat().st_uid}, and this was started by root, who may do more"
        )
        yield warning("user", what, f"run it as that user: sudo -u '#{folder.stat().st_uid}' …")
    if is_open_to_others(folder):
        what = f"other users of this machine can look into {folder}, where prompts and videos are"
        yield warning("rights", what, f"chmod 700 {folder}")
    if (kind := _file_system(folder)) in _NETWORK:
        what = f"{folder} lies on a network drive ({kind}), where the lock of the folder may not hold"
        yield warning(about, what, "use a local disk, and copy backups to the network drive")


def disk(folder: Path) -> Iterator[Finding]:
    """Look how much room there is."""
    here = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        room = free_bytes(here)
    except OSError as error:
        yield problem("disk", f"cannot be asked: {error.strerror}", "look at the disk")
        return
    said = f"{room / 2**20:,.0f} MB are free on the disk of {here}"
    remedy = "make room: with a full disk nothing is ordered and no video is kept"
    if room < NEARLY_FULL:
        yield problem("disk", said, remedy)
    elif room < LOW_DISK:
        yield warning("disk", said, remedy)
    else:
        yield ok("disk", said)


def log(folder: Path) -> Iterator[Finding]:
    """Look whether the log can be read, and all of it."""
    path = folder / LOG
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if (path.with_name(f"{LOG}.seal")).exists():
            what = f"{path} is gone, and its seal is there: what was ordered would be missing"
            yield problem("log", what, "put it back from a backup before the studio starts")
        else:
            yield ok("log", "there is none yet")
        return
    except OSError as error:
        yield problem("log", f"{path} cannot be read: {error.strerror}", "mend its rights or the disk")
        return
    if fault := fault_of(data):
        what, _, remedy = fault.partition(": ")
        yield problem("log", f"{path} {what}", remedy.rstrip("."))
        return
    contents = parse(data)
    jobs = len({row["external_task_id"] for row in contents.rows})
    if contents.unreadable:
        lines = ", ".join(str(number) for number in contents.unreadable[:5])
        what = f"{counted(len(contents.unreadable), 'line', 'lines')} of {path} cannot be read (line {lines})"
        yield warning("log", what, "stop the studio and mend or delete them; all others are shown")
    yield ok("log", f"{path} has {counted(jobs, 'job', 'jobs')}")


def database(folder: Path) -> Iterator[Finding]:
    """Look whether the database is one of this version, and whole."""
    path = folder / FILE
    held = holdings.read(folder)
    if not path.exists():
        if lost := holdings.missed(held, {}):
            yield _lost(lost)
        else:
            yield ok("database", "there is none yet")
        return
    try:
        check_file(path)
        with closing(sqlite3.connect(path, timeout=2)) as found:
            sound = found.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            lost = holdings.missed(held, {name: _count(found, query) for name, query in _COUNTED.items()})
    except StateError as error:
        what, _, remedy = str(error).partition(". ")
        yield problem("database", what, remedy.rstrip("."))
        return
    except sqlite3.Error as error:
        yield problem("database", f"{path} cannot be read ({error})", DAMAGED)
        return
    if sound and lost:
        yield _lost(lost)
    elif sound:
        yield ok("database", f"{path} is whole")
    else:
        yield problem("database", f"{path} is damaged", DAMAGED)


def _count(database: sqlite3.Connection, query: str) -> int:
    try:
        return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # a database of an older version has no such table
        return 0


def _lost(words: str) -> Finding:
    what, _, remedy = words.partition(". ")
    return problem("database", what, remedy.rstrip("."))


def limits() -> Iterator[Finding]:
    """Look how many files and connections the process may have open."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, hard) if hard != resource.RLIM_INFINITY else FEW_FILES + 1
    if most <= FEW_FILES:
        what = f"at most {most:,} files and connections can be open at once"
        yield warning("limits", what, "LimitNOFILE=65536 in the unit, or `ulimit -Hn 65536`")


def _can_write(folder: Path) -> bool:
    """Whether a file can be made there; rights alone do not tell, for example on a read-only disk."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        probe.unlink()
    except OSError:
        return False
    return True


def _first_unwritable(folder: Path) -> Path | None:
    """Return the first part that another user has made, for example by `sudo` once."""
    names = (LOG, f"{LOG}.seal", ".lock", "studio.id", "accounts.json", FILE, "videos", "sandbox")
    for path in (folder / name for name in names):
        if not path.exists():
            continue
        if not os.access(path, os.W_OK) or (path.is_dir() and not _can_write(path)):
            return path
    return None


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"


def _file_system(folder: Path) -> str:
    """Return the kind of the file system, empty where the system does not say."""
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    here, best = folder.resolve(), ("", "")
    for line in mounts:
        parts = line.split(" ")
        if len(parts) > 2 and here.is_relative_to(place := parts[1].replace("\\040", " ")):
            best = max(best, (place, parts[2]), key=lambda each: len(each[0]))
    return best[1]
