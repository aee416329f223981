"""The newer generation: what its create calls take and refuse, and what its answers look like."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling.sandbox import contract
from kling.sandbox.store import Store
from tests.sandbox.conftest import Bench, base64_of, picture
from tests.sandbox.test_keys import OLD, bearer

TURBO, V3, V26, V25 = "kling-3.0-turbo", "kling-3.0", "kling-2.6", "kling-2.5-turbo"
FIRST = {"type": "first_frame", "url": "https://example.com/a.png"}
LAST = {"type": "last_frame", "url": "https://example.com/b.png"}
WORDS = {"type": "prompt", "text": "The fox looks up"}
VOICE = {"type": "voice", "voice_id": "829", "id": "Zhang"}
ELEMENT = {"type": "element", "element_id": "163", "id": "Fox"}
PHD = {"resolution": "1080p"}
LOUD = PHD | {"audio": "native"}
BOARD = "shot 1, 2, A fox wakes; shot 2, 3, It runs;"


def text(model: str, prompt: str = "A fox in the snow", **settings: Any) -> tuple[str, dict[str, Any]]:
    return f"/text-to-video/{model}", {"prompt": prompt, "settings": settings}


def framed(model: str, *items: dict[str, Any], **settings: Any) -> tuple[str, dict[str, Any]]:
    return f"/image-to-video/{model}", {"contents": [WORDS, FIRST, *items], "settings": settings}


def contents(*items: Any) -> tuple[str, dict[str, Any]]:
    return f"/image-to-video/{V3}", {"contents": list(items)}


TAKEN = {
    "nothing but a prompt": (f"/text-to-video/{TURBO}", {"prompt": "A fox"}),
    "the example of Turbo's page": (
        f"/text-to-video/{TURBO}",
        {
            "prompt": "A girl sat on the train, looking out the window with a melancholic expression",
            "options": {
                "callback_url": "",
                "watermark_info": {"enabled": False},
                "external_task_id": "",
            },
            "settings": {"duration": 3, "resolution": "720p", "aspect_ratio": "9:16"},
        },
    ),
    "3072 characters": text(V3, "狐" * 3072),
    "2500 characters": text(V26, "x" * 2500),
    "a whole number as a float": text(V3, duration=5.0),
    "4k with sound": text(V3, resolution="4k", audio="native", duration=15),
    "sound of 2.6": text(V26, duration=10, **LOUD),
    "off where there is no sound": text(V25, audio="off", multi_shot=False),
    "native where there always is sound": text(TURBO, audio="native"),
    "a storyboard": text(V3, BOARD, duration=5),
    "a storyboard that is switched off": text(V3, "shot 1, 9, words;", multi_shot=False),
    "a storyboard of a model that has none": text(V26, "shot 1, 9, words;"),
    "first frame": framed(TURBO),
    "first and last frame": framed(V3, LAST, resolution="4k", audio="native"),
    "the last frame of 2.6": framed(V26, LAST, **PHD),
    "the last frame of 2.5": framed(V25, LAST, **PHD),
    "elements": framed(V3, ELEMENT, ELEMENT | {"id": "Hen"}, ELEMENT | {"id": "Owl"}),
    "a voice": framed(V26, VOICE, **LOUD),
}


@pytest.mark.parametrize(("path", "body"), TAKEN.values(), ids=TAKEN)
def test_what_is_documented_is_taken(bench, path, body):
    assert bench.made(path, body)["status"] == "submitted"


REFUSED = [
    ("newer-model", text("kling-v3")),
    ("newer-model", text("kling-4.0")),
    ("newer-prompt", text(V3, " \n")),
    ("newer-prompt", contents(FIRST)),
    ("newer-prompt-length", text(V26, "x" * 2501)),
    ("newer-prompt-length", text(V25, "x" * 3072)),
    (
        "newer-prompt-length",
        (framed(TURBO)[0], {"contents": [{"type": "prompt", "text": "x" * 2501}, FIRST]}),
    ),
    ("newer-values", text(V3, resolution="8k")),
    ("newer-values", text(TURBO, resolution="4k")),
    ("newer-values", text(V26, duration=7)),
    ("newer-values", text(V3, duration=16)),
    ("newer-values", text(V3, aspect_ratio="4:3")),
    ("newer-values", text(V3, audio="original")),
    ("newer-sound", text(V26, audio="native")),
    ("newer-sound", text(V25, audio="native", **PHD)),
    ("storyboard", text(V3, "shot 1, 2, words;")),
    ("storyboard", text(TURBO, "shot 1, 5, " + "x" * 513 + ";")),
    ("storyboard", text(TURBO, "shot 2, 5, words;")),
    ("storyboard", text(V3, "shot 1, 5, words; and then?")),
    ("storyboard", text(V3, "".join(f"shot {n}, 1, words;" for n in range(1, 8)), duration=7)),
    ("contents-empty", contents()),
    ("contents-types", framed(TURBO, LAST)),
    ("contents-types", framed(V25, ELEMENT)),
    ("contents-types", framed(V3, {"type": "end_frame", "url": "https://example.com/b.png"})),
    ("contents-once", framed(V3, FIRST)),
    ("contents-once", framed(V3, *[ELEMENT | {"id": str(n)} for n in range(4)])),
    ("contents-url", contents(WORDS, {"type": "first_frame", "url": " "})),
    ("first-frame", contents(WORDS, LAST)),
    ("last-frame", framed(V26, LAST)),
    ("last-frame", framed(V26, LAST, **LOUD)),
    ("last-frame", framed(V25, LAST)),
    ("content-ids", framed(V3, ELEMENT, ELEMENT)),
    ("content-ids", framed(V3, {"type": "element", "id": "Fox"})),
    ("voice-needs-sound", framed(V26, VOICE)),
    ("picture-base64", contents(WORDS, {"type": "first_frame", "url": "data:image/png;base64,AAAA"})),
]


@pytest.mark.parametrize(
    ("rule", "call"), REFUSED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(REFUSED)]
)
@pytest.mark.parity(
    "newer-model", "newer-prompt", "newer-prompt-length", "newer-values", "newer-sound", "storyboard",
    "contents-empty", "contents-types", "contents-once", "contents-url", "first-frame", "last-frame",
    "content-ids", "voice-needs-sound",
)  # fmt: skip
def test_a_broken_rule_is_answered_with_its_words(bench, rule, call):
    body = bench.ask(*call).body
    assert body["code"] == contract.RULES[rule].code
    words = contract.RULES[rule].message.split("}")[-1] or contract.RULES[rule].message.split("{")[0]
    assert words in body["message"]
    assert bench.engine.store.last == 0


@pytest.mark.parity("newer-keys")
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/text-to-video/kling-3.0"), ("GET", "/tasks"), ("POST", "/tasks")]
)
def test_a_key_pair_is_refused_and_an_unknown_key_too(bench, method, path):
    bench.change(more_keys=(OLD,))
    for authorization in (bearer(OLD, bench.now), "Bearer nonsense"):
        bench.authorization = authorization
        answer = bench.call(method, path, b"{}")
        assert (answer.status, answer.body["code"]) == (401, 1002)
        assert "does not support AK/SK" in answer.body["message"]
    bench.authorization = bearer(OLD, bench.now)
    assert bench.create()["task_status"] == "submitted"
    bench.authorization = "Bearer api-key-kling-of-nobody"
    assert "api key not found" in bench.call(method, path, b"{}").body["message"]
    bench.authorization = ""
    assert bench.call(method, path, b"{}").body["code"] == 1001


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parity("newer-prompt-in-contents")
def test_the_words_of_a_text_to_video_may_stand_in_contents(bench, strict):
    bench.change(strict=strict)
    bench.made(f"/text-to-video/{V3}", {"contents": [WORDS], "settings": {"multi_shot": False}})
    (made,) = bench.engine.store.page(1, 9)
    assert made.request["prompt"] == WORDS["text"]
    for odd in ([], [{"type": "prompt"}], [{"type": "prompt", "text": " "}], [WORDS, WORDS], "fox", [None]):
        assert bench.ask(f"/text-to-video/{V3}", {"contents": odd}).body["code"] == 1201


@pytest.mark.parity("newer-ignored", "newer-duration-text")
def test_what_a_model_does_not_have_is_ignored_unless_it_is_strict(bench):
    old = {"prompt": "A fox", "negative_prompt": "dogs", "cfg_scale": 0.5, "duration": 10, "mode": "pro"}
    odd = [
        (f"/text-to-video/{V26}", old),
        text(V26, multi_shot=True),
        text(V25, seed=1),
        text(TURBO, audio="native"),
        text(V3, duration="5"),
        framed(V3, aspect_ratio="1:1"),
        (f"/text-to-video/{V3}", {"prompt": "A fox", "contents": [FIRST]}),
    ]
    for path, body in odd:
        bench.made(path, body)
    assert {task.request["duration"] for task in bench.engine.store.page(1, 9)} == {"5"}
    bench.change(strict=True)
    for path, body in odd:
        assert bench.ask(path, body).body["code"] == 1201
    bench.made(*text(V3, multi_shot=True, audio="native"))


@pytest.mark.parametrize(
    ("call", "units"),
    [
        (text(TURBO), "4"),
        (text(TURBO, resolution="1080p", duration=3), "3"),
        (text(V3), "3"),
        (text(V3, audio="native"), "4.5"),
        (text(V3, resolution="4k", duration=15), "45"),
        (text(V26, duration=10, **LOUD), "10"),
        (text(V25, **PHD), "2.5"),
        (framed(V3, duration=3), "1.8"),
        (framed(V26, VOICE, **LOUD), "6"),
    ],
)
@pytest.mark.parity("billing")
def test_a_task_is_billed_at_its_end(bench, call, units):
    task_id = bench.made(*call)["id"]
    assert bench.tasks(task_id)[0]["billing"] == []
    bench.finish()
    bill = {"charge_type": "unit", "amount": units, "package_type": "video"}
    assert bench.tasks(task_id)[0]["billing"] == [bill]


def test_a_failed_task_costs_nothing_and_says_why(bench):
    task_id = bench.made(*text(V3, "A fox and sandbox-failed"))["id"]
    bench.later(60)
    (task,) = bench.tasks(task_id)
    assert (task["status"], task["message"], task["outputs"]) == (
        "failed",
        "Failure to pass the risk control system",
        [],
    )
    assert [bill["amount"] for bill in task["billing"]] == ["0"]


def test_an_answer_has_the_documented_fields_in_every_state(bench):
    call = text(V3)
    created = bench.made(
        call[0], call[1] | {"options": {"external_task_id": "mine", "watermark_info": {"enabled": True}}}
    )
    assert created["external_id"] == "mine"
    seen = [bench.tasks("mine", external=True)[0]]
    for seconds in (1, 60):
        bench.draw()
        bench.later(seconds)
        seen += bench.tasks(created["id"])
    assert [task["status"] for task in seen] == ["submitted", "processing", "succeeded"]
    assert [task["update_time"] - task["create_time"] for task in seen] == [0, 700, 3000]
    assert [len(task["outputs"]) for task in seen] == [0, 0, 1]
    (video,) = seen[-1]["outputs"]
    assert list(video) == ["type", "id", "url", "watermark_url", "duration"]
    assert video["url"].endswith(f"/clips/{created['id']}.mp4")


@pytest.mark.parity("slots-of-both")
def test_both_generations_share_the_slots_of_a_model_and_the_ids_of_the_account(bench):
    bench.change(concurrency=1)
    bench.create(model_name="kling-v3", external_task_id="mine")
    assert bench.ask(*text(V3)).body["code"] == 1303
    bench.made(*text(V26))
    again = bench.ask(
        f"/text-to-video/{V25}", {"prompt": "A fox", "options": {"external_task_id": "mine"}}
    ).body
    assert (again["code"], again["message"]) == (1201, "External_task_id mine already exists")
    bench.finish()
    bench.made(*text(V3))


def test_every_code_can_be_asked_for_in_a_prompt(bench):
    for path, body in (text(V3, "sandbox-1301"), contents({"type": "prompt", "text": "sandbox-1301"}, FIRST)):
        assert bench.ask(path, body).body["code"] == 1301


def test_a_storyboard_becomes_shots(bench):
    bench.made(*text(V3, BOARD, duration=5))
    request = bench.engine.store.page(1, 1)[0].request
    assert [(shot["prompt"], shot["duration"]) for shot in request["multi_prompt"]] == [
        ("A fox wakes", "2"),
        ("It runs", "3"),
    ]


QUICK = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
words = st.text(max_size=20) | st.sampled_from(
    ["", "A fox", BOARD, "data:x", base64_of(picture()), "https://a/b"]
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
items = st.fixed_dictionaries(
    {"type": st.sampled_from(["prompt", "first_frame", "last_frame", "element", "voice", "x"]) | anything},
    optional=dict.fromkeys(("text", "url", "element_id", "voice_id", "id"), words | anything),
)
settings_of_any_kind = st.fixed_dictionaries(
    {},
    optional={
        "resolution": st.sampled_from(["720p", "1080p", "4k"]) | anything,
        "duration": st.sampled_from([5, 10, "5", 3, 5.0]) | anything,
        "audio": st.sampled_from(["native", "off"]) | anything,
        "aspect_ratio": st.sampled_from(["16:9", "1:1"]) | anything,
        "multi_shot": st.booleans() | anything,
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "prompt": words | anything,
        "contents": st.lists(items, max_size=4) | anything,
        "settings": settings_of_any_kind | anything,
        "options": anything,
        "model_name": st.sampled_from(["kling-v3", "kling-v2-6", "kling-v1"]) | anything,
        "image": words | anything,
        "image_tail": words | anything,
        "mode": st.sampled_from(["std", "pro"]) | anything,
        "voice_list": anything,
        "element_list": anything,
        "dynamic_masks": anything,
        "multi_shot": st.sampled_from(["true", True]) | anything,
        "video_id": words | anything,
        "video_url": words | anything,
        "bgm_prompt": words | anything,
        "limit": st.integers() | st.just(2.0) | anything,
        "cursor": words | st.sampled_from(["1.2.3", "9.9.9"]),
        "start_time": st.integers() | st.sampled_from(["5", "x"]) | anything,
        "filters": st.lists(
            st.fixed_dictionaries({"key": words | st.just("status"), "values": anything}), max_size=2
        ),
    },
)


@QUICK
@given(
    path=st.sampled_from(["/text-to-video/", "/image-to-video/"]).flatmap(
        lambda family: st.sampled_from([family + name for name in (*contract.NEWER_MODELS, "x")])
    )
    | st.sampled_from(["/tasks", "/v1/videos/image2video", "/v1/audio/video-to-audio"]),
    body=bodies,
    strict=st.booleans(),
)
def test_any_body_gets_an_answer_of_the_contract(path, body, strict):
    store = Store()
    try:
        bench = Bench(store, strict=strict)
        answer = bench.call("POST", path, json.dumps(body).encode())
        assert answer.body["code"] in {0, 1200, 1201, 1203}
        bench.finish()
        bench.call("POST", "/tasks", b"{}")
    finally:
        store.close()
