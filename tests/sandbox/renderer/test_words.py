from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from kling.sandbox.renderer.canvas import Canvas
from kling.sandbox.renderer.cast import subject_pieces
from kling.sandbox.renderer.clip import frames
from kling.sandbox.renderer.figures import figures
from kling.sandbox.renderer.layers import Layer
from kling.sandbox.renderer.look import choose_look
from kling.sandbox.renderer.places import PLACES
from kling.sandbox.renderer.prompt_reader import read_scene
from kling.sandbox.renderer.vocabulary import lexicon
from tests.contact_sheet import PROMPTS, still
from tests.sandbox.renderer.reel import difference, spec


@cache
def picture(prompt: str, negative: str = "", width: int = 96, height: int = 54):
    wanted = spec(prompt, width=width, height=height)
    made = next(frames(wanted, [read_scene(prompt, negative)]))
    return np.concatenate([plane.ravel() for plane in made])


def test_thirty_prompts_give_thirty_pictures():
    pictures = [picture(prompt) for prompt in PROMPTS]
    assert len(pictures) == 30
    assert min(difference(one, other) for one, other in combinations(pictures, 2)) > 3


def test_night_is_darker_than_noon():
    for place in ("city", "mountains", "sea", "forest", "desert"):
        night, noon = picture(f"{place} at night"), picture(f"{place} at noon")
        assert night[: 96 * 54].mean() < 0.6 * noon[: 96 * 54].mean()


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
    scene = read_scene(prompt)
    assert (scene.place, scene.time, scene.weather, scene.subjects) == expected


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [("rain over the city", "rain"), ("a city, no rain", ""), ("a city without rain", "people")],
)
def test_what_is_not_wanted_is_not_drawn(prompt, negative):
    assert read_scene("rain over the city").weather == "rain"
    assert read_scene(prompt, negative).weather == "clear"


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("wild horses with flowing manes", ["horse"]),
        ("the long shadow of the tower falls over the square", ["tower"]),
        ("a church on a hill", ["church"]),
        ("an ice cream cone", ["icecream"]),
        ("a hot dog", ["burger"]),
        ("a goldfish in a bowl", ["fishbowl"]),
        ("a sea lion and a sea turtle", ["dolphin", "turtle"]),
        ("a dog runs and he barks", ["dog"]),
        ("depth of field, bokeh, film grain", []),
        ("three puppies and flamingos", ["dog", "flamingo"]),
        ("two women in a park", ["woman"]),
        ("a construction crane", []),
        ("a helicopter between skyscrapers", ["helicopter"]),
        ("a woman in black boots", ["woman"]),
        ("a drone camera circles a church", ["church"]),
        ("the camera follows a train", ["train"]),
        ("a bullet train", ["express"]),
        ("northern lights dancing over a lake", []),
        ("a baby elephant", ["elephant"]),
        ("a paper airplane", ["paperplane"]),
        ("a cowboy riding into the sunset", ["cowboy", "horse"]),
        ("crystal clear water", []),
        ("a glass of wine", ["bottle"]),
        ("a glass of whisky", ["whisky"]),
        ("девушка в поле", ["woman"]),
        ("ein Mädchen und ein Hund", ["dog", "woman"]),
        ("海辺を歩く白い犬", ["dog"]),
        ("a pressurised truck", ["rover"]),
        ("a fire truck and a school bus", ["bus", "truck"]),
        ("Santa’s sleigh pulled by reindeer", ["santasleigh"]),
        ("a horse-drawn sleigh", ["sleigh"]),
    ],
)
def test_a_word_inside_another_or_a_phrase_says_nothing_else(prompt, names):
    assert sorted(name for name, _ in read_scene(prompt).subjects) == names


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("night falls over the sea", "sea"),
        ("a dog at the waterfall", "waterfall"),
        ("a horse gallops through the surf of the ocean", "beach"),
        ("a sneaker, product shot", "studio"),
        ("a waterfall in the jungle", "waterfall"),
        ("ein Sonnenblumenfeld im Sommer", "fields"),
        ("jellyfish in the deep dark ocean", "underwater"),
        ("a boat on the ocean, fish below", "sea"),
        ("a helicopter flying between skyscrapers", "city"),
        ("an old man feeding pigeons in a park", "park"),
        ("an astronaut riding a horse on the moon", "moon"),
        ("the moon over the sea", "sea"),
        ("a campfire in the woods under the Milky Way", "forest"),
        ("a football match in a stadium", "stadium"),
        ("a glass of whisky, studio lighting", "studio"),
        ("a Tokyo street full of neon signs", "neon"),
        ("a futuristic city at sunrise", "city"),
        ("a mountain village", "village"),
        ("dumplings in a bamboo basket", "cafe"),
        ("a cat riding a motorcycle", "hills"),
        ("ein Leuchtturm an der Küste", "sea"),
    ],
)
def test_the_place_is_the_one_that_is_meant(prompt, place):
    assert read_scene(prompt).place == place


