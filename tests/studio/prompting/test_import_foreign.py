"""Bodies of gateways and of Kling's newer API, code blocks, programs: read, or refused with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import ImageToVideo, Shot, TextToVideo
from kling.studio.prompting import export_request
from kling.studio.prompting.import_request import ImportRequestError, draft_of, parse_request
from tests.kling.tools import law
from tests.studio.prompting import legal

FOX = {"model_name": "kling-v2-6", "prompt": "A fox", "mode": "pro", "duration": "10", "sound": "on"}
WANTED = TextToVideo(prompt="A fox", mode="pro", duration="10", sound="on")
AS_JSON = json.dumps(FOX)
URL = "https://api.example/v1/videos/text2video"


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{AS_JSON}",
        f"\u200b {AS_JSON}\u200b",
        f"```json\n{AS_JSON}\n```",
        f"```\n{AS_JSON}\n```",
        f"~~~JSON\n{AS_JSON}\n~~~",
        f"Here is the request:\n\n```json\n{AS_JSON}\n```\n\nRun it with your key.",
        f"```json\n{AS_JSON}",
        f"First this:\n```bash\npip install x\n```\nthen\n```json\n{AS_JSON}\n```",
        f"> ```json\n> {AS_JSON}\n> ```",
        f"```json\n```\n{AS_JSON}",
        f"```bash\ncurl {URL} -d '{AS_JSON}'\n```",
        f"Here is the request: {AS_JSON} Run it.",
        AS_JSON.replace('"', "“", 1).replace('"', "”", 1).replace('"', "'"),
        f"{AS_JSON[:-1]},}};",
        "{ // the model\n" + AS_JSON[1:],
        str(FOX),
        "{model_name: 'kling-v2-6', prompt: 'A fox', mode: 'pro', duration: 10, sound: 'on'}",
        f"requests.post('{URL}', json={FOX!r}, timeout=60)",
        f'fetch("{URL}", {{"method": "POST", "mode": "cors", "body": {json.dumps(AS_JSON)}}});',
        'Invoke-WebRequest -Body "' + AS_JSON.replace('"', '`"') + '"',
        f"wget --post-data='{AS_JSON}' {URL}",
        f"curl -sSd '{AS_JSON}' --url={URL}",
        f"curl --data-ascii '{AS_JSON}' {URL}?x=1",
        'curl ^"' + URL + '^" ^\n --data-raw ^"' + AS_JSON.replace('"', '^\\^"') + '^"',
        f"[{AS_JSON}]",
    ],
)
def test_a_request_is_found_wherever_it_stands(text):
    assert parse_request(text).request == WANTED


@pytest.mark.parametrize(
    ("body", "model", "mode"),
    [
        ({"input": FOX}, "kling-v2-6", "pro"),
        ({"model": "kling/v2-6", "input": {"prompt": "A fox", "mode": "pro"}}, "kling-v2-6", "pro"),
        (
            {"model": "fal-ai/kling-video/v2.5-turbo/pro/text-to-video", "input": {"prompt": "A fox"}},
            "kling-v2-5-turbo",
            "pro",
        ),
        ({"model": "kling-3.0", "input": {"prompt": "A fox"}}, "kling-v3", "std"),
        (
            {"model": "kwaivgi/kling-v3", "input": {"prompt": "A fox", "resolution": "1080p"}},
            "kling-v3",
            "pro",
        ),
        ({"version": "5f3a", "input": {"text": "A fox"}}, "kling-v2-6", "std"),
        ({"data": {"input": FOX}}, "kling-v2-6", "pro"),
        ({"code": 0, "data": {"id": "7", "status": "done", "input": FOX}}, "kling-v2-6", "pro"),
        ({"id": "x", "status": "succeeded", "input": json.dumps(FOX), "output": []}, "kling-v2-6", "pro"),
        ({"model": "kling-v3", "prompt": "A fox"}, "kling-v3", "std"),
    ],
)
def test_what_a_gateway_wraps_or_calls_otherwise_is_read(body, model, mode):
    request = parse_request(json.dumps(body)).request
    assert (request.prompt, request.model_name, request.mode) == ("A fox", model, mode)
    assert request.problems() == ()


def test_fields_of_gateways_become_ours():
    inner = {
        "prompt": "A fox",
        "negativePrompt": "rain",
        "aspectRatio": "9:16",
        "duration": "10s",
        "generate_audio": True,
        "resolution": "1080p",
        "seed": 7,
    }
    found = parse_request(json.dumps({"model": "kling-v3", "input": inner}))
    assert found.request == TextToVideo(
        prompt="A fox",
        model_name="kling-v3",
        negative_prompt="rain",
        aspect_ratio="9:16",
        duration="10",
        sound="on",
        mode="pro",
    )
    assert any("“input”" in note for note in found.notes)
    assert any(note.startswith("seed is left out") for note in found.notes)


NEWER: dict[str, Any] = {
    "prompt": "A fox",
    "settings": {
        "multi_shot": False,
        "audio": "native",
        "resolution": "1080p",
        "aspect_ratio": "1:1",
        "duration": 7,
    },
    "options": {
        "callback_url": "https://me.example",
        "external_task_id": "x",
        "watermark_info": {"enabled": True},
    },
}


def test_the_body_of_klings_newer_api_keeps_its_settings():
    command = f"curl https://api-singapore.klingai.com/text-to-video/kling-3.0 -d '{json.dumps(NEWER)}'"
    found = parse_request(command)
    assert found.request == TextToVideo(
        prompt="A fox",
        model_name="kling-v3",
        mode="pro",
        duration="7",
        aspect_ratio="1:1",
        sound="on",
        watermark=True,
    )
    assert [note.split(" ")[0] for note in found.notes] == ["The", "external_task_id", "callback_url"]
    assert "kling-3.0” is kling-v3" in found.notes[0]


def test_the_newer_body_alone_does_not_name_its_model_so_one_that_takes_it_is_chosen():
    found = parse_request(json.dumps(NEWER))
    assert found.request.model_name == "kling-v3"
    assert found.request.problems() == ()
    assert any("names no model" in note for note in found.notes)
    simple = parse_request(json.dumps({"prompt": "A fox", "settings": {"resolution": "720p", "duration": 5}}))
    assert simple.request == TextToVideo(prompt="A fox")


def test_where_the_newer_api_chooses_shots_by_default_the_form_does_too():
    def read(model: str, **settings: Any) -> Any:
        body = {"model": model, "prompt": "A fox", "settings": {"duration": 5, **settings}}
        return parse_request(json.dumps(body)).request

    assert (read("kling-3.0").multi_shot, read("kling-3.0").shot_type) == (True, "intelligence")
    assert read("kling-3.0").problems() == ()
    assert not read("kling-3.0", multi_shot=False).multi_shot
    assert not read("kling-2.6").multi_shot
    assert not read("kling-3.0-turbo").multi_shot


def test_shots_in_the_prompt_of_the_newer_api_become_a_storyboard():
    body = {
        "contents": [
            {"type": "prompt", "text": "shot 1, 3, a fox; shot 2, 4, an owl;"},
            {"type": "first_frame", "url": "https://x"},
        ],
        "settings": {"duration": 7},
    }
    found = parse_request(f"curl https://x/image-to-video/kling-3.0 -d '{json.dumps(body)}'")
    assert found.request.multi_prompt == (
        Shot(prompt="a fox", duration="3"),
        Shot(prompt="an owl", duration="4"),
    )
    assert found.request.problems() == ()
    assert found.notes[0] == "first_frame is left out: give the picture itself to the form."
    body["settings"] = {"duration": 7, "multi_shot": False}
    assert parse_request(json.dumps(body)).request.multi_prompt == ()


def test_contents_that_the_form_does_not_take_are_named():
    contents = [{"type": "prompt", "text": "a fox"}, {"type": "element", "element_id": "7"}]
    others = [{"type": ["?"]}, {}, "voice"]
    found = parse_request(json.dumps({"contents": [*contents, *others], "model": "kling-3.0"}))
    assert found.request.prompt == "a fox"
    assert found.notes[0] == "element, ['?'], ?, voice is left out: it is not known here."


def test_a_list_of_shots_is_a_storyboard():
    found = parse_request('[{"prompt": "a fox", "duration": 3}, {"prompt": "an owl", "duration": "4"}]')
    assert found.request == TextToVideo(
        model_name="kling-v3",
        duration="7",
        multi_shot=True,
        shot_type="customize",
        multi_prompt=(Shot(prompt="a fox", duration="3"), Shot(prompt="an owl", duration="4")),
    )
    assert found.request.problems() == ()


ANSWER = {"task_id": "844", "task_status": "succeed", "task_result": {"videos": [{"url": "https://x"}]}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (json.dumps({"code": 0, "message": "SUCCEED", "data": ANSWER}), "answer about task 844"),
        (json.dumps({"code": 0, "message": "SUCCEED", "data": [ANSWER]}), "answer about task 844"),
        (json.dumps(ANSWER), "Look for the task in History"),
        (json.dumps(ANSWER | {"watermark_info": {"enabled": True}}), "answer about task 844"),
        (json.dumps({"data": {"id": "9", "status": "submitted"}}), "answer about task 9"),
        (f"```json\n{json.dumps(ANSWER)}\n```", "answer about task 844"),
        (json.dumps({"code": 1201, "message": "bad"}), "answer of the API (1201"),
        ("{}", "No field of this says what the video shows"),
        ('{"a": 1, "b": 2}', "(it has a, b)"),
        ('{"model_name": "kling-v3", "mode": "pro"}', "(it has model_name, mode)"),
        (json.dumps({"input": {"image": "x"}}), "(it has input)"),
        ("[]", "an empty list"),
        (json.dumps([FOX, FOX]), "a list of 2 entries"),
        ('["a fox"]', "not a JSON object"),
        ("```json\n{\n```", "cannot be read"),
        ("```\nA fox\n```", "neither a JSON object"),
        (f"curl {URL} -F prompt=fox", "sends a form"),
        (f"curl {URL} --data-urlencode 'prompt=fox'", "sends a form"),
        (f"curl {URL} -d prompt=fox", "cannot be read"),
        ("http POST api.example prompt=fox", "neither a JSON object"),
        ('{"settings": {"duration": 5}, "options": {}}', "No field of this says what the video shows"),
        ("const body = {prompt: text, mode}", "neither a JSON object"),
    ],
)
def test_what_holds_no_request_is_refused_with_what_it_is(text, words):
    with pytest.raises(ImportRequestError) as told:
        parse_request(text)
    assert words in str(told.value)


@given(legal.requests())
@law
def test_a_program_that_was_exported_is_read_back_the_same(request):
    back = parse_request(export_request.to_python(request)).request
    assert back.to_wire() == parse_request(export_request.to_json(request)).request.to_wire()


FIRST, LAST = "a1" * 32, "b2" * 32


@pytest.mark.parametrize("model", ["kling-v2-6", "kling-v3", "kling-3.0-turbo"])
@pytest.mark.parametrize("tail", ["", LAST])
@pytest.mark.parametrize("export", [export_request.to_python, export_request.to_curl])
def test_pictures_that_a_program_reads_from_files_are_those_of_the_studio(export, tail, model):
    asked = ImageToVideo(prompt="A fox", model_name=model, image=FIRST, image_tail=tail, mode="pro")
    kept = {name[:12]: name for name in (FIRST, LAST)}
    found = parse_request(export(asked), lambda beginning: kept.get(beginning, "")).request
    assert isinstance(found, ImageToVideo)
    assert (found.prompt, found.image, found.image_tail) == ("A fox", FIRST, tail)
    missing = parse_request(export(asked))
    assert missing.request.prompt == "A fox"
    left_out = [note for note in missing.notes if "give the picture itself" in note]
    assert len(left_out) == 1 + bool(tail)


def test_a_last_frame_alone_is_left_out_and_said():
    found = parse_request(json.dumps(FOX | {"image_tail": LAST}))
    assert found.request == WANTED
    assert found.notes == ("image_tail is left out: a video with a last frame has a first one, too.",)


@given(legal.requests(), st.sampled_from(["input", "body", "data", "payload"]), st.booleans())
@law
def test_a_wrapped_request_in_a_code_block_is_the_same_request(request, wrapper, fenced):
    body = json.dumps({wrapper: json.loads(export_request.to_json(request))}, indent=2)
    text = f"Try this:\n\n```json\n{body}\n```\n" if fenced else body
    assert parse_request(text).request == parse_request(export_request.to_json(request)).request


PARTS = [
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    ":",
    ",",
    "prompt",
    "input",
    "settings",
    "options",
    "contents",
    "model",
]
PARTS += [
    "multi_prompt",
    "duration",
    "true",
    "None",
    "1",
    "5s",
    "a fox",
    "```",
    "\n",
    "curl",
    " -d ",
    "\\",
    "shot 1, 3,",
]


@given(st.lists(st.sampled_from(PARTS), max_size=25).map("".join))
@law
def test_any_text_is_refused_or_asks_for_something(text):
    try:
        found = parse_request(text)
    except ImportRequestError as error:
        assert 0 < len(str(error)) < 1000  # noqa: PT017 - it may be none
    else:
        draft_of(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*FOX, "input", "settings", "options", "contents", "model", "id", "status"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@law
def test_any_json_is_refused_or_asks_for_something(value):
    try:
        draft_of(parse_request(json.dumps(value)))
    except ImportRequestError as error:
        assert 0 < len(str(error)) < 1000  # noqa: PT017 - it may be none


@pytest.mark.parametrize(
    "part",
    ["{", "[{", "(", '"', "'", "“", "/*", "#", "```\n", "> ", "curl ", "^", '{"a":', "{a:'", " ", "\\"],
)
@pytest.mark.parametrize("begins", ["x ", "{", "```\n"])
def test_no_long_text_takes_long(begins, part):
    before = time.process_time()
    with pytest.raises(ImportRequestError):
        parse_request(begins + part * (190_000 // len(part)))
    assert time.process_time() - before < 2
