"""Any text from outside can be stored afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kling.text import storable


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
