"""Compose in a real browser: nothing typed is lost, one key orders, and a link gives a colleague a copy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.e2e.conftest import Server, on_phone
from tests.e2e.test_first_video import go_to, jobs_ordered, order, rows

AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"
SHOTS = """texts => {
  const shots = [...document.querySelectorAll("textarea[aria-label^='Shot ']")];
  const named = new Map(shots.map((shot) => [shot.ariaLabel, shot.value]));
  return named.size === shots.length && shots.length === texts.length
    && texts.every((text, index) => named.get(`Shot ${index + 1}`) === text);
}"""
KEEP = """(prompt) => {
  const { draft: id, owner } = document.querySelector("[data-draft]").dataset;
  sessionStorage.setItem("studio_kept", JSON.stringify({ id, owner, texts: { prompt } }));
}"""
AT_LEISURE = """() => {
  const { saving, sent, texts } = window.__studioAutosave;
  return !saving && !Object.keys({ ...sent, ...texts }).length;
}"""
DRAFT = re.compile(r"[?&]draft=([0-9a-f]{20})")


def prompt(page: Page) -> Locator:
    return page.get_by_label("Prompt", exact=True)


def kept(page: Page) -> None:
    """Wait until the server has kept what was typed last."""
    with page.expect_response(lambda answer: "/drafts/" in answer.url and answer.status == 204):
        prompt(page).press_sequentially(" ")


def settled(page: Page) -> None:
    page.locator(AT_REST).wait_for()


def shots_are(page: Page, *texts: str) -> None:
    """Wait until a storyboard has these shots. While it changes, two of them can have the same name."""
    page.wait_for_function(SHOTS, arg=list(texts), polling=50)


def close_sheet(page: Page) -> None:
    """Close the panel that is open, where it lies over the form: on a phone."""
    close = page.locator(".st-key-panels").get_by_role("button", name="Close", exact=True)
    if close.is_visible():
        close.click()
        settled(page)


def panel(page: Page, name: str) -> Locator:
    """Open a panel of the form, which closes another one; return what is in it."""
    close_sheet(page)
    page.locator(f".st-key-composer-panel_{name} button").click()
    inside = page.locator(f".st-key-panel-{name}")
    inside.wait_for()
    settled(page)
    return inside


def choose(page: Page, group: str, option: str) -> None:
    page.get_by_role("radiogroup", name=group, exact=True).get_by_text(option, exact=True).click()


def called(name: str) -> Any:
    """Return the cookie of a browser that knows this name of its person."""
    return {"name": "studio_person", "value": quote(name), "domain": "localhost", "path": "/"}


def draft_id(page: Page) -> str:
    page.wait_for_url(DRAFT)
    found = DRAFT.search(page.url)
    assert found
    return found[1]


def test_text_is_counted_while_typed_survives_a_reload_unsent_and_a_link_gives_a_colleague_a_copy(
    shared_server: Server, open_page: Callable[..., Page]
):
    page = open_page(f"{shared_server.url}/gallery")
    page.goto(shared_server.url)
    first = draft_id(page)
    count, note = page.locator("[data-count=prompt]"), page.locator(".studio-unkept")
    prompt(page).fill("🦊" * 2501)  # without leaving the field
    expect(count).to_have_text("2,501 / 2,500: shorten it by 1")
    prompt(page).fill("e" + "\u0301" * 2499)
    expect(count).to_have_text("2,500 / 2,500")
    prompt(page).fill("x" * 70_000)
    expect(note).to_contain_text("too long to be kept on the server")
    with page.expect_response(lambda answer: "/drafts/" in answer.url) as kept_again:
        prompt(page).fill("A short fox")
    assert kept_again.value.status == 204
    expect(note).to_be_hidden()
    with page.expect_response("**/drafts/*"):
        prompt(page).fill("")
    page.wait_for_function(AT_LEISURE)  # else a page that goes keeps this
    page.route("**/drafts/*", lambda route: route.fulfill(status=503, body="The disk is full."))
    page.evaluate(KEEP, "Typed while the disk was full")  # as a page does that goes
    page.reload()
    expect(prompt(page)).to_have_value("Typed while the disk was full")
    expect(note).to_contain_text("The disk is full.")
    page.unroute("**/drafts/*")
    expect(note).to_be_hidden()
    prompt(page).fill("")
    page.evaluate("() => document.execCommand('insertText', false, 'A \ud83e fox')")  # half of an emoji
    expect(prompt(page)).to_have_value("A \ufffd fox")
    expect(count).to_have_text("7 / 2,500")
    prompt(page).fill("")
    prompt(page).press_sequentially("A heron that nobody sent")
    expect(count).to_have_text("24 / 2,500")
    kept(page)
    theirs = open_page(page.url)
    expect(prompt(theirs)).to_have_value("A heron that nobody sent ")
    expect(theirs.get_by_text("your own copy")).to_be_visible()
    expect(theirs).not_to_have_url(page.url)
    prompt(theirs).fill("Theirs")
    kept(theirs)
    page.reload()
    expect(prompt(page)).to_have_value("A heron that nobody sent ")
    assert draft_id(page) == first
    other = page.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        expect(tab.locator(".studio-unkept")).to_contain_text("open in another tab too")
    other.get_by_role("link", name="History").click()
    expect(note).to_be_hidden()
    other.close()
    page.go_back()  # a draft has no place of its own in the history of the browser
    page.get_by_role("heading", name="Gallery").wait_for()


def walk_from_what_was_written(page: Page, earlier: str) -> None:
    """What was written before a walk is kept too, over a reload."""
    with page.expect_response("**/drafts/*"):
        prompt(page).fill("Written, and not ordered")
    prompt(page).press("Alt+ArrowUp")
    expect(prompt(page)).to_have_value(earlier)
    settled(page)
    page.reload()
    expect(prompt(page)).to_have_value(earlier)
    prompt(page).press("Alt+ArrowDown")
    expect(prompt(page)).to_have_value("Written, and not ordered")
    settled(page)


def walk_from_what_is_kept_late(page: Page, earlier: str, told: list[str | bytes]) -> None:
    """A text that is kept late does not take the place of the one that was walked to.

    Args:
        page: on which `earlier` is the newest prompt.
        earlier: that prompt.
        told: what the page has told the server, and will.
    """
    told.clear()
    on_the_way: list[Route] = []

    def hold_back(route: Route) -> None:
        on_the_way.append(route)
        if len(on_the_way) > 1:
            route.continue_()

    page.route("**/drafts/*", hold_back)
    with page.expect_request("**/drafts/*"):
        prompt(page).fill("Kept late")
    prompt(page).press("Alt+ArrowUp")
    page.evaluate("() => new Promise((then) => setTimeout(then))")  # what the key has started is done
    assert not any(b'"step"' in frame for frame in told if isinstance(frame, bytes))
    on_the_way[0].continue_()
    expect(prompt(page)).to_have_value(earlier)
    settled(page)
    page.unroute("**/drafts/*")
    page.reload()
    expect(prompt(page)).to_have_value(earlier)


def press_in_other_fields(page: Page) -> None:
    """Press what orders where it only applies what was typed."""
    prompt(page).fill("A fox that nobody ordered")
    kept(page)
    page.get_by_role("button", name="Export as code").click()
    page.get_by_role("dialog").get_by_text("Paste", exact=True).first.click()
    pasted = page.get_by_role("dialog").get_by_role("textbox").last
    pasted.fill("not JSON at all")
    pasted.press("Control+Enter")
    settled(page)
    expect(pasted).to_have_value("not JSON at all")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Account of Walker").click()
    page.get_by_label("Your name").fill("Grace")
    page.get_by_label("Your name").press("Control+Enter")
    settled(page)
    page.keyboard.press("Escape")


def test_one_key_orders_from_the_prompt_alone_and_two_walk_through_earlier_prompts_and_lose_nothing(
    shared_server: Server, open_page: Callable[..., Page]
):
    before = jobs_ordered(shared_server)
    page = open_page(shared_server.url, cookies=[called(f"Walker {len(before)}")])
    for words in ("A fox one", "A fox two"):
        prompt(page).fill(words)
        prompt(page).press("Control+Enter")
        expect(page.locator(".stage-prompt")).to_have_text(words)
    assert len(jobs_ordered(shared_server) - before) == 2
    settled(page)
    prompt(page).fill("Not sent yet")
    for key, words in (
        ("Alt+ArrowUp", "A fox two"),
        ("Alt+ArrowUp", "A fox one"),
        ("Alt+ArrowUp", "A fox one"),
        ("Alt+ArrowDown", "A fox two"),
        ("Alt+ArrowDown", "Not sent yet"),
        ("Alt+ArrowDown", "Not sent yet"),
    ):
        prompt(page).press(key)
        expect(prompt(page)).to_have_value(words)
        settled(page)
    told: list[str | bytes] = []

    def note(frame: str | bytes) -> None:
        told.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    walk_from_what_was_written(page, "Not sent yet")
    walk_from_what_is_kept_late(page, "Written, and not ordered", told)
    press_in_other_fields(page)
    order(page, "The one that was ordered")
    expect(page.locator(".stage-prompt")).to_have_text("The one that was ordered")
    assert len(jobs_ordered(shared_server) - before) == 3


def order_two_takes_on_a_phone(page: Page) -> None:
    """Order takes at the price on the button, and watch them."""
    choose(page, "How many", "2")
    button = page.get_by_role("button", name=re.compile(r"^Generate 2 · free"))
    expect(button).to_be_visible()
    order(page, "Two takes")
    page.get_by_role("button", name="Show the clip").click()
    expect(page.locator(".stage-tile[class*=st-key-clip-] video")).to_have_count(2)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_clip_of_the_gallery_fills_the_form_and_takes_are_ordered_and_watched_on_a_phone(
    shared_server: Server, open_page: Callable[..., Page]
):
    before = jobs_ordered(shared_server)
    page = open_page(shared_server.url)
    words = "To be made again"
    order(page, words)
    expect(page.locator(".stage-prompt")).to_have_text(words)
    (parent,) = jobs_ordered(shared_server) - before
    page.locator(f".st-key-clip-{parent} video").wait_for()
    prompt(page).fill("What I was writing meanwhile")
    kept(page)
    go_to(page, "Gallery")
    page.get_by_role("button", name=words).press("Shift+F10")
    page.get_by_role("menuitem", name="Remix").click()
    expect(prompt(page)).to_have_value(words)
    order(page, words + ", again")
    page.locator("[class*=st-key-task-]", has_text=words + ", again").wait_for()
    (made,) = jobs_ordered(shared_server) - before - {parent}
    row = next(row for row in rows(shared_server) if row["external_task_id"] == made)
    assert row["parent"] == parent
    page.get_by_role("button", name="Back to the draft you had").click()
    expect(prompt(page)).to_have_value("What I was writing meanwhile ")
    settled(page)
    before = jobs_ordered(shared_server)
    with on_phone(page):
        order_two_takes_on_a_phone(page)
    assert len(jobs_ordered(shared_server) - before) == 2


def test_a_choice_made_before_the_answer_to_the_last_one_stays(
    shared_server: Server, new_page: Callable[[str], Page]
):
    held: list[str | bytes] = []
    sockets: list[WebSocketRoute] = []
    holding = False

    def hold_back(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server().on_message(answered)

    def answered(message: str | bytes) -> None:
        held.append(message)
        if not holding:
            give(len(held))

    def give(number: int) -> None:
        for _ in range(number):
            sockets[-1].send(held.pop(0))

    def whole() -> bool:
        parts = (ForwardMsg.FromString(each) for each in held if isinstance(each, bytes))
        return any(part.WhichOneof("type") == "script_finished" for part in parts)

    page = new_page(shared_server.url)
    page.route_web_socket(re.compile("/_stcore/stream"), hold_back)
    page.goto(shared_server.url)
    prompt(page).fill("A {red|grey} fox")
    prompt(page).press("Tab")
    make = page.get_by_role("button", name="Send as typed")
    make.wait_for()
    settled(page)
    holding = True
    make.click()
    for _ in range(5_000):
        if whole():
            break
        page.evaluate("0")  # lets what has happened arrive here
    first = len(held)
    ratio = page.get_by_role("radiogroup", name="Shape").get_by_role("radio", name="9:16")
    ratio.click()
    give(first)
    expect(page.get_by_text("The braces are sent as they stand.")).to_be_visible()
    holding = False
    give(len(held))
    settled(page)
    expect(ratio).to_be_checked()
