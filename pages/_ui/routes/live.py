"""The socket that tells a page of changes, as the script of live parts reads them (live/hub.js)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kling.studio.changes import Follower, News
from kling.studio.service import Studio
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import who_asks

HEARTBEAT = 20.0  # seconds; the script opens another socket after three without a message
PAUSE = 0.2  # seconds between two messages: a batch changes the log many times a second
PAUSE_PER_TAB = 0.004  # with many tabs; all together are sent no more messages then, whatever their number


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    path = f"{base_path()}/live"
    return [WebSocketRoute(path, live), Route(path, is_signed_in, methods=["GET"])]


async def is_signed_in(_request: Request) -> Response:
    """Answer a page whose socket was closed: the gate refuses this where the session has ended."""
    return Response(status_code=204)


async def live(socket: WebSocket) -> None:
    """Tell what has changed, soon after each change, and that the server is there where nothing does.

    An empty message of the page tells that somebody clicks or types there, which is use of the session.
    A page may name the version that it knows (`?since=`); else it hears first that anything may have changed.
    """
    studio = context.studio()
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    await socket.accept()
    known = socket.query_params.get("since", "")
    follower = studio.changes.follow(
        lambda: loop.call_soon_threadsafe(changed.set),
        since=int(known) if re.fullmatch("[0-9]{1,20}", known) else None,
    )
    sender = asyncio.create_task(_send(socket, studio, follower, changed))
    try:
        while (message := await socket.receive()).get("bytes") == b"":
            if who := socket.scope["state"].get("answer"):
                who_asks.is_used(studio, who)
        if message["type"] != "websocket.disconnect":
            await socket.close(1003)  # pages say nothing else here
    finally:
        follower.stop()
        sender.cancel()
        await asyncio.wait({sender})


async def _send(socket: WebSocket, studio: Studio, follower: Follower, changed: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the page is closed
        while True:
            changed.clear()
            tabs = studio.changes.listeners
            await socket.send_text(_message(studio, follower.take(), tabs))
            pause = max(PAUSE, PAUSE_PER_TAB * tabs)
            # All sockets wait for the same moments, so that they are told the same, which is written once.
            await asyncio.sleep(pause - loop.time() % pause)
            at_last = loop.call_later(HEARTBEAT, changed.set)
            await changed.wait()
            at_last.cancel()


@lru_cache(maxsize=4)  # most sockets are told the same at the same time
def _message(studio: Studio, news: News, tabs: int) -> str:
    """Return what a page is told.

    Args:
        studio: the running one.
        news: what has changed since it was told last.
        tabs: how many there are.
    """
    jobs = [studio.ledger.get(name) for name in news.names or ()]
    return json.dumps(
        {
            "version": news.version,
            "jobs": None if news.names is None else sorted(news.names),
            "states": {job.id: job.state for job in jobs if job is not None},
            "running": studio.running,
            "waiting": studio.waiting,
            "tabs": tabs,
        }
    )
