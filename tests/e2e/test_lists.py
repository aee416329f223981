"""History and Gallery in a browser: a clip that plays goes on, links lead to tasks, a batch is one group."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import LONG, Server, on_phone
from tests.e2e.test_compose import choose
from tests.e2e.test_first_video import go_to, order, rows, wishes

Open = Callable[..., Page]
GALLERY_PAGE = 12  # cards
CARD = "[class*=st-key-card-]"
MINE = "video[data-mine=yes]"
PLAY = "video => { video.muted = true; video.loop = true; video.dataset.mine = 'yes'; return video.play() }"


def test_the_clip_on_the_stage_goes_on_while_others_come_and_the_form_changes(
    shared_server: Server, open_page: Open
):
    page = open_page(shared_server.url)
    order(page, "The first")
    clip = page.locator(".stage-tile video")
    clip.evaluate(PLAY)
    colleague = open_page(shared_server.url)
    order(colleague, "Of a colleague")
    # The stage of a browser without a name begins with the newest clip of all.
    expect(colleague.locator(".stage-prompt")).to_have_text("Of a colleague", timeout=LONG)
    expect(colleague.locator(".stage-facts")).to_contain_text("Done in", timeout=LONG)  # its clip is here
    choose(page, "Length", "10 s")
    recent = page.get_by_role("region", name="Recent clips")
    expect(recent.get_by_role("button", name="Done: Of a colleague")).to_be_visible()
    assert clip.evaluate("video => video.dataset.mine === 'yes' && !video.paused")


def test_a_link_shows_the_whole_task_and_the_way_to_its_parent(shared_server: Server, open_page: Open):
    before = wishes(shared_server)
    page = open_page(shared_server.url)
    order(page, "A parent <b>in</b> **bold**")
    page.get_by_role("button", name="Done: A parent").wait_for(timeout=LONG)
    (parent,) = wishes(shared_server) - before
    page.goto(f"{shared_server.url}/?from={parent}")
    page.get_by_role("link", name="Made from an earlier video").wait_for()
    order(page, "A child")
    page.get_by_role("region", name="This session").get_by_role("button", name="A child").wait_for()
    (child,) = wishes(shared_server) - before - {parent}
    page.goto(f"{shared_server.url}/job?id={child}")
    words = page.locator(".job-prompt")
    expect(words).to_have_text("A child")
    page.locator(".job-family").get_by_role("link").first.click()
    expect(words).to_have_text("A parent <b>in</b> **bold**")
    page.wait_for_url(re.compile(parent))
    with on_phone(page):
        expect(words).to_have_text("A parent <b>in</b> **bold**")
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_batch_is_one_group_of_history_and_of_the_wall(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url)
    page.get_by_label("Prompt", exact=True).fill("A {calm|stormy} sea")
    page.get_by_label("Prompt", exact=True).press("Tab")
    page.get_by_role("button", name=re.compile("^Generate 2")).click()
    expect(page.get_by_text("2 of 2 videos done")).to_be_visible(timeout=LONG)
    page.locator(".st-key-stage_buttons").get_by_role("button", name="More").click()
    page.get_by_role("link", name="All of them in History").click()
    page.get_by_role("heading", name="History").wait_for()
    expect(page.locator(".lib-row")).to_have_count(2)
    go_to(page, "Gallery")
    page.get_by_role("button", name=re.compile("^A (calm|stormy) sea")).first.press("Shift+F10")
    page.get_by_role("menuitem", name="All of its batch").click()
    pictures = page.locator("[class*=st-key-clip-] > button")
    expect(pictures).to_have_count(2)
    page.get_by_role("link", name="Show everything").click()
    expect(page).to_have_url(re.compile(r"/gallery$"))
    assert len({row["batch"] for row in rows(shared_server)} - {""}) == 1
