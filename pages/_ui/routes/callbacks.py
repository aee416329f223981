"""Kling's callbacks. Anybody can send one, so it is only a reason to ask Kling about the task."""

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
from pages._ui.address import base_path

LIMIT = 64 * 1024  # bytes of a body
BODY_TIMEOUT = 10.0  # seconds

log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(base_path() + CALLBACK_PATH, callback, methods=["POST"])]


async def callback(request: Request) -> Response:
    """Ask Kling about the task of a callback; answer 200 for every task, also one that is not in the log."""
    studio = context.studio()
    if not studio.settings.receives_callbacks:
        return Response(status_code=404)
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
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
        log_refusal(str(error))
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


@cache  # logs each reason once, because anybody can send thousands
def log_refusal(reason: str) -> None:
    log.warning("A callback was refused: %s The pages follow their tasks without it.", reason)
