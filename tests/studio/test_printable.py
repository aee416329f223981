"""Texts of others become plain text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.printable import printable


def is_plain(text: str) -> bool:
    return all(char in "\n\u200c\u200d" or unicodedata.category(char)[0] != "C" for char in text)


@given(st.text())
def test_what_is_printable_has_no_controls_and_stays_so(text):
    found = printable(text)
    assert is_plain(found)
    assert printable(found) == found


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\u202egnp.exe\u202c \u2066x\u2069", "gnp.exe x"),
        ("\ufeffa\u200bb\ud800c", "abc"),
        ("👩‍🚀 می‌خواهم", "👩‍🚀 می‌خواهم"),
        ("tab\there", "tab here"),
    ],
)
def test_controls_and_marks_of_direction_go_and_words_stay(text, left):
    assert printable(text) == left
