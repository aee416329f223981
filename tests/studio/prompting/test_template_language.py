"""Variables and alternatives: how many texts, in which order, none lost, and literal braces."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.prompting.template_language import (
    TemplateSyntaxError,
    count_all,
    escape,
    expand,
    expand_all,
)
from tests.kling.tools import law

VALUES = {"animal": ["fox", "owl", "{x|y}"], "place": ["a den", ""], "unused": ["1", "2", "3", "4"]}


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("", [""]),
        ("a fox | an owl", ["a fox | an owl"]),
        ("a {red|blue} fox", ["a red fox", "a blue fox"]),
        ("{a|b}{1|2}", ["a1", "a2", "b1", "b2"]),
        ("{a {red|blue} fox|an owl}!", ["a red fox!", "a blue fox!", "an owl!"]),
        ("fox{| at dawn}", ["fox", "fox at dawn"]),
        ("{a|a}", ["a", "a"]),
        ("{animal}", ["fox", "owl", "{x|y}"]),
        ("{ animal } or {animal}", ["fox or fox", "owl or owl", "{x|y} or {x|y}"]),
        (
            "{place}{1|2}{animal}",
            [p + d + a for p in VALUES["place"] for a in VALUES["animal"] for d in "12"],
        ),
        (r"\{a\|b\} \\ C:\dir \n \ {x\}|y\|z}", [r"{a|b} \ C:\dir \n \ x}", r"{a|b} \ C:\dir \n \ y|z"]),
        ("ends in \\", ["ends in \\"]),
    ],
)
def test_what_a_text_stands_for(text, texts):
    assert expand(text, VALUES) == texts
    assert count_all((text,), VALUES) == len(texts)


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("a {fox", 2, "{ at character 3 is never closed"),
        ("{a|{b|c}", 0, "{ at character 1 is never closed"),
        ("a fox}", 5, "} at character 6 closes nothing"),
        ("a {color} fox", 2, "{color} at character 3 is not defined"),
        ("a {empty} fox", 2, "{empty} at character 3 has no values"),
        ("a {} fox", 2, r"write {one|another}, or \{ and \} for literal"),
        ("a {{b|c}} fox", 2, "nothing to choose from"),
        ("{" * 21 + "a|b" + "}" * 21, 20, "more than 20 deep"),
        ("{" * 50_000, 20, "more than 20 deep"),
        ("{a|b}" * 14, 0, "16,384 texts; at most 10,000"),
        ("{a|b}" * 20_000, 0, "more than a billion texts"),
    ],
)
def test_what_cannot_be_expanded_is_told_with_its_place_and_a_remedy(text, at, words):
    with pytest.raises(TemplateSyntaxError) as told:
        expand(text, {"empty": []})
    assert words in str(told.value)
    assert told.value.at == at


def test_counting_makes_nothing_and_stops_at_a_billion():
    assert count_all(["{a|b}" * 20]) == 2**20
    assert count_all(["{a|b}" * 20_000]) == 10**9
    assert count_all(("{n}",), {"n": [""] * 7}) == 7


@given(st.text())
@law
def test_escaped_text_stands_for_itself(text):
    assert expand(escape(text)) == [text]


@given(st.text(st.characters(exclude_characters="{}\\")))
@law
def test_text_without_braces_is_itself(text):
    assert expand(text, VALUES) == [text]


# A tree of parts, its text, and every text that it stands for by definition.
LITERAL = st.text("ab |\\{}", max_size=4)


@st.composite
def templates(draw: st.DrawFn, depth: int = 2) -> list[Any]:
    parts: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["text", "name", "choice"] if depth else ["text", "name"]))
        if kind == "text":
            parts.append(draw(LITERAL))
        elif kind == "name":
            parts.append(("name", draw(st.sampled_from(["animal", "place"]))))
        else:
            parts.append([draw(templates(depth - 1)) for _ in range(draw(st.integers(2, 3)))])
    return parts


def written(parts: list[Any]) -> str:
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += escape(part)
        elif isinstance(part, tuple):
            text += "{" + part[1] + "}"
        else:
            text += "{" + "|".join(map(written, part)) + "}"
    return text


def named(parts: list[Any]) -> list[str]:
    names = []
    for part in parts:
        if isinstance(part, tuple):
            names.append(part[1])
        elif isinstance(part, list):
            names += [name for each in part for name in named(each)]
    return names


def meant(parts: list[Any], chosen: dict[str, str]) -> list[str]:
    options = []
    for part in parts:
        if isinstance(part, str):
            options.append([part])
        elif isinstance(part, tuple):
            options.append([chosen[part[1]]])
        else:
            options.append([text for each in part for text in meant(each, chosen)])
    return ["".join(each) for each in product(*options)]


@given(templates())
@law
def test_nothing_is_lost_and_the_order_is_that_of_counting(parts):
    text = written(parts)
    used = list(dict.fromkeys(named(parts)))
    expected = []
    for values in product(*(VALUES[name] for name in used)):
        expected += meant(parts, dict(zip(used, values, strict=True)))
    if len(expected) <= 10_000:
        assert expand(text, VALUES) == expected
    assert count_all((text,), VALUES) == len(expected)


@given(st.lists(templates(1), max_size=3))
@law
def test_texts_of_one_request_share_their_variables(several):
    texts = tuple(map(written, several))
    if count_all(texts, VALUES) > 2000:
        return
    rows = expand_all(texts, VALUES)
    assert len(rows) == count_all(texts, VALUES)
    assert all(len(row) == len(texts) for row in rows)
    if len(texts) == 2 and texts[0] == texts[1] == "{animal}":
        assert all(first == second for first, second in rows)


def test_a_variable_has_one_value_in_all_texts_of_a_row():
    assert expand_all(("{animal} {1|2}", "no {animal}"), {"animal": ["fox", "owl"]}) == [
        ("fox 1", "no fox"),
        ("fox 2", "no fox"),
        ("owl 1", "no owl"),
        ("owl 2", "no owl"),
    ]
