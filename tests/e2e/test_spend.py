"""Spend in a browser: the month by person is right to the Unit, and every number leads to its jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.take_away.mp4_text import COMMENT, with_texts
from kling.studio.take_away.settings import MARK
from tests.e2e.conftest import Server, on_phone
from tests.e2e.test_accessibility import findings
from tests.studio.clips import tiny_clip
from tests.studio.test_curation import lines_of_readme

PEOPLE = ("Anna Becker", "Tom Meyer", "=Chiara ß 狐", "")
MODELS = ("kling-v2-6", "kling-v3")
JOBS = 60


def fill(data: Path) -> None:
    """Write jobs of this month and of the last one, charged, failed, open and starred."""
    ledger = CsvLedger(LogFile(data / "history.csv", fsync=lambda _: None), clock=lambda: 0.0)
    now = datetime.now(UTC)
    # Some are of today, also soon after midnight.
    now = max(now - timedelta(minutes=5), now.replace(hour=0, minute=0, second=0, microsecond=0))
    rows: list[tuple[str, Mapping[str, str]]] = []
    for number in range(JOBS):
        at = now - timedelta(days=number % 40)
        price = {"units": str(Decimal("0.5") * (number % 7 + 1)), "unit_price": "0.14", "currency": "USD"}
        order = {"prompt": f"Fox {number}", "model_name": MODELS[number % 2], "mode": "std", "duration": "5"}
        job_id = f"v{number:03}"
        rows.append(
            (
                job_id,
                {
                    "state": "intent",
                    "time": at.isoformat(),
                    "account": "sandbox",
                    "person": PEOPLE[number % 4],
                    **order,
                    **price,
                },
            )
        )
        ended = {"time": (at + timedelta(seconds=90)).isoformat(), "task_id": f"8{number:017}"}
        if number % 9:
            rows.append((job_id, {**ended, "state": "succeed", "final_unit_deduction": price["units"]}))
        else:
            rows.append((job_id, {**ended, "state": "failed", "task_status_msg": "risk control"}))
        if number % 5 == 0:
            rows.append((job_id, {"star": "1", "by_name": "Ada"}))
    ledger.append_many(rows)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("spend") / "data"
    data.mkdir()
    fill(data)
    server = Server(data)
    server.start()
    yield server
    server.close()


def by_pandas(studio: Server, month: str) -> dict[str, Decimal]:
    """Return Units by person as README's lines add them up."""
    import pandas as pd

    code = lines_of_readme("## The log") + lines_of_readme("### Adding up")
    names: dict[str, Any] = {"pandas": pd}
    exec(
        code.replace("data/history.csv", str(studio.data / "history.csv")).replace('"2026-11"', f'"{month}"'),
        names,
    )
    return {
        name.removeprefix("'") or "Without a name": units for name, units in names["spend"].items() if units
    }


def by_page(page: Page) -> dict[str, Decimal]:
    """Return Units by person as the table has them."""
    rows = page.locator(".spend-table").first.locator("tbody tr")
    found = rows.evaluate_all(
        "rows => rows.map(row => [row.querySelector('bdi').textContent, row.lastElementChild.textContent])"
    )
    return {name: Decimal(units.replace(",", "")) for name, units in found if Decimal(units.replace(",", ""))}


