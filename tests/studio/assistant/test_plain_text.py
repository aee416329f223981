"""What is left of a model's answer is printable text within a bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.assistant.plain_text import LONGEST, Spoken, cut, tidy
from kling.studio.printable import printable
from tests.studio.test_printable import is_plain

PIECES = st.lists(st.text(max_size=30) | st.sampled_from(["<think>", "</think>", "<thi", "nk>", "\r", "\n"]))


@given(st.text())
def test_what_was_meant_has_no_controls(text):
    assert is_plain(tidy(printable(text)))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("  A fox \n\n\n\n runs ", "A fox\n\nruns"),
        ("```\nA fox\n```", "A fox"),
        ("```text\nA fox\n```", "A fox"),
        ('"A fox"', "A fox"),
        ("“A fox”", "A fox"),
        ('"Stop", she says, "now"', '"Stop", she says, "now"'),
        ("", ""),
    ],
)
def test_a_fence_and_quotes_around_all_of_it_are_taken_off(text, meant):
    assert tidy(text) == meant


@given(st.text(), st.integers(1, 50))
def test_a_cut_text_is_the_beginning_and_short_enough(text, most):
    found = cut(text, most)
    assert len(found) <= most
    assert text.startswith(found)


def test_a_text_is_cut_at_a_word():
    assert cut("A fox runs through the snow", 24) == "A fox runs through the"
    assert cut("A fox", 5) == "A fox"
    assert cut("x" * 30, 10) == "x" * 10


def spoken(*pieces: str) -> tuple[str, Spoken]:
    found = Spoken()
    said = "".join(found.add(piece) for piece in pieces)
    return said + found.end(), found


def test_what_a_model_only_thought_is_not_said():
    assert spoken("<th", "ink>Let me", " see</thi", "nk>\nA ", "fox")[0] == "\nA fox"
    assert spoken("<think>and no end")[0] == ""
    assert spoken("A <think> fox")[0] == "A <think> fox"


def test_what_only_looks_like_a_thought_is_said():
    assert spoken("<thi")[0] == "<thi"
    assert spoken("<th", "eatre> at night")[0] == "<theatre> at night"


@given(PIECES)
def test_all_that_was_said_is_the_text_and_bounded(pieces):
    said, found = spoken(*pieces)
    assert said == found.text
    assert is_plain(said)


def test_more_than_is_kept_is_not_kept():
    said, found = spoken(*["word "] * (LONGEST // 5 + 10))
    assert len(said) == LONGEST
    assert found.is_full
