"""The create call: every field and every rule between fields."""

from __future__ import annotations

import json

import pytest

from kling.sandbox import contract
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.settings import Settings

V3 = {"model_name": "kling-v3"}
V1 = {"model_name": "kling-v1"}
CAMERA = V1 | {"camera_control": {"type": "simple", "config": {"zoom": 3}}}
BOARD = [
    {"index": 1, "prompt": "A fox wakes", "duration": "2"},
    {"index": 2, "prompt": "It runs", "duration": "3"},
]
MULTI = V3 | {"prompt": "", "multi_shot": True, "shot_type": "customize", "multi_prompt": BOARD}

TAKEN = {
    "the example of the official page": {
        "model_name": "kling-v2-6",
        "prompt": "A cute little rabbit wearing glasses, sitting at a table, reading a newspaper",
        "negative_prompt": "",
        "duration": "5",
        "mode": "pro",
        "sound": "on",
        "aspect_ratio": "1:1",
        "callback_url": "",
        "external_task_id": "",
    },
    "2500 characters": {"prompt": "狐" * 2500, "negative_prompt": "x" * 2500},
    "cfg_scale as an integer": V1 | {"cfg_scale": 1},
    "4k": V3 | {"mode": "4k", "sound": "on", "duration": "15"},
    "sound in std mode of v3": V3 | {"sound": "on"},
    "camera control": CAMERA,
    "camera control with zeros": V1
    | {"camera_control": {"type": "simple", "config": {"zoom": -10, "pan": 0, "tilt": 0.0}}},
    "camera preset": V1 | {"camera_control": {"type": "down_back", "config": None}},
    "multi-shot": MULTI,
    "multi-shot, the model decides": V3 | {"multi_shot": True, "shot_type": "intelligence"},
    "the official six shots": V3
    | {
        "prompt": "",
        "multi_shot": True,
        "shot_type": "customize",
        "mode": "pro",
        "sound": "on",
        "duration": "15",
        "aspect_ratio": "9:16",
        "multi_prompt": [
            {"index": index, "prompt": "words", "duration": duration}
            for index, duration in enumerate("233331", start=1)
        ],
    },
    "half a watermark": {"watermark_info": {}},
    "the mode of a model without modes": {"model_name": "kling-v2-master", "mode": "pro"},
}


@pytest.fixture
def bench(bench):
    """A sandbox that still serves retired models: some fields and rules are theirs alone."""
    bench.change(retired="serve")
    return bench


@pytest.mark.parametrize("fields", TAKEN.values(), ids=TAKEN)
@pytest.mark.parity("mode-ignored")
def test_what_is_documented_is_taken(bench, fields):
    assert bench.create(**fields)["task_status"] == "submitted"


@pytest.mark.parametrize("model_name", contract.MODELS)
def test_every_model_of_the_enum_is_served(bench, model_name):
    bench.create(model_name=model_name)


REFUSED = [
    ("prompt-required", {"prompt": ""}),
    ("prompt-required", {"prompt": " \n\t"}),
    ("prompt-required", V3 | {"prompt": "", "multi_shot": True, "shot_type": "intelligence"}),
    ("model-exists", {"model_name": "kling-v9"}),
    ("model-exists", {"model_name": "kling-v3-omni"}),
    ("mode-supported", {"mode": "4k"}),
    ("duration-supported", {"duration": "15"}),
    ("duration-supported", {"model_name": "kling-v2-6", "duration": "3"}),
    ("sound-supported", {"sound": "on", "mode": "std"}),
    ("sound-supported", {"model_name": "kling-v2-5-turbo", "sound": "on", "mode": "pro"}),
    ("camera-control-supported", CAMERA | {"model_name": "kling-v1-6"}),
    ("camera-control-supported", CAMERA | {"mode": "pro"}),
    ("camera-control-supported", CAMERA | {"duration": "10"}),
    ("camera-config-required", V1 | {"camera_control": {"type": "simple"}}),
    ("camera-config-none", V1 | {"camera_control": {"type": "forward_up", "config": {"zoom": 1}}}),
    ("camera-config-one-axis", V1 | {"camera_control": {"type": "simple", "config": {}}}),
    ("camera-config-one-axis", V1 | {"camera_control": {"type": "simple", "config": {"zoom": 1, "pan": 1}}}),
    ("shot-type-required", V3 | {"multi_shot": True}),
    ("multi-prompt-required", V3 | {"multi_shot": True, "shot_type": "customize"}),
    ("multi-prompt-index", MULTI | {"multi_prompt": [BOARD[0], BOARD[1] | {"index": 3}]}),
    ("multi-prompt-index", MULTI | {"multi_prompt": [BOARD[0], BOARD[1] | {"index": 1}]}),
    ("multi-prompt-words", MULTI | {"multi_prompt": [BOARD[0], BOARD[1] | {"prompt": " "}]}),
    ("multi-prompt-sum", MULTI | {"duration": "6"}),
]


