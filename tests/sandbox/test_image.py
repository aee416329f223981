"""Pictures: image2video of the older generation, and what every picture must be."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from PIL import Image

from kling.sandbox import contract
from kling.sandbox.clips import Clips
from kling.sandbox.contract import IMAGE_TO_VIDEO, TEXT_TO_VIDEO
from kling.sandbox.pictures import MAX_PIXELS
from tests.sandbox.conftest import base64_of, picture

URL = "https://example.com/a.png"
V3 = {"model_name": "kling-v3"}
V26 = {"model_name": "kling-v2-6"}
V25 = {"model_name": "kling-v2-5-turbo"}
PRO = {"mode": "pro"}
LOUD = V26 | PRO | {"sound": "on"}
TAIL = {"image_tail": URL}
VOICES = {"voice_list": [{"voice_id": "1"}]}
ELEMENTS = {"element_list": [{"element_id": 160}]}
BOARD = [{"index": 1, "prompt": "It wakes", "duration": "5"}]


def body(**fields: Any) -> dict[str, Any]:
    return {"model_name": "kling-v2-6", "prompt": "The fox looks up", "image": URL} | fields


TAKEN = {
    "a picture": {},
    "a last frame": V3 | TAIL,
    "a last frame with sound": V3 | TAIL | {"sound": "on"},
    "a last frame of 2.6": V26 | PRO | TAIL,
    "a last frame of 2.5": V25 | PRO | TAIL,
    "4k": V3 | {"mode": "4k"},
    "cfg_scale of v3": V3 | {"cfg_scale": 0.5},
    "shots": V3 | {"multi_shot": True, "shot_type": "customize", "multi_prompt": BOARD, "prompt": ""},
    "shots with frames": V3 | TAIL | {"multi_shot": True, "shot_type": "intelligence"},
    "voices": LOUD | VOICES,
    "elements": V3 | ELEMENTS,
    "empty fields": {"image_tail": "", "callback_url": "", "voice_list": [], "camera_control": None},
}


@pytest.mark.parametrize("fields", TAKEN.values(), ids=TAKEN)
def test_what_is_documented_is_taken(bench, fields):
    assert bench.made(IMAGE_TO_VIDEO, body(**fields))["task_status"] == "submitted"


@pytest.mark.parity("image-tail-text")
def test_text_to_video_refuses_a_last_frame_and_makes_nothing(bench):
    answer = bench.ask(TEXT_TO_VIDEO, {"model_name": "kling-v3", "prompt": "A fox", "image_tail": URL}).body
    assert (answer["code"], answer["message"]) == (1201, contract.RULES["image-tail-text"].message)
    assert bench.engine.store.last == 0


REFUSED = [
    ("image-required", {"image": ""}),
    ("image-required", V3 | TAIL | {"image": None}),
    ("image-model", {"model_name": "kling-v9"}),
    ("image-tail-supported", V26 | TAIL),
    ("image-tail-supported", LOUD | TAIL),
    ("image-tail-supported", V25 | TAIL),
    ("retired-image-fields", V3 | {"camera_control": {"type": "down_back"}}),
    ("retired-image-fields", V3 | {"static_mask": URL}),
    ("retired-image-fields", V3 | {"dynamic_masks": [{"mask": URL}]}),
    ("image-elements", V26 | ELEMENTS),
    ("image-elements", V3 | ELEMENTS | VOICES),
    ("image-voices", V26 | PRO | VOICES),
    ("image-voices", V3 | VOICES),
    ("prompt-required", {"prompt": " "}),
    ("sound-supported", {"sound": "on"}),
    ("field-supported", V26 | {"multi_shot": True, "shot_type": "intelligence"}),
    ("shot-type-required", V3 | {"multi_shot": True}),
    ("picture-base64", {"image": f"data:image/png;base64,{base64_of(picture())}"}),
    ("picture-format", {"image": base64_of(b"<svg xmlns='http://www.w3.org/2000/svg'/>")}),
    ("picture-format", {"image": base64_of(picture(kind="GIF"))}),
    ("picture-format", {"image": base64_of(picture()[:20])}),
    ("picture-sides", {"image": base64_of(picture(299, 300))}),
    ("picture-sides", {"image": base64_of(picture(300, 751))}),
    ("picture-bytes", {"image": "AAAA" * ((10 << 20) // 3 + 1)}),
]


@pytest.mark.parametrize(
    ("rule", "fields"), REFUSED, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(REFUSED)]
)
@pytest.mark.parity(
    "image-required", "image-model", "image-tail-supported", "retired-image-fields", "image-elements",
    "image-voices", "picture-base64", "picture-format", "picture-sides", "picture-bytes",
)  # fmt: skip
def test_a_broken_rule_is_answered_with_its_words(bench, rule, fields):
    answer = bench.ask(IMAGE_TO_VIDEO, body(**fields)).body
    assert answer["code"] == contract.RULES[rule].code
    assert contract.RULES[rule].message.split("}")[-1].split("{")[0] in answer["message"]
    assert bench.engine.store.last == 0


@pytest.mark.parametrize(
    "text", ["nonsense!", "A", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "ftp://a/b"]
)
def test_what_is_neither_a_url_nor_base64_is_refused(bench, text):
    assert bench.ask(IMAGE_TO_VIDEO, body(image=text)).body["message"].startswith("image: ")


def test_base64_may_have_line_breaks_and_a_wrong_type_is_named(bench):
    bench.made(IMAGE_TO_VIDEO, body(image=base64.encodebytes(picture()).decode()))
    assert bench.ask(IMAGE_TO_VIDEO, body(image=[URL])).body["message"].startswith("image")


def test_a_bomb_of_pixels_is_refused_by_its_head(bench):
    content = bytearray(picture())
    content[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height in the head of a PNG
    assert bench.ask(IMAGE_TO_VIDEO, body(image=base64_of(bytes(content)))).body["code"] == 1201
    assert MAX_PIXELS < 60_000**2


@pytest.mark.parity("model-retired")
@pytest.mark.parametrize("retired", ["serve", "refuse"])
def test_retired_models_are_not_served(bench, retired):
    bench.change(retired=retired)
    answer = bench.ask(IMAGE_TO_VIDEO, body(model_name="kling-v1-6")).body
    assert answer["code"] == 1203
    assert "discontinued" in answer["message"]


@pytest.mark.parity("multi-shot-text")
def test_multi_shot_may_be_a_text_unless_it_is_strict(bench):
    fields = V3 | {"multi_shot": "true", "shot_type": "intelligence"}
    bench.made(IMAGE_TO_VIDEO, body(**fields))
    assert bench.engine.store.page(1, 1)[0].request["multi_shot"] is True
    bench.change(strict=True)
    assert bench.ask(IMAGE_TO_VIDEO, body(**fields)).body["message"].startswith("multi_shot")


def test_voices_cost_more(bench):
    task_id = bench.made(IMAGE_TO_VIDEO, body(**LOUD | VOICES))["task_id"]
    bench.finish()
    task = bench.call("GET", f"{IMAGE_TO_VIDEO}/{task_id}").body["data"]
    assert task["final_unit_deduction"] == "6"


@pytest.mark.parity("picture-shape", "picture-url")
@pytest.mark.parametrize(
    ("image", "mode", "size"),
    [
        (base64_of(picture(400, 300)), "std", (960, 720)),
        (base64_of(picture(401, 1000)), "pro", (1080, 2694)),
        (base64_of(picture(750, 300, "JPEG")), "4k", (5400, 2160)),
        (URL, "std", (1280, 720)),
    ],
)
def test_a_clip_has_the_ratio_of_its_picture(bench, tmp_path, image, mode, size):
    task_id = bench.made(IMAGE_TO_VIDEO, body(**V3 | {"image": image, "mode": mode}))["task_id"]
    spec = Clips(folder=tmp_path, style="drawn").spec(bench.engine.store.find(task_id))
    assert (spec.width, spec.height) == size


@pytest.mark.parity("picture-shape")
def test_the_orientation_of_a_picture_counts(bench, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    image = base64_of(picture(600, 400, "JPEG", exif=turned))
    task_id = bench.made(IMAGE_TO_VIDEO, body(image=image))["task_id"]
    spec = Clips(folder=tmp_path, style="drawn").spec(bench.engine.store.find(task_id))
    assert (spec.width, spec.height) == (720, 1080)


def test_a_picture_is_kept_until_its_clip_is_drawn(bench):
    store = bench.engine.store
    one, two = base64_of(picture()), base64_of(picture(500, 300))
    ids = [
        bench.made(IMAGE_TO_VIDEO, body(**V3 | {"image": one, "image_tail": two}))["task_id"]
        for _ in range(2)
    ]
    assert sorted(store.pictures(ids[0]).values()) == sorted([picture(), picture(500, 300)])
    assert one not in str(store.page(1, 1)[0].request)
    bench.plan(outcome="failed")
    failing = bench.made(IMAGE_TO_VIDEO, body(image=one))["task_id"]
    assert store.pictures(failing) == {}, "nothing will be drawn"
    bench.draw()
    assert [store.pictures(task_id) for task_id in ids] == [{}, {}]
    waiting = bench.made(IMAGE_TO_VIDEO, body(image=one))["task_id"]
    store.mark_failed(waiting, "It cannot be drawn", 1)
    assert store.pictures(waiting) == {}


def test_a_faulty_clip_of_a_picture_differs_from_it(bench, tmp_path):
    clips = Clips(folder=tmp_path, style="tiny")
    sizes = {}
    for fault in ("wrong-aspect", "wrong-size"):
        bench.plan(on="create", fault=fault)
        task_id = bench.made(IMAGE_TO_VIDEO, body(image=base64_of(picture(400, 300))))["task_id"]
        spec = clips.spec(bench.engine.store.find(task_id))
        sizes[fault] = (spec.width, spec.height)
    assert sizes == {"wrong-aspect": (72, 72), "wrong-size": (48, 36)}
