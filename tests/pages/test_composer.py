"""The form: it follows the catalog, what was touched last wins, and the price is on the button."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kling import CameraControl, KeyPair, TextToVideo, catalog
from kling.studio.prompting.draft import Draft
from kling.studio.prompting.words import as_text_to_video
from kling.studio.service import Studio
from pages._ui.composer import draft_state
from pages._ui.panels import panel_key
from pages._ui.session_state import AppState, ComposerState, PendingDraft
from pages._ui.words import FIX_MARKED
from tests.pages.conftest import new_tab, press_generate, texts


def key_of(app: AppTest, field: str) -> str:
    """Return the session key of a field; that of a shot's changes when the shots are rearranged."""
    arrangement = app.session_state["composer"].arrangement
    is_shots = field.startswith(("shot_", "seconds_")) and arrangement
    return draft_state.key(f"{field}.{arrangement}" if is_shots else field)


def pick(app: AppTest, field: str, value: Any) -> AppTest:
    """Choose a value as a person does: one control, and the page answers."""
    key = key_of(app, field)
    kinds = (app.selectbox, app.button_group, app.toggle, app.number_input, app.slider, app.text_area)
    (widget,) = [widget for kind in kinds for widget in kind if widget.key == key]
    widget.set_value(value).run()
    assert not app.exception
    return app


def unfold(app: AppTest, *panels: str) -> AppTest:
    """Open panels, whose bodies do not run while they are closed."""
    for panel in panels:
        app.session_state[panel_key(panel)] = True
    return app.run()


def state(app: AppTest, *names: str) -> tuple[object, ...]:
    return tuple(app.session_state[key_of(app, name)] for name in names)


def button(app: AppTest) -> str:
    label = next(str(each.label) for each in app.button if str(each.key).startswith("composer.generate-"))
    return label.replace("*", "")


@pytest.fixture
def key_pair(studio: Studio) -> None:
    """Have the account open with an access key and a secret key."""
    studio.settings = replace(studio.settings, credentials=KeyPair("access", "secret"))


def count(app: AppTest) -> str:
    """Return what is said of the length of the prompt."""
    found = re.search(r'data-count="prompt"[^>]*>([^<]*)<', texts(app))
    return found[1] if found else ""


def errors(app: AppTest) -> list[str]:
    return [str(error.value).replace("\\", "") for error in app.error]


def test_the_form_starts_with_the_documented_values(app: AppTest):
    assert state(app, "model", "mode", "duration", "aspect_ratio", "sound") == (
        "kling-v2-6",
        "std",
        "5",
        "16:9",
        False,
    )
    assert button(app) == "Generate · free (Kling: $0.21)"


def test_the_draft_outlives_a_look_at_another_page(app: AppTest):
    pick(app, "prompt", "A fox that I keep")
    app.switch_page("history.py").run()
    app.switch_page("compose.py").run()
    assert app.text_area(key="composer.prompt").value == "A fox that I keep"


@pytest.mark.parametrize("field", ["model", "mode", "duration", "aspect_ratio", "sound", "takes"])
def test_a_choice_of_which_streamlit_has_nothing_is_as_it_was(app: AppTest, field: str):
    pick(app, "duration", "10")
    before = state(app, field, "duration")
    app.session_state[draft_state.key(field)] = None
    app.run()
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    assert state(app, field, "duration") == before


def test_a_model_that_does_not_take_the_old_values_moves_them_and_says_what_it_does_to_the_price(
    app: AppTest,
):
    pick(app, "model", "kling-v3")
    pick(app, "duration", "15")
    pick(app, "mode", "4k")
    pick(app, "sound", True)
    pick(app, "model", "kling-v2-5-turbo")
    assert state(app, "mode", "duration", "sound") == ("std", "10", False)
    assert "Length 15 s → 10 s" in texts(app)
    assert "Now $0.42, was $6.30." in texts(app).replace("\\", "")
    pick(app, "mode", "pro")
    assert "To fit" not in texts(app)


def test_sound_that_was_touched_last_moves_the_mode_and_the_other_way_round(app: AppTest):
    pick(app, "sound", True)
    assert state(app, "mode", "sound") == ("pro", True)
    assert "Sound needs 1080p. Now $0.70, was $0.21." in texts(app).replace("\\", "")
    pick(app, "mode", "std")
    assert state(app, "mode", "sound") == ("std", False)
    assert "Sound on → off" in texts(app)


