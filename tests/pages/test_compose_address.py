"""The address `/compose` leads to Compose, which is the first page."""

from __future__ import annotations

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages._ui.routes import compose_address


@pytest.mark.parametrize("base", ["", "studio"])
@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ("/compose", "draft="),
        ("/compose/", "draft="),
        ("/compose?draft=abc", "draft=abc"),
        ("/compose?from=v1&x=%2F%2Fevil.example", "from=v1&x=%2F%2Fevil.example"),
    ],
)
def test_it_leads_to_the_first_page_with_what_it_names(
    monkeypatch: pytest.MonkeyPatch, base: str, asked: str, query: str
):
    monkeypatch.setattr(st, "get_option", {"server.baseUrlPath": base}.get)
    path = f"/{base}" if base else ""
    client = TestClient(Starlette(routes=compose_address.routes()), follow_redirects=False)
    answer = client.get(f"{path}{asked}")
    assert (answer.status_code, answer.headers["location"]) == (307, f"{path}/?{query}")
