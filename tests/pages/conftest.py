"""A studio behind the pages: its folder, and an account that nobody answers for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kling import ApiKey, Client
from kling.studio.connection import KlingConnection
from kling.studio.ledger.csv_file import LogFile
from kling.studio.service import Studio
from kling.studio.settings import Settings
from pages._ui import context

ROOT = Path(__file__).parents[2]
DEAD = "http://127.0.0.1:9"  # the discard port: nothing listens there


class DeadConnection(KlingConnection):
    """An account whose API cannot be reached."""

    def __init__(self, *, is_sandbox: bool) -> None:
        super().__init__(Client(ApiKey("key"), base_url=DEAD, connect_timeout=1))
        self.is_sandbox = is_sandbox


@pytest.fixture
def writes() -> list[OSError]:
    """Errors that the next writes to the log meet, in turn."""
    return []


@pytest.fixture
def studio(tmp_path: Path, writes: list[OSError]) -> Iterator[Studio]:
    import os

    def write(handle: int, data: bytes) -> int:
        if writes:
            raise writes.pop(0)
        return os.write(handle, data)

    here = Studio(
        Settings(data_dir=tmp_path),
        connection=DeadConnection(is_sandbox=True),
        file=LogFile(tmp_path / "history.csv", write=write),
    )
    context.install(here)
    yield here
    context.install(None)
    here.stop()


@pytest.fixture
def app(studio: Studio) -> AppTest:  # noqa: ARG001 - the page finds the running studio by itself
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=20).run()


def texts(at: AppTest) -> str:
    """Everything that the page says."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "header", "html")
    return "\n".join(str(element.value) for kind in kinds for element in getattr(at, kind))


def press_generate(at: AppTest) -> AppTest:
    return (
        next(button for button in at.button if str(button.key).startswith("composer.generate-")).click().run()
    )
