"""The front door: `streamlit run app.py` finds `app` and serves it.

It opens the studio when the server starts, not when somebody visits, so tasks are followed after a restart
that nobody watches. Beside the pages it serves what lies in pages/_ui/routes: one module for each kind.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from kling.studio.ledger import LedgerError  # noqa: E402 - the path comes first
from kling.studio.service import FolderTaken, Studio  # noqa: E402
from kling.studio.settings import SettingsError, load  # noqa: E402
from kling.studio.state.records import StateError  # noqa: E402
from pages._ui import context  # noqa: E402
from pages._ui.live import base_path  # noqa: E402
from pages._ui.routes import callbacks, clips, drafts, live, middleware, posters, previews  # noqa: E402


@contextmanager
def said() -> Iterator[None]:
    """Say in words what an operator has to change, and end: no server that could only say no."""
    try:
        yield
    except (SettingsError, FolderTaken, LedgerError, StateError) as error:
        sys.stderr.write(f"\n  The studio does not start. {error}\n\n")
        sys.stderr.flush()
        os._exit(1)


with said():
    settings = load(os.environ, ROOT / ".streamlit" / "secrets.toml", root=ROOT, base=base_path())


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Hold the studio for as long as the server runs."""
    with said():
        studio = Studio(settings)
    studio.start()
    context.install(studio)
    try:
        yield
    finally:
        context.install(None)
        await asyncio.to_thread(studio.stop)


app = st.App(
    ROOT / "pages" / "main.py",
    lifespan=lifespan,
    middleware=middleware.middleware(settings.public_url),
    routes=[
        *callbacks.routes(),
        *clips.routes(),
        *drafts.routes(),
        *live.routes(),
        *posters.routes(),
        *previews.routes(),
    ],
)
