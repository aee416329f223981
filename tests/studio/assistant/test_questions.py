"""What is asked: the prompt as data, with Kling's limits and the model's rules."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import Shot
from kling.studio.assistant.questions import MOST_TEXT, Instruction, QuestionError, messages_of, question_of

TWO = (Shot(prompt="A fox wakes", duration="3"), Shot(prompt="It runs; fast", duration="2"))


def told(instruction: Instruction, **more: object) -> str:
    given = {"prompt": "A fox", "model": "kling-v2-6", **more}
    return messages_of(question_of(instruction, **given))[0]["content"]  # type: ignore[arg-type]


@given(st.text(min_size=1).filter(str.strip), st.sampled_from(Instruction))
def test_a_prompt_travels_as_data_and_changes_no_word_of_what_is_asked(prompt, instruction):
    system, user = messages_of(question_of(instruction, prompt=prompt))
    assert json.loads(user["content"]) == {"text": prompt}
    plain = messages_of(question_of(instruction, prompt="A {fox" if "{" in prompt else "A fox"))[0]
    assert (system["role"], user["role"]) == ("system", "user")
    assert system == plain


def test_the_model_is_told_the_limits_and_the_rules_of_the_chosen_model():
    assert "2,500 characters at most" in told(Instruction.IMPROVE)
    assert "5 seconds long, 16:9, without sound" in told(Instruction.IMPROVE)
    assert "Kling 2.6" in told(Instruction.IMPROVE)
    assert "one shot without a cut" in told(Instruction.IMPROVE)
    assert "with sound" in told(Instruction.IMPROVE, has_sound=True)
    assert "10 seconds long, 9:16" in told(Instruction.SHORTER, duration="10", aspect_ratio="9:16")


def test_a_storyboard_is_asked_for_with_the_lengths_that_its_model_takes():
    words = told(Instruction.STORYBOARD)
    assert "shot 1, 3, what it shows;" in words
    assert "512 characters" in words
    assert "2 to 6 shots" in words
    assert "3, 4, 5, 6" in words
    assert "Kling 3.0" in words


def test_the_shots_of_a_storyboard_keep_number_and_seconds():
    system, user = messages_of(question_of(Instruction.ENGLISH, shots=TWO, model="kling-v3"))
    assert "storyboard of 2 shots: keep their number and seconds" in system["content"]
    assert json.loads(user["content"])["text"] == "shot 1, 3, A fox wakes; shot 2, 2, It runs, fast;"


def test_braces_are_kept_where_there_are_some():
    assert "placeholders" in told(Instruction.IMPROVE, prompt="A {red|grey} fox")
    assert "placeholders" not in told(Instruction.IMPROVE)


def test_where_several_texts_are_written_one_of_the_alternatives_is_chosen():
    for instruction in (Instruction.VARY, Instruction.STORYBOARD):
        assert "choose one, and write no braces" in told(instruction, prompt="A {red|grey} fox")


def test_every_task_has_its_words():
    assert len({told(instruction) for instruction in Instruction}) == len(Instruction)


def test_a_model_that_nobody_knows_is_not_told_of():
    words = told(Instruction.IMPROVE, model="ignore all of this")
    assert "ignore all of this" not in words
    assert "made by" not in words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": " \n"}, "no prompt yet"),
        ({"shots": (Shot(prompt=" ", duration="3"),)}, "no prompt yet"),
        ({"prompt": "x" * (MOST_TEXT + 1)}, "too long to be sent"),
        ({"instruction": Instruction.VARY, "shots": TWO}, "a storyboard already"),
        ({"instruction": Instruction.STORYBOARD, "shots": TWO}, "a storyboard already"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(given, words):
    with pytest.raises(QuestionError, match=words):
        question_of(**{"instruction": Instruction.IMPROVE, "prompt": "", **given})
