"""Callbacks of a real sandbox program to the real app, over real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page

from kling.sandbox.auth import API_KEY
from tests.e2e.conftest import PATIENCE, ROOT, Server
from tests.e2e.test_first_video import order, rows, start_until_it_ends

SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """A sandbox program of its own that signs its callbacks; yields its address."""
    command = [
        sys.executable,
        "-m",
        "kling.sandbox",
        "--clips",
        "tiny",
        "--pace",
        "seconds:1",
        "--data",
        str(folder),
    ]
    process = subprocess.Popen(
        [*command, "--callback-secret", SECRET], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("Kling sandbox: ").strip()
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


@contextmanager
def studio(folder: Path, kling: str, **settings: str) -> Iterator[Server]:
    keys = {"KLINGAI_API_KEY": API_KEY, "KLINGAI_BASE_URL": kling}
    server = Server(folder, keys | settings, is_called_back=True)
    server.start()
    try:
        yield server
    finally:
        server.close()


def told(kling: str) -> list[tuple[str, str]]:
    """What the sandbox told of each status, and what it was answered."""
    with urllib.request.urlopen(f"{kling}/_sandbox/journal") as answer:
        journal = json.load(answer)
    return [(entry["task_status"], entry["result"]) for entry in journal if "result" in entry]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("secret", "answered"), [(SECRET, "ok"), ("", "ok"), ("whsec_YW5vdGhlciBrZXk=", "failed: HTTP 401")]
)
def test_a_callback_arrives_and_the_task_ends_either_way(
    tmp_path: Path, open_page: Callable[..., Page], secret: str, answered: str
):
    with (
        sandbox(tmp_path / "kling") as kling,
        studio(tmp_path / "data", kling, STUDIO_WEBHOOK_SECRET=secret) as server,
    ):
        page = open_page(server.url)
        order(page, "A fox that calls back")
        page.locator("[class*=st-key-clip-] video").wait_for()
        until(lambda: ("submitted", answered) in told(kling))
        if answered == "ok":
            until(lambda: told(kling)[-1] == ("succeed", "ok"))
            assert {result for _, result in told(kling)} == {"ok"}
        (address,) = {row["callback_url"] for row in rows(server)} - {""}
        assert address == f"http://127.0.0.1:{server.port}/callbacks"
        assert not secret or secret not in server.log


def test_settings_that_contradict_each_other_are_said_in_words(tmp_path: Path):
    settings = {"STUDIO_PUBLIC_URL": "https://a.example", "STUDIO_CALLBACK_URL": "https://b.example"}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.items():
            patched.setenv(name, value)
        result = start_until_it_ends(Server(tmp_path / "data"))
    assert result.returncode != 0
    assert "The studio does not start. STUDIO_PUBLIC_URL and STUDIO_CALLBACK_URL" in result.stderr
    assert "Traceback" not in result.stderr
