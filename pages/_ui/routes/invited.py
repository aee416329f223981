"""Invitations: a link with which somebody chooses the password of an account, and is signed in."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from kling.studio.identity.errors import BadInvitation, BadPassword, Busy
from kling.studio.identity.passwords import LEAST
from kling.studio.identity.person import Person
from kling.studio.identity.ways import ACCOUNT
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.routes import sign_in_pages as pages
from pages._ui.routes.paths import SIGN_IN
from pages._ui.routes.sign_in_parts import come_in, form_of, hashed, in_words


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    path = f"{base_path()}{SIGN_IN}/invitation/{{token}}"
    return [
        Route(path, in_words(invited), methods=["GET"]),
        Route(path, in_words(accept), methods=["POST"]),
    ]


async def invited(request: Request) -> Response:
    """Ask for the password that somebody was invited to choose."""
    studio, token = context.studio(), request.path_params["token"]
    person = await run_in_threadpool(lambda: studio.state.invitations.look(token))
    return _invitation(token, person) if person else _useless()


async def accept(request: Request) -> Response:
    """Set the password, and let the person in."""
    studio, token, form = context.studio(), request.path_params["token"], await form_of(request)
    invitations = studio.state.invitations
    person = await run_in_threadpool(invitations.look, token)  # before a hash is made for anybody
    if person is None:
        return _useless()
    try:
        note = studio.state.audit.entry(person.user, "accept invitation")
        person = await hashed(studio, lambda: invitations.accept(token, form.get("password", ""), note=note))
    except BadInvitation:
        return _useless()
    except BadPassword as error:
        return _invitation(token, person, wrong=str(error), status=422)
    except Busy as error:
        return _invitation(token, person, wrong=str(error), status=503)
    return await come_in(request, person, ACCOUNT, f"{base_path()}/")


def _invitation(token: str, person: Person, *, wrong: str = "", status: int = 200) -> Response:
    return pages.page(
        f"Welcome, {person.name}",
        "Choose a password for the studio. You are signed in with it at once.",
        pages.alert(wrong),
        pages.new_password(token, person.name, LEAST, wrong=bool(wrong)),
        status=status,
    )


def _useless() -> Response:
    return pages.page(
        "This link cannot be used any more",
        "It works once, and for three days. Ask whoever sent it for a new one.",
        pages.link(f"{base_path()}{SIGN_IN}", "Go to the sign-in", second=True),
        status=404,
    )
