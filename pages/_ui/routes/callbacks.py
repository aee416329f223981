"""Where Kling says that a task has changed: a reason to ask Kling, whoever says it, and no more."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import cache

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from kling import webhooks
from kling.studio.settings import CALLBACK_PATH
from pages._ui import context
from pages._ui.live import base_path

LIMIT = 64 * 1024  # bytes of a body
PATIENCE = 10.0  # seconds for a body to arrive

log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(base_path() + CALLBACK_PATH, callback, methods=["POST"])]


async def callback(request: Request) -> Response:
    """Take a callback as a hint; 200 for every task, also one that nobody here knows."""
    studio = context.studio()
    if not studio.settings.public_url:
        return Response(status_code=404)
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _body(request)
    except TimeoutError:
        return Response(status_code=408)
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return Response(status_code=413)
    status = 401
    try:
        if secret := studio.settings.webhook_secret:
            webhooks.verify(secret, request.headers, body, time.time())
        status = 400
        task = webhooks.read(body)
    except webhooks.CallbackRefused as error:
        _note(str(error))
        return PlainTextResponse(str(error), status)
    await run_in_threadpool(studio.poller.wake_for, task.external_task_id, task.task_id)
    return Response(status_code=200)


async def _body(request: Request) -> bytes | None:
    """Return the body, None as soon as it is too long."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            return None
    return bytes(body)


@cache  # once for each reason: anybody can send thousands
def _note(reason: str) -> None:
    log.warning("A callback was refused: %s The pages follow their tasks without it.", reason)
