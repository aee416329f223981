"""A data folder with a past: tasks in every state with their files, drafts of one browser, a team's template.

Its server has a key, and an address at which nobody answers: no task of it moves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from kling import ApiKey, TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import SUCCEED, dump_json, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.prompting.draft import Draft
from kling.studio.settings import Settings
from kling.studio.state.browsers import Browsers
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.faults import FILE
from kling.studio.state.tables import secrets
from kling.studio.state.team_templates import TeamTemplates
from kling.studio.video_check import probe_file
from pages._ui.routes.cookies import BROWSER_COOKIE
from tests.e2e.conftest import Server
from tests.studio.clips import tiny_clip

KEY, NOBODY = "api-key-kling-of-nobody", "http://127.0.0.1:9"  # the discard port
SECRET = "5" * 64  # signs the ids of browsers
COOKIE = Browsers(SECRET.encode()).new()


def cookies(others: Mapping[str, str]) -> dict[str, Any]:
    """Return what gives a new browser context the prepared drafts, and these cookies."""
    common = {"domain": "localhost", "path": "/", "expires": -1, "httpOnly": False, "secure": False}
    given = {BROWSER_COOKIE: COOKIE, **others}
    kept = [{"name": name, "value": value, "sameSite": "Lax", **common} for name, value in given.items()]
    return {"cookies": kept}


MINE = cookies({})


class Past:
    """Writes the folder before its server starts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._account = Settings(credentials=ApiKey(KEY), base_url=NOBODY).account
        self._archive = Archive(data / "videos")
        self._ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
        with self._state() as database, database.write() as connection:
            connection.execute(secrets.insert().values(name="browsers", value=SECRET))
        self._numbers = count(1)

    def task(self, state: str, request: TextToVideo, **cells: str) -> str:
        """Write a task down, with its files if it succeeded; return its id."""
        job_id = f"past{next(self._numbers):04d}"
        if state == SUCCEED:
            path = self._archive.video(job_id)
            tiny_clip(path)
            probe_file(path, self._archive.poster(job_id))
            checked = dump_json({"check": "ok"})  # it would be checked beside the test
            cells = {"file": path.name, "final_unit_deduction": "1.5", "extra": checked, **cells}
        known = {"account": self._account, "person": "Ada", **request_cells(request)}
        self._ledger.append(job_id, **{"state": "intent", **known})
        self._ledger.append(job_id, **{"state": state, **cells})
        return job_id

    def draft(self, draft: Draft, made: tuple[str, ...] = ()) -> str:
        """Keep a draft of this browser; return what the page's address says of it."""
        draft_id = f"{next(self._numbers):020x}"
        owner = Browsers(SECRET.encode()).verify(COOKIE)
        with self._state() as database:
            DraftStore(database, clock=time.time).save(draft_id, owner, fields=draft.to_json(), made=made)
        return f"?draft={draft_id}"

    def template(self, request: TextToVideo, **words: str) -> None:
        """Save a template of the team."""
        with self._state() as database:
            TeamTemplates(database, clock=time.time).add(request, **words)

    @contextmanager
    def _state(self) -> Iterator[Database]:
        with closing(Database(self._data / FILE)) as database:
            yield database


def server_of(data: Path) -> Server:
    """Return the server of such a folder, not started."""
    return Server(data, {"KLINGAI_API_KEY": KEY, "KLINGAI_BASE_URL": NOBODY})