def test_a_month_is_right_to_the_unit_leads_to_its_jobs_and_is_for_everybody_on_every_screen(
    studio: Server, open_page: Callable[..., Page]
):
    page = open_page(f"{studio.url}/spend")
    table, this_month = page.locator(".spend-table").first, f"{datetime.now(UTC):%B %Y}"
    expect(table.locator("caption")).to_have_text(f"{this_month}, by person")
    assert by_page(page) == by_pandas(studio, f"{datetime.now(UTC):%Y-%m}")
    page.get_by_role("button", name="Earlier").click()
    expect(table.locator("caption")).not_to_contain_text(this_month)
    assert by_page(page) == by_pandas(studio, page.url.partition("month=")[2])
    page.go_back()
    expect(table.locator("caption")).to_have_text(f"{this_month}, by person")

    # A row, with the keyboard, and a bar: each shows its jobs, and Back leads back.
    jobs = int(table.locator("tbody tr").first.locator("td").first.inner_text())
    table.get_by_role("link").first.press("Enter")
    page.wait_for_url(re.compile(r"/history\?person="))
    expect(page.locator("li[data-job]")).to_have_count(jobs)
    page.go_back()
    bars = page.locator(".st-key-spend-days path[aria-roledescription=bar]")
    expect(bars.first).to_be_attached()
    today = bars.nth(datetime.now(UTC).day - 1)
    expect(today).to_have_attribute("aria-label", re.compile(r": \$\d"))
    today.click()
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    page.wait_for_url(re.compile(f"/history.from={day}&to={day}$"))
    page.locator("li[data-job]").first.wait_for()  # Streamlit would run Spend with the question to History
    page.go_back()

    # What is added up is what is exported.
    page.get_by_text("By model", exact=True).click()
    expect(table.locator("caption")).to_have_text(f"{this_month}, by model")
    jobs = int(table.locator("tfoot td").first.inner_text())
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as coming:
        page.get_by_role("link", name="JSON Lines for a program").click()
    exported = [json.loads(line) for line in coming.value.path().read_text(encoding="utf-8").splitlines()]
    assert len(exported) == jobs
    page.keyboard.press("Escape")

    # It is for everybody, and fits a phone.
    page.set_viewport_size({"width": 1400, "height": 4000})
    expect(page.locator(".st-key-spend-hours path[aria-roledescription=bar]").first).to_be_attached()
    assert findings(page, ".st-key-spend") == []
    with on_phone(page):
        # Charts are drawn anew for the screen.
        page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollWidth === 390")
        row = table.locator("tbody tr").first
        assert row.evaluate("row => getComputedStyle(row).display") == "grid"
        expect(row.get_by_role("cell").nth(0)).to_be_visible()


def test_a_file_of_jobs_is_looked_at_then_taken_in_and_taken_back(
    studio: Server, open_page: Callable[..., Page], tmp_path: Path
):
    (tmp_path / "other").mkdir()
    fill(tmp_path / "other")
    text = (tmp_path / "other" / "history.csv").read_text(encoding="utf-8")
    (tmp_path / "old.csv").write_text(re.sub(r"\bv(\d{3})\b", r"w\1", text), encoding="utf-8")
    page = open_page(f"{studio.url}/admin?section=import")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "old.csv")
    expect(page.get_by_text(f"{JOBS} new jobs")).to_be_visible()
    page.get_by_role("button", name=f"Take in {JOBS} jobs").click()
    expect(page.get_by_text(f"{JOBS} jobs were taken in")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo the import").click()
    expect(page.get_by_text(", undone")).to_be_visible()
    sidecars = [tmp_path / f"{name}.json" for name in ("s1", "s2")]
    for path in sidecars:
        facts = {"external_task_id": path.stem, "state": "failed", "ordered_at": "2026-11-01T10:00:00+00:00"}
        path.write_text(f"{json.dumps(facts)}\n", encoding="utf-8")
    page.get_by_label("File", exact=True).set_input_files(sidecars)
    expect(page.get_by_text("2 sidecars · an export · 2 new jobs")).to_be_visible()
    # Of a folder, also copies of clips without a sidecar.
    folder = tmp_path / "folder"
    folder.mkdir()
    sidecars[0].rename(folder / "s1.json")
    for name in ("s1.mp4", "holiday.mp4", "c1.mp4"):
        tiny_clip(folder / name)
    marked = {MARK: 1, "external_task_id": "c1", "state": "failed", "ordered_at": "2026-11-01T10:00:00+00:00"}
    (folder / "SHA256SUMS").touch()
    copy = b"".join(with_texts(folder / "c1.mp4", {COMMENT: json.dumps(marked)}).chunks())
    (folder / "c1.mp4").write_bytes(copy)
    page.get_by_label("Folder", exact=True).set_input_files(folder)
    expect(page.get_by_text("1 sidecar and 2 clips · an export · 2 new jobs")).to_be_visible()
    page.get_by_text("1 job cannot be taken in").click()
    expect(page.get_by_text("Clip “holiday.mp4” of the file: it does not say")).to_be_visible()
