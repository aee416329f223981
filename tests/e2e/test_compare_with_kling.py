"""Compare with Kling in a browser: what is in the account is chosen, taken in, and shown as found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kling import ApiKey, Client, TextToVideo
from kling.sandbox.auth import API_KEY
from tests.e2e.conftest import Server
from tests.e2e.test_first_video import order, rows
from tests.e2e.test_running import Kling, program

PADDING = "() => getComputedStyle(document.querySelector('.stMainBlockContainer')).paddingTop"


@pytest.fixture
def kling(tmp_path: Path) -> Iterator[Kling]:
    with program(tmp_path / "kling", "--pace", "seconds:1") as here:
        yield here


@pytest.fixture
def studio(kling: Kling, start_server: Callable[..., Server]) -> Server:
    return start_server(is_called_back=True, KLINGAI_API_KEY=API_KEY, KLINGAI_BASE_URL=kling.url)


def test_what_is_in_the_account_is_chosen_and_taken_in_and_the_page_keeps_its_looks(
    kling: Kling, studio: Server, open_page: Callable[..., Page]
):
    client = Client(ApiKey(API_KEY), base_url=kling.url)
    for maker in ("campaign-1", "campaign-2", f"v{1:024x}"):
        client.create(TextToVideo(prompt="Made elsewhere", external_task_id=maker))
    client.close()
    page = open_page(f"{studio.url}/spend")
    page.get_by_text("Compare with Kling", exact=True).click()
    page.get_by_role("button", name="Compare now").click()
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_text("1 task was taken in")).to_be_visible()
    others = page.locator("[class*=st-key-spend-foreign]")
    others.locator(".dvn-scroller").click(position={"x": 15, "y": 52})  # the newest one's box
    page.get_by_role("button", name="Take in the 1 chosen task").click()
    expect(page.get_by_text(re.compile("1 other task is in the account"))).to_be_visible()
    assert page.evaluate(PADDING) == "52px"  # a toast of a part of the page has not taken the page's style
    assert {row["external_task_id"] for row in rows(studio)} >= {f"v{1:024x}"}
    page.goto(f"{studio.url}/gallery")
    expect(page.get_by_role("button", name=re.compile("^Found, without its order"))).to_have_count(2)


def test_while_a_clip_cannot_be_fetched_its_link_opens_in_a_tab_of_its_own(
    kling: Kling, studio: Server, open_page: Callable[..., Page]
):
    kling.plan(on="clip", fault="expired-url", times=20)
    page = open_page(studio.url)
    order(page, "A fox whose file does not come")
    stage = page.locator(".st-key-stage")
    link = stage.get_by_role("link", name="Open the video at Kling")
    expect(link).to_have_attribute("href", re.compile(f"^{re.escape(kling.url)}/clips/"))
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(stage.get_by_text(re.compile("Not saved yet, (29|30) days left")).first).to_be_visible()
