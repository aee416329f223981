"""Headers of every answer: how far a browser may use it."""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from pages._ui.routes.refusals import Refusal

# Pages load nothing from another host, whatever a prompt or an answer contains. Streamlit's components are
# inline scripts and blobs. 'self' stands for the sockets of the same host too.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' data: blob:",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "frame-src 'self' data: blob:",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "; ".join(CONTENT_SECURITY_POLICY),
    "X-Frame-Options": "SAMEORIGIN",  # as frame-ancestors, for older browsers
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ADDED = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Outgoing:
    """The `send` of one answer, which adds the headers. What a route has set itself stays.

    Args:
        send: of the server.
        is_secure: every cookie travels over https only, those of Streamlit too.
    """

    def __init__(self, send: Send, *, is_secure: bool) -> None:
        self._send, self._is_secure = send, is_secure
        self.is_private = True  # no cache that several people share may keep it
        self.set_cookies: list[str] = []
        self.is_started = False
        self.patience: float | None = None  # seconds in which a part has to be taken; None: no end

    async def send(self, message: Message) -> None:
        """Send a message of the answer.

        Raises:
            Refusal: nobody takes it.
        """
        if message["type"] == "http.response.start":
            self.is_started = True
            self._add(MutableHeaders(scope=message))
        if self.patience is None:
            await self._send(message)
            return
        try:
            async with asyncio.timeout(self.patience):
                await self._send(message)
        except TimeoutError:
            raise Refusal(408, "The answer was not taken in time.", is_broken_off=True) from None

    def _add(self, headers: MutableHeaders) -> None:
        has = {name for name, _ in headers.raw}
        headers.raw.extend(pair for pair in _ADDED if pair[0] not in has)
        if self.is_private:
            kept = [part.strip() for part in headers.get("cache-control", "no-store").split(",")]
            if not {"private", "no-store"} & set(kept):
                kept = ["private", *(part for part in kept if part != "public")]
            headers["Cache-Control"] = ", ".join(kept)
        cookies = headers.getlist("set-cookie")
        names = {text.partition("=")[0] for text in cookies}
        cookies += [text for text in self.set_cookies if text and text.partition("=")[0] not in names]
        if cookies:
            del headers["set-cookie"]
        for text in cookies:
            is_open = self._is_secure and "; secure" not in text.lower()
            headers.append("Set-Cookie", f"{text}; Secure" if is_open else text)
