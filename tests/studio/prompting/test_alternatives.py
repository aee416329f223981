"""Braces that stand for alternatives are told from those that do not."""

from __future__ import annotations

import pytest

from kling import TextToVideo
from kling.studio.prompting.alternatives import has_alternatives
from kling.studio.prompting.draft import Draft


@pytest.mark.parametrize(
    "text", ["A {red|grey} fox", "A {red|grey fox", "{a {b|c} d}", "{|}", "\\{x\\} {a|b}"]
)
def test_braces_with_a_bar_are_alternatives_finished_or_not(text: str):
    assert has_alternatives(text)


@pytest.mark.parametrize(
    "text", ["", "A fox", "A {name}", "a | b", "\\{a|b\\}", "{a\\|b}", "{a} | {b}", "{" * 9]
)
def test_other_braces_are_none(text: str):
    assert not has_alternatives(text)


def test_what_was_ordered_with_braces_is_ordered_so_again():
    assert Draft.from_request(TextToVideo(prompt="A {red|grey} fox")).as_typed
    assert not Draft.from_request(TextToVideo(prompt="A red fox")).as_typed
