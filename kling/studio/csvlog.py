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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "external_task_id",
    "time",
    "state",
    "person",
    "account",
    "model_name",
    "prompt",
    "negative_prompt",
    "mode",
    "duration",
    "aspect_ratio",
    "sound",
    "cfg_scale",
    "camera_control",
    "multi_shot",
    "shot_type",
    "multi_prompt",
    "watermark_info",
    "callback_url",
    "units",
    "task_id",
    "code",
    "message",
    "request_id",
    "task_status_msg",
    "created_at",
    "updated_at",
    "final_unit_deduction",
    "video_id",
    "video_duration",
    "file",
    "file_bytes",
    "file_sha256",
    "watermark_file",
    "rating",
    "note",
    "parent",
    "batch",
    "extra",
)

_CONTROL = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(\\|n|r|t|u[0-9a-f]{4})")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_FORMULA = re.compile("[\\s\ufeff]*['=+\\-@\uff1d\uff0b\uff0d\uff20]")
_CELL_LIMIT = 2**20


class LogError(Exception):
    """The log cannot be written. Nothing was recorded, and so nothing may be sent or spent."""


def encode_cell(text: str) -> str:
    """Return the text as it stands in the file."""
    plain = _CONTROL.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def decode_cell(cell: str) -> str:
    """Return the text of which `encode_cell` made this cell."""
    plain = cell.removeprefix("'")
    return _ESCAPED.sub(lambda match: _LONG.get(match[1][0]) or chr(int(match[1][1:], 16)), plain)


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
    text = data.decode("utf-8-sig", "replace")
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""))
    columns = tuple(name.strip() for name in next(reader, []))
    rows: list[Mapping[str, str]] = []
    unreadable: list[int] = []
    for number, cells in _records(reader):
        if cells is None or len(cells) < len(columns) or any(cells[len(columns) :]):
            if cells != []:
                unreadable.append(number)
            continue
        row = {name: decode_cell(cell) for name, cell in zip(columns, cells, strict=False) if cell}
        if row.get("external_task_id"):
            rows.append(row)
        elif row:
            unreadable.append(number)
    return Contents(columns, rows, unreadable)


def _records(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | None]]:
    number = 1
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None


def whole_part(data: bytes) -> int:
    """Return how many bytes of a log are whole records; what comes after them is torn.

    A newline inside quotes ends no record: a log that a person saved in an editor may have some.
    """
    end = len(data)
    while (newline := data.rfind(b"\n", 0, end)) >= 0:
        if data.count(b'"', 0, newline) % 2 == 0:
            return newline + 1
        end = newline
    return 0


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
        self._seen: tuple[int, int] | None = None
        self._broken = ""

    def changed(self) -> bool:
        """Whether the file is another one, or longer or shorter, than after our last read or append."""
        return self._stamp() != self._seen

    def read(self) -> Contents:
        """Repair the tail, make the file if there is none, and return what it holds.

        Raises:
            LogError: the file can be neither read nor written.
        """
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
            whole = whole_part(data)
            if tail := data[whole:]:
                data = self._repair(data, whole, tail)
            if not data:
                data = encode_row(COLUMNS)
                self._put(data, at=0)
                self._sync_folder()
            self._seen = self._stamp()
        except OSError as error:
            raise LogError(f"{self.path.name} cannot be opened: {error.strerror or error}.") from error
        return parse(data)

    def append(self, record: bytes) -> None:
        """Add one record, on the disk when this returns.

        Raises:
            LogError: nothing was added.
        """
        if self._broken:
            raise LogError(self._broken)
        try:
            size = self.path.stat().st_size
            self._put(record, at=size)
        except OSError as error:
            raise LogError(f"{self.path.name} cannot be written: {error.strerror or error}.") from error
        self._seen = self._stamp()

    def _put(self, record: bytes, *, at: int) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                if self._write(handle, record) != len(record):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301 - as a failed write
            except OSError:
                os.ftruncate(handle, at)  # half a record was never acknowledged
                raise
            try:
                self._fsync(handle)
            except OSError:
                # The pages may be marked clean already: a second fsync would lie (fsyncgate).
                self._broken = "The disk did not confirm what was written. Restart the studio."
                raise
        finally:
            os.close(handle)

    def _repair(self, data: bytes, whole: int, tail: bytes) -> bytes:
        columns = parse(data[:whole]).columns
        cells = next(csv.reader([tail.decode("utf-8", "replace")]), []) if tail.count(b'"') % 2 == 0 else []
        if whole and len(cells) == len(columns):  # only its newline is missing
            with self.path.open("ab") as file:
                file.write(b"\n")
                file.flush()
                os.fsync(file.fileno())
            return data + b"\n"
        with self.path.with_name(self.path.name + ".torn").open("ab") as file:
            file.write(tail + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.truncate(self.path, whole)
        return data[:whole]

    def _stamp(self) -> tuple[int, int] | None:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return None
        return stat.st_ino, stat.st_size

    def _sync_folder(self) -> None:
        handle = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
