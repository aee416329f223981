"""What people write, and what answers of the API say, is shown as it was written, everywhere it is shown."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NothingCame

from kling import Shot, TextToVideo
from kling.studio.jobs import FAILED, SUCCEED, WAITING
from kling.studio.orders import PERSON_LIMIT
from kling.studio.prompting.draft import STORYBOARD, Draft
from pages._ui.library.row_facts import LONGEST
from tests.e2e.conftest import DESKTOP, PHONE, Server, on_phone
from tests.e2e.prepared import Past, cookies, server_of
from tests.e2e.test_compose import close_sheet, panel, settled

Open = Callable[..., Page]

MIXED = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> <b>bold</b> &lt;i&gt; </textarea></style> "
    "![x](http://evil.example/x.png) [a](javascript:alert(3)) **two** __under__ `code` # head :red[no] "
    ":tada: :material/star: :streamlit: a -> b <- c -- d >= e www.evil.example eve@evil.example "
    "$a_b$ $$x^2$$ for $5 or $6 \u202eright to left\u202c \u2067שלום\u2069 "
    "👩\u200d👩\u200d👧 🎬 'single' \"double\""
)
# Without a place to break, with forty marks on one letter, in each part of it that is shown.
STRETCHED = ("e" + "\u0301" * 39 + "Donaudampfschiff" * 6) * 18
SHOWS = """(all) => {
  window.missing = all.filter(([place, text]) => ![...document.querySelectorAll(place)].some((element) =>
    [element.textContent, element.value, element.getAttribute("aria-label")].some((shown) =>
      (shown ?? "").replaceAll("\u2060", "").includes(text))));
  return !missing.length;
}"""
UPRIGHT = """() => [document.documentElement, ...document.querySelectorAll(".stMain, [role=dialog]")]
  .every((element) => element.scrollWidth <= element.clientWidth + 1)"""
INJECTED = (
    "#root script, img[src*=evil], img[src=x], a[href*=javascript], a[href*=evil], .katex, b:text-is('bold')"
)


def shows(page: Page, *shown: tuple[str, str]) -> None:
    """Wait until the page shows texts as they were written; nothing lies beside the screen.

    A page that was opened on a large screen is looked at on a phone's too.

    Args:
        page: that shows them.
        shown: a place (one of its elements has to show it) and a text, for each.
    """

    def look() -> None:
        try:
            page.wait_for_function(SHOWS, arg=shown, polling=100)  # not at each frame
        except NothingCame:
            pytest.fail(f"the page does not show {page.evaluate('missing')}")
        page.wait_for_function(UPRIGHT, polling=100)

    look()
    if page.viewport_size == DESKTOP:
        with on_phone(page):
            look()


def tool(page: Page, name: str) -> None:
    page.locator(".st-key-column").get_by_role("button", name=name, exact=True).click()
    settled(page)


class Written:
    """What is in the folder of one text, and the page's addresses of it."""

    def __init__(self, past: Past, text: str) -> None:
        self.text, self.name = text, text[:PERSON_LIMIT]
        person, request = {"person": self.name}, TextToVideo(prompt=text, negative_prompt=text)
        shots = (Shot(prompt=text[:512], duration="3"), Shot(prompt=text[:512], duration="2"))
        cut: dict[str, Any] = {"multi_shot": True, "shot_type": STORYBOARD, "multi_prompt": shots}
        self.batch = f"b{len(text)}"
        batch = [past.task(state, request, batch=self.batch, **person) for state in (WAITING, SUCCEED)]
        self.waiting = past.task(WAITING, request, message=text, **person)
        board = TextToVideo(prompt="", model_name=text, **cut)
        self.failed = past.task(FAILED, board, task_status_msg=text, **person)
        self.done = past.task(SUCCEED, request, message=text, **person)
        past.template(request, title=text[:80], category=text[:40], teaches=text[:300], author=self.name)
        form = Draft(
            model="kling-v3", prompt=f"before {text}", negative_prompt=text, cut=STORYBOARD, shots=shots
        )
        self.form = past.draft(form, (self.done, self.failed, self.waiting, *batch))
        self.table = past.draft(Draft(prompt=text, variations=True))


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Written]]]:
    data = tmp_path_factory.mktemp("hostile") / "data"
    past = Past(data)
    written = {text: Written(past, text) for text in (MIXED, STRETCHED)}
    server = server_of(data)
    server.start()
    yield server, written
    server.close()


