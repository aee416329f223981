"""Weights and flags of other tools are said on the page before anything is ordered."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pages._ui.composer import draft_state


def notes(app: AppTest) -> list[str]:
    return [str(each.value) for each in app.warning if "Kling reads this as plain words" in str(each.value)]


def typed(app: AppTest, field: str, text: str) -> AppTest:
    (area,) = (each for each in app.text_area if each.key == draft_state.key(field))
    area.set_value(text).run()
    assert not app.exception
    return app


def test_syntax_of_other_tools_is_said_once_and_goes_when_it_is_taken_out(app: AppTest):
    assert notes(app) == []
    typed(app, "prompt", "a (fox:1.3) and an (owl:1.2) --ar 16:9")
    (box,) = notes(app)
    assert box.count("\n- ") == 2
    assert "fox" in box
    assert "choose the shape" in box
    typed(app, "prompt", "a {red|blue} fox")
    assert notes(app) == []


def test_a_hostile_text_is_shown_as_text(app: AppTest):
    (box,) = notes(typed(app, "prompt", "([link] <b>x</b> https://evil.example:1.3)"))
    assert "\\[link\\]" in box
    assert "<b>" not in box


def test_a_request_that_was_pasted_into_the_prompt_fills_the_form(app: AppTest):
    typed(app, "prompt", 'a {"red"|"blue"} fox')
    assert not [each for each in app.button if each.key == "composer.fill_from_prompt"]
    typed(app, "prompt", '{"model_name": "kling-v3", "prompt": "A fox", "duration": "10"}')
    app.button(key="composer.fill_from_prompt").click().run()
    draft = draft_state.key("prompt"), draft_state.key("model"), draft_state.key("duration")
    assert [app.session_state[key] for key in draft] == ["A fox", "kling-v3", "10"]
    assert not [each for each in app.button if each.key == "composer.fill_from_prompt"]
    assert [each for each in app.button if each.key == "composer.go_back"]
