"""Requests that the API takes, of every kind; also those of retired models, which a sandbox may serve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo, catalog
from kling.camera_control import CAMERA_AXES, CAMERA_TYPES
from kling.text_to_video import RANGES

SENDABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# What quoting gets wrong, beside any other text.
AWKWARD = st.sampled_from(
    [
        "'",
        '"',
        "\\",
        "$",
        "`",
        "!",
        "\n",
        "\r",
        "\t",
        "JSON",
        "$(id)",
        "${HOME}",
        "\\u0000",
        "\\\n",
        "EOF\n",
        "é",
    ]
)
TEXT = st.lists(st.one_of(AWKWARD, st.text(SENDABLE, max_size=8)), max_size=12).map("".join)
WORDS = TEXT.filter(lambda text: bool(text.strip()))


@st.composite
def requests(draw: st.DrawFn) -> TextToVideo:
    model = draw(st.sampled_from([*catalog().models.values(), None]))
    fields: dict[str, Any] = {
        "prompt": draw(WORDS),
        "negative_prompt": draw(TEXT),
        "watermark": draw(st.booleans()),
    }
    if model is None:
        fields |= {
            "model_name": draw(st.sampled_from(["kling-v4", "kling-4.0-flash", "neu 'n\" $x"])),
            "mode": draw(st.sampled_from([None, "std", "2k"])),
            "duration": draw(st.sampled_from(["1", "7", "30"])),
            "aspect_ratio": draw(st.sampled_from(["", "16:9", "21:9"])),
            "sound": draw(st.sampled_from(["on", "off"])),
        }
    else:
        mode = draw(st.sampled_from([*model.modes.values()]))
        fields |= {
            "model_name": model.name,
            "mode": mode.name if model.takes_mode else None,
            "duration": draw(st.sampled_from(model.durations)),
            "aspect_ratio": draw(st.sampled_from(model.aspect_ratios)),
            "sound": draw(st.sampled_from(["on", "off"])) if mode.takes_sound else "off",
        }
        if model.always_sound:
            fields["sound"] = "on"
    for name, ends in RANGES.items():
        if model is None or name in model.takes or name not in catalog().optional:
            numbers = st.integers if TextToVideo.FIELDS[name] is int else st.floats
            fields[name] = draw(st.none() | numbers(*ends))
    if (model is None or "camera_control" in model.takes) and draw(st.booleans()):
        fields["camera_control"] = draw(cameras())
        if model:
            fields |= {"mode": "std", "duration": "5"}
    if (model is None or "multi_shot" in model.takes) and draw(st.booleans()):
        fields |= draw(cuts(int(fields["duration"])))
    if model and not model.takes_negative_prompt:
        fields["negative_prompt"] = ""
    request = TextToVideo(**fields)
    if model and not model.cuts_by_itself and request.multi_shot:  # it is told the shots in the prompt
        one_line = [" ".join(shot.prompt.replace(";", ",").split()) for shot in request.multi_prompt]
        shots = tuple(
            replace(shot, prompt=line) for shot, line in zip(request.multi_prompt, one_line, strict=True)
        )
        off: dict[str, Any] = {"multi_shot": False, "shot_type": None}
        request = replace(request, multi_prompt=shots, **({"prompt": ""} if shots else off))
    assert request.problems(retired_ok=True) == ()
    return request


@st.composite
def cameras(draw: st.DrawFn) -> CameraControl:
    kind = draw(st.sampled_from(CAMERA_TYPES))
    if kind != "simple":
        return CameraControl(type=kind)
    value = draw(st.one_of(st.integers(-10, 10), st.floats(-10, 10)).filter(bool))
    return CameraControl(type=kind, config={draw(st.sampled_from(CAMERA_AXES)): value})


@st.composite
def cuts(draw: st.DrawFn, seconds: int) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"multi_shot": True, "shot_type": "intelligence"}
    count = draw(st.integers(1, min(6, seconds)))
    ends = sorted(draw(st.permutations(range(1, seconds)))[: count - 1])
    lengths = [end - start for start, end in zip([0, *ends], [*ends, seconds], strict=True)]
    shots = tuple(Shot(prompt=draw(WORDS), duration=str(length)) for length in lengths)
    return {"multi_shot": True, "shot_type": "customize", "multi_prompt": shots}
