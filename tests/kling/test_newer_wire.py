"""The newer generation: what is sent, and how its answers are read."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import (
    ApiKey,
    BadRequest,
    BalanceDeduction,
    Client,
    ImageToVideo,
    InvalidRequest,
    KeyPair,
    MaybeSent,
    Shot,
    TextToVideo,
    newer_wire,
)
from kling.endpoint import (
    IMAGE_TO_VIDEO,
    NEWER_IMAGE_TO_VIDEO,
    NEWER_TEXT_TO_VIDEO,
    TEXT_TO_VIDEO,
    VIDEO_TO_AUDIO,
    Endpoint,
    Request,
    endpoint_of,
    key_problems,
)
from tests.kling.tools import law
from tests.transport import Transport, answer

CREATED = {"id": "7", "status": "submitted", "create_time": 1, "update_time": 1, "external_id": "job-7"}
OTHER = {**CREATED, "external_id": "job-8"}
TURBO = TextToVideo(prompt="A fox", model_name="kling-3.0-turbo", mode="pro", external_task_id="job-7")
LONG = "x" * 2501
FRAME = "https://example.com/fox.png"


def connect(*answers, credentials=None) -> tuple[Client, Transport]:
    transport = Transport(*answers)
    key = credentials or ApiKey("key")
    return Client(key, base_url="https://kling.test", transport=transport), transport


def sent(request: Request, endpoint: Endpoint | None = None) -> Any:
    client, transport = connect(answer({"code": 0, "data": {**CREATED, "external_id": ""}}))
    client.create(request, endpoint=endpoint)
    return transport.sent[0]


def listed(*tasks: Mapping[str, Any], **more: Any) -> Any:
    return answer({"code": 0, "data": {"result": list(tasks), "count": len(tasks), **more}})


# -- what is sent --------------------------------------------------------------------------------------------


def test_the_model_stands_in_the_path_and_settings_and_options_in_objects():
    call = sent(TURBO)
    assert (call.method, call.path) == ("POST", "/text-to-video/kling-3.0-turbo")
    assert call.json == {
        "prompt": "A fox",
        "settings": {"resolution": "1080p", "aspect_ratio": "16:9", "duration": 5},
        "options": {"external_task_id": "job-7"},
    }


def test_sound_and_shots_have_a_switch_where_the_model_has_one():
    v3 = TextToVideo(prompt=LONG, model_name="kling-v3", mode="4k", sound="on", watermark=True)
    call = sent(v3)
    assert call.path == "/text-to-video/kling-3.0"
    assert call.json["settings"] == {
        "multi_shot": False,
        "audio": "native",
        "resolution": "4k",
        "aspect_ratio": "16:9",
        "duration": 5,
    }
    assert call.json["options"] == {"watermark_info": {"enabled": True}}


@pytest.mark.parametrize(("kind", "most"), [(TextToVideo, 3072), (ImageToVideo, 2500)])
def test_the_shots_together_are_no_longer_than_the_prompt_that_they_become(kind, most):
    shots = tuple(Shot(prompt=letter * 512, duration="2") for letter in "abcdef")
    frames = {} if kind is TextToVideo else {"image": "0" * 64}
    board = {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots, "duration": "12"}
    request = kind(model_name="kling-3.0-turbo", prompt="A fox", **board, **frames)
    [problem] = request.problems()
    assert problem.field == "multi_prompt"
    over = len(newer_wire.words_of(request.to_wire())) - most
    assert problem.message.endswith(f"shorten them by {over:,}.")


def test_no_words_of_a_shot_make_another_one_because_a_long_prompt_goes_to_the_newer_generation():
    shots = (Shot(prompt="a; shot 2, 3, b", duration="3"), Shot(prompt="c", duration="3"))
    board = {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots, "duration": "6"}
    request = replace(TextToVideo(model_name="kling-v3", prompt="A fox"), **board)  # type: ignore[arg-type]
    assert request.problems() == ()
    [problem] = replace(request, prompt="A fox" * 600).problems()
    assert (problem.field, "semicolon" in problem.message) == ("multi_prompt[1]", True)


def test_a_storyboard_is_a_part_of_the_prompt():
    shots = (Shot(prompt="A fox\nwakes", duration="2"), Shot(prompt="It runs", duration="3"))
    board = TextToVideo(
        model_name="kling-3.0-turbo", multi_shot=True, shot_type="customize", multi_prompt=shots
    )
    assert sent(board).json["prompt"] == "shot 1, 2, A fox wakes; shot 2, 3, It runs;"


@law
@given(st.lists(st.tuples(st.integers(1, 15).map(str), st.text(max_size=20)), min_size=1, max_size=6))
def test_shots_are_read_back_out_of_the_prompt(shots):
    one_line = [(seconds, " ".join(words.replace(";", ",").split())) for seconds, words in shots]
    assert newer_wire.read_shot_words(newer_wire.shot_words(one_line)) == one_line


@pytest.mark.parametrize(
    "text",
    ["", "A fox", "shot 1, 3, a fox", "shot 2, 3, a fox;", "shot 1, 3, a; b;", "shot 1, x, a;", "a; b;", ";"],
)
def test_any_other_text_holds_no_shots(text):
    assert newer_wire.read_shot_words(text) == []


def test_a_picture_makes_it_a_list_of_contents_without_an_aspect_ratio():
    request = ImageToVideo(image=FRAME, prompt="It runs", model_name="kling-3.0-turbo")
    call = sent(request)
    assert call.path == "/image-to-video/kling-3.0-turbo"
    assert call.json["contents"] == [
        {"type": "prompt", "text": "It runs"},
        {"type": "first_frame", "url": FRAME},
    ]
    assert call.json["settings"] == {"resolution": "720p", "duration": 5}


def test_a_last_frame_is_one_content_more():
    request = ImageToVideo(image=FRAME, image_tail=FRAME, prompt="It runs", model_name="kling-v3")
    contents = sent(request, NEWER_IMAGE_TO_VIDEO).json["contents"]
    assert contents[2] == {"type": "last_frame", "url": FRAME}


# -- where it is sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "endpoint"),
    [
        (TURBO, NEWER_TEXT_TO_VIDEO),
        (TextToVideo(prompt="A fox", model_name="kling-v3"), TEXT_TO_VIDEO),
        (TextToVideo(prompt=LONG, model_name="kling-v3"), NEWER_TEXT_TO_VIDEO),
        (ImageToVideo(image=FRAME, model_name="kling-v3"), IMAGE_TO_VIDEO),
        (ImageToVideo(image=FRAME, prompt=LONG, model_name="kling-v3"), NEWER_IMAGE_TO_VIDEO),
        (ImageToVideo(image=FRAME, model_name="kling-3.0-turbo"), NEWER_IMAGE_TO_VIDEO),
    ],
    ids=str,
)
def test_where_both_generations_can_the_one_is_taken_that_takes_what_is_asked(request_, endpoint):
    assert endpoint_of(request_) is endpoint


def test_a_long_prompt_goes_not_together_with_what_only_the_older_one_takes():
    request = TextToVideo(prompt=LONG, model_name="kling-v3", negative_prompt="rain", cfg_scale=0.5)
    assert [problem.field for problem in request.problems()] == ["negative_prompt", "cfg_scale"]


OF_TYPE: dict[type, Any] = {str: "rain", int: 7, float: 0.5, bool: True, dict: {}, list: []}
SAMPLES: dict[str, Any] = {  # of every field, each other than in `REST`
    **{name: OF_TYPE[type_] for kind in (TextToVideo, ImageToVideo) for name, type_ in kind.FIELDS.items()},
    "model_name": "kling-v2-6",
    "prompt": LONG + "y",
    "image": f"{FRAME}?2",
    "image_tail": FRAME,
    "mode": "4k",
    "duration": "7",
    "aspect_ratio": "9:16",
    "sound": "on",
    "camera_control": {"type": "down_back"},
    "shot_type": "intelligence",
    "multi_prompt": [{"index": 1, "prompt": "A fox", "duration": "5"}],
    "watermark_info": {"enabled": True},
    "callback_url": "https://example.com/callback",
    "external_task_id": "job-7",
}
REST = {"model_name": "kling-v3", "prompt": LONG, "duration": "5", "mode": "std"}


@pytest.mark.parametrize("kind", [TextToVideo, ImageToVideo])
def test_each_field_is_translated_or_refused(kind: type[TextToVideo | ImageToVideo]):
    rest = REST | ({"image": FRAME} if kind is ImageToVideo else {"aspect_ratio": "16:9"})
    for name in kind.FIELDS:
        without = rest | ({"multi_shot": True} if name in {"shot_type", "multi_prompt"} else {})
        body = without | {name: SAMPLES[name]}
        said = newer_wire.create_call("/{model}", body) != newer_wire.create_call("/{model}", without)
        assert said == (name in newer_wire.FIELDS - {"shot_type"}), name
        problems = kind.from_wire(body).request.problems()
        refused = [
            problem for problem in problems if problem.field == name and "does not take" in problem.message
        ]
        assert bool(refused) == (name not in newer_wire.FIELDS), name


@pytest.mark.parametrize("name", sorted(TextToVideo.FIELDS.keys() - newer_wire.FIELDS))
def test_a_model_of_the_newer_one_alone_refuses_what_is_not_translated(name: str):
    body = TURBO.to_wire() | {name: SAMPLES[name]}
    assert [problem.field for problem in TextToVideo.from_wire(body).request.problems()] == [name]


def test_a_pair_of_keys_is_told_that_the_model_needs_an_api_key():
    pair = KeyPair("access", "a-secret-key-of-32-bytes-at-least")
    client, transport = connect(answer({"code": 0, "data": CREATED}), credentials=pair)
    with pytest.raises(InvalidRequest, match=r"Kling 3\.0 Turbo needs an API key"):
        client.create(TURBO)
    assert transport.sent == []
    assert key_problems(TURBO, ApiKey("key")) == ()
    assert key_problems(TURBO, pair)[0].field == "model_name"
    assert key_problems(TextToVideo(prompt=LONG, model_name="kling-v3"), pair)[0].field == "prompt"
    assert key_problems(TextToVideo(prompt="A fox"), pair) == ()


def test_an_endpoint_of_another_kind_of_request_or_without_the_model_is_refused():
    client, transport = connect(answer({"code": 0, "data": CREATED}))
    for endpoint in (IMAGE_TO_VIDEO, VIDEO_TO_AUDIO, TEXT_TO_VIDEO):
        with pytest.raises(InvalidRequest, match="does not take this request"):
            client.create(TURBO, endpoint=endpoint)
    assert transport.sent == []


# -- answers -------------------------------------------------------------------------------------------------


def test_a_task_is_read_into_the_terms_of_the_older_generation():
    task = newer_wire.task(
        {
            "id": "7",
            "status": "succeeded",
            "message": "",
            "external_id": "job-7",
            "create_time": 1_781_080_778_802,
            "update_time": 1_781_080_794_151,
            "outputs": [
                {"type": "audio", "id": "a", "mp3_url": "https://k/a.mp3"},
                {"type": "video", "id": "v", "url": "https://k/v.mp4", "duration": "5.04"},
            ],
            "billing": [
                {"charge_type": "unit", "amount": "1.5", "package_type": "video"},
                {"charge_type": "cash", "amount": "0.2", "list_price": "0.4", "currency": "USD"},
            ],
        }
    )
    assert (task.task_id, task.external_task_id, task.task_status) == ("7", "job-7", "succeed")
    assert [(video.id, video.duration) for video in task.videos] == [("v", 5.04)]
    assert task.final_unit_deduction == Decimal("1.5")
    assert task.final_balance_deduction is not None
    assert (task.final_balance_deduction.quota, task.final_balance_deduction.list_price) == (
        Decimal("0.2"),
        Decimal("0.4"),
    )


@pytest.mark.parametrize(
    ("currencies", "charge"),
    [
        (["CNY"], BalanceDeduction(Decimal(1), None, "CNY")),
        (["CNY", "CNY"], BalanceDeduction(Decimal(2), None, "CNY")),
        (["CNY", "USD"], None),
    ],
)
def test_amounts_of_two_currencies_are_not_added(currencies, charge):
    billing = [{"charge_type": "cash", "amount": "1", "currency": each} for each in currencies]
    assert newer_wire.task({"id": "7", "billing": billing}).final_balance_deduction == charge


def test_a_task_is_asked_for_by_klings_id_or_by_ours():
    client, transport = connect(answer({"code": 0, "data": [CREATED]}))
    assert client.get("7", endpoint=NEWER_TEXT_TO_VIDEO).task_id == "7"
    found = client.find("job-7", endpoint=NEWER_TEXT_TO_VIDEO)
    assert found is not None
    assert found.task_id == "7"
    assert [call.params for call in transport.sent] == [{"task_ids": "7"}, {"external_task_ids": "job-7"}]
    assert {call.path for call in transport.sent} == {"/tasks"}


def test_an_id_of_ours_may_be_a_number():
    ours = answer({"code": 0, "data": [{**CREATED, "external_id": "2026"}]})
    client, transport = connect(answer({"code": 0, "data": []}), ours)
    assert client.get("2026", endpoint=NEWER_TEXT_TO_VIDEO).task_id == "7"
    assert [call.params for call in transport.sent] == [{"task_ids": "2026"}, {"external_task_ids": "2026"}]


def test_an_id_with_a_comma_is_refused_because_it_reads_as_two():
    client, transport = connect(answer({"code": 0, "data": []}))
    with pytest.raises(InvalidRequest, match=r"external_task_id: .*comma"):
        client.create(replace(TURBO, external_task_id="a,b"))
    for look_up in (client.find, client.get, client.wait):
        with pytest.raises(InvalidRequest, match=r"task_id: .*comma"):
            look_up("a,b", endpoint=NEWER_TEXT_TO_VIDEO)
    assert transport.sent == []


def test_an_empty_list_says_that_there_is_no_such_task():
    client, _ = connect(answer({"code": 0, "data": []}))
    assert client.find("job-7", endpoint=NEWER_TEXT_TO_VIDEO) is None
    for asked in ("job-7", "7"):
        with pytest.raises(BadRequest):
            client.get(asked, endpoint=NEWER_TEXT_TO_VIDEO)


@pytest.mark.parametrize("data", [None, {}, {"result": []}, [CREATED, OTHER], [{}], [OTHER]])
def test_any_other_answer_leaves_open_whether_there_is_such_a_task(data):
    client, _ = connect(answer({"code": 0, "data": data}))
    with pytest.raises(MaybeSent):
        client.find("job-7", endpoint=NEWER_TEXT_TO_VIDEO)


@pytest.mark.parametrize("code", [1201, 1203])
def test_a_look_up_that_is_refused_leaves_it_open_too(code):
    client, _ = connect(answer({"code": code, "message": "task_ids is required"}, status=400))
    with pytest.raises(MaybeSent):
        client.find("job-7", endpoint=NEWER_TEXT_TO_VIDEO)


def test_of_two_tasks_with_one_id_the_first_is_taken():
    client, _ = connect(answer({"code": 0, "data": [CREATED, {**CREATED, "id": "8"}]}))
    found = client.find("job-7", endpoint=NEWER_TEXT_TO_VIDEO)
    assert found is not None
    assert found.task_id == "7"


def test_a_create_call_is_not_refused_by_an_empty_list():
    client, _ = connect(answer({"code": 0, "data": []}))
    with pytest.raises(MaybeSent):
        client.create(TURBO)


def test_many_tasks_are_asked_for_at_once():
    client, transport = connect(answer({"code": 0, "data": [CREATED]}))
    assert [task.task_id for task in client.find_many(["job-7", "job-8"])] == ["7"]
    assert transport.sent[0].params == {"external_task_ids": "job-7,job-8"}


@pytest.mark.parametrize("ids", [[], ["a,b"], ["a b"], ["a"] * 21])
def test_ids_that_cannot_be_asked_for_together_are_not_asked_for(ids):
    client, transport = connect(answer({"code": 0, "data": []}))
    with pytest.raises(InvalidRequest):
        client.find_many(ids)
    assert transport.sent == []


def test_the_list_is_read_by_its_cursor():
    other = {**CREATED, "id": "8"}
    client, transport = connect(
        listed(CREATED, has_more=True, next_cursor="c2"), listed(other, has_more=False, next_cursor="c2")
    )
    seen = [task.task_id for task in client.tasks(page_size=1, endpoint=NEWER_TEXT_TO_VIDEO)]
    assert seen == ["7", "8"]
    filters = [{"key": "product_type", "values": ["video"]}]
    assert [call.json for call in transport.sent] == [
        {"limit": 1, "filters": filters},
        {"limit": 1, "filters": filters, "cursor": "c2"},
    ]


def test_a_page_is_found_from_the_one_before_it():
    client, transport = connect(listed(CREATED, has_more=True, next_cursor="c2"), listed())
    assert client.list(page_num=2, endpoint=NEWER_TEXT_TO_VIDEO) == ()
    assert client.list(page_num=9, endpoint=NEWER_TEXT_TO_VIDEO) == ()
    assert len(transport.sent) == 3


@pytest.mark.parametrize(
    "more", [{"has_more": True}, {"has_more": True, "next_cursor": ""}, {"next_cursor": "c"}, {}]
)
def test_a_list_without_a_next_page_ends(more):
    client, transport = connect(listed(CREATED, **more))
    assert len(list(client.tasks(endpoint=NEWER_TEXT_TO_VIDEO))) == 1
    assert len(transport.sent) == 1


def test_a_cursor_that_stays_the_same_ends_the_list():
    client, transport = connect(listed(CREATED, has_more=True, next_cursor="c"))
    assert len(list(client.tasks(endpoint=NEWER_TEXT_TO_VIDEO))) == 2
    assert len(transport.sent) == 2


def test_an_empty_page_may_leave_its_list_out():
    client, _ = connect(answer({"code": 0, "data": {"count": 0, "has_more": False}}))
    assert list(client.tasks(endpoint=NEWER_TEXT_TO_VIDEO)) == []


@law
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "status", "outputs", "billing", "amount", "url", "type", "result"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_an_answer_holds_it_is_read_or_refused(data):
    for read in (newer_wire.task, newer_wire.tasks, newer_wire.looked_up):
        with contextlib.suppress(MaybeSent, BadRequest):
            read(data)
    newer_wire.next_cursor(data, "", 100)
