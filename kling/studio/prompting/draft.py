"""The draft: the values of the form, from which a request is made.

What each model takes is in `kling/catalog.toml`. This module moves choices that a model does not take to the
nearest ones that it takes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from typing import Any

from kling.camera_control import CAMERA_AXES, CAMERA_LIMIT, CAMERA_TYPES, CameraControl
from kling.catalog import Model, catalog
from kling.image_to_video import ImageToVideo
from kling.pictures import is_name
from kling.shots import Shot
from kling.studio.prompting import camera_words
from kling.studio.prompting.alternatives import has_alternatives
from kling.text import storable
from kling.text_to_video import TextToVideo

FormRequest = TextToVideo | ImageToVideo  # what the form asks for: from words, or from a picture too
OTHER = "other"  # in place of a model's name: one that the catalog does not know
NO_MODE = "none"
AUTOMATIC = "automatic"  # the camera is left to Kling
ONE_SHOT = "one shot"
STORYBOARD = "customize"
CUTS = (ONE_SHOT, "intelligence", STORYBOARD)
MOST_TAKES = 4
OTHER_MODES = ("std", "pro", "4k", NO_MODE)
LONGEST_SHOT = 30  # seconds
OTHER_DURATIONS = tuple(str(seconds) for seconds in range(1, LONGEST_SHOT + 1))
OTHER_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
CAMERA_FIELDS = frozenset({"camera", "camera_axis", "camera_value"})
_MOST_CHOICES = 50
_LONGEST_NUMBER = 9  # characters
_SHARED = tuple(
    field.name for field in fields(ImageToVideo) if field.name in {each.name for each in fields(TextToVideo)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Every value of the form. A value that the model does not take stays here, but is not sent.

    No field may be None, for so reads a widget that is not there: a value that may be left to Kling takes two
    fields, such as `set_cfg_scale` and `cfg_scale`.

    Args:
        model: a name of the catalog, or `OTHER` with the name in `other_model`.
        retired: whether the form offers retired models.
        mode: `std`, `pro`, `4k`, or `NO_MODE` for another model.
        set_cfg_scale: whether `cfg_scale` is sent; otherwise Kling chooses it.
        camera: `AUTOMATIC`, or a type of `camera_control`; `simple` moves `camera_axis` by `camera_value`.
        cut: one of `CUTS`: one shot, or a `shot_type`.
        shots: of the storyboard.
        takes: how many times it is ordered, from 1 to `MOST_TAKES`.
        parent: the id of the job that it was remixed from.
        first_frame: SHA-256 of the picture that the video begins with, in hex; empty for none.
        last_frame: likewise, that it ends with; it is sent only beside a first one.
        continues: whether the first frame is the last one of `parent`, whose film goes on.
        variations: whether `{a|b}` in texts, the variables and the choices below make a table of requests.
        as_typed: whether the person wants braces of the texts to be sent as they stand.
        variables: one in each line: `name = value | value`.
        models, modes, durations, aspect_ratios: choices to combine; empty takes the one chosen above.
    """

    prompt: str = ""
    negative_prompt: str = ""
    model: str = "kling-v2-6"
    other_model: str = ""
    retired: bool = False
    mode: str = "std"
    duration: str = "5"
    aspect_ratio: str = "16:9"
    sound: bool = False
    watermark: bool = False
    set_cfg_scale: bool = False
    cfg_scale: float = 0.5
    camera: str = AUTOMATIC
    camera_axis: str = "zoom"
    camera_value: float = 5.0
    cut: str = ONE_SHOT
    shots: tuple[Shot, ...] = (Shot(prompt="", duration="3"), Shot(prompt="", duration="2"))
    takes: int = 1
    parent: str = ""
    first_frame: str = ""
    last_frame: str = ""
    continues: bool = False
    variations: bool = False
    as_typed: bool = False
    variables: str = ""
    models: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    durations: tuple[str, ...] = ()
    aspect_ratios: tuple[str, ...] = ()

    @property
    def known(self) -> Model | None:
        """The catalog's model; None for one that it does not know."""
        return catalog().models.get(self.model)

    def can_send(self, field: str) -> bool:
        """Whether a field can be sent, given by the API's name: a model that is not known takes each.

        Beside a first frame there are only the fields of `ImageToVideo`. With `shot_type` the model can also
        be told to cut by itself.
        """
        model = self.known
        if self.first_frame and field not in ImageToVideo.FIELDS:
            return False
        if model is not None and field in {"negative_prompt", "shot_type"}:
            return model.takes_negative_prompt if field == "negative_prompt" else model.cuts_by_itself
        return model is None or field in model.takes or field not in catalog().optional

    @property
    def is_storyboard(self) -> bool:
        """Whether the shots say what is shown, and not the prompt."""
        return self.can_send("multi_shot") and self.cut == STORYBOARD

    @property
    def sent_texts(self) -> tuple[str, ...]:
        """The texts that are sent: the prompt or those of the shots, and the negative prompt."""
        shown = tuple(shot.prompt for shot in self.shots) if self.is_storyboard else (self.prompt,)
        return (*shown, self.negative_prompt) if self.can_send("negative_prompt") else shown

    def request(self) -> FormRequest:
        """Return the request that this draft asks for, without what its model does not take.

        A first frame is always sent: what a model does not do with it is a problem of the request.
        """
        words = self.words()
        if not self.first_frame:
            return words
        return ImageToVideo(
            image=self.first_frame,
            image_tail=self.last_frame,
            **{name: getattr(words, name) for name in _SHARED},
        )

    def words(self) -> TextToVideo:
        """Return the same request without its pictures."""
        model = self.known
        no_mode = self.mode == NO_MODE or (model is not None and not model.takes_mode)
        can_cut = self.can_send("multi_shot" if self.cut == STORYBOARD else "shot_type")
        cut = self.cut if can_cut and self.cut != ONE_SHOT else None
        return TextToVideo(
            prompt=self.prompt,
            negative_prompt=self.negative_prompt if self.can_send("negative_prompt") else "",
            model_name=self.model if model else self.other_model.strip(),
            mode=None if no_mode else self.mode,
            duration=self.duration,
            aspect_ratio=self.aspect_ratio,
            sound="on" if self.sound or (model and model.always_sound) else "off",
            cfg_scale=self.cfg_scale if self.set_cfg_scale and self.can_send("cfg_scale") else None,
            camera_control=self.camera_control if self.can_send("camera_control") else None,
            multi_shot=cut is not None,
            shot_type=cut,
            multi_prompt=self.shots if cut == STORYBOARD else (),
            watermark=self.watermark,
        )

    @property
    def camera_control(self) -> CameraControl | None:
        """The movement that is chosen, also where the model does not take it."""
        if self.camera == AUTOMATIC:
            return None
        config = {self.camera_axis: self.camera_value} if self.camera == "simple" else {}
        return CameraControl(type=self.camera, config=config)

    def to_json(self) -> dict[str, Any]:
        """Return the draft as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Draft:
        """Return the draft of a stored object; a value that cannot be used is replaced by its default."""
        usable: dict[str, Any] = {
            field.name: tuple(found) if isinstance(found := stored[field.name], list) else found
            for field in fields(cls)
            if field.name in stored
            and field.name != "shots"
            and _same_kind(stored[field.name], field.default)
        }
        shots = stored.get("shots")
        return clamp(
            cls(**usable, shots=tuple(_shots(shots)) if isinstance(shots, list | tuple) else cls().shots)
        )

    @classmethod
    def from_request(cls, request: FormRequest, *, parent: str = "") -> Draft:
        """Return a draft that asks for the same as a request; only pictures that are kept here go along."""
        frames: dict[str, Any] = {}
        if isinstance(request, ImageToVideo):
            frames = {"first_frame": request.image, "last_frame": request.image_tail}
            request = request.words
        known = catalog().models.get(request.model_name)
        texts = (request.prompt, request.negative_prompt, *(shot.prompt for shot in request.multi_prompt))
        return clamp(
            cls(
                prompt=request.prompt,
                negative_prompt=request.negative_prompt,
                model=request.model_name if known else OTHER,
                other_model="" if known else request.model_name,
                retired=bool(known and known.retired),
                mode=request.mode or (NO_MODE if known is None else "std"),
                duration=request.duration,
                aspect_ratio=request.aspect_ratio,
                sound=request.sound == "on",
                watermark=request.watermark,
                set_cfg_scale=request.cfg_scale is not None,
                cfg_scale=0.5 if request.cfg_scale is None else request.cfg_scale,
                **_camera_of(request.camera_control),
                cut=(request.shot_type or ONE_SHOT) if request.multi_shot else ONE_SHOT,
                shots=request.multi_prompt or cls().shots,
                parent=parent,
                **frames,
                as_typed=any(map(has_alternatives, texts)),
            )
        )


@dataclass(frozen=True, slots=True)
class Change:
    """One choice that was moved: the field, and its values before and after."""

    field: str
    old: Any
    new: Any


def choices_for(model: Model | None) -> dict[str, Sequence[str]]:
    """Return what the form offers for a model, by field."""
    if model is None:
        return {"mode": OTHER_MODES, "duration": OTHER_DURATIONS, "aspect_ratio": OTHER_RATIOS}
    return {"mode": tuple(model.modes), "duration": model.durations, "aspect_ratio": model.aspect_ratios}


def snap_to_model(draft: Draft, touched: Collection[str] = ()) -> tuple[Draft, tuple[Change, ...]]:
    """Move a draft to the nearest one whose choices its model takes.

    Args:
        draft: as the form holds it.
        touched: fields that the person changed last; they stay wherever the model takes them at all.

    Returns:
        The draft with the fewest choices moved, the cheapest of equals; and what moved.
    """
    model = draft.known
    near = {name: _nearest(getattr(draft, name), allowed) for name, allowed in choices_for(model).items()}
    moved = replace(draft, mode=near["mode"], duration=near["duration"], aspect_ratio=near["aspect_ratio"])
    if model and not model.takes_mode:
        moved = replace(moved, mode=draft.mode)  # is not shown and not sent
    if model and not model.takes_sound:
        moved = replace(moved, sound=False)
    if model and not _agree(moved, model):
        others = _alternatives(replace(moved, sound=draft.sound), model)
        moved = min(others, key=lambda other: _cost(draft, other, touched))
    if moved.is_storyboard:
        moved = _add_up(moved, touched)
    names = (field.name for field in fields(Draft) if field.name != "shots")
    return moved, tuple(
        Change(name, getattr(draft, name), getattr(moved, name))
        for name in names
        if getattr(draft, name) != getattr(moved, name)
    )


def merge(sent: Draft, shown: Draft, current: Draft) -> Draft:
    """Apply the changes that a person made on an outdated page to the current draft.

    Args:
        sent: every field as the page sent it.
        shown: the draft that the page was drawn from.
        current: the draft as it is now.
    """
    names = (field.name for field in fields(Draft))
    unchanged = (name for name in names if getattr(sent, name) == getattr(shown, name))
    return replace(sent, **{name: getattr(current, name) for name in unchanged})


def sync_camera_words(draft: Draft, touched: Collection[str]) -> Draft:
    """Make the chosen camera move and its words in the prompt agree, where `camera_control` cannot be sent.

    Args:
        draft: moved by `snap_to_model` before.
        touched: fields that the person changed last. A changed move is written into the prompt; words that
            were edited in the prompt change the move. A `camera_control` that can be sent needs no words.
    """
    control, written = draft.camera_control, camera_words.find_move(draft.prompt)
    same = _words(control) == _words(written)
    switched = {"model", "first_frame"}.intersection(touched)
    if draft.can_send("camera_control"):
        if switched and written and same:
            return replace(draft, prompt=camera_words.with_move(draft.prompt, None))
        return draft
    if CAMERA_FIELDS.intersection(touched) or (control and switched):
        return replace(draft, prompt=camera_words.with_move(draft.prompt, control))
    return draft if same else replace(draft, **_camera_of(written))


def clamp(draft: Draft) -> Draft:
    """Return the draft with every value in the range of its form control, for whatever model."""
    value = draft.camera_value
    known = draft.model == OTHER or draft.known is not None
    shots = tuple(
        Shot(prompt=storable(shot.prompt), duration=_seconds(storable(shot.duration, _LONGEST_NUMBER)))
        for shot in draft.shots[: catalog().shot_limit]
    )
    return replace(
        draft,
        prompt=storable(draft.prompt),
        negative_prompt=storable(draft.negative_prompt),
        variables=storable(draft.variables),
        parent=storable(draft.parent),
        first_frame=draft.first_frame if is_name(draft.first_frame) else "",
        last_frame=draft.last_frame if is_name(draft.last_frame) else "",
        continues=draft.continues and bool(draft.parent) and is_name(draft.first_frame),
        model=draft.model if known else OTHER,
        other_model=storable(draft.other_model if known else draft.model),
        mode=draft.mode if draft.mode in OTHER_MODES else "std",
        cfg_scale=min(max(draft.cfg_scale, 0.0), 1.0) if math.isfinite(draft.cfg_scale) else 0.5,
        duration=storable(draft.duration, _LONGEST_NUMBER),
        aspect_ratio=storable(draft.aspect_ratio, _LONGEST_NUMBER),
        camera=draft.camera if draft.camera in CAMERA_TYPES else AUTOMATIC,
        camera_axis=draft.camera_axis if draft.camera_axis in CAMERA_AXES else "zoom",
        camera_value=min(max(value, -CAMERA_LIMIT), CAMERA_LIMIT) if math.isfinite(value) else 0.0,
        cut=draft.cut if draft.cut in CUTS else ONE_SHOT,
        shots=shots or Draft().shots,
        takes=min(max(draft.takes, 1), MOST_TAKES),
        models=tuple(name for name in catalog().models if name in draft.models),
        modes=tuple(name for name in OTHER_MODES if name in draft.modes),
        durations=tuple(name for name in OTHER_DURATIONS if name in draft.durations),
        aspect_ratios=tuple(name for name in OTHER_RATIOS if name in draft.aspect_ratios),
    )


def _seconds(text: str) -> str:
    """Return the seconds of a shot as its form control holds them."""
    seconds = int(text) if text.isdecimal() else 1
    return str(min(max(seconds, 1), LONGEST_SHOT))


def _words(control: CameraControl | None) -> str:
    return camera_words.move_in_words(control) if control else ""


def _camera_of(control: CameraControl | None) -> dict[str, Any]:
    """Return the form's fields of a move; for a move without an axis, the default axis and value."""
    if control is None:
        return {"camera": AUTOMATIC}
    moved = {axis: value for axis, value in control.config.items() if value}
    axis, value = next(iter(moved.items()), ("zoom", 5.0))
    return {"camera": control.type, "camera_axis": axis, "camera_value": float(value)}


