"""How a browser asks the assistant: an answer that streams, and refusals in words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling import KeyPair, Shot, TextToVideo
from kling.studio.assistant.assistant import Assistant
from kling.studio.assistant.client import Patience
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.identity.roles import Action, User
from kling.studio.jobs import FAILED, request_cells
from kling.studio.service import Studio
from pages._ui import current_user
from pages._ui.routes import assistant, gate
from pages._ui.routes.assistant import MOST_BYTES
from tests.pages.gate_tools import Asked, at_once
from tests.studio.assistant import fake_model as fake
from tests.studio.assistant.fake_model import PATIENCE, FakeModel

HERE = "http://localhost:8501"
FOX = {
    "instruction": "improve",
    "text": "A fox",
    "model": "kling-v2-6",
    "duration": "5",
    "aspect_ratio": "16:9",
}
TWO = [{"prompt": "A fox wakes", "duration": "3"}, {"prompt": "It runs", "duration": "2"}]


@pytest.fixture
def model(studio: Studio) -> Iterator[FakeModel]:
    with fake.fake_model(fake.streams("A red", " fox.")) as found:
        settings = AssistantSettings(url=found.url, model="m", hourly=3)
        studio.assistant = Assistant(settings, patience=Patience(total=PATIENCE))
        yield found


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    app = Starlette(routes=assistant.routes(), middleware=gate.middleware(studio.settings))
    with TestClient(app, base_url=HERE, headers={"Origin": HERE}) as client:
        yield client


def events(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]


def test_an_answer_streams_and_ends_with_the_difference(browser: TestClient, model: FakeModel):
    answer = browser.post("/assistant", json=FOX)
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-accel-buffering"] == "no"
    *words, done = events(answer)
    assert [event["text"] for event in words] == ["A red", " fox."]
    assert (done["kind"], done["text"], done["notes"]) == ("done", "A red fox.", [])
    assert done["pieces"] == [["same", "A "], ["added", "red "], ["same", "fox"], ["added", "."]]
    assert done["summary"] == "2 words new, 0 words gone."
    assert model.asked[0].text == "A fox"


@pytest.mark.parametrize(
    ("model_name", "with_picture", "keys", "limit"),
    [
        ("kling-v3", False, None, 3072),
        ("kling-v3", True, None, 3072),
        ("kling-v3", False, KeyPair("an access key", "a secret key"), 2500),
        ("kling-3.0-turbo", False, None, 3072),
        ("kling-3.0-turbo", True, None, 2500),
        ("kling-v2-6", False, None, 2500),
        ("one that nobody knows", False, None, 2500),
    ],
)
def test_an_answer_may_have_as_many_characters_as_the_form_counts_for_the_model(  # noqa: PLR0917 - a row
    studio: Studio,
    browser: TestClient,
    model: FakeModel,
    model_name: str,
    with_picture: bool,
    keys: KeyPair | None,
    limit: int,
):
    studio.settings = replace(studio.settings, credentials=keys)
    model.behave = fake.streams("fox " * 1000)
    asked = {**FOX, "model": model_name, "picture": with_picture}
    done = events(browser.post("/assistant", json=asked))[-1]
    assert limit - 4 <= len(done["text"]) <= limit
    assert f"{limit:,} characters at most" in model.asked[0].body["messages"][0]["content"]


def test_alternatives_come_each_by_itself(browser: TestClient, model: FakeModel):
    model.behave = fake.streams("1. A red fox\n2. A {grey} fox")
    done = events(browser.post("/assistant", json={**FOX, "instruction": "vary"}))[-1]
    assert done["alternatives"] == ["A red fox", "A {grey} fox"]
    assert done["text"] == r"{A red fox|A \{grey\} fox}"
    assert done["pieces"] == []


def test_a_storyboard_comes_as_shots(browser: TestClient, model: FakeModel):
    model.behave = fake.streams("shot 1, 3, A fox wakes; shot 2, 2, It runs;")
    done = events(browser.post("/assistant", json={**FOX, "instruction": "storyboard"}))[-1]
    assert (done["shots"], done["model"]) == (TWO, "kling-v3")


def test_shots_are_changed_as_shots(browser: TestClient, model: FakeModel):
    model.behave = fake.streams("shot 1, 3, A red fox wakes; shot 2, 2, It runs;")
    done = events(browser.post("/assistant", json={**FOX, "shots": TWO, "model": "kling-v3"}))[-1]
    assert done["shots"][0] == {"prompt": "A red fox wakes", "duration": "3"}
    assert done["summary"] == "1 word new, 0 words gone."


def test_a_failure_is_said_in_the_stream(browser: TestClient, model: FakeModel):
    model.behave = fake.refuses(401)
    (end,) = events(browser.post("/assistant", json=FOX))
    assert end["kind"] == "failed"
    assert "does not accept" in end["why"]


def test_a_refused_job_is_softened_by_its_id(studio: Studio, browser: TestClient, model: FakeModel):
    request = TextToVideo(prompt="A fox bites", multi_prompt=())
    studio.ledger.append("v7", state=FAILED, account="sandbox", **request_cells(request))
    events(browser.post("/assistant", json={"instruction": "soften", "job": "v7", "text": "not this"}))
    assert model.asked[0].text == "A fox bites"
    assert "content control" in model.asked[0].body["messages"][0]["content"]
    assert "no such job" in browser.post("/assistant", json={"instruction": "soften", "job": "v8"}).text


def test_the_storyboard_of_a_job_is_softened_as_one(studio: Studio, browser: TestClient, model: FakeModel):
    shots = (Shot(prompt="A fox bites", duration="3"), Shot(prompt="It runs", duration="2"))
    request = TextToVideo(
        prompt="", model_name="kling-v3", multi_shot=True, shot_type="customize", multi_prompt=shots
    )
    studio.ledger.append("v7", state=FAILED, account="sandbox", **request_cells(request))
    browser.post("/assistant", json={"instruction": "soften", "job": "v7"})
    assert model.asked[0].text == "shot 1, 3, A fox bites; shot 2, 2, It runs;"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "JSON object"),
        (b"[]", 400, "JSON object"),
        (b"[" * 60_000, 400, "JSON object"),
        (b"\xff", 400, "JSON object"),
        (b'{"instruction": "sing"}', 400, "name an instruction: improve"),
        (b'{"instruction": "improve"}', 400, "no prompt yet"),
        (b'{"instruction": "improve", "text": 7}', 400, "no prompt yet"),
        (b'{"instruction": "improve", "shots": [7, {"prompt": []}]}', 400, "no prompt yet"),
        (
            b'{"instruction": "vary", "shots": [{"prompt": "x", "duration": "3"}]}',
            400,
            "a storyboard already",
        ),
        (json.dumps({"instruction": "improve", "text": "x" * 20_000}).encode(), 400, "too long to be sent"),
        (b'{"text": "' + b"x" * MOST_BYTES + b'"}', 413, "64 kB"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_is_sent(
    browser: TestClient, model: FakeModel, body: bytes, status: int, words: str
):
    answer = browser.post("/assistant", content=body)
    assert answer.status_code == status
    assert words in answer.text
    assert model.asked == []


def test_half_a_character_is_sent_as_a_whole_one(browser: TestClient, model: FakeModel):
    events(browser.post("/assistant", content=b'{"instruction": "improve", "text": "A fox \\ud800"}'))
    assert model.asked[0].text == "A fox \ufffd"


def test_another_site_cannot_ask(browser: TestClient, model: FakeModel):
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert browser.post("/assistant", json=FOX, headers=headers).status_code == 403
    assert model.asked == []


def test_a_viewer_may_not_ask(browser: TestClient, model: FakeModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(current_user, "user_of", lambda _: User("vera", "Vera", "viewer"))
    assert browser.post("/assistant", json=FOX).status_code == 403
    assert model.asked == []


def test_more_than_an_hour_allows_is_refused_in_words(browser: TestClient, model: FakeModel):
    for _ in range(3):
        events(browser.post("/assistant", json=FOX))
    answer = browser.post("/assistant", json=FOX)
    assert answer.status_code == 429
    assert "3 times in the last hour" in answer.text
    assert len(model.asked) == 3


def test_without_an_assistant_the_route_says_so(browser: TestClient):
    answer = browser.post("/assistant", json=FOX)
    assert answer.status_code == 429
    assert "no prompt assistant" in answer.text


def test_the_audit_notes_who_asked_and_never_the_prompt(
    studio: Studio, browser: TestClient, model: FakeModel
):
    events(browser.post("/assistant", json={**FOX, "text": "A secret fox"}))
    (entry,) = studio.state.audit.search(action=Action.ASSIST.value)
    assert (entry.thing, entry.details) == ("improve", {"characters": 12})
    assert "secret" not in "".join(studio.state.audit.export())
    assert model.asked[0].text == "A secret fox"


def test_when_the_browser_goes_away_the_question_ends(studio: Studio, model: FakeModel):
    model.behave = fake.begins_and_waits("A red")

    async def scene() -> Asked:
        app = Starlette(routes=assistant.routes(), middleware=gate.middleware(studio.settings))
        headers = {"Host": "localhost:8501", "Content-Length": str(len(json.dumps(FOX)))}
        asked = Asked(app, "/assistant", headers)
        asked.bring(json.dumps(FOX).encode())
        task = asyncio.create_task(asked.run())
        await asyncio.to_thread(model.came.wait, PATIENCE)
        asked.body.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(task, PATIENCE)
        return asked

    assert at_once(scene).status == 200
    assert model.left.wait(PATIENCE)