def test_camera_control_that_was_touched_last_moves_mode_and_duration_and_the_other_way_round(tab: AppTest):
    pick(unfold(tab, "more"), "retired", True)
    pick(tab, "model", "kling-v1")
    pick(tab, "mode", "pro")
    pick(tab, "duration", "10")
    pick(unfold(tab, "camera"), "camera", "forward_up")
    assert state(tab, "mode", "duration", "camera") == ("std", "5", "forward_up")
    pick(tab, "duration", "10")
    assert state(tab, "mode", "duration", "camera") == ("std", "10", "automatic")


def test_the_list_of_models_says_which_are_the_newest_and_what_they_do_with_sound(app: AppTest):
    listed = {words.split(" · ")[0]: words for words in app.selectbox(key="composer.model").options}
    assert listed["Kling 3.0 Turbo"] == (
        "Kling 3.0 Turbo · several shots · from $0.112 a second · newest generation · always with sound · "
        "3 to 15 s"
    )
    assert listed["Kling 3.0"].startswith("Kling 3.0 · several shots · ")
    assert listed["Kling 2.5 Turbo"].endswith(" · silent · 5 or 10 s")


def test_a_unit_is_explained_where_a_price_has_units(app: AppTest):
    said = "Kling counts in Units. One costs $0.14."
    assert f'<abbr title="{said}">1.5 Units</abbr>' in texts(app)


def test_retired_models_are_hidden_unless_asked_for_and_say_so(app: AppTest):
    def offered() -> str:
        return " ".join(app.selectbox(key="composer.model").options)

    retired = [model for model in catalog().models.values() if model.retired]
    assert not any(model.title in offered() for model in retired)
    pick(unfold(app, "more"), "retired", True)
    assert all(f"{model.title} (retired)" in offered() for model in retired)
    pick(app, "model", "kling-v1")
    assert "Kling retired this model" in texts(app)


def test_every_field_of_the_request_can_be_reached_from_the_form(studio: Studio, tab: AppTest):
    pick(unfold(tab, "more"), "retired", True)
    pick(tab, "model", "kling-v1")
    pick(tab, "set_cfg_scale", True)
    assert tab.toggle(key="composer.set_cfg_scale").label == "Set prompt strength"
    assert tab.slider(key="composer.cfg_scale").label == "Prompt strength"
    pick(tab, "cfg_scale", 0.7)
    pick(tab, "watermark", True)
    pick(unfold(tab, "camera"), "camera", "simple")
    pick(tab, "camera_axis", "pan")
    pick(tab, "camera_value", -4.0)
    pick(tab, "aspect_ratio", "1:1")
    pick(tab, "prompt", "A fox")
    pick(unfold(tab, "avoid"), "negative_prompt", "rain")
    press_generate(tab)
    request = as_text_to_video(studio.ledger.jobs()[0].request)
    assert request.camera_control == CameraControl(type="simple", config={"pan": -4.0})
    assert (request.model_name, request.cfg_scale, request.watermark, request.negative_prompt) == (
        "kling-v1",
        0.7,
        True,
        "rain",
    )
    assert request.aspect_ratio == "1:1"
    pick(tab, "model", "kling-v3")
    pick(tab, "mode", "pro")
    pick(tab, "sound", True)
    pick(tab, "cut", "customize")
    pick(tab, "shot_1", "A fox wakes")
    pick(tab, "shot_2", "A fox runs")
    pick(tab, "seconds_2", 4)
    press_generate(tab)
    blank, ours = TextToVideo().to_wire(), {"callback_url", "external_task_id"}
    sent = [job.request.to_wire() for job in studio.ledger.jobs()]
    reached = {name for body in sent for name, value in body.items() if value != blank.get(name)}
    assert reached - ours == TextToVideo.FIELDS.keys() - ours


def test_a_storyboard_adds_up_by_itself_and_can_be_ordered(studio: Studio, app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "cut", "customize")
    pick(app, "shot_1", "A fox wakes")
    pick(app, "shot_2", "A fox runs")
    pick(app, "seconds_2", 4)
    assert state(app, "duration", "seconds_1", "seconds_2") == ("7", 3, 4)
    assert "<b>7 s</b> from the shots" in texts(app)
    pick(app, "seconds_2", 3)
    assert state(app, "duration", "seconds_1", "seconds_2") == ("6", 3, 3)
    press_generate(app)
    request = as_text_to_video(studio.ledger.jobs()[0].request)
    assert request.duration == "6"
    assert [(shot.prompt, shot.duration) for shot in request.multi_prompt] == [
        ("A fox wakes", "3"),
        ("A fox runs", "3"),
    ]


