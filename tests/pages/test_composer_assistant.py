"""Whether the form offers the assistant: where a server is set up, to whom may ask, for what was refused."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest

from kling import Shot, TextToVideo
from kling.studio.assistant.assistant import Assistant
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.jobs import FAILED, Job, request_cells
from kling.studio.prompting.draft import STORYBOARD, Draft
from kling.studio.service import Studio
from pages._ui.composer import assistant
from pages._ui.session_state import ComposerState
from tests.pages.people import open_app, sign_in

SETTINGS = AssistantSettings(url="https://llm.example.com/v1", model="m", key="sk-a-secret")


def offered(at: AppTest) -> list[str]:
    assert not at.exception
    return [str(each.value) for each in at.html if "data-assistant" in str(each.value)]


def test_without_a_server_nothing_is_offered(app: AppTest):
    assert offered(app) == []


def test_with_a_server_the_menu_says_where_texts_go_and_what_is_chosen(studio: Studio):
    studio.assistant = Assistant(SETTINGS)
    (drawn,) = offered(open_app())
    facts = json.loads(unescape(drawn.split('"')[1]))
    assert facts["host"] == "llm.example.com"
    assert (facts["model"], facts["duration"], facts["undo"]) == ("kling-v2-6", "5", False)
    assert facts["picture"] is False
    assert "sk-a-secret" not in drawn


@pytest.mark.parametrize(("role", "number"), [("maker", 1), ("viewer", 0)])
def test_only_who_makes_videos_is_offered_it(studio: Studio, monkeypatch, role, number):
    studio.assistant = Assistant(SETTINGS)
    sign_in(monkeypatch, studio, "Mia", role)
    assert len(offered(open_app())) == number


@pytest.mark.parametrize(
    ("cells", "is_softened"),
    [
        ({"state": FAILED, "code": "1301"}, True),
        ({"state": FAILED, "task_id": "7", "task_status_msg": "Failure to pass the risk control"}, True),
        ({"state": FAILED, "code": "1201"}, False),
        ({"state": FAILED, "task_id": "7", "task_status_msg": "Out of memory"}, False),
        ({"state": "succeed", "task_id": "7"}, False),
    ],
)
def test_only_what_content_control_has_refused_is_softened(studio: Studio, cells, is_softened):
    request = request_cells(TextToVideo(prompt="A fox"))
    job = Job({"external_task_id": "v1", "account": "sandbox", **request, **cells})
    assert not assistant.is_softened(job)
    studio.assistant = Assistant(SETTINGS)
    assert assistant.is_softened(job) is is_softened


def pressed() -> None:
    import streamlit as st

    from pages._ui.composer.assistant import FORM, on_act

    st.session_state[FORM] = {"act": st.session_state.said}
    on_act()


@pytest.mark.usefixtures("studio")
def test_a_press_that_is_sent_again_does_not_take_back_what_the_first_one_took():
    """The page asks again while it does not show yet that it was heard: it sends its fields as they were."""
    before = Draft(prompt="A fox")
    after = replace(before, cut=STORYBOARD, shots=(Shot(prompt="A fox wakes", duration="5"),))
    at = AppTest.from_function(pressed)
    state = ComposerState(run=8, answered_assistant=50, saved=after, shot_count=1)
    state.recent_runs = {"7": before, "8": after}
    at.session_state["composer"] = state
    at.session_state["composer.prompt"] = "A fox"
    at.session_state["composer.cut"] = before.cut
    at.session_state.said = {"do": "take", "at": 50, "run": "7"}
    assert not at.run().exception
    assert at.session_state["composer.cut"] == STORYBOARD
