"""Faults on the way: answers that are late, cut, garbled, missing, or not the API's.

Each is a web application that takes the place of the good answer. The faults in body_faults.py are of another
kind: the answer arrives whole, but its JSON is wrong.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request as HTTPRequest
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kling.sandbox.plans import Plan

RAW = frozenset({"reset", "short-body"})
HEADER = "x-sandbox-fault"  # in an answer: the sandbox asks the proxy for a raw fault
PROXY_HEADER = "x-sandbox-proxy"  # in a request: it comes through the proxy
_PIECES = {"slow": 1, "dribble": 8}  # pieces into which a late body is cut


def with_fault(response: Response, plan: Plan, request: HTTPRequest) -> ASGIApp:
    """Return the answer with the fault of a plan; without one it is the response itself.

    Args:
        response: the good answer.
        plan: the plan that was used for the request.
        request: the request that is answered.
    """
    fault = plan.fault or ""
    if fault in _INSTEAD:
        return _INSTEAD[fault]
    if fault in _PIECES:
        return _in_pieces(response, plan.seconds, _PIECES[fault])
    if fault == "truncated-video" and isinstance(response, FileResponse):
        return _half(response)
    if fault in RAW:
        if PROXY_HEADER not in request.headers:
            problem = f"The fault '{fault}' needs the proxy: python -m kling.sandbox.proxy --help"
            return JSONResponse({"code": 5000, "message": problem, "request_id": "no-proxy"}, 500)
        response.headers[HEADER] = fault
    return response


async def _no_answer(_scope: Scope, receive: Receive, _send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


_INSTEAD: dict[str, ASGIApp] = {
    "no-answer": _no_answer,
    "empty": Response(media_type="application/json"),
    "garbage": Response(b'\x00\xff{"code": 0, <<garbage>>', media_type="application/json"),
    "html-404": HTMLResponse("<html><body><h1>404 Not Found</h1></body></html>", 404),
    "html-502": HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502),
    "expired-url": Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="application/xml"),
}


def _in_pieces(response: ASGIApp, seconds: float, pieces: int) -> ASGIApp:
    """Return a response that pauses for some seconds before its head and before each piece of its body."""

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_pieces(message: Message) -> None:
            body = message.get("body", b"")
            size = max(1, -(-len(body) // pieces))
            for start in range(0, len(body) - size, size) if pieces > 1 else ():
                await send({**message, "body": body[start : start + size], "more_body": True})
                await asyncio.sleep(seconds)
                message = {**message, "body": body[start + size :]}
            await send(message)

        await asyncio.sleep(seconds)
        await response(scope, receive, send_pieces)

    return late


def _half(response: FileResponse) -> ASGIApp:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        def read() -> bytes:
            with open(response.path, "rb") as file:  # noqa: PTH123 -- its type is Path or str
                whole = file.read()
            return whole[: len(whole) // 2]

        await Response(await asyncio.to_thread(read), media_type="video/mp4")(scope, receive, send)

    return half
