"""Rules of image2video that text2video does not have (S4, N4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kling.sandbox import contract
from kling.sandbox.pictures import Pictures
from kling.sandbox.refusals import Broken

MOST_MB = 10  # of a picture (S4)
_OF_RETIRED_MODELS = ("static_mask", "dynamic_masks", "camera_control")


def take_pictures(request: dict[str, Any], pictures: Pictures) -> None:
    """Take the pictures out of a request; an empty field is the same as none."""
    for name in ("image", "image_tail"):
        text = request.get(name)
        if isinstance(text, str):
            if text.strip():
                request[name] = pictures.take(text.strip(), name)
            else:
                del request[name]


def check_frames(request: Mapping[str, Any], model: Mapping[str, Any]) -> Broken:
    """Yield the rules about the two frames that a request breaks."""
    del model
    name, mode = request["model_name"], request["mode"]
    takes = contract.IMAGE_MODELS[name]
    if "image" not in request:
        yield "image-required", {}
    if "image_tail" in request:
        loud = takes.get("silent_tail", False) and request["sound"] == "on"
        if mode not in takes["tail"] or loud:
            shown = {"model_name": name, "mode": mode, "duration": request["duration"]}
            yield "image-tail-supported", shown


def check_image_fields(request: Mapping[str, Any], model: Mapping[str, Any]) -> Broken:
    """Yield the rules about masks, elements and voices that a request breaks."""
    del model
    name = request["model_name"]
    takes = contract.IMAGE_MODELS[name]
    for field in _OF_RETIRED_MODELS:
        if request.get(field):
            yield "retired-image-fields", {"field": field, "model_name": name}
    if request.get("element_list") and (not takes.get("elements") or request.get("voice_list")):
        yield "image-elements", {"model_name": name}
    if request.get("voice_list"):
        loud = request["mode"] == "pro" and request["sound"] == "on"
        if not takes.get("voices") or not loud:
            yield "image-voices", {}
