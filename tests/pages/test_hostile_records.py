"""Records that no studio would write, and questions that would tell a viewer prices."""

from __future__ import annotations

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.service import Studio
from tests.pages.conftest import new_tab, rows_of, texts
from tests.pages.people import sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill

ABSURD = [
    pytest.param({"extra": json.dumps({"probe": {"width": 10**400, "height": 1}})}, id="width"),
    pytest.param({"file_bytes": "9" * 5_000}, id="bytes"),
    pytest.param({"extra": "[" * 950 + "]" * 950}, id="depth"),
]


@pytest.mark.parametrize("cells", ABSURD)
def test_absurd_cells_break_no_page(studio: Studio, tab: AppTest, cells: dict[str, str]):
    fill(studio, 1)
    studio.ledger.append("job0000", **cells)
    for page in ("history.py", "gallery.py", "job.py", "spend.py"):
        open_page(tab, page, id="job0000")
        assert not tab.exception, page
        assert "could not be drawn" not in texts(tab), page


@pytest.mark.parametrize("extra", [{"given_up": True}, {"imported": {"id": "i1", "was": "processing"}}])
def test_a_row_calls_nothing_free_whose_cost_nobody_knows(
    studio: Studio, tab: AppTest, extra: dict[str, object]
):
    account = studio.accounts.name
    studio.ledger.append(
        "a1", state="intent", account=account, prompt="A fox", units="1.5", unit_price="0.14"
    )
    studio.ledger.append("a1", state="withdrawn", extra=json.dumps(extra))
    open_page(tab, "history.py")
    assert "0.00" not in str(rows_of(tab)[0].get("cost", ""))


def test_neither_counts_nor_neighbours_tell_a_viewer_a_price(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    fill(studio, 3)
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = open_page(new_tab(), "job.py", id="job0001", min="99999", order="dearest")
    back = [link.proto.query_string for link in app.get("page_link")]
    assert not any("min=" in each or "order=" in each for each in back)
    assert not re.search(r'data-way="\w+"[^>]*href="[^"]*(min|order)=', texts(app))


@pytest.mark.parametrize("page", ["history.py", "job.py"])
def test_a_viewer_is_not_told_what_a_failed_task_was_charged(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, page: str
):
    failed = {"state": "failed", "task_id": "1", "final_unit_deduction": "3"}
    studio.ledger.append("f1", account="kling#1", prompt="A fox", **failed)
    assert "3 Units" in texts(open_page(new_tab(), page, id="f1"))
    sign_in(monkeypatch, studio, "Vera", "viewer")
    said = texts(open_page(new_tab(), page, id="f1"))
    assert "could not make it" in said
    assert "3 Units" not in said
