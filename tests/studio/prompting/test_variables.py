"""Variables as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.prompting.template_language import TemplateSyntaxError
from kling.studio.prompting.variables import NAME, parse_variables
from tests.kling.tools import law

names = st.from_regex(NAME, fullmatch=True).map(str.strip).filter(NAME.fullmatch)
values = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="\\")).map(str.strip)


def format_variables(variables: dict[str, list[str]]) -> str:
    return "\n".join(
        f"{name} = {' | '.join(value.replace('|', chr(92) + '|') for value in values)}"
        for name, values in variables.items()
    )


def test_a_line_is_a_variable_and_a_bar_parts_its_values():
    assert parse_variables("animal = fox | grey heron|\n\nplace=a\\|b\n") == {
        "animal": ["fox", "grey heron", ""],
        "place": ["a|b"],
    }


@pytest.mark.parametrize(
    ("text", "words"), [("fox", "is no variable"), ("= fox", "is no variable"), ("a=1\na=2", "given twice")]
)
def test_what_is_no_variable_is_said(text: str, words: str):
    with pytest.raises(TemplateSyntaxError, match=words):
        parse_variables(text)


@law
@given(variables=st.dictionaries(names, st.lists(values, min_size=1)))
def test_what_is_written_is_read_back(variables: dict[str, list[str]]):
    assert parse_variables(format_variables(variables)) == variables
