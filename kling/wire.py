"""The language of the API under `/v1`: its calls, its envelope, its tasks, lists, states and codes (S1, S2).

Everything here is a pure function. Answers are read tolerantly and within bounds (`json_values.py`): a field
that is missing, new, or of another type than documented never raises. Only an answer that cannot be read at
all does, because then it is not known whether the request ran.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from kling.dialect import Call
from kling.errors import MaybeSent, api_error
from kling.json_values import mapping, moment, number, parse, seconds, text
from kling.tasks import BalanceDeduction, Status, Task, Video

# Kling's newer API says `succeeded` (S2); the other spellings come from gateways. All are in lower case, with
# `_` for blanks and hyphens. Any other word is kept as it came, and the task counts as still running.
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
MESSAGE, STATE, ID, LINK = 1000, 60, 128, 16_384  # characters
MOST_VIDEOS = 20  # of one task
MAX_PAGE = 1000  # S1
# The bytes of a PNG or JPEG in Base64: a refusal may quote the value that it refuses.
_BYTES = re.compile("(?:iVBORw0KGgo|/9j/)[A-Za-z0-9+/]{40,}={0,2}")
_CURRENCY = re.compile("[A-Z]{3}")
LONGEST_PAUSE = 3600.0  # seconds; a longer `Retry-After` counts as this
REFUSAL_IS_ABSENCE = True  # a look-up has one parameter: a refusal of it says that there is no such task


def create_call(path: str, body: Mapping[str, Any]) -> Call:
    """Return the call that creates a task.

    Args:
        path: of the endpoint.
        body: the request as JSON.
    """
    return Call("POST", path, json=body)


def task_calls(path: str, task_id: str) -> tuple[Call, ...]:
    """Return the calls that ask for one task, by Kling's id or by ours, one after the other."""
    return (find_call(path, task_id),)  # both ids stand in the same place of the path (S1)


def find_call(path: str, external_task_id: str) -> Call:
    """Return the call that asks for the task with our id."""
    return Call("GET", f"{path}/{quote(external_task_id, safe='')}")


def page_call(path: str, cursor: str, page_size: int) -> Call:
    """Return the call that asks for one page of the account's tasks.

    Args:
        path: of the endpoint.
        cursor: the number of the page; empty for the first one.
        page_size: 1 to 500.
    """
    return Call("GET", path, params={"pageNum": int(cursor or 1), "pageSize": page_size})


def next_cursor(data: Any, cursor: str, page_size: int) -> str:
    """Return where the page after this one begins; empty if this one is not full.

    Args:
        data: of the answer.
        cursor: that was asked with.
        page_size: likewise.
    """
    page_num = int(cursor or 1)
    return str(page_num + 1) if len(entries(data)) >= page_size and page_num < MAX_PAGE else ""


def decipher(
    http_status: int, headers: Mapping[str, str], body: bytes, now: float, *, id_name: str = "task_id"
) -> tuple[Any, str]:
    """Return `data` and `request_id` of an answer that says that the call succeeded: its code is 0.

    An answer without a readable code counts as one too if its HTTP status is a success and its data names a
    task: then the task exists, and has to be followed.

    Args:
        http_status: of the answer; Kling's `code` decides, this only where the code is unknown.
        headers: of the answer.
        body: as received.
        now: Unix seconds, for a `Retry-After` that names a date.
        id_name: of the field with the id of a task.

    Raises:
        APIError: the code is another.
        MaybeSent: the body has no code at all: an HTML page of a proxy, half a body, garbage.
    """
    answer = parse(body)
    fields = mapping(answer)
    code, data = _code(fields.get("code")), fields.get("data")
    request_id = text(fields.get("request_id"), ID)
    if code is None:
        if 200 <= http_status < 300 and _id(mapping(data).get(id_name)):
            return data, request_id
        raise MaybeSent(f"The answer (HTTP {http_status}) is not one of Kling's: {_glimpse(body)}")
    if code != 0:
        pause = retry_after(headers.get("Retry-After", ""), now)
        raise api_error(
            http_status,
            code,
            _BYTES.sub("…", text(fields.get("message"), MESSAGE)),
            request_id=request_id,
            retry_after=None if pause is None else min(pause, LONGEST_PAUSE),
        )
    return data, request_id


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
        MaybeSent: there is no task_id in it, so the task could not be followed.
    """
    fields = mapping(data)
    task_id = _id(fields.get("task_id"))
    if not task_id:
        raise MaybeSent("The answer names no task_id.")
    watermark = mapping(fields.get("watermark_info")).get("enabled")
    videos = _videos(mapping(fields.get("task_result")).get("videos"))
    return Task(
        task_id=task_id,
        task_status=_state(fields.get("task_status"), videos),
        task_status_msg=text(fields.get("task_status_msg"), MESSAGE),
        external_task_id=_external_id(mapping(fields.get("task_info")).get("external_task_id")),
        videos=videos,
        final_unit_deduction=number(fields.get("final_unit_deduction")),
        final_balance_deduction=_balance(fields.get("final_balance_deduction")),
        watermark=watermark if isinstance(watermark, bool) else None,
        created_at=moment(fields.get("created_at")),
        updated_at=moment(fields.get("updated_at")),
        request_id=request_id,
        raw=fields,
    )


looked_up = task  # an answer about one task is as that of a create call (S1)


def tasks(data: Any, request_id: str = "") -> tuple[Task, ...]:
    """Read a page of tasks, passing over entries without a task_id.

    Raises:
        MaybeSent: there is no list in it.
    """
    return tuple(task(entry, request_id) for entry in entries(data) if _id(mapping(entry).get("task_id")))


def entries(data: Any) -> list[Any]:
    """Return the entries of a page: an array, or an object that holds one under a name such as `list`.

    Raises:
        MaybeSent: there is none, or more than one.
    """
    if isinstance(data, list):
        return data
    lists = {key: value for key, value in mapping(data).items() if isinstance(value, list)}
    if len(lists) == 1:
        ((key, found),) = lists.items()
        if key in PAGE_KEYS or any(_id(mapping(entry).get("task_id")) for entry in found):
            return found
    raise MaybeSent("The answer is not a list of tasks.")


def _state(value: Any, videos: tuple[Video, ...]) -> str:
    """Return one of the documented states, or Kling's own word for one that is not documented.

    A task that lists a video has succeeded, whatever the word is.
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
            duration=seconds(video.get("duration")),
        )
        for video in (value[:MOST_VIDEOS] if isinstance(value, list) else [])
        if isinstance(video, dict) and _link(video.get("url"))
    )


def _balance(value: Any) -> BalanceDeduction | None:
    fields = mapping(value)
    quota, list_price = number(fields.get("quota")), number(fields.get("list_price"))
    if quota is None and list_price is None:
        return None
    currency = text(fields.get("currency"), STATE)
    return BalanceDeduction(quota, list_price, currency if _CURRENCY.fullmatch(currency) else "")


def has_id(value: Any) -> bool:
    """Whether a value is the id of a task that can be asked for."""
    return bool(_id(value))


def _id(value: Any) -> str:
    """Return a task_id; empty if no task can be asked for by it, such as a number that was rounded."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 2**53 else None
    found = value if isinstance(value, str) else text(value, ID + 1)
    usable = len(found) <= ID and found.isprintable() and " " not in found
    return found if usable else ""


def _external_id(value: Any) -> str:
    """Return an external_task_id. One that is too long is cut, so that it equals no real one."""
    return text(value, 2 * ID)


def _link(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= LINK and value.isprintable() else ""
