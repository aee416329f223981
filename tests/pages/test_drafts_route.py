"""The way of typed text to the disk: text only, of a browser's own draft only, and no more than one holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling.studio.service import Studio
from pages._ui.routes import drafts
from pages._ui.routes.cookies import BROWSER_COOKIE
from pages._ui.routes.drafts import MOST_BYTES

THEIRS = "2" * 32


@pytest.fixture
def cookie(studio: Studio) -> str:
    return studio.state.browsers.new()


@pytest.fixture
def mine(studio: Studio, cookie: str) -> str:
    """Id of the browser that asks."""
    return studio.state.browsers.verify(cookie)


@pytest.fixture
def browser(cookie: str) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=drafts.routes()), cookies={BROWSER_COOKIE: cookie}) as client:
        yield client


def test_typed_text_is_kept(studio: Studio, browser: TestClient, mine: str):
    draft = studio.state.drafts.open("", mine)
    assert (
        browser.put(f"/drafts/{draft.id}", json={"prompt": "A fox", "negative_prompt": "rain"}).status_code
        == 204
    )
    kept = studio.state.drafts.load(draft.id)
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
    studio: Studio, browser: TestClient, mine: str, body: bytes, status: int
):
    draft = studio.state.drafts.open("", mine)
    assert browser.put(f"/drafts/{draft.id}", content=body).status_code == status
    assert studio.state.drafts.load(draft.id) is None


def test_nobody_writes_into_anothers_draft(studio: Studio, browser: TestClient):
    theirs = studio.state.drafts.open("", THEIRS)
    studio.state.drafts.save(theirs.id, THEIRS, texts={"prompt": "Theirs"})
    answer = browser.put(f"/drafts/{theirs.id}", json={"prompt": "Mine"})
    assert (answer.status_code, "another browser" in answer.text) == (409, True)
    kept = studio.state.drafts.load(theirs.id)
    assert kept is not None
    assert kept.fields == {"prompt": "Theirs"}


@pytest.mark.parametrize("draft_id", ["x", "..%2f..%2fhistory", "0" * 19])
def test_an_id_that_is_none_writes_nothing(studio: Studio, browser: TestClient, draft_id: str):
    assert browser.put(f"/drafts/{draft_id}", json={"prompt": "Mine"}).status_code in {404, 409}
    assert studio.state.drafts.load(draft_id) is None


@pytest.mark.parametrize("made_up", ["", "2" * 32, f"{'2' * 32}.{'0' * 64}"])
def test_a_browser_with_a_made_up_id_owns_nothing(studio: Studio, made_up: str):
    theirs = studio.state.drafts.open("", THEIRS)
    studio.state.drafts.save(theirs.id, THEIRS, texts={"prompt": "Theirs"})
    with TestClient(Starlette(routes=drafts.routes()), cookies={BROWSER_COOKIE: made_up}) as browser:
        answer = browser.put(f"/drafts/{theirs.id}", json={"prompt": "Mine"})
    assert (answer.status_code, "no cookies" in answer.text) == (409, True)
    kept = studio.state.drafts.load(theirs.id)
    assert kept is not None
    assert kept.fields == {"prompt": "Theirs"}


def test_a_text_of_a_shot_that_the_draft_has_not_is_refused_and_the_others_are_kept(
    studio: Studio, browser: TestClient, mine: str
):
    draft = studio.state.drafts.open("", mine)
    shots = [{"prompt": "", "duration": "5"}]
    studio.state.drafts.save(draft.id, mine, fields={"shots": shots})
    answer = browser.put(f"/drafts/{draft.id}", json={"shot_1": "A fox", "shot_9": "A cat"})
    assert (answer.status_code, "has no shot 9" in answer.text) == (409, True)
    kept = studio.state.drafts.load(draft.id)
    assert kept is not None
    assert kept.fields == {"shots": [{"prompt": "A fox", "duration": "5"}]}


def test_a_text_that_is_too_long_is_refused_in_words(studio: Studio, browser: TestClient, mine: str):
    draft = studio.state.drafts.open("", mine)
    answer = browser.put(f"/drafts/{draft.id}", json={"prompt": "x" * 70_000})
    assert answer.status_code == 413
    assert "too long to be kept" in answer.text


def test_half_a_pair_of_surrogates_is_kept_as_the_replacement_character(
    studio: Studio, browser: TestClient, mine: str
):
    draft = studio.state.drafts.open("", mine)
    assert browser.put(f"/drafts/{draft.id}", content=rb'{"prompt": "half \ud800"}').status_code == 204
    kept = studio.state.drafts.load(draft.id)
    assert kept is not None
    assert kept.fields == {"prompt": "half \ufffd"}


def test_a_database_that_does_not_answer_is_told_and_the_script_tries_again(
    studio: Studio, browser: TestClient, mine: str
):
    draft = studio.state.drafts.open("", mine)
    studio.state.stop()
    answer = browser.put(f"/drafts/{draft.id}", json={"prompt": "A fox"})
    assert (answer.status_code, "stopping" in answer.text) == (503, True)
