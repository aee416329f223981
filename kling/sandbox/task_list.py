"""`/tasks` of the newer generation: tasks by their ids, and by the time of their creation (S2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kling.sandbox import contract
from kling.sandbox.bodies import json_object, unknown_keys
from kling.sandbox.refusals import refusal, refuse
from kling.sandbox.store import Store
from kling.sandbox.task import Task

_MOST_IDS = 20
_LIMIT = 100
_WINDOW_MS = 30 * 24 * 3600 * 1000
_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,17})\.(\d{1,17})")
_NAMES = ("task_ids", "external_task_ids")
_STATUSES = ("submitted", "processing", "succeeded", "failed")
_PRODUCTS = ("video", "image", "try_on")
_NO_LIMIT = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The ids that GET /tasks asks for, and whether they are external ones."""

    ids: tuple[str, ...]
    external: bool

    def find(self, store: Store, now: int) -> list[Task]:
        """Return the tasks that are shown at a time (ms), in the order of the ids, each once."""
        found: dict[str, Task] = {}
        for one in self.ids:
            if self.external:
                tasks = store.named(one, shown_at=now)
            else:
                task = store.find(one, shown_at=now)
                tasks = [task] if task and task.task_id == one else []
            found |= {task.task_id: task for task in tasks}
        return list(found.values())


def parse_ids(query: Mapping[str, str]) -> Ids:
    """Return the ids in the parameters of the URL.

    Raises:
        Refused: 1201: there are none, too many, or both kinds.
    """
    given = {name: [one.strip() for one in query.get(name, "").split(",") if one.strip()] for name in _NAMES}
    ids, external_ids = given["task_ids"], given["external_task_ids"]
    if bool(ids) == bool(external_ids):
        raise refusal("tasks-ids")
    if len(ids) + len(external_ids) > _MOST_IDS:
        raise refusal("tasks-twenty")
    return Ids(ids=tuple(ids or external_ids), external=bool(external_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What POST /tasks asks for.

    Args:
        start: ms; None: 30 days before the end.
        end: ms; None: now.
        before: only tasks with a smaller running number: those of the next pages.
        limit: how many tasks a page has.
        statuses: only tasks in these states; None: in any.
        videos: whether tasks that make videos are asked for; other kinds of the filter find nothing.
        sounds: whether tasks of video-to-audio are asked for, for which the filter has no word.
    """

    start: int | None
    end: int | None
    before: int
    limit: int
    statuses: frozenset[str] | None
    videos: bool
    sounds: bool

    def page(self, store: Store, now: int) -> tuple[list[Task], str]:
        """Return a page of tasks at a time (ms), and the cursor of the next page, or an empty text."""
        end = now if self.end is None else self.end
        start = max(0, end - _WINDOW_MS) if self.start is None else self.start
        if not (self.videos or self.sounds):
            return [], ""
        tasks = store.created(
            start,
            end,
            before=self.before,
            size=self.limit + 1,
            statuses=self.statuses,
            sounds=self.sounds,
            now=now,
        )
        page = tasks[: self.limit]
        more = len(tasks) > self.limit
        return page, f"{page[-1].seq}.{start}.{end}" if more else ""


def parse_window(body: bytes, *, strict: bool) -> Window:
    """Return what the body of POST /tasks asks for.

    Args:
        body: nothing in it is trusted; an empty one asks for everything.
        strict: whether unknown keys are refused.

    Raises:
        Refused: 1200 or 1201: it cannot be read.
    """
    given = json_object(body or b"{}")
    for name in ("start_time", "end_time", "limit"):
        if isinstance(given.get(name), str) and re.fullmatch("[0-9]{1,16}", given[name]):
            given[name] = int(given[name])
    wrong = list(contract.problems("ListTasks", given))
    if strict:
        wrong += [refusal("unknown-keys", key=key[:50]).message for key in unknown_keys(given, "ListTasks")]
    refuse(wrong)
    refuse(
        f"filters: the value '{value[:50]}' of {one['key']} is invalid"
        for one in given.get("filters", ())
        for value in one["values"]
        if value not in (_STATUSES if one["key"] == "status" else _PRODUCTS)
    )
    start, end = (int(given[name]) if name in given else None for name in ("start_time", "end_time"))
    before = _NO_LIMIT
    if cursor := given.get("cursor", ""):
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            raise refusal("tasks-cursor")
        before, start, end = int(found[1]), int(found[2]), int(found[3])
    if start is not None and end is not None and start >= end:
        raise refusal("tasks-window")
    products = _values(given, "product_type")
    return Window(
        start=start,
        end=end,
        before=before,
        limit=int(given.get("limit", _LIMIT)),
        statuses=_values(given, "status"),
        videos=products is None or "video" in products,
        sounds=products is None,
    )


def _values(given: Mapping[str, Any], key: str) -> frozenset[str] | None:
    """Return what a filter allows, all values of its key together; None if there is none."""
    filters = [one["values"] for one in given.get("filters", ()) if one["key"] == key]
    return frozenset(value for values in filters for value in values) if filters else None
