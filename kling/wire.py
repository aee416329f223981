"""What comes over the wire, read tolerantly: pure functions of what was received.

A field that is missing, new, or of another type than documented never raises; only an answer without the
envelope `{"code": …}` does, because then nothing says whether the request ran.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from kling.errors import MaybeSent, api_error
from kling.models import Task, Video


def decipher(http_status: int, headers: Mapping[str, str], body: bytes, now: float) -> tuple[Any, str]:
    """Return `data` and `request_id` of an answer whose code is 0.

    Args:
        http_status: of the answer; Kling's `code` decides, this only where the code is unknown.
        headers: of the answer.
        body: as received.
        now: Unix seconds, for a `Retry-After` that names a date.

    Raises:
        APIError: the code is another.
        MaybeSent: the body has no code at all: an HTML page of a proxy, half a body, garbage.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    code = answer.get("code") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(code, int) or isinstance(code, bool):
        raise MaybeSent(f"The answer (HTTP {http_status}) is not one of Kling's: {_glimpse(body)}")
    request_id = _text(answer.get("request_id"))
    if code != 0:
        raise api_error(
            http_status,
            code,
            _text(answer.get("message")),
            request_id=request_id,
            retry_after=retry_after(headers.get("Retry-After", ""), now),
        )
    return answer.get("data"), request_id


def _glimpse(body: bytes) -> str:
    return repr(body[:80].decode("utf-8", "replace")) if body else "it is empty"


def retry_after(text: str, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks to wait: a number or a date (RFC 9110, 10.2.3)."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def task(data: Any, request_id: str = "") -> Task:
    """Read one task.

    Raises:
        MaybeSent: there is no task_id in it, without which nothing can be followed.
    """
    fields = _mapping(data)
    task_id = _text(fields.get("task_id"))
    if not task_id:
        raise MaybeSent("The answer names no task_id.")
    watermark = _mapping(fields.get("watermark_info")).get("enabled")
    return Task(
        task_id=task_id,
        task_status=_text(fields.get("task_status")),
        task_status_msg=_text(fields.get("task_status_msg")),
        external_task_id=_text(_mapping(fields.get("task_info")).get("external_task_id")),
        videos=_videos(_mapping(fields.get("task_result")).get("videos")),
        final_unit_deduction=_decimal(fields.get("final_unit_deduction")),
        watermark=watermark if isinstance(watermark, bool) else None,
        created_at=_moment(fields.get("created_at")),
        updated_at=_moment(fields.get("updated_at")),
        request_id=request_id,
        raw=fields,
    )


def tasks(data: Any, request_id: str = "") -> tuple[Task, ...]:
    """Read a page of tasks, passing over entries without a task_id.

    Raises:
        MaybeSent: it is not a list.
    """
    if not isinstance(data, list):
        raise MaybeSent("The answer is not a list of tasks.")
    return tuple(task(entry, request_id) for entry in data if _text(_mapping(entry).get("task_id")))


def _videos(value: Any) -> tuple[Video, ...]:
    return tuple(
        Video(
            id=_text(video.get("id")),
            url=_text(video.get("url")),
            watermark_url=_text(video.get("watermark_url")),
            duration=_seconds(video.get("duration")),
        )
        for video in (value if isinstance(value, list) else [])
        if isinstance(video, dict) and _text(video.get("url"))
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(_text(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _seconds(value: Any) -> float | None:
    number = _decimal(value)
    seconds = math.nan if number is None else float(number)
    return seconds if math.isfinite(seconds) else None


def _moment(value: Any) -> datetime | None:
    milliseconds = _decimal(value)
    try:
        return None if milliseconds is None else datetime.fromtimestamp(float(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
