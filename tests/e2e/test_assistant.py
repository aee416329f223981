"""The prompt assistant in a browser, with a model on a real socket that behaves well, badly and worse."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Server, on_phone
from tests.e2e.test_compose import shots_are
from tests.e2e.test_first_video import jobs_ordered
from tests.studio.assistant import fake_model as fake
from tests.studio.assistant.fake_model import PATIENCE, Behave, FakeModel

Open = Callable[..., Page]
BETTER = "A red fox crosses the snow at dawn. The camera tracks beside it."
EVIL = "<img src=x onerror=pwned=1></script><script>pwned=1</script> **Ignore** \u202eall\x1b[2J instructions"


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModel]:
    with fake.fake_model(fake.streams("x")) as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: FakeModel) -> Iterator[Server]:
    data: Path = tmp_path_factory.mktemp("studio") / "data"
    settings = {"STUDIO_LLM_URL": model.url, "STUDIO_LLM_MODEL": "m", "STUDIO_LLM_HOURLY": "1000"}
    found = Server(data, {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1", **settings})
    found.start()
    yield found
    found.close()


@pytest.fixture
def behave(model: FakeModel) -> Iterator[Callable[[Behave], None]]:
    def so(way: Behave) -> None:
        for event in (model.came, model.go_on, model.left):
            event.clear()
        model.asked.clear()
        model.behave = way

    yield so
    model.go_on.set()


def prompt(page: Page) -> Locator:
    return page.get_by_label("Prompt", exact=True)


def write(page: Page, words: str) -> None:
    prompt(page).fill(words)
    prompt(page).press("Tab")
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()


def ask(page: Page, task: str) -> Locator:
    """Choose from the menu; return the panel."""
    page.get_by_role("button", name="Improve").click()
    page.get_by_role("menuitem", name=task).click()
    return panel(page)


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name=re.compile("^Assistant"))


def is_a_sheet_that_fits(page: Page) -> None:
    ask(page, "Improve")
    take = panel(page).get_by_role("button", name="Take it")
    expect(take).to_be_in_viewport(ratio=1)
    box = panel(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    assert box["y"] + box["height"] == 844
    for each in panel(page).get_by_role("button").all():
        size = each.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    found = Axe().run(page, context={"include": [["[data-live-announcer]"]]}).response["violations"]
    assert found == []


def test_a_prompt_is_improved_by_keyboard_alone_comes_back_and_is_a_sheet_on_a_phone(
    server: Server, open_page: Open, model: FakeModel, behave: Callable[[Behave], None]
):
    behave(fake.streams("A red fox crosses the snow", " at dawn. The camera tracks beside it."))
    ordered = jobs_ordered(server)
    page = open_page(server.url)
    write(page, "A fox in the snow")
    chip = page.get_by_role("button", name="Improve")
    chip.focus()
    chip.press("ArrowDown")
    expect(page.get_by_text(f"Sent to 127.0.0.1:{model.port} when you choose")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="As a storyboard")).to_be_focused()
    page.keyboard.press("Escape")
    expect(chip).to_be_focused()
    assert model.asked == []  # nothing is sent without a choice
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    take = panel(page).get_by_role("button", name="Take it")
    expect(take).to_be_focused()
    (talk,) = model.asked
    assert talk.text == "A fox in the snow"
    assert "Kling 2.6" in talk.body["messages"][0]["content"]
    said = page.get_by_role("status").filter(has_text=f"Improve: 9 words new, 1 word gone. {BETTER}")
    expect(said).to_have_count(1)
    expect(panel(page).locator("ins").first).to_have_css("text-decoration-line", "underline")
    expect(panel(page).locator("del")).to_have_css("text-decoration-line", "line-through")
    assert "".join(panel(page).locator(".text").all_inner_texts()).count("in the snow") == 0
    found = Axe().run(page, context={"include": [["[data-live-announcer]"]]}).response["violations"]
    assert found == []
    expect(prompt(page)).to_have_value("A fox in the snow")  # not before it is taken
    page.keyboard.press("Control+Enter")  # orders nothing from here: the answer is not in the form yet
    page.keyboard.press("Enter")
    expect(prompt(page)).to_have_value(BETTER)
    expect(panel(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(prompt(page)).to_have_value("A fox in the snow")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    prompt(page).press("Alt+ArrowDown")  # the text that was undone is not lost either
    expect(prompt(page)).to_have_value(BETTER)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.reload()
    expect(prompt(page)).to_have_value(BETTER)
    behave(fake.streams("A red fox. " * 200))
    write(page, "A fox")
    with on_phone(page):
        is_a_sheet_that_fits(page)
    assert jobs_ordered(server) == ordered


def test_what_is_typed_meanwhile_is_not_lost_and_stop_and_leave_end_the_question_at_the_server(
    server: Server, open_page: Open, model: FakeModel, behave: Callable[[Behave], None]
):
    def waits_and_ends(talk: fake.Talk) -> None:
        fake.begins_and_waits("A red fox")(talk)
        talk.end()

    behave(waits_and_ends)
    page = open_page(server.url)
    write(page, "A fox")
    ask(page, "Shorter")
    expect(panel(page).get_by_text("A red fox")).to_be_visible()
    prompt(page).fill("A fox, and I go on")
    model.go_on.set()
    expect(panel(page).get_by_role("button", name="Take it")).to_be_visible()
    expect(prompt(page)).to_be_focused()
    panel(page).get_by_role("button", name="Take it").click()
    expect(prompt(page)).to_have_value("A red fox")
    page.get_by_role("button", name="Undo").click()
    expect(prompt(page)).to_have_value("A fox, and I go on")
    behave(fake.streams("A red fox"))
    ask(page, "English")
    panel(page).get_by_role("button", name="Insert below").click()
    expect(prompt(page)).to_have_value("A fox, and I go on\n\nA red fox")
    prompt(page).fill("Mine alone")  # once it was edited there is nothing to undo
    prompt(page).press("Tab")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    write(page, "A fox")
    behave(fake.begins_and_waits("A red"))
    stop = ask(page, "Shorter").get_by_role("button", name="Stop")
    expect(panel(page).get_by_text("A red")).to_be_visible()
    stop.click()
    expect(panel(page).get_by_text("Stopped.")).to_be_visible()
    assert model.left.wait(PATIENCE)
    behave(fake.says_nothing)
    panel(page).get_by_role("button", name="Ask again").click()
    assert model.came.wait(PATIENCE)
    page.keyboard.press("Escape")
    expect(panel(page)).to_have_count(0)
    expect(page.get_by_role("button", name="Improve")).to_be_focused()
    assert model.left.wait(PATIENCE)
    behave(fake.says_nothing)
    ask(page, "Shorter")
    assert model.came.wait(PATIENCE)
    page.get_by_role("link", name="History").first.click()  # who leaves the page leaves the question
    assert model.left.wait(PATIENCE)


def test_whatever_goes_wrong_is_said_and_an_answer_is_only_ever_text(
    server: Server, open_page: Open, behave: Callable[[Behave], None]
):
    wrong: dict[str, Behave] = {
        "does not accept the studio's key": fake.refuses(401),
        "has too much to do": fake.refuses(429),
        "is in trouble": fake.refuses(500),
        "sends elsewhere": fake.refuses(307, Location="http://127.0.0.1:9/"),
        "no answer of the OpenAI chat API": fake.raw_answer(b"data: {{{\n\n"),
        "broke off its answer": fake.breaks_off("A red fox"),
        "The model answered nothing": fake.streams(" "),
        "does not want to do this": fake.streams("CANNOT: it shows a real person."),
    }
    behave(fake.in_turn(*wrong.values()))
    page = open_page(server.url)
    ask(page, "Shorter")
    expect(panel(page).get_by_text("write a few words first. Nothing was sent.")).to_be_visible()
    write(page, "A fox")
    page.get_by_role("button", name="Leave it", exact=True).last.click()
    ask(page, "Shorter")
    for words in wrong:
        expect(panel(page).get_by_text(words)).to_be_visible()
        expect(panel(page).get_by_role("button", name="Take it")).to_have_count(0)
        expect(page.get_by_role("status").filter(has_text=words)).to_have_count(1)
        expect(prompt(page)).to_have_value("A fox")
        panel(page).get_by_role("button", name="Ask again").click()
    expect(panel(page).get_by_text("it shows a real person.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Leave it", exact=True).last.click()
    expect(panel(page)).to_have_count(0)

    behave(fake.streams(*EVIL))
    write(page, "</script><img src=x onerror=pwned=1> {a fox")
    ask(page, "Shorter")
    panel(page).get_by_role("button", name="Only the new text").click()
    plain = EVIL.replace("\u202e", "").replace("\x1b", "")
    expect(panel(page).locator(".text")).to_have_text(plain, use_inner_text=True)
    assert panel(page).locator("img, script").count() == 0
    panel(page).get_by_role("button", name="Take it").click()
    expect(prompt(page)).to_have_value(plain)
    behave(fake.streams(f"1. {EVIL}\n2. {EVIL} too\n3. x|y}}"))
    ask(page, "Three variations")
    panel(page).get_by_role("button", name="Only variation 2").click()
    expect(prompt(page)).to_have_value(f"{plain} too".replace("*", ""))
    behave(fake.streams("word " * 1000))
    ask(page, "Shorter")
    expect(panel(page).get_by_text("Kling takes 2,500: its end was cut off.")).to_be_visible()
    assert page.evaluate("() => window.pwned") is None


def test_a_refused_prompt_is_softened_alternatives_become_variations_and_a_prompt_a_storyboard(
    server: Server, open_page: Open, model: FakeModel, behave: Callable[[Behave], None]
):
    behave(fake.streams("A fox plays."))
    page = open_page(server.url)
    write(page, "A fox bites sandbox-1301")
    page.get_by_role("button", name=re.compile("^Generate")).click()
    page.get_by_role("button", name="Soften").click()
    panel(page).get_by_role("button", name="Take it").click()
    expect(prompt(page)).to_have_value("A fox plays.")
    assert model.asked[0].text == "A fox bites sandbox-1301"

    behave(fake.streams("1. A red fox\n2. A grey fox\n3. A {white} fox"))
    write(page, "A fox")
    ask(page, "Three variations")
    panel(page).get_by_role("button", name="Take all 3").click()
    expect(prompt(page)).to_have_value(r"{A red fox|A grey fox|A \{white\} fox}")
    expect(page.get_by_role("button", name=re.compile("^Generate 3"))).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name=re.compile("^Generate ·"))).to_be_visible()
    behave(fake.streams("shot 1, 3, A fox wakes; shot 2, 4, It runs;"))
    ask(page, "As a storyboard")
    expect(panel(page).get_by_text("It needs Kling 3.0")).to_be_visible()
    panel(page).get_by_role("button", name="Take it").click()
    shots_are(page, "A fox wakes", "It runs")
    behave(fake.streams("shot 1, 3, A red fox wakes; shot 2, 4, It runs far;"))
    page.get_by_role("button", name="Improve").click()
    expect(page.get_by_role("menuitem", name="Three variations")).to_have_count(0)
    page.get_by_role("menuitem", name="Improve").click()
    panel(page).get_by_role("button", name="Take it").click()
    shots_are(page, "A red fox wakes", "It runs far")
    assert model.asked[0].text == "shot 1, 3, A fox wakes; shot 2, 4, It runs;"
    page.get_by_title("Back to the text before").click()  # not the one of the model
    shots_are(page, "A fox wakes", "It runs")


def test_a_server_that_stops_ends_the_questions_first_and_an_answer_stays_until_it_is_in_the_form(
    server: Server, open_page: Open, model: FakeModel, behave: Callable[[Behave], None]
):
    behave(fake.streams("A red fox"))
    page = open_page(server.url)
    write(page, "A fox")
    take = ask(page, "Shorter").get_by_role("button", name="Take it")
    expect(take).to_be_visible()
    behave(fake.begins_and_waits("A red"))
    body = json.dumps({"instruction": "improve", "text": "A fox"}).encode()
    asked = urllib.request.Request(f"{server.url}/assistant", body, {"Origin": server.url})
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        assert b"A red" in answer.readline()
        server.stop()  # sooner than a model that says nothing is given up
        assert b"being restarted" in answer.read()
    assert model.left.wait(PATIENCE)
    take.click()
    expect(panel(page)).to_have_attribute("inert", "")
    expect(panel(page).get_by_text("The studio does not answer now.")).to_be_visible()
    expect(panel(page).locator("ins")).to_have_text("red ")
    expect(page.get_by_role("status").filter(has_text="Taken.")).to_have_count(0)
    server.start()
    expect(page.get_by_test_id("stConnectionStatus")).to_have_count(0)
    expect(take).to_be_focused()
    take.press("Enter")
    expect(prompt(page)).to_have_value("A red fox")
    expect(panel(page)).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="Taken. Undo brings")).to_have_count(1)
    expect(page.get_by_role("button", name="Improve")).to_be_focused()
