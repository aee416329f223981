"""The log's file: every text survives, no acknowledged row is lost, and a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import COLUMNS, storable
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile, decode_cell, encode_cell, encode_row, parse
from tests.kling.tools import law

HEADER = encode_row(COLUMNS)
TRIGGERS = tuple("=+-@\t\r\n\0＝＋－＠")
PECULIAR = [
    "NA",
    "null",
    "123456789012345678",
    "0012",
    "nul\0nul",
    "two\nlines\r\nand\ttabs",
    "\u2028\u2029\x85\x0b\x0c\x1c",
    '=HYPERLINK("http://x";"y")',
    "'=1",
    "' ' =1",
    "  =1",
    "\ufeff=1",
    "＝1",
    "\\n is not a newline",
    "\\",
    "\\u0041",
    "🦊" * 300,
    "👩\u200d👩\u200d👧",
    "e" + "\u0301" * 2500,
    'a "quote", a comma',
    "\u202eright to left",
]


def row(job_id: str = "wish-1", **cells: str) -> list[str]:
    cells = {"external_task_id": job_id, "time": "2026-11-22T10:00:00.000+00:00", "state": "intent"} | cells
    return [cells.get(name, "") for name in COLUMNS]


def ids(contents) -> list[str]:
    return [record["external_task_id"] for record in contents.rows]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.csv"


def torn(path: Path) -> bytes:
    beside = path.with_name("history.csv.torn")
    return beside.read_bytes() if beside.exists() else b""


# -- cells and rows ------------------------------------------------------------------------------------------


@law
@given(st.text())
def test_what_is_encoded_is_decoded(text):
    assert decode_cell(encode_cell(text)) == text


@law
@given(st.lists(st.text(), min_size=2, max_size=5))
def test_one_record_is_one_line_and_no_cell_of_it_starts_a_formula(texts):
    record = encode_row(texts)
    assert record.count(b"\n") == 1
    assert record.decode().splitlines() == [record.decode().removesuffix("\n")]
    for cell in next(csv.reader(io.StringIO(record.decode(), newline=""))):
        assert not re.sub(r"^[\s\ufeff]+", "", cell).startswith(TRIGGERS)


@law
@given(st.text(st.characters(codec=None)))
def test_text_that_is_storable_is_read_back_as_it_is(text):
    stored = storable(text)
    record = encode_row(row(prompt=stored or "x"))
    assert parse(HEADER + record).rows[0]["prompt"] == (stored or "x")


def test_half_a_surrogate_pair_becomes_a_question_mark_and_nothing_else_changes():
    assert storable("a\ud83db🦊") == "a?b🦊"


@pytest.mark.parametrize("text", PECULIAR, ids=range(len(PECULIAR)))
def test_peculiar_text_survives(path, text):
    file = LogFile(path)
    file.read()
    file.append(encode_row(row(prompt=text, note=text)))
    assert dict(LogFile(path).read().rows[0]) | {"prompt": text, "note": text} == LogFile(path).read().rows[0]


def test_a_cell_of_two_megabytes_is_read_back():
    message = "x" * 2**21
    assert parse(HEADER + encode_row(row(message=message))).rows[0]["message"] == message


def test_pandas_reads_the_same_cells(path):
    import pandas as pd

    path.write_bytes(
        HEADER + b"".join(encode_row(row(f"wish-{n}", prompt=t)) for n, t in enumerate(PECULIAR))
    )
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert [decode_cell(cell) for cell in frame["prompt"]] == PECULIAR


# -- files that were cut -------------------------------------------------------------------------------------


def test_a_log_cut_at_any_byte_keeps_every_row_before_the_cut_and_every_byte(path):
    rows = [
        encode_row(row("wish-1", prompt='a "fox",\nin the snow')),
        encode_row(row("wish-2", extra='{"probe":{"width":1280}}')),
        encode_row(row("wish-3", prompt="é🦊")),
    ]
    whole = HEADER + b"".join(rows)
    ends = [len(HEADER) + sum(map(len, rows[:n])) for n in range(4)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        path.with_name("history.csv.torn").unlink(missing_ok=True)
        file = LogFile(path, fsync=lambda _: None)
        contents = file.read()
        acknowledged = [f"wish-{n}" for n in (1, 2, 3) if ends[n] <= cut]
        assert ids(contents)[: len(acknowledged)] == acknowledged, cut
        assert len(contents.rows) <= len(acknowledged) + 1
        assert not contents.unreadable
        assert contents.columns == COLUMNS
        kept = path.read_bytes()
        if torn(path):
            assert whole[:cut] == kept.removesuffix(HEADER if cut < len(HEADER) else b"") + torn(path)[:-1]
        else:
            assert kept == whole[:cut].removesuffix(b"\n") + b"\n" if cut else HEADER
        file.append(encode_row(row("wish-4")))
        assert ids(LogFile(path).read())[-1] == "wish-4"


def test_a_row_cut_in_a_cell_without_quotes_is_torn_also_when_that_column_is_the_last(path):
    columns = [name for name in COLUMNS if name != "prompt"] + ["prompt"]
    record = encode_row(["wish-1", *[""] * (len(columns) - 2), "A fox in the snow"])
    path.write_bytes(encode_row(columns) + record[:-5])
    assert ids(LogFile(path).read()) == []
    assert torn(path) == record[:-5] + b"\n"


def test_a_whole_last_row_without_its_newline_is_kept(path):
    path.write_bytes(HEADER + encode_row(row("wish-1"))[:-1])
    assert ids(LogFile(path).read()) == ["wish-1"]
    assert path.read_bytes() == HEADER + encode_row(row("wish-1"))
    assert torn(path) == b""


def test_what_was_torn_before_is_not_overwritten(path):
    for tail in (b"one", b"two"):
        path.write_bytes(HEADER + tail)
        LogFile(path).read()
    assert torn(path) == b"one\ntwo\n"


# -- files that people edited --------------------------------------------------------------------------------


def test_a_byte_order_mark_crlf_and_other_quoting_are_understood(path):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([COLUMNS, row("a"), row("b")])
    path.write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    file = LogFile(path)
    assert ids(file.read()) == ["a", "b"]
    file.append(encode_row(row("c")))
    assert ids(file.read()) == ["a", "b", "c"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_a_record_that_an_editor_broke_into_lines_is_one_record(path):
    broken = encode_row(row("b", note="one two")).replace(b"one two", b'"one\ntwo, ""three"""')
    path.write_bytes(HEADER + encode_row(row("a")) + broken + encode_row(row("c")))
    contents = LogFile(path).read()
    assert ids(contents) == ["a", "b", "c"]
    assert contents.rows[1]["note"] == 'one\ntwo, "three"'
    assert not contents.unreadable


