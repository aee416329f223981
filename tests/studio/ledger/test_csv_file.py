"""The log's file: every text survives, no acknowledged row is lost, and a spreadsheet runs nothing."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import COLUMNS, truncate
from kling.studio.ledger import LedgerError, LedgerUncertain
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_text import decode_cell, encode_cell, encode_row, parse
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


def row(job_id: str = "job-1", **cells: str) -> list[str]:
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


def encoded_by_version_1(text: str) -> str:
    """What versions before the one that knew other separators wrote."""
    short = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    plain = re.sub(
        "[\\\\\x00-\x1f\x7f\x85\u2028\u2029]", lambda m: short.get(m[0]) or f"\\u{ord(m[0]):04x}", text
    )
    return f"'{plain}" if re.match("[\\s\ufeff]*['=+\\-@＝＋－＠]", plain) else plain


@law
@given(st.text() | st.text("\\un03b;|'=+ \n"))
def test_what_version_1_wrote_is_decoded_as_it_was(text):
    assert decode_cell(encoded_by_version_1(text)) == text


HOSTILE = st.text() | st.text(",;|\t\"' \ufeff=+-@＝x\\\n")


@law
@given(st.lists(HOSTILE, min_size=2, max_size=5))
def test_no_separator_makes_a_formula_of_a_part_of_a_cell(texts):
    line = encode_row(["id", *texts]).decode()
    for separator in ",;|\t":
        fields = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
        if separator != ",":
            fields += line.split(separator)  # by a reader that knows no quotes
        before = r"^[\s\ufeff]+" if separator == "," else r"^[\s\ufeff\"]+"
        for field in fields:
            assert not re.sub(before, "", field).startswith(TRIGGERS), (separator, field)


def test_the_cell_that_was_a_formula_behind_a_semicolon_is_none():
    assert encode_cell("x;=cmd|' /C calc'!A0") == r"x\u003b=cmd|' /C calc'!A0"
    assert encode_cell("a fox; a tree | a house") == "a fox; a tree | a house"


@law
@given(HOSTILE)
def test_hostile_text_is_decoded_as_it_was(text):
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
    stored = truncate(text)
    record = encode_row(row(prompt=stored or "x"))
    assert parse(HEADER + record).rows[0]["prompt"] == (stored or "x")


def test_half_a_surrogate_pair_becomes_a_question_mark_and_nothing_else_changes():
    assert truncate("a\ud83db🦊") == "a?b🦊"


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

    path.write_bytes(HEADER + b"".join(encode_row(row(f"job-{n}", prompt=t)) for n, t in enumerate(PECULIAR)))
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert [decode_cell(cell) for cell in frame["prompt"]] == PECULIAR


# -- files that were cut -------------------------------------------------------------------------------------


def test_a_log_cut_at_any_byte_keeps_every_row_before_the_cut_and_every_byte(path):
    rows = [
        encode_row(row("job-1", prompt='a "fox",\nin the snow')),
        encode_row(row("job-2", extra='{"probe":{"width":1280}}')),
        encode_row(row("job-3", prompt="é🦊")),
    ]
    whole = HEADER + b"".join(rows)
    ends = [len(HEADER) + sum(map(len, rows[:n])) for n in range(4)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        path.with_name("history.csv.torn").unlink(missing_ok=True)
        file = LogFile(path, fsync=lambda _: None)
        contents = file.read()
        acknowledged = [f"job-{n}" for n in (1, 2, 3) if ends[n] <= cut]
        assert ids(contents)[: len(acknowledged)] == acknowledged, cut
        assert len(contents.rows) <= len(acknowledged) + 1
        assert not contents.unreadable
        assert contents.columns == COLUMNS
        kept = path.read_bytes()
        if torn(path):
            assert whole[:cut] == kept.removesuffix(HEADER if cut < len(HEADER) else b"") + torn(path)[:-1]
        else:
            assert kept == whole[:cut].removesuffix(b"\n") + b"\n" if cut else HEADER
        file.append(encode_row(row("job-4")))
        assert ids(LogFile(path).read())[-1] == "job-4"


def test_a_row_cut_in_a_cell_without_quotes_is_torn_also_when_that_column_is_the_last(path):
    columns = [name for name in COLUMNS if name != "prompt"] + ["prompt"]
    record = encode_row(["job-1", *[""] * (len(columns) - 2), "A fox in the snow"])
    path.write_bytes(encode_row(columns) + record[:-5])
    assert ids(LogFile(path).read()) == []
    assert torn(path) == record[:-5] + b"\n"


def test_a_whole_last_row_without_its_newline_is_kept(path):
    path.write_bytes(HEADER + encode_row(row("job-1"))[:-1])
    assert ids(LogFile(path).read()) == ["job-1"]
    assert path.read_bytes() == HEADER + encode_row(row("job-1"))
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
            file.append(encode_row(row(f"job-{attempt}")))
            acknowledged.append(f"job-{attempt}")
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
    assert ids(LogFile(path).read()) == ["a"], "a refused job must not be sent by the next start"


def test_a_folder_in_place_of_the_file_is_told_in_words(path):
    path.mkdir()
    with pytest.raises(
        LedgerError, match=r"history\.csv cannot be opened: Is a directory\. .*mend the rights"
    ):
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


def test_an_append_beside_somebody_elses_is_no_reason_to_overlook_theirs(path):
    def write(handle: int, data: bytes) -> int:
        if theirs:
            os.write(handle, theirs.pop())
        return os.write(handle, data)

    theirs: list[bytes] = []
    file = LogFile(path, write=write)
    file.read()
    theirs.append(encode_row(row("b")))
    file.append(encode_row(row("a")))
    assert file.changed()


def test_our_own_append_that_was_taken_back_is_no_change(path):
    disk = Disk(2, "torn")
    file = LogFile(path, write=disk.write)
    file.read()
    with pytest.raises(LedgerError):
        file.append(encode_row(row("a")))
    assert not file.changed()


# -- the seal ------------------------------------------------------------------------------------------------


def sealed(path: Path, *, doubtful: tuple[str, ...] = ()) -> LogFile:
    file = LogFile(path)
    file.read()
    file.append(encode_row(row("a")))
    file.append(encode_row(row("b")))
    file.seal(1_795_000_000.5, frozenset(doubtful))
    return file


def test_the_seal_says_what_was_known_and_when(path):
    sealed(path, doubtful=("a", "two\nlines"))
    contents = LogFile(path).read()
    assert (contents.sealed_at, contents.sealed_rows) == (1_795_000_000.5, 2)
    assert set(contents.doubtful) == {"a", "two\nlines"}
    with path.open("ab") as other:
        other.write(encode_row(row("c")))
    contents = LogFile(path).read()
    assert (contents.sealed_rows, len(contents.rows)) == (2, 3)


@pytest.mark.parametrize("cut", [0, 1, 30, 55, 56, 57])
def test_a_seal_that_is_cut_is_not_believed(path, cut):
    sealed(path, doubtful=("a",))
    seal = path.with_name("history.csv.seal")
    seal.write_bytes(seal.read_bytes()[:cut])
    assert LogFile(path).read().sealed_at is None


@pytest.mark.parametrize(
    "change", [lambda data: data[:-3], lambda data: data.replace(b"intent", b"failed"), bytes.upper]
)
def test_a_log_that_was_changed_is_not_what_was_sealed(path, change):
    sealed(path)
    path.write_bytes(encode_row(COLUMNS) + change(path.read_bytes()[len(HEADER) :]))
    assert LogFile(path).read().sealed_at is None


def test_a_seal_that_somebody_deleted_is_written_again_with_the_next_beat(path):
    file = sealed(path, doubtful=("a",))
    path.with_name("history.csv.seal").unlink()
    file.beat(1_795_000_060.0, frozenset({"a"}))
    contents = LogFile(path).read()
    assert (contents.sealed_at, contents.sealed_rows, contents.doubtful) == (1_795_000_060.0, 2, ("a",))


def test_a_seal_that_cannot_be_written_stops_nothing(path):
    path.with_name("history.csv.seal").mkdir()
    file = sealed(path)
    file.beat(1.0)
    assert ids(LogFile(path).read()) == ["a", "b"]


# -- a write that may or may not have happened ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["not confirmed", "half written"])
def test_what_cannot_be_taken_back_is_uncertain_and_closes_the_log(path, kind):
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    file = LogFile(path)
    file.read()
    disk = Disk(1, "torn")
    broken = LogFile(
        path,
        write=disk.write if kind == "half written" else os.write,
        fsync=fail if kind == "not confirmed" else os.fsync,
        ftruncate=fail,
    )
    broken.read()
    with pytest.raises(
        LedgerUncertain, match="not certain whether this was recorded: restart the studio and look"
    ):
        broken.append(encode_row(row("a")))
    with pytest.raises(LedgerError, match="Restart the studio") as error:
        broken.append(encode_row(row("b")))
    assert not isinstance(error.value, LedgerUncertain)
    assert ids(LogFile(path).read()) == (["a"] if kind == "not confirmed" else [])


# -- logs of older versions ----------------------------------------------------------------------------------

NEW = ("person_id", "by", "endpoint", "unit_price", "star", "deleted")
OLD_COLUMNS = tuple(name for name in COLUMNS if name not in NEW)


def old_log(path: Path, columns: tuple[str, ...] = OLD_COLUMNS) -> bytes:
    rows = [row("a", prompt='=A "fox",\nin | ; the snow', extra='{"take":2}'), row("b", state="submitted")]
    records = [[dict(zip(COLUMNS, cells, strict=True)).get(name, "") for name in columns] for cells in rows]
    data = b"".join(map(encode_row, [columns, *records]))
    path.write_bytes(data)
    return data


def kept(path: Path) -> list[bytes]:
    return [file.read_bytes() for file in sorted(path.parent.glob("history.csv.before-*"))]


def test_a_log_of_an_older_version_gets_every_column_once_and_the_old_one_is_kept(path):
    old = old_log(path)
    path.chmod(0o640)
    file = LogFile(path)
    contents = file.read()
    assert contents.columns == COLUMNS
    assert path.read_bytes().startswith(HEADER)
    assert contents.rows == LogFile(path).read().rows == parse(old).rows
    assert kept(path) == [old]
    assert path.stat().st_mode & 0o777 == 0o640
    assert not file.changed()
    file.append(encode_row(row("c", star="1")))
    assert [dict(each).get("star") for each in LogFile(path).read().rows] == [None, None, "1"]
    assert sorted(each.name for each in path.parent.iterdir()) == ["history.csv", "history.csv.before-2"]


def test_a_kept_log_is_never_overwritten(path):
    path.with_name("history.csv.before-2").write_bytes(b"another one")
    old = old_log(path)
    LogFile(path).read()
    assert kept(path) == [b"another one", old]


def test_a_persons_columns_and_lines_stay_and_what_was_in_extra_gets_its_column(path):
    columns = ("extra", "state", "mine", "time", "external_task_id")
    extra = '{"take":2,"person_id":"7","account":"sandbox"}'
    path.write_bytes(
        encode_row(columns) + encode_row([extra, "intent", "kept", "now", "a"]) + b"what is this?\n"
    )
    contents = LogFile(path).read()
    assert contents.columns == (*COLUMNS, "mine")
    (only,) = contents.rows
    assert only == {
        "external_task_id": "a",
        "time": "now",
        "state": "intent",
        "mine": "kept",
        "account": "sandbox",
        "person_id": "7",
        "extra": '{"take":2}',
    }
    assert b"what is this?" in path.read_bytes()
    assert len(contents.unreadable) == len(LogFile(path).read().unreadable) == 1


def test_a_torn_tail_of_an_old_log_is_repaired_first(path):
    path.write_bytes(old_log(path) + b"c,half a row")
    assert ids(LogFile(path).read()) == ["a", "b"]
    assert torn(path) == b"c,half a row\n"


class Stopped(BaseException):
    """The process ends here."""


def test_wherever_it_is_cut_off_the_log_is_the_old_one_or_the_new_one(path, monkeypatch):
    steps = 0
    while True:
        steps += 1
        for file in path.parent.iterdir():
            file.unlink()
        old = old_log(path)
        left = [steps]

        def until(call: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def stop(*args: Any, **options: Any) -> Any:
                left[0] -= 1
                if left[0] == 0:
                    raise Stopped
                return call(*args, **options)

            return stop

        with monkeypatch.context() as patched:
            for name in ("open", "replace", "fsync"):
                patched.setattr(os, name, until(getattr(os, name)))
            file = LogFile(path, write=until(os.write), fsync=until(os.fsync))
            try:
                file.read()
            except Stopped:
                pass
            else:
                break
        assert parse(path.read_bytes()).rows == parse(old).rows
        assert LogFile(path).read().rows == parse(old).rows
        assert kept(path) == [old], "the next start goes on with it, and keeps one copy"
    assert steps > 8


@pytest.mark.parametrize("failing", range(1, 3))
def test_a_disk_that_is_full_leaves_the_old_log(path, failing):
    old = old_log(path)
    disk = Disk(failing, "full")
    with pytest.raises(LedgerError, match="in trouble"):
        LogFile(path, write=disk.write).read()
    assert path.read_bytes() == old
    assert not list(path.parent.glob("*.new"))
    assert LogFile(path).read().columns == COLUMNS


# -- logs that were saved otherwise --------------------------------------------------------------------------


@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_another_separator_is_named_with_the_remedy(path, separator, name, quoting):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, quoting=quoting).writerows(
        [COLUMNS, row("a", prompt="A fox, a tree")]
    )
    path.write_bytes(data := b"\xef\xbb\xbf" + text.getvalue().encode())
    with pytest.raises(LedgerError, match=f"separated by {name}: save it again as CSV in UTF-8"):
        LogFile(path).read()
    assert path.read_bytes() == data


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [b",", b"\t"])
def test_another_encoding_is_named_with_the_remedy(path, encoding, separator):
    path.write_bytes(
        data := (HEADER + encode_row(row("a"))).replace(b",", separator).decode().encode(encoding)
    )
    with pytest.raises(LedgerError, match="saved as UTF-16: save it again as CSV in UTF-8"):
        LogFile(path).read()
    assert path.read_bytes() == data
