"""The whole line as a person walks it, in headless Chromium on a server of its own."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import LONG, PATIENCE, ROOT, Server, free_port

PLAYING = (
    "() => { const v = document.querySelector('video'); return v && v.videoWidth > 0 && v.currentTime > 0.2 }"
)
RUNNING = re.compile("Queued|Being made")
FACTS = (
    "() => { const v = document.querySelector('video'); return [v.videoWidth, v.videoHeight, v.duration] }"
)


def order(page: Page, prompt: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.get_by_role("button", name=re.compile("^Generate")).click()


def go_to(page: Page, name: str) -> None:
    bar = page.get_by_role("navigation", name="Pages")
    bar.get_by_role("link", name=name).click(delay=150)  # as long as a finger takes
    page.get_by_role("heading", name=name, exact=True).wait_for()


def rows(server: Server) -> list[dict[str, str]]:
    return list(csv.DictReader(server.log.splitlines()))


def jobs_ordered(server: Server) -> set[str]:
    return {row["external_task_id"] for row in rows(server)}


def test_from_a_prompt_to_a_playing_video(
    start_server: Callable[..., Server], open_page: Callable[..., Page]
):
    server = start_server()
    page = open_page(server.url)  # what moves while the clip is drawn would cost more than drawing it
    expect(page.get_by_role("heading", name="Compose")).to_be_visible()
    expect(page.get_by_role("button", name="Sandbox")).to_be_visible()
    order(page, "A red fox")
    expect(page.get_by_text(RUNNING).first).to_be_visible()
    page.locator("[class*=st-key-clip-] video").wait_for(timeout=LONG)  # it is drawn at low priority
    page.emulate_media(reduced_motion="no-preference")
    page.reload()
    page.wait_for_function(PLAYING)  # by itself
    width, height, duration = page.evaluate(FACTS)
    assert (width, height) == (1280, 720)
    assert duration == pytest.approx(5, abs=0.1)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert Path(downloading.value.path()).read_bytes()[4:8] == b"ftyp"
    go_to(page, "History")
    page.get_by_role("link", name="A red fox").wait_for()
    go_to(page, "Gallery")
    (job_id,) = jobs_ordered(server)
    page.locator(f".st-key-clip-{job_id} > button").click()
    page.locator("dialog[open] video").evaluate("video => { video.muted = true; return video.play() }")
    page.wait_for_function(PLAYING)
    states = [row["state"] for row in rows(server) if row["state"]]
    assert states[0] == "intent"
    assert states[-1] == "succeed"


def test_tasks_and_what_was_typed_outlive_tab_server_a_kill_and_the_sandbox(
    start_server: Callable[..., Server], open_page: Callable[..., Page]
):
    server = start_server(SANDBOX_CLIPS="tiny", SANDBOX_PACE="seconds:6")  # time to stop it
    page = open_page(server.url)
    field = page.get_by_label("Prompt", exact=True)
    draft, pictures = "", page.locator("[class*=st-key-clip-] > button")
    for number, sign in enumerate((signal.SIGTERM, signal.SIGKILL)):
        if number:
            go_to(page, "Compose")
        order(page, f"A fox that runs while the server stops by {sign.name}")
        expect(page.get_by_text(RUNNING).first).to_be_visible()
        page.wait_for_url(re.compile("draft="))
        draft = page.url
        page.goto("about:blank")
        server.stop(sign)
        assert sum(row["state"] == "succeed" for row in rows(server)) == number
        server.start()  # nobody visits: the poller goes on by itself
        page.goto(f"{server.url}/gallery")
        expect(pictures).to_have_count(number + 1)
    assert len(jobs_ordered(server)) == 2

    page.goto(draft)
    field.fill("A heron")
    with page.expect_response(lambda answer: "/drafts/" in answer.url and answer.status == 204):
        field.press_sequentially(" in the reeds")
    server.stop()
    shutil.rmtree(server.data / "sandbox")  # it has forgotten everything
    server.start()
    page.locator("[data-test-connection-state=CONNECTED]").wait_for()
    expect(field).to_have_value("A heron in the reeds")
    page.reload()
    expect(field).to_have_value("A heron in the reeds")
    expect(page.locator("[class*=st-key-clip-] video")).to_have_count(1)
    go_to(page, "Gallery")
    pictures.first.click()
    page.locator("dialog[open] video").evaluate("video => { video.muted = true; return video.play() }")
    page.wait_for_function(PLAYING)


def test_four_fast_clicks_are_one_task_that_another_visitor_sees_without_a_reload(
    shared_server: Server, open_page: Callable[..., Page]
):
    before = jobs_ordered(shared_server)
    watcher = open_page(f"{shared_server.url}/gallery")
    page = open_page(shared_server.url)
    page.get_by_label("Prompt", exact=True).fill("Four clicks, one fox")
    page.get_by_role("button", name=re.compile("^Generate")).click(click_count=4, delay=40)
    expect(page.locator(".stage-prompt")).to_have_text("Four clicks, one fox")
    (job_id,) = jobs_ordered(shared_server) - before
    page.locator(f".st-key-clip-{job_id} video").wait_for()
    expect(watcher.locator(f".st-key-clip-{job_id} > button")).to_have_count(1)
    assert jobs_ordered(shared_server) - before == {job_id}
    (task_id,) = {row["task_id"] for row in rows(shared_server) if row["external_task_id"] == job_id} - {""}
    assert task_id


def test_a_second_studio_on_the_same_folder_says_who_has_it_and_does_not_start(shared_server: Server):
    second = Server(shared_server.data)
    result = start_until_it_ends(second)
    assert result.returncode != 0
    assert "belongs to a studio that is running: process" in result.stderr
    assert "STUDIO_DATA_DIR" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    result = start_until_it_ends(Server(tmp_path / "file" / "data"))
    assert result.returncode != 0
    assert "cannot be written" in result.stderr


def start_until_it_ends(server: Server) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, "STUDIO_DATA_DIR": str(server.data)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_server_without_a_public_address_has_no_such_route(shared_server: Server):
    request = urllib.request.Request(f"{shared_server.url}/callbacks", data=b"{}", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)


def test_a_page_elsewhere_cannot_lend_the_server_a_name_of_its_own(shared_server: Server):
    for path in ("/", "/clips/x.mp4", "/live", "/_stcore/stream"):
        request = urllib.request.Request(f"{shared_server.url}{path}", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)
