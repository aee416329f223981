"""An answer becomes what a person can take, within Kling's limits; or it is said why it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import Shot, catalog
from kling.studio.assistant.answers import NoAnswer, Result, result_of
from kling.studio.assistant.questions import Instruction, Question, question_of
from kling.studio.prompting import storyboard
from kling.studio.prompting.template_language import expand

LIMITS = catalog()
V3, V26 = "kling-v3", "kling-v2-6"
TWO = (Shot(prompt="A fox wakes", duration="3"), Shot(prompt="It runs", duration="2"))
ONE_TEXT = [Instruction.IMPROVE, Instruction.SHORTER, Instruction.ENGLISH, Instruction.SOFTEN]


def question(
    instruction: Instruction = Instruction.IMPROVE, model: str = V26, shots: tuple[Shot, ...] = ()
) -> Question:
    return question_of(instruction, prompt="A fox", model=model, shots=shots)


def none(asked: Question, answer: str, refusal: str = "") -> NoAnswer:
    with pytest.raises(NoAnswer) as found:
        result_of(asked, answer, refusal=refusal)
    return found.value


def test_paragraphs_without_marks_are_variations_of_several_lines():
    answer = "Here are three variations:\n\nA red fox.\nDusk.\n\nA blue owl.\nDawn.\n\nA hare.\nNoon."
    found = result_of(question(Instruction.VARY), answer).alternatives
    assert found == ("A red fox.\nDusk.", "A blue owl.\nDawn.", "A hare.\nNoon.")


def test_headings_part_items_and_are_none():
    answer = "### Option A\nA red fox\n\n### Option B\nA grey fox\n\n### Option C\nA white fox"
    found = result_of(question(Instruction.VARY), answer).alternatives
    assert found == ("A red fox", "A grey fox", "A white fox")


def test_letters_mark_items_too():
    assert result_of(question(Instruction.VARY), "A) A fox\nB) An owl").alternatives == ("A fox", "An owl")


@pytest.mark.parametrize("instruction", ONE_TEXT)
def test_a_text_is_taken_as_it_is(instruction):
    assert result_of(question(instruction), ' "A red fox." \n') == Result(text="A red fox.")


def test_what_is_too_long_is_cut_and_that_is_said():
    found = result_of(question(), "word " * 1000)
    assert len(found.text) <= LIMITS.prompt_limit
    assert found.text.endswith("word")
    assert "4,999 characters, and Kling takes 2,500" in found.notes[0]


def test_what_stopped_early_is_said():
    assert "the end may be missing" in result_of(question(), "A fox", is_cut=True).notes[0]


@pytest.mark.parametrize("answer", ["", "  \n ", '""', "```\n```"])
def test_an_empty_answer_is_said_to_be_empty(answer):
    assert "answered nothing" in str(none(question(), answer))


@pytest.mark.parametrize(
    "answer",
    [
        "CANNOT: it shows a real person.",
        "I'm sorry, but I can't help with that.",
        "I’m sorry, I cannot do that.",
        "Sorry, I won't write this.",
        "I cannot assist with this request.",
        "Unfortunately, I can't provide that.",
        "I am unable to help with this.",
        "As an AI, I do not …",
    ],
)
def test_a_refusal_is_told_from_an_answer(answer):
    found = none(question(), answer)
    assert "does not want to" in str(found)
    assert found.words == answer.removeprefix("CANNOT: ")


def test_a_refusal_that_the_server_tells_apart_is_said():
    assert none(question(), "", refusal="It is unsafe.").words == "It is unsafe."


def test_a_prompt_that_begins_like_a_refusal_is_none():
    asked = question_of(Instruction.SHORTER, prompt="I'm sorry, says the fox, and runs away into the snow")
    assert result_of(asked, "I'm sorry, says the fox").text == "I'm sorry, says the fox"


@pytest.mark.parametrize(
    "answer",
    [
        "1. A red fox\n2. A grey fox\n3. A fox at night",
        "1) A red fox\n\n2) A grey fox\n\n3) A fox at night",
        "- A red fox\n- A grey fox\n- A fox at night",
        "Alternative 1: A red fox\nAlternative 2: A grey fox\nAlternative 3: A fox at night\n4. One more",
        "A red fox\nA grey fox\nA fox at night",
        "Here are three alternatives:\n\nA red fox\nA grey fox\nA fox at night",
        "Sure:\n* A red fox\n* A grey fox\n* A fox at night\n\nShall I write more?",
        "### Option 1\nA red fox\n\n---\n\n### Option 2\nA grey fox\n\n---\n\n### Option 3\nA fox at night",
    ],
)
def test_alternatives_become_braces(answer):
    found = result_of(question(Instruction.VARY), answer)
    assert found.text == "{A red fox|A grey fox|A fox at night}"
    assert found.alternatives == ("A red fox", "A grey fox", "A fox at night")


def test_a_heading_is_not_the_alternative():
    answer = "1. **Dawn**\nA fox runs at dawn.\n2. **Night**\n\nA fox sleeps.\n\n3. **Noon:** 3 foxes eat."
    found = result_of(question(Instruction.VARY), answer).alternatives
    assert found == ("Dawn\nA fox runs at dawn.", "Night\nA fox sleeps.", "Noon: 3 foxes eat.")


def test_figures_at_the_beginning_of_an_alternative_are_no_number():
    answer = "1.5 metres above a fox\n16:9 frame of a fox\n4K fox"
    assert result_of(question(Instruction.VARY), answer).alternatives == tuple(answer.split("\n"))


@given(
    number=st.sampled_from(
        ["1. ", "1) ", "(1) ", "[1] ", "1: ", "**1.** ", "**1)** ", "Option 1: ", "## 1. ", "- ", "• "]
    ),
    texts=st.lists(st.from_regex(r"\A[A-Z][a-z]{2,9} [a-z]{2,9}\.\Z"), min_size=3, max_size=3, unique=True),
    before=st.sampled_from(["", "Here they are:\n\n", "Sure!\nThree alternatives:\n"]),
    between=st.sampled_from(["\n", "\n\n", "\n\n---\n\n"]),
    form=st.sampled_from(["{}", "**{}**", '"{}"', "**Title**\n{}", "**Title:** {}"]),
    after=st.sampled_from(["", "\n\nLet me know if you want more."]),
)
def test_three_alternatives_are_found_in_every_usual_form(*, number, texts, before, between, form, after):
    items = [number.replace("1", str(at)) + form.format(text) for at, text in enumerate(texts, 1)]
    found = result_of(question(Instruction.VARY), before + between.join(items) + after).alternatives
    plain = form.replace("*", "").replace('"', "")
    assert found == tuple(plain.format(text) for text in texts)


def test_braces_that_nobody_wrote_become_no_variations():
    assert result_of(question(), "A {red|grey} fox").text == "A (red|grey) fox"
    asked = question_of(Instruction.SHORTER, prompt="A {red|grey} fox that runs")
    assert result_of(asked, "A {red|grey} fox").text == "A {red|grey} fox"


def test_one_alternative_is_none():
    assert "no variations" in str(none(question(Instruction.VARY), "1. A red fox"))


@given(st.lists(st.text("ab{}|\\ \n1.", min_size=1), min_size=2, max_size=4))
def test_alternatives_stand_for_exactly_what_they_say(lines):
    try:
        found = result_of(question(Instruction.VARY), "\n".join(lines))
    except NoAnswer:
        return
    assert expand(found.text) == list(found.alternatives)
    assert len(found.text) <= LIMITS.prompt_limit * 2


def test_a_storyboard_is_read_and_timed_as_its_model_takes_it():
    found = result_of(question(Instruction.STORYBOARD, V3), "shot 1, 3, A fox wakes; shot 2, 4, It runs;")
    assert [(shot.prompt, shot.duration) for shot in found.shots] == [("A fox wakes", "3"), ("It runs", "4")]
    assert (found.model, found.notes) == ("", ())


def test_a_storyboard_may_come_as_json():
    answer = '[{"prompt": "A {red|grey} fox", "duration": "3"}, {"prompt": "It runs", "duration": "4"}]'
    found = result_of(question(Instruction.STORYBOARD, V3), answer)
    assert [(shot.prompt, shot.duration) for shot in found.shots] == [
        ("A (red|grey) fox", "3"),
        ("It runs", "4"),
    ]


def test_a_storyboard_for_a_model_of_single_shots_names_one_that_makes_several():
    found = result_of(question(Instruction.STORYBOARD, V26), "Shot 1, 3, A fox wakes;\nShot 2, 4, It runs;")
    assert found.model == V3
    assert "Kling 3.0" in " ".join(found.notes)


def test_a_storyboard_that_is_too_long_or_short_is_fitted_and_that_is_said():
    found = result_of(question(Instruction.STORYBOARD, V3), "shot 1, 9, A; shot 2, 9, B; shot 3, 9, C;")
    assert storyboard.total(found.shots) == 15
    assert "27 s" in found.notes[0]


def test_words_of_a_shot_that_are_too_long_are_cut_and_that_is_said():
    found = result_of(
        question(Instruction.STORYBOARD, V3), f"shot 1, 3, {'word ' * 200}; shot 2, 4, It runs;"
    )
    assert len(found.shots[0].prompt) <= LIMITS.shot_prompt_limit
    assert found.notes[0].startswith("Shot 1: ")


@pytest.mark.parametrize(
    "answer", ["A fox wakes, then it runs.", "shot 1, 3, ; shot 2, 4, It runs;", "shot 1; shot 2;"]
)
def test_what_is_no_storyboard_is_said(answer):
    assert "storyboard" in str(none(question(Instruction.STORYBOARD, V3), answer))


def test_a_storyboard_that_is_improved_keeps_its_seconds():
    asked = question(Instruction.IMPROVE, V3, TWO)
    found = result_of(asked, "shot 1, 9, A red fox wakes; shot 2, 9, It runs off;")
    assert [shot.duration for shot in found.shots] == ["3", "2"]
    assert "3 shots" in str(none(asked, "shot 1, 1, a; shot 2, 1, b; shot 3, 1, c;"))


@given(st.sampled_from(Instruction), st.text(), st.sampled_from([V3, V26, "unknown"]), st.booleans())
def test_any_answer_is_within_the_limits_or_none(instruction, answer, model, is_board):
    shots = TWO if is_board and instruction in ONE_TEXT else ()
    asked = question(instruction, model, shots)
    try:
        found = result_of(asked, answer)
    except NoAnswer as error:
        assert str(error)  # noqa: PT017 - either is right
        return
    limit = LIMITS.shot_prompt_limit if asked.gives_shots else LIMITS.prompt_limit
    parts = [shot.prompt for shot in found.shots] or list(found.alternatives) or [found.text]
    assert all(0 < len(part) <= limit for part in parts)
    assert not asked.gives_shots or 1 <= len(found.shots) <= LIMITS.shot_limit
