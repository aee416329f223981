r"""The file of `history.csv`: append-only, one record a line, safe to open in a spreadsheet; and its seal.

Text is changed in reversible ways. Control characters become escapes (`\n`, `\u0000`; a backslash is
doubled), so that one record is one line. A cell that a spreadsheet would take for a formula gets an
apostrophe in front (OWASP, CSV injection), and so does one that starts with an apostrophe. A spreadsheet may
split the line at `;` or `|` instead, whatever is quoted: such a character in front of what would be a formula
becomes an escape too (`\u003b`).
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import weakref
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path

from kling.client import sync_folder
from kling.studio.jobs import COLUMNS, dump_json, json_object
from kling.studio.ledger import LedgerError, LedgerUncertain

_CONTROL = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(\\|n|r|t|u[0-9a-f]{4})")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_FORMULA = re.compile("[\\s\ufeff]*['=+\\-@\uff1d\uff0b\uff0d\uff20]")
_SPLIT = re.compile('[;|](?=[\\s\ufeff"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
_NEEDED = ("external_task_id", "time", "state", "extra")
_MOST_LINES = 50  # that one record may have after somebody's editor broke it

_UNCONFIRMED = "The disk did not confirm what was written. Restart the studio."

csv.field_size_limit(2**31 - 1)  # an acknowledged row is read back, whatever its size


def encode_cell(text: str) -> str:
    """Return the text as it stands in the file."""
    plain = _CONTROL.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text)
    if ";" in plain or "|" in plain:
        plain = _SPLIT.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def decode_cell(cell: str) -> str:
    """Return the text of which `encode_cell` made this cell."""
    plain = cell.removeprefix("'")
    return (
        plain
        if "\\" not in plain
        else _ESCAPED.sub(lambda match: _LONG.get(match[1][0]) or chr(int(match[1][1:], 16)), plain)
    )


def encode_row(cells: Sequence[str]) -> bytes:
    """Return one record, newline included."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([cell and encode_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a log holds.

    Args:
        columns: the header as it stands in the file; a person may have moved them.
        rows: each as the cells that say something, by column.
        unreadable: lines that are no record of this log, with their numbers. They stay in the file.
        sealed_at: when a studio last said that it knew the first rows, in Unix seconds; None if none did, or
            if these are other rows.
        sealed_rows: how many of the rows it knew.
        doubtful: ids of jobs that it knew from the file only.
        was_lost: there was no log, and a seal says that there had been one with rows.
    """

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]
    unreadable: Sequence[int]
    sealed_at: float | None = None
    sealed_rows: int = 0
    doubtful: Collection[str] = field(default=())
    was_lost: bool = False


def parse(data: bytes) -> Contents:
    """Read a whole log. A byte order mark, CRLF, other quoting and moved columns are all understood."""
    lines = io.StringIO(data.decode("utf-8-sig", "replace"), newline="").readlines()
    try:
        return _contents(lines, _plain(lines))
    except csv.Error:  # somebody has been here
        return _contents(lines, _mended(lines))


def _contents(lines: Sequence[str], records: Iterator[tuple[int, list[str] | None]]) -> Contents:
    columns = tuple(name.strip() for name in next(records, (1, []))[1] or ())
    width = len(columns)
    rows: list[Mapping[str, str]] = []
    unreadable: list[int] = []
    for number, cells in records:
        if cells == []:
            continue
        if cells is None or len(cells) < width or (len(cells) > width and any(cells[width:])):
            unreadable.append(number)
            continue
        row = dict(compress(zip(columns, cells, strict=False), cells))  # without the empty ones
        line = lines[number - 1]
        if "\\" in line or "'" in line:
            row = {name: decode_cell(cell) for name, cell in row.items()}
        if "external_task_id" in row:
            rows.append(row)
        elif row:
            unreadable.append(number)
    return Contents(columns, rows, unreadable)


def _plain(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Read a log as this module writes it: each line is a record."""
    reader = csv.reader(lines, strict=True)
    for number, cells in enumerate(reader, 1):
        if reader.line_num != number:
            raise csv.Error("a record of several lines")
        yield number, cells


