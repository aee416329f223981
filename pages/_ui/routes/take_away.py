"""Clips: `GET /take-away?ids=v1,v2`, with `&form=zip` a ZIP also of one; `?collection=` for all of it.

A page that says how far it is adds `&watch=` and a random text, and asks `/take-away/progress` with that.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kling.studio.curation import CurationError
from kling.studio.identity.roles import NotAllowed
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import StateError
from kling.studio.take_away.bundle import Taken
from kling.studio.take_away.names import words_of
from pages._ui import context
from pages._ui.address import base_path
from pages._ui.current_user import user_of
from pages._ui.taking.progress import Progress

log = logging.getLogger(__name__)

NO_IDS = "Name the clips: /take-away?ids=… with the ids of jobs, and commas between them."
NO_COLLECTION = "There is no such collection, or no clip of it is here."
UNREADABLE = "The clips cannot be read now. Try again in a moment."
_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
_MARK = re.compile("[0-9a-f]{24}")
progress = Progress()


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    base = base_path()
    return [
        Route(f"{base}/take-away", take_away, methods=["GET", "HEAD"]),
        Route(f"{base}/take-away/progress", how_far),
    ]


def take_away(request: Request) -> Response:
    """Send the copies. Their size comes first, so a browser shows how far it is."""
    asked = request.query_params
    mark = asked.get("watch", "") if _MARK.fullmatch(asked.get("watch", "")) else ""
    try:
        ids, words = _asked_for(request)
        if not ids:
            return (
                _refused(mark, NO_COLLECTION, 404) if "collection" in asked else _refused(mark, NO_IDS, 400)
            )
        acting = context.studio().acting_as(user_of(request))
        taken = acting.take_away(ids, as_zip=asked.get("form") == "zip")
        if words and taken.name.endswith(".zip"):
            taken = replace(taken, name=f"{words}.zip")
    except CurationError as error:
        return _refused(mark, str(error), 404)
    except NotAllowed as error:
        return _refused(mark, str(error), 403)
    except (OSError, StateError) as error:
        log.warning("Clips cannot be taken away: %s", error)
        return _refused(mark, UNREADABLE, 503)
    return answer_of(
        request, taken, lambda part: progress.watched(mark, part, len(ids)) if mark else part.chunks
    )


def how_far(request: Request) -> Response:
    """Say how far a download is whose mark is named."""
    return JSONResponse(
        progress.of(request.query_params.get("watch", "")), headers={"Cache-Control": "no-store"}
    )


def _asked_for(request: Request) -> tuple[Sequence[str], str]:
    """Return the ids of the clips that are asked for, and words for the name of their ZIP, if any."""
    asked, here = request.query_params, context.studio()
    if collection_id := asked.get("collection", ""):
        found = here.state.collections.get(collection_id)
        jobs = map(here.ledger.get, found.clips) if found else ()
        ids = [job.id for job in jobs if job is not None and can_be_shown(job)]
        return ids, words_of(found.title) if found else ""
    return [each for text in asked.getlist("ids") for each in text.split(",") if each], ""


def _refused(mark: str, why: str, status: int) -> Response:
    if mark:
        progress.refused(mark, why)
    return PlainTextResponse(why, status)


def answer_of(
    request: Request, taken: Taken, chunks_of: Callable[[Taken], Iterator[bytes]] = lambda part: part.chunks
) -> Response:
    """Return a file, or the part of it that goes on where a download was broken off.

    Args:
        request: that asks for it.
        taken: the file; one without a tag comes whole.
        chunks_of: returns the bytes that are sent, as when they are counted.
    """
    headers = _headers_of(taken)
    if request.method == "HEAD":
        return Response(headers=headers, media_type=taken.kind)
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked and taken.tag and request.headers.get("If-Range", headers["ETag"]) == headers["ETag"]:
        first, end = int(asked[1]), min(int(asked[2] or taken.size) + 1, taken.size)
        if first < end:
            headers |= {"Content-Length": str(end - first)}
            headers |= {"Content-Range": f"bytes {first}-{end - 1}/{taken.size}"}
            part = replace(taken, size=end - first, chunks=_between(taken.chunks, first, end))
            return StreamingResponse(chunks_of(part), 206, headers, taken.kind)
    return StreamingResponse(chunks_of(taken), 200, headers, taken.kind)


def _between(chunks: Iterator[bytes], first: int, end: int) -> Iterator[bytes]:
    at = 0
    for chunk in chunks:
        if at + len(chunk) > first:
            yield chunk[max(first - at, 0) : end - at]
        at += len(chunk)
        if at >= end:
            return


def _headers_of(taken: Taken) -> dict[str, str]:
    plain = "".join(char if char.isascii() and char not in '"\\' else "_" for char in taken.name)
    return {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(taken.name)}",
        "Content-Length": str(taken.size),
        "Cross-Origin-Resource-Policy": "same-origin",
        **({"Accept-Ranges": "bytes", "ETag": f'"{taken.tag}"'} if taken.tag else {}),
    }
