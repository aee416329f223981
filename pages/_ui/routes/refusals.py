"""Why a request does not pass, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import PlainTextResponse, RedirectResponse, Response

from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages as pages


@dataclass(eq=False)
class Refusal(Exception):
    """Raised where a request is refused.

    Args:
        status: of the answer.
        words: for whoever asks.
        code: with which a socket is closed at its handshake.
        to: where a page leads instead; empty if nowhere.
        set_cookie: a `Set-Cookie` for the answer; empty if there is none.
        title: of the page with a way back that somebody gets who opens an address; empty for bare words.
        is_broken_off: the rest of the request is not read, so the connection ends.
    """

    status: int
    words: str
    code: int = 1008
    to: str = ""
    set_cookie: str = ""
    title: str = ""
    is_broken_off: bool = False

    def answer(self) -> Response:
        """Return the answer to a request."""
        if self.to:
            return RedirectResponse(self.to, 303)
        if self.title:
            back = pages.link(f"{base_path()}/", "Back to the studio")
            return pages.page(self.title, self.words, back, status=self.status)
        return PlainTextResponse(
            self.words, self.status, {"Connection": "close"} if self.is_broken_off else None
        )
