"""What is pasted fills the form, or is refused with the reason and leaves the form as it was."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from kling import ImageToVideo
from kling.studio.prompting import export_request
from kling.studio.prompting.draft import Draft
from kling.studio.service import Studio
from pages._ui.composer import draft_state
from pages._ui.composer.import_export import FILLED
from pages._ui.escape import escape_markdown
from tests.pages.conftest import texts
from tests.studio.pictures.samples import hand_in, quarters, saved

NEWER = {
    "prompt": "A heron",
    "settings": {"resolution": "1080p", "duration": 7, "aspect_ratio": "9:16", "audio": "native"},
}


@pytest.fixture
def form(app: AppTest) -> AppTest:
    app.text_area(key="composer.prompt").set_value("A fox").run()
    return app


def paste(app: AppTest, text: str) -> AppTest:
    app.session_state["composer"].dialog = "import_export"
    app.run()
    app.text_area(key="composer.pasted").set_value(text)
    app.button(key="composer.fill").click()
    app.session_state[
        "composer"
    ].dialog = "import_export"  # a browser runs the dialog alone, and this the page
    app.run()
    assert not app.exception
    return app


def held(app: AppTest) -> Draft:
    saved: Draft = app.session_state["composer"].saved
    assert app.session_state[draft_state.key("prompt")] == saved.prompt
    return saved


def test_a_newer_body_in_a_code_block_keeps_its_settings(form: AppTest):
    draft = held(paste(form, f"Try this:\n```json\n{json.dumps(NEWER)}\n```"))
    assert (draft.prompt, draft.model, draft.mode) == ("A heron", "kling-v3", "pro")
    assert escape_markdown(FILLED) in texts(form)
    assert form.session_state["composer"].focus == (1, "prompt")  # the form may be scrolled to its end
    assert (draft.duration, draft.aspect_ratio, draft.sound) == ("7", "9:16", True)
    assert "names no model" in texts(form)


def test_an_exported_program_takes_its_picture_from_the_studio(form: AppTest, studio: Studio):
    name = hand_in(studio.pictures, saved(quarters(), "PNG")).sha256
    request = ImageToVideo(prompt="A heron", image=name)
    draft = held(paste(form, export_request.to_python(request)))
    assert (draft.prompt, draft.first_frame) == ("A heron", name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"code": 0, "data": {"task_id": "844", "task_status": "succeed"}}', "answer about task 844"),
        ('{"model_name": "kling-v3"}', "No field of this says what the video shows"),
        ("curl https://x/v1/videos/text2video -F prompt=x", "sends a form"),
        ("```json\n{\n```", "cannot be read"),
    ],
)
def test_what_is_no_request_leaves_the_form_as_it_was(form: AppTest, text: str, why: str):
    before = held(form)
    paste(form, text)
    assert any(why in str(error.value) for error in form.error)
    assert held(form) == before
