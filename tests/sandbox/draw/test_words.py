from __future__ import annotations

from itertools import combinations, islice

import numpy as np
import pytest

from kling.sandbox.draw.clip import frames
from kling.sandbox.draw.figures import figures
from kling.sandbox.draw.places import PLACES
from kling.sandbox.draw.words import lexicon, read
from tests.contact_sheet import PROMPTS
from tests.sandbox.draw.reel import difference, order


def picture(prompt: str, negative: str = "", **size: int):
    made = next(islice(frames(order(prompt, **size), [read(prompt, negative)]), 0, None))
    return np.concatenate([plane.ravel() for plane in made])


def test_thirty_prompts_give_thirty_pictures():
    pictures = [picture(prompt) for prompt in PROMPTS]
    assert len(pictures) == 30
    assert min(difference(one, other) for one, other in combinations(pictures, 2)) > 3


def test_night_is_darker_than_noon():
    for place in ("city", "mountains", "sea", "forest", "desert"):
        night, noon = picture(f"{place} at night"), picture(f"{place} at noon")
        assert night[: 160 * 90].mean() < 0.6 * noon[: 160 * 90].mean()


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A red fox in a snowy forest at dawn", ("forest", "dawn", "snow", (("fox", "#c8322b"),))),
        ("city street in the rain at night", ("city", "night", "rain", ())),
        ("two lovers on the beach at sunset", ("beach", "dusk", "clear", (("couple", ""),))),
        ("森林里的狐狸, 夜", ("forest", "night", "clear", (("fox", ""),))),
    ],
)
def test_words_are_understood(prompt, expected):
    scene = read(prompt)
    assert (scene.place, scene.time, scene.weather, scene.subjects) == expected


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [("rain over the city", "rain"), ("a city, no rain", ""), ("a city without rain", "people")],
)
def test_what_is_not_wanted_is_not_drawn(prompt, negative):
    assert read("rain over the city").weather == "rain"
    assert read(prompt, negative).weather == "clear"


def test_a_subject_that_is_not_wanted_stays_away():
    assert read("a cat and a dog", "dog").subjects == (("cat", ""),)
    assert difference(picture("a white swan on a lake"), picture("a white swan on a lake", "swan")) > 0.2


@pytest.mark.parametrize("name", sorted(lexicon()["subject"]))
def test_every_subject_of_the_lexicon_can_be_drawn(name):
    assert name in figures()
    word = lexicon()["subject"][name][0]
    assert read(word).subjects[0][0] == name
    assert picture(word, width=96, height=54).std() > 5


@pytest.mark.parametrize("name", sorted(PLACES))
def test_every_place_can_be_drawn_upright(name):
    word = lexicon()["place"][name][0]
    wanted = order(word, width=54, height=96)
    scene = read(word)
    assert scene.place == name
    assert next(iter(frames(wanted, [scene])))[0].std() > 4


def test_the_lexicon_names_only_what_can_be_painted():
    assert set(lexicon()["place"]) == set(PLACES)
    assert set(lexicon()["home"].values()) <= {*PLACES, "open"}
    assert set(lexicon()["home"]) <= set(figures())
