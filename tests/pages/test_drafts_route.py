"""The way of typed text to the disk: text only, of a browser's own draft only, and no more than one holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling.studio.drafts import MOST_BYTES
from kling.studio.service import Studio
from pages._ui.routes import drafts
from pages._ui.routes.middleware import BROWSER_COOKIE

MINE, THEIRS = "1" * 32, "2" * 32


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:  # noqa: ARG001 - the route finds the running studio by itself
    with TestClient(Starlette(routes=drafts.routes()), cookies={BROWSER_COOKIE: MINE}) as client:
        yield client


def test_typed_text_is_kept(studio: Studio, browser: TestClient):
    draft = studio.drafts.open("", MINE)
    assert (
        browser.put(f"/drafts/{draft.id}", json={"prompt": "A fox", "negative_prompt": "rain"}).status_code
        == 204
    )
    kept = studio.drafts.load(draft.id)
    assert kept is not None
    assert kept.fields == {"prompt": "A fox", "negative_prompt": "rain"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"[" * 100_000, 400),
        (b"\xff", 400),
        (b'{"takes": "4"}', 400),
        (b'{"prompt": 4}', 400),
        (b'{"shot_0": "x"}', 400),
        (b'{"prompt": "' + b"x" * MOST_BYTES + b'"}', 413),
    ],
)
def test_whatever_is_no_text_of_a_draft_is_refused(
    studio: Studio, browser: TestClient, body: bytes, status: int
):
    draft = studio.drafts.open("", MINE)
    assert browser.put(f"/drafts/{draft.id}", content=body).status_code == status
    assert studio.drafts.load(draft.id) is None


def test_nobody_writes_into_anothers_draft(studio: Studio, browser: TestClient):
    theirs = studio.drafts.open("", THEIRS)
    studio.drafts.save(theirs.id, THEIRS, texts={"prompt": "Theirs"})
    assert browser.put(f"/drafts/{theirs.id}", json={"prompt": "Mine"}).status_code == 409
    kept = studio.drafts.load(theirs.id)
    assert kept is not None
    assert kept.fields == {"prompt": "Theirs"}


@pytest.mark.parametrize("draft_id", ["x", "..%2f..%2fhistory", "0" * 19])
def test_an_id_that_is_none_writes_nothing(studio: Studio, browser: TestClient, draft_id: str):
    assert browser.put(f"/drafts/{draft_id}", json={"prompt": "Mine"}).status_code in {404, 409}
    assert not list((studio.settings.data_dir / "drafts").iterdir())
