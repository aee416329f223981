"""Signing out: here, or everywhere."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages as pages
from pages._ui.routes.paths import SIGN_IN
from pages._ui.routes.sign_in_parts import answer_of, form_of, in_words, is_local, with_session

SIGN_OUT = "/sign-out"


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    path = f"{base_path()}{SIGN_OUT}"
    return [
        Route(path, in_words(ask_sign_out), methods=["GET"]),
        Route(path, in_words(sign_out), methods=["POST"]),
        Route(f"{path}/everywhere", in_words(sign_out_everywhere), methods=["POST"]),
    ]


async def ask_sign_out(request: Request) -> Response:
    """Ask whether to sign out here or everywhere; a link can only lead to this page."""
    user = answer_of(request).user
    if user is None or is_local(request):
        return RedirectResponse(f"{base_path()}{SIGN_IN}", 303)
    return pages.page(
        "Sign out?",
        f"You are signed in as {user.name}. What you made stays.",
        pages.press(SIGN_OUT, "Sign out"),
        pages.press(f"{SIGN_OUT}/everywhere", "Sign out everywhere", second=True),
        pages.again(f"{base_path()}/", "Back to the studio"),
        note="Everywhere: also in other browsers and on other machines.",
    )


async def sign_out(request: Request) -> Response:
    """End this session."""
    studio, answer, form = context.studio(), answer_of(request), await form_of(request)
    if answer.user and answer.token:
        user = answer.user
        await run_in_threadpool(studio.state.sessions.end, answer.token)
        await run_in_threadpool(studio.state.audit.note, user, "sign out")
    # Not straight to the provider: browsers let a form's redirects lead to this server only (form-action).
    return _signed_out(request, f"{SIGN_IN}?out=1" + ("&other=1" if form.get("other") else ""))


async def sign_out_everywhere(request: Request) -> Response:
    """End all sessions of the person."""
    studio, answer = context.studio(), answer_of(request)
    if answer.user and answer.token:
        user = answer.user
        await run_in_threadpool(studio.state.sessions.end_all, user.id)
        await run_in_threadpool(studio.state.audit.note, user, "sign out everywhere")
    return _signed_out(request, f"{SIGN_IN}?out=1")


def _signed_out(request: Request, to: str) -> Response:
    answer, response = answer_of(request), RedirectResponse(f"{base_path()}{to}", 303)
    if answer.named is not None:  # the ended session's cookie tells that the person wants to stay out
        response.headers["Cache-Control"] = "no-store"
        return response
    return with_session(request, response, "")
