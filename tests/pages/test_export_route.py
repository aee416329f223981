"""The way of jobs out of the studio: exactly what is filtered, in either form, without prices for viewers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling.studio.identity.roles import Role, User
from kling.studio.ledger.csv_text import decode_cell
from kling.studio.library import JobQuery
from kling.studio.library.export import PRICES
from kling.studio.service import Studio
from pages._ui.library.export import export_link
from pages._ui.routes import export


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    for number, prompt in enumerate(("A red fox", "=SUM(A1)", "A fox, 狐 | =1", "A wolf")):
        studio.ledger.append(
            f"v{number}",
            state="succeed",
            account="sandbox",
            prompt=prompt,
            person="Ada" if number % 2 else "Mia",
            units=str(number + 1),
            unit_price="0.14",
            currency="USD",
            final_unit_deduction="1",
            extra='{"list_price":"0.98"}',
        )
    with TestClient(Starlette(routes=export.routes())) as client:
        yield client


def rows(text: str) -> list[dict[str, str]]:
    return [
        {name: decode_cell(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))
    ]


def as_role(monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    monkeypatch.setattr("pages._ui.current_user.user_of", lambda _: User("p-1", "Vera", role))


def test_a_file_has_exactly_what_is_filtered_in_its_order(browser: TestClient):
    answer = browser.get(export_link(JobQuery(text="fox", order="oldest", page=7)))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert [(row["external_task_id"], row["prompt"]) for row in rows(answer.text)] == [
        ("v0", "A red fox"),
        ("v2", "A fox, 狐 | =1"),
    ]


def test_the_name_of_the_file_says_the_day_and_the_form(studio: Studio, browser: TestClient):
    for form in ("csv", "jsonl"):
        answer = browser.head(export_link(JobQuery(), form))
        day = studio.library.today().isoformat()
        assert answer.headers["content-disposition"] == f'attachment; filename="kling-history-{day}.{form}"'


def test_a_formula_is_defused_in_a_table_and_stands_as_it_is_in_json(browser: TestClient):
    query = JobQuery(text="SUM")
    assert "\n=" not in browser.get(export_link(query)).text
    assert ",=SUM" not in browser.get(export_link(query)).text
    (line,) = browser.get(export_link(query, "jsonl")).text.splitlines()
    assert json.loads(line)["prompt"] == "=SUM(A1)"


def test_a_selection_is_named_by_its_ids_whatever_the_filter_finds(browser: TestClient):
    link = export_link(JobQuery(text="wolf"), "jsonl", ids=["v2", "v0", "no-such-job"])
    found = [json.loads(line)["external_task_id"] for line in browser.get(link).text.splitlines()]
    assert found == ["v2", "v0"]
    assert browser.get(export_link(JobQuery(), "jsonl", ids=[])).text == ""


def test_who_may_not_see_prices_gets_none_and_cannot_ask_for_their_order(
    browser: TestClient, monkeypatch: pytest.MonkeyPatch
):
    as_role(monkeypatch, "viewer")
    answer = browser.get(f"{export_link(JobQuery(order='dearest'))}&min=3")
    assert PRICES.isdisjoint(rows(answer.text)[0])
    assert [row["external_task_id"] for row in rows(answer.text)] == ["v3", "v2", "v1", "v0"]
    for line in browser.get(export_link(JobQuery(), "jsonl")).text.splitlines():
        assert PRICES.isdisjoint(json.loads(line))
        assert "0.98" not in line
    assert "0.98" not in answer.text
    as_role(monkeypatch, "maker")
    assert rows(browser.get(export_link(JobQuery(text="wolf"))).text)[0]["units"] == "4"


def test_nobody_gets_nothing(browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    as_role(monkeypatch, "none")
    answer = browser.get(export_link(JobQuery()))
    assert (answer.status_code, "fox" in answer.text) == (403, False)


@pytest.mark.parametrize(
    ("query", "status"),
    [("form=xlsx", 400), (f"ids={','.join(f'v{n}' for n in range(1001))}", 400), ("state=%00&page=-1", 200)],
)
def test_an_address_that_makes_no_sense_is_told_or_passed_over(browser: TestClient, query: str, status: int):
    assert browser.get(f"/export?{query}").status_code == status


def test_an_export_is_noted(studio: Studio, browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    studio.state.people.add("Ada", "admin")
    as_role(monkeypatch, "maker")
    browser.head(export_link(JobQuery()))
    browser.get(export_link(JobQuery(text="fox")))
    noted = [entry.details for entry in studio.state.audit.search() if "exported" in str(entry.details)]
    assert [details["jobs"] for details in noted] == [2]