def _agree(draft: Draft, model: Model) -> bool:
    """Whether the choices that depend on each other go together."""
    mode = model.mode_for(draft.mode)
    if draft.sound and not (mode and mode.takes_sound):
        return False
    image = model.image
    has_end = bool(draft.first_frame and draft.last_frame and image and image.last_frame)
    if image and has_end and draft.mode not in image.last_frame:
        return False
    if image and has_end and draft.sound and not image.last_frame_sound:
        return False
    rule = model.camera_control
    return (
        rule is None
        or draft.camera == AUTOMATIC
        or (draft.mode, draft.duration) == (rule.mode, rule.duration)
    )


def _alternatives(draft: Draft, model: Model) -> Iterator[Draft]:
    modes = tuple(model.modes) if model.takes_mode else (draft.mode,)
    for mode, duration, loud, camera in product(
        modes, model.durations, {draft.sound, False}, {draft.camera, AUTOMATIC}
    ):
        other = replace(draft, mode=mode, duration=duration, sound=loud, camera=camera)
        if _agree(other, model):
            yield other


def _cost(draft: Draft, other: Draft, touched: Collection[str]) -> tuple[Any, ...]:
    changed = [
        name
        for name in ("mode", "duration", "sound", "camera")
        if getattr(draft, name) != getattr(other, name)
    ]
    far = abs(int(draft.duration) - int(other.duration))
    return (
        sum(name in touched for name in changed),
        len(changed),
        far,
        other.request().units() or 0,
        other.mode,
    )