def _mended(lines: Sequence[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Read a log that was edited by hand: records of several lines, quotes that nobody closes.

    Such a quote costs its own line only: to a plain reader it would swallow every row after it.
    """
    at = width = 0
    while at < len(lines):
        end = at + 1
        cells = _record(lines[at])
        while cells is None and end < min(at + _MOST_LINES, len(lines)):
            end += 1
            cells = _record("".join(lines[at:end]))
        if end > at + 1 and (cells is None or len(cells) != width):
            cells, end = None, at + 1
        width = width or len(cells or ())
        yield at + 1, cells
        at = end


def _record(text: str) -> list[str] | None:
    """Return the cells of one record, None if it is not one whole record."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None


_Stamp = tuple[int, int, int, int]  # inode, size, times of the last change of the contents and of the file


@dataclass(frozen=True, slots=True)
class Seal:
    """What the studio knew of the log when it last wrote to it.

    Args:
        size, crc: of the bytes of the log that were known.
        stamp: inode and time of the last change (ctime) of the log's file. No program can set that time, so a
            copy that was put back has another one, also if its own seal was put back with it.
        time: Unix seconds.
        doubtful: ids of jobs that were known from the file only.
    """

    size: int
    crc: int
    stamp: tuple[int, int]
    time: float
    doubtful: tuple[str, ...]


class SealFile:
    """The seal, beside the log.

    Its first line has a fixed width and is written in place: size and CRC-32 of what is known of the log, its
    file's inode and ctime, the time, and CRC-32 of the lines below, which are the ids. Nothing is fsynced: a
    seal that is lost, torn or older than the log only says less than is true.

    Args:
        path: of the seal.
    """

    _WIDTH = 98

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._doubtful: Collection[str] | None = None  # what stands in the file
        self._crc_of_ids = 0
        self._close: Callable[[], object] = lambda: None

    def write(
        self, size: int, crc: int, stamp: tuple[int, int], now: float, doubtful: Collection[str]
    ) -> None:
        """Write it. Where that cannot be done, a start knows less."""
        with suppress(OSError):
            if self._handle < 0:
                self._open()
            if doubtful != self._doubtful:
                self._write_ids(doubtful)
            inode, changed = stamp
            known = f"{size:020d} {crc:08x} {inode:020d} {changed:020d}"
            line = f"{known} {max(now, 0.0):016.3f} {self._crc_of_ids:08x}\n"
            os.pwrite(self._handle, line.encode(), 0)

    def read(self) -> Seal | None:
        """Return what it says, None if there is none that can be believed."""
        try:
            data = self._path.read_bytes()
            line, ids = data[: self._WIDTH].decode("ascii"), data[self._WIDTH :]
            size, crc, inode, changed, time, crc_of_ids = line.split()
            doubtful = tuple(map(decode_cell, ids.decode().splitlines()))
            seal = Seal(int(size), int(crc, 16), (int(inode), int(changed)), float(time), doubtful)
            return seal if int(crc_of_ids, 16) == zlib.crc32(ids) and line.endswith("\n") else None
        except (OSError, ValueError):
            return None

    def reopen_if_gone(self) -> None:
        """Let the next `write` make it again if somebody has deleted it."""
        if self._handle >= 0 and os.fstat(self._handle).st_nlink == 0:
            self._close()
            self._handle = -1

    def _open(self) -> None:
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._close = weakref.finalize(self, os.close, self._handle)
        self._doubtful = None

    def _write_ids(self, doubtful: Collection[str]) -> None:
        ids = "".join(f"{encode_cell(job_id)}\n" for job_id in sorted(doubtful)).encode("utf-8", "replace")
        self._doubtful, self._crc_of_ids = None, zlib.crc32(ids)
        os.pwrite(self._handle, ids, self._WIDTH)
        os.ftruncate(self._handle, self._WIDTH + len(ids))
        self._doubtful = doubtful


class LogFile:
    """The file itself: opened by its path for each append, because a person may have replaced it.

    Args:
        path: of the log; its folder exists.
        write, fsync, ftruncate: as in `os`; a test makes them fail.
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
        self._seen: _Stamp | None = None
        self._size = self._crc = 0  # of what is known of the file
        self._seal = SealFile(path.with_name(f"{path.name}.seal"))
        self.closed = ""  # why nothing is written any more

    def changed(self) -> bool:
        """Whether somebody else has changed or replaced the file after our last read or append."""
        try:
            return self._stamp() != self._seen
        except OSError:
            return True  # reading it says why

    def forget(self) -> None:
        """Take the file as changed: what was read was not taken over."""
        self._seen = None

    def is_gone(self) -> bool:
        """Whether there is no log, or an empty one."""
        try:
            stamp = self._stamp()
        except OSError:
            return False
        return stamp is None or stamp[1] == 0

    def read(self) -> Contents:
        """Return what the file holds; repair its tail, make it if there is none, add columns that it lacks.

        Raises:
            LedgerError: the file cannot be read or written, or is no log of this studio; it is left as it is.
        """
        try:
            before = stamp = self._stamp()  # before the bytes: what is added meanwhile is seen as a change
            data = self.path.read_bytes() if stamp else b""
            repaired = self._repair(data)
            if not repaired:
                repaired = encode_row(COLUMNS)
                self._put(repaired, at=0)
                sync_folder(self.path.parent)
            if repaired is not data:
                stamp = self._stamp()
            contents = self._sealed(parse(repaired), repaired, before)
            seal = None if data else self._seal.read()
            contents = replace(contents, was_lost=bool(seal and seal.size > len(repaired)))
            if not set(COLUMNS).issubset(contents.columns):
                contents, repaired = self._migrated(contents, repaired, stamp)
                stamp = self._stamp()
        except OSError as error:
            raise LedgerError(f"{self.path.name} cannot be opened: {error.strerror or error}.") from error
        self._seen = stamp
        self._size, self._crc = len(repaired), zlib.crc32(repaired)
        return contents

    def append(self, record: bytes) -> None:
        """Add a record, or several that belong together, on the disk when this returns.

        Raises:
            LedgerError: nothing was added.
            LedgerUncertain: it may have been added or not.
        """
        if self.closed:
            raise LedgerError(self.closed)
        try:
            at = self.path.stat().st_size
            self._put(record, at=at)
        except OSError as error:
            self._forget_our_own_change()
            raise LedgerError(f"{self.path.name} cannot be written: {error.strerror or error}.") from error
        self._seen = None  # if somebody else has written too: read it again
        with suppress(OSError):
            stamp = self._stamp()
            if at == self._size and stamp is not None and stamp[1] == at + len(record):
                self._seen = stamp
        self._size += len(record)
        self._crc = zlib.crc32(record, self._crc)

    def _forget_our_own_change(self) -> None:
        """After an append was taken back only the file's time has changed: that is nobody else's change."""
        with suppress(OSError):
            stamp = self._stamp()
            if stamp and self._seen and stamp[:2] == self._seen[:2]:
                self._seen = stamp

    def write_anew(self, records: bytes) -> None:
        """Put a log of these records in the place of whatever is there.

        Raises:
            LedgerError: nothing was changed.
        """
        if self.closed:
            raise LedgerError(self.closed)
        data = encode_row(COLUMNS) + records
        try:
            self._replace(data, mode=0o600)
            self._seen = self._stamp()
        except OSError as error:
            raise LedgerError(f"{self.path.name} cannot be written: {error.strerror or error}.") from error
        self._size, self._crc = len(data), zlib.crc32(data)

    def seal(self, now: float, doubtful: Collection[str] = ()) -> None:
        """Note beside the log that all of it is known, at this time, some jobs from the file only.

        It is a note: where it cannot be written, the next start knows less.
        """
        if self._seen:
            inode, _, _, changed = self._seen
            self._seal.write(self._size, self._crc, (inode, changed), now, doubtful)

    def beat(self, now: float, doubtful: Collection[str] = ()) -> None:
        """Do as `seal`, also where somebody has deleted the seal."""
        self._seal.reopen_if_gone()
        self.seal(now, doubtful)

    def _sealed(self, contents: Contents, data: bytes, before: _Stamp | None) -> Contents:
        seal = self._seal.read()
        if seal is None or seal.size > len(data) or zlib.crc32(data[: seal.size]) != seal.crc:
            return contents
        if before is None or seal.stamp[0] != before[0]:
            return contents
        if seal.size == before[1] and seal.stamp[1] != before[3]:
            return contents  # as it was known, but it was put back
        header = data[: data.index(b"\n") + 1]
        later = parse(header + data[seal.size :]).rows if len(header) <= seal.size < len(data) else ()
        known = max(len(contents.rows) - len(later), 0) if seal.size >= len(header) else 0
        return replace(contents, sealed_at=seal.time, sealed_rows=known, doubtful=seal.doubtful)

    def _put(self, record: bytes, *, at: int) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                if self._write(handle, record) != len(record):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - a failed write
                try:
                    self._fsync(handle)
                except OSError:
                    # The pages may be marked clean already: a second fsync would lie (fsyncgate).
                    self.closed = _UNCONFIRMED
                    raise
            except OSError as error:
                self._take_back(handle, at, error)
                raise
        finally:
            with suppress(OSError):  # it was fsynced, or it is an error already
                os.close(handle)

    def _take_back(self, handle: int, at: int, error: OSError) -> None:
        """Cut off what was not acknowledged, so that a later start does not find it."""
        try:
            if os.fstat(handle).st_size != at:
                self._ftruncate(handle, at)
        except OSError:
            self.closed = _UNCONFIRMED
            raise LedgerUncertain(
                "It is not certain whether this was recorded: restart the studio and look into History "
                f"before you order again. ({self.path.name}: {error.strerror or error}.)"
            ) from error

    def _repair(self, data: bytes) -> bytes:
        """Return the log's whole records, and keep no others in the file: they go to `.torn`, not away."""
        whole = data.rfind(b"\n") + 1
        tail = data[whole:]
        if whole or not encode_row(COLUMNS).startswith(tail):  # else it is a header that was cut
            columns = parse(data.partition(b"\n")[0]).columns
            if missing := [name for name in _NEEDED if name not in columns]:
                raise LedgerError(f"{self.path.name} {_why_no_log(data, missing)}")
            cells = _record(tail.decode("utf-8", "replace"))
            # A cell without quotes may be cut anywhere; the last one is `extra`, empty or quoted.
            if not tail or (cells is not None and len(cells) == len(columns) and tail[-1:] in b',"\r'):
                if tail:  # only its newline is missing
                    self._put(b"\n", at=len(data))
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
        """Write the log anew with every column, and keep the old one as `.before-2`.

        At any moment of it the log is either the old one or the new one, whole.
        """
        columns = (*COLUMNS, *(name for name in contents.columns if name and name not in COLUMNS))
        missing = [name for name in COLUMNS if name not in contents.columns]
        rows = [_out_of_extra(row, missing) for row in contents.rows]
        records = [encode_row([row.get(name, "") for name in columns]) for row in rows]
        new = encode_row(columns) + b"".join(records)
        lines = data.split(b"\n")
        foreign = [lines[number - 1] + b"\n" for number in contents.unreadable]
        read = parse(with_foreign := new + b"".join(foreign))
        if len(read.rows) == len(rows) and len(read.unreadable) == len(foreign):  # else the old log has them
            new = with_foreign
        else:
            read = parse(new)
        if list(read.rows) != rows:
            raise LedgerError(
                f"{self.path.name} cannot be brought into this version's form. It is as it was."
            )
        self._keep_old(data)
        if self._stamp() != stamp:
            raise LedgerError(f"{self.path.name} is being changed by another program. Nothing was written.")
        self._replace(new, mode=self.path.stat().st_mode & 0o777)
        return replace(contents, columns=columns, rows=rows, unreadable=read.unreadable), new

    def _keep_old(self, data: bytes) -> None:
        number = 2
        while (kept := self.path.with_name(f"{self.path.name}.before-{number}")).exists():
            if kept.stat().st_size == len(data) and kept.read_bytes() == data:
                return  # a start that was cut off has kept it
            number += 1
        beside = kept.with_name(f"{kept.name}.part")
        self._write_whole(beside, data, mode=0o600)
        beside.replace(kept)
        sync_folder(self.path.parent)

    def _replace(self, data: bytes, *, mode: int) -> None:
        target = Path(os.path.realpath(self.path))  # a person may keep it elsewhere, behind a link
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
    """Return the row with the cells that older versions kept in `extra` where their column was missing."""
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


def _why_no_log(data: bytes, missing: Sequence[str]) -> str:
    """Return what is wrong with the file, and what helps."""
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