def test_a_storyboard_takes_the_place_of_the_prompt_and_begins_with_it(app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "prompt", "A fox")
    pick(app, "cut", "customize")
    assert not [field for field in app.text_area if field.key == "composer.prompt"]
    assert state(app, "shot_1", "prompt") == ("A fox", "A fox")
    pick(app, "shot_1", "A fox wakes")
    pick(app, "cut", "one shot")
    assert app.text_area(key="composer.prompt").value == "A fox"
    pick(app, "prompt", "A heron")
    pick(app, "cut", "customize")
    assert state(app, "shot_1") == ("A fox wakes",)  # what was written there stays


def test_on_a_model_of_single_shots_the_storyboard_switches_the_model_and_one_press_takes_it_back(
    app: AppTest,
):
    pick(app, "mode", "pro")
    pick(app, "prompt", "A fox")
    pick(app, "cut", "customize")
    assert state(app, "model", "cut", "shot_1") == ("kling-v3", "customize", "A fox")
    said = texts(app).replace("\\", "")
    assert "Switched from Kling 2.6, which makes single shots only. Now $0.56, was $0.35." in said
    pick(app, "shot_2", "It runs")
    assert "Switched from Kling 2" in texts(app)  # it stands while the shots are written
    app.button(key="composer.undo").click().run()
    assert state(app, "model", "cut", "mode", "prompt") == ("kling-v2-6", "one shot", "pro", "A fox")
    assert app.text_area(key="composer.prompt").value == "A fox"
    assert "Switched from" not in texts(app)
    assert state(app, "shot_2") == ("It runs",)


def test_a_model_of_single_shots_shows_the_prompt_and_keeps_the_shots(app: AppTest):
    pick(app, "prompt", "A fox")
    pick(app, "cut", "customize")
    pick(app, "shot_2", "It runs")
    pick(app, "model", "kling-v2-5-turbo")
    assert state(app, "cut", "model") == ("one shot", "kling-v2-5-turbo")
    assert app.text_area(key="composer.prompt").value == "A fox"
    said = texts(app).replace("\\", "")
    assert "Kling 2.5 Turbo makes single shots only. Yours are kept under Storyboard." in said
    app.button(key="composer.undo").click().run()
    assert state(app, "cut", "model", "shot_2") == ("customize", "kling-v3", "It runs")
    pick(app, "model", "kling-v2-6")
    pick(app, "cut", "customize")
    assert state(app, "shot_1", "shot_2") == ("A fox", "It runs")


def test_a_look_at_the_storyboard_costs_nothing(app: AppTest):
    before = button(app)
    pick(app, "cut", "customize")
    assert "$0.42" in button(app)
    pick(app, "shot_1", "A fox")
    pick(app, "seconds_1", 6)
    pick(app, "cut", "one shot")
    assert state(app, "model", "mode", "duration", "sound") == ("kling-v2-6", "std", "5", False)
    assert button(app) == before
    assert "Switched" not in texts(app)


def test_a_model_that_somebody_chose_stays_when_the_shots_go(app: AppTest):
    pick(app, "cut", "customize")
    pick(app, "model", "kling-v2-5-turbo")
    pick(app, "model", "kling-v3")
    pick(app, "cut", "one shot")
    assert state(app, "model") == ("kling-v3",)


def test_what_a_choice_brought_along_is_taken_back_with_it_and_later_words_stay(app: AppTest):
    pick(app, "sound", True)
    assert state(app, "mode", "sound") == ("pro", True)
    app.text_area(key="composer.prompt").set_value("Typed since")
    app.button(key="composer.undo").click().run()
    assert state(app, "mode", "sound", "prompt") == ("std", False, "Typed since")


def test_sound_names_the_quality_that_it_needs(app: AppTest):
    def offered() -> list[str]:
        return [str(each) for each in app.button_group(key="composer.sound").options]

    assert any("1080p" in each for each in offered())
    pick(app, "mode", "pro")
    assert not any("1080p" in each for each in offered())


