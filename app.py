"""The launcher: `streamlit run app.py` finds `app` and serves it.

The studio is opened when the server starts, not when somebody visits, so that jobs are followed after a
restart too. Beside the pages the server has the routes of pages/_ui/routes, one module for each kind.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

gc.disable()  # what is imported stays: to look for garbage among it would take a sixth of this time

from kling.studio import logs, server_options  # noqa: E402 - the path comes first
from kling.studio.identity.ways import NoWayIn  # noqa: E402
from kling.studio.ledger import LedgerError  # noqa: E402
from kling.studio.service import FolderTaken, Studio  # noqa: E402
from kling.studio.settings import SettingsError, load  # noqa: E402
from kling.studio.state.records import StateError  # noqa: E402
from kling.studio.systemd import Systemd  # noqa: E402
from pages._ui import context, first_page  # noqa: E402
from pages._ui.address import base_path  # noqa: E402
from pages._ui.routes import (  # noqa: E402
    assets,
    assistant,
    callbacks,
    clips,
    compose_address,
    connections,
    drafts,
    export,
    films,
    gate,
    healthz,
    imports,
    invited,
    live,
    metrics,
    nothing_there,
    old_links,
    page_html,
    pictures,
    posters,
    previews,
    public_files,
    runs,
    share,
    sign_in,
    sign_in_oidc,
    sign_out,
    start_check,
    take_away,
    viewer,
    wall,
)
from pages._ui.routes.request_ids import RequestIds  # noqa: E402

gc.freeze()  # later searches pass over it too
gc.enable()


@contextmanager
def exit_with_message() -> Iterator[None]:
    """Tell the operator what to change, and exit instead of serving a broken app."""
    try:
        yield
    except (SettingsError, FolderTaken, LedgerError, StateError, NoWayIn) as error:
        sys.stderr.write(f"\n  The studio does not start. {error}\n\n")
        sys.stderr.flush()
        os._exit(1)


with exit_with_message():
    settings = load(os.environ, ROOT / ".streamlit" / "secrets.toml", root=ROOT, base=base_path())


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Run the studio for as long as the server runs."""
    connections.prepare_server()
    runs.prepare_runs()
    os.umask(0o077)  # prompts, videos and keys are for the studio's user only
    logs.configure(logs.Form(settings.running, logs.secrets_of(settings)))
    systemd = Systemd(os.environ, monotonic=time.monotonic)
    with exit_with_message():
        studio = Studio(settings, on_alive=systemd.alive)
        start_check.check_start(studio)
    server_options.write_down(settings.data_dir, start_check.server_options())
    studio.start()
    context.install(studio)
    systemd.ready()
    first_page.prepare(studio)
    try:
        yield
    finally:
        systemd.stopping()
        context.install(None)
        await asyncio.to_thread(studio.stop)


app = st.App(
    ROOT / "pages" / "main.py",
    lifespan=lifespan,
    middleware=[Middleware(RequestIds), *gate.middleware(settings)],
    routes=[
        *assets.routes(),
        *assistant.routes(),
        *callbacks.routes(),
        *clips.routes(),
        *compose_address.routes(),
        *old_links.routes(),
        *page_html.routes(),  # after those of compose_address
        *drafts.routes(),
        *export.routes(),
        *films.routes(),
        *healthz.routes(),
        *imports.routes(),
        *invited.routes(),
        *live.routes(),
        *metrics.routes(),
        *pictures.routes(),
        *posters.routes(),
        *previews.routes(),
        *public_files.routes(),
        *share.routes(),
        *sign_in.routes(),
        *sign_in_oidc.routes(),
        *sign_out.routes(),
        *take_away.routes(),
        *viewer.routes(),
        *wall.routes(),
        *nothing_there.routes(),
    ],
)
