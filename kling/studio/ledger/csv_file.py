r"""The file format of `history.csv`: append-only, one record a line, safe to open in a spreadsheet.

Text is changed in two reversible ways. Control characters become escapes (`\n`, `\u0000`; a backslash is
doubled), so that one record is one line. A cell that a spreadsheet would take for a formula gets an
apostrophe in front (OWASP, CSV injection), and so does one that starts with an apostrophe.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from kling.client import sync_folder
from kling.studio.jobs import COLUMNS
from kling.studio.ledger import LedgerError

_CONTROL = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(\\|n|r|t|u[0-9a-f]{4})")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_FORMULA = re.compile("[\\s\ufeff]*['=+\\-@\uff1d\uff0b\uff0d\uff20]")
_NEEDED = ("external_task_id", "time", "state", "extra")
_MOST_LINES = 50  # that one record may have after somebody's editor broke it

csv.field_size_limit(2**31 - 1)  # an acknowledged row is read back, whatever its size


def encode_cell(text: str) -> str:
    """Return the text as it stands in the file."""
    plain = _CONTROL.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text)
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
    csv.writer(text, lineterminator="\n").writerow([encode_cell(cell) for cell in cells])
    return text.getvalue().encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a log holds.

    Args:
        columns: the header as it stands in the file; a person may have moved them.
        rows: each as the cells that say something, by column.
        unreadable: lines that are no record of this log, with their numbers. They stay in the file.
    """

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]
    unreadable: Sequence[int]


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


class LogFile:
    """The file itself: opened by its path for each append, because a person may have replaced it.

    Args:
        path: of the log; its folder exists.
        write, fsync: as in `os`; a test makes them fail.
    """

    def __init__(
        self,
        path: Path,
        *,
        write: Callable[[int, bytes], int] = os.write,
        fsync: Callable[[int], None] = os.fsync,
    ) -> None:
        self.path = path
        self._write, self._fsync = write, fsync
        self._seen: tuple[int, int, int] | None = None
        self._broken = ""

    def changed(self) -> bool:
        """Whether somebody else has changed or replaced the file after our last read or append."""
        return self._stamp() != self._seen

    def read(self) -> Contents:
        """Repair the tail, make the file if there is none, and return what it holds.

        Raises:
            LedgerError: the file cannot be read or written, or is no log of this studio; it is left as it is.
        """
        try:
            stamp = self._stamp()  # before the bytes: what is added meanwhile is seen as a change
            data = self.path.read_bytes() if stamp else b""
            repaired = self._repair(data)
            if not repaired:
                repaired = encode_row(COLUMNS)
                self._put(repaired, at=0)
                sync_folder(self.path.parent)
            self._seen = stamp if repaired is data else self._stamp()
        except OSError as error:
            raise LedgerError(f"{self.path.name} cannot be opened: {error.strerror or error}.") from error
        return parse(repaired)

    def append(self, record: bytes) -> None:
        """Add a record, or several that belong together, on the disk when this returns.

        Raises:
            LedgerError: nothing was added.
        """
        if self._broken:
            raise LedgerError(self._broken)
        try:
            self._put(record, at=self.path.stat().st_size)
        except OSError as error:
            raise LedgerError(f"{self.path.name} cannot be written: {error.strerror or error}.") from error
        self._seen = self._stamp()

    def _put(self, record: bytes, *, at: int) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if self._write(handle, record) != len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - as a failed write
            try:
                self._fsync(handle)
            except OSError:
                # The pages may be marked clean already: a second fsync would lie (fsyncgate).
                self._broken = "The disk did not confirm what was written. Restart the studio."
                raise
        except OSError:
            os.ftruncate(handle, at)  # never acknowledged, so a later start must not find it
            raise
        finally:
            os.close(handle)

    def _repair(self, data: bytes) -> bytes:
        """Return the log's whole records, and keep no others in the file: they go to `.torn`, not away."""
        if not data and self._seen:
            raise LedgerError(
                f"{self.path.name} is gone. Put it back, or restart the studio to begin a new one."
            )
        whole = data.rfind(b"\n") + 1
        tail = data[whole:]
        if whole or not encode_row(COLUMNS).startswith(tail):  # else it is a header that was cut
            columns = parse(data.partition(b"\n")[0]).columns
            if missing := [name for name in _NEEDED if name not in columns]:
                raise LedgerError(
                    f"{self.path.name} has no column {', '.join(missing)}, so it is not a log of this "
                    "studio: move it out of the data folder, or give its columns their names back."
                )
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

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns
