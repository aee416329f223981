"""A free check of the account and of the host of its videos, for *Check the connection*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kling.errors import APIError, KlingError
from kling.studio.connection import Connection

PAGE_SIZE = 30  # tasks that are asked for: one of them may have a video


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of a check, and the sentence that a page shows for it."""

    ok: bool
    message: str


def check_connection(connection: Connection, *, on_answer: Callable[[], None]) -> Check:
    """Ask the account for a few tasks, and the host of its videos for the first bytes of one; both are free.

    The second step is needed because a network may let this machine talk to the API but not to the host of
    the videos, and a video that cannot be fetched is paid for all the same.

    Args:
        connection: the account.
        on_answer: called when the account has answered and accepted the key.
    """
    name = "The sandbox" if connection.is_sandbox else "Kling"
    try:
        client = connection.client()
        page = client.list(page_size=PAGE_SIZE)
    except APIError as error:
        return Check(ok=False, message=f"{error.meaning.what} {error.meaning.remedy} ({error})")
    except KlingError as error:
        return Check(ok=False, message=str(error))
    on_answer()
    url = next((video.url for task in page for video in task.videos), "")
    if not url:
        untried = "" if connection.is_sandbox else " No video is there yet to try the files' host with."
        return Check(ok=True, message=f"{name} answers and accepts the key.{untried}")
    try:
        client.can_fetch(url)
    except KlingError as error:
        return Check(ok=False, message=f"{name} answers, but its videos cannot be fetched. {error}")
    return Check(ok=True, message=f"{name} answers and accepts the key, and its videos can be fetched.")
