"""What people paste: the official page's command, a browser's, a colleague's, and what is no request."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling import CameraControl, ImageToVideo, Shot, TextToVideo
from kling.shots import shots_to_wire
from kling.studio.prompting import import_request
from kling.studio.prompting.draft import Draft, snap_to_model
from kling.studio.prompting.import_request import ImportRequestError
from kling.studio.prompting.shell import words
from kling.studio.prompting.words import as_text_to_video
from tests.kling.tools import law
from tests.studio.prompting import legal

RABBIT = (
    "A cute little rabbit wearing glasses, sitting at a table, reading a newspaper, "
    "with a cup of cappuccino on the table"
)
OFFICIAL = f"""curl --request POST \\
  --url https://api-singapore.klingai.com/v1/videos/text2video \\
  --header 'Authorization: Bearer ' \\
  --header 'Content-Type: application/json' \\
  --data '{{
    "model_name": "kling-v2-6",
    "prompt": "{RABBIT}",
    "negative_prompt": "",
    "duration": "5",
    "mode": "pro",
    "sound": "on",
    "aspect_ratio": "1:1",
    "callback_url": "",
    "external_task_id": ""
  }}'"""


def told(text: str) -> str:
    """Whatever a person may get to see of a paste."""
    try:
        return repr(import_request.parse_request(text))
    except ImportRequestError as error:
        return str(error)


RABBIT_REQUEST = TextToVideo(prompt=RABBIT, mode="pro", sound="on", aspect_ratio="1:1")


@pytest.mark.parametrize(
    "text",
    [
        OFFICIAL,
        # as it comes when the whole page is copied into one line
        f'cURL cURL Copy Collapse {" ".join(OFFICIAL.split())} 200 Copy Collapse {{ "code": 0, // isn\'t',
        OFFICIAL.replace("--data", "-d"),
        OFFICIAL.replace("--data '", "-d'"),
        OFFICIAL.replace("--data", "--data-raw"),
        OFFICIAL.replace("--data", "--data-binary").replace("\n", "\r\n"),
        OFFICIAL.replace("--data '", "--data=$'"),
        OFFICIAL.replace("--data '", "--data-raw @- <<'END'\n")[:-1] + "\nEND\necho done",
        OFFICIAL.replace("--data '", "<<END --json @-\n")[:-1] + "\nEND",
        "$ " + OFFICIAL + " | jq .",
        OFFICIAL.replace("\\\n", "^\r\n"),
        OFFICIAL.replace("\\\n", "`\n").replace("curl ", "curl.exe "),
        f"curl -X POST -d {json.dumps(json.dumps(RABBIT_REQUEST.to_wire()))} https://api.example/v1/videos/text2video",
        OFFICIAL.split("--data '")[1][:-1],
    ],
)
def test_a_command_is_read_however_it_is_quoted(text):
    found = import_request.parse_request(text)
    assert found.request == RABBIT_REQUEST
    assert found.notes == ()


def test_a_browser_writes_text_in_its_own_way():
    body = r"""{"model_name":"kling-v2-6","prompt":"It\'s \u96ea \ud83e\udd8a, \x41\101\n \"now\"!"}"""
    found = import_request.parse_request(
        "curl 'https://a.example/v1/videos/text2video' --data-raw $'" + body.replace('\\"', '\\\\"') + "'"
    )
    assert found.request.prompt == 'It\'s 雪 🦊, AA\n "now"!'


def test_every_field_is_read():
    body = {
        "model_name": "kling-v3",
        "prompt": "x",
        "negative_prompt": "rain",
        "mode": "4k",
        "aspect_ratio": "9:16",
        "sound": "on",
        "duration": 5,
        "cfg_scale": 1,
        "camera_control": {"type": "simple", "config": {"pan": 0, "zoom": -3}},
        "multi_shot": True,
        "shot_type": "customize",
        "multi_prompt": [
            {"index": 2, "prompt": "two", "duration": "2"},
            {"index": 1, "prompt": "one", "duration": 3},
        ],
        "watermark_info": {"enabled": True},
    }
    assert body.keys() == TextToVideo.FIELDS.keys() - {*import_request.OURS}
    request = as_text_to_video(import_request.parse_request(json.dumps(body)).request)
    written_otherwise = {"duration", "camera_control", "multi_prompt"}
    assert request.to_wire().keys() == body.keys()
    assert all(request.to_wire()[name] == body[name] for name in body.keys() - written_otherwise)
    assert (request.duration, request.cfg_scale, request.watermark, request.mode) == ("5", 1, True, "4k")
    assert request.camera_control == CameraControl(type="simple", config={"zoom": -3})
    assert request.multi_prompt == (Shot(prompt="one", duration="3"), Shot(prompt="two", duration="2"))


def test_a_choice_that_the_body_leaves_out_is_the_documented_default():
    said = json.dumps({"model_name": "kling-v3", "prompt": "x"})
    request = as_text_to_video(import_request.parse_request(said).request)
    assert (request.mode, request.duration, request.aspect_ratio, request.sound) == (
        "std",
        "5",
        "16:9",
        "off",
    )


