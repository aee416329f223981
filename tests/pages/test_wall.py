"""The wall: what comes with the page and what its route sends later, for whom, and what presses on it do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from kling.studio.downloads import Downloads
from kling.studio.identity.roles import Role, User
from kling.studio.library import IndexBroken, Library
from kling.studio.service import Studio
from pages._ui.curation import decisions
from pages._ui.curation.presses import LONGEST_ID, MOST_ACTS
from pages._ui.routes import wall
from pages._ui.wall.gallery import PER_PAGE
from tests.pages.conftest import texts, tiles_of
from tests.pages.people import open_app, sign_in
from tests.pages.test_lists import open_page

HOSTILE = '"><script>alert(1)</script>\u202e'


def clip(studio: Studio, job_id: str, **cells: str) -> None:
    known = {"prompt": f"Clip {job_id}", "account": "sandbox", "person": "Ada", "file": f"{job_id}.mp4"}
    studio.ledger.append(job_id, **{"state": "succeed", **known, **cells})


def days(studio: Studio, *counts: int) -> None:
    """Record clips of so many days, the first number those of today."""
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0)
    number = 0
    for ago, count in reversed(list(enumerate(counts))):
        for _ in range(count):
            number += 1
            clip(studio, f"v{number:03}", time=(now - timedelta(days=ago)).isoformat(timespec="seconds"))


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:  # noqa: ARG001 - the route finds the running studio
    with TestClient(Starlette(routes=wall.routes())) as client:
        yield client


def part(browser: TestClient, query: str = "") -> dict[str, Any]:
    answer = browser.get(f"/wall?{query}")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def ids(told: dict[str, Any]) -> list[str]:
    return [tile["id"] for tile in told["tiles"]]


def test_further_parts_go_on_where_the_page_ends_and_days_count_all_of_their_clips(
    studio: Studio, app: AppTest, browser: TestClient
):
    days(studio, 10, 40, 3)
    first = [tile["id"] for tile in tiles_of(open_page(app, "gallery.py"))]
    second = part(browser, "page=2")
    assert first + ids(second) == [f"v{number:03}" for number in range(53, 0, -1)]
    assert len(first) == PER_PAGE
    assert [(day["name"], day["count"]) for day in second["days"][:1]] == [("Yesterday", "40 clips")]
    assert second["days"][1]["count"] == "3 clips"
    assert (second["number"], second["more"]) == (2, 0)
    assert part(browser)["more"] == 2


def test_a_part_answers_the_question_of_the_address_and_has_clips_only(studio: Studio, browser: TestClient):
    clip(studio, "a", prompt="A red fox")
    clip(studio, "b", prompt="A grey fox", file="", state="processing")
    clip(studio, "c", prompt="A fox that is hidden", hidden="1")
    clip(studio, "d", prompt="An owl")
    assert ids(part(browser)) == ["d", "a"]
    assert ids(part(browser, "q=fox")) == ["a"]
    assert ids(part(browser, "q=fox&hidden=only")) == ["c"]
    assert ids(part(browser, "q=nothing&page=9")) == []
    assert part(browser, "page=9")["number"] == 1  # the last one that there is


def test_what_is_not_saved_yet_is_asked_for_with_the_days_that_are_left(studio: Studio, browser: TestClient):
    clip(studio, "a")
    clip(studio, "b", file="", task_id="1")
    (tile,) = part(browser, "risk=1")["tiles"]
    assert (tile["id"], tile["risk"]) == ("b", "Not saved yet, 29 days left")
    assert "src" not in tile


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", (None, None)), ("maker", ("csr", "r")), ("admin", ("csr", "csr"))]
)
def test_a_tile_says_what_somebody_may_do_and_no_price(
    studio: Studio,
    browser: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
    may: tuple[str | None, str | None],
):
    request = {"endpoint": "text2video", "model_name": "kling-v2-6", "mode": "std", "duration": "5"}
    clip(studio, "a", person_id="p-1", units="3", **request)
    clip(studio, "b", person_id="p-2", units="3", **request)
    monkeypatch.setattr("pages._ui.current_user.user_of", lambda _: User("p-1", "Mia", role))
    told = part(browser, "min=1&order=dearest")
    assert {tile["id"]: tile.get("may") for tile in told["tiles"]} == {"a": may[0], "b": may[1]}
    assert not re.search(r"\$|units|cost", json.dumps(told))


def test_who_may_not_look_gets_nothing(studio: Studio, browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    clip(studio, "a")
    monkeypatch.setattr("pages._ui.current_user.user_of", lambda _: User("", "", "none"))
    answer = browser.get("/wall")
    assert answer.status_code == 403
    assert "Clip a" not in answer.text


def test_an_index_that_does_not_answer_is_said_in_words(browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise IndexBroken("the disk is full.")

    monkeypatch.setattr(Library, "page", broken)
    answer = browser.get("/wall")
    assert (answer.status_code, "the disk is full" in answer.text) == (503, True)


def test_hostile_text_reaches_the_script_as_text(studio: Studio, app: AppTest):
    clip(studio, "a", prompt=HOSTILE, person=HOSTILE, batch=HOSTILE)
    (tile,) = tiles_of(open_page(app, "gallery.py"))
    assert (tile["prompt"], tile["who"]) == (HOSTILE, HOSTILE)
    assert "<script>alert" not in texts(app)


# -- presses -------------------------------------------------------------------------------------------------


def pressed() -> None:
    from pages._ui.curation.presses import did

    did("some.wall")


def press(*said: Any, app: AppTest | None = None, first: int = 1) -> AppTest:
    """Do what presses on a wall do that come together; `AppTest` runs no script of a page."""
    app = app or AppTest.from_function(pressed)
    acts = [
        {"n": number, **each} if isinstance(each, dict) else each for number, each in enumerate(said, first)
    ]
    app.session_state["some.wall"] = {"did": {"tab": "t", "acts": acts}}
    app.run()
    assert not app.exception
    return app


def test_a_press_stars_and_hides_what_it_names(studio: Studio):
    for job_id in ("a", "b", "c"):
        clip(studio, job_id)
    press({"what": "star", "ids": ["a", "b"]})
    press({"what": "unstar", "ids": ["b"]})
    press({"what": "hide", "ids": ["c", "nobody"]})
    starred = {job.id for job in studio.ledger.jobs() if any(each.star for each in job.opinions.values())}
    assert starred == {"a"}
    assert {job.id for job in studio.ledger.jobs() if job.hidden} == {"c"}


def test_presses_that_come_together_are_all_done_in_their_order_and_told_again_once(studio: Studio):
    for job_id in ("a", "b", "c"):
        clip(studio, job_id)
    presses = [{"what": "hide", "ids": [job_id]} for job_id in ("a", "b", "c")]
    presses += [{"what": "show", "ids": ["b"]}, {"what": "star", "ids": ["b"]}]
    app = press(*presses)
    assert {job.id for job in studio.ledger.jobs() if job.hidden} == {"a", "c"}
    known = studio.ledger.jobs()
    press(*presses, {"what": "show", "ids": ["c"]}, app=app)
    assert [job for job in studio.ledger.jobs() if job not in known] == [studio.ledger.get("c")]
    assert app.session_state["app"].answered == ("t", 6)


def test_a_press_whose_run_was_stopped_is_done_when_it_is_told_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    for job_id in ("a", "b"):
        clip(studio, job_id)
    presses = [{"what": "star", "ids": ["a"]}, {"what": "hide", "ids": ["b"]}]
    with monkeypatch.context() as patch:
        patch.setattr(decisions, "hide", lambda _: st.stop())  # as Streamlit does when another press comes
        app = press(*presses)
    assert app.session_state["app"].answered == ("t", 1)
    press(*presses, app=app)
    assert {job.id for job in studio.ledger.jobs() if job.hidden} == {"b"}
    assert app.session_state["app"].answered == ("t", 2)


def test_of_very_many_presses_the_first_are_done_and_the_others_when_they_are_told_again(studio: Studio):
    clip(studio, "a")
    presses = [{"what": "star", "ids": ["a"]}] * MOST_ACTS + [{"what": "hide", "ids": ["a"]}]
    app = press(*presses)
    assert not studio.ledger.jobs()[0].hidden
    press(*presses[MOST_ACTS:], app=app, first=MOST_ACTS + 1)
    assert studio.ledger.jobs()[0].hidden


@pytest.mark.parametrize(
    "said",
    [
        None,
        "star",
        {"what": "star"},
        {"what": "star", "ids": "abc"},
        {"what": "star", "ids": [7, None, "", "x" * (LONGEST_ID + 1)]},
    ],
)
def test_a_press_that_makes_no_sense_does_nothing(studio: Studio, said: Any):
    clip(studio, "a")
    before = studio.ledger.jobs()
    press(said)
    assert studio.ledger.jobs() == before
    assert not studio.ledger.jobs()[0].opinions


# -- a wall on another page ----------------------------------------------------------------------------------


def collection() -> None:
    from pages._ui.context import studio
    from pages._ui.wall.wall import wall

    jobs = [studio().ledger.get(each) for each in ("b", "a", "c")]
    wall(
        [job for job in jobs if job is not None],
        "some.wall",
        among="collection=7",
        collection="7",
        more={"take_out": ("Take out", "close")},
    )


def test_a_wall_elsewhere_keeps_the_order_that_it_is_given(studio: Studio):
    for job_id in ("a", "b"):
        clip(studio, job_id)
    clip(studio, "c", file="", state="processing")
    app = AppTest.from_function(collection).run()
    assert not app.exception
    told = json.loads(html.unescape(re.findall(r'data-wall="([^"]*)"', texts(app))[0]))
    assert [tile["id"] for tile in told["tiles"]] == ["b", "a"]
    assert (told["among"], told["can_order"], told["more"]) == ("collection=7", True, 0)
    assert told["extra"] == [["take_out", "Take out", "close"]]


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("maker", True)])
def test_what_a_role_may_not_do_is_not_offered_for_a_selection(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, role: Role, may: bool
):
    clip(studio, "a")
    sign_in(monkeypatch, studio, "Somebody", role)
    [told] = re.findall(r'data-wall="([^"]*)"', texts(open_page(open_app(), "gallery.py")))
    can = json.loads(html.unescape(told))["can"]
    assert {"star", "collect"} <= set(can)
    assert [each in can for each in ("share", "tag", "hide")] == [may] * 3


# -- at risk -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("maker", True)])
def test_a_maker_has_what_is_not_saved_fetched_at_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, role: Role, may: bool
):
    sign_in(monkeypatch, studio, "Somebody", role)
    monkeypatch.setattr(Downloads, "not_safe", (3, 0))
    monkeypatch.setattr(Downloads, "days_left", 4)
    asked: list[Downloads] = []

    def fetch_now(downloads: Downloads) -> int:
        asked.append(downloads)
        return 3

    monkeypatch.setattr(Downloads, "fetch_now", fetch_now)
    app = open_app()
    assert "3 not saved yet, 4 days left" in texts(open_page(app, "gallery.py"))
    assert "The first is deleted in 4 days" in texts(open_page(app, "gallery.py", risk="1"))
    buttons = [each for each in app.button if each.label == "Save now"]
    assert bool(buttons) is may
    if may:
        buttons[0].click().run()
        assert asked == [studio.downloads]
        assert [each.value for each in app.toast] == ["3 clips are being fetched."]
