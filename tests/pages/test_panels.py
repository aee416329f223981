"""The panels under the prompt: the guide, the comparison, and what is closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from kling.studio.prompting import export_request, prompt_guide, templates, word_diff
from kling.studio.prompting.prompt_guide import PARTS, Guide
from kling.studio.service import Studio
from pages._ui.routes import posters
from tests.pages.conftest import press_generate, texts
from tests.pages.test_composer import pick, unfold

PROMPT = (
    "A red fox walks. Snow falls on the forest. The camera pans left. Soft window light. What is 7 ? {a|b"
)
HOSTILE = "<img src=x onerror=alert(1)> & <b>**bold**</b>"


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def part(app: AppTest, name: str) -> str:
    return str(app.text_area(key=f"composer.part_{name}").value)


def parts(app: AppTest) -> Guide:
    return Guide(**{name: part(app, name) for name in PARTS})


def prompt(app: AppTest) -> str:
    return str(app.text_area(key="composer.prompt").value)


def comparison(app: AppTest) -> str:
    return next(str(each.value) for each in app.html if "<ins" in each.value or "<del" in each.value)


def test_the_guide_shows_every_word_of_the_prompt_and_changes_none_by_opening(app: AppTest):
    pick(app, "prompt", PROMPT)
    unfold(app, "guide")
    assert prompt(app) == PROMPT
    shown = " ".join(part(app, name) for name in PARTS)
    assert sorted(re.findall(r"\w+", shown)) == sorted(re.findall(r"\w+", PROMPT))
    assert parts(app).camera == "The camera pans left"


def test_a_part_that_is_typed_is_written_into_the_prompt_and_nothing_else_is_lost(app: AppTest):
    pick(app, "prompt", PROMPT)
    unfold(app, "guide")
    before = parts(app)
    app.text_area(key="composer.part_camera").set_value("The camera tilts up").run()
    assert not app.exception
    assert "The camera tilts up." in prompt(app)
    assert "pans" not in prompt(app)
    assert "What is 7 ? {a|b" in prompt(app)
    assert parts(app).subject == before.subject


def test_a_prompt_that_is_edited_moves_the_parts(app: AppTest):
    unfold(app, "guide")
    assert parts(app) == Guide()
    pick(app, "prompt", "A heron. The camera pans left.")
    assert parts(app) == Guide(subject="A heron", camera="The camera pans left")
    pick(app, "prompt", "")
    assert parts(app) == Guide()


def test_parts_that_read_like_another_part_stay_where_they_were_typed(app: AppTest):
    unfold(app, "guide")
    app.text_area(key="composer.part_subject").set_value("The camera of an old man").run()
    app.text_area(key="composer.part_atmosphere").set_value("In the rain").run()
    assert parts(app) == Guide(subject="The camera of an old man", atmosphere="In the rain")


def test_one_panel_is_open_at_a_time_and_closes_again(app: AppTest):
    press(app, "Guide")
    press(app, "Compare prompts")
    assert not [each for each in app.text_area if str(each.key).startswith("composer.part_")]
    assert "nothing to compare with" in texts(app)
    press(app, "Compare prompts")
    assert "nothing to compare with" not in texts(app)


def test_the_draft_is_compared_with_what_the_person_ordered_before(app: AppTest):
    app.text_input(key="app.name").set_value("Ada").run()
    for words in ("A red fox runs", "A red fox sleeps"):
        pick(app, "prompt", words)
        press_generate(app)
    pick(app, "prompt", "A white fox sleeps")
    unfold(app, "compare")
    assert list(app.selectbox(key="composer.compare_with").options) == ["A red fox sleeps", "A red fox runs"]
    assert re.sub(r' style="[^"]*"', "", comparison(app)) == (
        '<div dir="auto">A <del>red</del><ins>white</ins> fox sleeps</div>'
    )
    assert "1 word new, underlined; 1 word gone, struck through" in texts(app)
    app.selectbox(key="composer.compare_with").set_value("A red fox runs").run()
    assert "<ins" in comparison(app)
    assert ">sleeps</ins>" in comparison(app)
    pick(app, "prompt", "A red fox runs")
    assert "They are the same" in texts(app)


def test_the_job_that_a_draft_was_made_from_comes_first(studio: Studio, app: AppTest):
    pick(app, "prompt", "A fox of mine")
    press_generate(app)
    (first,) = studio.ledger.jobs()
    pick(app, "prompt", "A later one")
    press_generate(app)
    app.query_params.clear()
    app.query_params["from"] = first.id
    app.run()
    unfold(app, "compare")
    assert app.selectbox(key="composer.compare_with").options[0] == "The job it was made from: A fox of mine"
    assert app.selectbox(key="composer.compare_with").value == "A fox of mine"


def test_the_shots_of_a_storyboard_are_compared(app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "cut", "customize")
    pick(app, "shot_1", "A fox wakes")
    pick(app, "shot_2", "A fox runs")
    press_generate(app)
    unfold(app, "compare")
    pick(app, "shot_2", "A fox leaps")
    assert "nothing to compare" in texts(app)  # earlier prompts are those of single shots
    (job_id,) = app.session_state.composer.jobs
    app.query_params.clear()
    app.query_params["from"] = job_id
    app.run()
    pick(app, "shot_2", "A fox leaps")
    assert ">leaps</ins>" in comparison(app)
    assert "A fox wakes\nA fox " in comparison(app)


def test_what_others_typed_is_text_in_the_comparison(app: AppTest):
    pick(app, "prompt", HOSTILE)
    press_generate(app)
    pick(app, "prompt", HOSTILE.replace("bold", "<script>bolder</script>"))
    unfold(app, "compare")
    assert "<img" not in comparison(app)
    assert "<script" not in comparison(app)
    assert "&lt;img" in comparison(app)


def press_style(app: AppTest, label: str) -> AppTest:
    """Press a style in the library."""
    app.session_state["composer"].dialog, app.session_state["composer.shelf"] = "templates", "Styles"
    app.run()
    next(button for button in app.button if button.label == label).click()
    app.session_state["composer"].dialog = "templates"  # a browser runs the dialog alone, and this the page
    app.run()
    assert not app.exception
    return app


def test_one_style_takes_the_place_of_another(app: AppTest):
    pick(app, "prompt", "A fox.")
    assert prompt(press_style(app, "Add **Film noir**")).startswith("A fox. Black and white film noir")
    assert prompt(press_style(app, "Add **Golden hour**")).startswith("A fox. Golden hour")
    assert "noir" not in prompt(app)
    assert prompt(press_style(app, "Take out **Golden hour**")) == "A fox."


@pytest.mark.parametrize("model", ["kling-v2-6", "kling-v3"])
def test_what_is_closed_does_not_run(app: AppTest, monkeypatch: pytest.MonkeyPatch, model: str):
    ran: list[str] = []

    def note(place: str, real: Callable[..., Any]) -> None:
        def noted(*args: Any, **kwargs: Any) -> Any:
            ran.append(place.partition(".")[0])
            return real(*args, **kwargs)

        monkeypatch.setattr(f"pages._ui.composer.{place}", noted)

    note("guide.split_prompt", prompt_guide.split_prompt)
    note("compare.word_diff", word_diff.word_diff)
    note("templates.search", templates.search)
    note("import_export.export_request.to_json", export_request.to_json)
    pick(app, "model", model)
    pick(app, "prompt", "A fox")
    press_generate(app)
    assert ran == []
    press(app, "Guide")
    assert set(ran) == {"guide"}
    press(app, "Compare prompts")
    ran.clear()
    pick(app, "prompt", "A heron")
    assert ran == ["compare"]
    press(app, "Templates")
    press(app, "Export as code")
    assert set(ran) == {"compare", "templates", "import_export"}


def test_posters_are_served_and_nothing_else_of_the_disk():
    client = TestClient(Starlette(routes=posters.routes()))
    for template in templates.templates():
        answer = client.get(f"/posters/{template.poster.name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
    for path in (
        "/posters/",
        "/posters/%2e%2e/templates.toml",
        "/posters/..%2ftemplates.toml",
        "/posters/no.jpg",
    ):
        assert client.get(path).status_code == 404
