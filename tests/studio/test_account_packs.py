"""The account's packs: asked for slowly, shown with their age beside our own sum, warned of in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kling import TextToVideo
from kling.errors import KlingError, NotSent, api_error
from kling.resource_packs import ResourcePack
from kling.sandbox.engine import Engine
from kling.sandbox.settings import Settings
from kling.sandbox.store import Store
from kling.studio.account_packs import FIRST, PAUSE, RETRY_PAUSES, AccountPacks
from kling.studio.jobs import Job
from kling.studio.spending import SpendingSums
from tests.kling.tools import Clock
from tests.studio.in_process import ALL_KEYS, InProcess, Wire

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = 24 * 3600.0


class Asked:
    """A client that answers as it is told, and counts."""

    def __init__(self, *answers: tuple[ResourcePack, ...] | KlingError) -> None:
        self.answers, self.times = list(answers), 0

    def resource_packs(self, start: datetime, end: datetime) -> tuple[ResourcePack, ...]:
        assert start < NOW < end
        self.times += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, KlingError):
            raise answer
        return answer


def packs_of(
    client: object, clock: Clock, *jobs: Job, on_change: Callable[[], None] = lambda: None
) -> AccountPacks:
    sums = SpendingSums(
        zone=UTC,
        unit_price=Decimal("0.14"),
        currency="USD",
        accounts=lambda: frozenset({"k#1"}),
        clock=clock,
    )
    sums.reset(jobs)
    return AccountPacks(
        lambda: client,  # type: ignore[arg-type,return-value]
        sums,
        clock=clock,
        monotonic=clock,
        on_change=on_change,
    )


def pack(**about: object) -> ResourcePack:
    return ResourcePack(
        **{  # type: ignore[arg-type]
            "name": "Video-1000Units-20Con",
            "kind": "decreasing_total",
            "total": Decimal(1000),
            "remaining": Decimal(500),
            "ends": datetime.fromtimestamp(NOW.timestamp() + 90 * DAY, UTC),
            "status": "online",
            **about,
        }
    )


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW.timestamp())


def warned(clock: Clock, *found: ResourcePack) -> tuple[str, ...]:
    packs = packs_of(Asked(found), clock)
    clock.now += FIRST
    packs.step()
    return packs.warnings()


# -- asking --------------------------------------------------------------------------------------------------


def test_kling_is_asked_once_an_hour_and_its_answer_gets_older(clock):
    client = Asked((pack(),))
    packs = packs_of(client, clock)
    first = packs.age
    assert first is None
    clock.now = packs.step()
    assert packs.step() == clock.now + PAUSE
    clock.now += 600.0
    packs.step()
    assert client.times == 1
    assert packs.age == 600.0
    clock.now += PAUSE
    packs.step()
    assert client.times == 2


def test_however_often_somebody_looks_there_is_one_question_a_second(clock):
    client = Asked((pack(),))
    packs = packs_of(client, clock)
    for _ in range(100):
        packs.request()
        packs.step()
        clock.now += 0.05
    assert client.times == 5


def test_a_question_without_an_answer_keeps_the_last_one_and_is_repeated_slowly(clock):
    client = Asked((pack(),), NotSent("Kling could not be reached."))
    packs = packs_of(client, clock)
    packs.request()
    packs.step()
    packs.request()
    clock.now += 60.0
    due = packs.step()
    assert packs.report.packs == (pack(),)
    assert packs.report.trouble == "Kling could not be reached."
    assert packs.age == 60.0
    for pause in RETRY_PAUSES[1:]:
        assert due > clock.now
        clock.now = due
        due = packs.step()
        assert due == clock.now + pause


def test_a_refusal_is_said_with_its_remedy(clock):
    packs = packs_of(Asked(api_error(401, 1002, "no")), clock)
    packs.request()
    packs.step()
    assert "credentials" in packs.report.trouble


def test_pages_are_told_only_of_news(clock):
    told = []
    client = Asked((pack(),), (pack(),), (pack(remaining=Decimal(499)),))
    packs = packs_of(client, clock, on_change=lambda: told.append(client.times))
    for _ in range(3):
        packs.request()
        packs.step()
        clock.now += 1.0
    assert told == [1, 3]


# -- telling -------------------------------------------------------------------------------------------------


def test_our_own_sum_stands_beside_klings(clock):
    begins = datetime.fromtimestamp(NOW.timestamp() - 2 * DAY, UTC)
    jobs = [
        Job(
            {
                "external_task_id": str(days),
                "account": "k#1",
                "state": "succeed",
                "final_unit_deduction": "30",
            },
            {"succeed": datetime.fromtimestamp(NOW.timestamp() - days * DAY, UTC)},
        )
        for days in range(5)
    ]
    packs = packs_of(Asked((pack(begins=begins, remaining=Decimal(900)),)), clock, *jobs)
    packs.request()
    packs.step()
    (view,) = packs.views()
    assert (view.used, view.ours) == (Decimal(100), Decimal(90))


def test_packs_in_force_come_first(clock):
    client = Asked((pack(name="old", status="expired"), pack(name="now")))
    packs = packs_of(client, clock)
    packs.request()
    packs.step()
    assert [view.pack.name for view in packs.views()] == ["now", "old"]


def test_half_a_pack_for_months_is_no_warning(clock):
    assert warned(clock, pack()) == ()
    assert warned(clock) == ()


def test_a_pack_that_is_about_to_run_out_is_warned_of(clock):
    (words,) = warned(clock, pack(remaining=Decimal(100)))
    assert words.startswith("Video-1000Units-20Con has 100 of 1000 Units left by Kling’s figure")
    assert warned(clock, pack(remaining=Decimal(101))) == ()


def test_a_pack_that_is_about_to_expire_is_warned_of_with_what_is_lost(clock):
    soon = datetime.fromtimestamp(NOW.timestamp() + 6 * DAY, UTC)
    assert warned(clock, pack(ends=soon)) == (
        "Video-1000Units-20Con expires on 02 December 2026 at 12:00 (UTC) with 500 Units in it.",
    )


@pytest.mark.parametrize("about", [{"status": "runOut"}, {"status": "expired"}, {"ends": NOW}])
def test_without_a_pack_in_force_that_is_said(clock, about):
    assert warned(clock, pack(**about)) == (
        "No pack of Units is in force: Kling refuses new videos until one is bought.",
    )


def test_packs_of_images_are_left_out_of_warnings(clock):
    assert warned(clock, pack(), pack(name="Image-100Units", remaining=Decimal(0), status="runOut")) == ()


# -- with the sandbox, which knows the call from the documentation -------------------------------------------


def test_the_sandbox_answers_as_documented_with_what_its_tasks_used(clock):
    keys = ALL_KEYS
    engine = Engine(Store(), Settings(keys=keys, units=100.0, strict=True), clock())
    connection = InProcess(Wire(engine, b"", clock), monotonic=clock)
    packs = packs_of(connection.client(), clock)
    clock.now += FIRST
    packs.step()
    (first,) = packs.report.packs
    assert (first.total, first.remaining, first.status, first.slots) == (
        Decimal(100),
        Decimal(100),
        "online",
        20,
    )

    task = connection.client().create(TextToVideo(prompt="A fox"))
    clock.now += 120.0
    charged = connection.client().get(task.task_id).final_unit_deduction
    packs.request()
    packs.step()
    assert packs.report.trouble == ""
    assert packs.views()[0].used == charged == Decimal("1.5")


def test_a_sandbox_without_a_pack_says_so(clock):
    engine = Engine(Store(), Settings(keys=ALL_KEYS), clock())
    packs = packs_of(InProcess(Wire(engine, b"", clock), monotonic=clock).client(), clock)
    packs.request()
    packs.step()
    assert packs.report.packs == ()
    assert packs.report.trouble == ""
    assert packs.warnings() == ()
