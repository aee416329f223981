"""The facts about models, held against the table of the documentation."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import kling
from kling import TextToVideo, catalog
from kling.catalog import Elsewhere, Model
from kling.endpoint import ENDPOINTS

# model, mode, duration, sound, Units: worked from the price list of September 2026
PRICES = [
    ("kling-v2-5-turbo", "std", "5", "off", "1.5"),
    ("kling-v2-5-turbo", "pro", "5", "off", "2.5"),
    ("kling-v2-6", "std", "5", "off", "1.5"),
    ("kling-v2-6", "pro", "5", "off", "2.5"),
    ("kling-v2-6", "pro", "5", "on", "5"),
    ("kling-v2-6", "pro", "10", "on", "10"),
    ("kling-v3", "std", "5", "off", "3"),
    ("kling-v3", "std", "5", "on", "4.5"),
    ("kling-v3", "pro", "5", "off", "4"),
    ("kling-v3", "pro", "15", "on", "18"),
    ("kling-v3", "4k", "15", "off", "45"),
    ("kling-v3", "4k", "15", "on", "45"),
    ("kling-3.0-turbo", "std", "5", "on", "4"),
    ("kling-3.0-turbo", "pro", "15", "off", "15"),
    ("kling-v1", "std", "5", "off", "1"),
    ("kling-v1", "pro", "10", "off", "7"),
    ("kling-v1-6", "std", "10", "off", "4"),
    ("kling-v1-6", "pro", "5", "off", "3.5"),
    ("kling-v2-master", None, "5", "off", "10"),
    ("kling-v2-1-master", None, "10", "off", "20"),
]


@pytest.mark.parametrize(("model", "mode", "duration", "sound", "units"), PRICES)
def test_a_clip_costs_what_the_price_list_says(model, mode, duration, sound, units):
    request = TextToVideo(prompt="x", model_name=model, mode=mode, duration=duration, sound=sound)
    assert request.problems(retired_ok=True) == ()
    assert request.units() == Decimal(units)


@pytest.mark.parametrize(
    "change",
    [
        {"model_name": "kling-v9"},
        {"mode": "8k"},
        {"duration": "7"},
        {"duration": "٥"},
        {"duration": "9" * 5000},
        {"sound": "on"},
    ],
)
def test_a_price_that_the_catalog_does_not_know_is_none(change):
    assert TextToVideo(prompt="x", **change).units() is None


def test_every_model_of_the_official_page_and_kling_v3_are_known():
    page = {
        "kling-v1",
        "kling-v1-6",
        "kling-v2-master",
        "kling-v2-1-master",
        "kling-v2-5-turbo",
        "kling-v2-6",
    }
    assert set(catalog().models) == page | {"kling-v3", "kling-3.0-turbo"}


def test_the_models_of_before_autumn_2026_are_retired():
    retired = {model.name for model in catalog().models.values() if model.retired}
    assert retired == {"kling-v1", "kling-v1-6", "kling-v2-master", "kling-v2-1-master"}


def test_models_in_service_are_offered_first():
    in_service = [model.retired is None for model in catalog().models.values()]
    assert in_service == sorted(in_service, reverse=True)


def test_the_default_request_names_a_model_in_service():
    assert catalog().models[TextToVideo(prompt="x").model_name].retired is None


@pytest.mark.parametrize(
    ("model", "sides", "fps"),
    [
        ("kling-v1", {"std": 720, "pro": 720}, 30),
        ("kling-v1-6", {"std": 720, "pro": 1080}, 24),
        ("kling-v2-5-turbo", {"std": 720, "pro": 1080}, 24),
        ("kling-v2-6", {"std": 720, "pro": 1080}, 24),
        ("kling-v3", {"std": 720, "pro": 1080, "4k": 2160}, 24),
        ("kling-3.0-turbo", {"std": 720, "pro": 1080}, 24),
        ("kling-v2-master", {"std": 720}, 24),
        ("kling-v2-1-master", {"std": 1080}, 24),
    ],
)
def test_a_mode_has_the_resolution_of_the_capability_map(model, sides, fps):
    known = catalog().models[model]
    assert {name: mode.short_side for name, mode in known.modes.items()} == sides
    assert known.fps == fps


def test_a_model_without_modes_has_one_output():
    master = catalog().models["kling-v2-1-master"]
    assert master.mode_for(None) is master.mode_for("pro") is master.modes["std"]


def test_only_models_with_a_price_for_sound_take_it():
    assert {model.name for model in catalog().models.values() if model.takes_sound} == {
        "kling-v2-6",
        "kling-v3",
        "kling-3.0-turbo",
    }


def test_each_model_takes_what_the_documentation_says_of_it():
    assert {name: set(model.takes) for name, model in catalog().models.items() if model.takes} == {
        "kling-v3": {"cfg_scale", "multi_shot"},
        "kling-3.0-turbo": {"multi_shot"},
        "kling-v1-6": {"cfg_scale"},
        "kling-v1": {"cfg_scale", "camera_control"},
    }


def test_what_some_models_take_is_a_field_of_the_create_call():
    assert catalog().optional <= TextToVideo.FIELDS.keys()


def test_the_limits_are_those_of_the_official_page():
    known = catalog()
    assert (known.prompt_limit, known.shot_limit, known.shot_prompt_limit) == (2500, 6, 512)
    assert known.retention_days == 30
    assert known.unit_usd == Decimal("0.14")


def test_the_catalog_is_as_old_as_its_newest_source():
    text = Path(kling.__file__).with_name("catalog.toml").read_text(encoding="utf-8")
    sources = Path(kling.__file__).with_name("SOURCES.md").read_text(encoding="utf-8")
    _, body = text.split("as_of =", 1)
    known: list[Model | Elsewhere] = [*catalog().models.values(), *catalog().elsewhere.values()]
    cited = {each for item in known for each in re.findall("[SN][0-9]+p?", item.sources)}
    assert all(f"| {source} |" in sources for source in cited)
    days = re.findall("[0-9]{1,2} [A-Z][a-z]+ 20[0-9]{2}", sources)
    read = [datetime.strptime(day, "%d %B %Y").replace(tzinfo=UTC).date() for day in days]
    assert catalog().as_of == max(read)
    assert re.match(r" [0-9-]+ +# the date of the newest of the sources \(S7\)", body)


def test_every_endpoint_says_how_it_answers_and_by_which_source():
    facts = catalog().endpoints
    assert {name: each.api for name, each in facts.items()} == {each.name: each.api for each in ENDPOINTS}
    for each in facts.values():
        assert each.duplicates in {"refused", "not documented"}
        assert each.look_up in {"our id", "not at all"}
        assert re.fullmatch("S[0-9]+p?( S[0-9]+p?)*", each.sources)


def test_only_text_to_video_is_known_to_refuse_a_second_create():
    known = {name for name, each in catalog().endpoints.items() if each.refuses_duplicates}
    assert known == {"text2video", "text-to-video"}


def test_an_endpoint_without_facts_is_trusted_with_nothing():
    facts = replace(ENDPOINTS[0], name="of tomorrow").facts
    assert not facts.refuses_duplicates
    assert not facts.found_by_our_id


def test_every_model_is_asked_through_an_api_that_the_client_speaks():
    spoken = {endpoint.api for endpoint in ENDPOINTS}
    assert {model.api for model in catalog().models.values()} | {catalog().api} == spoken


def test_every_model_that_cannot_be_used_names_one_that_can():
    known = catalog()
    living = {model.name for model in known.models.values() if not model.retired}
    for model in known.models.values():
        assert bool(model.successor) == bool(model.retired), model.name
    assert {model.successor for model in known.models.values() if model.retired} <= living
    assert {each.use for each in known.elsewhere.values()} <= living
    assert set(known.elsewhere).isdisjoint(known.models)
