"""A sandbox engine with a clock that only the test moves."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from kling.sandbox import contract
from kling.sandbox.auth import API_KEY
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.engine import Answer, Engine, Request
from kling.sandbox.settings import Settings
from kling.sandbox.store import Store

REQUEST = {"model_name": "kling-v2-6", "prompt": "A fox in the snow"}
SCHEMAS = {
    "create": "CreatedAnswer",
    "query": "TaskAnswer",
    "list": "TaskListAnswer",
    "costs": "AccountCostsAnswer",
}


def pytest_configure(config):
    config.addinivalue_line("markers", "parity(*rules): the rules of the contract that a test is about")


def schema_of(method: str, path: str) -> str:
    """Return the name of the schema of a good answer."""
    if path == contract.TASKS:
        return "NewerTasksAnswer" if method == "GET" else "NewerTaskListAnswer"
    if path.startswith(contract.NEWER):
        return "NewerCreatedAnswer"
    if method == "POST":
        return SCHEMAS["create"]
    audio = "Audio" if path.startswith(contract.VIDEO_TO_AUDIO) else ""
    call = "list" if path in contract.OLDER else "costs" if path == contract.COSTS else "query"
    return audio + SCHEMAS[call]


def picture(width: int = 400, height: int = 300, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture."""
    content = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(content, kind, **options)
    return content.getvalue()


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


class Bench:
    """An engine, its clock, and a caller with the API key. Every answer is checked against the contract."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.now = 1_795_000_000.0
        self.engine = Engine(store, Settings(**settings), self.now)
        self.authorization = f"Bearer {API_KEY}"

    def call(self, method: str, path: str, body: bytes = b"", **query: str) -> Answer:
        headers = {"authorization": self.authorization, "content-type": "application/json"}
        request = Request(method=method, path=path, query=query, headers=headers, body=body)
        return self.checked(self.engine.handle(request, self.now), method, path)

    def checked(self, answer: Answer, method: str = "GET", path: str = TEXT_TO_VIDEO) -> Answer:
        if answer.body["code"]:
            schema = "ErrorAnswer"
            assert answer.status == contract.ERRORS[answer.body["code"]]["http"]
        else:
            schema = schema_of(method, path.rstrip("/"))
            assert answer.status == 200
        assert list(contract.problems(schema, answer.body)) == []
        return answer

    def post(self, body: Any) -> Answer:
        return self.call("POST", TEXT_TO_VIDEO, json.dumps(body).encode())

    def ask(self, path: str, body: Any) -> Answer:
        """POST a body to any endpoint."""
        return self.call("POST", path, json.dumps(body).encode())

    def made(self, path: str, body: Any) -> Any:
        """Create a task at any endpoint, which must take it, and return `data`."""
        answer = self.ask(path, body)
        assert answer.body["code"] == 0, answer.body
        return answer.body["data"]

    def tasks(self, *ids: str, external: bool = False) -> Any:
        """Return what /tasks shows."""
        query: dict[str, Any] = {"external_task_ids" if external else "task_ids": ",".join(ids)}
        answer = self.call("GET", "/tasks", **query)
        assert answer.body["code"] == 0, answer.body
        return answer.body["data"]

    def create(self, **fields: Any) -> Any:
        """Create a task that must be taken, and return `data`."""
        answer = self.post(REQUEST | fields)
        assert answer.body["code"] == 0, answer.body
        return answer.body["data"]

    def refused(self, **fields: Any) -> Any:
        """Create a task that must be refused, and return the answer's body."""
        answer = self.post(REQUEST | fields)
        assert answer.body["code"] != 0, answer.body
        return answer.body

    def task(self, either_id: str) -> Any:
        answer = self.call("GET", f"{TEXT_TO_VIDEO}/{either_id}")
        assert answer.body["code"] == 0, answer.body
        return answer.body["data"]

    def page(self, **query: Any) -> Any:
        return self.call("GET", TEXT_TO_VIDEO, **query).body["data"]

    def costs(self, **query: Any) -> Any:
        return self.call(
            "GET", "/account/costs", **dict[str, Any](start_time="0", end_time="1795000000000") | query
        ).body

    def draw(self) -> None:
        """Draw every clip that is waiting."""
        while task := self.engine.store.undrawn():
            self.engine.store.mark_ready(task.task_id, self.engine.clock(self.now))

    def later(self, seconds: float) -> None:
        self.now += seconds

    def finish(self) -> None:
        """Let every task that has a pace come to its end."""
        self.draw()
        self.later(60)

    def plan(self, **plan: Any) -> None:
        from kling.sandbox.plans import parse_plan

        self.engine.plans.add(parse_plan(plan))

    def change(self, **settings: Any) -> None:
        self.engine.settings = replace(self.engine.settings, **settings)


@pytest.fixture
def store():
    store = Store()
    yield store
    store.close()


@pytest.fixture
def bench(store):
    return Bench(store)
