"""The body of a callback, in the generation of the task that it is about."""

from __future__ import annotations

from typing import Any

from kling.sandbox.contract import NEWER
from kling.sandbox.newer_responses import newer_task_body
from kling.sandbox.responses import callback_body
from kling.sandbox.task import Task


def body_of(task: Task, status: str) -> dict[str, Any]:
    """Return the body of a callback about a task.

    Args:
        task: it has this status now, or had it before.
        status: the one that the callback is about, by its older name.
    """
    if task.endpoint in NEWER:
        return newer_task_body(task, task.base_url, task.finished_at or task.start_at, status)
    return callback_body(task, status)
