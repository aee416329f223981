"""The request of the endpoint "image to video": its fields, its rules, and its JSON in both directions.

What it shares with text to video has the same rules (`text_to_video.py`). It has no aspect ratio: the picture
sets it. Rules of fields: S4; rules of models: `catalog.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from kling.catalog import Model, catalog
from kling.errors import InvalidRequest
from kling.pictures import picture_problems
from kling.problems import Problem, listed
from kling.request_body import Parsed, Reader
from kling.shots import Shot, read_shots
from kling.text_to_video import TextToVideo


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageToVideo:
    """Everything that the create call takes; `problems` says what the API would refuse.

    Args:
        image: the first frame: an https address, Base64, or the name of a picture (`pictures.py`).
        image_tail: the last frame, likewise; empty for none. It is never taken without a first one (S2, N4).
        prompt, model_name, negative_prompt, mode, duration, sound, multi_shot, shot_type, multi_prompt,
            watermark, callback_url, external_task_id: as in `TextToVideo`.
    """

    FIELDS: ClassVar[Mapping[str, type]] = {  # of the JSON body, with the type of each
        "model_name": str,
        "image": str,
        "image_tail": str,
        "prompt": str,
        "negative_prompt": str,
        "mode": str,
        "duration": str,
        "sound": str,
        "multi_shot": bool,
        "shot_type": str,
        "multi_prompt": list,
        "watermark_info": dict,
        "callback_url": str,
        "external_task_id": str,
    }

    image: str = ""
    image_tail: str = ""
    prompt: str = ""
    model_name: str = "kling-v2-6"
    negative_prompt: str = ""
    mode: str | None = "std"
    duration: str = "5"
    sound: str = "off"
    multi_shot: bool = False
    shot_type: str | None = None
    multi_prompt: tuple[Shot, ...] = ()
    watermark: bool = False
    callback_url: str = ""
    external_task_id: str = ""

    def __post_init__(self) -> None:
        for name in ("mode", "shot_type"):  # no value and an empty one are the same request
            if not getattr(self, name):
                object.__setattr__(self, name, None)

    @property
    def words(self) -> TextToVideo:
        """The same without its pictures, in the shape that every model makes."""
        return TextToVideo(
            prompt=self.prompt,
            model_name=self.model_name,
            negative_prompt=self.negative_prompt,
            mode=self.mode,
            duration=self.duration,
            sound=self.sound,
            multi_shot=self.multi_shot,
            shot_type=self.shot_type,
            multi_prompt=self.multi_prompt,
            watermark=self.watermark,
            callback_url=self.callback_url,
            external_task_id=self.external_task_id,
        )

    @property
    def needs_newer_api(self) -> bool:
        """Whether only the newer generation of the API takes what is asked for."""
        return self.words.needs_newer_api

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call, without the fields that say nothing."""
        frames = {"image": self.image, "image_tail": self.image_tail}
        body = {**self.words.to_wire(), **{name: value for name, value in frames.items() if value}}
        body.pop("aspect_ratio", None)
        return body

    @classmethod
    def from_wire(cls, body: object) -> Parsed[Self]:
        """Return the request of a JSON body: the inverse of `to_wire` for every request without problems.

        Raises:
            InvalidRequest: the body is no JSON object.
        """
        if not isinstance(body, dict):
            raise InvalidRequest([Problem("body", "The body of a request is a JSON object.")])
        fields = Reader(body, cls.FIELDS)
        request = cls(
            image=fields.text("image"),
            image_tail=fields.text("image_tail"),
            prompt=fields.text("prompt"),
            model_name=fields.text("model_name"),
            negative_prompt=fields.text("negative_prompt"),
            mode=fields.text("mode") or None,
            duration=fields.text("duration"),
            sound=fields.text("sound") or "off",
            multi_shot=fields.flag("multi_shot"),
            shot_type=fields.text("shot_type") or None,
            multi_prompt=read_shots(fields),
            watermark=fields.inner("watermark_info", ("enabled",)).flag("enabled"),
            callback_url=fields.text("callback_url"),
            external_task_id=fields.text("external_task_id"),
        )
        return fields.parsed(request)

    def units(self) -> Decimal | None:
        """Return the price in Units, which is that of text to video (S2); None where it is not known."""
        return self.words.units()

    def problems(self, *, retired_ok: bool = False) -> tuple[Problem, ...]:
        """Return every rule of the API that this request breaks; see `TextToVideo.problems`."""
        return (*self._frames(), *self.words.problems(retired_ok=retired_ok, has_image=True))

    def _frames(self) -> Iterator[Problem]:
        model = catalog().models.get(self.model_name)
        if self.image:
            yield from picture_problems("image", self.image, "the first frame")
        else:
            yield Problem("image", "Choose the first frame.")
        if model and not model.image:
            yield Problem("model_name", f"{model.title} animates no pictures: choose another model.")
        if self.image_tail:
            yield from picture_problems("image_tail", self.image_tail, "the last frame")
            yield from self._last_frame(model)

    def _last_frame(self, model: Model | None) -> Iterator[Problem]:
        rule = model.image if model else None
        if not model or not rule:
            return
        if not rule.last_frame:
            yield Problem("image_tail", f"{model.title} takes no last frame: leave it out.")
        elif (self.mode or "") not in rule.last_frame:
            modes = listed(rule.last_frame)
            yield Problem("image_tail", f"{model.title} takes a last frame in {modes} mode only.")
        if rule.last_frame and self.sound == "on" and not rule.last_frame_sound:
            yield Problem("sound", f"{model.title} makes no sound with a last frame: turn it off.")
