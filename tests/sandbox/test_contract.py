"""The contract: whole, tested rule by rule, and in agreement with the client's catalog."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kling.sandbox import contract
from kling.sandbox.clips import frame_size

ROOT = Path(__file__).parents[2]
SANDBOX = ROOT / "kling" / "sandbox"
CREATE = Path(__file__).with_name("test_create.py")


@pytest.mark.parametrize("name", contract.OPENAPI["components"]["schemas"])
def test_every_schema_is_one(name):
    validator = contract.validator(name)
    validator.check_schema(contract.OPENAPI["components"]["schemas"][name])
    list(contract.problems(name, {}))


def test_the_codes_of_the_openapi_document_are_those_of_the_error_table():
    for code in (*contract.ERRORS, 9999):
        answer = {"code": code, "message": "words", "request_id": "1"}
        for schema, body in (("ErrorAnswer", answer), ("Plan", {"code": code})):
            assert (list(contract.problems(schema, body)) == []) == (code in contract.ERRORS), schema


def test_every_reference_of_the_openapi_document_leads_somewhere():
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(contract.OPENAPI)):
        place = contract.OPENAPI
        for step in reference.split("/"):
            place = place[step]
    assert contract.OPENAPI["openapi"].startswith("3.1.")


def test_rules_are_marked_and_have_a_source():
    for rule in contract.RULES.values():
        assert rule.status in contract.STATUSES
        assert rule.source
        assert rule.code in contract.ERRORS


def test_a_test_stands_for_every_rule():
    marked = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.parity":
                marked |= {word.value for word in call.args if isinstance(word, ast.Constant)}
    marked |= {rule for rule in contract.RULES if f'    ("{rule}", ' in CREATE.read_text(encoding="utf-8")}
    assert marked == set(contract.RULES)


@pytest.mark.parity("drawn-here")
def test_readme_tells_the_differences():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in contract.chapter().splitlines():
        assert line in text, "README is behind: python -m kling.sandbox.contract prints the chapter"


def test_the_models_are_those_of_the_clients_catalog():
    catalog = tomllib.loads((ROOT / "kling" / "catalog.toml").read_text(encoding="utf-8"))
    theirs = {model["name"]: model for model in catalog["models"]}
    assert set(theirs) == {*contract.MODELS, *(set(contract.NEWER_MODELS) - set(OLDER_NAMES))}
    for name, ours in contract.MODELS.items():
        their = theirs[name]
        assert ours["durations"] == their["durations"], name
        assert ours["fps"] == their["fps"], name
        assert ours.get("camera_control") == their.get("camera_control"), name
        assert ours.get("ignores_mode", False) == (not their.get("takes_mode", True)), name
        assert ours.get("retired") == (str(their["retired"]) if "retired" in their else None), name
        assert sorted(ours.get("takes", ())) == sorted(their.get("takes", ())), name
        modes = {
            mode: {"short_side": facts["short_side"], "units_per_second": prices(facts)}
            for mode, facts in their["modes"].items()
        }
        assert ours["modes"] == modes, name


OLDER_NAMES = {
    name: facts["older_name"] for name, facts in contract.NEWER_MODELS.items() if "older_name" in facts
}
RESOLUTIONS = {"std": "720p", "pro": "1080p", "4k": "4k"}


@pytest.mark.parametrize("name", contract.NEWER_MODELS)
def test_the_newer_models_are_those_of_the_clients_catalog(name):
    catalog = tomllib.loads((ROOT / "kling" / "catalog.toml").read_text(encoding="utf-8"))
    their = next(model for model in catalog["models"] if model["name"] == OLDER_NAMES.get(name, name))
    ours, newer = contract.NEWER_MODELS[name], their["newer"]
    assert newer["name"] == name
    assert (newer["prompt_limit"], newer["image_prompt_limit"]) == (ours["prompt"], ours["image_prompt"])
    assert newer.get("audio", False) == (ours["sound"] == "native")
    assert newer.get("multi_shot", False) == ours.get("multi_shot", False)
    assert their.get("always_sound", False) == (ours["sound"] == "always")
    assert (their["durations"], their["fps"]) == (ours["durations"], ours["fps"])
    for mode, facts in their["modes"].items():
        known = prices(facts)
        if ours["sound"] == "always":
            known.pop("off")  # there is no clip without sound
        assert ours["modes"][RESOLUTIONS[mode]] == {
            "short_side": facts["short_side"],
            "units_per_second": known,
        }
    last_frame = their["image"]["last_frame"]
    assert [RESOLUTIONS[mode] for mode in last_frame] == ours.get("last_frame", [])
    if name in OLDER_NAMES:
        assert contract.IMAGE_MODELS[OLDER_NAMES[name]]["tail"] == last_frame
        silent = not their["image"].get("last_frame_sound", True)
        assert silent == (ours.get("silent_tail", False) or ours["sound"] == "none")


def test_the_price_and_the_limits_of_sound_are_those_of_the_clients_catalog():
    catalog = tomllib.loads((ROOT / "kling" / "catalog.toml").read_text(encoding="utf-8"))
    ours = contract.ALL_MODELS[contract.AUDIO_MODEL]
    assert (ours["units"], ours["seconds"]) == (catalog["audio_units"], catalog["audio_seconds"])
    fields = contract.OPENAPI["components"]["schemas"]["CreateAudioTask"]["properties"]
    assert fields["bgm_prompt"]["maxLength"] == catalog["audio_prompt_limit"]


def prices(facts: Mapping[str, Any]) -> dict[str, Any]:
    known = {"off": facts["units_per_second"], "on": facts.get("units_per_second_with_sound")}
    return {sound: price for sound, price in known.items() if price is not None}


@pytest.mark.parametrize(
    ("ratio", "short", "size"),
    [
        ("16:9", 720, (1280, 720)),
        ("9:16", 720, (720, 1280)),
        ("1:1", 720, (720, 720)),
        ("16:9", 1080, (1920, 1080)),
        ("9:16", 1080, (1080, 1920)),
        ("16:9", 2160, (3840, 2160)),
        ("1:1", 2160, (2160, 2160)),
        ("16:9", 72, (128, 72)),
    ],
)
def test_frames_have_their_size(ratio, short, size):
    assert frame_size(ratio, short) == size


def test_the_sandbox_starts_without_what_only_drawing_needs():
    heavy = "{'av', 'numpy', 'PIL', 'streamlit', 'pandas'} & set(sys.modules)"
    program = [sys.executable, "-c", f"import sys, kling.sandbox.__main__; print({heavy} or 'none')"]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "none"


def test_the_sandbox_never_imports_the_client():
    allowed = {"kling.sandbox"}
    for path in SANDBOX.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [str(node.module)]
            for name in names:
                root = ".".join(name.split(".")[:2])
                assert root in allowed or not name.startswith("kling"), f"{path}: {name}"
                assert name.split(".")[0] not in {"streamlit", "pandas"}, f"{path}: {name}"
