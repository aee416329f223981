"""What lies below the paths that are open without a session, and is no page of ours."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages._ui.routes import nothing_there
from pages._ui.routes.paths import DOORS


@pytest.fixture
def client() -> TestClient:
    def other(_request: object) -> PlainTextResponse:
        return PlainTextResponse("Streamlit")

    behind = Route("/{rest:path}", other, methods=["GET"])
    return TestClient(Starlette(routes=[*nothing_there.routes(), behind]), follow_redirects=False)


def test_streamlit_answers_below_no_path_that_is_open(client):
    open_below = [door.path for door in DOORS if door.needs in {"open", "route"} and door.path.endswith("*")]
    assert {"/share/*", "/public/*", "/sign-in/*"} <= set(open_below)
    for path in open_below:
        for rest in ("nothing", "a/b.js", "%2e%2e/"):
            answer = client.get(path.replace("*", rest))
            assert (answer.status_code, answer.text) == (404, "There is nothing here.")


def test_a_slash_too_many_leads_to_the_sign_in(client):
    answer = client.get("/sign-in/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