@pytest.fixture
def visit(open_page: Open) -> Iterator[Open]:
    """Open a page as the person with this name, on which no text may run as a script or become a picture."""
    with ExitStack() as phones:

        def go(url: str, name: str, **size: Any) -> Page:
            page = open_page(url, **cookies({"studio_person": quote(name)}), **size)
            page.on("dialog", lambda dialog: pytest.fail(f"a text ran as a script: {dialog.message}"))
            if size:
                phones.enter_context(on_phone(page))
            return page

        yield go


every_text = pytest.mark.parametrize(
    ("text", "size"),
    [(MIXED, {}), (STRETCHED, {"viewport": PHONE["viewport"]})],
    ids=["mixed-on-both", "stretched-phone"],
)
Studio = tuple[Server, dict[str, Written]]


@every_text
def test_on_compose_and_in_its_tools(studio: Studio, visit: Open, text: str, size: dict[str, object]):
    server, here = studio[0], studio[1][text]
    page = visit(f"{server.url}/{here.form}", here.name, **size)
    shows(page, ("[class*=st-key-account-] button", here.name), ("[aria-label='Shot 2']", text[:512]))
    panel(page, "avoid")
    shows(page, ("[aria-label='Negative prompt']", text))
    for key, *shown in (
        (here.done, (f".st-key-clip-{here.done} video", text[:200]), (".stage-prompt", text)),
        (here.failed, (".stage-prompt", text[:512]), (".st-key-stage_card", text)),
        (here.batch, (".stage-prompt", text)),
    ):
        page.locator(f".st-key-task-{key} .stage-thumb").evaluate("thumb => thumb.click()")
        shows(page, (f".st-key-task-{key} .stage-thumb", text[:60]), *shown)
    assert page.locator(INJECTED).count() == 0

    panel(page, "guide")
    shows(page, *((".st-key-guide textarea", word) for word in text.split()))
    panel(page, "compare")
    shows(page, (".st-key-compare_prompts", text[:512]))
    close_sheet(page)
    dialog = page.get_by_role("dialog")
    tool(page, "Templates")
    dialog.get_by_text("Team", exact=True).click()
    saved = "[role=dialog] [class*=st-key-saved-]"
    kept = (text[:80].strip(), text[:40].strip(), text[:300].strip(), text, here.name)
    shows(page, *((saved, each) for each in kept))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tool(page, "Recent")
    shows(page, ("[role=dialog] .studio-recent-text", text))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tool(page, "Export as code")
    shows(page, ("[role=dialog] code", '"multi_prompt"'))
    sent = json.loads(page.locator("[role=dialog] code").first.text_content() or "")
    assert [shot["prompt"] for shot in sent["multi_prompt"]] == [text[:512]] * 2
    assert page.locator(INJECTED).count() == 0
    page.goto(f"{server.url}/{here.table}")
    panel(page, "variations")
    shows(page, ("[aria-label=Prompt]", text), ("[data-testid=stDataFrame] td", text))


@every_text
def test_in_history_and_gallery(studio: Studio, visit: Open, text: str, size: dict[str, object]):
    server, here = studio[0], studio[1][text]
    page = visit(f"{server.url}/history", here.name, **size)
    shows(page, (".lib-link", text[:LONGEST]), (".lib-who", here.name))
    for job in (here.done, here.failed, here.waiting):
        page.goto(f"{server.url}/job?id={job}")
        whole = text[:512] if job == here.failed else text  # a shot has no room for more
        shows(page, (".st-key-job_words", whole), (".job-who", here.name))
        assert page.locator(INJECTED).count() == 0
    page.goto(f"{server.url}/gallery")
    name = page.locator(f".st-key-clip-{here.done} > button").get_attribute("aria-label") or ""
    assert name.startswith(" ".join(text.split())[:LONGEST])
    assert here.name in name
    assert page.locator(INJECTED).count() == 0


def test_a_clip_is_served_in_ranges_and_nothing_else_of_the_folder_is(studio: Studio):
    server, here = studio[0], studio[1][MIXED]
    request = urllib.request.Request(f"{server.url}/clips/{here.done}.mp4", headers={"Range": "bytes=0-99"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 206
        assert len(answer.read()) == 100
    for path in ("/clips/../history.csv", "/clips/..%2fhistory.csv", "/clips/history.csv", "/clips/x.mp4"):
        with pytest.raises(urllib.error.HTTPError, match=r"40[04]"):
            urllib.request.urlopen(f"{server.url}{path}")
