"""The socket that tells a page of each change."""

from __future__ import annotations

import asyncio
import logging

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages._ui import running
from pages._ui.live import base_path


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [WebSocketRoute(f"{base_path()}/live", live)]


async def live(socket: WebSocket) -> None:
    """Tell a page the studio's version after each change; the page then draws what it needs."""
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