@pytest.mark.parametrize("config", [None, "None", {}, {"pan": 0, "zoom": 0}])
def test_a_preset_may_say_in_any_way_that_it_has_no_config(config):
    body = {
        "prompt": "x",
        "model_name": "kling-v1",
        "camera_control": {"type": "down_back", "config": config},
    }
    request = as_text_to_video(import_request.parse_request(json.dumps(body)).request)
    assert request.camera_control == CameraControl(type="down_back")


def test_what_is_left_out_or_assumed_is_noted():
    body = {
        "prompt": "x",
        "model": "kling-v1",
        "image": "https://…",
        "external_task_id": "mine",
        "callback_url": "https://me.example",
        "watermark_info": {"text": "me"},
        "multi_prompt": [{"prompt": "a", "duration": "5", "voice": 1}],
    }
    command = f"curl https://api.example/v1/videos/multi-image2video -d '{json.dumps(body)}'"
    found = import_request.parse_request(command)
    assert found.request.model_name == TextToVideo().model_name
    said = " ".join(found.notes)
    for word in (
        "multi-image2video",
        "model ",
        "image is left out: give the picture itself",
        "external_task_id",
        "callback_url",
        "watermark_info.text",
        "voice",
    ):
        assert word in said
    assert len(found.notes) == 8


V3 = {"model_name": "kling-v3", "prompt": "x"}
SHOTS = [{"index": 1, "prompt": "one", "duration": "2"}, {"index": 2, "prompt": "two", "duration": "3"}]
EMPTY_SHOTS = shots_to_wire(Draft().shots)
BOARD = V3 | {"multi_shot": True, "shot_type": "customize", "multi_prompt": SHOTS}


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        (V3 | {"cfg_scale": 1.5}, ["cfg_scale 1.5 became 1.0 to fit the form."]),
        (V3 | {"cfg_scale": -1}, ["cfg_scale -1 became 0.0 to fit the form."]),
        (V3 | {"mode": "max"}, ['mode "max" became "std" to fit the form.']),
        (V3 | {"sound": "loud"}, ['sound "loud" became "off" to fit the form.']),
        (V3 | {"shot_type": "customize"}, ['shot_type "customize" is left out to fit the form.']),
        (V3 | {"prompt": "a\0b"}, ['prompt "a\\u0000b" became "a\ufffdb" to fit the form.']),
        (V3 | {"prompt": "a\ud800b"}, ['prompt "a\\ud800b" became "a\ufffdb" to fit the form.']),
        (
            V3 | {"prompt": "x" * 500 + "\0"},
            [
                f'prompt …{"x" * 30}\\u0000" became …{"x" * 30}\ufffd" to fit the form.',
            ],
        ),
        (
            {"prompt": "x", "model_name": "kling-v2-6", "cfg_scale": 0.5},
            ["cfg_scale 0.5 is not sent: Kling 2.6 does not take it."],
        ),
        (
            {"prompt": "x", "model_name": "kling-v2-6", "camera_control": {"type": "down_back"}},
            ['camera_control {"type": "down_back"} is not sent: Kling 2.6 does not take it.'],
        ),
        (
            {"prompt": "x", "model_name": "kling-v2-master", "mode": "pro"},
            ['mode "pro" is not sent: Kling 2.0 Master does not take it.'],
        ),
        (
            {
                "prompt": "x",
                "model_name": "kling-v1",
                "camera_control": {"type": "simple", "config": {"pan": 11, "zoom": 3}},
            },
            [
                "camera_control.config.pan 11 became 10 to fit the form.",
                "camera_control.config.zoom 3 became 0 to fit the form.",
            ],
        ),
        (
            BOARD | {"duration": "6"},
            ['multi_prompt[2].duration "3" became "4" to fit the form.'],
        ),
        (
            BOARD | {"multi_prompt": [SHOTS[0], SHOTS[1] | {"duration": "long"}], "duration": "3"},
            ['multi_prompt[2].duration "long" became "1" to fit the form.'],
        ),
        (
            V3 | {"multi_shot": True, "shot_type": "customize"},
            [f"multi_prompt is not given: {json.dumps(EMPTY_SHOTS)[:60]}… is taken."],
        ),
        # The form itself says what it moved.
        (V3 | {"duration": "20", "aspect_ratio": "4:3"}, []),
        (V3 | {"model_name": "kling-v2-6", "mode": "4k", "sound": "on"}, []),
        (V3 | {"cfg_scale": 1, "mode": "4k", "sound": "on"}, []),
        (BOARD | {"watermark_info": {"enabled": True}}, []),
    ],
)
def test_what_an_import_changes_to_fit_is_noted_with_what_it_became(body, notes):
    _, told = import_request.draft_of(import_request.parse_request(json.dumps(body)))
    assert list(told) == notes


def test_the_notes_of_an_import_also_name_what_was_left_out_of_the_paste():
    found = import_request.parse_request(json.dumps(V3 | {"cfg_scale": 1.5, "image": "x"}))
    draft, notes = import_request.draft_of(found)
    assert notes == (
        "image is left out: give the picture itself to the form.",
        "cfg_scale 1.5 became 1.0 to fit the form.",
    )
    assert draft == Draft.from_request(found.request)


