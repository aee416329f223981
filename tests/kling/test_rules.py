"""Which requests are refused before they are sent: each rule, for each model, and all of them at once."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import CameraControl, Problem, Shot, TextToVideo, catalog
from tests.kling.tools import law


def but(request: TextToVideo, **change: Any) -> TextToVideo:
    return replace(request, **change)


GOOD = TextToVideo(prompt="A fox in the snow")
V3 = but(GOOD, model_name="kling-v3")
V1 = but(GOOD, model_name="kling-v1")
NEW = but(GOOD, model_name="kling-v9-of-this-morning")
PAN = CameraControl(type="simple", config={"pan": 3})
BOARD = but(
    V3,
    prompt="",
    multi_shot=True,
    shot_type="customize",
    multi_prompt=(Shot(prompt="snow", duration="2"), Shot(prompt="fox", duration="3")),
)


def short(value: object) -> str:
    return str(value)[:8]


MODELS = list(catalog().models.values())


def problems(request: TextToVideo) -> tuple[Problem, ...]:
    """Return what is wrong with a request apart from its model's having been retired."""
    return request.problems(retired_ok=True)


def fields(request: TextToVideo) -> list[str]:
    return [problem.field for problem in problems(request)]


def only(request: TextToVideo, field: str) -> str:
    """Return the message of the one problem, which is about this field."""
    (problem,) = problems(request)
    assert problem.field == field
    return problem.message


def with_mode(model) -> TextToVideo:
    return but(GOOD, model_name=model.name, mode="std" if model.takes_mode else None)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_everything_that_a_model_takes_passes(model):
    for mode in model.modes if model.takes_mode else [None]:
        for duration in model.durations:
            for ratio in model.aspect_ratios:
                request = but(
                    with_mode(model), mode=mode, duration=duration, aspect_ratio=ratio, negative_prompt="rain"
                )
                assert fields(request) == ([] if model.takes_negative_prompt else ["negative_prompt"])
                assert problems(but(request, negative_prompt="")) == ()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_refuses_a_mode_that_it_has_not(model):
    refused = {"", "8k", "std", "pro", "4k"} - (set(model.modes) if model.takes_mode else {""})
    for mode in refused:
        assert fields(but(with_mode(model), mode=mode)) == ["mode"], mode


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize(
    "duration", ["", "0", "2", "16", "05", "5.0", "-5", " 5", "5\n", "٥", "9" * 5000], ids=short
)
def test_a_model_refuses_a_duration_that_it_has_not(model, duration):
    message = only(but(with_mode(model), duration=duration), "duration")
    assert model.title in message
    assert len(message) < 150


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_refuses_an_aspect_ratio_that_it_has_not(model):
    for ratio in ("", "21:9", "16x9", "16:9 "):
        assert fields(but(with_mode(model), aspect_ratio=ratio)) == ["aspect_ratio"]


@pytest.mark.parametrize(
    ("model_name", "mode", "passes"),
    [
        ("kling-v2-6", "std", False),
        ("kling-v2-6", "pro", True),
        ("kling-v2-5-turbo", "std", False),
        ("kling-v2-5-turbo", "pro", False),
        ("kling-v3", "std", True),
        ("kling-v3", "pro", True),
        ("kling-v3", "4k", True),
        ("kling-v2-1-master", None, False),
        ("kling-v2-master", None, False),
        ("kling-v1-6", "pro", False),
        ("kling-v1", "pro", False),
    ],
)
def test_sound_is_for_models_and_modes_that_have_it(model_name, mode, passes):
    request = but(GOOD, model_name=model_name, mode=mode, sound="on")
    assert fields(request) == ([] if passes else ["sound"])


def test_sound_in_the_wrong_mode_names_the_right_one():
    assert "choose pro mode" in only(but(GOOD, sound="on"), "sound")


