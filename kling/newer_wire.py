"""The language of the newer generation of the API: the model in the path, `/tasks`, API keys only (S2).

A request is the same object in both generations. `wire` writes it as the older one reads it, and this module
translates that body; answers are translated the other way and then read by `wire`, so both are read equally
tolerantly. What is not among `FIELDS` has no place in the newer generation, and is refused before, by the
rules of the requests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from kling import wire
from kling.catalog import catalog
from kling.dialect import Call
from kling.errors import MaybeSent, api_error
from kling.json_values import mapping, number, text
from kling.tasks import Task

TASKS = "/tasks"
MODEL = "{model}"  # stands in the path of an endpoint for the name of the model
MOST_IDS = 20  # of one call of `/tasks`; measured, on no page (S2p)
RESOLUTIONS = {"std": "720p", "pro": "1080p", "4k": "4k"}  # by the mode of the older generation (S2)
FIELDS = (
    frozenset(  # of the older body that `create_call` translates; `shot_type` follows from `multi_prompt`
        {"model_name", "prompt", "image", "image_tail", "mode", "duration", "aspect_ratio", "sound"}
        | {"multi_shot", "shot_type", "multi_prompt", "watermark_info", "callback_url", "external_task_id"}
    )
)
CURSOR = 4096  # characters
# A list of no tasks is how an id that is not known is answered (S2p, S6). A refusal says something else.
REFUSAL_IS_ABSENCE = False
MOST_SHOTS = 6  # S2
_SHOT = re.compile(r"shot\s{0,3}(\d)\s{0,3},\s{0,3}(\d{1,2})\s{0,3},\s{0,3}(.*)", re.IGNORECASE | re.DOTALL)
_NOT_FOUND = 1203, "There is no task with this id."


def create_call(path: str, body: Mapping[str, Any]) -> Call:
    """Return the call that creates a task.

    Args:
        path: of the endpoint, with `MODEL` in it.
        body: the request as the older generation reads it.
    """
    known = catalog().models.get(body.get("model_name", ""))
    name = known.newer.name if known and known.newer else body.get("model_name", "")
    return Call("POST", path.replace(MODEL, quote(name, safe="")), json=body_of(body))


def body_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of the newer generation for one of the older.

    A picture makes it one of image to video: a list of contents, and no aspect ratio, because the picture has
    one. `multi_shot` is always sent where there is the switch, because its default is the other way round.
    """
    model = catalog().models.get(body.get("model_name", ""))
    newer = model.newer if model else None
    settings: dict[str, Any] = {}
    if newer and newer.multi_shot:
        settings["multi_shot"] = bool(body.get("multi_shot"))
    if newer and newer.audio:
        settings["audio"] = "native" if body.get("sound") == "on" else "off"
    if resolution := RESOLUTIONS.get(body.get("mode", "")):
        settings["resolution"] = resolution
    if "image" not in body and body.get("aspect_ratio"):
        settings["aspect_ratio"] = body["aspect_ratio"]
    if duration := body.get("duration"):
        settings["duration"] = int(duration)
    options = {
        name: body[name] for name in ("callback_url", "external_task_id", "watermark_info") if name in body
    }
    prompt = words_of(body)
    if "image" not in body:
        asked: dict[str, Any] = {"prompt": prompt}
    else:
        frames = (("first_frame", body["image"]), ("last_frame", body.get("image_tail")))
        contents = [{"type": "prompt", "text": prompt}]
        asked = {"contents": contents + [{"type": kind, "url": url} for kind, url in frames if url]}
    return {**asked, "settings": settings} | ({"options": options} if options else {})


def words_of(body: Mapping[str, Any]) -> str:
    """Return the text of a request; a storyboard is a part of it: `shot 1, 3, words; shot 2, 4, words;` (S2).

    Args:
        body: the request as the older generation reads it.
    """
    if body.get("multi_shot") and body.get("multi_prompt"):
        return shot_words([(shot["duration"], shot["prompt"]) for shot in body["multi_prompt"]])
    return str(body.get("prompt", ""))


def shot_words(shots: Sequence[tuple[str, str]]) -> str:
    """Return shots, each of its seconds and its words, as the text of one prompt (S2)."""
    numbered = enumerate(shots, 1)
    return " ".join(f"shot {at}, {seconds}, {' '.join(words.split())};" for at, (seconds, words) in numbered)


def read_shot_words(text: str) -> list[tuple[str, str]]:
    """Return the shots in the text of a prompt, each of its seconds and its words: what `shot_words` wrote.

    Empty for a text that is anything else.
    """
    pieces = [piece.strip() for piece in text.split(";")]
    found = [_SHOT.fullmatch(piece) for piece in pieces[:-1]]
    if pieces[-1] or len(found) > MOST_SHOTS:
        return []
    shots = [(each[2], each[3]) for number, each in enumerate(found, 1) if each and each[1] == str(number)]
    return shots if len(shots) == len(found) else []


def task_calls(path: str, task_id: str) -> tuple[Call, ...]:
    """Return the calls that ask for one task, by Kling's id, which is a number, or else by ours (S2).

    Ours may be a number too.
    """
    by_ours = find_call(path, task_id)
    is_number = task_id.isascii() and task_id.isdigit()
    return (Call("GET", TASKS, params={"task_ids": task_id}), by_ours) if is_number else (by_ours,)


