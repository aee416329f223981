"""Faults that the machine has to find: the rules that the studio had before, and some that it never had.

Each is planted at the smallest place that decides, and comes with the rules of the machine that lead to it
fastest and with what the machine has to say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from kling import Client, MaybeSent, Task, TextToVideo
from kling.endpoint import TEXT_TO_VIDEO, AnyRequest
from kling.errors import KlingError
from kling.studio import accounts, evidence, poller, reconciler, sender
from kling.studio.jobs import Job, folding, job
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.orders import Press
from kling.studio.reconciler import Reconciler
from kling.studio.service import Studio

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Plant:
    """A fault.

    Args:
        put: plants it.
        rules: of the machine that are needed to find it.
        found_as: what the machine says then, as a pattern.
        by: how it shows itself.
        usual_list: of the account, if it takes a certain one.
    """

    put: Callable[[Patch], None]
    rules: tuple[str, ...]
    found_as: str
    by: type[Exception] | tuple[type[Exception], ...] = AssertionError
    usual_list: str = ""

    def __str__(self) -> str:
        return self.put.__name__


def a_fresh_id_on_retry(patch: Patch) -> None:
    create = Client.create

    def try_twice(self: Client, request: TextToVideo, **more: Any) -> Task:
        try:
            return create(self, request, **more)
        except MaybeSent:
            return create(self, replace(request, external_task_id=f"{request.external_task_id}x"), **more)

    patch.setattr(Client, "create", try_twice)


def the_post_before_the_intent(patch: Patch) -> None:
    order_all = Studio.order_all

    def post_first(self: Studio, requests: Sequence[AnyRequest], press: Press) -> list[Job]:
        with contextlib.suppress(KlingError):
            self.connection.client().create(replace(requests[0], external_task_id="posted-first"))
        return order_all(self, requests, press)

    patch.setattr(Studio, "order_all", post_first)


def a_row_lost_at_a_full_disk(patch: Patch) -> None:
    append = LogFile.append

    def careless(self: LogFile, record: bytes) -> None:
        with contextlib.suppress(LedgerError):
            append(self, record)

    patch.setattr(LogFile, "append", careless)


def a_refusal_is_believed(patch: Patch) -> None:
    def refused(error: KlingError) -> evidence.Outcome:
        outcome = evidence.outcome_of(error)
        return evidence.Outcome.REFUSED if outcome is evidence.Outcome.EXISTS else outcome

    patch.setattr(sender, "outcome_of", refused)
    patch.setattr(Reconciler, "find", lambda *_: None)


def no_such_task_is_believed_within_the_lag(patch: Patch) -> None:
    patch.setattr(evidence, "LATE", 0.0)
    patch.setattr(evidence, "APART", 0.0)


def a_row_takes_a_job_back(patch: Patch) -> None:
    patch.setattr(folding, "accepted_state", lambda *_: "")


def the_wall_clock_measures_pauses(patch: Patch) -> None:
    init = Studio.__init__

    def by_the_wall(self: Studio, *arguments: Any, clock: Any, monotonic: Any, **more: Any) -> None:
        difference = clock() - monotonic()
        init(self, *arguments, clock=clock, monotonic=lambda: clock() - difference, **more)

    patch.setattr(Studio, "__init__", by_the_wall)


def the_fingerprint_is_the_account(patch: Patch) -> None:
    patch.setattr(accounts, "find_task", lambda *_: None)


def kling_is_asked_by_its_own_id(patch: Patch) -> None:
    init = Studio.__init__

    def noted(self: Studio, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        patch.setattr(
            poller, "asked_by", lambda job_id: (self.ledger.get(job_id) or Job())["task_id"] or job_id
        )

    patch.setattr(Studio, "__init__", noted)


def a_date_has_no_zone(patch: Patch) -> None:
    for module in (folding, job):
        patch.setattr(module, "utc_time", datetime.fromisoformat)


def an_unknown_endpoint_is_text_to_video(patch: Patch) -> None:
    patch.setattr(job, "endpoint_named", lambda _: TEXT_TO_VIDEO)


def every_endpoint_refuses_a_second_create(patch: Patch) -> None:
    patch.setattr(reconciler, "refuses_duplicates", lambda _: True)


PLANTS = (
    Plant(
        every_endpoint_refuses_a_second_create,
        ("order", "spoil_several_answers", "advance"),
        "was bought . times",
    ),
    Plant(
        a_fresh_id_on_retry, ("order", "spoil_several_answers", "advance"), "was bought . times|is (in|on) no"
    ),
    Plant(the_post_before_the_intent, ("order",), "was bought . times|is in no log"),
    Plant(a_row_lost_at_a_full_disk, ("order", "fill_the_disk"), "is in no log|row is gone"),
    Plant(
        a_refusal_is_believed,
        ("order", "deliver_the_next_create_twice", "resume"),
        "paid for and called free",
    ),
    Plant(
        no_such_task_is_believed_within_the_lag,
        ("order", "advance", "spoil_several_answers"),
        "paid for and called free",
    ),
    Plant(
        a_row_takes_a_job_back,
        ("order", "tick", "mix_up_the_log"),
        "no longer accepted|differ|waits for ever|intent",
        by=(AssertionError, KeyError),
    ),
    Plant(the_wall_clock_measures_pauses, ("order",), "was bought . times"),
    Plant(the_fingerprint_is_the_account, ("order", "change_the_key"), "ended as (succeed|failed)"),
    Plant(
        kling_is_asked_by_its_own_id,
        ("order", "edit_the_log_in_a_spreadsheet"),
        "waits for ever|never fetched",
        usual_list="404",
    ),
    Plant(
        a_date_has_no_zone, ("order", "tick", "edit_the_log_in_a_spreadsheet"), "offset-naive", by=TypeError
    ),
    Plant(
        an_unknown_endpoint_is_text_to_video,
        ("go_back_to_this_version", "advance"),
        "was sent to another endpoint|waits for ever|never fetched|newer version was bought|and is unknown",
    ),
)
