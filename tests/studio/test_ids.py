"""An id says whose it is, is a file's name, and no number to a spreadsheet."""

from __future__ import annotations

import re

import pytest

from kling.studio.ids import MARK_FILE, adopted_id, asked_by, folder_marks, mark_of, new_id


def test_an_id_carries_the_mark_and_is_new_each_time():
    first, second = new_id("abcd2345", 1_795_000_000.0), new_id("abcd2345", 1_795_000_000.0)
    assert first != second
    assert mark_of(first) == mark_of(second) == "abcd2345"
    assert re.fullmatch("[0-9A-Za-z][0-9A-Za-z_-]{0,63}", first)
    assert not first[0].isdigit()


@pytest.mark.parametrize(
    ("job_id", "mark"),
    [
        ("v019ab1c2d3e4a1b2c3d4e5f6", ""),  # as older versions made them
        ("k841234567890123456", None),
        ("somebody-elses-id", None),
        ("", None),
        ("vABCD2345-019ab1c2d3e4a1b2c3d4e5f6", None),
    ],
)
def test_other_ids_carry_none(job_id, mark):
    assert mark_of(job_id) == mark


def test_a_task_without_an_id_of_ours_is_asked_for_by_klings():
    assert adopted_id("841234567890123456") == "k841234567890123456"
    assert asked_by("k841234567890123456") == "841234567890123456"
    assert asked_by("v019ab1c2d3e4a1b2c3d4e5f6") == "v019ab1c2d3e4a1b2c3d4e5f6"
    assert adopted_id("../../etc/passwd") is None
    assert adopted_id("") is None


def test_the_mark_of_a_folder_is_made_once(tmp_path):
    (mark,) = folder_marks(tmp_path, [])
    assert folder_marks(tmp_path, ["vother234-019ab1c2d3e4a1b2c3d4e5f6"]) == (mark,)
    assert (tmp_path / MARK_FILE).read_text() == f"{mark}\n"


@pytest.mark.parametrize("text", ["", "not a mark\n", "\x00\xff"])
def test_a_lost_mark_is_taken_from_the_log_again(tmp_path, text):
    if text:
        (tmp_path / MARK_FILE).write_text(text, encoding="latin-1")
    known = [new_id("abcd2345", 1.0), new_id("abcd2345", 2.0), new_id("zzzz2345", 3.0), "v" + "0" * 24]
    assert folder_marks(tmp_path, known) == ("abcd2345",)


def test_further_marks_of_a_folder_come_after_its_first_one(tmp_path):
    (tmp_path / MARK_FILE).write_text("abcd2345\n\n not one \nzzzz2345\nabcd2345\n")
    assert folder_marks(tmp_path, []) == ("abcd2345", "zzzz2345")
