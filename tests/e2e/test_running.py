"""What runs, waits and fails, beside the form: against a sandbox program that does what a test plans."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from kling.sandbox.auth import API_KEY
from tests.e2e.conftest import LONG, PATIENCE, ROOT, Server, on_phone
from tests.e2e.test_first_video import jobs_ordered, rows
from tests.e2e.test_first_video import order as order_by


class Kling:
    """A sandbox program of its own, and its control plane."""

    def __init__(self, url: str) -> None:
        self.url = url

    def plan(self, **what: object) -> None:
        """Plan for the next order, unless `on` says something else: the studio asks for more by itself."""
        self._post("plan", {"on": "create", **what})

    def skip(self, seconds: int) -> None:
        """Let its clock jump."""
        self._post("clock", {"advance_seconds": seconds})

    def _post(self, name: str, what: Mapping[str, object]) -> None:
        body, form = json.dumps(what).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", body, form, method="POST")
        urllib.request.urlopen(request).close()


@contextmanager
def program(folder: Path, *arguments: str) -> Iterator[Kling]:
    command = [sys.executable, "-m", "kling.sandbox", "--clips", "tiny", "--data", str(folder), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Kling(process.stdout.readline().removeprefix("Kling sandbox: ").strip())
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


Both = tuple[Kling, Server]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A sandbox program that runs one task at a time, and a studio that orders there.

    After each test nothing runs or waits, and no hold is left.
    """
    folder = tmp_path_factory.mktemp("running")
    with program(folder / "kling", "--pace", "seconds:1", "--concurrency", "1") as kling:
        keys = {"KLINGAI_API_KEY": API_KEY, "KLINGAI_BASE_URL": kling.url}
        server = Server(folder / "data", keys, is_called_back=True)
        try:
            server.start()
            yield kling, server
        finally:
            server.close()


def stage(page: Page) -> Locator:
    """Return the stage; on a phone, after it was opened from the small card."""
    mini = page.get_by_role("button", name="Show the clip")
    if mini.is_visible():
        mini.click()
    return page.locator(".st-key-stage")


def order(page: Page, prompt: str) -> None:
    back = page.get_by_role("button", name="Back to the form")
    if back.is_visible():
        back.click()
    order_by(page, prompt)
    expect(page.locator(".stage-prompt")).to_have_text(prompt)


def test_on_a_phone_what_no_slot_is_free_for_waits_its_turn_and_can_be_withdrawn(
    shared: Both, open_page: Callable[..., Page]
):
    kling, studio = shared
    before = len(rows(studio))
    kling.plan(pace="seconds:6000")
    page = open_page(studio.url)
    with on_phone(page):
        order(page, "The one that runs")
        expect(stage(page).get_by_text(re.compile("Queued|Being made")).first).to_be_visible()
        order(page, "The one that waits")
        waiting = stage(page)
        expect(waiting.get_by_text("Waiting").first).to_be_visible()
        expect(waiting.get_by_text(re.compile("in line|Next")).first).to_be_visible()
        expect(page.locator("[data-counts]")).to_contain_text("1 waiting")
        waiting.locator(".st-key-stage_note").get_by_role("button", name="Cancel (nothing spent)").click()
        expect(waiting.get_by_role("heading", name="Cancelled")).to_be_visible()
        expect(page.locator("[data-counts]")).not_to_contain_text("waiting")
    assert {row["state"] for row in rows(studio)[before:]} >= {"intent", "waiting", "withdrawn"}
    kling.skip(6000)
    expect(page.locator("[data-counts]")).not_to_contain_text("being made", timeout=LONG)


def test_what_waited_goes_out_by_itself_as_the_slot_is_free(shared: Both, open_page: Callable[..., Page]):
    kling, studio = shared
    before = jobs_ordered(studio)
    page = open_page(studio.url)
    page.get_by_role("radiogroup", name="How many").get_by_text("3", exact=True).click()
    page.get_by_role("button", name=re.compile("^Generate 3 ")).wait_for()  # else the price is an older one
    order(page, "One after the other")
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(3, timeout=LONG)
    made = jobs_ordered(studio) - before
    assert len(made) == 3
    with urllib.request.urlopen(f"{kling.url}/_sandbox/accepted") as answer:
        accepted = json.load(answer)
    counts = accepted["by_external_task_id"]
    assert {job_id: counts[job_id] for job_id in counts if job_id not in before} == dict.fromkeys(made, 1)


def test_what_goes_wrong_names_its_fix_and_goes_on_by_one_press(shared: Both, open_page: Callable[..., Page]):
    kling, studio = shared
    before = jobs_ordered(studio)
    page = open_page(studio.url)
    kling.plan(code=1301)
    order(page, "Something that a policy forbids")
    expect(stage(page).get_by_text("Nothing was spent")).to_be_visible()
    stage(page).get_by_role("button", name="Edit and try again").click()
    expect(page.get_by_role("link", name="From: Something that a policy")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Something that a policy forbids")
    kling.plan(outcome="failed", message="The model fell over")
    order(page, "A fox that fails")
    stage(page).get_by_role("button", name=re.compile("^Order again")).click()
    page.locator(".stage-tile video").wait_for()
    assert len(jobs_ordered(studio) - before) == 3

    # A queue that needs a person says whom to ask.
    kling.plan(code=1102)
    order(page, "A fox without a balance")
    expect(page.get_by_text("Held: The Kling account has no Units left.")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".stage-facts")).to_contain_text("Done in")
    assert len(jobs_ordered(studio) - before) == 4

    # A clip that is not what was ordered is marked.
    kling.plan(fault="wrong-duration")
    order(page, "A fox that is too long")
    expect(stage(page).get_by_text("length: ordered 5 s, came")).to_be_visible()