@pytest.mark.parametrize("sound", ["", "ON", "true"])
def test_sound_is_on_or_off(sound):
    assert fields(but(GOOD, sound=sound)) == ["sound"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_cfg_scale_is_not_for_second_generation_models(model):
    is_refused = model.name.startswith("kling-v2") or model.api == "newer"
    expected = ["cfg_scale"] if is_refused else []
    assert fields(but(with_mode(model), cfg_scale=0.5)) == expected


@pytest.mark.parametrize("scale", [-0.01, 1.01, float("nan"), float("inf"), 10**400], ids=short)
@pytest.mark.parametrize("request_", [V1, V3, NEW], ids=["v1", "v3", "unknown"])
def test_cfg_scale_lies_between_0_and_1(scale, request_):
    assert fields(but(request_, cfg_scale=scale)) == ["cfg_scale"]


@pytest.mark.parametrize("scale", [0, 0.5, 1])
def test_cfg_scale_includes_its_ends(scale):
    assert problems(but(V1, cfg_scale=scale)) == ()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_camera_control_is_for_kling_v1_only(model):
    expected = [] if model.name == "kling-v1" else ["camera_control"]
    assert fields(but(with_mode(model), camera_control=PAN)) == expected


@pytest.mark.parametrize("change", [{"mode": "pro"}, {"duration": "10"}])
def test_camera_control_is_for_std_mode_at_5_seconds_only(change):
    assert fields(but(V1, camera_control=PAN, **change)) == ["camera_control"]


@pytest.mark.parametrize("kind", ["down_back", "forward_up", "right_turn_forward", "left_turn_forward"])
def test_a_camera_preset_takes_no_config(kind):
    assert problems(but(V1, camera_control=CameraControl(type=kind))) == ()
    request = but(V1, camera_control=CameraControl(type=kind, config={"pan": 1}))
    assert "takes no values" in only(request, "camera_control")


def test_a_camera_type_is_one_of_five():
    assert "simple" in only(but(V1, camera_control=CameraControl(type="orbit")), "camera_control")


@pytest.mark.parametrize("axis", ["horizontal", "vertical", "pan", "tilt", "roll", "zoom"])
def test_each_camera_axis_goes_from_minus_10_to_10(axis):
    for value, passes in [(-10, True), (10, True), (0.1, True), (-10.1, False), (11, False)]:
        request = but(V1, camera_control=CameraControl(type="simple", config={axis: value}))
        assert fields(request) == ([] if passes else ["camera_control"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400], ids=short)
def test_a_camera_axis_is_a_number_that_can_be_sent(value):
    request = but(V1, camera_control=CameraControl(type="simple", config={"pan": value}))
    assert fields(request) == ["camera_control"]


@pytest.mark.parametrize("config", [{}, {"pan": 0}, {"pan": 1, "zoom": 1}])
def test_a_simple_camera_moves_along_exactly_one_axis(config):
    request = but(V1, camera_control=CameraControl(type="simple", config=config))
    assert "exactly one axis" in only(request, "camera_control")


def test_everything_that_is_wrong_with_a_camera_is_said_at_once():
    wrong = CameraControl(type="simple", config={"spin": 1, "pan": 11, "zoom": 2})
    messages = " ".join(problem.message for problem in problems(but(V1, camera_control=wrong)))
    assert "no axis 'spin'" in messages
    assert "between -10 and 10" in messages
    assert "exactly one axis" in messages


@pytest.mark.parametrize("prompt", ["", " ", "\n\t", "\u3000"])
def test_an_empty_prompt_is_refused(prompt):
    assert fields(but(GOOD, prompt=prompt)) == ["prompt"]


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_a_prompt_has_at_most_2500_characters(field):
    assert problems(but(GOOD, **{field: "ä" * 2500})) == ()
    message = only(but(GOOD, **{field: "ä" * 2501}), field)
    assert "2,501" in message
    assert "shorten it by 1" in message


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_a_character_that_cannot_be_sent_is_refused(field, character):
    assert fields(but(GOOD, **{field: f"fox{character}"})) == [field]


def test_a_storyboard_passes_without_a_prompt_of_its_own():
    assert problems(BOARD) == ()


def test_shots_that_kling_cuts_need_a_prompt():
    request = but(V3, multi_shot=True, shot_type="intelligence")
    assert problems(request) == ()
    assert fields(but(request, prompt="")) == ["prompt"]
    assert fields(but(request, multi_prompt=BOARD.multi_prompt)) == ["multi_prompt"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_multi_shot_is_for_kling_v3_only(model):
    request = but(with_mode(model), multi_shot=True, shot_type="intelligence")
    ways = {"kling-v3": [], "kling-3.0-turbo": ["shot_type"]}  # the latter has to be told the shots
    assert fields(request) == ways.get(model.name, ["multi_shot"])


@pytest.mark.parametrize("change", [{"shot_type": "customize"}, {"multi_prompt": BOARD.multi_prompt}])
def test_shots_without_multi_shot_are_refused(change):
    assert fields(but(V3, **change)) == ["multi_shot"]


@pytest.mark.parametrize("shot_type", [None, "", "random"])
def test_multi_shot_says_how_to_cut(shot_type):
    assert fields(but(V3, multi_shot=True, shot_type=shot_type)) == ["shot_type"]


def test_a_storyboard_has_one_to_six_shots():
    shot = Shot(prompt="snow", duration="1")
    assert problems(but(BOARD, duration="6", multi_prompt=(shot,) * 6)) == ()
    assert "not 7" in only(but(BOARD, duration="7", multi_prompt=(shot,) * 7), "multi_prompt")
    assert "not 0" in only(but(BOARD, multi_prompt=()), "multi_prompt")


def test_the_seconds_of_the_shots_add_up():
    assert "5 s together and the video 6 s" in only(but(BOARD, duration="6"), "multi_prompt")


def test_everything_that_is_wrong_with_a_storyboard_is_said_at_once():
    shots = [
        Shot(prompt="snow", duration="0"),
        Shot(prompt=" ", duration="1"),
        Shot(prompt="x" * 513, duration="1.5"),
    ]
    assert fields(but(BOARD, multi_prompt=tuple(shots))) == [
        "multi_prompt[1]",
        "multi_prompt[2]",
        "multi_prompt[3]",
        "multi_prompt[3]",
    ]


def test_the_prompt_of_a_shot_has_at_most_512_characters():
    shots = (Shot(prompt="x" * 512, duration="4"), Shot(prompt="x" * 513, duration="1"))
    assert "512" in only(but(BOARD, multi_prompt=shots), "multi_prompt[2]")


@pytest.mark.parametrize("url", ["https://studio.example/hook?a=b", "http://127.0.0.1:1/hook"])
def test_a_callback_url_may_be_any_whole_address(url):
    assert problems(but(GOOD, callback_url=url)) == ()


@pytest.mark.parametrize(
    "url", ["studio.example/hook", "ftp://x", "https://", "https://[::1", "https://a b", "ht\ntps://a"]
)
def test_a_callback_url_that_is_no_address_is_refused(url):
    assert fields(but(GOOD, callback_url=url)) == ["callback_url"]


@pytest.mark.parametrize("task_id", ["job-1", "a/b?c#d", "%2e", "狐狸", "..."])
def test_an_external_task_id_may_be_any_text_that_can_be_looked_up(task_id):
    assert problems(but(GOOD, external_task_id=task_id)) == ()


@pytest.mark.parametrize("task_id", [".", "..", "a b", "a\n", "a\0", "\ud800"])
def test_an_external_task_id_that_cannot_be_looked_up_is_refused(task_id):
    assert fields(but(GOOD, external_task_id=task_id)) == ["external_task_id"]


@pytest.mark.parametrize("name", ["", "  ", "kling\0", "\ud800"])
def test_a_model_has_a_name(name):
    assert fields(but(GOOD, model_name=name)) == ["model_name"]


def test_a_model_that_the_catalog_does_not_know_passes_with_everything():
    request = but(
        NEW, mode="8k", duration="30", aspect_ratio="21:9", sound="on", cfg_scale=1, camera_control=PAN
    )
    assert problems(request) == ()
    assert problems(but(NEW, mode=None, aspect_ratio="")) == ()
    assert problems(but(BOARD, model_name=NEW.model_name)) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [("duration", ""), ("duration", "0"), ("duration", "1000"), ("aspect_ratio", "wide"), ("sound", "")],
)
def test_an_unknown_model_still_has_the_rules_of_every_model(field, value):
    assert fields(but(NEW, **{field: value})) == [field]


def test_all_problems_are_reported_at_once():
    request = TextToVideo(
        prompt="",
        negative_prompt="x" * 2501,
        mode="4k",
        duration="7",
        aspect_ratio="4:3",
        sound="loud",
        cfg_scale=2,
        camera_control=PAN,
        multi_shot=True,
        shot_type="none",
        callback_url="nowhere",
        external_task_id="a b",
    )
    assert fields(request) == [
        "prompt",
        "negative_prompt",
        "mode",
        "duration",
        "aspect_ratio",
        "sound",
        "cfg_scale",
        "camera_control",
        "multi_shot",
        "shot_type",
        "callback_url",
        "external_task_id",
    ]


texts = st.text(max_size=30) | st.sampled_from(["\0", "\ud800", "9" * 5000, "x" * 2501])
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400)])


