"""The resource packs of an account, and the call that asks for them, `GET /account/costs` (S2).

Kling asks for at most one such call a second, and says that what remains is shown up to 12 hours late.
Everything here is a pure function; answers are read tolerantly, as in `wire`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from kling.dialect import Call
from kling.errors import MaybeSent, api_error
from kling.json_values import mapping, moment, number, text

PATH = "/account/costs"
EVERY = 1.0  # seconds between two questions at least
ONLINE, EXPIRED, RUN_OUT, TO_BE_ONLINE = "online", "expired", "runOut", "toBeOnline"
MOST = 200  # packs of one answer
_LIST = "resource_pack_subscribe_infos"
_STATUSES = {
    re.sub("[ _-]", "", status.lower()): status for status in (ONLINE, EXPIRED, RUN_OUT, TO_BE_ONLINE)
}
_SLOTS = re.compile(r"(\d{1,4})\s*Con\b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourcePack:
    """A pack of Units, as the API last described it.

    Args:
        name: such as `Trial-Video-100Units-5Con-1Months`.
        id: Kling's.
        kind: `decreasing_total`, or `constant_period` for one that is filled again each period.
        total: Units in it at first; None where the answer had no number.
        remaining: Units in it now, up to 12 hours late; None likewise.
        bought, begins, ends: times in UTC; None where the answer had none that can be read.
        status: `online`, `toBeOnline`, `expired` or `runOut`, or Kling's own word if it is another one.
    """

    name: str
    id: str = ""
    kind: str = ""
    total: Decimal | None = None
    remaining: Decimal | None = None
    bought: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    status: str = ""

    @property
    def slots(self) -> int | None:
        """How many tasks may run at once with it, if its name says so; only the largest pack counts."""
        found = _SLOTS.search(self.name)
        return int(found[1]) if found else None


def call(start: datetime, end: datetime) -> Call:
    """Return the call that asks for the packs of a time; which of their times is meant is not documented."""
    return Call("GET", PATH, params={"start_time": _milliseconds(start), "end_time": _milliseconds(end)})


def read(data: Any, request_id: str = "") -> tuple[ResourcePack, ...]:
    """Read the `data` of an answer. An account without packs has no list of them at all (S6).

    Raises:
        APIError: the answer says inside that the question was refused.
        MaybeSent: it is not an answer about packs.
    """
    fields = mapping(data)
    code = number(fields.get("code"))
    if code:
        raise api_error(200, int(code), text(fields.get("msg"), 1000), request_id=request_id)
    found = fields.get(_LIST, [])
    if (code is None and _LIST not in fields) or not isinstance(found, list | None):
        raise MaybeSent("The answer is not about resource packs.")
    return tuple(_pack(entry) for entry in (found or [])[:MOST] if isinstance(entry, dict))


def _pack(entry: dict[str, Any]) -> ResourcePack:
    status = text(entry.get("status"), 60)
    return ResourcePack(
        name=text(entry.get("resource_pack_name"), 200),
        id=text(entry.get("resource_pack_id"), 128),
        kind=text(entry.get("resource_pack_type"), 60),
        total=number(entry.get("total_quantity")),
        remaining=number(entry.get("remaining_quantity")),
        bought=moment(entry.get("purchase_time")),
        begins=moment(entry.get("effective_time")),
        ends=moment(entry.get("invalid_time")),
        status=_STATUSES.get(re.sub("[ _-]", "", status.lower()), status),
    )


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
