"""The studio's own starting prompts and styles: each works as it is, teaches something, and has a picture."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kling.catalog import catalog
from kling.studio.prompting.matrix import combine
from kling.studio.prompting.template_language import expand
from kling.studio.prompting.templates import POSTERS, Style, Template, search, styles, templates
from tests import posters
from tests.kling.tools import law

ALL = templates()


def by_id(name: str) -> Template:
    return next(template for template in ALL if template.id == name)


def small(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((32, 18)), np.int16)


def test_there_are_enough_of_every_kind():
    assert len(ALL) >= 48
    assert len(styles()) >= 24
    assert len({template.category for template in ALL}) >= 20
    assert sum(template.request.multi_shot for template in ALL) >= 3
    assert sum(template.request.sound == "on" for template in ALL) >= 8
    assert sum(template.request.aspect_ratio == "9:16" for template in ALL) >= 4
    assert sum(len(expand(template.request.prompt)) > 1 for template in ALL) >= 5
    for field in ("id", "title", "teaches"):
        assert len({getattr(template, field) for template in ALL}) == len(ALL)


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.id)
def test_it_can_be_ordered_as_it_is_and_in_every_alternative(template):
    assert template.request.problems() == ()
    assert template.request.units() is not None
    table = combine(template.request)
    assert table.left_out == ()
    assert len(table.rows) == len(set(expand(template.request.prompt)))
    assert all(row.changes == () for row in table.rows)
    assert len(template.teaches) < 160
    assert template.teaches.endswith(".")
    assert re.fullmatch("[a-z0-9-]+", template.id)


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.id)
def test_it_has_a_small_poster(template):
    with Image.open(template.poster) as picture:
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (320, 180), "RGB")
        assert np.asarray(picture).std() > 5
    assert template.poster.stat().st_size < 15_000


def test_no_poster_is_nobodys():
    assert {path.name for path in POSTERS.glob("*.jpg")} == {template.poster.name for template in ALL}
    assert {path.stem for path in POSTERS.glob("*.mp4")} <= {template.id for template in ALL}


def test_no_two_posters_look_alike():
    seen = {template.id: small(template.poster) for template in ALL}
    alike = {
        pair: distance
        for pair in combinations(seen, 2)
        if (distance := float(np.abs(seen[pair[0]] - seen[pair[1]]).mean())) < 3
    }
    assert alike == {}


def test_posters_can_be_drawn_again(tmp_path):
    names = ("fox-snow", "beach-postcard", "story-lighthouse")  # wide, upright, of shots
    for name in names:
        path = tmp_path / f"{name}.jpg"
        posters.draw(by_id(name), path)
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("JPEG", (320, 180))
            assert np.asarray(picture).std() > 5
        assert path.stat().st_size < 15_000
    drawn = [small(tmp_path / f"{name}.jpg") for name in names]
    assert all(np.abs(one - other).mean() > 3 for one, other in combinations(drawn, 2))


def test_a_poster_is_of_the_first_alternative_or_of_the_shots():
    assert posters.spec(by_id("sneaker-desert"))["prompts"] == [
        expand(by_id("sneaker-desert").request.prompt)[0]
    ]
    chase = by_id("story-chase")
    assert posters.spec(chase)["prompts"] == [shot.prompt for shot in chase.request.multi_prompt]


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.id)
def test_a_style_is_added_once_and_taken_away_again(style: Style):
    prompt = by_id("fox-snow").request.prompt
    styled = style.add_to(prompt)
    assert styled.startswith(prompt)
    assert style.is_in(styled)
    assert style.add_to(styled) == styled
    assert style.take_from(styled) == prompt
    assert len(styled) < catalog().prompt_limit
    assert expand(style.words) == [style.words]
    assert len({other.id for other in styles()}) == len({other.words for other in styles()}) == len(styles())


@given(st.text())
@law
def test_a_style_loses_no_text(prompt):
    style = styles()[0]
    styled = style.add_to(prompt)
    assert styled.startswith(prompt.rstrip())
    assert style.take_from(styled).removesuffix(".") == prompt.rstrip().removesuffix(".")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("fox", "fox-snow"),
        ("FÓX  snow!", "fox-snow"),
        ("light orb", "coast-drone"),
        ("slow-motion horses", "horses-dust"),
        ("retriev", "dog-beach"),
        ("storyboard chase", "story-chase"),
        ("courier", "story-chase"),
        ("macro watch", "watch-macro"),
    ],
)
def test_the_search_is_forgiving_and_puts_the_best_first(query, first):
    assert search(query, ALL)[0].id == first


def test_every_word_of_a_query_counts():
    assert search("", ALL) == list(ALL)
    assert search("  !? ", ALL) == list(ALL)
    assert search("fox submarine", ALL) == []
    assert {template.category for template in search("sci", ALL)[:4]} == {"Sci-fi"}
    titles = [template.title for template in search("neon", ALL)]
    assert set(titles[:2]) == {"Neon profile", "Neon crossing"}


@given(st.text())
@law
def test_no_query_breaks_the_search(query):
    assert all(found in ALL for found in search(query, ALL))
