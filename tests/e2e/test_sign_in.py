"""Signing in with a real browser: by name and password, at a provider, behind a proxy."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.e2e.conftest import CHROMIUM, DESKTOP, LONG, PATIENCE, PHONE, PORTS, ROOT, Server
from tests.e2e.header_proxy import header_proxy
from tests.e2e.team import state_of
from tests.e2e.test_first_video import order, rows

PASSWORD = "correct horse battery"
SECRET = "0123456789abcdef0123456789abcdef"
QUICK = {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1"}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES: dict[str, dict[str, Any]] = {"desktop": {"viewport": DESKTOP}, "phone": PHONE}


@dataclass
class Team:
    """A studio with every way in.

    Args:
        server: of the studio.
        invitation: the link for Ben, who has no password yet.
        behind: the address of the proxy that has signed Dora in.
    """

    server: Server
    invitation: str
    behind: str


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    data = tmp_path_factory.mktemp("team") / "data"
    with state_of(data) as state:
        state.people.add("Anna", "admin", password=PASSWORD)
        token = state.invitations.make(state.people.add("Ben", "maker").id, "Anna")
        none = state.people.from_outside("oidc", "x", "Nils without a role", "none")
        state.sessions.begin(none, "oidc", "")
    port, proxy = PORTS.take(), PORTS.take()
    with (
        provider() as issuer,
        header_proxy(
            proxy,
            port,
            {"X-Forwarded-User": "dora", "X-Studio-Proxy-Secret": SECRET, "X-Forwarded-For": "10.0.0.9"},
        ) as behind,
    ):
        server = Server(
            data,
            {
                **QUICK,
                "STUDIO_PUBLIC_URL": f"http://localhost:{port}",
                "STUDIO_OIDC_ISSUER": issuer,
                "STUDIO_OIDC_CLIENT_ID": "studio",
                "STUDIO_OIDC_CLIENT_SECRET": "secret",
                "STUDIO_OIDC_NAME": "Acme",
                "STUDIO_ROLES_CLAIM": "groups",
                "STUDIO_ROLE_MAKER": "video",
                "STUDIO_USER_HEADER": "X-Forwarded-User",
                "STUDIO_PROXY_SECRET": SECRET,
                "STUDIO_ADMINS": "dora",
            },
            port,
        )
        server.start()
        yield Team(server, f"{server.url}/sign-in/invitation/{token}", behind)
        server.close()
    PORTS.give_back(proxy)


@contextlib.contextmanager
def provider() -> Iterator[str]:
    """Run a provider that lets everybody in as whom they say they are."""
    port = PORTS.take()
    people = [
        {"sub": "carla", "name": "Carla", "email": "carla@acme.example", "groups": ["video"]},
        {"sub": "nils", "name": "Nils", "groups": ["canteen"]},
    ]
    arguments = [text for each in people for text in ("--user-claims", json.dumps(each))]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://localhost:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=10),
            ):
                break
            time.sleep(0.05)
        yield issuer
    finally:
        process.terminate()
        process.wait(PATIENCE)
        PORTS.give_back(port)


@pytest.fixture
def somebody() -> Iterator[Callable[..., Page]]:
    """Open a page in a browser that nobody else uses."""
    contexts: list[tuple[BrowserContext, dict[str, Any]]] = []

    def open_it(url: str, *, viewport: ViewportSize = DESKTOP, **device: Any) -> Page:
        context = CHROMIUM.context(url, **device)
        contexts.append((context, device))
        page = context.new_page()
        page.set_viewport_size(viewport)
        page.goto(url)
        return page

    yield open_it
    for context, device in contexts:
        CHROMIUM.give_back(context, **device)


def enter(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def findings(page: Page) -> list[str]:
    """Return everything that axe finds, in the light and in the dark."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        for rule in page.evaluate("() => axe.run().then((found) => found.violations)"):
            found += [f"{scheme}: {rule['id']}: {node['html'][:200]}" for node in rule["nodes"]]
    return found


