"""The body of a callback, in the generation of the task that it is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kling.sandbox.body_faults import CASH, with_body_faults
from kling.sandbox.contract import NEWER
from kling.sandbox.newer_responses import newer_task_body
from kling.sandbox.responses import callback_body
from kling.sandbox.task import Task


def body_of(task: Task, status: str, faults: Collection[str]) -> dict[str, Any]:
    """Return the body of a callback about a task.

    Args:
        task: it has this status now, or had it before.
        status: the one that the callback is about, by its older name.
        faults: of the sandbox; those that say how the account pays hold here too.
    """
    now = task.finished_at or task.start_at
    is_newer = task.endpoint in NEWER
    body = newer_task_body(task, task.base_url, now, status) if is_newer else callback_body(task, status)
    with_body_faults({"data": body}, CASH & set(faults), now)
    return body
