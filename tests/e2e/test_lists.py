"""History and Gallery in a browser: a batch is one group, and links lead from a job to its parent."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import LONG, Server, on_phone
from tests.e2e.test_first_video import go_to, jobs_ordered, order, rows

Open = Callable[..., Page]


def test_a_batch_is_one_group_of_history_and_of_the_wall_and_a_child_leads_to_its_parent_in_it(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url)
    page.get_by_label("Prompt", exact=True).fill("A {calm|stormy} <b>sea</b> of **waves**")
    page.get_by_label("Prompt", exact=True).press("Tab")
    page.get_by_role("button", name=re.compile("^Generate 2")).click()
    expect(page.get_by_text("2 of 2 clips done")).to_be_visible(timeout=LONG)
    before = jobs_ordered(shared_server)
    page.locator(".st-key-stage_buttons").get_by_role("button", name="More").click()
    page.get_by_role("link", name="All of them in History").click()
    page.get_by_role("heading", name="History").wait_for()
    expect(page.locator(".lib-row")).to_have_count(2)
    go_to(page, "Gallery")
    page.get_by_role("button", name=re.compile("^A (calm|stormy) <b>sea")).first.press("Shift+F10")
    page.get_by_role("menuitem", name="All of its batch").click()
    pictures = page.locator("[class*=st-key-clip-] > button")
    expect(pictures).to_have_count(2)
    page.get_by_role("link", name="Show everything").click()
    expect(page).to_have_url(re.compile(r"/gallery$"))
    batch = [row for row in rows(shared_server) if row["batch"]]
    assert len({row["batch"] for row in batch}) == 1

    parent = batch[0]
    page.goto(f"{shared_server.url}/?from={parent['external_task_id']}")
    page.get_by_role("link", name="From: ").wait_for()
    order(page, "A child")
    page.get_by_role("region", name="This session").get_by_role("button", name="A child").wait_for()
    (child,) = jobs_ordered(shared_server) - before
    page.goto(f"{shared_server.url}/job?id={child}")
    words = page.locator(".job-prompt")
    expect(words).to_have_text("A child")
    page.locator(".job-family").get_by_role("link").first.click()
    expect(words).to_have_text(parent["prompt"])
    page.wait_for_url(re.compile(parent["external_task_id"]))
    with on_phone(page):
        expect(words).to_have_text(parent["prompt"])
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