def test_half_of_a_surrogate_pair_in_a_name_is_told_as_its_escape():
    found = import_request.parse_request('{"prompt": "x", "a\\ud800": 1}')
    assert found.notes[0] == r"a\ud800 is left out: it is not known here."
    with pytest.raises(ImportRequestError, match=r"config\.\\ud800 has to be a number"):
        import_request.parse_request('{"camera_control": {"type": "simple", "config": {"\\ud800": "x"}}}')


@given(legal.requests())
@law
def test_nothing_changes_in_an_import_that_neither_a_note_nor_the_form_says(request):
    draft, notes = import_request.draft_of(import_request.ImportedRequest(request))
    fitted, moved = snap_to_model(draft)
    old, new = request.to_wire(), fitted.request().to_wire()
    told = {re.split(r"[ .\[]", note)[0] for note in notes} | {change.field for change in moved}
    assert told == {name for name in TextToVideo.FIELDS if old.get(name) != new.get(name)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing here"),
        ("A fox in the snow", "neither a JSON object"),
        ('{"prompt": "x",\n "mode": }', "line 2, column 10"),
        ('{"prompt": ["x"]}', "prompt has to be text"),
        ('{"prompt": "x"} and more', "column 17"),
        ('{"cfg_scale": "1"}', "cfg_scale has to be a number"),
        ('{"cfg_scale": NaN}', "NaN"),
        ('{"cfg_scale": ' + "9" * 5000 + "}", "too long"),
        ('{"a":' * 3000, "nested too deep"),
        ('{"sound": true}', "sound has to be text"),
        ('{"multi_shot": "yes"}', "multi_shot has to be true or false"),
        ('{"multi_prompt": {"prompt": "x"}}', "multi_prompt has to be a list"),
        ('{"multi_prompt": ["x"]}', "multi_prompt[1] has to be an object"),
        ('{"multi_prompt": [{"prompt": 1.5}]}', "multi_prompt[1].prompt has to be text"),
        ('{"camera_control": "zoom"}', "camera_control has to be an object"),
        ('{"camera_control": {"type": "simple", "config": {"pan": "1"}}}', "camera_control.config.pan"),
        ("curl https://x/v1/videos/text2video/844", "sends no body"),
        ("curl https://x -d @body.json", "'body.json'"),
        ("curl https://x -d @-", "'-'"),
        ("curl https://x -d '[1]'", "not a JSON object"),
        ('curl https://x \\\n -d \'{"prompt": 1', "line 2, column 5 is not closed"),
        ("curl https://x -d @- <<END\n{}", "no line END"),
        ("x" * 200_001, "shorter than 200,000"),
    ],
)
def test_what_is_no_request_is_told_with_its_place(text, words):
    with pytest.raises(ImportRequestError) as told:
        import_request.parse_request(text)
    assert words in str(told.value)


def test_a_key_in_the_command_is_not_repeated():
    secret = "api-key-kling-secret"
    for body in ("{}", "{", "[]", "@file", ""):
        command = f"curl https://x/v1/other -H 'Authorization: Bearer {secret}' -d '{body}'"
        assert secret not in told(command)


PLAIN = ["a", " ", '"', "$", "\n", "é", "{", "`", "#", "n", "u00e9", "x41", "!"]
TEXTS = st.lists(st.sampled_from([*PLAIN, "'", "\\"]), max_size=20).map("".join)
ESCAPES = [rf"\{rest}" for rest in ("n", "t", "\\", "'", '"', "u96ea", "U0001f98a", "x41", "101", "e", "q")]
ANSI = st.lists(st.sampled_from(PLAIN + ESCAPES), max_size=20).map("".join)


@given(st.lists(st.tuples(TEXTS, ANSI), min_size=1, max_size=30))
@settings(law, max_examples=25)
def test_quoted_words_mean_what_bash_says_they_mean(texts):
    written = []
    for text, ansi in texts:
        single = "'" + text.replace("'", "'\\''") + "'"
        double = '"' + "".join("\\" + letter if letter in '$`"\\' else letter for letter in text) + '"'
        written += [single, double, f"$'{ansi}'", single + double + f"$'{ansi}'"]
    line = " \\\n ".join(written)
    said = subprocess.run(
        ["bash"],
        input=f"printf '%s\\0' {line}".encode(),
        capture_output=True,
        env={"LC_ALL": "C.UTF-8"},
        check=True,
    )
    assert list(words(line)) == said.stdout.decode().split("\0")[:-1]


@given(st.text(max_size=200))
@law
def test_no_text_breaks_it(text):
    for paste in (text, "curl " + text, "{" + text):
        assert len(told(paste)) < 2000


def test_what_is_not_taken_beside_a_picture_is_noted():
    body = V3 | {"image": "0a" * 32, "cfg_scale": 0.7}
    found = import_request.parse_request(json.dumps(body))
    assert isinstance(found.request, ImageToVideo)
    assert f"cfg_scale is left out: {import_request.NOT_BESIDE}." in found.notes