@pytest.mark.parametrize(
    ("prompt", "owned"),
    [
        ("a polar bear", {"bear": "#f2efe8"}),
        ("a woman with long red hair in a green dress", {"woman": "#4c9a4a"}),
        ("a red bridge, cherry blossoms", {"footbridge": "#c8322b", "cherry": ""}),
        ("una mujer con vestido amarillo", {"woman": "#e9c13a"}),
        ("a red telephone and a dog", {"dog": ""}),
    ],
)
def test_a_colour_is_of_what_it_stands_with(prompt, owned):
    assert dict(read_scene(prompt).subjects) == owned


def test_hair_has_its_own_colour():
    assert read_scene("a woman with long red hair").hair == read_scene("a redhead").hair != ""
    assert read_scene("a red dress").hair == ""
    assert read_scene("a woman with red hair").tint == ""


@pytest.mark.parametrize(
    ("prompt", "time"),
    [
        ("sunflowers under a clear sky", "noon"),
        ("a clear night sky", "night"),
        ("a moonlit lake, clear water", "night"),
    ],
)
def test_a_clear_sky_is_of_the_day_unless_the_prompt_says_night(prompt, time):
    assert read_scene(prompt).time == time


def test_dust_storms_are_dry():
    assert read_scene("a dust storm on mars").weather == "fog"
    assert read_scene("a thunderstorm").weather == "storm"


def _colours(prompt: str) -> np.ndarray:
    return np.asarray(still(prompt, (160, 90), 1), np.float32)


def test_an_abstract_picture_has_every_colour_that_was_named():
    red, _, blue = np.moveaxis(_colours("ink spreading in water, abstract, red and blue"), -1, 0)
    assert (red > blue + 30).mean() > 0.04
    assert (blue > red + 30).mean() > 0.04


def test_a_polar_bear_is_white_and_a_bear_is_not():
    ice = "on the arctic ice at noon"
    white, brown = (
        _colours(f"a {kind} {ice}")[40:85, 40:120].max(axis=-1) for kind in ("polar bear", "bear")
    )
    assert (white < 110).mean() < 0.05 < (brown < 110).mean()


def test_the_dark_deep_is_darker_than_a_reef():
    deep, reef = (
        _colours(f"jellyfish {where}").mean() for where in ("in the deep dark ocean", "over a reef")
    )
    assert deep < 0.7 * reef


@pytest.mark.parametrize(
    ("prompt", "field", "meaning"),
    [
        ("a lighthouse on a cliff", "place", "sea"),
        ("a cliff in the desert sun", "place", "canyon"),
        ("snow-capped mountains at a lake", "weather", "clear"),
        ("a village on Christmas Eve", "time", "night"),
        ("a camel caravan", "counts", (4,)),
        ("une vieille dame", "subjects", (("elder", ""),)),
        ("ein alter Mann", "subjects", (("oldman", ""),)),
        ("a wolf howls at the full moon", "heaven", "full moon"),
        ("under a blue sky, bees buzzing", "subjects", (("bee", ""),)),
        ("a snow leopard on a cliff in a blizzard", "place", "mountains"),
        ("a ginger cat", "subjects", (("cat", "#e8833a"),)),
        ("rice terraces in Bali", "form", "terraces"),
        ("an oasis in the Sahara", "ground", "lake"),
    ],
)
def test_words_mean_what_stands_beside_them(prompt, field, meaning):
    assert getattr(read_scene(prompt), field) == meaning