def test_one_panel_is_open_at_a_time_and_closed_ones_say_their_state(app: AppTest):
    def rows() -> dict[str, str]:
        return {
            str(each.key).removeprefix("composer.panel_"): str(each.label).replace("\\", "").replace("*", "")
            for each in app.button
            if str(each.key).startswith("composer.panel_")
        }

    assert rows()["camera"] == "Camera · Automatic"
    app.button(key="composer.panel_avoid").click().run()
    pick(app, "negative_prompt", "hands,\nstains")
    app.button(key="composer.panel_camera").click().run()
    assert not [field for field in app.text_area if field.key == "composer.negative_prompt"]
    pick(app, "camera", "forward_up")
    app.button(key="composer.panel_camera").click().run()
    assert not [field for field in app.selectbox if field.key == "composer.camera"]
    assert rows()["camera"] == "Camera · Forward and up"
    assert rows()["avoid"] == "Avoid · hands, stains"
    assert rows()["variations"] == "Variations · none"
    assert rows()["more"] == "More settings · Automatic"
    pick(app, "prompt", "A {red|grey} {1|2} fox")
    assert rows()["variations"] == "Variations · 4 clips"


def test_a_panel_with_a_problem_opens_or_says_so(app: AppTest):
    pick(app, "prompt", "A fox")
    app.button(key="composer.panel_avoid").click().run()
    pick(app, "negative_prompt", "x" * 2501)
    app.button(key="composer.panel_avoid").click().run()
    press_generate(app)
    assert "shorten it by 1" in texts(app)
    app.button(key="composer.panel_camera").click().run()
    assert "fix this" in app.button(key="composer.panel_avoid").label


def test_every_shot_has_its_own_problem(app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "cut", "customize")
    pick(app, "shot_2", "x" * 520)
    press_generate(app)
    assert "Write what shot 1 shows" in texts(app)
    assert "shorten it by 8" in texts(app)
    pick(app, "shot_1", "A fox")
    assert "Write what shot 1 shows" not in texts(app)  # a mended field says nothing any more
    assert "shorten it by 8" in texts(app)


def test_a_model_of_this_morning_can_be_used(studio: Studio, app: AppTest):
    pick(app, "model", "other")
    app.text_input(key="composer.other_model").set_value("kling-v9").run()
    pick(app, "duration", "30")
    pick(app, "prompt", "A fox")
    assert button(app) == "Generate · free"
    press_generate(app)
    assert as_text_to_video(studio.ledger.jobs()[0].request).model_name == "kling-v9"
    assert as_text_to_video(studio.ledger.jobs()[0].request).duration == "30"


def test_takes_are_jobs_of_their_own_and_the_button_says_what_all_of_them_cost(studio: Studio, app: AppTest):
    pick(app, "prompt", "A fox")
    pick(app, "takes", 3)
    assert button(app).startswith("Generate 3 · free (Kling: $0.63)")
    press_generate(app)
    press_generate(app)  # a double click
    jobs = studio.ledger.jobs()
    assert len({job.id for job in jobs}) == 3
    assert {as_text_to_video(job.request).prompt for job in jobs} == {"A fox"}


def test_nothing_is_ordered_at_a_price_that_the_button_did_not_say(studio: Studio, app: AppTest):
    pick(app, "prompt", "A fox")
    app.button_group(key="composer.mode").set_value("pro")
    press_generate(app)  # the choice and the click came together
    assert studio.ledger.jobs() == ()
    assert "Nothing was sent" in texts(app)
    assert "$0.35" in button(app)
    press_generate(app)
    assert as_text_to_video(studio.ledger.jobs()[0].request).mode == "pro"


def pressed_early() -> None:
    from decimal import Decimal

    from pages._ui.composer.order import generate

    generate((1, Decimal("1.5")), "7")


def test_a_press_before_the_page_shows_what_sound_needs_orders_nothing_else(studio: Studio):
    before = Draft(prompt="A fox")
    after = replace(before, sound=True, mode="pro")
    at = AppTest.from_function(pressed_early)
    at.session_state["composer"] = ComposerState(
        run=8, saved=after, shot_count=1, recent_runs={"7": before, "8": after}
    )
    for name, value in {"prompt": "A fox", "sound": True, "mode": "std"}.items():  # as the old page sends it
        at.session_state[draft_state.key(name)] = value
    assert not at.run().exception
    assert (at.session_state["composer.mode"], at.session_state["composer.sound"]) == ("pro", True)
    assert at.session_state["composer"].outcome.refusal.startswith("Nothing was sent: this costs something")
    assert studio.ledger.jobs() == ()


