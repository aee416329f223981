"""What is asked of Kling and what Kling answers, under the API's own names.

Source: Kling's page "Text to Video" of its API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

CAMERA_TYPES = ("simple", "down_back", "forward_up", "right_turn_forward", "left_turn_forward")
CAMERA_AXES = ("horizontal", "vertical", "pan", "tilt", "roll", "zoom")
SHOT_TYPES = ("customize", "intelligence")


class Status(StrEnum):
    """The states that the API documents. A task keeps whatever text came, also one not listed here."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    SUCCEED = "succeed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a request cannot be sent: the API's name of the field, and what to do about it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraControl:
    """A camera movement.

    Args:
        type: `simple`, or one of four presets that take no config.
        config: with `simple`, the six axes by name, each in [-10, 10], exactly one of them not zero.
    """

    type: str
    config: Mapping[str, float] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object that the API takes: all six axes with `simple`, no config otherwise."""
        if self.type != "simple":
            return {"type": self.type}
        axes = (*CAMERA_AXES, *(axis for axis in self.config if axis not in CAMERA_AXES))
        return {"type": self.type, "config": {axis: self.config.get(axis, 0) for axis in axes}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One shot of a storyboard: its prompt, and its whole seconds as a string."""

    prompt: str
    duration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToVideo:
    """Everything that the create call takes; `problems` says what the API would refuse.

    Args:
        prompt: at most 2,500 characters; required unless the storyboard has prompts of its own.
        model_name: always sent, because the documented default is a retired model.
        negative_prompt: at most 2,500 characters.
        mode: `std`, `pro` or `4k`; None for a model that takes no mode.
        duration: whole seconds, as a string.
        aspect_ratio: width to height, `16:9`, `9:16` or `1:1`.
        sound: `on` or `off`.
        cfg_scale: in [0, 1], the larger the closer to the prompt; None leaves it to Kling. Not for v2.x.
        camera_control: None leaves the camera to Kling.
        multi_shot: cut into shots (kling-v3).
        shot_type: with `multi_shot`: `customize` (by `multi_prompt`) or `intelligence` (Kling cuts).
        multi_prompt: with `customize`: one to six shots whose seconds add up to `duration`.
        watermark: also make a watermarked file (`watermark_info.enabled`).
        callback_url: where Kling reports changes of the task's state.
        external_task_id: ours, unique within the account: the key by which a lost answer is looked up.
    """

    prompt: str = ""
    model_name: str = "kling-v2-6"
    negative_prompt: str = ""
    mode: str | None = "std"
    duration: str = "5"
    aspect_ratio: str = "16:9"
    sound: str = "off"
    cfg_scale: float | None = None
    camera_control: CameraControl | None = None
    multi_shot: bool = False
    shot_type: str | None = None
    multi_prompt: tuple[Shot, ...] = ()
    watermark: bool = False
    callback_url: str = ""
    external_task_id: str = ""

    def problems(self, *, retired_ok: bool = False) -> tuple[Problem, ...]:
        """Return every rule of the API that this request breaks; empty means that it can be sent.

        Args:
            retired_ok: whether the account decides by itself about models that Kling has retired, as a
                sandbox does; otherwise one is a problem, and the living model to use instead is named.
        """
        from kling.rules import problems

        return problems(self, retired_ok=retired_ok)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call, without the fields that say nothing."""
        shots = [
            {"index": index, "prompt": shot.prompt, "duration": shot.duration}
            for index, shot in enumerate(self.multi_prompt, 1)
        ]
        body: dict[str, Any] = {
            "model_name": self.model_name,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt or None,
            "mode": self.mode or None,
            "duration": self.duration,
            "aspect_ratio": self.aspect_ratio or None,
            "sound": "on" if self.sound == "on" else None,  # models without sound do not know the field
            "cfg_scale": self.cfg_scale,
            "camera_control": self.camera_control.to_wire() if self.camera_control else None,
            "multi_shot": self.multi_shot or None,
            "shot_type": self.shot_type or None,
            "multi_prompt": shots or None,
            "watermark_info": {"enabled": True} if self.watermark else None,
            "callback_url": self.callback_url or None,
            "external_task_id": self.external_task_id or None,
        }
        return {name: value for name, value in body.items() if value is not None}

    def units(self) -> Decimal | None:
        """Return the price in Kling's billing Units by the catalog; None where it is not known."""
        from kling.catalog import catalog

        return catalog().units(
            model_name=self.model_name, mode=self.mode, duration=self.duration, sound=self.sound
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One result. The addresses are signed and die after 30 days; `duration` is in seconds."""

    id: str
    url: str = field(repr=False)
    watermark_url: str = field(default="", repr=False)
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class BalanceDeduction:
    """What a task took from an account that pays in cash, in the account's currency.

    Args:
        quota: that was deducted; None where the answer had no number.
        list_price: what it would have cost without a discount; None likewise.
    """

    quota: Decimal | None
    list_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the API last described it. Whatever a future API adds is kept in `raw`.

    Args:
        task_id: Kling's id.
        task_status: one of `Status`, or Kling's own word where the documentation does not know it.
        task_status_msg: Kling's words, mostly why it failed.
        external_task_id: our id, empty if none was given.
        videos: the results of a task that succeeded.
        final_unit_deduction: Units really charged, once known.
        final_balance_deduction: money really charged to an account that pays in cash, once known.
        created_at, updated_at: aware datetimes in UTC, None where the answer had none that can be read.
        request_id: of the answer, for Kling's support.
        raw: the whole `data` object.
    """

    task_id: str
    task_status: str
    task_status_msg: str = ""
    external_task_id: str = ""
    videos: tuple[Video, ...] = ()
    final_unit_deduction: Decimal | None = None
    final_balance_deduction: BalanceDeduction | None = None
    watermark: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    request_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def terminal(self) -> bool:
        """Whether the task has ended. A state that is not documented counts as still running."""
        return self.task_status in {Status.SUCCEED, Status.FAILED}
