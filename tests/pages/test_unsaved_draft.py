"""What the server cannot keep of a draft is said on the page, and breaks nothing there."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.prompting.draft import Draft
from kling.studio.service import Studio
from tests.pages.conftest import ROOT, press_generate, texts
from tests.pages.test_composer import pick, state

DRAFT = "0" * 20


def stored(studio: Studio, fields: str, owner: str = "another browser") -> str:
    """Put a draft into the database, whatever its fields are."""
    studio.state.drafts.save(DRAFT, owner, fields={"prompt": "A fox"})
    with closing(sqlite3.connect(studio.settings.data_dir / "studio.sqlite3")) as connection, connection:
        connection.execute("UPDATE drafts SET fields = ?", (fields,))
    return DRAFT


def opened(draft_id: str = "") -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    if draft_id:
        app.query_params["draft"] = draft_id
    return app.run()


def kept(studio: Studio, app: AppTest) -> dict[str, Any]:
    draft = studio.state.drafts.load(app.session_state.composer.draft_id)
    assert draft is not None
    return dict(draft.fields)


def test_a_change_that_is_refused_is_said_and_kept_with_the_next_one(studio: Studio, app: AppTest):
    pick(app, "prompt", "A fox")
    long = "x" * 70_000
    pick(app, "prompt", long)
    assert "too long to be kept on the server" in texts(app)
    assert "Shorten its texts" in texts(app)
    pick(app, "model", "kling-v3")
    assert kept(studio, app)["prompt"] == "A fox"
    assert state(app, "prompt", "model") == (long, "kling-v3")
    pick(app, "prompt", "A short fox")
    assert "too long to be kept" not in texts(app)
    found = kept(studio, app)
    assert (found["prompt"], found["model"]) == ("A short fox", "kling-v3")


@pytest.mark.usefixtures("studio")
def test_an_order_goes_while_its_draft_cannot_be_kept(studio: Studio, app: AppTest):
    pick(app, "prompt", "A fox")
    studio.state.stop()
    press_generate(app)
    assert not app.exception
    assert [job["prompt"] for job in studio.ledger.jobs()] == ["A fox"]
    assert "The studio is stopping" in texts(app)


def test_a_draft_that_cannot_be_read_is_left_as_it_is_and_the_page_says_so(studio: Studio):
    draft_id = stored(studio, "{")
    app = opened(draft_id)
    assert "This draft could not be read" in texts(app)
    pick(app, "prompt", "Typed meanwhile")
    press_generate(app)
    assert [job["prompt"] for job in studio.ledger.jobs()] == ["Typed meanwhile"]
    assert state(app, "prompt") == ("Typed meanwhile",)
    assert "This draft could not be read" in texts(app)
    with closing(sqlite3.connect(studio.settings.data_dir / "studio.sqlite3")) as connection:
        assert connection.execute("SELECT id, fields FROM drafts").fetchall() == [(draft_id, "{")]


def test_without_a_database_the_form_and_the_team_s_shelf_say_so_and_work(studio: Studio):
    studio.state.stop()
    app = opened()
    assert not app.exception
    assert "What you change is not kept yet" in texts(app)
    pick(app, "prompt", "A fox")
    assert state(app, "prompt") == ("A fox",)


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("n\0l", "n\ufffdl"),
        ("x" * 100_001, "x" * 99_999 + "…"),
    ],
)
def test_any_stored_text_is_drawn_and_never_emptied(studio: Studio, prompt: str, shown: str):
    fields = Draft(prompt=prompt, negative_prompt=prompt).to_json()
    app = opened(stored(studio, json.dumps(fields)))
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    assert state(app, "prompt", "negative_prompt") == (shown, shown)


def test_where_no_cookies_are_kept_each_visit_has_its_own_drafts_and_a_link_opens_a_copy(studio: Studio):
    first = opened()
    pick(first, "prompt", "A fox")
    second = opened(first.session_state.composer.draft_id)
    assert state(second, "prompt") == ("A fox",)
    pick(second, "prompt", "Changed")
    assert kept(studio, first)["prompt"] == "A fox"
    assert kept(studio, second)["prompt"] == "Changed"
