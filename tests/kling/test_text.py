"""Any text from outside can be stored afterwards."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.text import printable, storable


def is_plain(text: str) -> bool:
    return all(char in "\n\u200c\u200d" or unicodedata.category(char)[0] != "C" for char in text)


@given(st.text(st.characters()), st.integers(1, 30))
def test_what_comes_out_can_be_encoded_and_is_not_longer_than_the_limit(text, limit):
    kept = storable(text, limit)
    kept.encode()
    assert "\0" not in kept
    assert len(kept) == min(len(text), limit)


def test_half_a_pair_and_nul_become_the_replacement_character_and_the_rest_stays():
    assert storable("a\ud800b\0c\udfff 🎬", 100) == "a\ufffdb\ufffdc\ufffd 🎬"


def test_a_text_that_is_too_long_keeps_its_beginning_and_shows_the_cut():
    assert storable("x" * 100_001, 100_000) == "x" * 99_999 + "…"
    assert storable("x" * 100_000, 100_000) == "x" * 100_000


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
