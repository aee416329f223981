"""A studio that others could reach does not start without a way to tell who they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Server
from tests.e2e.test_first_video import start_until_it_ends


def test_without_a_way_in_it_says_which_settings_make_the_set_up_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STREAMLIT_BROWSER_SERVER_ADDRESS", "studio.corp")
    result = start_until_it_ends(Server(tmp_path / "data"))
    assert result.returncode == 1
    assert "The studio does not start. Others can reach it (at studio.corp)" in result.stderr
    assert "STUDIO_USER_HEADER" in result.stderr
    assert "STUDIO_PROXY_SECRET" in result.stderr
    assert "Traceback" not in result.stderr
