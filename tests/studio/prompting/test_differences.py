"""What differs between texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.prompting.differences import differences, joined
from kling.studio.prompting.template_language import escape, expand

CAR = "A {red|blue|green} vintage car drives along the coast at {dawn|noon}"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["A shoe in red on wet sand", "A shoe in black on wet sand"], "A shoe in {red|black} on wet sand"),
        (["red, at dawn", "light blue, at dawn"], "{red|light blue}, at dawn"),
        (["a fox", "a fox at night"], "a fox{| at night}"),
        (["{a|b} fox", "{a|b} owl"], r"\{a\|b\} {fox|owl}"),
        (["the same", "the same"], "the same"),
    ],
)
def test_what_differs_between_texts_stands_in_braces(texts: list[str], found: str):
    assert joined(texts) == found
    assert expand(found) == list(dict.fromkeys(texts))


@pytest.mark.parametrize(
    "typed",
    [
        CAR,
        "{red|blue} {car|van}",
        "{A|B} fox{| at night}",
        "{a|b} x {c|d} y {e|f|g}.",
        "A {grey owl|fox} in {x|y}",
    ],
)
def test_every_pair_of_braces_comes_back(typed: str):
    assert joined(expand(typed)) == typed


WORDS = st.text(r"abc{}|\\,. ", max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=9))
def test_it_stands_for_exactly_these_texts(texts: list[str]):
    assert expand(joined(texts)) == list(dict.fromkeys(texts))
    assert len(differences(texts)) == len(texts)


# Alternatives of which none begins or ends as another one does, and words between them.
OTHERS = st.permutations(["red", "blue", "grey owl", "{x}", "a|b"]).flatmap(
    lambda found: st.integers(2, 5).map(lambda number: found[:number])
)


@given(st.lists(OTHERS, min_size=1, max_size=4))
def test_a_whole_product_is_the_text_that_was_typed(groups: list[list[str]]):
    typed = " and ".join(f"{{{'|'.join(map(escape, group))}}}" for group in groups)
    assert joined(expand(typed)) == typed


@given(st.data())
def test_of_a_part_of_a_product_exactly_that_part_comes_back(data: st.DataObject):
    texts = data.draw(st.lists(st.sampled_from(expand(CAR)), min_size=1, max_size=6, unique=True))
    assert expand(joined(texts)) == texts


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (expand(CAR)[:3], ["red · dawn", "red · noon", "blue · dawn"]),
        (expand("A {red|light grey} car at {dawn|noon}")[-1:], [""]),
        (expand("A {red|light grey} car at {dawn|noon}"),
         ["red · dawn", "red · noon", "light grey · dawn", "light grey · noon"]),
        (["A red car", "A blue van", "A red car"], ["red car", "blue van", "red car"]),
        (["A fox, red", "A fox, light grey", "A fox"], ["red", "light grey", ""]),
        (["A fox", "A fox"], ["", ""]),
    ],
)  # fmt: skip
def test_each_text_is_told_by_what_the_others_do_not_have(texts: list[str], found: list[str]):
    assert differences(texts) == found
