"""Reads the JSON body of a call, and says which of its keys nobody documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kling.sandbox import contract
from kling.sandbox.refusals import Refused


def json_object(body: bytes) -> dict[str, Any]:
    """Return the object in a body; a key whose value is null is left out.

    Args:
        body: nothing in it is trusted.

    Raises:
        Refused: 1200: it is no JSON object in UTF-8.
    """

    def not_a_number(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        parsed = _without_nulls(json.loads(body.decode("utf-8"), parse_constant=not_a_number))
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # fails for half a surrogate pair
    except (ValueError, RecursionError) as error:
        raise Refused(1200, "body: is not valid JSON in UTF-8") from error
    if not isinstance(parsed, dict):
        raise Refused(1200, "body: must be a JSON object")
    return parsed


def unknown_keys(body: Mapping[str, Any], schema: str) -> Iterator[str]:
    """Yield the keys of a body, and of its objects, that a schema of the contract does not have."""
    yield from _unknown(body, contract.OPENAPI["components"]["schemas"][schema], "")


def _unknown(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = contract.OPENAPI["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, dict) and "properties" in schema:
        for key, inner in value.items():
            if key in schema["properties"]:
                yield from _unknown(inner, schema["properties"][key], f"{path}{key}.")
            elif (path, key) != ("", "model"):  # the old name of model_name, which is ignored (S1)
                yield f"{path}{key}"
    elif isinstance(value, list) and "items" in schema:
        for number, inner in enumerate(value):
            yield from _unknown(inner, schema["items"], f"{path.removesuffix('.')}[{number}].")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
