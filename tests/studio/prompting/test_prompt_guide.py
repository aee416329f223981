"""The guided mode: what is written is read as it was meant, and no prompt loses a word."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.prompting.prompt_guide import PARTS, Guide, join_prompt, parts, split_prompt, tidy
from kling.studio.prompting.templates import templates
from tests.kling.tools import law
from tests.studio.prompting.legal import TEXT

LABELS = re.compile(rf"(?im)^\s*(?:{'|'.join(PARTS)})\s*:")
SUGGESTED = st.builds(
    Guide, **{part.name: st.sampled_from(["", *part.suggestions]) for part in parts()}
).filter(lambda guide: bool(guide.subject))
ANY = (
    st.text()
    | TEXT
    | st.lists(st.sampled_from(["Light", " ", ". ", ".", "\n", "x", "Camera", ":"])).map("".join)
)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


def test_every_part_has_a_hint_and_good_suggestions():
    assert [part.name for part in parts()] == list(PARTS)
    for part in parts():
        assert part.title
        assert len(part.hint) > 40
        assert 8 <= len(set(part.suggestions)) <= 12


@pytest.mark.parametrize("part", parts()[1:], ids=lambda part: part.name)
def test_each_suggestion_is_known_again_without_a_label(part):
    for suggestion in part.suggestions:
        guide = replace(Guide(subject="A red fox"), **{part.name: suggestion})
        assert join_prompt(guide) == f"A red fox. {suggestion}."
        assert split_prompt(join_prompt(guide)) == guide


@given(SUGGESTED)
@law
def test_suggestions_together_make_prose(guide):
    prompt = join_prompt(guide)
    assert not LABELS.search(prompt)
    assert split_prompt(prompt) == guide


@given(st.builds(Guide, **dict.fromkeys(PARTS, ANY)))
@settings(law, max_examples=300)
def test_any_parts_come_back(guide):
    if any(LABELS.search(text) for text in (getattr(guide, name) for name in PARTS)):
        return
    assert split_prompt(join_prompt(guide)) == tidy(guide)
    assert tidy(tidy(guide)) == tidy(guide)


@given(ANY)
@settings(law, max_examples=300)
def test_any_prompt_keeps_every_word(prompt):
    if LABELS.search(prompt):
        return
    assert words(join_prompt(split_prompt(prompt))) - Counter(map(str.capitalize, PARTS)) >= words(
        prompt
    ) - Counter(map(str.capitalize, PARTS))
    assert split_prompt(join_prompt(split_prompt(prompt))) == split_prompt(prompt)


@given(ANY)
@law
def test_any_prompt_with_labels_keeps_every_other_word(prompt):
    labelled = f"before\nCamera: {prompt}\nlighting : soft\n\n SCENE: a forest\nCamera: pans"
    guide = split_prompt(labelled)
    assert guide.subject.startswith("before")
    assert guide.camera.endswith("pans")
    assert guide.scene.endswith("a forest")
    assert sum((words(getattr(guide, name)) for name in PARTS), Counter()) >= words(LABELS.sub("", labelled))


def test_the_labels_are_used_where_the_words_do_not_tell():
    guide = Guide(
        subject="A fox", lighting="As in Vermeer", camera="Like a visitor who came too late to stay"
    )
    assert join_prompt(guide) == (
        "Subject: A fox.\nCamera: Like a visitor who came too late to stay.\nLighting: As in Vermeer."
    )
    assert join_prompt(Guide(camera="Static shot")) == "Camera: Static shot."
    assert join_prompt(Guide()) == ""
    assert split_prompt("") == Guide()


def test_a_prompt_that_somebody_wrote_is_taken_apart():
    assert split_prompt(
        "An old robot waters a rose. It stops so as not to frighten a butterfly. Ivy-covered ruins behind. "
        "Slow push in to its eyes. Late sun, long shadows. Tender and melancholy."
    ) == Guide(
        subject="An old robot waters a rose",
        movement="It stops so as not to frighten a butterfly",
        scene="Ivy-covered ruins behind",
        camera="Slow push in to its eyes",
        lighting="Late sun, long shadows",
        atmosphere="Tender and melancholy",
    )
    assert split_prompt("一只狐狸在森林里。雪花飘落。") == Guide(subject="一只狐狸在森林里。雪花飘落。")


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.id)
def test_every_starting_prompt_survives(template):
    guide = split_prompt(template.request.prompt)
    assert words(join_prompt(guide)) >= words(template.request.prompt)
    assert sum(bool(getattr(guide, name)) for name in PARTS) >= 3 or len(template.request.prompt) < 400
