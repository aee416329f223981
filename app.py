"""The front door: `streamlit run app.py` finds `app` and serves it.

It opens the studio when the server starts, not when somebody visits, so tasks are followed after a restart
that nobody watches. Beside the pages it serves the clips (with Range) and a socket that tells of changes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from kling.studio.csvlog import LogError  # noqa: E402 - the path comes first
from kling.studio.settings import SettingsError, load  # noqa: E402
from kling.studio.studio import FolderTaken, Studio  # noqa: E402
from pages._ui import running  # noqa: E402
from pages._ui.live import base_path  # noqa: E402

CLIP_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}(\.watermark)?\.(mp4|jpg)")
CLIP_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Hold the studio for as long as the server runs."""
    try:
        settings = load(os.environ, ROOT / ".streamlit" / "secrets.toml", root=ROOT)
        studio = Studio(settings)
    except (SettingsError, FolderTaken, LogError) as error:
        # Words for the operator instead of a traceback, and no server that could only say no.
        sys.stderr.write(f"\n  The studio does not start. {error}\n\n")
        sys.stderr.flush()
        os._exit(1)
    studio.start()
    running.install(studio)
    try:
        yield
    finally:
        running.install(None)
        await asyncio.to_thread(studio.stop)


def clip(request: Request) -> Response:
    """Serve a video or its poster from our own copy; never a path that a request could lead elsewhere."""
    name = request.path_params["name"]
    path = running.studio().archive.folder / name
    if not CLIP_NAME.fullmatch(name) or not path.is_file():
        return Response(status_code=404)
    return FileResponse(path, headers=CLIP_HEADERS)


async def live(socket: WebSocket) -> None:
    """Tell a page the studio's version after each change; the page then draws what it needs."""
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
        await socket.close(1008)
        return
    studio = running.studio()
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    await socket.accept()

    def tell() -> None:
        loop.call_soon_threadsafe(changed.set)

    unsubscribe = studio.subscribe(tell)
    closed = asyncio.create_task(_until_closed(socket))
    try:
        while not closed.done():
            changed.clear()
            await socket.send_text(str(studio.version))
            waiting = asyncio.create_task(changed.wait())
            await asyncio.wait({waiting, closed}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
    except (WebSocketDisconnect, RuntimeError):
        logging.getLogger(__name__).debug("A page has gone.")
    finally:
        closed.cancel()
        unsubscribe()


async def _until_closed(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def host_names() -> list[str]:
    """Return the names under which the server answers: no foreign page may lend it one (DNS rebinding)."""
    if st.get_option("server.address") in {"0.0.0.0", "::", "", None}:  # noqa: S104
        return list(st.get_option("server.allowedHosts")) or ["*"]
    names = (
        "localhost",
        "127.0.0.1",
        st.get_option("server.address"),
        st.get_option("browser.serverAddress"),
    )
    return [*dict.fromkeys(str(name) for name in names if name), *st.get_option("server.allowedHosts")]


app = st.App(
    ROOT / "pages" / "main.py",
    lifespan=lifespan,
    middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=host_names(), www_redirect=False)],
    routes=[
        Route(f"{base_path()}/clips/{{name}}", clip, methods=["GET", "HEAD"]),
        WebSocketRoute(f"{base_path()}/live", live),
    ],
)
