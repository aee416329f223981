"""What the documentation says about the API, as data: schemas, models, rules and error codes.

It was written from the documentation, and only the sandbox reads it. The client has its own data: a mistake
in reading the documentation therefore shows up as a difference between the two.
`python -m kling.sandbox.contract` prints how the sandbox differs from Kling, for README.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

_HERE = Path(__file__).parent


def _load(name: str) -> Any:
    return json.loads((_HERE / name).read_text(encoding="utf-8"))


ERRORS: Mapping[int, Mapping[str, Any]] = {
    int(code): error for code, error in _load("errors.json")["errors"].items()
}


def _merged(*names: str) -> dict[str, Any]:
    """Return one OpenAPI document: that of the first file, with the parts of the others and the codes."""
    whole, *others = map(_load, names)
    whole["components"]["schemas"]["ErrorCode"] = {"enum": list(ERRORS)}
    for other in others:
        whole["paths"] |= other["paths"]
        for kind, parts in other["components"].items():
            whole["components"][kind] |= parts
    return dict(whole)


OPENAPI: Mapping[str, Any] = _merged("openapi.json", "openapi-older.json", "openapi-newer.json")
_FACTS = _load("models.json")
MODELS: Mapping[str, Mapping[str, Any]] = _FACTS["models"]  # of text2video
IMAGE_MODELS: Mapping[str, Mapping[str, Any]] = _FACTS["image2video"]  # what more they take there
# Models of the newer generation, by their name in the path.
NEWER_MODELS: Mapping[str, Mapping[str, Any]] = _FACTS["newer"]
AUDIO_MODEL = "video-to-audio"  # the endpoint has no models; this stands where a task has its model
# Every model, by the name that a task has.
ALL_MODELS: Mapping[str, Mapping[str, Any]] = {**MODELS, **NEWER_MODELS, **_FACTS["video_to_audio"]}
SOURCES: str = _FACTS["sources"]
STATUSES: Mapping[str, str] = _load("rules.json")["statuses"]


TEXT_TO_VIDEO = "/v1/videos/text2video"
IMAGE_TO_VIDEO = "/v1/videos/image2video"
VIDEO_TO_AUDIO = "/v1/audio/video-to-audio"
OLDER = (TEXT_TO_VIDEO, IMAGE_TO_VIDEO, VIDEO_TO_AUDIO)  # endpoints that answer POST, a list, and /{id}
NEWER_TEXT = "/text-to-video"
NEWER_IMAGE = "/image-to-video"
NEWER = (NEWER_TEXT, NEWER_IMAGE)  # followed by the name of a model; POST only
TASKS = "/tasks"
COSTS = "/account/costs"


def _create_schemas() -> Iterator[tuple[str, str]]:
    for path, calls in OPENAPI["paths"].items():
        if calls.get("post", {}).get("operationId", "").startswith("create"):
            body = calls["post"]["requestBody"]["content"]["application/json"]["schema"]
            yield path.removesuffix("/{model}"), body["$ref"].rsplit("/", 1)[1]


# For each endpoint that makes something: its path, and the name of the schema of its create call.
CREATE_SCHEMAS: Mapping[str, str] = dict(_create_schemas())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of the API, and how certain it is.

    Args:
        id: its name; a test names it in the marker `parity`.
        rule: the rule as a sentence.
        status: `documented`, `observed` or `assumed`; `STATUSES` explains them.
        source: where the rule comes from; kling/SOURCES.md explains the tags.
        fields: the fields of the request that it is about.
        code: the error code that answers a request that breaks the rule.
        message: the message of that answer, with `{...}` for values.
    """

    id: str
    rule: str
    status: str
    source: str
    fields: tuple[str, ...] = ()
    code: int = 1201
    message: str = ""


RULES: Mapping[str, Rule] = {
    rule["id"]: Rule(**rule | {"fields": tuple(rule["fields"])})
    for name in ("rules.json", "rules-older.json", "rules-newer.json")
    for rule in _load(name)["rules"]
}


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return the validator of one of the contract's schemas, such as `CreateTask` or `TaskAnswer`."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{schema}", "components": OPENAPI["components"]}
    )


def problems(schema: str, instance: Any) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong with an instance; it starts with the field's name.

    Args:
        schema: the name of one of the contract's schemas.
        instance: the value that is checked; it may come from outside.
    """
    for error in validator(schema).iter_errors(instance):
        yield _sentence(error)


def _sentence(error: ValidationError) -> str:
    field = ".".join(str(part) for part in error.absolute_path) or "body"
    limits = error.schema if isinstance(error.schema, Mapping) else {}
    match error.validator:
        case "maxLength":
            # These are the words of the real API, as observed.
            return f"{field} size must be between 0 and {error.validator_value}"
        case "minimum" | "maximum":
            return f"{field}: must be between {limits['minimum']} and {limits['maximum']}"
        case "minItems" | "maxItems":
            return f"{field}: must have {limits['minItems']} to {limits['maxItems']} items"
        case "enum":
            return f"{field}: must be one of {', '.join(map(str, error.validator_value))}"
        case "type":
            return f"{field}: must be of type {error.validator_value}"
        case _:
            return f"{field}: {error.message[:200]}"


def chapter() -> str:
    """Return README's chapter "How the sandbox differs from Kling", in Markdown, made from the rules."""
    unsure = [rule for rule in RULES.values() if rule.status != "documented" or "assumed" in rule.source]
    marks = ("assumed", "observed", "documented")
    rows: dict[tuple[str, str], list[str]] = {}
    for rule in sorted(unsure, key=lambda rule: marks.index(rule.status)):
        rows.setdefault((rule.status, rule.source), []).append(rule.rule)
    return "\n".join(
        [
            "## How the sandbox differs from Kling",
            "",
            "The sandbox was written from the documentation; nobody called the live API for it. A test is",
            "behind each of its rules. These are not fully documented; Kling may differ.",
            "",
            f"Marks: {'. '.join(f'*{mark}*: {STATUSES[mark]}' for mark in marks)}. Sources: {SOURCES}.",
            "",
            "| What the sandbox does | Mark | Where it is said |",
            "|---|---|---|",
            *(f"| {'<br>'.join(rules)} | {status} | {source} |" for (status, source), rules in rows.items()),
            "",
        ]
    )
