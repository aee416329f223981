"""The team's templates: whole requests, kept through restarts, damage and two people at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from kling import CameraControl, Shot, TextToVideo
from kling.studio.printable import printable
from kling.studio.prompting.templates import search
from kling.studio.state.records import (
    TEMPLATE_BYTES,
    TEMPLATES,
    ChangedMeanwhile,
    StateError,
    TeamTemplateError,
)
from kling.studio.state.tables import team_templates
from kling.studio.state.team_templates import TeamTemplates
from kling.text import storable
from tests.kling.tools import law
from tests.studio.prompting.legal import requests
from tests.studio.state.conftest import NOW

FOX = TextToVideo(prompt="A {red|blue} fox", mode="pro", sound="on")


@pytest.fixture
def saved(database, clock) -> TeamTemplates:
    return TeamTemplates(database, clock=clock)


@pytest.fixture
def again(database, clock) -> TeamTemplates:
    """The templates as another start finds them."""
    return TeamTemplates(database, clock=clock)


def test_a_whole_request_is_kept_through_a_restart(saved, again):
    whole = TextToVideo(
        model_name="kling-v3",
        prompt="ignored",
        negative_prompt="blur",
        mode="4k",
        duration="5",
        aspect_ratio="1:1",
        sound="on",
        cfg_scale=0.25,
        camera_control=CameraControl(type="simple", config={"pan": 3.5}),
        multi_shot=True,
        shot_type="customize",
        multi_prompt=(Shot(prompt="a", duration="2"), Shot(prompt="", duration="9")),
        watermark=True,
        external_task_id="mine",
        callback_url="https://here.example",
    )
    assert whole.to_wire().keys() == TextToVideo.FIELDS.keys()
    made = saved.add(whole, title=" Two\nshots ", category="Film", teaches="How", author="Ann")
    (found,) = again.all()
    assert found == made
    assert found.request == replace(whole, external_task_id="", callback_url="")
    assert (found.title, found.category, found.teaches, found.author) == ("Two shots", "Film", "How", "Ann")
    assert (found.version, found.changed.timestamp()) == (1, NOW)


@given(requests(), st.lists(st.text(), min_size=4, max_size=4))
@example(TextToVideo(prompt="A fox\x85in\u2028the\u2029snow"), ["Fox", "", "", ""])
@settings(law, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_request_and_any_text_comes_back_as_it_was_saved(database, clock, request_, texts):
    saved = TeamTemplates(database, clock=clock)
    title, category, teaches, author = texts
    if not printable(storable(title)).strip():
        with pytest.raises(TeamTemplateError, match="name"):
            saved.add(request_, title=title, category=category, teaches=teaches, author=author)
        return
    made = saved.add(request_, title=title, category=category, teaches=teaches, author=author)
    (found,) = TeamTemplates(database, clock=clock).all()
    saved.delete(found)  # whatever it is, the next example finds none
    assert found == made
    assert found.request.to_wire() == request_.to_wire()
    assert "\n" not in found.title + found.author


def test_text_that_no_file_can_hold_is_mended_in_every_field(saved, again):
    made = saved.add(
        TextToVideo(prompt="half \ud800 a pair", multi_prompt=(Shot(prompt="n\0l", duration="2"),)),
        title="t\ud800",
        category="c\0",
        teaches="\udfff",
        author="a\ud800",
    )
    assert again.all() == (made,)
    assert (made.title, made.category, made.teaches, made.author) == (
        "t\ufffd",
        "c\ufffd",
        "\ufffd",
        "a\ufffd",
    )
    assert made.request.prompt == "half \ufffd a pair"
    assert made.request.multi_prompt[0].prompt == "n\ufffdl"


def test_they_are_listed_by_title_and_searched_like_the_others(saved):
    for title in ("zebra", "Apple", "apple"):
        saved.add(FOX, title=title, category="Fruit")
    assert [each.title for each in saved.all()] in (["Apple", "apple", "zebra"], ["apple", "Apple", "zebra"])
    assert [each.title for each in search("zeb fox", saved.all())] == ["zebra"]


def test_a_change_is_a_new_version_and_an_old_one_overwrites_nothing(saved, again):
    first = saved.add(FOX, title="Fox", author="Ann")
    assert saved.all() == (first,)
    second = saved.update(first, title="Red fox", author="Bob")
    assert (second.version, second.id, second.request) == (2, first.id, FOX)
    with pytest.raises(ChangedMeanwhile, match="Bob has changed"):
        saved.update(first, request=replace(FOX, prompt="mine"), author="Ann")
    with pytest.raises(ChangedMeanwhile):
        saved.delete(first)
    assert saved.all() == again.all() == (second,)
    saved.delete(second)
    with pytest.raises(ChangedMeanwhile, match="has deleted"):
        saved.update(second, title="Again")
    assert again.all() == saved.all() == ()


def test_many_at_once_lose_nothing(saved, again):
    shared = saved.add(FOX, title="shared")

    def change(number: int) -> bool:
        saved.add(FOX, title=f"{number:03}")
        try:
            saved.update(shared, title=f"by {number}")
        except ChangedMeanwhile:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        won = list(people.map(change, range(60)))
    assert won.count(True) == 1
    kept = [each.title for each in again.all()]
    assert kept == [*(f"{number:03}" for number in range(60)), f"by {won.index(True)}"]
    assert saved.all() == again.all()


@pytest.mark.parametrize(
    "damage", [{"request": "{"}, {"request": "[]"}, {"request": "[" * 99_999}, {"changed": "yesterday"}]
)
def test_one_that_cannot_be_read_is_left_out_and_as_it_is_and_the_others_stay(database, saved, again, damage):
    seen = saved.add(FOX, title="Fox")
    kept = saved.add(FOX, title="Other")
    with database.write() as connection:
        connection.execute(update(team_templates).where(team_templates.c.id == seen.id).values(**damage))
    assert again.all() == (kept,)
    again.add(FOX, title="New")
    again.update(kept, title="Changed")
    with database.read() as connection:
        row = (
            connection.execute(team_templates.select().where(team_templates.c.id == seen.id)).mappings().one()
        )
    assert damage.items() <= row.items()


def test_a_full_disk_changes_nothing(database, saved, again):
    first = saved.add(FOX, title="Fox")
    refuses = True

    @event.listens_for(database.engine, "begin")
    def no_growth(connection) -> None:
        most = 1 if refuses else 1_000_000  # SQLite takes the size that it has
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    large = replace(FOX, negative_prompt="x" * 50_000)
    with pytest.raises(StateError, match="The disk is full"):
        saved.add(large, title="New")
    with pytest.raises(StateError, match="The disk is full"):
        saved.update(first, request=large)
    assert saved.all() == again.all() == (first,)
    refuses = False
    assert saved.update(first, request=large).version == 2


def test_what_is_too_much_is_told(saved, database):
    with pytest.raises(TeamTemplateError, match="too long"):
        saved.add(TextToVideo(prompt="x" * TEMPLATE_BYTES), title="Long")
    with pytest.raises(TeamTemplateError, match="a name"):
        saved.add(FOX, title=" \n ")
    long = saved.add(FOX, title="t" * 500, category="c" * 500, teaches="n" * 500, author="a" * 500)
    assert [len(text) for text in (long.title, long.category, long.teaches, long.author)] == [80, 40, 300, 80]
    with database.read() as connection:
        row = dict(connection.execute(team_templates.select()).mappings().one())
    rows = [{**row, "id": f"{number:016x}"} for number in range(TEMPLATES - 1)]
    with database.write() as connection:
        connection.execute(team_templates.insert(), rows)
    with pytest.raises(TeamTemplateError, match="delete some first"):
        saved.add(FOX, title="One more")
    assert len(saved.all()) == TEMPLATES
