"""A data folder with people who are signed in before its server starts, and the cookies of their browsers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kling.studio.identity.roles import Role
from kling.studio.identity.ways import ACCOUNT
from kling.studio.state.shared import SharedState

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
TEAM: Mapping[str, Role] = {"Ada Lovelace": "admin", "Mia Maker": "maker", "Vera Viewer": "viewer"}


@contextmanager
def state_of(data: Path) -> Iterator[SharedState]:
    """Open the state of a folder, as the studio does."""
    data.mkdir(parents=True, exist_ok=True)
    state = SharedState(data, clock=time.time, monotonic=time.monotonic)
    yield state
    state.stop()


def sign_in(data: Path, people: Mapping[str, Role] = TEAM) -> dict[str, list[dict[str, Any]]]:
    """Add these people and begin a session for each; return the cookies of each by name."""
    cookies = {}
    with state_of(data) as state:
        for name, role in people.items():
            person = state.people.add(name, role)
            token = state.sessions.begin(person, ACCOUNT, CHROME)
            cookies[name] = [
                {
                    "name": "studio_session",
                    "value": token,
                    "domain": "localhost",
                    "path": "/",
                    "httpOnly": True,
                }
            ]
    return cookies