@pytest.mark.parametrize("model", [*catalog().models, "other"])
def test_every_choice_of_every_model_can_be_drawn(tab: AppTest, model: str):
    pick(unfold(tab, "more"), "retired", True)
    pick(tab, "model", model)
    for group in ("mode", "sound"):
        for widget in tab.button_group:
            if widget.key == draft_state.key(group):
                for option in list(widget.options):
                    assert option
    assert button(tab).startswith("Generate")


def test_a_task_fills_the_form_and_the_new_one_remembers_it(studio: Studio, app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "prompt", "A fox")
    pick(app, "duration", "7")
    press_generate(app)
    (first,) = studio.ledger.jobs()
    pick(app, "prompt", "Something else that I was writing")
    mine = app.session_state.composer.draft_id
    app.query_params.clear()
    app.query_params["from"] = first.id
    app.run()
    assert state(app, "prompt", "model", "duration") == ("A fox", "kling-v3", "7")
    pick(app, "prompt", "A fox at night")
    press_generate(app)
    assert studio.ledger.jobs()[1].parent == first.id
    assert "From: A fox" in [each.proto.label for each in app.get("page_link")]
    app.button(key="composer.cut_origin").click().run()
    pick(app, "prompt", "A fox at noon")
    assert state(app, "prompt", "model", "duration") == ("A fox at noon", "kling-v3", "7")
    press_generate(app)
    assert studio.ledger.jobs()[2].parent == ""
    next(each for each in app.button if each.label == "Back to the draft you had").click().run()
    assert app.session_state.composer.draft_id == mine
    assert app.text_area(key="composer.prompt").value == "Something else that I was writing"


def reloaded(app: AppTest) -> AppTest:
    """Return a new session of the same browser with the same draft."""
    again = AppTest.from_file(
        str(draft_state.__file__).replace("_ui/composer/draft_state.py", "main.py"), default_timeout=120
    )
    again.query_params["draft"] = app.session_state.composer.draft_id
    again.session_state["app"] = AppState(browser=app.session_state.app.browser)
    return again.run()


def test_a_button_leads_back_only_to_what_somebody_would_miss(app: AppTest):
    def ways_back_after(words: str) -> list[str]:
        composer = app.session_state.composer
        composer.pending = PendingDraft("", Draft(prompt=words), previous_draft=composer.draft_id)
        app.run()
        assert app.text_area(key="composer.prompt").value == words
        return [each.key for each in app.button if each.key == "composer.go_back"]

    assert ways_back_after("A fox from a template") == []  # the form was empty
    assert ways_back_after("An owl from another one") == []
    pick(app, "prompt", "My own words")
    assert ways_back_after("My own words") == []  # they are in the form
    pick(app, "prompt", "Other words of mine")
    assert ways_back_after("A fox from a template") == ["composer.go_back"]
    app.button(key="composer.go_back").click().run()
    assert app.text_area(key="composer.prompt").value == "Other words of mine"


def test_a_draft_outlives_its_session(studio: Studio, app: AppTest):
    pick(app, "model", "kling-v3")
    pick(app, "prompt", "A fox that I keep")
    press_generate(app)
    pick(app, "prompt", "and what came after")
    again = reloaded(app)
    assert draft_state.key("prompt") in again.session_state
    assert state(again, "prompt", "model") == ("and what came after", "kling-v3")
    assert again.session_state.composer.jobs == [studio.ledger.jobs()[0].id]


def test_the_way_back_from_the_storyboard_outlives_its_session(app: AppTest):
    pick(app, "cut", "customize")
    again = reloaded(app)
    assert state(again, "model", "cut") == ("kling-v3", "customize")
    pick(again, "cut", "one shot")
    assert state(again, "model", "mode", "duration") == ("kling-v2-6", "std", "5")
    assert reloaded(again).session_state.composer.ways_back == {}


def test_the_draft_of_another_browser_is_opened_as_a_copy(studio: Studio, tab: AppTest):
    theirs = studio.state.drafts.open("", "another browser")
    studio.state.drafts.save(
        theirs.id, "another browser", fields=Draft(prompt="Theirs").to_json(), made=("x",)
    )
    tab.query_params["draft"] = theirs.id
    tab.run()
    assert state(tab, "prompt") == ("Theirs",)
    assert "your own copy" in texts(tab)
    assert tab.session_state.composer.jobs == []
    pick(tab, "prompt", "Mine now")
    kept = studio.state.drafts.load(theirs.id)
    assert kept is not None
    assert kept.fields["prompt"] == "Theirs"