@pytest.mark.parametrize(
    ("rule", "fields"), REFUSED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(REFUSED)]
)
@pytest.mark.parity(*{rule for rule, _ in REFUSED})
def test_a_broken_rule_is_answered_with_its_code_and_its_field(bench, rule, fields):
    body = bench.refused(**fields)
    assert body["code"] == contract.RULES[rule].code
    assert contract.RULES[rule].fields[0].split(".")[0] in body["message"]
    assert contract.RULES[rule].message.split("{")[0] in body["message"]
    assert bench.page() == []


# For each field that only some models take: what makes a request with it that these take.
PROPERTIES = contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"]
TAKEN_BY_SOME: dict[str, dict[str, object]] = {
    field: MULTI if field == "multi_shot" else {field: PROPERTIES[field]["minimum"]}
    for field in sorted({field for model in contract.MODELS.values() for field in model.get("takes", ())})
}


@pytest.mark.parametrize("model_name", contract.MODELS)
@pytest.mark.parametrize("field", TAKEN_BY_SOME)
@pytest.mark.parity("field-supported")
def test_a_field_is_taken_by_some_models_and_refused_by_the_others(bench, field, model_name):
    bench.change(strict=True)
    fields = TAKEN_BY_SOME[field] | {"model_name": model_name}
    if field in contract.MODELS[model_name].get("takes", ()):
        bench.create(**fields)
    else:
        body = bench.refused(**fields)
        assert (body["code"], body["message"]) == (1201, f"{field}: is not supported by {model_name}")
        assert bench.page() == []


@pytest.mark.parity("cfg-scale-ignored")
def test_cfg_scale_has_no_effect_where_a_model_does_not_take_it(bench):
    assert bench.create(model_name="kling-v2-6", cfg_scale=0.5)["task_status"] == "submitted"
    assert "cfg_scale" in bench.refused(model_name="kling-v2-6", cfg_scale=1.5)["message"]
    bench.change(strict=True)
    assert "cfg_scale" in bench.refused(model_name="kling-v2-6", cfg_scale=0.5)["message"]


@pytest.mark.parametrize("model_name", contract.MODELS)
def test_no_model_refuses_what_it_was_not_asked_for(bench, model_name):
    bench.create(model_name=model_name, multi_shot=False)


MALFORMED: dict[str, list[object]] = {
    "prompt": ["x" * 2501, 5, ["x"], {"text": "x"}, True],
    "negative_prompt": ["x" * 2501, 0],
    "sound": ["loud", True, ""],
    **{
        name: [
            facts["minimum"] - 1,
            facts["minimum"] - 0.1,
            facts["maximum"] + 0.1,
            facts["maximum"] + 1,
            "0",
        ]
        for name, facts in PROPERTIES.items()
        if "minimum" in facts
    },
    "mode": ["max", "", 1],
    "aspect_ratio": ["4:3", "", 1.78],
    "duration": ["0", "16", "5s", "5.0", 5.0, "", 99],
    "model_name": [5, ["kling-v1"]],
    "watermark_info": [True, "on", {"enabled": "yes"}],
    "callback_url": [5],
    "external_task_id": [5, {}],
    "multi_shot": ["true", 1],
    "shot_type": ["auto"],
    "multi_prompt": ["x", [], [{}], [{"index": 1, "prompt": "x" * 513, "duration": "5"}], BOARD * 4],
    "camera_control": ["zoom", {}, {"type": "spin"}, {"type": "simple", "config": {"zoom": 11}}],
}


def test_every_field_is_tried_with_malformed_values():
    assert MALFORMED.keys() == PROPERTIES.keys()


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in MALFORMED.items() for value in values]
)
def test_a_malformed_field_is_refused_by_its_name(bench, field, value):
    body = bench.refused(**{field: value})
    assert body["code"] == 1201
    assert body["message"].startswith(field)


def test_all_problems_are_told_at_once(bench):
    message = bench.refused(prompt="x" * 2501, duration="7s", mode="max")["message"]
    assert "prompt size must be between 0 and 2500" in message
    assert "duration" in message
    assert "mode" in message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"prompt": NaN}',
        b'{"prompt": "\\ud800"}',
        b'{"cfg_scale": ' + b"9" * 5000 + b"}",
        b'{"prompt":' * 50_000,
        b'{"x":' * 400 + b"1" + b"}" * 400 + b",",
        b'{"x":' * 990 + b"1" + b"}" * 990,
        b"[" * 200_000,
    ],
    ids=range(13),
)
def test_a_body_that_is_no_json_object_is_refused_as_1200(bench, body):
    answer = bench.call("POST", TEXT_TO_VIDEO, body)
    assert (answer.status, answer.body["code"]) == (400, 1200)
    assert "body" in answer.body["message"]