@pytest.mark.parametrize(
    "foreign",
    [b"a line of somebody's", b'"a quote that nobody closes', b'a "quote" here,"and one there', b",,,", b'"'],
)
def test_a_foreign_line_is_counted_and_left_and_hides_no_row(path, foreign):
    data = (
        HEADER
        + encode_row(row("a"))
        + foreign
        + b"\n"
        + b"".join(encode_row(row(f"b{n}", prompt='a "fox", here')) for n in range(60))
    )
    path.write_bytes(data)
    contents = LogFile(path).read()
    assert ids(contents) == ["a", *(f"b{n}" for n in range(60))]
    assert list(contents.unreadable) == [3]
    assert path.read_bytes() == data
    assert torn(path) == b""


def test_blank_lines_say_nothing(path):
    path.write_bytes(HEADER + b"\n" + encode_row(row("a")) + b"\r\n\n")
    contents = LogFile(path).read()
    assert ids(contents) == ["a"]
    assert not contents.unreadable


@pytest.mark.parametrize(
    "foreign", [b"a,b\n1,2\n", b"hello", b"a,b\n1", b"\n", b"\x89PNG\r\n\x1a\n\0\0", b"\0" * 9]
)
def test_a_file_that_is_no_log_is_refused_with_words_and_left_as_it_is(path, foreign):
    path.write_bytes(foreign)
    with pytest.raises(LedgerError, match="not a log of this studio: move it out of the data folder"):
        LogFile(path).read()
    assert path.read_bytes() == foreign
    assert torn(path) == b""


