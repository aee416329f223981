"""For everybody: axe finds nothing serious, the keyboard is enough, readers hear it, nothing has to move."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from kling import CameraControl, Shot, TextToVideo
from kling.studio.jobs import FAILED, PROCESSING, STATES, SUCCEED, WAITING
from kling.studio.prompting.camera_words import move_in_words
from kling.studio.prompting.draft import STORYBOARD, Draft
from tests.e2e.conftest import LONG, Server, on_phone
from tests.e2e.prepared import MINE, Past, cookies, server_of
from tests.e2e.test_compose import choose, panel, prompt, settled
from tests.e2e.test_first_video import order

Open = Callable[..., Page]
Scheme = Literal["light", "dark"]

# As high as the longest page: what is scrolled away cannot be looked at.
DESKTOP: dict[str, Any] = {**MINE, "viewport": {"width": 1400, "height": 4000}}
ON_PHONE = 6000  # pixels

# A colour on its way to another one has no contrast of its own, and neither has what is being drawn again.
# While a dialog is open, the root is 0 pixels high and hides what flows over: axe takes the page for hidden.
STILL = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`*, ::before, ::after { transition: none !important; animation: none !important }
    [data-stale] { opacity: 1 !important }
    html { overflow: visible !important }`);
  document.adoptedStyleSheets.push(sheet);
}"""
AT_REST = """() => document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")
  && !document.querySelector("[data-testid=stAppSkeleton], [data-testid=stSkeleton], [data-stale=true]")"""
SCAN = """([place, rules]) => axe.run(place || document, { resultTypes: ["violations"], ...rules })
  .then((found) => found.violations)"""
COLOURS = {"runOnly": ["color-contrast"]}  # all other rules see no colours
REST = {"rules": {"color-contrast": {"enabled": False}}}
EVERYTHING: dict[str, Any] = {}
IN_SCHEME = """scheme => [...document.querySelectorAll(".stApp")].some(
  (app) => getComputedStyle(app).colorScheme === scheme)"""
