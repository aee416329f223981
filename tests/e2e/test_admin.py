"""People with roles in a real browser: what they are shown, what happens at once, and that all can use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from kling import TextToVideo
from kling.studio.jobs import STATES, SUCCEED
from tests.e2e.conftest import PORTS, on_phone
from tests.e2e.prepared import Past, server_of
from tests.e2e.team import sign_in, state_of
from tests.e2e.test_accessibility import findings
from tests.e2e.test_compose import prompt, settled

Open = Callable[..., Page]
NAMED = "studio.test"  # that the browser of these tests knows; it is not one of a secure context
HIGH: dict[str, Any] = {"viewport": {"width": 1400, "height": 3000}}
SIDEWAYS = "() => document.documentElement.scrollWidth > innerWidth"
FOX = TextToVideo(prompt="A red fox in the snow at dawn")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with a team, the cookies of its people by name, and its data folder."""
    data = tmp_path_factory.mktemp("team") / "data"
    data.mkdir()
    here, cookies = Past(data), sign_in(data)
    for name in STATES:
        here.task(name, FOX, person="anna b")
    clip = here.task(SUCCEED, FOX, person="Mia Maker")
    with state_of(data) as state:
        for name in ("Zoe", "Yan"):
            state.people.add(name, "viewer")
        state.people.add("Cara Out", "maker", password="correct horse battery")
        gone = state.people.add("Gone", "maker")
        state.people.remove(gone.id)
    server = server_of(data)
    server.port = PORTS.take()
    server.environment["STUDIO_PUBLIC_URL"] = f"http://{NAMED}:{server.port}"
    server.start()
    yield SimpleNamespace(
        url=server.url,
        public_url=server.environment["STUDIO_PUBLIC_URL"],
        cookies=cookies,
        data=data,
        clip=clip,
    )
    server.close()


def hang(_route: Route) -> None:
    """Answer nothing, as a network that is gone."""


def known_at(page: Page, url: str) -> None:
    """Wait until the server knows the session of this browser: it looks for those of other processes."""
    while page.request.get(f"{url}/history", max_redirects=0).status != 200:
        pass


def section(page: Page, name: str) -> None:
    page.locator(".st-key-admin-section").get_by_text(name, exact=True).click()
    settled(page)


def test_a_viewer_has_no_form_and_sees_no_price(team: SimpleNamespace, open_page: Open):
    page = open_page(team.url, cookies=team.cookies["Vera Viewer"], **HIGH)
    expect(page.locator("h1")).to_have_text("History")
    for path in ("", f"/job?id={team.clip}", "/gallery"):
        if path == "/gallery":
            page.get_by_role("link", name="Gallery").click()
            expect(page.locator("h1")).to_have_text("Gallery")
        elif path:
            page.goto(f"{team.url}{path}")
        page.locator("h1").first.wait_for()
        settled(page)
        assert not re.search(r"\$ ?\d|\bUnits?\b", page.locator("body").inner_text()), path
        expect(page.get_by_role("link", name="Compose")).to_have_count(0)
    assert findings(page, ".st-key-bar") == []
    page.goto(f"{team.url}/compose")
    expect(page.get_by_text("Making clips takes the role maker")).to_be_visible()
    expect(page.locator("h1")).to_have_text("History")
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.goto(f"{team.url}/admin")
    expect(page.get_by_text("Ask an admin of the studio")).to_be_visible()


def test_a_prompt_is_copied_also_where_a_browser_has_no_clipboard(
    team: SimpleNamespace, new_page: Callable[[str], Page]
):
    cookie: Any = team.cookies["Ada Lovelace"][0]
    page = new_page(team.url)
    page.context.add_cookies([cookie | {"domain": NAMED}])
    page.goto(f"{team.public_url}/job?id={team.clip}")
    page.get_by_text("Request, answers and ids").click()
    code = page.get_by_test_id("stCode").first
    code.hover()
    assert not page.evaluate("() => isSecureContext")
    code.get_by_role("button", name="Copy to clipboard").click()
    page.get_by_role("navigation", name="Pages").get_by_role("link").filter(has_text="Compose").click()
    prompt(page).focus()
    page.keyboard.press("Control+V")
    expect(prompt(page)).to_have_value(FOX.prompt)


