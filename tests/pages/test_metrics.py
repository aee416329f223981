"""`/healthz`, `/metrics`, and the id of each request, behind the gate."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from kling import TextToVideo
from kling.studio.orders import Press
from kling.studio.running_settings import RunningSettings
from kling.studio.service import Studio
from pages._ui import context
from pages._ui.routes import gate, healthz, metrics, request_ids
from pages._ui.routes.request_ids import Counts, RequestIds
from tests.pages.gate_tools import LOCAL, PLACES, Team
from tests.studio.fakes import order_one

TOKEN = "a-token-for-programs"
PRESS = Press(person="ada lovelace", session="s")


@pytest.fixture
def studio(studio: Studio) -> Studio:
    studio.settings = replace(studio.settings, running=RunningSettings(metrics_token=TOKEN))
    return studio


def team_of(studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Any = PLACES[0], **more: Any) -> Team:
    for module in (healthz, metrics):
        monkeypatch.setattr(module, "base_path", lambda: place.base)
    team = Team(studio, place, monkeypatch, **more)
    team.app = Starlette(
        routes=[*healthz.routes(), *metrics.routes()],
        middleware=[Middleware(RequestIds), *gate.middleware(studio.settings)],
    )
    return team


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Team:
    return team_of(studio, monkeypatch)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def figures(client: TestClient, path: str = "/metrics", **headers: str) -> dict[str, float]:
    answer = client.get(path, headers=headers or bearer(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


# -- /healthz ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_anybody_may_ask_whether_it_works_and_hears_one_word(studio, monkeypatch, place):
    team = team_of(studio, monkeypatch, place)
    answer = team.client().get(f"{place.base}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok")


def test_a_part_that_fails_is_named_by_one_word(studio, team, monkeypatch):
    monkeypatch.setattr(studio.health, "word", lambda: "log")
    answer = team.client().get("/healthz")
    assert (answer.status_code, answer.text) == (503, "log")
    assert answer.headers["cache-control"] == "no-store"


def test_a_studio_that_stops_is_not_healthy(team):
    context.install(None)
    assert team.client().get("/healthz").status_code == 503


# -- /metrics ----------------------------------------------------------------------------------------------


def test_a_program_with_the_token_and_an_admin_may_read_the_figures(team):
    assert figures(team.client())
    assert team.client("admin").get("/metrics").status_code == 200


@pytest.mark.parametrize("role", [None, "none", "viewer", "maker"])
def test_nobody_else_may(team, role):
    answer = team.client(role).get("/metrics")
    assert answer.status_code in {401, 403}
    assert "studio_" not in answer.text


@pytest.mark.parametrize(
    "sent",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"],
)
def test_another_token_is_refused(team, sent):
    assert team.client().get("/metrics", headers={"Authorization": sent}).status_code == 401


def test_an_empty_token_lets_nobody_in(studio, monkeypatch):
    studio.settings = replace(studio.settings, running=RunningSettings())
    team = team_of(studio, monkeypatch)
    assert team.client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_whoever_uses_this_machine_may_where_nobody_else_can_come(studio, monkeypatch):
    team = team_of(studio, monkeypatch, LOCAL, people=False)
    assert team.client().get("/metrics").status_code == 200


def test_the_figures_lie_below_the_base_path(studio, monkeypatch):
    team = team_of(studio, monkeypatch, PLACES[1])
    assert figures(team.client(), "/studio/metrics")


def test_jobs_are_counted_by_account_model_and_state(studio, team):
    order_one(studio, TextToVideo(prompt="A fox", model_name="kling-v3"), PRESS)
    order_one(studio, TextToVideo(prompt="An owl", model_name="kling-v3"), PRESS)
    found = figures(team.client())
    jobs = {name: count for name, count in found.items() if name.startswith("studio_jobs{")}
    assert sum(jobs.values()) == 2
    assert all('account="sandbox",model="kling-v3"' in name for name in jobs)


def test_no_label_is_a_prompt_a_person_an_id_or_what_somebody_typed_as_a_model(studio, team):
    job = order_one(studio, TextToVideo(prompt="a red herring", model_name="my-own-model"), PRESS)
    text = team.client().get("/metrics", headers=bearer(TOKEN)).text
    for word in ("herring", "lovelace", job.id, "my-own-model", TOKEN, "The admin"):
        assert word not in text
    assert 'model="other"' in text
    assert set(re.findall(r'(\w+)="', text)) <= {
        "account",
        "kind",
        "model",
        "part",
        "period",
        "state",
        "status",
        "unit",
    }


def test_it_says_how_the_studio_and_its_machine_are(studio, team):
    order_one(studio, TextToVideo(prompt="A fox", model_name="kling-v2-6"), PRESS)
    found = figures(team.client())
    assert found["studio_poller_last_turn_age_seconds"] >= 0
    assert found['studio_part_works{part="database"}'] == 1
    assert found["studio_disk_free_bytes"] > 0
    assert found["studio_sessions"] == 4
    assert found["process_resident_memory_bytes"] > 0
    assert found['studio_spent{account="sandbox",kind="reserved",period="day",unit="units"}'] > 0


def test_it_writes_the_text_that_prometheus_reads(team):
    from prometheus_client.parser import text_string_to_metric_families

    text = team.client("admin").get("/metrics").text
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"studio_jobs", "studio_spent", "studio_sockets", "studio_requests"} <= names


# -- ids of requests ---------------------------------------------------------------------------------------


def test_each_answer_has_an_id_of_its_own_also_a_refusal(team):
    client = team.client()
    ids = [
        client.get(path, headers={"X-Request-Id": "mine"}).headers["x-request-id"]
        for path in ("/healthz", "/nowhere")
    ]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)


def test_a_line_is_written_for_what_is_refused_and_has_no_query(team, caplog):
    with caplog.at_level(logging.INFO, "pages._ui.routes.request_ids"):
        team.client().get("/healthz")
        team.client().get("/clips/1.mp4?a-secret=1")
    (record,) = caplog.records
    assert record.getMessage() == "GET /clips/1.mp4"
    assert record.facts["status"] == 401


def test_open_sockets_are_counted_until_they_close():
    counts, seen = Counts(), []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(counts.sockets)
        raise RuntimeError

    async def run() -> None:
        with pytest.raises(RuntimeError):
            await RequestIds(app, counts)({"type": "websocket"}, None, None)  # type: ignore[arg-type]

    asyncio.run(run())
    assert (seen, counts.sockets) == ([1], 0)


def test_a_server_counts_what_it_answered(team):
    before = request_ids.COUNTS.requests["2xx"]
    team.client().get("/healthz")
    assert request_ids.COUNTS.requests["2xx"] == before + 1