def flows_over(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("size", SIZES)
def test_every_page_of_signing_in_is_for_everybody(team: Team, somebody: Callable[..., Page], size: str):
    page = somebody(f"{team.server.url}/sign-in", **SIZES[size])
    assert findings(page) == []
    assert not flows_over(page)
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    enter(page, "Anna", "wrong")
    expect(page.get_by_role("alert")).to_have_text("Name or password is not right. Try again.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Anna")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    assert findings(page) == []
    page.goto(team.invitation)
    expect(page.get_by_label("New password")).to_be_focused()
    assert findings(page) == []
    page.goto(f"{team.server.url}/sign-in/callback?state=x")
    page.get_by_role("alert").wait_for()
    assert findings(page) == []
    page.set_viewport_size({"width": 320, "height": 500})
    assert not flows_over(page)


def test_a_person_with_an_account_comes_in_where_they_wanted_to_go(team: Team, somebody: Callable[..., Page]):
    page = somebody(f"{team.server.url}/history?q=fox", **PHONE)
    enter(page, "anna")
    page.get_by_role("heading", name="History").wait_for()
    assert page.url == f"{team.server.url}/history?q=fox"
    page.goto(f"{team.server.url}/sign-out")
    assert findings(page) == []
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    assert findings(page) == []
    page.goto(f"{team.server.url}/history")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_without_a_script_it_works_too(team: Team, somebody: Callable[..., Page]):
    page = somebody(f"{team.server.url}/sign-out", java_script_enabled=False)
    enter(page, "Anna")
    page.goto(f"{team.server.url}/sign-out")
    expect(page.get_by_text("You are signed in as Anna.")).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")


def test_somebody_without_a_role_takes_another_account(team: Team, somebody: Callable[..., Page]):
    page = somebody(team.server.url)
    page.get_by_role("link", name="Continue with Acme").click()
    page.get_by_role("button", name="nils").click()
    page.get_by_role("heading", name="Nils has no access here").wait_for()
    expect(page.get_by_text("ask Anna")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Use another account").click()
    page.get_by_role("link", name="Continue with Acme").click()
    page.get_by_role("button", name="carla").first.click()
    page.get_by_role("heading", name="Compose").wait_for()


def as_anna(team: Team, page: Page) -> None:
    page.goto(f"{team.server.url}/")
    enter(page, "Anna")


def as_ben(team: Team, page: Page) -> None:
    page.goto(team.invitation)
    page.get_by_label("New password").fill("a few words in a row")
    page.get_by_role("button", name="Set the password and sign in").click()


def as_carla(team: Team, page: Page) -> None:
    page.goto(f"{team.server.url}/")
    page.get_by_role("link", name="Continue with Acme").click()
    page.get_by_role("button", name="carla").first.click()


def as_dora(team: Team, page: Page) -> None:
    page.goto(f"{team.behind}/")


def test_four_people_come_in_by_four_ways_see_each_others_clips_and_leave_all_their_tabs_at_once(
    team: Team, somebody: Callable[..., Page]
):
    ways = {"Anna": as_anna, "Ben": as_ben, "Carla": as_carla, "dora": as_dora}
    # One browser that is given each one's cookies: four would each compile all scripts.
    page, signed_in = somebody(f"{team.server.url}/sign-in"), {}
    for name, way in ways.items():
        page.context.clear_cookies()
        way(team, page)
        page.get_by_role("heading", name="Compose").wait_for()
        order(page, f"A fox for {name}")
        expect(page.locator(".stage-prompt")).to_have_text(f"A fox for {name}")
        page.locator(".stage-tile video").wait_for(timeout=LONG)
        signed_in[name] = page.url.partition("?")[0], page.context.cookies()
    assert {row["person"] for row in rows(team.server) if row["state"] == "intent"} == set(ways)

    for here, cookies in signed_in.values():
        page.context.clear_cookies()
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # as they were read
        page.goto(f"{here}gallery")
        for other in ways:
            expect(page.get_by_role("button", name=re.compile(f", {other}$"))).to_be_visible()
        tab = page.context.new_page()
        tab.goto(f"{here}sign-out")
        tab.get_by_role("button", name="Sign out everywhere").click()
        expect(tab.get_by_role("status")).to_have_text("You are signed out.")
        page.wait_for_url(re.compile("/sign-in"))  # a second, if the machine has time
        page.goto(here)
        assert "/sign-in" in page.url
        tab.close()


def test_the_first_account_switches_signing_in_on_while_the_studio_runs(
    start_server: Callable[..., Server], somebody: Callable[..., Page]
):
    server = start_server(**QUICK)
    page = somebody(server.url)
    page.get_by_role("heading", name="Compose").wait_for()
    result = subprocess.run(
        [sys.executable, "-m", "kling.studio", "people", "add", "Erik", "--role", "admin"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "STUDIO_DATA_DIR": str(server.data)},
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    page.wait_for_url(re.compile("/sign-in"))
    enter(page, "Erik")
    page.get_by_role("heading", name="Compose").wait_for()
