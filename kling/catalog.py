"""What each model takes, gives and costs, read from `catalog.toml` (dated, with the source of each fact)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

NEWER = "newer"  # the name of the newer generation of the API in `catalog.toml`


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One mode of a model.

    Args:
        name: `std`, `pro` or `4k`.
        short_side: of the frame, in pixels.
        units_per_second: price without sound, in Kling's billing Units.
        units_per_second_with_sound: price with sound; None where this mode takes no sound.
    """

    name: str
    short_side: int
    units_per_second: Decimal
    units_per_second_with_sound: Decimal | None = None

    @property
    def takes_sound(self) -> bool:
        """Whether `sound: on` is accepted."""
        return self.units_per_second_with_sound is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraRule:
    """The one mode and duration with which a model takes `camera_control`."""

    mode: str
    duration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """How the newer generation of the API serves a model.

    Args:
        name: of the model there, in the path of the create call.
        prompt_limit: characters of a text that is made into a video.
        image_prompt_limit: characters of a text beside a picture.
        audio: whether there is a field `settings.audio`.
        multi_shot: whether there is a switch `settings.multi_shot`.
    """

    name: str
    prompt_limit: int
    image_prompt_limit: int
    audio: bool = False
    multi_shot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRule:
    """What a model takes beside a picture.

    Args:
        last_frame: the modes that take a last frame.
        last_frame_sound: whether there can be sound with one.
    """

    last_frame: tuple[str, ...] = ()
    last_frame_sound: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointFacts:
    """How an endpoint answers.

    Args:
        name: as `Endpoint.name`.
        api: its generation.
        duplicates: `refused` where a second create with the same id is known to be refused.
        look_up: by what a task is found whose create was not answered: `our id`, or `not at all`.
        sources: of these facts.
    """

    name: str
    api: str
    duplicates: str
    look_up: str
    sources: str

    @property
    def refuses_duplicates(self) -> bool:
        """Whether a create call may be made again with the same id without the risk of paying twice."""
        return self.duplicates == "refused"

    @property
    def found_by_our_id(self) -> bool:
        """Whether "no such task", asked for by our id, says something about our create call."""
        return self.look_up == "our id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model that makes videos; `catalog.toml` has the meaning and source of each fact.

    Args:
        api: the generation of the API that the model is asked through; see `Endpoint.api`.
        newer: how the newer generation serves it; None if it does not.
        image: what it takes beside a picture; None if it animates none.
        always_sound: its videos have sound, whatever is asked for.
        takes: which of the fields that not every model has it takes, under the API's names.
    """

    name: str
    title: str
    modes: Mapping[str, Mode]
    durations: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    fps: int
    sources: str
    api: str
    retired: date | None = None
    successor: str = ""
    takes_mode: bool = True
    takes: frozenset[str] = frozenset()
    camera_control: CameraRule | None = None
    newer: Newer | None = None
    image: ImageRule | None = None
    always_sound: bool = False
    note: str = ""

    @property
    def takes_negative_prompt(self) -> bool:
        """Whether there is a field for what is not wanted; in the newer generation there is none (S2)."""
        return self.api != NEWER

    @property
    def cuts_by_itself(self) -> bool:
        """Whether it can be told to cut a prompt into shots (`shot_type: intelligence`); see above."""
        return "multi_shot" in self.takes and self.api != NEWER

    @property
    def takes_sound(self) -> bool:
        """Whether any of its modes takes `sound: on`."""
        return any(mode.takes_sound for mode in self.modes.values())

    def mode_for(self, mode: str | None) -> Mode | None:
        """Return the mode of that name; a model without modes has one output, whatever is asked."""
        return self.modes.get(mode or "std") if self.takes_mode else next(iter(self.modes.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A model that is known, but not served by this endpoint.

    Args:
        name: as the API calls it.
        place: where it belongs, as the end of a sentence that begins with its name.
        use: the name of the nearest model of this endpoint.
        sources: of these facts.
    """

    name: str
    place: str
    use: str
    sources: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every known model in the order in which a form offers them, and the facts that all of them share.

    Args:
        as_of: the date of the newest source.
        api: the generation of the API through which a model is asked that the catalog does not know.
        audio_units: price of one task of video to audio.
        audio_prompt_limit: characters of each of its texts.
        audio_seconds: how long a video may be that gets sound, both ends included.
        endpoints: how each endpoint answers, by its name.
        elsewhere: models of Kling's other endpoints, and other names of these ones.
    """

    as_of: date
    api: str
    unit_usd: Decimal
    prompt_limit: int
    shot_limit: int
    shot_prompt_limit: int
    retention_days: int
    audio_units: Decimal
    audio_prompt_limit: int
    audio_seconds: tuple[Decimal, Decimal]
    endpoints: Mapping[str, EndpointFacts]
    models: Mapping[str, Model]
    elsewhere: Mapping[str, Elsewhere]

    @property
    def optional(self) -> frozenset[str]:
        """The fields that some models take and others refuse, under the API's names."""
        return frozenset[str]().union(*(model.takes for model in self.models.values()))

    def prompt_limit_of(self, model: Model | None, *, has_image: bool) -> int:
        """Return how many characters the prompt of a model may have, in whichever generation takes the most.

        Args:
            model: None for one that is not known.
            has_image: whether the video begins with a picture.
        """
        newer = model.newer if model else None
        if newer is None:
            return self.prompt_limit
        return newer.image_prompt_limit if has_image else newer.prompt_limit

    def units(self, *, model_name: str, mode: str | None, duration: str, sound: str) -> Decimal | None:
        """Return what one clip costs in Units, or None where the catalog does not know."""
        model = self.models.get(model_name)
        found = model.mode_for(mode) if model else None
        if model is None or found is None or duration not in model.durations:
            return None
        rate = found.units_per_second_with_sound if sound == "on" else found.units_per_second
        return None if rate is None else rate * int(duration)


@cache
def catalog() -> Catalog:
    """Return the catalog that comes with this package."""
    path = Path(__file__).with_name("catalog.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    ratios = tuple(data["aspect_ratios"])
    models = [_model({"api": data["api"], **entry}, ratios) for entry in data["models"]]
    return Catalog(
        models={model.name: model for model in models},
        endpoints={entry["name"]: EndpointFacts(**entry) for entry in data.pop("endpoints")},
        elsewhere={entry["name"]: Elsewhere(**entry) for entry in data.pop("elsewhere")},
        audio_seconds=tuple(data.pop("audio_seconds")),
        **{key: value for key, value in data.items() if key not in {"models", "aspect_ratios"}},
    )


def _model(entry: dict[str, Any], aspect_ratios: tuple[str, ...]) -> Model:
    camera = entry.pop("camera_control", None)
    takes = frozenset(entry.pop("takes", ()))
    modes = {name: Mode(name=name, **facts) for name, facts in entry.pop("modes").items()}
    durations = tuple(str(seconds) for seconds in entry.pop("durations"))
    newer, image = entry.pop("newer", None), entry.pop("image", None)
    return Model(
        newer=Newer(**newer) if newer else None,
        image=ImageRule(**{**image, "last_frame": tuple(image["last_frame"])}) if image else None,
        modes=modes,
        durations=durations,
        aspect_ratios=tuple(entry.pop("aspect_ratios", aspect_ratios)),
        takes=takes | {"camera_control"} if camera else takes,
        camera_control=CameraRule(mode=camera["mode"], duration=str(camera["duration"])) if camera else None,
        **entry,
    )