def test_hostile_values_of_a_stored_draft_do_not_break_the_form(studio: Studio, app: AppTest):
    bad = {
        "prompt": 7,
        "model": "<b>",
        "mode": ["x"],
        "duration": "900",
        "cfg_scale": float("nan"),
        "camera": "x" * 50,
        "camera_value": 1e9,
        "cut": None,
        "shots": [{"prompt": 5, "duration": "x"}, 3],
        "takes": 99,
        "sound": "yes",
        "nobody": "knows",
        "ways_back": {"cut": [{"model": 5}, 7], "sound": [{"mode": ["x"]}, {}], "last_frame": "x", "x": 1},
    }
    owner = app.session_state.app.browser
    mine = studio.state.drafts.open("", owner)
    studio.state.drafts.save(mine.id, owner, fields=bad)
    app.query_params["draft"] = mine.id
    app.run()
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    assert state(app, "model", "takes") == ("other", 4)


def test_earlier_prompts_are_the_persons_own_each_once_the_last_first(studio: Studio, app: AppTest):
    app.text_input(key="app.name").set_value("Ada").run()
    for number, words in enumerate(("first", "second", "first", "third")):
        app.session_state.app.token = f"another{number}"  # else the same words soon after are the same job
        pick(app, "prompt", words)
        press_generate(app)
    assert studio.ledger.index.prompts("Ada", 50) == ["third", "first", "second"]
    assert studio.ledger.index.prompts("Ada", 2) == ["third", "first"]
    assert studio.ledger.index.prompts("Grace", 50) == []


def test_a_late_click_that_brings_the_old_texts_of_the_shots_along_replaces_none(app: AppTest):
    """A page that has not drawn the answer yet sends what its fields still show."""
    pick(app, "model", "kling-v3")
    pick(app, "cut", "customize")
    pick(app, "shot_1", "A fox wakes")
    pick(app, "shot_2", "A fox runs")
    shown = {name: app.session_state[draft_state.key(name)] for name in ("shot_1", "shot_2", "seconds_2")}
    next(each for each in app.button if each.key == "composer.earlier_shot_2").click().run()
    assert state(app, "shot_1", "shot_2") == ("A fox runs", "A fox wakes")
    for name, value in shown.items():
        app.session_state[draft_state.key(name)] = value
    app.run()
    assert state(app, "shot_1", "shot_2") == ("A fox runs", "A fox wakes")


def test_a_rearrangement_is_stored_whole_and_a_text_of_before_that_comes_late_is_passed_over(
    app: AppTest, studio: Studio
):
    """While somebody types, the store has texts that the session does not know yet."""
    pick(app, "model", "kling-v3")
    pick(app, "cut", "customize")
    pick(app, "shot_1", "A fox wakes")
    pick(app, "shot_2", "A fox runs")
    composer = app.session_state["composer"]
    stored = studio.state.drafts

    def prompts() -> tuple[str, list[str]]:
        draft = stored.load(composer.draft_id)
        assert draft
        return draft.owner, [shot["prompt"] for shot in draft.fields["shots"]]

    owner, _ = prompts()
    stored.save(composer.draft_id, owner, texts={"shot_1": "A fox wakes up"})
    next(each for each in app.button if each.key == "composer.earlier_shot_2").click().run()
    stored.save(composer.draft_id, owner, texts={"shot_2": "A fox runs"})  # sent before the click
    assert prompts()[1] == ["A fox runs", "A fox wakes"]
    stored.save(composer.draft_id, owner, texts={"shot_2.1": "A fox wakes late"})
    assert prompts()[1] == ["A fox runs", "A fox wakes late"]


def test_the_quality_that_was_taken_for_sound_goes_with_it_unless_somebody_chose_it(app: AppTest):
    pick(app, "sound", True)
    assert state(app, "mode", "sound") == ("pro", True)
    pick(app, "prompt", "A fox")
    pick(app, "sound", False)
    assert state(app, "mode", "sound") == ("std", False)
    pick(app, "mode", "pro")
    pick(app, "sound", True)
    pick(app, "sound", False)
    assert state(app, "mode", "sound") == ("pro", False)