SHOWN = (WAITING, FAILED, PROCESSING, SUCCEED)
FOX = TextToVideo(prompt="A red fox in the snow at dawn")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with a past, and the addresses of its states."""
    data = tmp_path_factory.mktemp("past") / "data"
    here = Past(data)
    refused = {"code": "1301", "message": "Kling refused the prompt.", "request_id": "r-1"}
    batch = [here.task(state, FOX, batch="b1") for state in (WAITING, SUCCEED)]
    rest = [here.task(state, FOX) for state in STATES if state not in SHOWN]
    most = [here.task(state, FOX, **(refused if state == FAILED else {})) for state in SHOWN]
    here.template(FOX, title="Fox", category="Animals", teaches="Light", author="Ada")
    storyboard = Draft(
        model="kling-v3",
        prompt=f"A {{red|grey}} fox. {move_in_words(CameraControl(type='simple', config={'zoom': 5.0}))}",
        negative_prompt="blur",
        camera="simple",
        camera_axis="zoom",
        camera_value=5.0,
        variations=True,
        set_cfg_scale=True,
    )
    server = server_of(data)
    server.start()
    yield SimpleNamespace(
        url=server.url,
        tasks=f"{server.url}/{here.draft(Draft(), made=(*most, *batch))}",
        others=f"{server.url}/{here.draft(Draft(), made=(*rest, *batch))}",
        panels=lambda: f"{server.url}/{here.draft(storyboard)}",  # each test changes its own
        problems=f"{server.url}/{here.draft(PROBLEMS)}",
        details=f"{server.url}/job?id={most[-1]}",
    )
    server.close()


PROBLEMS = Draft(
    model="kling-v3",
    negative_prompt="y" * 2600,
    cut=STORYBOARD,
    shots=(Shot(prompt="", duration="3"), Shot(prompt="z" * 600, duration="2")),
)


def findings(page: Page, new: str = "", *, alone: bool = False) -> list[str]:
    """Return what axe finds that is serious or critical, on a large screen and on a phone's.

    Args:
        page: as for `findings_here`.
        new: likewise.
        alone: likewise.
    """
    one, other = _schemes(page)
    found = _scanned(page, one, new, alone=alone)
    with on_phone(page, ON_PHONE):
        phone = [each for scheme in (one, other) for each in _scanned(page, scheme, new, alone=alone)]
    return [*found, *(f"on a phone, {each}" for each in phone), *_scanned(page, other, new, alone=alone)]


def findings_here(page: Page, new: str, *, alone: bool = False) -> list[str]:
    """Return what axe finds that is serious or critical, of colours in the light and in the dark.

    Args:
        page: all of it.
        new: where colours are looked at, if another test has looked at those of the rest: they take seconds.
        alone: nothing else than `new` is looked at, because only that has changed; all that is found counts.
    """
    return [each for scheme in _schemes(page) for each in _scanned(page, scheme, new, alone=alone)]


def _schemes(page: Page) -> tuple[Scheme, Scheme]:
    """Return both, first the one that the page has: it takes half a second to draw it in the other one."""
    return ("dark", "light") if page.evaluate(IN_SCHEME, "dark") else ("light", "dark")


def _scanned(page: Page, scheme: Scheme, new: str, *, alone: bool) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(IN_SCHEME, arg=scheme, polling=100)
    page.wait_for_function(AT_REST, polling=100)
    page.evaluate(STILL)
    scans: list[tuple[str, Mapping[str, Any]]] = [(new, COLOURS)]
    if scheme == "light":
        scans = [(new, EVERYTHING)] if alone or not new else [(new, COLOURS), ("", REST)]
    return [
        f"{scheme}: {rule['id']}: {node['target']}: {node['html'][:200]}: {node['failureSummary']}"
        for scan in scans
        for rule in page.evaluate(SCAN, scan)
        if alone or rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


def tool(page: Page, name: str) -> None:
    page.locator(".st-key-column").get_by_role("button", name=name, exact=True).click()
    settled(page)


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "Start from one of these"), ("history", "is listed here"), ("gallery", "clips appear here")],
)
def test_an_empty_page(shared_server: Server, open_page: Open, name: str, words: str):
    page = open_page(f"{shared_server.url}/{name}", **DESKTOP)
    page.get_by_text(words).wait_for()
    assert findings(page) == []


def test_tasks_in_every_state(past: SimpleNamespace, open_page: Open):
    page = open_page(past.tasks, **DESKTOP)
    mine = page.get_by_role("region", name="This session").locator(".stage-thumb")
    expect(mine).to_have_count(len(SHOWN) + 1)
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(2)
    assert findings(page) == []
    page.goto(past.others)
    expect(mine).to_have_count(len(STATES) - len(SHOWN) + 1)
    for number in range(mine.count()):
        mine.nth(number).click()
        expect(mine.nth(number)).to_have_attribute("aria-current", "true")
        settled(page)
        place = "" if number == 0 else ".st-key-stage"
        assert findings_here(page, place, alone=bool(place)) == [], number


def test_every_panel_of_the_form(past: SimpleNamespace, open_page: Open):
    page = open_page(past.panels(), **DESKTOP)
    for name, shown in (
        ("camera", "A free preview, drawn here."),
        ("variations", "ticked"),
        ("more", "Also make a watermarked file"),
        ("guide", "Ideas: scene"),
    ):
        panel(page, name).get_by_text(shown).first.wait_for(timeout=LONG)
        place = "" if name == "camera" else f".st-key-panel-{name}"
        assert findings(page, place, alone=bool(place)) == [], name
    page.get_by_role("button", name="Ideas: scene").click()
    page.get_by_role("radiogroup", name="Add to scene").wait_for()
    assert findings(page, "[data-testid=stPopoverBody]", alone=True) == []
    page.keyboard.press("Escape")
    panel(page, "avoid").get_by_label("Negative prompt").wait_for()
    choose(page, "How the video is described", "Storyboard")
    page.get_by_label("Shot 1", exact=True).wait_for()
    assert findings(page, ".st-key-fields") == []
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("textbox", name="Storyboard as text").wait_for()
    page.get_by_text("A free preview, drawn here.").wait_for(timeout=LONG)
    assert findings(page, "[data-testid=stPopoverBody]", alone=True) == []


def test_problems_at_their_fields(past: SimpleNamespace, open_page: Open):
    page = open_page(past.problems, **DESKTOP)
    page.get_by_role("button", name=re.compile("^Generate")).click()
    page.get_by_text("Nothing was sent: fix the marked fields.").wait_for()
    about_the_api = re.compile("could not be reached|does not answer")  # one banner, and a second one in time
    expect(page.get_by_role("alert").filter(has_not_text=about_the_api)).to_have_count(4)
    expect(page.get_by_role("status").filter(has_text=about_the_api).first).to_be_visible()
    page.mouse.move(0, 0)  # what came above moved another button under it
    assert findings(page) == []


def test_what_opens_over_the_form(past: SimpleNamespace, open_page: Open):
    page = open_page(past.tasks, **DESKTOP | cookies({"studio_person": "Ada"}))
    prompt(page).fill("A grey fox in the snow")
    prompt(page).blur()
    settled(page)
    panel(page, "compare").locator("ins").first.wait_for()
    assert findings(page, ".st-key-panel-compare", alone=True) == []
    dialog = page.get_by_role("dialog")
    tool(page, "Templates")
    for shelf, shown in (
        ("Prompts", "Ramen on a rainy night"),
        ("Styles", re.compile("^Add ")),
        ("Team", "Change Fox"),
    ):
        dialog.get_by_text(shelf, exact=True).click()
        dialog.get_by_role("button", name=shown).first.wait_for()
        assert findings(page, "[role=dialog]", alone=True) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tool(page, "Recent")
    dialog.get_by_role("button", name="Use it").first.wait_for()
    assert findings(page, "[role=dialog]", alone=True) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tool(page, "Export as code")
    dialog.get_by_role("button", name="Copy").first.wait_for()
    assert findings(page, "[role=dialog]", alone=True) == []
    dialog.get_by_role("tab", name="Paste").click()
    dialog.get_by_role("button", name="Fill the form").wait_for()
    assert findings(page, "[role=dialog]", alone=True) == []


def test_history_and_gallery(past: SimpleNamespace, open_page: Open):
    page = open_page(f"{past.url}/history", **DESKTOP)
    page.locator(".lib-row").first.wait_for()
    assert findings(page) == []
    page.goto(past.details)
    page.locator(".st-key-job_player video").wait_for()
    assert findings(page) == []
    page.goto(f"{past.url}/gallery")
    expect(page.locator("[class*=st-key-clip-] > button")).to_have_count(2)
    assert findings(page) == []


HEARD = """() => {
  window.heard = [];
  new MutationObserver(() => document.querySelectorAll("[role=status], [role=alert]").forEach(
    ({ textContent }) => window.heard.push(textContent)
  )).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
FOCUS = """() => {
  const at = document.activeElement;
  return at === document.body ? "" : at.getAttribute("aria-label") || at.textContent || at.tagName;
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if re.search(name, page.evaluate(FOCUS)):
            return
    pytest.fail(f"the Tab key does not lead to {name}")


def test_the_keyboard_alone_is_enough_and_a_reader_hears_what_happens(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url)
    page.get_by_role("button", name=re.compile("^Generate")).wait_for()
    page.evaluate(HEARD)
    tab_to(page, "^Prompt$")
    page.keyboard.type("A keyboard fox")
    tab_to(page, "^Model$")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile("^Kling 2.5 Turbo"))
    # The page has followed:
    expect(page.get_by_role("radiogroup", name="Sound").get_by_role("radio", name="On")).to_be_disabled()
    settled(page)
    assert page.evaluate(FOCUS) == "Model"
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "() => heard.some(words => words.includes('Clip done: A keyboard fox'))", timeout=LONG
    )
    assert "kling-v2-5-turbo" in shared_server.log
    assert page.evaluate(FOCUS) == "Model"
    tab_to(page, "Guide")
    page.keyboard.press("Enter")
    page.get_by_label("Subject").wait_for()
    settled(page)
    assert "Guide" in page.evaluate(FOCUS)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Subject")).to_have_count(0)
    settled(page)
    page.keyboard.press("Shift+Tab")
    while page.evaluate(FOCUS) != "Prompt":
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Alt+ArrowUp")
    expect(prompt(page)).to_have_value("A keyboard fox")
    assert page.evaluate(FOCUS) == "Prompt"


def test_a_clip_does_not_start_by_itself_for_who_wants_less_motion(shared_server: Server, open_page: Open):
    page = open_page(shared_server.url, reduced_motion="reduce")
    order(page, "A fox that stands still")
    clip = page.locator("[class*=st-key-clip-] video")
    expect(clip).not_to_have_attribute("autoplay")
    page.wait_for_function("() => document.querySelector('video')?.readyState === 4")
    assert clip.evaluate("video => video.paused")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