def likely(*values: object) -> st.SearchStrategy:
    return st.sampled_from(values) | texts


FIELDS: dict[str, Any] = {
    **dict.fromkeys((field.name for field in dataclasses.fields(TextToVideo)), ...),  # drawn by its type
    "prompt": likely("A fox"),
    "model_name": likely(*catalog().models, "kling-new"),
    "negative_prompt": likely(""),
    "mode": st.none() | likely("std", "pro", "4k"),
    "duration": likely("5", "10", "3"),
    "aspect_ratio": likely("16:9", "1:1"),
    "sound": likely("on", "off"),
    "cfg_scale": st.none() | st.floats(0, 1) | numbers,
    "camera_control": st.none()
    | st.builds(
        CameraControl,
        type=likely("simple", "down_back"),
        config=st.dictionaries(likely("pan", "zoom"), st.floats(-10, 10) | numbers, max_size=3),
    ),
    "multi_shot": st.booleans(),
    "shot_type": st.none() | likely("customize", "intelligence"),
    "multi_prompt": st.lists(
        st.builds(Shot, prompt=likely("snow"), duration=likely("1", "5")), max_size=7
    ).map(tuple),
    "watermark": st.booleans(),
    "callback_url": likely("", "https://a.example"),
    "external_task_id": likely("", "job"),
}
requests = st.builds(TextToVideo, **FIELDS)


