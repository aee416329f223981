"""Import on the admin page: a file comes in, its summary is read, and one step takes it in or back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from kling.studio.identity.roles import LOCAL, Role, User
from kling.studio.jobs import OPEN
from kling.studio.library.export import csv_lines, json_lines
from kling.studio.library.imports import MOST_BYTES
from kling.studio.service import Studio
from pages._ui.routes import gate, imports
from tests.pages.conftest import new_tab, texts
from tests.pages.people import sign_in
from tests.pages.test_lists import open_page
from tests.studio.library.test_carry import folded

HERE = "http://localhost:8501"
AT = datetime(2026, 10, 3, 12, tzinfo=UTC).isoformat()


def rows_of(state: str, **cells: str) -> list[dict[str, str]]:
    begun = {"time": AT, "state": "intent", "account": "kling#1", "prompt": "A fox", **cells}
    return [begun, {"time": AT, "state": state}]


def a_file(form: str = "csv", states: tuple[str, ...] = ("failed", "unknown", "waiting")) -> bytes:
    jobs = (folded(rows_of(state, person="Mia *M*"), f"other{n}") for n, state in enumerate(states))
    return b"".join((csv_lines if form == "csv" else json_lines)(jobs))


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    app = Starlette(routes=imports.routes(), middleware=gate.middleware(studio.settings))
    with TestClient(app, base_url=HERE) as client:
        yield client


def send(browser: TestClient, data: bytes, name: str = "old.csv") -> None:
    answer = browser.put("/imports", content=data, headers={"Origin": HERE, "X-File-Name": name})
    assert answer.status_code == 201, answer.text


def section() -> AppTest:
    return open_page(new_tab(), "admin.py", section="import")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_file_is_summed_up_first_then_taken_in_and_taken_back(
    studio: Studio, browser: TestClient, form: str
):
    send(browser, a_file(form), "old%20%2A.csv")
    assert studio.ledger.jobs() == ()
    page = section()
    words = texts(page)
    assert "**old \\*\\.csv** · an export · 3 new jobs, ordered on 03 Oct 2026" in words
    assert "Mia \\*M\\* 3" in words
    assert "2 jobs had not ended where they come from: shown as cancelled here." in words
    page.button(key="admin.import_take").click().run()
    jobs = studio.ledger.jobs()
    assert [job.id for job in jobs] == ["other0", "other1", "other2"]
    assert not any(job.state in OPEN or not job.imported for job in jobs)
    assert not any(button.key == "admin.import_take" for button in page.button)
    (past,) = studio.imports.past()
    page.button(key=f"admin.ask-import-{past.id}").click().run()
    page.button(key=f"admin.yes-import-{past.id}").click().run()
    assert all(job.retracted for job in studio.ledger.jobs())
    assert ", undone" in texts(page)


def test_what_the_log_has_already_and_what_cannot_be_read_is_said(studio: Studio, browser: TestClient):
    studio.ledger.append("other0", state="failed", account="sandbox")
    strange = b'{"external_task_id": "../x", "state": "failed"}\n{"external_task_id": "y", "state": "odd"}\n'
    send(browser, strange + a_file("jsonl"), "a.jsonl")
    words = texts(section())
    assert "1 job is in the log already, and stays as it is." in words
    assert "2 new jobs" in words
    assert "no id that a studio gives" in words


def test_an_import_that_was_broken_off_is_told(studio: Studio):
    mark = '{"imported":{"id":"i1","at":"2026-10-03T12:00:00+00:00","of":30000}}'
    studio.ledger.append("other0", state="failed", extra=mark)
    words = texts(section())
    assert "**1 of 30,000 jobs** · 03 Oct" in words
    assert ": it was broken off. Import the file again, or undo it." in words


def test_a_file_may_be_put_away(studio: Studio, browser: TestClient):
    send(browser, a_file())
    page = section()
    page.button(key="admin.import_away").click().run()
    assert studio.imports.waiting.of(LOCAL) is None
    assert "new jobs" not in texts(page)


def test_a_plan_that_another_file_has_replaced_is_not_taken_in(studio: Studio, browser: TestClient):
    send(browser, a_file())
    page = section()
    send(browser, a_file(states=("failed",)), "new.csv")
    page.button(key="admin.import_take").click().run()
    assert studio.ledger.jobs() == ()
    assert "**new\\.csv**" in texts(page)


def test_what_is_no_such_file_is_refused_in_words(studio: Studio, browser: TestClient):
    answer = browser.put("/imports", content=b"\x89PNG\r\n", headers={"Origin": HERE})
    assert answer.status_code == 422
    assert "no export of a studio" in answer.text
    assert studio.imports.waiting.of(LOCAL) is None


def test_a_file_that_is_too_large_is_refused_before_it_has_arrived(browser: TestClient):
    answer = browser.put(
        "/imports", content=b"x", headers={"Origin": HERE, "Content-Length": str(MOST_BYTES + 1)}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("role", ["viewer", "maker"])
def test_only_an_admin_imports(studio: Studio, monkeypatch: pytest.MonkeyPatch, role: Role):
    monkeypatch.setattr("pages._ui.current_user.user_of", lambda _: User("p-1", "Mia", role))
    with TestClient(Starlette(routes=imports.routes())) as client:
        answer = client.put("/imports", content=a_file())
    assert answer.status_code == 403
    assert studio.imports.waiting.of("p-1") is None
    sign_in(monkeypatch, studio, "Mia", role)
    assert "never work" not in texts(section())
