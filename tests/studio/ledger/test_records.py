"""The records of one job in a log that somebody has edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from kling.studio.ledger.records import records_of


def test_moved_columns_a_byte_order_mark_and_a_line_that_is_cut_off_change_nothing(tmp_path: Path):
    log = tmp_path / "history.csv"
    log.write_bytes(
        b"\xef\xbb\xbfstate,external_task_id,note\r\nwaiting,a,\r\nfailed,b,a\r\nfailed,a,'=x\r\nfailed,a"
    )
    found = [{name: cell for name, cell in row.items() if cell} for row in records_of(log, "a")]
    assert found == [
        {"state": "waiting", "external_task_id": "a"},
        {"state": "failed", "external_task_id": "a", "note": "=x"},
    ]


def test_a_log_that_is_not_there_is_an_error_that_the_ledger_words(tmp_path: Path):
    with pytest.raises(OSError, match=r"history\.csv"):
        records_of(tmp_path / "history.csv", "a")
