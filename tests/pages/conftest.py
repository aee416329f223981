"""A studio behind the pages: its folder, and an account that nobody answers for."""

from __future__ import annotations

import html
import json
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import httpcore2
import pytest
from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest, app_test, local_script_runner
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from kling import ApiKey, Client
from kling.studio.connection import KlingConnection
from kling.studio.ledger.csv_file import LogFile
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.studio.state.database import Database
from kling.studio.state.faults import FILE
from pages._ui import context
from pages._ui.session_state import AppState, ComposerState

ROOT = Path(__file__).parents[2]
DEAD = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(autouse=True, scope="session")
def quick_runs() -> Iterator[None]:
    """Do once for all tests what each of them would do anew.

    - A run of `AppTest` compiles the page and looks for components of installed packages: five times as long
      as the page itself takes. It also puts together a runtime of mocks, and looks every millisecond whether
      the page is done.
    - pytest listens to each logger of Streamlit by itself while they do not propagate.
    - A `TestClient` outside of `with` starts a thread with an event loop for each request.
    - Each request to a sign-in provider reads all certificates of the machine.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.split(".")[0] == "streamlit" and isinstance(logger, logging.Logger):
            logger.propagate = True
            if logger.name != "streamlit":
                logger.handlers.clear()
    compiled, certificates = ScriptCache(), httpcore2.default_ssl_context()
    browser = MagicMock()
    look = local_script_runner.require_widgets_deltas

    def wait(runner: LocalScriptRunner, timeout: float) -> None:
        assert runner._script_thread is not None  # noqa: SLF001
        runner._script_thread.join(timeout)  # noqa: SLF001
        look(runner, timeout)

    with pytest.MonkeyPatch.context() as patch, start_blocking_portal() as portal:
        patch.setattr(TestClient, "portal", portal)
        patch.setattr(httpcore2, "default_ssl_context", lambda **_: certificates)
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        patch.setattr(app_test, "MagicMock", lambda **_: SimpleNamespace(get_client=lambda _session: browser))
        patch.setattr(BidiComponentManager, "discover_and_register_components", lambda *_, **__: None)
        yield


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
def rest(request: pytest.FixtureRequest) -> Callable[[float], None]:
    """How the library rests between parts of its work; a test may name what makes another."""
    made: Callable[[], Callable[[float], None]] = getattr(request, "param", lambda: time.sleep)
    return made()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which nothing is, with its tables."""
    path = tmp_path_factory.mktemp("database") / FILE
    Database(path).close()
    return path


@pytest.fixture
def studio(
    tmp_path: Path, writes: list[OSError], database: Path, rest: Callable[[float], None]
) -> Iterator[Studio]:
    import os

    shutil.copy(database, tmp_path)  # to make its tables takes as long as most tests

    def write(handle: int, data: bytes) -> int:
        if writes:
            raise writes.pop(0)
        return os.write(handle, data)

    here = Studio(
        Settings(data_dir=tmp_path),
        connection=DeadConnection(is_sandbox=True),
        file=LogFile(tmp_path / "history.csv", write=write),
        rest=rest,
    )
    context.install(here)
    yield here
    context.install(None)
    here.stop()


def new_tab() -> AppTest:
    """Return a browser's tab that has drawn no page yet; its session can be filled before it does."""
    tab = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120)
    tab.session_state["composer"], tab.session_state["app"] = ComposerState(), AppState()
    return tab


@pytest.fixture
def tab(studio: Studio) -> AppTest:  # noqa: ARG001 - the page finds the running studio by itself
    return new_tab()


@pytest.fixture
def app(tab: AppTest) -> AppTest:
    """The tab with Compose."""
    return tab.run()


def texts(at: AppTest) -> str:
    """Everything that the page says."""
    kinds = ("markdown", "caption", "error", "warning", "info", "success", "title", "header", "html")
    said = (str(element.value) for kind in kinds for element in getattr(at, kind))
    return "\n".join(words for words in said if not words.startswith("<style>"))


def press_generate(at: AppTest) -> AppTest:
    return (
        next(button for button in at.button if str(button.key).startswith("composer.generate-")).click().run()
    )


def stage_of(at: AppTest) -> dict[str, Any]:
    """Return what the script of the stage is told."""
    found = re.search(r'data-stage="([^"]*)"', texts(at))
    assert found
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told


def words_of(at: AppTest) -> str:
    """Return the prompt that stands under the picture of the stage."""
    found = re.search(r'class="stage-prompt"[^>]*>([^<]*)<', texts(at))
    return html.unescape(found[1]) if found else ""


def tiles_of(at: AppTest) -> list[dict[str, Any]]:
    """Return what the script of the wall in Gallery is told of its clips."""
    found = re.search(r'data-wall="([^"]*)"', texts(at))
    assert found
    tiles: list[dict[str, Any]] = json.loads(html.unescape(found[1]))["tiles"]
    return tiles


def rows_of(at: AppTest) -> list[dict[str, Any]]:
    """Return what the script of the list in History is told of its rows; `words` as one text."""
    found = re.search(r'data-list="([^"]*)"', texts(at))
    assert found
    told = json.loads(html.unescape(found[1]))
    rows = [row for day in told["days"] for row in day["rows"]]
    return [{**row, "words": "".join(row["words"]), "line": "".join(row["line"])} for row in rows]
