"""The request of the endpoint "text to video": its fields, its rules, and its JSON in both directions.

The rules say which requests the API would refuse, before anything is sent or paid for. Rules of fields: S1.
Rules of models: `catalog.toml`. A model that the catalog does not know passes with the rules that hold for
every model, because Kling may have released it today. One that Kling has retired, or that belongs to another
endpoint, does not pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Self

from kling.camera_control import CameraControl, read_camera
from kling.catalog import NEWER, Catalog, Model, catalog
from kling.errors import InvalidRequest
from kling.newer_wire import FIELDS as NEWER_FIELDS
from kling.newer_wire import shot_words
from kling.problems import Problem, can_be_sent, listed, own_field_problems, text_problems
from kling.request_body import Parsed, Reader
from kling.shots import SHOT_TYPES, Shot, read_shots, shots_to_wire, storyboard_problems

_DURATION = re.compile("[1-9][0-9]{0,2}")  # of a model that the catalog does not know
_ASPECT_RATIO = re.compile("[1-9][0-9]?:[1-9][0-9]?")
RANGES = {"cfg_scale": (0, 1)}  # of fields that are numbers, both ends included
# For these fields, `_camera`, `_shots` and `_prompts` say what to do where a model does not take them.
_RULES_OF_THEIR_OWN = frozenset({"camera_control", "multi_shot", "negative_prompt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToVideo:
    """Everything that the create call takes; `problems` says what the API would refuse.

    Args:
        prompt: at most 2,500 characters, or what the newer generation takes of the model (`catalog.toml`);
            required unless the storyboard has prompts of its own.
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

    FIELDS: ClassVar[Mapping[str, type]] = {  # of the JSON body, with the type of each
        "model_name": str,
        "prompt": str,
        "negative_prompt": str,
        "mode": str,
        "duration": str,
        "aspect_ratio": str,
        "sound": str,
        "cfg_scale": float,
        "camera_control": dict,
        "multi_shot": bool,
        "shot_type": str,
        "multi_prompt": list,
        "watermark_info": dict,
        "callback_url": str,
        "external_task_id": str,
    }

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

    def __post_init__(self) -> None:
        for name in ("mode", "shot_type"):  # no value and an empty one are the same request
            if not getattr(self, name):
                object.__setattr__(self, name, None)

    @property
    def needs_newer_api(self) -> bool:
        """Whether only the newer generation of the API takes what is asked for: a long text (S2)."""
        known = catalog()
        model = known.models.get(self.model_name)
        return bool(model and model.newer) and len(self.prompt) > known.prompt_limit

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call, without the fields that say nothing."""
        body: dict[str, Any] = {
            "model_name": self.model_name,
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt or None,
            "mode": self.mode or None,
            "duration": self.duration,
            "aspect_ratio": self.aspect_ratio or None,
            "sound": None if self.sound in {"off", ""} else self.sound,  # silent models lack the field
            "cfg_scale": self.cfg_scale,
            "camera_control": self.camera_control.to_wire() if self.camera_control else None,
            "multi_shot": self.multi_shot or None,
            "shot_type": self.shot_type or None,
            "multi_prompt": shots_to_wire(self.multi_prompt) or None,
            "watermark_info": {"enabled": True} if self.watermark else None,
            "callback_url": self.callback_url or None,
            "external_task_id": self.external_task_id or None,
        }
        return {name: value for name, value in body.items() if value is not None}

    @classmethod
    def from_wire(cls, body: object) -> Parsed[Self]:
        """Return the request of a JSON body: the inverse of `to_wire` for every request without problems.

        A field that is left out is empty here, whatever default the API has for it.

        Raises:
            InvalidRequest: the body is no JSON object.
        """
        if not isinstance(body, dict):
            raise InvalidRequest([Problem("body", "The body of a request is a JSON object.")])
        fields = Reader(body, cls.FIELDS)
        request = cls(
            prompt=fields.text("prompt"),
            model_name=fields.text("model_name"),
            negative_prompt=fields.text("negative_prompt"),
            mode=fields.text("mode") or None,
            duration=fields.text("duration"),
            aspect_ratio=fields.text("aspect_ratio"),
            sound=fields.text("sound") or "off",
            cfg_scale=fields.number("cfg_scale"),
            camera_control=read_camera(fields),
            multi_shot=fields.flag("multi_shot"),
            shot_type=fields.text("shot_type") or None,
            multi_prompt=read_shots(fields),
            watermark=fields.inner("watermark_info", ("enabled",)).flag("enabled"),
            callback_url=fields.text("callback_url"),
            external_task_id=fields.text("external_task_id"),
        )
        return fields.parsed(request)

    def units(self) -> Decimal | None:
        """Return the price in Kling's billing Units by the catalog; None where it is not known."""
        return catalog().units(
            model_name=self.model_name, mode=self.mode, duration=self.duration, sound=self.sound
        )

    def problems(self, *, retired_ok: bool = False, has_image: bool = False) -> tuple[Problem, ...]:
        """Return every rule of the API that this request breaks, in the order of the form's fields.

        Args:
            has_image: whether these are the words beside a picture (`ImageToVideo`).
            retired_ok: whether the account decides by itself about models that Kling has retired, as a
                sandbox does; otherwise one is a problem, and the living model to use instead is named.

        Returns:
            Empty if the request can be sent.
        """
        return tuple(self._broken(retired_ok=retired_ok, has_image=has_image))

    def _broken(self, *, retired_ok: bool, has_image: bool) -> Iterator[Problem]:
        known = catalog()
        model = known.models.get(self.model_name)
        yield from self._prompts(known, model, has_image=has_image)
        if model and model.retired and not retired_ok:
            when = f"{model.retired.day} {model.retired:%B %Y}"
            use = _use(model.successor, known)
            yield Problem("model_name", f"Kling retired {model.title} on {when}: {use}")
        yield from self._name(known)
        yield from self._choices(model) if model else self._choices_of_unknown_model()
        yield from self._sound(model)
        yield from self._options(model, known)
        if self.camera_control:
            yield from self._camera(self.camera_control, model)
        yield from self._shots(model, known, has_image=has_image)
        yield from own_field_problems(self.callback_url, self.external_task_id)

    def _prompts(self, known: Catalog, model: Model | None, *, has_image: bool) -> Iterator[Problem]:
        has_own_prompts = self.multi_shot and self.shot_type == "customize"
        if not self.prompt.strip() and not has_own_prompts:
            yield Problem("prompt", "Write what the video should show.")
        yield from text_problems("prompt", self.prompt, known.prompt_limit_of(model, has_image=has_image))
        yield from text_problems("negative_prompt", self.negative_prompt, known.prompt_limit)
        if model and self.negative_prompt and not model.takes_negative_prompt:
            yield Problem("negative_prompt", f"{model.title} has no field for this: say it in the prompt.")
        if self.needs_newer_api:
            text = f"With a prompt of more than {known.prompt_limit:,} characters Kling does not take this."
            yield from (Problem(name, text) for name in self.to_wire() if name not in NEWER_FIELDS)

    def _name(self, known: Catalog) -> Iterator[Problem]:
        if not self.model_name.strip() or not can_be_sent(self.model_name):
            yield Problem("model_name", "Choose a model.")
        if other := known.elsewhere.get(self.model_name.strip().lower()):
            yield Problem("model_name", f"{other.name} {other.place}: {_use(other.use, known)}")

    def _choices(self, model: Model) -> Iterator[Problem]:
        if model.takes_mode:
            yield from _one_of("mode", self.mode or "", tuple(model.modes), model)
        elif self.mode is not None:
            yield Problem("mode", f"{model.title} takes no mode: leave it out.")
        yield from _one_of("duration", self.duration, model.durations, model)
        yield from _one_of("aspect_ratio", self.aspect_ratio, model.aspect_ratios, model)

    def _choices_of_unknown_model(self) -> Iterator[Problem]:
        if not _DURATION.fullmatch(self.duration):
            yield Problem("duration", "Give the duration in whole seconds.")
        if self.aspect_ratio and not _ASPECT_RATIO.fullmatch(self.aspect_ratio):
            yield Problem("aspect_ratio", "Give the aspect ratio as width:height, such as 16:9.")

    def _sound(self, model: Model | None) -> Iterator[Problem]:
        if self.sound not in {"on", "off"}:
            yield Problem("sound", "Sound is on or off.")
        mode = model.mode_for(self.mode) if model else None
        if self.sound == "on" and model and mode and not mode.takes_sound:
            with_sound = [name for name, other in model.modes.items() if other.takes_sound]
            remedy = f"choose {listed(with_sound)} mode or turn it off" if with_sound else "turn it off"
            yield Problem("sound", f"{model.title} makes no sound in {mode.name} mode: {remedy}.")

    def _options(self, model: Model | None, known: Catalog) -> Iterator[Problem]:
        refused = known.optional - model.takes if model else frozenset[str]()
        if model and model.api == NEWER:
            refused |= self.FIELDS.keys() - NEWER_FIELDS
        for name, value in self.to_wire().items():
            if model and name in refused - _RULES_OF_THEIR_OWN:
                yield Problem(name, f"{model.title} does not take {name}: leave it out.")
            elif name in RANGES and not RANGES[name][0] <= value <= RANGES[name][1]:  # also refuses NaN
                yield Problem(name, f"{name} lies between {RANGES[name][0]} and {RANGES[name][1]}.")

    def _camera(self, camera: CameraControl, model: Model | None) -> Iterator[Problem]:
        rule = model.camera_control if model else None
        if model and not rule:
            text = f"{model.title} takes no camera control: describe the movement in the prompt."
            yield Problem("camera_control", text)
        elif model and rule and (self.mode, self.duration) != (rule.mode, rule.duration):
            text = f"{model.title} takes camera control in {rule.mode} mode at {rule.duration} s only."
            yield Problem("camera_control", text)
        yield from camera.problems()

    def _shots(self, model: Model | None, known: Catalog, *, has_image: bool) -> Iterator[Problem]:
        if not self.multi_shot:
            if self.shot_type or self.multi_prompt:
                yield Problem("multi_shot", "Turn multi-shot on, or leave its shots out.")
            return
        if model and "multi_shot" not in model.takes:
            yield Problem("multi_shot", f"{model.title} makes one shot only: turn multi-shot off.")
        if self.shot_type not in SHOT_TYPES:
            yield Problem("shot_type", f"Choose how to cut: {listed(SHOT_TYPES)}.")
        elif self.shot_type == "intelligence" and self.multi_prompt:
            yield Problem("multi_prompt", "Kling cuts the prompt by itself here: leave the shots out.")
        elif self.shot_type == "customize":
            yield from storyboard_problems(self.multi_prompt, self.duration, known)
        if model and (model.api == NEWER or self.needs_newer_api):
            yield from self._shots_in_words(model, known.prompt_limit_of(model, has_image=has_image))

    def _shots_in_words(self, model: Model, limit: int) -> Iterator[Problem]:
        """Yield what a model cannot be told that takes its shots as a part of the prompt (S2).

        Args:
            model: asked through the newer generation of the API.
            limit: characters of its prompt.
        """
        if self.shot_type == "intelligence" and not (model.newer and model.newer.multi_shot):
            yield Problem("shot_type", f"{model.title} cannot be told to cut by itself: write the shots.")
        for number, shot in enumerate(self.multi_prompt, 1):
            if ";" in shot.prompt:  # derived: it ends a shot
                text = f"{model.title} takes no semicolon in the words of a shot."
                yield Problem(f"multi_prompt[{number}]", text)
        words = shot_words([(shot.duration, shot.prompt) for shot in self.multi_prompt])
        if (over := len(words) - limit) > 0:
            text = (
                f"{model.title} takes {limit:,} characters of all shots together: shorten them by {over:,}."
            )
            yield Problem("multi_prompt", text)


def _use(name: str, known: Catalog) -> str:
    return f"use {known.models[name].title} ({name})."


def _one_of(name: str, value: str, allowed: Sequence[str], model: Model) -> Iterator[Problem]:
    if value not in allowed:
        yield Problem(name, f"{model.title} takes {listed(allowed)}, not {value[:40] or 'nothing'!r}.")
