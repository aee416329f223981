"""The list of History in a browser: rows lead to jobs, keys and fingers are enough, and it stays still."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import FAILED, NOT_SENT, PROCESSING, SUCCEED
from tests.e2e.conftest import PHONE
from tests.e2e.prepared import Past, server_of
from tests.e2e.test_accessibility import findings, findings_here

Open = Callable[..., Page]
JOBS = 60  # more than a page of the list has
BOB = {"person": "Bob"}
HOSTILE = '<img src=x onerror="alert(1)"> **bold** \u202eright to left'
FOCUS = "() => document.activeElement.closest('.lib-row')?.dataset.job ?? ''"
DOT = "row => getComputedStyle(row.querySelector('.lib-when'), '::before').content"
UNNAME = "row => row.querySelector('.lib-who').removeAttribute('title')"
TOP = "() => document.querySelector('[data-testid=stMain]').scrollTop"


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server that knows many jobs; the newest ones failed, are held, are made, or have a hostile prompt."""
    data = tmp_path_factory.mktemp("list") / "data"
    here = Past(data)
    who = [*[{}] * (JOBS - 2), BOB, BOB]
    ids = [here.task(SUCCEED, TextToVideo(prompt=f"A fox, number {at}"), **of) for at, of in enumerate(who)]
    refused = {"code": "1301", "message": "Kling refused it.", **BOB}
    ids.append(here.task(FAILED, TextToVideo(prompt="Two foxes"), **refused))
    lost = "Nobody knows whether it arrived."
    ids.append(here.task(NOT_SENT, TextToVideo(prompt="A heron"), message=lost, **BOB))
    ids.append(here.task(PROCESSING, TextToVideo(prompt="A whale"), task_id="9", **BOB))
    ids.append(here.task(SUCCEED, TextToVideo(prompt=HOSTILE), **BOB))
    server = server_of(data)
    server.start()
    url = f"{server.url}/history"
    # A row of each look.
    yield SimpleNamespace(server=server, url=url, ids=ids[::-1], few=f"{url}?person=Bob")
    server.close()


def row(page: Page, job_id: str) -> Locator:
    return page.locator(f'.lib-row[data-job="{job_id}"]')


def link(page: Page, job_id: str) -> Locator:
    return row(page, job_id).locator(".lib-link")


def test_rows_lead_to_jobs_and_back_to_where_one_was(past: SimpleNamespace, open_page: Open):
    page = open_page(past.url)
    page.on("dialog", lambda dialog: pytest.fail(f"a text ran as a script: {dialog.message}"))
    expect(page.locator(".lib-row")).to_have_count(50)
    expect(page.get_by_role("heading", name="Today")).to_be_visible()
    expect(page.locator(".lib-sum")).to_have_text(re.compile(f"{len(past.ids)} jobs · "))
    expect(link(page, past.ids[0])).to_have_text(HOSTILE)  # as text
    assert page.locator(".lib-row img[src=x]").count() == 0
    expect(page.get_by_role("img", name="Failed")).to_have_count(1)
    expect(row(page, past.ids[3])).to_contain_text("Kling's content policy refused the prompt.")
    # The boxes: with Shift, all rows between two of them.
    row(page, past.ids[4]).hover()
    row(page, past.ids[4]).locator(".lib-box").click()
    row(page, past.ids[6]).locator(".lib-box").click(modifiers=["Shift"])
    expect(page.locator(".lib-row[data-chosen]")).to_have_count(3)
    page.keyboard.press("Escape")
    # A row far down: Back leads to it again, and the page around it was not loaded anew.
    page.evaluate("() => { window.sameTab = true; }")
    fox = past.ids[20]
    link(page, fox).scroll_into_view_if_needed()
    before = page.evaluate(TOP)
    assert before > 0
    link(page, fox).click()
    page.wait_for_url(re.compile(rf"/job\?id={fox}$"))
    page.locator(f".st-key-clip-{fox} video").wait_for()
    page.go_back()
    expect(link(page, fox)).to_be_focused()
    assert page.evaluate(TOP) == before
    assert page.evaluate("() => window.sameTab")
    expect(page).to_have_url(past.url)
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".lib-row")).to_have_count(len(past.ids) - 50)
    expect(page).to_have_url(re.compile(r"\?page=2$"))
    assert page.evaluate(TOP) == 0
    page.go_back()
    expect(page.locator(".lib-row")).to_have_count(50)


