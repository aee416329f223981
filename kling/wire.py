"""The language of the API under `/v1`: its calls, its envelope, its tasks, lists, states and codes (S1, S2).

Everything here is a pure function. Answers are read tolerantly and within bounds: a field that is missing,
new, or of another type than documented never raises. Only an answer that cannot be read at all does, because
then nothing says whether the request ran. What is kept of an answer is bounded: texts in length, numbers in
digits, times in years, the answer itself in depth.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from kling.dialect import Call
from kling.errors import MaybeSent, api_error
from kling.tasks import BalanceDeduction, Status, Task, Video
from kling.text import storable

# Kling's newer API says `succeeded`; the other spellings are those of gateways. In lower case, with `_` for
# blanks and hyphens. What is not here is kept as it came, and counts as still running.
STATES: dict[str, Status] = {
    spelling: status
    for status, spellings in {
        Status.SUBMITTED: ("submitted", "submit", "pending", "queued", "queueing", "in_queue"),
        Status.PROCESSING: ("processing", "process", "running", "in_progress", "generating"),
        Status.SUCCEED: ("succeed", "succeeded", "success", "successful", "completed", "complete"),
        Status.FAILED: ("failed", "fail", "failure"),
    }.items()
    for spelling in spellings
}
PAGE_KEYS = ("list", "tasks", "result", "results", "items", "records", "data")
DEPTH = 32  # levels of arrays and objects; a documented answer has seven
BRACKETS = 100_000  # that open one of them; a page of 500 tasks has about 4,000
MESSAGE, STATE, ID, LINK = 1000, 60, 128, 16_384  # characters
MOST_VIDEOS = 20  # of one task
LONGEST_PAUSE = 3600.0  # seconds that an answer can ask to wait: it is asked again after that
LONGEST_NUMBER = 40  # characters
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)


def create_call(path: str, body: Mapping[str, Any]) -> Call:
    """Return the call that creates a task.

    Args:
        path: of the endpoint.
        body: the request as JSON.
    """
    return Call("POST", path, json=body)


def task_call(path: str, task_id: str) -> Call:
    """Return the call that asks for one task, by Kling's id or by ours."""
    return Call("GET", f"{path}/{quote(task_id, safe='')}")


def page_call(path: str, page_num: int, page_size: int) -> Call:
    """Return the call that asks for one page of the account's tasks."""
    return Call("GET", path, params={"pageNum": page_num, "pageSize": page_size})


def decipher(http_status: int, headers: Mapping[str, str], body: bytes, now: float) -> tuple[Any, str]:
    """Return `data` and `request_id` of an answer whose code is 0.

    So is an answer without a readable code whose status is a success and whose data names a task: there is
    one, and it is followed.

    Args:
        http_status: of the answer; Kling's `code` decides, this only where the code is unknown.
        headers: of the answer.
        body: as received.
        now: Unix seconds, for a `Retry-After` that names a date.

    Raises:
        APIError: the code is another.
        MaybeSent: the body has no code at all: an HTML page of a proxy, half a body, garbage.
    """
    answer = parse(body)
    fields = _mapping(answer)
    code, data = _code(fields.get("code")), fields.get("data")
    request_id = text(fields.get("request_id"), ID)
    if code is None:
        if 200 <= http_status < 300 and _id(_mapping(data).get("task_id")):
            return data, request_id
        raise MaybeSent(f"The answer (HTTP {http_status}) is not one of Kling's: {_glimpse(body)}")
    if code != 0:
        pause = retry_after(headers.get("Retry-After", ""), now)
        raise api_error(
            http_status,
            code,
            text(fields.get("message"), MESSAGE),
            request_id=request_id,
            retry_after=None if pause is None else min(pause, LONGEST_PAUSE),
        )
    return data, request_id