@pytest.mark.parametrize("city", ["Paris", "London", "Shanghai", "Tokyo", "Lisbon", "a small city"])
def test_a_city_in_spring_is_not_dark(city):
    assert read_scene(f"A bicycle against a wall in {city} in spring").time != "night"


@pytest.mark.parametrize("field", ["oats", "barley", "rye", "corn", "clover", "hay"])
def test_a_storm_of_no_hour_is_no_night(field):
    assert read_scene(f"a storm over a field of {field}").time != "night"


@pytest.mark.parametrize(
    ("prompt", "count"),
    [("a horse", 1), ("two horses", 2), ("five wild horses", 5), ("horses", 3), ("a herd of horses", 4)],
)
def test_as_many_are_drawn_as_the_prompt_says(prompt, count):
    assert read_scene(prompt).counts == (count,)
    one, several = (picture(f"{words} on a plain field at noon") for words in ("a horse", prompt))
    assert (difference(one, several) > 0.5) == (prompt != "a horse")


def test_a_rider_sits_on_the_animal():
    scene = read_scene("a cowboy riding a horse")
    pieces = [
        subject_pieces(choose_look(scene, 7, (160, 90), 1), name, "", i)
        for i, (name, _) in enumerate(scene.subjects)
    ]
    layers = [piece.paint(Canvas(0, 0, 160, 90, (160, 90))) for (piece,) in pieces]
    rider, horse = (layer.cels[0] for layer in layers if isinstance(layer, Layer))
    feet = rider.top + rider.colour[0].shape[0], horse.top + horse.colour[0].shape[0]
    assert rider.top < horse.top + 12
    assert feet[0] < feet[1]
    assert horse.left < rider.left < horse.left + horse.colour[0].shape[1]


def test_a_subject_that_is_not_wanted_stays_away():
    assert read_scene("a cat and a dog", "dog").subjects == (("cat", ""),)
    assert difference(picture("a white swan on a lake"), picture("a white swan on a lake", "swan")) > 0.2


@pytest.mark.parametrize("name", sorted(lexicon()["subject"]))
def test_every_subject_of_the_lexicon_can_be_drawn_in_its_whole_cycle(name):
    assert name in figures()
    scene = read_scene(lexicon()["subject"][name][0])
    assert scene.subjects[0][0] == name
    pieces = subject_pieces(choose_look(scene, 7, (160, 90), 1), *scene.subjects[0], 0)
    figure = pieces[-1].paint(Canvas(0, 0, 160, 90, (160, 90)))  # before it may stand its steam
    assert isinstance(figure, Layer)
    for number in range(0, len(figure.cels), 4):
        assert figure.cels[number].clear[0].min() < 192  # a bird whose wings are level is a thin line


@pytest.mark.parametrize("home", sorted(set(lexicon()["home"].values())))
def test_a_subject_can_be_drawn_where_it_is_at_home(home):
    name = next(name for name, place in lexicon()["home"].items() if place == home)
    assert picture(lexicon()["subject"][name][0]).std() > 5


@pytest.mark.parametrize("name", sorted(PLACES))
def test_every_place_can_be_drawn_upright(name):
    word = lexicon()["place"][name][0]
    wanted = spec(word, width=54, height=96)
    scene = read_scene(word)
    assert scene.place == name
    assert next(iter(frames(wanted, [scene])))[0].std() > 4


def test_the_lexicon_names_only_what_can_be_painted():
    assert set(lexicon()["place"]) == set(PLACES)
    assert set(lexicon()["home"].values()) <= {*PLACES, "open"}
    assert set(lexicon()["home"]) <= set(figures())
