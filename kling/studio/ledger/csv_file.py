"""The file `history.csv`, append-only: each record is on the disk before `append` returns. And its seal."""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kling.studio.jobs import COLUMNS, dump_json, json_object
from kling.studio.ledger import LedgerError, LedgerUncertain, file_error
from kling.studio.ledger.csv_text import Contents, encode_row, parse, record_of
from kling.studio.ledger.seal import SealFile
from kling.whole_file import sync_folder

_NEEDED = ("external_task_id", "time", "state", "extra")
_UNCONFIRMED = "The disk did not confirm what was written. Restart the studio."

_Stamp = tuple[int, int, int, int]  # inode, size, times of the last change of the contents and of the file


class LogFile:
    """The log's file. It is opened by its path for each append, because a person may have replaced it.

    Args:
        path: of the log; its folder exists.
        write, fsync, ftruncate: as in `os`; tests give functions that fail.
    """

    def __init__(
        self,
        path: Path,
        *,
        write: Callable[[int, bytes], int] = os.write,
        fsync: Callable[[int], None] = os.fsync,
        ftruncate: Callable[[int, int], None] = os.ftruncate,
    ) -> None:
        self.path = path
        self._write, self._fsync, self._ftruncate = write, fsync, ftruncate
        self._known: _Stamp | None = None  # of the file after our last read or append
        self._size = self._crc = 0  # of the known bytes of the file
        self._seal = SealFile(path.with_name(f"{path.name}.seal"))
        self.closed = ""  # why nothing may be written any more; empty while that is allowed

    @property
    def stamp(self) -> str:
        """What tells the contents that were read and appended from any others: their length and CRC-32."""
        return f"{self._size}-{self._crc:08x}"

    def changed(self) -> bool:
        """Whether another program has changed or replaced the file since our last read or append."""
        try:
            return self._stamp() != self._known
        except OSError:
            return True  # the read that follows raises the error with its reason

    def mark_changed(self) -> None:
        """Let `changed` say yes: the contents were read but could not be taken over."""
        self._known = None

    def is_gone(self) -> bool:
        """Whether there is no log, or an empty one."""
        try:
            stamp = self._stamp()
        except OSError:
            return False
        return stamp is None or stamp[1] == 0

    def read(self) -> Contents:
        """Return the contents of the file.

        A missing file is made, a record that a crash cut off at the end is moved away, and columns of newer
        versions are added.

        Raises:
            LedgerError: the file cannot be read or written, or is no log of this studio; it is left as it is.
        """
        try:
            # The stamp is taken before the bytes, so that a write in between is seen as a change.
            before = stamp = self._stamp()
            data = self.path.read_bytes() if stamp else b""
            repaired = self._repair(data)
            if not repaired:
                repaired = encode_row(COLUMNS)
                self._write_at_end(repaired, size=0)
                sync_folder(self.path.parent)
            if repaired is not data:
                stamp = self._stamp()
            contents = self._with_seal(parse(repaired), repaired, before)
            seal = None if data else self._seal.read()
            contents = replace(contents, was_lost=bool(seal and seal.size > len(repaired)))
            if not set(COLUMNS).issubset(contents.columns):
                contents, repaired = self._migrated(contents, repaired, stamp)
                stamp = self._stamp()
        except OSError as error:
            raise file_error(self.path.name, "opened", error) from error
        self._known = stamp
        self._size, self._crc = len(repaired), zlib.crc32(repaired)
        return contents

    def append(self, record: bytes) -> None:
        """Add a record, or several that belong together; they are on the disk when this returns.

        Raises:
            LedgerError: nothing was added.
            LedgerUncertain: nobody knows whether it was added.
        """
        if self.closed:
            raise LedgerError(self.closed)
        try:
            size = self.path.stat().st_size
            self._write_at_end(record, size=size)
        except OSError as error:
            self._accept_own_change()
            raise file_error(self.path.name, "written", error) from error
        self._known = None  # unless the size shows that nobody else has written: then read the file again
        with suppress(OSError):
            stamp = self._stamp()
            if size == self._size and stamp is not None and stamp[1] == size + len(record):
                self._known = stamp
        self._size += len(record)
        self._crc = zlib.crc32(record, self._crc)

    def _accept_own_change(self) -> None:
        """Take the times of the file as known: an append that was cut off again has changed nothing else."""
        with suppress(OSError):
            stamp = self._stamp()
            if stamp and self._known and stamp[:2] == self._known[:2]:
                self._known = stamp

    def write_anew(self, records: bytes) -> None:
        """Replace the file by a log of these records.

        Raises:
            LedgerError: nothing was changed.
        """
        if self.closed:
            raise LedgerError(self.closed)
        data = encode_row(COLUMNS) + records
        try:
            self._replace(self.path, data, mode=0o600)
            self._known = self._stamp()
        except OSError as error:
            raise file_error(self.path.name, "written", error) from error
        self._size, self._crc = len(data), zlib.crc32(data)

    def seal(self, now: float, doubtful: Collection[str] = ()) -> None:
        """Confirm in the seal all bytes of the log that are known; a seal that cannot be written is no error.

        Args:
            now: Unix seconds.
            doubtful: ids of jobs that were only read from the file and are not confirmed.
        """
        if self._known:
            inode, _, _, changed = self._known
            self._seal.write(self._size, self._crc, (inode, changed), now, doubtful)

    def beat(self, now: float, doubtful: Collection[str] = ()) -> None:
        """Do as `seal`, and make the seal's file again if somebody has deleted it."""
        self._seal.reopen_if_gone()
        self.seal(now, doubtful)

    def _with_seal(self, contents: Contents, data: bytes, before: _Stamp | None) -> Contents:
        """Return the contents with what a valid seal confirms of them."""
        seal = self._seal.read()
        if seal is None or seal.size > len(data) or zlib.crc32(data[: seal.size]) != seal.crc:
            return contents
        if before is None or seal.stamp[0] != before[0]:
            return contents
        if seal.size == before[1] and seal.stamp[1] != before[3]:
            return contents  # the same bytes, but somebody has put this file back
        header = data[: data.index(b"\n") + 1]
        later = parse(header + data[seal.size :]).rows if len(header) <= seal.size < len(data) else ()
        known = max(len(contents.rows) - len(later), 0) if seal.size >= len(header) else 0
        return replace(contents, sealed_at=seal.time, sealed_rows=known, doubtful=seal.doubtful)

    def _write_at_end(self, record: bytes, *, size: int) -> None:
        """Append to the file, which has this size, and fsync; a failure leaves the file as it was."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                if self._write(handle, record) != len(record):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - a failed write
                try:
                    self._fsync(handle)
                except OSError:
                    # The kernel may count the lost pages as written, and then a second fsync succeeds
                    # although the data is not on the disk (known as "fsyncgate").
                    self.closed = _UNCONFIRMED
                    raise
            except OSError as error:
                self._cut_back(handle, size, error)
                raise
        finally:
            with suppress(OSError):  # the data is fsynced, or an error is on its way already
                os.close(handle)

    def _cut_back(self, handle: int, size: int, error: OSError) -> None:
        """Cut the file back to its size before a failed write, so that no start finds the record."""
        try:
            if os.fstat(handle).st_size != size:
                self._ftruncate(handle, size)
        except OSError:
            self.closed = _UNCONFIRMED
            raise LedgerUncertain(
                "It is not certain whether this was recorded: restart the studio and look into History "
                f"before you order again. ({self.path.name}: {error.strerror or error}.)"
            ) from error

    def _repair(self, data: bytes) -> bytes:
        """Return the whole records of the log, and move a record that was cut off at the end to `.torn`."""
        whole = data.rfind(b"\n") + 1
        tail = data[whole:]
        if whole or not encode_row(COLUMNS).startswith(tail):  # else the file is a part of a header
            columns = parse(data.partition(b"\n")[0]).columns
            if missing := [name for name in _NEEDED if name not in columns]:
                raise LedgerError(f"{self.path.name} {_why_unusable(data, missing)}")
            cells = record_of(tail.decode("utf-8", "replace"))
            # The last line is whole only if its last cell is: that is `extra`, either empty or in quotes. A
            # cell without quotes may have lost its end.
            if not tail or (cells is not None and len(cells) == len(columns) and tail[-1:] in b',"\r'):
                if tail:  # only its newline is missing
                    self._write_at_end(b"\n", size=len(data))
                    data += b"\n"
                return data
        if tail:
            with self.path.with_name(self.path.name + ".torn").open("ab") as file:
                file.write(tail + b"\n")
                file.flush()
                os.fsync(file.fileno())
            os.truncate(self.path, whole)
        return data[:whole]

    # -- a log with an older header --------------------------------------------------------------------------

    def _migrated(self, contents: Contents, data: bytes, stamp: _Stamp | None) -> tuple[Contents, bytes]:
        """Write the log anew with every column, and leave a copy of the old one as `.before-2`.

        At each moment the file is either the whole old log or the whole new one.
        """
        columns = (*COLUMNS, *(name for name in contents.columns if name and name not in COLUMNS))
        missing = [name for name in COLUMNS if name not in contents.columns]
        rows = [_out_of_extra(row, missing) for row in contents.rows]
        records = [encode_row([row.get(name, "") for name in columns]) for row in rows]
        new = encode_row(columns) + b"".join(records)
        lines = data.split(b"\n")
        foreign = [lines[number - 1] + b"\n" for number in contents.unreadable]
        read = parse(with_foreign := new + b"".join(foreign))
        # The unreadable lines move along if they stay unreadable; otherwise only the copy has them.
        if len(read.rows) == len(rows) and len(read.unreadable) == len(foreign):
            new = with_foreign
        else:
            read = parse(new)
        if list(read.rows) != rows:
            raise LedgerError(
                f"{self.path.name} cannot be brought into this version's form. It is as it was."
            )
        self._back_up(data)
        if self._stamp() != stamp:
            raise LedgerError(f"{self.path.name} is being changed by another program. Nothing was written.")
        self._replace(self.path, new, mode=self.path.stat().st_mode & 0o777)
        return replace(contents, columns=columns, rows=rows, unreadable=read.unreadable), new

    def _back_up(self, data: bytes) -> None:
        number = 2
        while (backup := self.path.with_name(f"{self.path.name}.before-{number}")).exists():
            if backup.stat().st_size == len(data) and backup.read_bytes() == data:
                return  # made by an earlier start that a crash cut off
            number += 1
        self._replace(backup, data, mode=0o600)

    def _replace(self, path: Path, data: bytes, *, mode: int) -> None:
        # Not `whole_file`: it writes as the log does, and what a crash leaves is overwritten by the next try.
        target = Path(os.path.realpath(path))  # the log may be a symbolic link
        beside = target.with_name(f"{target.name}.new")
        self._write_whole(beside, data, mode=mode)
        beside.replace(target)
        sync_folder(target.parent)

    def _write_whole(self, path: Path, data: bytes, *, mode: int) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            written = 0
            while written < len(data):
                count = self._write(handle, data[written:] if written else data)
                if count <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - a failed write
                written += count
            self._fsync(handle)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise
        finally:
            os.close(handle)

    def _stamp(self) -> _Stamp | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _out_of_extra(row: Mapping[str, str], columns: Collection[str]) -> Mapping[str, str]:
    """Return the row with the values moved into their new columns that older versions wrote into `extra`."""
    if "extra" not in row or not any(name in row["extra"] for name in columns):
        return row
    extra = dict(json_object(row["extra"]))
    moved = {name: str(extra.pop(name)) for name in columns if name in extra}
    if not moved:
        return row
    rest = {"extra": dump_json(extra)} if extra else {}
    return {
        name: cell for name, cell in {**moved, **row, **rest}.items() if cell and (name != "extra" or rest)
    }


def fault_of(start: bytes) -> str:
    """Return what keeps a file from being a log of this studio, with the remedy; empty if nothing does.

    Args:
        start: its first bytes, with the whole of its first line.
    """
    columns = parse(start.partition(b"\n")[0]).columns
    missing = [name for name in _NEEDED if name not in columns]
    return _why_unusable(start, missing) if missing and start else ""


def _why_unusable(data: bytes, missing: Sequence[str]) -> str:
    """Return what is wrong with the file, and the remedy."""
    start = data[:4000]
    for encoding in ("utf-16-le", "utf-16-be"):
        if "external_task_id" in start.decode(encoding, "ignore"):
            return "is saved as UTF-16: save it again as CSV in UTF-8, separated by commas."
    header = start.partition(b"\n")[0].decode("utf-8-sig", "replace").strip()
    for separator, words in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if "external_task_id" in (name.strip('"') for name in header.split(separator)):
            return f"is separated by {words}: save it again as CSV in UTF-8, separated by commas."
    return (
        f"has no column {', '.join(missing)}, so it is not a log of this studio: move it out of the data "
        "folder, or give its columns their names back."
    )
