r"""The text of `history.csv`: one record a line, safe to open in a spreadsheet.

Text is encoded so that it can be decoded exactly. Control characters become escapes (`\n`, `\u0000`; a
backslash is doubled), so that one record is one line. A cell that a spreadsheet would run as a formula gets
an apostrophe in front (OWASP, CSV injection), and so does a cell that already starts with an apostrophe. Some
spreadsheets split a line at `;` or `|` too, even inside quotes: where a formula would begin behind such a
character, the character becomes an escape (`\u003b`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

_CONTROL = re.compile("[\\\\\x00-\x1f\x7f\x85\u2028\u2029]")
_ESCAPED = re.compile(r"\\(\\|n|r|t|u[0-9a-f]{4})")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {escape[1]: char for char, escape in _SHORT.items()}
_FORMULA = re.compile("[\\s\ufeff]*['=+\\-@\uff1d\uff0b\uff0d\uff20]")
_SPLIT = re.compile('[;|](?=[\\s\ufeff"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])')
_MOST_LINES = 50  # of one record, after an editor has turned escapes into real newlines
csv.field_size_limit(2**31 - 1)  # a row that was written has to be read back, whatever its size


def encode_cell(text: str) -> str:
    """Return the text as it stands in the file."""
    plain = _CONTROL.sub(lambda match: _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}", text)
    if ";" in plain or "|" in plain:
        plain = _SPLIT.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)
    return f"'{plain}" if _FORMULA.match(plain) else plain


def decode_cell(cell: str) -> str:
    """Return the text of a cell: the inverse of `encode_cell`."""
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
    """The contents of a log.

    Args:
        columns: the header of the file; a person may have moved columns.
        rows: each as its cells that are not empty, by column.
        lines: the number of the line of each row.
        unreadable: numbers of the lines that are no record of this log. They stay in the file.
        sealed_at: Unix seconds of the seal, which confirms the first rows. None if there is no valid seal.
        sealed_rows: how many rows the seal confirms.
        doubtful: ids of jobs among them that the studio had only read from the file.
        was_lost: there was no log, but a seal of one with rows.
    """

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]
    lines: Sequence[int]
    unreadable: Sequence[int]
    sealed_at: float | None = None
    sealed_rows: int = 0
    doubtful: Collection[str] = field(default=())
    was_lost: bool = False


def parse(data: bytes) -> Contents:
    """Read a whole log. It may have a byte order mark, CRLF, other quoting, and moved columns."""
    lines = io.StringIO(data.decode("utf-8-sig", "replace"), newline="").readlines()
    try:
        return _contents(lines, _parse_plain(lines))
    except csv.Error:  # a person or a program has edited the file
        return _contents(lines, _parse_damaged(lines))


def _contents(lines: Sequence[str], records: Iterator[tuple[int, list[str] | None]]) -> Contents:
    columns = tuple(name.strip() for name in next(records, (1, []))[1] or ())
    width = len(columns)
    rows: list[Mapping[str, str]] = []
    numbers: list[int] = []
    unreadable: list[int] = []
    for number, cells in records:
        if cells is None or len(cells) != width:
            if cells == []:
                continue
            if cells is None or len(cells) < width or any(cells[width:]):
                unreadable.append(number)
                continue
        row = dict(compress(zip(columns, cells, strict=False), cells))  # without the empty ones
        line = lines[number - 1]
        if "\\" in line or "'" in line:  # few lines have a cell to decode
            row = {name: decode_cell(cell) for name, cell in row.items()}
        if "external_task_id" in row:
            rows.append(row)
            numbers.append(number)
        elif row:
            unreadable.append(number)
    return Contents(columns, rows, numbers, unreadable)


def _parse_plain(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Read a log as this module writes it: each line is a record.

    Raises:
        csv.Error: it is not so written; for a record of several lines only at the end.
    """
    reader = csv.reader(lines, strict=True)
    count = 0
    for count, cells in enumerate(reader, 1):
        yield count, cells
    if count != reader.line_num:
        raise csv.Error("a record of several lines")


def _parse_damaged(lines: Sequence[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Read a log that was edited by hand: with records of several lines, and quotes that are not closed.

    Only the line of such a quote is unreadable; to a plain reader all lines after it would be one cell.
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