def test_it_is_for_everybody_and_columns_are_a_choice_of_wide_windows_that_the_browser_keeps(
    past: SimpleNamespace, open_page: Open
):
    page = open_page(past.few)
    expect(page.locator(".lib-row")).to_have_count(6)
    assert findings(page, ".lib") == []
    page.set_viewport_size({"width": 1920, "height": 1000})
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Model").check()
    page.get_by_label("Shape").check()
    page.keyboard.press("Escape")
    cells = row(page, past.ids[5]).locator(".lib-extra > :visible")
    expect(cells).to_have_text(["Kling 2.6", "16:9"])
    page.reload()
    expect(cells).to_have_text(["Kling 2.6", "16:9"])
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.get_by_role("button", name="Columns")).to_be_hidden()


def test_the_keyboard_is_enough(past: SimpleNamespace, open_page: Open):
    page, (first, second, third) = open_page(past.url), past.ids[4:7]
    link(page, first).focus()
    page.keyboard.press("j")
    assert page.evaluate(FOCUS) == second
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("Shift+J")
    page.keyboard.press("Shift+J")
    chosen = page.locator(".lib-row[data-chosen]")
    expect(chosen).to_have_count(3)
    bar = page.get_by_role("toolbar", name="Selected jobs")
    expect(bar).to_contain_text("3 selected")
    ids = f"ids={first},{second},{third}&form=csv"
    assert (bar.get_by_role("link", name="Export").get_attribute("href") or "").endswith(ids)
    page.keyboard.press("s")
    stars = page.locator(".lib-star[data-mine]")
    expect(stars).to_have_count(3)
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    expect(chosen).to_have_count(0)
    link(page, past.ids[10]).focus()
    for pause in (0, 150):  # presses without a pause, and while nobody takes them
        with past.server.asleep() if pause else nullcontext():
            for _ in range(4):
                page.keyboard.press("s")
                page.keyboard.press("ArrowDown")
                page.wait_for_timeout(pause)
    expect(stars).to_have_count(11)
    link(page, third).focus()
    assert page.evaluate(FOCUS) == third
    for _ in range(4):  # over star, remix and download
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem", name="Open")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")  # on Hide
    expect(row(page, third)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, third)).to_have_count(1)
    link(page, first).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/job\?id={first}$"))
    # The stars were recorded, by whoever has pressed.
    page.goto(f"{past.url}?star=mine")
    expect(page.locator(".lib-row")).to_have_count(11)


def test_fingers_are_enough(past: SimpleNamespace, open_page: Open):
    page, (first, second) = open_page(past.few, **PHONE), past.ids[4:6]
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def middle(job_id: str) -> float:
        row(page, job_id).evaluate("row => row.scrollIntoView({ block: 'center' })")
        box = row(page, job_id).bounding_box()
        assert box is not None
        return box["y"] + 40

    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert row(page, first).evaluate(DOT) == '"· "'
    row(page, first).evaluate(UNNAME)  # as the script leaves it where nobody is named
    assert row(page, first).evaluate(DOT) == "none"
    y = middle(first)
    touch("touchStart", (300, y))
    for x in range(280, 80, -40):
        touch("touchMove", (x, y))
    touch("touchEnd")
    hide = row(page, first).get_by_role("button", name="Hide")
    expect(hide).to_be_in_viewport()
    assert findings_here(page, ".lib") == []
    y = middle(second)
    touch("touchStart", (200, y))
    expect(row(page, second)).to_have_attribute("data-chosen", "")  # after a long press
    touch("touchEnd")
    link(page, first).tap()
    expect(page.locator(".lib-row[data-chosen]")).to_have_count(2)
    page.get_by_role("button", name="Select nothing").tap()
    link(page, first).tap()
    page.wait_for_url(re.compile(rf"/job\?id={first}&person=Bob$"))
