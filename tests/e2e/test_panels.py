"""The tools under the prompt in a real browser: the library, the guide, the comparison, the way elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import PHONE, Server
from tests.e2e.test_compose import called, close_sheet, draft_id, panel, prompt, settled
from tests.e2e.test_first_video import jobs_ordered, order

PHONE_DARK: dict[str, Any] = {**PHONE, "color_scheme": "dark"}
HOSTILE = "<img src=x onerror=alert(1)> **a** `b` :red[c] $d$"
NO_CLIPBOARD = "delete Navigator.prototype.clipboard"  # as on a page of plain http


def tool(page: Page, name: str) -> None:
    page.locator(".st-key-column").get_by_role("button", name=name, exact=True).click()


def library(page: Page, shelf: str) -> Locator:
    tool(page, "Templates")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(shelf, exact=True).click()
    return dialog


def write(page: Page, text: str) -> None:
    prompt(page).fill(text)
    prompt(page).blur()
    settled(page)


def test_starting_prompts_and_styles_are_found_and_used_and_the_old_draft_is_one_press_away(
    shared_server: Server, open_page: Callable[..., Page]
):
    page = open_page(shared_server.url, **PHONE_DARK)
    write(page, "What I was writing")
    mine = draft_id(page)
    dialog = library(page, "Prompts")
    cards = dialog.locator("[class*=st-key-composer-use-] button")
    expect(cards).to_have_count(24)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[role=dialog] img')].some(i => i.naturalWidth === 320)"
    )
    search = dialog.get_by_label("Search")
    search.press_sequentially("nothing has this word")
    expect(dialog.get_by_text("None of the starting prompts has all of these words.")).to_be_visible()
    search.fill("ramen")
    expect(cards).to_have_count(1)
    dialog.get_by_role("button", name="Ramen on a rainy night").click()
    expect(dialog).to_be_hidden()
    expect(prompt(page)).to_have_value(re.compile("^A chef lifts noodles"))
    expect(page.get_by_role("button", name=re.compile("^Generate · free$"))).to_be_visible()
    expect(page.get_by_label("Model", exact=True)).to_have_value(re.compile("^Kling 2.6"))
    page.wait_for_function("mine => !location.search.includes(mine)", arg=mine)

    dialog = library(page, "Prompts")
    dialog.get_by_role("button", name="Show all 61").click()
    expect(cards).to_have_count(61)
    macro = dialog.get_by_role("radiogroup", name="Category").get_by_text("Macro", exact=True)
    macro.click()
    dialog.get_by_role("button", name="Perfume on wet stone").wait_for(state="detached")
    expect(dialog.get_by_role("button", name="The heart of a watch")).to_be_visible()
    macro.click()
    dialog.get_by_role("button", name="Sneaker in the desert").click()
    expect(prompt(page)).to_have_value(re.compile("^A single white running shoe"))  # one of its alternatives
    page.get_by_role("button", name="Back to the draft you had").click()
    expect(prompt(page)).to_have_value("What I was writing")  # not the one in between, which nobody touched
    page.wait_for_function("mine => location.search.includes(mine)", arg=mine)
    page.reload()
    expect(prompt(page)).to_have_value("What I was writing")

    library(page, "Styles").get_by_role("button", name="Add Film noir").click()
    expect(prompt(page)).to_have_value(re.compile("^What I was writing. Black and white film noir"))


def test_the_team_saves_uses_renames_and_deletes_and_nobody_overwrites_another(
    shared_server: Server, open_page: Callable[..., Page]
):
    ada = open_page(shared_server.url, cookies=[called("Ada <b>")])
    eve = open_page(shared_server.url, **PHONE_DARK)
    write(ada, f"Saved by Ada {HOSTILE}")
    name = f"{HOSTILE}"
    shelf = library(ada, "Team")
    shelf.get_by_role("button", name="Save for the team").click()
    expect(shelf.get_by_text("Give the template a name.")).to_be_visible()
    shelf.get_by_label("Name", exact=True).fill(name)
    shelf.get_by_label("What it is good for").fill("For trying")
    shelf.get_by_role("button", name="Save for the team").dblclick()
    expect(shelf.get_by_role("button", name=f"Use {name}")).to_be_visible()
    expect(shelf.get_by_label("Name", exact=True)).to_have_value("")

    theirs = library(eve, "Team")
    card = theirs.locator("[class*=st-key-saved-]", has_text=name)
    expect(card).to_contain_text("Ada <b>, ")
    expect(card).to_contain_text("For trying")
    expect(theirs.locator("img")).to_have_count(0)
    card.get_by_role("button", name="Change").click()
    theirs.get_by_role("button", name="Save", exact=True).wait_for()
    theirs.get_by_label("Name", exact=True).fill("Eve's name")

    shelf.get_by_role("button", name=f"Change {name}").click()
    shelf.get_by_role("button", name="Save", exact=True).wait_for()
    shelf.get_by_label("Name", exact=True).fill("Ada's new name")
    shelf.get_by_role("button", name="Save", exact=True).click()
    expect(shelf.get_by_role("button", name="Use Ada's new name")).to_be_visible()

    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs.get_by_text("Ada <b> has changed this template meanwhile")).to_be_visible()
    theirs.get_by_role("button", name="Leave it as it is").click()
    theirs.get_by_role("button", name="Use Ada's new name").click()
    expect(prompt(eve)).to_have_value(f"Saved by Ada {HOSTILE}")

    theirs = library(eve, "Team")
    theirs.get_by_role("button", name="Change Ada's new name").click()
    theirs.get_by_text("Delete it, for everybody").click()
    theirs.get_by_role("button", name="Delete", exact=True).click()
    expect(theirs.get_by_role("button", name="Change Ada's new name")).to_have_count(0)
    expect(theirs.get_by_role("button", name="Save for the team")).to_be_visible()


def test_recent_orders_are_searched_and_come_back_whole_or_as_words(
    shared_server: Server, open_page: Callable[..., Page]
):
    before = jobs_ordered(shared_server)
    # Somebody else each time: equal orders of one person are one row, with the state of the newest.
    page = open_page(shared_server.url, cookies=[called(f"Looker {len(before)}")], **PHONE_DARK)
    words = f"An earlier heron {HOSTILE}"
    page.get_by_role("radiogroup", name="Shape").get_by_role("radio", name="9:16").click()
    panel(page, "avoid").get_by_label("Negative prompt").fill("hands")
    close_sheet(page)
    order(page, words)
    expect(page.locator(".stage-prompt")).to_have_text(words)
    (heron,) = jobs_ordered(shared_server) - before
    page.locator(f".st-key-clip-{heron} video").wait_for(state="attached")  # the list shows it as it is then
    page.get_by_role("radiogroup", name="Shape").get_by_role("radio", name="1:1").click()
    order(page, "An earlier fox")
    expect(page.locator(".stage-prompt")).to_have_text("An earlier fox")
    write(page, "Something else")
    left_at = page.url
    tool(page, "Recent")
    dialog = page.get_by_role("dialog")
    row = dialog.locator("[class*=st-key-recent-v]", has_text="An earlier heron")
    expect(dialog.get_by_text("An earlier fox")).to_be_visible()
    expect(row).to_contain_text("Kling 2.6 · 720p · 5 s · 9:16")
    row.locator("img[data-clip]").wait_for()
    dialog.get_by_label("Search").press_sequentially("heron")
    expect(dialog.get_by_text("An earlier fox")).to_have_count(0)
    row.get_by_role("button", name="Words only").click()
    expect(prompt(page)).to_have_value(words)
    expect(page.get_by_role("radio", name="1:1")).to_be_checked()
    page.get_by_role("button", name="Back to the draft you had").click()
    expect(prompt(page)).to_have_value("Something else")
    expect(page).to_have_url(left_at)
    tool(page, "Recent")
    row.get_by_role("button", name="Use it").click()
    expect(prompt(page)).to_have_value(words)
    expect(page.get_by_role("radio", name="9:16")).to_be_checked()
    expect(page.get_by_role("button", name="Avoid · hands")).to_be_visible()
    expect(page).not_to_have_url(left_at)
    page.reload()  # what was left without an order is found all the same
    tool(page, "Recent")
    left = dialog.locator("[class*=st-key-recent-draft-]")
    expect(left).to_have_count(1)
    expect(left).to_contain_text("Something else")
    left.get_by_role("button", name="Go on with it").click()
    expect(prompt(page)).to_have_value("Something else")


def test_keys_open_the_tools_the_guide_follows_the_prompt_and_a_difference_is_seen_without_colour(
    shared_server: Server, open_page: Callable[..., Page]
):
    page = open_page(shared_server.url)
    page.get_by_role("button", name="Camera · Automatic").focus()
    names = []
    for _ in range(6):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.innerText").split("\n")[-1])
    assert names == [
        "Avoid · nothing",
        "Variations · none",
        "More settings · Automatic",
        "Guide",
        "Compare prompts",
        "Export as code",
    ]
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    guide = page.get_by_role("button", name="Guide", exact=True)
    expect(guide).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Subject", exact=True)).to_be_visible()
    expect(guide).to_be_focused()
    expect(guide).to_have_attribute("aria-expanded", "true")

    write(page, "A heron in the reeds. The camera pans left.")
    camera = page.get_by_label("Camera", exact=True)
    expect(camera).to_have_value("The camera pans left")
    camera.fill("The camera tilts up")
    camera.blur()
    expect(prompt(page)).to_have_value("A heron in the reeds. The camera tilts up.")
    page.get_by_role("button", name="Ideas: movement").click()
    page.get_by_text("It turns slowly around itself").click()
    expect(prompt(page)).to_have_value(
        "A heron in the reeds. It turns slowly around itself. The camera tilts up."
    )
    expect(page.get_by_label("Movement", exact=True)).to_have_value("It turns slowly around itself")
    page.get_by_text("It glides past and is gone").click()  # a second one: the ideas stay open
    expect(page.get_by_label("Movement", exact=True)).to_have_value(
        "It turns slowly around itself. It glides past and is gone"
    )
    page.keyboard.press("Escape")
    write(page, "An old fox.")
    expect(camera).to_have_value("")
    expect(page.get_by_label("Subject", exact=True)).to_have_value("An old fox")
    tool(page, "Guide")
    expect(camera).to_have_count(0)

    order(page, f"A red fox {HOSTILE}")
    expect(page.locator(".stage-prompt")).to_contain_text("A red fox")
    write(page, f"A white fox {HOSTILE}")
    inside = panel(page, "compare")
    expect(inside.locator("del")).to_have_text("red")
    expect(inside.locator("ins")).to_have_text("white")
    expect(inside.locator("del")).to_have_css("text-decoration-line", "line-through")
    expect(inside.locator("ins")).to_have_css("text-decoration-line", "underline")
    expect(inside.get_by_test_id("stHtml")).to_have_text(f"A redwhite fox {HOSTILE}")


def test_each_request_is_copied_on_plain_http_and_downloaded_and_one_that_is_pasted_fills_a_new_draft(
    shared_server: Server, open_page: Callable[..., Page]
):
    page = open_page(shared_server.url, **PHONE_DARK)
    page.evaluate(NO_CLIPBOARD)
    mine = 'A {red|white} "fox" says $HOME `x` <b>snow</b> \\n'
    write(page, mine)
    page.get_by_role("button", name=re.compile("^Generate 2")).wait_for()
    tool(page, "Export as code")
    dialog = page.get_by_role("dialog")
    code = dialog.locator(".st-key-elsewhere_json code")
    expect(code).to_contain_text(r'"prompt": "A red \"fox\"')
    dialog.get_by_label("Which of the 2 that are ticked").fill("2")
    dialog.get_by_label("Which of the 2 that are ticked").press("Enter")
    expect(code).to_contain_text(r'"prompt": "A white \"fox\"')
    paste = dialog.get_by_label("JSON or a cURL command")

    def is_in_clipboard(text: str) -> None:
        dialog.get_by_role("tab", name="Paste").click()
        paste.fill("")
        paste.press("Control+V")
        expect(paste).to_have_value(text)

    for tab, key in (("JSON", "json"), ("cURL", "bash"), ("Python", "python")):
        dialog.get_by_role("tab", name=tab).click()
        box = dialog.locator(f".st-key-elsewhere_{key}")
        with page.expect_download() as downloading:
            box.get_by_role("button", name="Download").click()
        wanted = Path(downloading.value.path()).read_text(encoding="utf-8").strip()
        box.get_by_role("button", name="Copy", exact=True).click()
        expect(box.get_by_role("button", name="Copied")).to_be_visible()
        is_in_clipboard(wanted)
        paste.fill("something else")
        paste.press("Control+A")
        paste.press("Control+C")
        dialog.get_by_role("tab", name=tab).click()
        box.locator("pre").hover()
        box.get_by_role("button", name="Copy to clipboard").click()
        is_in_clipboard(wanted)

    paste.fill('{"prompt": "A fox", "mode": }')
    dialog.get_by_role("button", name="Fill the form").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The JSON cannot be read at line 1")
    expect(paste).to_have_value('{"prompt": "A fox", "mode": }')
    body = {
        "prompt": f"ImportedRequest {HOSTILE}",
        "mode": "pro",
        "model_name": "kling-v2-6",
        "duration": 7,
        "<b>seed</b>": 5,
    }
    paste.fill(f"curl -X POST https://example.com/v1/videos/text2video -d '{json.dumps(body)}'")
    dialog.get_by_role("button", name="Fill the form").click()
    expect(dialog).to_be_hidden()
    expect(prompt(page)).to_have_value(f"ImportedRequest {HOSTILE}")
    expect(page.get_by_role("radio", name="1080p pro")).to_be_checked()
    expect(page.get_by_text("<b>seed</b> is left out: it is not known here.")).to_be_visible()
    expect(page.get_by_text("To fit Kling 2.6: Length 7 s → 5 s.")).to_be_visible()
    page.get_by_role("button", name="Back to the draft you had").click()
    expect(prompt(page)).to_have_value(mine)
    expect(page.get_by_text("is left out")).to_have_count(0)