def find_call(path: str, external_task_id: str) -> Call:  # noqa: ARG001 - as in the older generation
    """Return the call that asks for the task with our id."""
    return find_many_call([external_task_id])


def find_many_call(external_task_ids: Sequence[str]) -> Call:
    """Return the call that asks for the tasks with our ids, at most `MOST_IDS` of them."""
    return Call("GET", TASKS, params={"external_task_ids": ",".join(external_task_ids)})


def page_call(path: str, cursor: str, page_size: int) -> Call:  # noqa: ARG001
    """Return the call that asks for one page of the account's video tasks of the last 30 days (S2).

    Args:
        path: of the endpoint; all endpoints share this list.
        cursor: where the page before ended; empty for the first one.
        page_size: 1 to 500.
    """
    asked: dict[str, Any] = {"limit": page_size, "filters": [{"key": "product_type", "values": ["video"]}]}
    return Call("POST", TASKS, json=asked | ({"cursor": cursor} if cursor else {}))


def next_cursor(data: Any, cursor: str, page_size: int) -> str:  # noqa: ARG001
    """Return where the page after this one begins; empty if there is none.

    Args:
        data: of the answer.
        cursor: that was asked with. The same one again would never end.
        page_size: likewise; a page may be short (S2).
    """
    found = mapping(data)
    following = text(found.get("next_cursor"), CURSOR + 1)
    usable = found.get("has_more") is True and len(following) <= CURSOR and following != cursor
    return following if usable else ""


def decipher(http_status: int, headers: Mapping[str, str], body: bytes, now: float) -> tuple[Any, str]:
    """Return `data` and `request_id` of an answer, as `wire.decipher` does: the envelope is the same (S2)."""
    return wire.decipher(http_status, headers, body, now, id_name="id")


def task(data: Any, request_id: str = "") -> Task:
    """Read one task: the answer of a create call, an entry of a list, or a callback.

    Raises:
        MaybeSent: there is no id in it.
    """
    fields = mapping(data)
    return replace(wire.task(older(fields), request_id), raw=fields)


def looked_up(data: Any, request_id: str = "") -> Task:
    """Read the answer about one task: a list of it (S2).

    An account that took two create calls with one id may list both tasks; the first one is returned.

    Raises:
        BadRequest: the list is empty, so there is no such task (S2p, S6).
        MaybeSent: it is no list, or one of different tasks.
    """
    if data == []:
        raise api_error(404, *_NOT_FOUND, request_id=request_id)
    if not isinstance(data, list):
        raise MaybeSent("The answer is not about one task.")
    found = [task(entry, request_id) for entry in data[: MOST_IDS + 1]]
    ids = {each.external_task_id for each in found}
    if len(found) > 1 and (len(ids) > 1 or "" in ids):
        raise MaybeSent("The answer is not about one task.")
    return found[0]


def tasks(data: Any, request_id: str = "") -> tuple[Task, ...]:
    """Read a page of tasks, passing over entries without an id.

    Raises:
        MaybeSent: there is no list in it.
    """
    return tuple(task(entry, request_id) for entry in entries(data) if is_task(entry))


def is_task(entry: Any) -> bool:
    """Whether an entry of a list names a task."""
    return wire.has_id(mapping(entry).get("id"))


def entries(data: Any) -> list[Any]:
    """Return the entries of a page: an array, or that of an object; an empty page may leave it out (S6).

    Raises:
        MaybeSent: there is neither.
    """
    fields = mapping(data)
    if "result" not in fields and fields.get("count") == 0 and not fields.get("has_more"):
        return []
    return wire.entries(data)


def older(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the newer generation says of a task under the names of the older one."""
    outputs = fields.get("outputs")
    found = outputs if isinstance(outputs, list) else []
    units, cash = _charges(fields, "unit"), _charges(fields, "cash")
    currencies = {text(charge.get("currency"), CURSOR) for charge in cash}
    summed = cash if len(currencies) == 1 else []  # amounts of two currencies have no sum
    return {
        "task_id": fields.get("id"),
        "task_status": fields.get("status"),
        "task_status_msg": fields.get("message"),
        "task_info": {"external_task_id": fields.get("external_id")},
        "task_result": {
            "videos": [one for one in found if isinstance(one, dict) and one.get("type") == "video"]
        },
        "final_unit_deduction": _sum(units, "amount"),
        "final_balance_deduction": {
            "quota": _sum(summed, "amount"),
            "list_price": _sum(summed, "list_price"),
            "currency": min(currencies, default=""),
        },
        "created_at": fields.get("create_time"),
        "updated_at": fields.get("update_time"),
    }


def _charges(fields: Mapping[str, Any], charge_type: str) -> list[Mapping[str, Any]]:
    billing = fields.get("billing")
    entries = [mapping(entry) for entry in billing] if isinstance(billing, list) else []
    return [entry for entry in entries if entry.get("charge_type") == charge_type]


def _sum(charges: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return the sum of what charges took; empty if there is none or one cannot be read."""
    amounts = [number(charge.get(name)) for charge in charges]
    known = [amount for amount in amounts if amount is not None]
    return str(sum(known, Decimal(0))) if known and len(known) == len(amounts) else ""