@pytest.mark.parity("null-is-absent")
def test_null_means_absent(bench):
    nulls = dict.fromkeys(contract.OPENAPI["components"]["schemas"]["CreateTask"]["properties"])
    bench.post(nulls | {"prompt": "A fox"})
    assert bench.engine.store.page(1, 1)[0].request["model_name"] == "kling-v1"


@pytest.mark.parity("model-field")
@pytest.mark.parametrize("fields", [{}, {"model": "kling-v3"}, {"model_name": ""}])
def test_without_model_name_the_model_is_the_first_one(bench, fields):
    bench.post({"prompt": "A fox", **fields})
    assert bench.engine.store.page(1, 1)[0].request["model_name"] == "kling-v1"


@pytest.mark.parity("unknown-keys", "duration-integer", "content-type")
def test_strict_refuses_what_is_taken_otherwise(bench):
    bench.create(duration=10, voice_list=[{"voice_id": "1"}])
    assert bench.engine.store.page(1, 1)[0].request["duration"] == "10"
    bench.change(strict=True)
    assert bench.refused(voice_list=[])["message"].startswith("voice_list")
    assert bench.refused(duration=10)["message"].startswith("duration")
    bench.create(model="ignored, but documented")


@pytest.mark.parity("multi-shot-ignored")
def test_fields_without_effect_break_no_rule(bench):
    bench.create(**MULTI | {"prompt": "ignored"})
    bench.create(shot_type="customize", multi_prompt=BOARD)


@pytest.mark.parity("model-retired")
@pytest.mark.parametrize(
    "model_name", [name for name, facts in contract.MODELS.items() if "retired" in facts]
)
def test_retired_models_are_refused_unless_asked_for(bench, model_name):
    bench.change(retired=Settings().retired)
    body = bench.refused(model_name=model_name)
    assert body["code"] == 1203
    assert body["message"] == f"The model '{model_name}' has been discontinued and is no longer available."
    bench.create()


@pytest.mark.parity("model-field", "model-retired")
@pytest.mark.parametrize("fields", [{}, {"model": "kling-v3"}, {"model_name": ""}, {"model_name": None}])
def test_without_model_name_the_default_is_refused_as_the_retired_model_that_it_is(bench, fields):
    bench.change(retired="refuse")
    answer = bench.post({"prompt": "A fox", **fields})
    assert (answer.status, answer.body["code"]) == (404, 1203)
    assert answer.body["message"].startswith("The model 'kling-v1' has been discontinued")
    assert bench.page() == []


@pytest.mark.parity("external-task-id-unique")
def test_an_external_task_id_is_taken_once(bench):
    bench.create(external_task_id="mine")
    body = bench.refused(external_task_id="mine")
    assert (body["code"], body["message"]) == (1201, "External_task_id mine already exists")
    for _ in range(2):
        bench.create(external_task_id="")
    assert bench.engine.store.count_by_external_task_id() == {"": 2, "mine": 1}


def test_an_external_task_id_stays_taken_after_a_failure(bench):
    bench.create(external_task_id="mine", prompt="sandbox-failed")
    bench.finish()
    assert bench.task("mine")["task_status"] == "failed"
    assert bench.refused(external_task_id="mine")["code"] == 1201


@pytest.mark.parametrize(
    "text", ["NA", "=1+1", "'; DROP TABLE tasks; --", "\x00", "../../etc/passwd", "🦊" * 100, "a/b?c#d%"]
)
def test_any_text_is_kept_as_it_is(bench, text):
    bench.create(prompt=text, external_task_id=text)
    assert bench.task(text)["task_info"]["external_task_id"] == text
    assert bench.engine.store.page(1, 1)[0].request["prompt"] == text


def test_the_answer_has_the_official_shape(bench):
    answer = bench.post({"prompt": "A fox", "external_task_id": "mine"})
    data = answer.body["data"]
    assert list(answer.body) == ["code", "message", "request_id", "data"]
    assert (answer.body["code"], answer.body["message"]) == (0, "SUCCEED")
    assert list(data) == ["task_id", "task_info", "task_status", "created_at", "updated_at"]
    assert data["task_info"] == {"external_task_id": "mine"}
    assert data["created_at"] == data["updated_at"] == 1_795_000_000_000
    assert int(data["task_id"]) > 2**53


def test_ids_are_unique(bench):
    bench.change(concurrency=10_000)
    assert len({bench.create()["task_id"] for _ in range(300)}) == 300


def test_the_documented_example_is_the_contracts_own():
    example = contract.OPENAPI["components"]["schemas"]["CreateTask"]["example"]
    assert list(contract.problems("CreateTask", example)) == []
    assert json.dumps(example)
