"""The socket that tells a page of each change of the log."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kling.studio.service import Studio
from pages._ui import context
from pages._ui.address import base_path

HEARTBEAT = 20.0  # seconds; live.js opens another socket after three without a message


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    path = f"{base_path()}/live"
    return [WebSocketRoute(path, live), Route(path, is_signed_in, methods=["GET"])]


async def is_signed_in(_request: Request) -> Response:
    """Answer a page whose socket was closed: the gate refuses this where the session has ended."""
    return Response(status_code=204)


async def live(socket: WebSocket) -> None:
    """Send the studio's version after each change; the page then draws its live parts again."""
    studio = context.studio()
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    await socket.accept()

    def notify() -> None:
        loop.call_soon_threadsafe(changed.set)

    unsubscribe = studio.changes.subscribe(notify)
    sender = asyncio.create_task(_send(socket, studio, changed))
    try:
        if (await socket.receive())["type"] != "websocket.disconnect":
            await socket.close(1003)  # pages say nothing here
    finally:
        unsubscribe()
        sender.cancel()
        await asyncio.wait({sender})


async def _send(socket: WebSocket, studio: Studio, changed: asyncio.Event) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page is closed
        while True:
            changed.clear()
            await socket.send_text(str(studio.changes.version))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), HEARTBEAT)
