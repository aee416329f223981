"""The lightbox on the side of Python: its address, what is pressed in it, and the dialogs over it."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.jobs import Job
from kling.studio.service import Studio
from pages._ui.viewer.address import clip_link
from pages._ui.viewer.lightbox import KEY
from tests.pages.conftest import texts
from tests.pages.people import sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill


@pytest.fixture
def clips(studio: Studio) -> list[str]:
    fill(studio, 2, state="succeed", file="job0000.mp4")
    return ["job0000", "job0001"]


def pressed() -> None:
    import streamlit as st

    from pages._ui.curation.presses import did
    from pages._ui.viewer.lightbox import KEY, PLACE

    for said in st.session_state.said:
        st.session_state[KEY] = {"did": said}
        did(KEY, PLACE)


def press(*said: Any) -> AppTest:
    """Do what presses in the lightbox do, one message after the other."""
    app = AppTest.from_function(pressed)
    app.session_state.said = list(said)
    app.run()
    assert not app.exception
    return app


def acts(*each: tuple[str, Any], tab: str = "t", first: int = 1, clip: str = "job0000") -> dict[str, Any]:
    told = [
        {"n": number, "what": what, "ids": [clip], "value": value}
        for number, (what, value) in enumerate(each, first)
    ]
    return {"tab": tab, "acts": told}


def job_of(studio: Studio, job_id: str = "job0000") -> Job:
    job = studio.ledger.get(job_id)
    assert job is not None
    return job


@pytest.mark.parametrize(
    ("among", "link"),
    [
        ("", "/gallery?clip=v1"),
        ("q=a+%26+b&when=7d&clips=1&page=3&evil=1", "/gallery?clip=v1&q=a+%26+b&when=7d"),
        ("collection=c%261", "/collections?id=c%261&clip=v1"),
    ],
)
def test_the_address_of_a_clip_has_the_list_around_it(among: str, link: str):
    assert clip_link("v1", among) == link


@pytest.mark.usefixtures("clips")
def test_star_rating_and_hiding_are_kept(studio: Studio):
    press(acts(("star", None), ("rate", 4), ("hide", None)))
    (opinion,) = job_of(studio).opinions.values()
    assert (opinion.star, opinion.stars, job_of(studio).hidden) == ("1", 4, True)
    press(acts(("unstar", None), ("rate", 0), ("show", None), tab="u"))
    assert (job_of(studio).opinions, job_of(studio).hidden) == ({}, False)


@pytest.mark.usefixtures("clips")
def test_a_press_that_comes_twice_counts_once(studio: Studio):
    starred = acts(("star", None))
    app = press(starred, acts(("unstar", None), first=2), starred)
    assert job_of(studio).opinions == {}
    assert app.session_state["app"].answered == ("t", 2)


@pytest.mark.usefixtures("clips")
def test_another_tab_begins_to_count_anew(studio: Studio):
    press(acts(("star", None), first=9), acts(("unstar", None), tab="other"))
    assert job_of(studio).opinions == {}


@pytest.mark.usefixtures("clips")
@pytest.mark.parametrize(
    "said",
    [
        None,
        {"tab": "t", "acts": "star"},
        {"tab": "t", "acts": ["star", None, {"n": "1", "what": "star", "ids": ["job0000"]}]},
        {"tab": "t", "acts": [{"n": 1, "what": "star", "ids": [7, "", "x" * 300, "none"]}]},
        {"tab": "t", "acts": [{"n": 1, "what": "rate", "ids": ["job0000"], "value": "5"}]},
        {"tab": "t", "acts": [{"n": 1, "what": "__class__", "ids": ["job0000"]}]},
    ],
)
def test_a_senseless_message_changes_nothing(studio: Studio, said: Any):
    press(said)
    assert job_of(studio).opinions == {}


def test_a_refusal_is_said(studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: list[str]):
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = press(acts(("hide", None), clip=clips[0]))
    assert not job_of(studio).hidden
    assert "it takes the role" in str(app.toast[0].value)


@pytest.mark.parametrize("page", ["compose.py", "history.py", "job.py", "spend.py"])
@pytest.mark.usefixtures("clips")
def test_a_dialog_of_the_lightbox_is_drawn_once_on_whatever_page(studio: Studio, tab: AppTest, page: str):
    open_page(tab, page, id="job0000")
    state = tab.session_state["app"]
    state.asked, state.asked_in = ("tag", ("job0000",), 1), "viewer"
    tab.run()
    assert not tab.exception
    tab.text_input(key="app.tags-1-new").set_value("winter")
    next(each for each in tab.button if each.label == "Save").click().run()
    assert job_of(studio).tags == ("winter",)


@pytest.mark.usefixtures("clips")
def test_every_page_says_which_press_was_answered_last(tab: AppTest):
    tab.session_state["app"].answered = "tab", 7
    tab.run()
    assert 'data-did="tab 7"' in texts(tab)
    assert KEY == "viewer.lightbox"
