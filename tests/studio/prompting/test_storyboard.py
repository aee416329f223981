"""A strip of shots always adds up, whatever is done to it, and no word of it is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import Shot, TextToVideo
from kling.studio.prompting import storyboard
from kling.studio.prompting.storyboard import StoryboardError, total
from tests.kling.tools import law

WORDS = st.text(max_size=12)
STRIPS = st.lists(
    st.builds(Shot, prompt=WORDS, duration=st.integers(1, 15).map(str)), min_size=1, max_size=6
).map(tuple)
DURATIONS = st.integers(3, 15).map(str)


def words(shots) -> list[str]:
    return [shot.prompt for shot in shots]


def check(shots) -> None:
    assert 1 <= len(shots) <= 6
    assert all(int(shot.duration) >= 1 for shot in shots)


@given(st.integers(-2, 9), DURATIONS, st.lists(WORDS, max_size=3))
@law
def test_a_spread_is_even_and_adds_up(number, duration, prompts):
    shots = storyboard.spread(number, duration, prompts)
    check(shots)
    lengths = [int(shot.duration) for shot in shots]
    assert sum(lengths) == int(duration)
    assert max(lengths) - min(lengths) <= 1
    assert len(shots) == max(1, min(number, 6, int(duration)))
    assert words(shots) == [*prompts, *[""] * 6][: len(shots)]


@given(STRIPS, DURATIONS, st.integers(-6, 5))
@law
def test_filling_adds_up_and_changes_no_more_than_it_must(shots, duration, which):
    if len(shots) > int(duration):
        with pytest.raises(StoryboardError, match="cannot share"):
            storyboard.fill(shots, duration, which)
        return
    filled = storyboard.fill(shots, duration, which)
    check(filled)
    assert total(filled) == int(duration)
    assert storyboard.remainder(filled, duration) == 0
    assert words(filled) == words(shots)
    place = which % len(shots)
    changed = [n for n, (old, new) in enumerate(zip(shots, filled, strict=True)) if old != new]
    if storyboard.remainder(shots, duration) == 0:
        assert changed == []
    elif int(shots[place].duration) + storyboard.remainder(shots, duration) >= 1:
        assert changed == [place]
    else:
        assert filled[place].duration == "1"


@given(STRIPS, st.data())
@law
def test_cutting_moving_removing_and_adding_keep_the_sum(shots, data):
    place = data.draw(st.integers(0, len(shots) - 1))
    length = int(shots[place].duration)
    if len(shots) == 6 or length == 1:
        with pytest.raises(StoryboardError):
            storyboard.split(shots, place)
    else:
        cut = storyboard.split(shots, place)
        check(cut)
        assert total(cut) == total(shots)
        assert words(cut) == [*words(shots[: place + 1]), shots[place].prompt, *words(shots[place + 1 :])]
    to = data.draw(st.integers(-1, 7))
    moved = storyboard.move(shots, place, to)
    assert sorted(moved, key=repr) == sorted(shots, key=repr)
    assert moved[max(0, min(to, len(shots) - 1))] == shots[place]
    if len(shots) == 1:
        with pytest.raises(StoryboardError):
            storyboard.remove(shots, 0)
    else:
        fewer = storyboard.remove(shots, place)
        check(fewer)
        assert total(fewer) == total(shots)
        assert words(fewer) == words(shots[:place]) + words(shots[place + 1 :])
    if len(shots) == 6 or all(shot.duration == "1" for shot in shots):
        with pytest.raises(StoryboardError):
            storyboard.add(shots)
    else:
        more = storyboard.add(shots, "new")
        check(more)
        assert total(more) == total(shots)
        assert words(more) == [*words(shots), "new"]


@given(STRIPS)
@law
def test_the_text_form_comes_back(shots):
    plain = tuple(
        Shot(prompt=" ".join(shot.prompt.replace(";", "").split()), duration=shot.duration) for shot in shots
    )
    assert storyboard.from_text(storyboard.to_text(plain)) == plain
    assert storyboard.from_text(storyboard.to_text(plain).replace("; ", ";\n")) == plain


def test_the_text_form_as_people_write_it():
    expected = (Shot(prompt="a fox, red", duration="3"), Shot(prompt="an owl", duration="4"))
    for text in (
        "shot 1, 3, a fox, red; shot 2, 4, an owl;",
        "shot 1, 3, a fox, red;shot 2, 4, an owl",
        "Shot 1: 3s: a fox, red\nShot 2: 4 seconds, an owl\n",
        "shot #1, 3, a fox, red;\n\nshot #2, 4, an owl;",
    ):
        assert storyboard.from_text(text) == expected
    assert storyboard.to_text(expected) == "shot 1, 3, a fox, red; shot 2, 4, an owl;"
    assert storyboard.to_text([Shot(prompt="now; later", duration="x")]) == "shot 1, 1, now, later;"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1 to 6 shots, not 0"),
        ("a fox in the snow", "Part 1 is 'a fox in the snow'"),
        ("shot 1, 3, a fox; an owl; ", "Part 2 is 'an owl'"),
        ("shot 2, 3, a fox;", "Shot 1 is numbered 2"),
        ("shot 1, 0, a fox;", "at least 1 second"),
        (" ".join(f"shot {n}, 1, x;" for n in range(1, 8)), "not 7"),
    ],
)
def test_a_text_that_is_no_storyboard_is_told(text, words):
    with pytest.raises(StoryboardError) as told:
        storyboard.from_text(text)
    assert words in str(told.value)


@given(st.text())
@law
def test_no_text_breaks_it(text):
    try:
        shots = storyboard.from_text(text)
    except StoryboardError:
        return
    check(shots)


def test_what_it_makes_is_legal():
    for duration in map(str, range(3, 16)):
        for number in range(1, 7):
            shots = storyboard.spread(number, duration, ["x"] * 6)
            request = TextToVideo(
                model_name="kling-v3",
                duration=duration,
                multi_shot=True,
                shot_type="customize",
                multi_prompt=shots,
            )
            assert request.problems() == ()


def test_who_inherits_the_seconds_of_a_shot_that_goes():
    shots = tuple(Shot(prompt=word, duration=length) for word, length in (("a", "1"), ("b", "2"), ("c", "3")))
    lengths = [[shot.duration for shot in storyboard.remove(shots, place)] for place in range(3)]
    assert lengths == [["3", "3"], ["3", "3"], ["1", "5"]]


def test_an_empty_strip_gets_a_first_shot():
    assert storyboard.add((), "x") == (Shot(prompt="x", duration="1"),)
    with pytest.raises(StoryboardError):
        storyboard.fill((), "5")
