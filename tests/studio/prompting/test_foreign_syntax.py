"""Syntax of other tools is told before it is paid for, and plain prose is left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.prompting.foreign_syntax import MOST_NOTES, foreign_syntax
from kling.studio.prompting.templates import templates
from tests.kling.tools import law


@pytest.mark.parametrize(
    ("text", "shown", "remedy"),
    [
        ("a {2::man|girl} in rain", "{2::", "write {man|girl}"),
        ("a {man|0.5::girl}", "|0.5::", "write {man|girl}"),
        ("{2$$red|blue|green} balls", "{2$$", "{a and b|b and c}"),
        ("{1-2$$ and $$red|blue}", "{1-2$$", "{a and b|b and c}"),
        ("a __animal__ in snow", "__animal__", "{one|another}"),
        ("a __animals/small_ones__", "__animals/small_ones__", "{one|another}"),
        ("a (fox:1.3)", "(fox:1.3)", "brackets and number off"),
        ("a (red fox : .8) runs", "(red fox : .8)", "brackets and number off"),
        ("a ((red)) fox", "((red))", "brackets and number off"),
        ("a [[red]] fox", "[[red]]", "brackets and number off"),
        ("a [red|blue] fox", "[red|blue]", "{a|b} in Variations"),
        ("a [fox:owl:0.5]", "[fox:owl:0.5]", "{a|b} in Variations"),
        ("a fox --ar 16:9", "--ar 16:9", "choose the shape"),
        ("a fox —ar 9:16", "—ar 9:16", "choose the shape"),
        ("a fox -ar 9:16", "-ar 9:16", "choose the shape"),
        ("a fox --no text", "--no text", "negative prompt"),
        ("a fox --duration=10", "--duration=10", "choose the length"),
        ("a fox --v 6.1", "--v 6.1", "take it out"),
        ("a fox --seed", "--seed", "take it out"),
        ("a fox <lora:fur:0.8>", "<lora:fur:0.8>", "take it out"),
        ("hot:: dog::2", "::", "plain sentences"),
        ("a bottle of {{product}}", "{{product}}", "{name} with its values"),
        ("a bottle of ${product}", "${product}", "{name} with its values"),
        ("a bottle of [PRODUCT NAME]", "[PRODUCT NAME]", "{name} with its values"),
        ("a bottle of <product>", "<product>", "{name} with its values"),
        ("<<<image_1>>> turns around", "<<<image_1>>>", "describe in words"),
        ("/imagine prompt: a fox", "/imagine prompt:", "take it out"),
    ],
)
def test_syntax_of_another_tool_is_told_with_what_to_write_instead(text, shown, remedy):
    [note, *others] = foreign_syntax(text)
    assert f"“{shown}”" in note
    assert remedy in note
    assert others == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "A fox in the snow.", "a {red|blue} fox in {place}", r"a \{brace\} and a | bar"),
        *("a clock (at 10:30)", "a poster (format 16:9)", "(John 3:16)", "a fox (young) [left of the frame]"),
        *("a well-known fox --running fast", "he stops — no, he runs", "a car —fast and red—", "-5 degrees"),
        *("Shot 1: 16:9 wide shot", "I <3 foxes", "a sign [1]", "snake_case_name", "12::30", "std::vector"),
        *("a ___ line", "#fox @home", "Price: 3 $$", "(see [left])", "5 < 6 and 7 > 6", "a/b"),
    ],
)
def test_plain_words_are_left_alone(text):
    assert foreign_syntax(text) == ()


def test_our_own_templates_have_none():
    assert [each.title for each in templates() if foreign_syntax(each.request.prompt)] == []


def test_each_kind_is_told_once_in_the_order_of_the_text():
    notes = foreign_syntax("(fox:1.2) (owl:1.3) --ar 1:1 __place__ --aspect 1:1 --v 6 --q 2")
    assert [note.split("”")[0][1:] for note in notes] == ["(fox:1.2)", "--ar 1:1", "__place__", "--v 6"]


@given(st.text(st.sampled_from("{}[]()<>|:$_-—a1. /*\n"), max_size=80))
@law
def test_any_text_gets_a_few_short_plain_notes(text):
    notes = foreign_syntax(text)
    assert len(notes) <= MOST_NOTES
    assert all(note.endswith(".") and len(note) < 300 and "\n" not in note for note in notes)


@pytest.mark.parametrize(
    "part", ["{", "[", "(", "<", "_", "a_", "__a", "|1::", "[a|", "((a", "a::", "[A", "{{a", "[|", "--ar "]
)
def test_no_long_text_takes_long(part):
    before = time.process_time()
    foreign_syntax(part * 30_000)
    assert time.process_time() - before < 0.5
