"""One task of the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kling.sandbox.contract import ALL_MODELS, TEXT_TO_VIDEO


def slot_of(model_name: str) -> str:
    """Return the name under which a model's tasks in flight are counted, the same in both generations."""
    return str(ALL_MODELS.get(model_name, {}).get("older_name", model_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task. Times are Unix timestamps in ms, by the sandbox's clock.

    Args:
        seq: its running number, from 1, without gaps.
        task_id: the sandbox's id of it, 18 digits.
        external_task_id: the caller's own id, or None.
        request: the complete request, with the documented defaults filled in.
        units: its price in Units.
        failure: why it fails in the end, or None.
        created_at: when the create call was answered.
        shown_at: from this time on queries and lists show it.
        start_at: when it goes from submitted to processing.
        due_at: when it ends at the earliest; None: not known yet.
        polls: how many more answers show it before it ends; None: its end does not depend on answers.
        ready_at: when its clip was drawn; None: not yet.
        finished_at: when it ended; None: it is still running.
        clip_fault: the fault that its clip, or the answer that shows its result, must have; or None.
        base_url: the address at which its caller reached the sandbox; URLs in callbacks start with it.
        last_callback_status: the status of the last callback about it; empty: none was sent yet; None: it
            has no callback URL.
        endpoint: at which it was created: one of contract.OLDER or contract.NEWER.
        position: its place among the tasks of its endpoint, from 1, without gaps.
    """

    seq: int
    task_id: str
    external_task_id: str | None
    request: Mapping[str, Any]
    units: float
    failure: str | None
    created_at: int
    shown_at: int
    start_at: int
    due_at: int | None
    polls: int | None
    ready_at: int | None
    finished_at: int | None
    clip_fault: str | None
    base_url: str
    last_callback_status: str | None
    endpoint: str = TEXT_TO_VIDEO
    position: int = 0

    def status(self, now: int) -> str:
        """Return the API's name of the state that the task has."""
        if self.finished_at is not None:
            return "failed" if self.failure else "succeed"
        return "submitted" if now < self.start_at else "processing"

    @property
    def watermarked(self) -> bool:
        """Whether a second, watermarked clip was asked for."""
        return bool(self.request.get("watermark_info", {}).get("enabled", False))

    def updated_at(self, now: int) -> int:
        """Return when the task got the state that it has."""
        if self.finished_at is not None:
            return self.finished_at
        return self.created_at if now < self.start_at else self.start_at
