r"""The text of `history.csv`: one record a line, safe to open in a spreadsheet.

Text is changed in reversible ways. Control characters become escapes (`\n`, `\u0000`; a backslash is
doubled), so that one record is one line. A cell that a spreadsheet would take for a formula gets an
apostrophe in front (OWASP, CSV injection), and so does one that starts with an apostrophe. A spreadsheet may
split the line at `;` or `|` instead, whatever is quoted: such a character in front of what would be a formula
becomes an escape too (`\u003b`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

_CONTROL = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(\\|n|r|t|u[0-9a-f]{4})")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_FORMULA = re.compile("[\\s\ufeff]*['=+\\-@\uff1d\uff0b\uff0d\uff20]")
_SPLIT = re.compile('[;|](?=[\\s\ufeff"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
_MOST_LINES = 50  # that one record may have after somebody's editor broke it
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
        return _contents(lines, _parse_damaged(lines))


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


def _parse_damaged(lines: Sequence[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Read a log that was edited by hand: records of several lines, quotes that nobody closes.

    Such a quote costs its own line only: to a plain reader it would swallow every row after it.
    """
    at = width = 0
    while at < len(lines):
        end = at + 1
        cells = record_of(lines[at])
        while cells is None and end < min(at + _MOST_LINES, len(lines)):
            end += 1
            cells = record_of("".join(lines[at:end]))
        if end > at + 1 and (cells is None or len(cells) != width):
            cells, end = None, at + 1
        width = width or len(cells or ())
        yield at + 1, cells
        at = end


def record_of(text: str) -> list[str] | None:
    """Return the cells of one record, None if it is not one whole record."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None