@law
@given(requests)
def test_any_request_has_problems_or_can_be_sent(request_):
    found = problems(request_)
    assert all(problem.field and problem.message for problem in found)
    request_.units()
    if not found:
        body = json.dumps(request_.to_wire(), allow_nan=False)
        assert json.loads(body) == request_.to_wire()
        assert None not in request_.to_wire().values()


# -- models that are not to be had on this endpoint ----------------------------------------------------------


@pytest.mark.parametrize("model", [model for model in MODELS if model.retired], ids=lambda model: model.name)
def test_a_retired_model_is_refused_with_the_living_one_to_use(model):
    [problem] = with_mode(model).problems()
    assert problem.field == "model_name"
    assert f"Kling retired {model.title} on 15 September 2026" in problem.message
    assert problem.message.endswith(f"use {catalog().models[model.successor].title} ({model.successor}).")
    assert with_mode(model).problems(retired_ok=True) == ()


@pytest.mark.parametrize(
    "name",
    [
        *("kling-3.0", "kling-2.6", "kling-2.5-turbo", "kling-v3-omni", "kling-3.0-omni"),
        *("kling-video-o1", "kling-o1", "kling-v1-5", "kling-v2-1", "kling-image-o1", " Kling-V3-Omni "),
    ],
)
def test_a_model_of_another_endpoint_is_refused_as_such_by_every_account(name):
    for retired_ok in (False, True):
        [problem] = but(GOOD, model_name=name).problems(retired_ok=retired_ok)
        assert problem.field == "model_name"
        assert problem.message.startswith(f"{name.strip().lower()} ")
        use = catalog().elsewhere[name.strip().lower()].use
        assert problem.message.endswith(f"use {catalog().models[use].title} ({use}).")


def test_a_retired_model_is_refused_beside_everything_else_that_is_wrong():
    request = but(V1, prompt="", mode="4k")
    assert [problem.field for problem in request.problems()] == ["prompt", "model_name", "mode"]


def test_an_id_that_is_endless_is_refused():
    assert problems(but(GOOD, external_task_id="x" * 256)) == ()
    assert "256" in only(but(GOOD, external_task_id="x" * 257), "external_task_id")
