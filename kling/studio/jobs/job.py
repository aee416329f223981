"""One job, as its records say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kling.endpoint import AnyRequest, Endpoint
from kling.studio.jobs.cells import bounded, json_object, utc_time
from kling.studio.jobs.columns import OF_A_TASK, TAKEN_BACK
from kling.studio.jobs.opinions import Opinion
from kling.studio.jobs.record import endpoint_named, request_of
from kling.studio.jobs.states import (
    KNOWN_STATES,
    NOT_SENT,
    ONLY_OF_ACCEPTED,
    SUCCEED,
    TERMINAL,
    UnknownEndpoint,
    state_shown_by,
)

SHORT = 1000  # characters of JSON that is kept read: pages ask for the same jobs again and again
NO_TIME = datetime.fromtimestamp(0, UTC)  # stands for the time of a record that cannot be read
# Older versions wrote these sentences into `message`.
_MONEY_SENTENCES = re.compile(
    r"(?:^|(?<=[.!?)”]\s))(?:It (?:waits here|never arrived), and nothing was spent\.|Nothing was spent\."
    r"|It is being looked up: nothing needs to be done, and no second task is bought\.)\s*",
    re.IGNORECASE,
)
_OLDER_WORDS = {  # what a page calls otherwise now
    "Send it now, or withdraw it.": "Send it now, or cancel it.",
    "Withdrawn.": "Cancelled.",
}
_MONEY_CLAUSE = re.compile(r"[ ,;]{0,2}(?:\band )?\bnothing was spent\b", re.IGNORECASE)


@lru_cache(maxsize=2000)
def _short_object(text: str) -> Mapping[str, Any]:
    return json_object(text)


@dataclass(frozen=True, slots=True)
class Job:
    """One job as its records say; immutable, so that pages can hold it while the poller changes the ledger.

    Args:
        cells: the latest non-empty cell of each column, decoded.
        since: when the job first came into each of its states.
        opinions: people's stars and ratings, by `opinions.who_is`.
    """

    cells: Mapping[str, str] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    opinions: Mapping[str, Opinion] = field(default_factory=dict)

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def id(self) -> str:
        """Our id, the `external_task_id`."""
        return self["external_task_id"]

    @property
    def state(self) -> str:
        """One of `STATES`; where no record names one, the state that the other cells show."""
        state = self["state"]
        return state if state in KNOWN_STATES else state_shown_by(self.cells, "") or NOT_SENT

    @property
    def accepted(self) -> bool:
        """Whether Kling is known to have accepted it: then it has a task, which may have been paid for."""
        return self.state in ONLY_OF_ACCEPTED or not self.cells.keys().isdisjoint(OF_A_TASK)

    @property
    def gone(self) -> bool:
        """Whether it is proved that Kling has deleted its video, or nobody wants it (`unwanted`)."""
        return ("gone" in self["extra"] and bool(self.extra.get("gone"))) or self.unwanted

    @property
    def unwanted(self) -> bool:
        """Whether its video is never fetched, although Kling may have it."""
        return self.erased or bool(self.deleted) or (self.imported and not self["file"])

    @property
    def deleted(self) -> str:
        """When somebody deleted its file, as text; empty if nobody did. Nothing takes that back."""
        when = self["deleted"]
        return "" if when == TAKEN_BACK else when

    @property
    def imported(self) -> bool:
        """Whether it was taken in from an export: it is history, and no call is ever made for it."""
        return "imported" in self["extra"] and isinstance(self.extra.get("imported"), dict)

    @property
    def import_facts(self) -> Mapping[str, Any]:
        """What was noted at the import: `id` of the import, `was` if it had not ended, `undone`."""
        found = self.extra.get("imported") if "imported" in self["extra"] else None
        return found if isinstance(found, dict) else {}

    @property
    def retracted(self) -> bool:
        """Whether its import was undone: no list shows it."""
        return bool(self.import_facts.get("undone"))

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        return tuple(filter(None, (tag.strip() for tag in self["tags"].split(","))))

    @property
    def hidden(self) -> bool:
        """Whether somebody has hidden it from the lists."""
        return bool(self["hidden"])

    @property
    def erased(self) -> bool:
        """Whether the words and files of the job were erased by the operator; what it cost was not."""
        return "erased" in self["extra"] and bool(self.extra.get("erased"))

    @property
    def ordered_at(self) -> datetime:
        """When the person ordered it; 1970 where no record has a time that can be read."""
        known = [time for time in self.since.values() if time != NO_TIME]
        return min(known, default=None) or self.moment("time") or NO_TIME

    @property
    def ended_at(self) -> datetime | None:
        """When it reached a terminal state."""
        return self.since.get(self.state) if self.state in TERMINAL else None

    @property
    def who(self) -> str:
        """Who ordered it, as the queue tells people apart: the person's id, else the name as it was typed."""
        return self["person_id"] or self["person"]

    @property
    def parent(self) -> str:
        """The id of the job that it was remixed from, empty if it was written anew."""
        return self["parent"]

    @property
    def group(self) -> str:
        """The id of the batch that it was ordered in, empty if it was ordered alone."""
        return self["batch"]

    @property
    def take(self) -> int:
        """Its number among the equal requests of one press, from 1."""
        take = self.extra.get("take")
        return take if isinstance(take, int) and 0 < take < 10**6 else 1

    @property
    def has_clip(self) -> bool:
        """Whether its video is in the archive."""
        return bool(self["file"]) and self.state == SUCCEED and not self.deleted and not self.retracted

    @property
    def extra(self) -> Mapping[str, Any]:
        """Facts without a column of their own, such as what the file was found to be (`probe`)."""
        text = self["extra"]
        return _short_object(text) if len(text) < SHORT else json_object(text)

    @property
    def cash_currency(self) -> str:
        """Of what Kling took from a balance; where it names none, that of the studio when it was ordered."""
        found = self.extra.get("cash_currency") if "cash_currency" in self["extra"] else None
        return found if isinstance(found, str) and found else self["currency"]

    @property
    def probe(self) -> Mapping[str, Any]:
        """What the file was found to be: width, height, fps, seconds, audio; empty where unknown."""
        found = self.extra.get("probe")
        return found if isinstance(found, dict) else {}

    @property
    def message(self) -> str:
        """What the last answer means, in words for a person.

        Sentences about money that older versions wrote there are left out: only a process that has the
        proof may say them. What they called `withdraw` is called `cancel`, as on the button.
        """
        words = _MONEY_CLAUSE.sub("", _MONEY_SENTENCES.sub("", self["message"])).rstrip()
        for older, now in _OLDER_WORDS.items():
            if words.endswith(older):
                words = words.removesuffix(older) + now
        return words

    @property
    def code(self) -> int:
        """Kling's code of the last answer, 0 where there is none."""
        number = self.decimal("code")
        return int(number) if number is not None and number == int(number) else 0

    def decimal(self, column: str) -> Decimal | None:
        """Return the number of a column, None where there is none or one of absurd size."""
        return bounded(self[column])

    def moment(self, column: str) -> datetime | None:
        """Return the time of a column in UTC, None where there is none; one without a zone is UTC."""
        return utc_time(self[column])

    @property
    def endpoint(self) -> Endpoint | None:
        """The endpoint of the API that makes it, None if this version of the studio does not know it."""
        return endpoint_named(self["endpoint"])

    @property
    def request(self) -> AnyRequest:
        """The request as it was ordered, ready to be sent again with the same id.

        Raises:
            UnknownEndpoint: see `endpoint`.
        """
        if (endpoint := self.endpoint) is None:
            raise UnknownEndpoint(self["endpoint"])
        return request_of(self.cells, endpoint)
