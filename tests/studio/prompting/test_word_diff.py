"""The difference of two texts: exact in both directions, legible, and cheap whatever they are."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.prompting.word_diff import MOST_PIECES, word_diff
from tests.kling.tools import law

TEXT = st.text() | st.lists(st.sampled_from(["a", "fox", " ", "\n", "  ", ",", "雪", "狐", "it's", "é"])).map(
    "".join
)


def without(kind, pieces) -> str:
    return "".join(piece.text for piece in pieces if piece.kind != kind)


def check(old: str, new: str):
    pieces = word_diff(old, new)
    assert without("added", pieces) == old
    assert without("removed", pieces) == new
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))
    assert ("added", "removed") not in {(one.kind, other.kind) for one, other in pairwise(pieces)}
    return pieces


@given(TEXT, TEXT)
@settings(law, max_examples=300)
def test_it_is_exact_in_both_directions(old, new):
    check(old, new)


@given(TEXT, TEXT, TEXT)
@law
def test_what_stands_around_a_change_stays(before, after, new):
    pieces = check(f"{before} . {after}", f"{before} . {new} . {after}")
    kept = sum(len(piece.text) for piece in pieces if piece.kind == "same")
    assert kept >= len(before.strip()) or new


@given(TEXT)
@law
def test_equal_texts_are_the_same(text):
    assert word_diff(text, text) == ([("same", text)] if text else [])
    assert word_diff("", text) == ([("added", text)] if text else [])
    assert word_diff(text, "") == ([("removed", text)] if text else [])


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        (
            "A red fox in the snow.",
            "A blue fox in deep snow.",
            "=A |-red|+blue|= fox in |-the|+deep|= snow.",
        ),
        ("A small red fox runs", "A very old owl runs", "=A |-small red fox|+very old owl|= runs"),
        ("It's a fox", "It's the fox", "=It's |-a|+the|= fox"),
        ("a\n\nb", "a\nb", "=a|-\n\n|+\n|=b"),
        ("一只红狐狸在雪中", "一只蓝狐狸在雨中", "=一只|-红|+蓝|=狐狸在|-雪|+雨|=中"),
        ("noir, 35mm", "noir, 16mm, grain", "=noir, |-35mm|+16mm, grain"),
        ("a cafe\u0301 👩‍🚀!", "a cafe 👩🏽‍🚀!", "=a |-cafe\u0301 👩‍🚀|+cafe 👩🏽‍🚀|=!"),
        ("well-lit", "well lit", "-well-lit|+well lit"),
    ],
)
def test_it_reads_as_a_person_would_tell_it(old, new, pieces):
    signs = {"same": "=", "removed": "-", "added": "+"}
    assert "|".join(signs[piece.kind] + piece.text for piece in check(old, new)) == pieces


@pytest.mark.parametrize("letters", ["雪一", "!?", "ab ", "\u0301e"])
def test_long_texts_of_few_letters_are_compared_too(letters):
    dice = random.Random(7)
    old, new = ("".join(dice.choice(letters) for _ in range(2500)) for _ in range(2))
    same = sum(len(piece.text) for piece in check(old, new) if piece.kind == "same")
    assert same > 0 or letters in {"ab ", "\u0301e"}


def test_texts_beyond_every_limit_are_compared_at_their_ends():
    old, new = "a b " * MOST_PIECES, "c d " * MOST_PIECES
    pieces = check(f"start {old}end", f"start {new}end")
    assert [piece.kind for piece in pieces] == ["same", "removed", "added", "same"]
