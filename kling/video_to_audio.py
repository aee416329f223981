"""The request of the endpoint "video to audio": sound for a video that exists (S2).

The result is a video again, the same one with the sound in it. The page names no model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from kling.catalog import catalog
from kling.errors import InvalidRequest
from kling.problems import Problem, is_whole_address, own_field_problems, text_problems
from kling.request_body import Parsed, Reader

MODEL = "video-to-audio"  # in records and queues, where every request has a model; it is not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoToAudio:
    """Everything that the create call takes; `problems` says what the API would refuse.

    Args:
        video_id: Kling's id of a video that it made in the last 30 days, of 3 to 20 seconds (`Video.id`).
        video_url: or the address of any video: MP4 or MOV, at most 100 MB, of 3 to 20 seconds.
        sound_effect_prompt: which sounds, at most 200 characters; empty leaves it to Kling.
        bgm_prompt: which music, likewise.
        asmr_mode: more detail in the sounds.
        callback_url, external_task_id: as in `TextToVideo`.
    """

    FIELDS: ClassVar[Mapping[str, type]] = {  # of the JSON body, with the type of each
        "video_id": str,
        "video_url": str,
        "sound_effect_prompt": str,
        "bgm_prompt": str,
        "asmr_mode": bool,
        "callback_url": str,
        "external_task_id": str,
    }

    video_id: str = ""
    video_url: str = ""
    sound_effect_prompt: str = ""
    bgm_prompt: str = ""
    asmr_mode: bool = False
    callback_url: str = ""
    external_task_id: str = ""

    @property
    def model_name(self) -> str:
        """A name that stands for the model in records and queues."""
        return MODEL

    @property
    def needs_newer_api(self) -> bool:
        """Whether only the newer generation of the API takes it: that one has no such endpoint."""
        return False

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call, without the fields that say nothing."""
        body = {name: getattr(self, name) for name in self.FIELDS}
        return {name: value for name, value in body.items() if value}

    @classmethod
    def from_wire(cls, body: object) -> Parsed[Self]:
        """Return the request of a JSON body: the inverse of `to_wire`.

        Raises:
            InvalidRequest: the body is no JSON object.
        """
        if not isinstance(body, dict):
            raise InvalidRequest([Problem("body", "The body of a request is a JSON object.")])
        fields = Reader(body, cls.FIELDS)
        texts = {name: fields.text(name) for name, kind in cls.FIELDS.items() if kind is str}
        return fields.parsed(cls(**texts, asmr_mode=fields.flag("asmr_mode")))

    def units(self) -> Decimal | None:
        """Return the price in Kling's billing Units: one for every length (S2)."""
        return catalog().audio_units

    def problems(self, *, retired_ok: bool = False) -> tuple[Problem, ...]:  # noqa: ARG002 - no model
        """Return every rule of the API that it breaks, as far as they do not need the video itself."""
        return tuple(self._broken())

    def _broken(self) -> Iterator[Problem]:
        limit = catalog().audio_prompt_limit
        if bool(self.video_id) == bool(self.video_url):
            yield Problem("video_id", "Name one video: by its id at Kling, or by its address.")
        elif self.video_id and not (self.video_id.isprintable() and len(self.video_id) <= 128):
            yield Problem("video_id", "This is no id of a video.")
        elif self.video_url and not is_whole_address(self.video_url, schemes=("https",)):
            yield Problem("video_url", "Give a whole address that starts with https://.")
        yield from text_problems("sound_effect_prompt", self.sound_effect_prompt, limit)
        yield from text_problems("bgm_prompt", self.bgm_prompt, limit)
        yield from own_field_problems(self.callback_url, self.external_task_id)
