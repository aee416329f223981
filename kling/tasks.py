"""A task and its result, as the API describes them, under the API's own names (S1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """The states that the API documents. A task keeps whatever text came, also one not listed here."""

    SUBMITTED = "submitted"
    PROCESSING = "processing"
    SUCCEED = "succeed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """One result. The addresses are signed and expire after 30 days; `duration` is in seconds."""

    id: str
    url: str = field(repr=False)
    watermark_url: str = field(default="", repr=False)
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class BalanceDeduction:
    """What a task took from an account that pays in cash.

    Args:
        quota: the amount that was deducted; None where the answer had no number, or two currencies.
        list_price: what it would have cost without a discount; None likewise.
        currency: `USD` or `CNY`; empty where the answer names none, then it is that of the account.
    """

    quota: Decimal | None
    list_price: Decimal | None
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the API last described it. Fields that this client does not know are kept in `raw`.

    Args:
        task_id: Kling's id.
        task_status: one of `Status`, or Kling's own word where the documentation does not know it.
        task_status_msg: Kling's words, mostly why it failed.
        external_task_id: our id, empty if none was given.
        videos: the results of a task that succeeded.
        final_unit_deduction: Units really charged, once known.
        final_balance_deduction: money really charged to an account that pays in cash, once known.
        watermark: whether a watermarked file was asked for, None where the answer does not say.
        created_at, updated_at: aware datetimes in UTC, None where the answer had none that can be read.
        request_id: of the answer, for Kling's support.
        raw: the whole `data` object.
    """

    task_id: str
    task_status: str
    task_status_msg: str = ""
    external_task_id: str = ""
    videos: tuple[Video, ...] = ()
    final_unit_deduction: Decimal | None = None
    final_balance_deduction: BalanceDeduction | None = None
    watermark: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    request_id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def terminal(self) -> bool:
        """Whether the task has ended. A state that is not documented counts as still running."""
        return self.task_status in {Status.SUCCEED, Status.FAILED}
