"""What a client needs of one generation of Kling's API: how it is asked, and how its answers are read.

A module of functions is a dialect if it has the functions of `Dialect`; `wire` is the one of the API under
`/v1`, `newer_wire` that of the newer one. Which generation a model is asked through, the catalog says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kling.tasks import Task


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: its method, its path below the base URL, its query and its JSON body."""

    method: str
    path: str
    params: Mapping[str, int | str] | None = None
    json: Mapping[str, Any] | None = None


class Dialect(Protocol):
    """The functions of a dialect; `kling/wire.py` says what each of them does.

    Args:
        REFUSAL_IS_ABSENCE: whether a look-up that is refused (1201, 1203) says that there is no such task.
    """

    REFUSAL_IS_ABSENCE: bool

    def create_call(self, path: str, body: Mapping[str, Any]) -> Call:
        """Return the call that creates a task."""

    def task_calls(self, path: str, task_id: str) -> tuple[Call, ...]:
        """Return the calls that ask for one task, by Kling's id or by ours."""

    def find_call(self, path: str, external_task_id: str) -> Call:
        """Return the call that asks for the task with our id."""

    def page_call(self, path: str, cursor: str, page_size: int) -> Call:
        """Return the call that asks for a page of tasks."""

    def next_cursor(self, data: Any, cursor: str, page_size: int) -> str:
        """Return where the page after this one begins; empty if there is none."""

    def decipher(
        self, http_status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> tuple[Any, str]:
        """Return the data and the request id of an answer."""

    def task(self, data: Any, request_id: str = "") -> Task:
        """Read the answer of a create call."""

    def looked_up(self, data: Any, request_id: str = "") -> Task:
        """Read the answer about one task."""

    def tasks(self, data: Any, request_id: str = "") -> tuple[Task, ...]:
        """Read the tasks of a page."""

    def entries(self, data: Any) -> list[Any]:
        """Return the entries of a page, also those that are no task."""