def test_variations_of_shots_without_words_name_no_number_and_a_press_says_what_is_missing(
    studio: Studio, app: AppTest
):
    pick(app, "cut", "customize")
    unfold(app, "variations")
    pick(app, "variations", True)
    assert button(app) == "Generate"
    press_generate(app)
    assert list(studio.ledger.jobs()) == []
    assert "no row of the variations is ticked" not in texts(app)
    assert "shot" in " ".join(str(each.value) for each in app.error).casefold()


def test_an_empty_prompt_is_one_fault_and_has_one_red_box(app: AppTest):
    press_generate(app)
    assert errors(app) == ["Write what the video should show."]
    assert FIX_MARKED in texts(app)


def test_the_prompt_may_be_as_long_as_its_model_takes_and_is_never_cut(app: AppTest, studio: Studio):
    pick(app, "model", "kling-3.0-turbo")
    words = "a" * 3000
    pick(app, "prompt", words)
    assert count(app) == "3,000 / 3,072"
    app.session_state["composer.first_frame"] = "c" * 64
    assert count(app.run()) == "3,000 / 2,500: shorten it by 500"
    app.session_state["composer.first_frame"] = ""
    pick(app, "model", "kling-v2-6")
    assert count(app) == "3,000 / 2,500: shorten it by 500"
    press_generate(app)
    assert not list(studio.ledger.jobs())
    assert state(app, "prompt") == (words,)
    press_generate(pick(app, "model", "kling-v3"))
    assert [job["prompt"] for job in studio.ledger.jobs()] == [words]


@pytest.mark.usefixtures("key_pair")
def test_a_key_pair_is_told_which_models_and_lengths_it_cannot_order(app: AppTest, studio: Studio):
    listed = app.selectbox(key="composer.model").options
    marked = [words.split(" · ")[0] for words in listed if "needs an API key" in words]
    assert marked == ["Kling 3.0 Turbo"]
    no_model = "Kling 3.0 Turbo needs an API key, and this account has an access key: choose another model."
    pick(app, "model", "kling-3.0-turbo")
    pick(app, "prompt", "a" * 2501)
    assert no_model in texts(app)
    press_generate(app)
    assert texts(app).count("needs an API key") == 1
    assert no_model in errors(app)
    pick(app, "model", "kling-v3")
    assert no_model not in texts(app)
    assert count(app) == "2,501 / 2,500: shorten it by 1"
    press_generate(app)
    too_long = "An access key takes at most 2,500 characters, an API key more: shorten it."
    assert too_long in errors(app)
    assert not list(studio.ledger.jobs())
    pick(app, "prompt", "a" * 2500)
    press_generate(app)
    assert len(list(studio.ledger.jobs())) == 1


def test_words_that_were_left_without_an_order_are_under_recent_in_another_tab(app: AppTest):
    pick(app, "prompt", "An otter that nobody ordered")
    other = new_tab()
    other.session_state["app"] = AppState(browser=app.session_state["app"].browser)
    other.run()
    pick(other, "prompt", "A fox")
    press_generate(other)
    other.button(key="composer.tool_recent").click().run()
    assert "Written and not ordered" in texts(other)
    assert "An otter that nobody ordered" in texts(other)
    assert sum(str(each.key).startswith("composer.recent_draft-") for each in other.button) == 1


def test_a_storyboard_is_among_what_was_left_until_it_is_ordered(app: AppTest):
    other = new_tab()
    other.session_state["app"] = AppState(browser=app.session_state["app"].browser)
    other.run()
    pick(other, "cut", "customize")
    pick(other, "shot_1", "A fox wakes")
    pick(other, "shot_2", "It runs")
    app.button(key="composer.tool_recent").click().run()
    assert "A fox wakes\nIt runs" in texts(app)
    press_generate(other)
    app.button(key="composer.tool_recent").click().run()
    assert "A fox wakes / It runs" in texts(app)
    assert "Written and not ordered" not in texts(app)


def test_the_page_says_how_many_presses_were_answered_and_which_order_is_the_newest(
    studio: Studio, app: AppTest
):
    """So it knows whether a press has arrived, also when the server was started again."""

    def told() -> list[tuple[str, str]]:
        return re.findall(r'data-pressed="(.*?)" data-newest="(.*?)"', texts(app))

    assert told() == [("0", "")]
    press_generate(app)  # without a prompt
    assert told() == [("1", "")]
    pick(app, "prompt", "A fox")
    press_generate(app)
    assert told() == [("2", studio.ledger.index.newest(0, 1)[0].id)]
