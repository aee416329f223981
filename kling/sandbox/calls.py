"""What a request asks of the API: its path, its method, and what its body or its parameters say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kling.sandbox import contract, image_rules
from kling.sandbox.newer import parse_newer
from kling.sandbox.pictures import Pictures
from kling.sandbox.refusals import Refused
from kling.sandbox.rules import parse_request
from kling.sandbox.settings import Settings
from kling.sandbox.task_list import Ids, Window, parse_ids, parse_window

MAX_BODY = 1 << 20
# Of bodies with pictures: the sandbox's limits, for its memory. Two pictures of 10 MB, or one of 50 MB, fit.
_MAX_PICTURE_BODY = {contract.IMAGE_TO_VIDEO: 28 << 20, contract.NEWER_IMAGE: 70 << 20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parts of an HTTP request that the API reads.

    Args:
        method: as sent.
        path: of the URL, decoded.
        query: the parameters of the URL.
        headers: by lower-case name.
        body: the whole body.
        id: a new id for each request; the answer shows it.
        base_url: the address at which the caller reaches the sandbox; the URLs of clips start with it.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    id: str = "request"
    base_url: str = "http://127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a request asks of the API.

    Args:
        name: `create`, `query`, `list` or `costs`.
        endpoint: the path of the endpoint; without the id of a query and the model of the newer generation.
        task_request: with `create`, the request, complete with the documented defaults.
        pictures: with `create`, the bytes of the pictures in the request.
        either_id: with `query` in the older generation, the task_id or external_task_id that is asked for.
        ids: with `query` at /tasks, the ids that are asked for.
        window: with `list` at /tasks, which tasks are asked for.
    """

    name: str
    endpoint: str
    task_request: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    either_id: str = ""
    ids: Ids | None = None
    window: Window | None = None


def is_newer(path: str) -> bool:
    """Return whether a path belongs to the newer generation, which takes API keys only."""
    return f"/{path.strip('/').split('/')[0]}" in {*contract.NEWER, contract.TASKS}


def longest_body(path: str) -> int:
    """Return how many bytes the body of a request to a path may have."""
    endpoint = next((one for one in _MAX_PICTURE_BODY if path.rstrip("/").startswith(one)), "")
    return _MAX_PICTURE_BODY.get(endpoint, MAX_BODY)


def parse_call(request: Request, settings: Settings) -> Call:
    """Return what a request asks of the API.

    Args:
        request: nothing in it is trusted.
        settings: how strict the sandbox is.

    Raises:
        Refused: it is no call of the API, or its body breaks a rule of the contract.
    """
    path, method = request.path.rstrip("/"), request.method
    if path == contract.TASKS:
        return _tasks_call(request, settings)
    family, _, model = path.rpartition("/")
    if family in contract.NEWER and model:
        _require(method, "POST", path)
        _check_type(request, settings)
        newer, pictures = parse_newer(request.body, family, model, strict=settings.strict)
        return Call(name="create", endpoint=family, task_request=newer, pictures=pictures.contents)
    if path == contract.COSTS:
        _require(method, "GET", path)
        return Call(name="costs", endpoint=contract.COSTS)
    endpoint = next((one for one in contract.OLDER if path == one or path.startswith(f"{one}/")), None)
    if endpoint is None:
        raise Refused(1203, f"path: {request.path[:200]} does not exist in this API")
    if path == endpoint and method == "POST":
        _check_type(request, settings)
        pictures = Pictures(image_rules.MOST_MB)
        strict, retired = settings.strict, settings.retired
        older = parse_request(request.body, endpoint, strict=strict, retired=retired, pictures=pictures)
        return Call(name="create", endpoint=endpoint, task_request=older, pictures=pictures.contents)
    _require(method, "GET", path)
    if path == endpoint:
        return Call(name="list", endpoint=endpoint)
    return Call(name="query", endpoint=endpoint, either_id=request.path.removeprefix(f"{endpoint}/"))


def _tasks_call(request: Request, settings: Settings) -> Call:
    if request.method == "GET":
        return Call(name="query", endpoint=contract.TASKS, ids=parse_ids(request.query))
    _require(request.method, "POST", contract.TASKS)
    _check_type(request, settings)
    window = parse_window(request.body, strict=settings.strict)
    return Call(name="list", endpoint=contract.TASKS, window=window)


def _require(method: str, wanted: str, path: str) -> None:
    if method != wanted:
        raise Refused(1202, f"method: {method[:20]} is not allowed at {path[:200]}")


def _check_type(request: Request, settings: Settings) -> None:
    typed = request.headers.get("content-type", "").startswith("application/json")
    if settings.strict and not typed:
        raise Refused(1200, "Content-Type: must be application/json")
