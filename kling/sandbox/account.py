"""The resource pack of the sandbox's account: what is left of it, and the answer of `/account/costs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kling.sandbox.refusals import refusal
from kling.sandbox.responses import PACK_MS, pack_body
from kling.sandbox.rules import whole_number
from kling.sandbox.store import Store

_PAUSE_MS = 1000  # between two questions, where the sandbox is strict


class Account:
    """The pack that was bought when the sandbox started, and the use of it.

    Args:
        store: the tasks that use it.
        bought_at: ms, by the sandbox's clock.
    """

    def __init__(self, store: Store, bought_at: int) -> None:
        self._store = store
        self._bought_at = bought_at
        self._asked_at = 0

    def buy_pack(self, now: int) -> None:
        """Replace the pack by a new one that is bought at a time (ms)."""
        self._bought_at = now

    def units_left(self, total: float, now: int) -> float:
        """Return how many Units a new task may cost: those of running tasks are reserved.

        Args:
            total: Units in the pack at first.
            now: ms.
        """
        if now >= self._bought_at + PACK_MS:
            return 0.0
        return round(total - self._store.units_used - self._store.units_reserved, 2)

    def costs(
        self, query: Mapping[str, str], *, total: float | None, concurrency: int, strict: bool, now: int
    ) -> dict[str, Any]:
        """Return `data` of the answer to a question about the account.

        Args:
            query: the parameters of the URL.
            total: Units in the pack at first; None: there is no pack.
            concurrency: tasks in flight per model.
            strict: whether a second question within a second is refused.
            now: ms.

        Raises:
            Refused: a parameter is wrong, or the question comes too soon.
        """
        if strict and abs(now - self._asked_at) < _PAUSE_MS:
            raise refusal("costs-rate")
        self._asked_at = now
        for name in ("start_time", "end_time"):
            whole_number(query, name, 0, 10**15)
        data: dict[str, Any] = {"code": 0, "msg": "success"}
        if total is None:
            return data  # observed (S6): without packs the list is absent
        pack = pack_body(
            total=total,
            left=round(total - self._store.units_used, 2),
            concurrency=concurrency,
            bought_at=self._bought_at,
            now=now,
        )
        if query.get("resource_pack_name") not in {None, "", pack["resource_pack_name"]}:
            return data
        return data | {"resource_pack_subscribe_infos": [pack]}
