"""How a browser hands in a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling.studio.identity.roles import LOCAL
from kling.studio.service import Studio
from kling.studio.uploads import FOLDER, MOST_BYTES, MOST_OF_ONE
from pages._ui.routes import gate, uploads

HERE = "http://localhost:8501"


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    app = Starlette(routes=uploads.routes(), middleware=gate.middleware(studio.settings))
    with TestClient(app, base_url=HERE) as client:
        yield client


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (640, 360), "red").save(file, "PNG")
    return file.getvalue()


def test_a_picture_is_taken_and_kept_for_its_sender(studio: Studio, browser: TestClient):
    answer = browser.put("/uploads", content=picture(), headers={"Content-Type": "text/html", "Origin": HERE})
    assert answer.status_code == 201
    said = answer.json()
    assert (said["type"], said["width"], said["height"]) == ("image/png", 640, 360)
    kept = studio.uploads.find(said["id"], LOCAL)
    assert kept is not None
    assert kept.path.read_bytes() == picture()
    assert studio.uploads.find(said["id"], "somebody else") is None


def test_what_is_no_picture_is_refused_in_words(studio: Studio, browser: TestClient):
    answer = browser.put("/uploads", content=b"<script>", headers={"Content-Type": "image/png"})
    assert answer.status_code == 415
    assert "PNG, JPEG or WebP" in answer.text
    assert list((studio.settings.data_dir / FOLDER).iterdir()) == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_refused(studio: Studio, browser: TestClient, announced: bool):
    parts = (bytes(2**20) for _ in range(MOST_BYTES // 2**20 + 1))
    answer = browser.put("/uploads", content=b"".join(parts) if announced else parts)
    assert answer.status_code == 413
    assert not announced or not (studio.settings.data_dir / FOLDER).exists()


def test_too_many_files_are_refused_in_words(browser: TestClient, studio: Studio):
    with ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(studio.uploads.begin(LOCAL))
        answer = browser.put("/uploads", content=picture())
    assert answer.status_code == 429
    assert "wait a while" in answer.text


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_hand_in_a_file(browser: TestClient, headers: dict[str, str]):
    assert browser.put("/uploads", content=picture(), headers=headers).status_code == 403
