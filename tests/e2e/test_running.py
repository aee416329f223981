"""What runs, waits and fails, beside the form: against a sandbox program that does what a test plans."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from kling.sandbox.auth import API_KEY
from tests.e2e.conftest import PHONE, ROOT, Server
from tests.e2e.test_first_video import order, rows, wishes


class Kling:
    """A sandbox program of its own, and its control plane."""

    def __init__(self, url: str) -> None:
        self.url = url

    def plan(self, **what: object) -> None:
        """Plan for the next order, unless `on` says something else: the studio asks for more by itself."""
        body = json.dumps({"on": "create", **what}).encode()
        request = urllib.request.Request(
            f"{self.url}/_sandbox/plan", body, {"Content-Type": "application/json"}, method="POST"
        )
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
        process.wait(10)
        process.stdout.close()


@contextmanager
def both(folder: Path) -> Iterator[tuple[Kling, Server]]:
    """A sandbox program that runs one task at a time, and a studio that orders there."""
    with program(folder / "kling", "--pace", "seconds:1", "--concurrency", "1") as kling:
        keys = {"KLINGAI_API_KEY": API_KEY, "KLINGAI_BASE_URL": kling.url}
        server = Server(folder / "data", keys, is_called_back=True)
        try:
            server.start()
            yield kling, server
        finally:
            server.close()


Both = tuple[Kling, Server]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Both]:
    """For tests that leave something running, or need a studio that has seen nothing."""
    with both(tmp_path) as here:
        yield here


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """For tests after which nothing runs or waits, and no hold is left."""
    with both(tmp_path_factory.mktemp("running")) as here:
        yield here


def card(page: Page, words: str) -> Locator:
    return page.locator("[class*=st-key-task-]", has_text=words)


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_what_no_slot_is_free_for_waits_its_turn_and_can_be_withdrawn(
    own: Both, open_page: Callable[..., Page], size: dict[str, object]
):
    kling, studio = own
    kling.plan(pace="never")
    page = open_page(studio.url, **size)
    order(page, "The one that runs")
    expect(
        card(page, "The one that runs").get_by_text(re.compile("submitted|processing")).first
    ).to_be_visible()
    order(page, "The one that waits")
    waiting = card(page, "The one that waits")
    expect(waiting.get_by_text("waiting").first).to_be_visible()
    expect(waiting.get_by_text(re.compile("in line|Next"))).to_be_visible()
    expect(page.locator("[data-counts]")).to_contain_text("1 waiting")
    waiting.get_by_role("button", name="Withdraw").click()
    expect(waiting.get_by_text("withdrawn").first).to_be_visible()
    expect(page.locator("[data-counts]")).not_to_contain_text("waiting")
    assert {row["state"] for row in rows(studio)} >= {"intent", "waiting", "withdrawn"}


def test_what_waited_goes_out_by_itself_as_the_slot_is_free(shared: Both, open_page: Callable[..., Page]):
    kling, studio = shared
    before = wishes(studio)
    page = open_page(studio.url)
    page.get_by_role("radiogroup", name="Takes").get_by_text("3", exact=True).click()
    order(page, "One after the other")
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(3, timeout=90_000)
    made = wishes(studio) - before
    assert len(made) == 3
    with urllib.request.urlopen(f"{kling.url}/_sandbox/accepted") as answer:
        accepted = json.load(answer)
    counts = accepted["by_external_task_id"]
    assert {job_id: counts[job_id] for job_id in counts if job_id not in before} == dict.fromkeys(made, 1)


def test_a_task_that_failed_names_its_fix(shared: Both, open_page: Callable[..., Page]):
    kling, studio = shared
    before = wishes(studio)
    page = open_page(studio.url)
    kling.plan(code=1301)
    order(page, "Something that a policy forbids")
    refused = card(page, "Something that a policy forbids")
    expect(refused.get_by_text("Nothing was spent")).to_be_visible()
    refused.get_by_role("link", name="Mend it in Compose").click()
    expect(page.get_by_role("link", name="Made from an earlier task")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Something that a policy forbids")
    kling.plan(outcome="failed", message="The model fell over")
    order(page, "A fox that fails")
    failed = card(page, "A fox that fails")
    failed.get_by_role("button", name=re.compile("^Order again")).click()
    page.locator("[class*=st-key-clip-] video").wait_for()
    assert len(wishes(studio) - before) == 3


def test_a_queue_that_needs_a_person_says_whom_to_ask_and_goes_on_by_one_press(
    shared: Both, open_page: Callable[..., Page]
):
    kling, studio = shared
    before = wishes(studio)
    kling.plan(code=1102)
    page = open_page(studio.url)
    order(page, "A fox without a balance")
    expect(page.get_by_text(re.compile("balance|resource pack")).first).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    page.locator("[class*=st-key-clip-] video").wait_for()
    assert len(wishes(studio) - before) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("wrong-duration", "length: ordered 5 s, came"),
        ("wrong-aspect", "shape: ordered 16:9, came"),
        ("unexpected-sound", "sound: ordered off, came"),
    ],
)
def test_a_clip_that_is_not_what_was_ordered_is_marked(
    shared: Both, open_page: Callable[..., Page], fault: str, words: str
):
    kling, studio = shared
    kling.plan(fault=fault)
    page = open_page(studio.url)
    order(page, f"A fox with {fault}")
    expect(card(page, f"A fox with {fault}").get_by_text(words)).to_be_visible()


def test_what_is_usual_is_said_once_there_are_five(own: Both, open_page: Callable[..., Page]):
    kling, studio = own
    page = open_page(studio.url)
    kling.plan(pace="immediate")
    page.get_by_role("radiogroup", name="Takes").get_by_text("4", exact=True).click()
    order(page, "The first four")
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(4, timeout=90_000)
    page.get_by_role("radiogroup", name="Takes").get_by_text("1", exact=True).click()
    order(page, "The fifth")
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(5, timeout=90_000)
    kling.plan(pace="never")
    order(page, "How long may this take")
    expect(card(page, "How long").get_by_text(re.compile(r"usually \d+:\d\d to \d+:\d\d"))).to_be_visible()
