"""A studio with a key, against a sandbox program: callbacks, the tasks of the account, a wrong key."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kling import ApiKey, Client, TextToVideo
from kling.sandbox.auth import API_KEY
from kling.studio.jobs import WAITING, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.settings import Settings
from tests.e2e.conftest import PATIENCE, PORTS, Server
from tests.e2e.test_first_video import go_to, order, rows, start_until_it_ends
from tests.e2e.test_running import Kling, program

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
PADDING = "() => getComputedStyle(document.querySelector('.stMainBlockContainer')).paddingTop"

# A toast goes after four seconds, which a busy machine may take to look at it.
NOTE_TOASTS = """() => {
  window.toasts = [];
  const note = (toast) => { if (toast.checkVisibility()) window.toasts.push(toast.innerText); };
  new MutationObserver(() => document.querySelectorAll("[data-testid=stToast]").forEach(note))
    .observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def program_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kling]:
    """A sandbox program that signs its callbacks."""
    folder = tmp_path_factory.mktemp("kling")
    with program(folder, "--pace", "seconds:1", "--callback-secret", SECRET) as here:
        yield here


@pytest.fixture
def kling(program_of_all: Kling) -> Kling:
    """The program, in whose account nothing is."""
    address = f"{program_of_all.url}/_sandbox/reset"
    urllib.request.urlopen(urllib.request.Request(address, method="POST")).close()
    return program_of_all


def told(kling: Kling) -> list[tuple[str, str]]:
    """What the sandbox told of each status, and what it was answered."""
    with urllib.request.urlopen(f"{kling.url}/_sandbox/journal") as answer:
        journal = json.load(answer)
    return [(entry["task_status"], entry["result"]) for entry in journal if "result" in entry]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_order_is_called_back_and_what_others_made_with_the_key_is_chosen_and_taken_in(
    kling: Kling, start_server: Callable[..., Server], open_page: Callable[..., Page]
):
    keys = {"KLINGAI_API_KEY": API_KEY, "KLINGAI_BASE_URL": kling.url, "STUDIO_WEBHOOK_SECRET": SECRET}
    studio = start_server(is_called_back=True, **keys)
    client = Client(ApiKey(API_KEY), base_url=kling.url)
    for maker in ("campaign-1", "campaign-2", f"v{1:024x}"):
        client.create(TextToVideo(prompt="Made elsewhere", external_task_id=maker))
    client.close()
    page = open_page(studio.url)
    order(page, "A fox that calls back")
    page.locator("[class*=st-key-clip-] video").wait_for()
    until(lambda: ("submitted", "ok") in told(kling) and told(kling)[-1] == ("succeed", "ok"))
    assert {result for _, result in told(kling)} == {"ok"}
    (address,) = {row["callback_url"] for row in rows(studio)} - {""}
    assert address == f"http://127.0.0.1:{studio.port}/callbacks"
    assert SECRET not in studio.log

    # The page keeps its looks: a toast of a part of it does not take its style.
    page.goto(f"{studio.url}/spend")
    page.get_by_text("Compare with Kling", exact=True).click()
    page.get_by_role("button", name="Compare now").click()
    page.evaluate(NOTE_TOASTS)
    page.get_by_role("button", name="Take it in").click()
    page.wait_for_function("() => window.toasts.some((each) => each.includes('1 task was taken in'))")
    others = page.locator("[class*=st-key-spend-foreign]")
    others.locator(".dvn-scroller").click(position={"x": 15, "y": 52})  # the newest one's box
    page.get_by_role("button", name="Take in the 1 chosen task").click()
    expect(page.get_by_text(re.compile("1 other task is in the account"))).to_be_visible()
    assert page.evaluate(PADDING) == "52px"
    assert {row["external_task_id"] for row in rows(studio)} >= {f"v{1:024x}"}
    page.goto(f"{studio.url}/gallery")
    expect(page.get_by_role("button", name=re.compile("^Found, without its order"))).to_have_count(2)

    # While a clip cannot be fetched, its link opens in a tab of its own.
    kling.plan(on="clip", fault="expired-url", times=20)
    go_to(page, "Compose")
    order(page, "A fox whose file does not come")
    stage = page.locator(".st-key-stage")
    link = stage.get_by_role("link", name="Open the video at Kling")
    expect(link).to_have_attribute("href", re.compile(f"^{re.escape(kling.url)}/clips/"))
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(stage.get_by_text(re.compile("Not saved yet, (29|30) days left")).first).to_be_visible()


@pytest.mark.parametrize(
    ("secret", "answered"),
    [("", "ok"), ("whsec_YW5vdGhlciBrZXk=", "failed: HTTP 401")],
    ids=["none", "other"],
)
def test_a_task_ends_whatever_the_studio_knows_of_the_secret(
    kling: Kling, tmp_path: Path, secret: str, answered: str
):
    port = PORTS.take()
    account = Settings(credentials=ApiKey(API_KEY), base_url=kling.url).account
    address = f"http://127.0.0.1:{port}/callbacks"
    cells = {**request_cells(TextToVideo(prompt="A fox that calls back")), "callback_url": address}
    ledger = CsvLedger(LogFile(tmp_path / "history.csv"), clock=time.time)
    for state in ("intent", WAITING):
        ledger.append("waits", **{"state": state, "account": account, "person": "Ada", **cells})
    keys = {"KLINGAI_API_KEY": API_KEY, "KLINGAI_BASE_URL": kling.url, "STUDIO_WEBHOOK_SECRET": secret}
    studio = Server(tmp_path, keys, port, is_called_back=True)
    try:
        studio.start()
        until(lambda: any(row["file"] for row in rows(studio)))
        until(lambda: ("submitted", answered) in told(kling))
        if answered == "ok":
            until(lambda: told(kling)[-1] == ("succeed", "ok"))
            assert {result for _, result in told(kling)} == {"ok"}
        assert not secret or secret not in studio.log
    finally:
        studio.close()


def test_a_wrong_key_is_said_in_words_and_the_prompt_stays(
    kling: Kling, start_server: Callable[..., Server], open_page: Callable[..., Page]
):
    server = start_server(KLINGAI_API_KEY="api-key-kling-of-somebody-else", KLINGAI_BASE_URL=kling.url)
    page = open_page(server.url)
    assert page.get_by_role("button", name="Sandbox").count() == 0
    order(page, "A prompt worth keeping")
    expect(page.get_by_role("heading", name="Kling does not accept the key")).to_be_visible()
    expect(page.get_by_text("or cancel it").first).to_be_visible()
    assert page.get_by_text("Nothing was spent").count() == 0  # with this key nobody can look
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("A prompt worth keeping")
    page.get_by_role("button", name="Account", exact=True).click()
    checked = page.get_by_test_id("stPopoverBody").get_by_text("does not know these credentials")
    expect(checked).to_have_count(0)
    page.get_by_role("button", name="Check the connection").click()
    expect(checked).to_be_visible()
    assert "api-key-kling-of-somebody-else" not in page.content()
    assert "api-key-kling-of-somebody-else" not in server.log


def test_settings_that_contradict_each_other_are_said_in_words(tmp_path: Path):
    settings = {"STUDIO_PUBLIC_URL": "https://a.example", "STUDIO_CALLBACK_URL": "https://b.example"}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.items():
            patched.setenv(name, value)
        result = start_until_it_ends(Server(tmp_path / "data"))
    assert result.returncode != 0
    assert "The studio does not start. STUDIO_PUBLIC_URL and STUDIO_CALLBACK_URL" in result.stderr
    assert "Traceback" not in result.stderr