def parse(body: bytes) -> Any:
    """Return the JSON value of a body; None if it is none, or has more or deeper parts than any answer."""
    if body.count(b"[") + body.count(b"{") > BRACKETS:
        return None
    try:
        value = json.loads(body, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    return value if _is_flat(value) else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _is_flat(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH):
        inside: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inside.extend(each.values())
            elif isinstance(each, list):
                inside.extend(each)
        level = inside
        if not level:
            return True
    return False


def _glimpse(body: bytes) -> str:
    return repr(body[:80].decode("utf-8", "replace")) if body else "it is empty"


def _code(value: Any) -> int | None:
    """Return a whole number, whatever its type in JSON: `0`, `"0"` and `0.0` are the same code."""
    if isinstance(value, int) and not isinstance(value, bool):
        return max(min(value, 10**12), -(10**12))
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


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
    task_id = _id(fields.get("task_id"))
    if not task_id:
        raise MaybeSent("The answer names no task_id.")
    watermark = _mapping(fields.get("watermark_info")).get("enabled")
    videos = _videos(_mapping(fields.get("task_result")).get("videos"))
    return Task(
        task_id=task_id,
        task_status=_state(fields.get("task_status"), videos),
        task_status_msg=text(fields.get("task_status_msg"), MESSAGE),
        external_task_id=_external_id(_mapping(fields.get("task_info")).get("external_task_id")),
        videos=videos,
        final_unit_deduction=number(fields.get("final_unit_deduction")),
        final_balance_deduction=_balance(fields.get("final_balance_deduction")),
        watermark=watermark if isinstance(watermark, bool) else None,
        created_at=moment(fields.get("created_at")),
        updated_at=moment(fields.get("updated_at")),
        request_id=request_id,
        raw=fields,
    )


def tasks(data: Any, request_id: str = "") -> tuple[Task, ...]:
    """Read a page of tasks, passing over entries without a task_id.

    Raises:
        MaybeSent: there is no list in it.
    """
    return tuple(task(entry, request_id) for entry in entries(data) if _id(_mapping(entry).get("task_id")))


def entries(data: Any) -> list[Any]:
    """Return the entries of a page: an array, or an object that holds one under a name such as `list`.

    Raises:
        MaybeSent: there is none, or more than one.
    """
    if isinstance(data, list):
        return data
    lists = {key: value for key, value in _mapping(data).items() if isinstance(value, list)}
    if len(lists) == 1:
        ((key, found),) = lists.items()
        if key in PAGE_KEYS or any(_id(_mapping(entry).get("task_id")) for entry in found):
            return found
    raise MaybeSent("The answer is not a list of tasks.")


def _state(value: Any, videos: tuple[Video, ...]) -> str:
    """Return one of the documented states, or Kling's own word for one that nobody documented.

    A video that can be fetched is worth more than any word.
    """
    if videos:
        return Status.SUCCEED
    word = text(value, STATE).strip()
    return STATES.get(re.sub("[ -]", "_", word.lower()), word)


def _videos(value: Any) -> tuple[Video, ...]:
    return tuple(
        Video(
            id=text(video.get("id"), ID),
            url=_link(video.get("url")),
            watermark_url=_link(video.get("watermark_url")),
            duration=_seconds(video.get("duration")),
        )
        for video in (value[:MOST_VIDEOS] if isinstance(value, list) else [])
        if isinstance(video, dict) and _link(video.get("url"))
    )


def _balance(value: Any) -> BalanceDeduction | None:
    fields = _mapping(value)
    quota, list_price = number(fields.get("quota")), number(fields.get("list_price"))
    return None if quota is None and list_price is None else BalanceDeduction(quota, list_price)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any, limit: int) -> str:
    """Return a text of at most `limit` characters that can be stored; numbers are told as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return storable(value, limit) if isinstance(value, str) else ""


def _id(value: Any) -> str:
    """Return a task_id; empty if it is none that could be asked for. A rounded number is none."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 2**53 else None
    found = value if isinstance(value, str) else text(value, ID + 1)
    usable = len(found) <= ID and found.isprintable() and " " not in found
    return found if usable else ""


def _external_id(value: Any) -> str:
    """Return an id that somebody gave a task. One that is too long is cut and so is nobody's."""
    return text(value, 2 * ID)


def _link(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LINK and value.isprintable() else ""


def number(value: Any) -> Decimal | None:
    """Return a number with at most 12 digits before the point, and 6 after it; None for anything else.

    It is written out without an exponent, so that its text is never longer than that either.
    """
    digits = text(value, LONGEST_NUMBER + 1).strip()
    if len(digits) > LONGEST_NUMBER or not _NUMBER.fullmatch(digits):
        return None
    found = Decimal(digits)
    if not found:
        return Decimal(0)
    if found.adjusted() >= 12:
        return None
    exponent = found.as_tuple().exponent
    if isinstance(exponent, int) and not -6 <= exponent <= 0:
        found = found.quantize(Decimal("0.000001") if exponent < 0 else Decimal(1))
    return found or Decimal(0)


def _seconds(value: Any) -> float | None:
    found = number(value)
    return None if found is None else float(found)


def moment(value: Any) -> datetime | None:
    """Return the time that a value names, in UTC: seconds, milliseconds or ISO text, told apart by size.

    A text without a zone is taken as UTC. Times before Kling was there are no times.
    """
    digits = text(value, LONGEST_NUMBER + 1).strip()
    if len(digits) > LONGEST_NUMBER:
        return None
    try:
        if _NUMBER.fullmatch(digits):
            seconds = float(digits)
            for _ in range(3):  # milliseconds, microseconds, nanoseconds
                if seconds >= 1e11:  # as seconds, the year 5138
                    seconds /= 1000
            found = datetime.fromtimestamp(seconds, UTC)
        else:
            found = datetime.fromisoformat(digits)
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if EARLIEST <= found < LATEST else None
