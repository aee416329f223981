"""Links to a job that older versions gave lead to its page, and the list keeps its own addresses."""

from __future__ import annotations

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages._ui.routes import old_links


@pytest.mark.parametrize("base", ["", "studio"])
@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/history?task=v1", "/job?id=v1"),
        ("/history/?task=v1&batch=b1&page=2", "/job?id=v1&batch=b1&page=2"),
        ("/history?task=%2F%2Fevil.example&x=1", "/job?id=%2F%2Fevil.example"),
        ("/history?task=a%0d%0ab", "/job?id=a%0D%0Ab"),
    ],
)
def test_an_old_link_leads_to_the_page(monkeypatch: pytest.MonkeyPatch, base: str, asked: str, to: str):
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": base}.get)
    path = f"/{base}" if base else ""
    client = TestClient(Starlette(routes=old_links.routes()), follow_redirects=False)
    answer = client.get(f"{path}{asked}")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{path}{to}")


@pytest.mark.parametrize("asked", ["/history", "/history?q=fox", "/history?task=", "/gallery?task=v1"])
def test_what_names_no_job_is_left_to_the_page(asked: str):
    client = TestClient(Starlette(routes=old_links.routes()), follow_redirects=False)
    assert client.get(asked).status_code == 404