def test_an_open_page_follows_a_role_and_a_session_and_what_was_not_stored_before_comes_back(
    team: SimpleNamespace, open_page: Open
):
    page = open_page(team.url, cookies=team.cookies["Mia Maker"])
    settled(page)
    prompt(page).fill("A fox that comes back")
    prompt(page).blur()
    page.wait_for_url(re.compile(r"\?draft="))
    settled(page)
    draft = page.url
    with state_of(team.data) as state:
        mia = state.people.by_name("Mia Maker")
        assert mia is not None
        state.people.set_role(mia.id, "viewer")
        expect(page.locator("h1")).to_have_text("History")
        state.people.set_role(mia.id, "maker")
        page.get_by_role("link", name="Compose").first.wait_for()
        page.goto(draft)
        expect(prompt(page)).to_have_value("A fox that comes back")
        settled(page)

        page.route("**/drafts/*", hang)
        prompt(page).press("End")
        prompt(page).press_sequentially(" and was typed last")
        state.sessions.end_all(mia.id)
        page.wait_for_url(re.compile(r"/sign-in\?to="))
        page.unroute("**/drafts/*")
        again: Any = {**team.cookies["Mia Maker"][0]}
        again["value"] = state.sessions.begin(mia, "account", "Firefox")
        page.context.add_cookies([again])
        known_at(page, team.url)
        page.goto(team.url)
        page.wait_for_url(draft)
        expect(prompt(page)).to_have_value("A fox that comes back and was typed last")


def test_signing_out_ends_the_session_and_the_draft_comes_back_to_the_same_person(
    team: SimpleNamespace, open_page: Open
):
    page = open_page(f"{team.url}/sign-in")

    def enter() -> None:
        page.get_by_label("Name").fill("Cara Out")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Prompt", exact=True).wait_for()
        settled(page)

    enter()
    prompt(page).fill("A fox that stays")
    page.wait_for_url(re.compile(r"\?draft="))
    settled(page)
    draft = page.url
    page.get_by_role("button", name="Account of Cara Out").click()
    page.get_by_role("button", name="Sign out", exact=True).wait_for()
    expect(page.get_by_label("Your name")).to_have_count(0)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(re.compile("/sign-in"))
    with state_of(team.data) as state:
        cara = state.people.by_name("Cara Out")
        assert cara is not None
        assert state.sessions.of(cara.id) == ()
    enter()
    page.wait_for_url(draft)
    expect(prompt(page)).to_have_value("A fox that stays")


def add_somebody(page: Page) -> None:
    """Add an account: its link is shown, and copied."""
    page.get_by_label("Name", exact=True).fill("New Person")
    page.get_by_role("button", name="Add, and make a link").click()
    link = page.get_by_test_id("stCode").filter(has_text="/sign-in/invitation/")
    expect(link).to_be_visible()
    copy = page.get_by_role("button", name="Copy", exact=True)
    copy.hover()  # its words have another colour then
    assert findings(page, ".st-key-elsewhere_invitation", alone=True) == []
    copy.click()
    page.get_by_role("button", name="Copied").wait_for()
    page.get_by_role("button", name="Done").click()
    expect(link).to_have_count(0)
    expect(page.get_by_text("New Person", exact=True)).to_be_visible()


def export_the_audit(page: Page) -> None:
    """Export it, which is audited too."""
    with page.expect_download() as started:
        page.get_by_role("button", name="Export all as CSV").click()
    text = started.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("id,time,person_id,name,action,thing,details")


def set_a_budget(page: Page) -> None:
    page.get_by_label("A person, a day", exact=True).fill("20")
    page.get_by_role("button", name="Save the limits").click()
    page.get_by_text("Saved.").wait_for()


def test_every_section_can_be_used_by_all_and_budgets_stand_at_the_button(
    team: SimpleNamespace, open_page: Open
):
    page = open_page(f"{team.url}/admin", cookies=team.cookies["Ada Lovelace"], **HIGH)
    acts = {"Audit": export_the_audit, "People": add_somebody, "Budgets": set_a_budget}
    for name, shown in (
        ("Old names", "anna b"),
        ("Audit", "Export all as CSV"),
        ("Health", "Poller"),
        ("Account", "Slots in use"),
        ("Sessions", "Mia Maker"),
        ("People", "Add, and make a link"),
        ("Budgets", "Save the limits"),
    ):
        section(page, name)
        page.get_by_text(shown).first.wait_for()
        place = "" if name == "Old names" else ".st-key-admin"  # the bar with its heading is the same
        found = findings(page, place, alone=bool(place))
        assert [each for each in found if not place or "heading-order" not in each] == [], name
        assert not page.evaluate(SIDEWAYS), name
        with on_phone(page):
            assert not page.evaluate(SIDEWAYS), name
        if name in acts:
            acts[name](page)
    page.goto(f"{team.url}/admin?section=audit")
    expect(page.get_by_role("group", name="The audit").get_by_text("exported").first).to_be_visible()
    page.goto(team.url)
    for place in (".st-key-bar", ".st-key-column"):
        expect(page.locator(place).get_by_text("$0.00 of $20 today")).to_be_visible()
    assert findings(page, ":is(.st-key-bar, .st-key-column)") == []