# -- disks that fail -----------------------------------------------------------------------------------------


class Disk:
    """`os.write` and `os.fsync`, of which the n-th call fails."""

    def __init__(self, failing: int, how: str) -> None:
        self.calls, self.failing, self.how = 0, failing, how

    def write(self, handle: int, data: bytes) -> int:
        self.calls += 1
        if self.calls != self.failing:
            return os.write(handle, data)
        if self.how == "short":
            return os.write(handle, data[: len(data) // 2])
        if self.how == "torn":
            os.write(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC if self.how == "full" else errno.EIO, "the disk is in trouble")


@pytest.mark.parametrize("how", ["full", "broken", "short", "torn"])
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_write_that_fails_leaves_nothing_half_there_and_the_next_one_goes_on(path, failing, how):
    disk = Disk(failing, how)
    file = LogFile(path, write=disk.write, fsync=lambda _: None)
    acknowledged, refused = [], []
    for attempt in range(5):
        try:
            file.read()
            file.append(encode_row(row(f"wish-{attempt}")))
            acknowledged.append(f"wish-{attempt}")
        except LedgerError as error:
            refused.append(str(error))
            assert path.read_bytes()[-1:] in b"\n", "half a row is left"
    assert len(acknowledged) == 4
    assert refused[0].startswith("history.csv cannot be")
    assert ids(LogFile(path).read()) == acknowledged
    assert torn(path) == b""


def test_after_an_unconfirmed_write_nothing_more_is_accepted_and_the_row_is_not_found_later(path):
    confirm = True

    def fsync(handle: int) -> None:
        if not confirm:
            raise OSError(errno.EIO, "Input/output error")
        os.fsync(handle)

    file = LogFile(path, fsync=fsync)
    file.read()
    file.append(encode_row(row("a")))
    confirm = False
    with pytest.raises(LedgerError):
        file.append(encode_row(row("b")))
    confirm = True
    with pytest.raises(LedgerError, match="Restart the studio"):
        file.append(encode_row(row("c")))
    assert ids(LogFile(path).read()) == ["a"], "a refused wish must not be sent by the next start"


def test_a_folder_in_place_of_the_file_is_told_in_words(path):
    path.mkdir()
    with pytest.raises(LedgerError, match=r"history\.csv cannot be opened: Is a directory"):
        LogFile(path).read()


# -- files that change while the studio runs -----------------------------------------------------------------


def test_our_own_appends_are_no_change_and_everybody_elses_are(path):
    file = LogFile(path)
    file.read()
    file.append(encode_row(row("a")))
    assert not file.changed()
    with path.open("ab") as other:
        other.write(encode_row(row("b")))
    assert file.changed()
    file.read()
    assert not file.changed()
    saved = path.with_name("saved")
    saved.write_bytes(path.read_bytes())
    saved.replace(path)
    assert file.changed()


def test_an_edit_that_keeps_the_size_is_a_change(path):
    file = LogFile(path)
    file.read()
    file.append(encode_row(row("a", rating="4")))
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b",4,", b",5,"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert file.changed()


@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_a_log_that_vanishes_while_we_run_is_not_begun_anew(path, how):
    file = LogFile(path)
    file.read()
    path.unlink() if how == "deleted" else path.write_bytes(b"")
    assert file.changed()
    with pytest.raises(LedgerError, match="is gone"):
        file.read()