def _nearest(value: str, allowed: Sequence[str]) -> str:
    if value in allowed:
        return value
    if value.isdecimal() and all(other.isdecimal() for other in allowed):
        return min(allowed, key=lambda other: abs(int(other) - int(value)))
    return allowed[0]


def _add_up(draft: Draft, touched: Collection[str]) -> Draft:
    """Make the shots last as long as the video. Of shots and duration, the one touched last stays."""
    if not all(shot.duration.isdecimal() and int(shot.duration) > 0 for shot in draft.shots):
        return draft
    seconds = [int(shot.duration) for shot in draft.shots]
    total, allowed = sum(seconds), choices_for(draft.known)["duration"]
    if str(total) == draft.duration:
        return draft
    if "shots" in touched and "duration" not in touched:
        return replace(draft, duration=str(total)) if str(total) in allowed else draft
    length = max(int(draft.duration), len(seconds))
    surplus = total - length
    # The last shot is shortened first, or gets all missing seconds.
    for index in reversed(range(len(seconds))):
        given = min(surplus, seconds[index] - 1)
        seconds[index] -= given
        surplus -= given
    shots = tuple(replace(shot, duration=str(each)) for shot, each in zip(draft.shots, seconds, strict=True))
    return replace(draft, shots=shots, duration=_nearest(str(length), allowed))


def _same_kind(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)
    if isinstance(default, tuple):
        return isinstance(value, list | tuple) and all(_same_kind(each, "") for each in value[:_MOST_CHOICES])
    return isinstance(value, type(default))


def _shots(stored: Sequence[Any]) -> Iterator[Shot]:
    for shot in stored[: catalog().shot_limit]:
        if isinstance(shot, Mapping):
            yield Shot(
                prompt=str(shot.get("prompt", "")),
                duration=str(shot.get("duration", "1")),
            )
