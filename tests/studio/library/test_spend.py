"""What was spent, in groups: exact, whole, and what pandas reads from the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from kling.studio.jobs import Job, fold
from kling.studio.library import Group, JobQuery
from kling.studio.library.search import Sums
from tests.studio.library.conftest import NOON, House
from tests.studio.library.test_search import filled
from tests.studio.test_curation import lines_of_readme

Row = dict[str, str]


def job(job_id: str, *rows: Row, at: str = "2026-11-20T10:00:00+00:00", **order: str) -> Job:
    found = fold(
        None, {"external_task_id": job_id, "time": at, "state": "intent", "account": "sandbox", **order}
    )
    for row in rows:
        found = fold(found, {"external_task_id": job_id, "time": at, **row})
    return found


def charged(units: str) -> Row:
    return {"state": "succeed", "task_id": "7", "final_unit_deduction": units}


@pytest.fixture
def jobs() -> list[Job]:
    price = {"unit_price": "0.14", "currency": "USD"}
    return [
        job(
            "v1",
            charged("1.5"),
            {"star": "1", "by": "p-1"},
            person="Ada",
            person_id="p-1",
            units="1.5",
            **price,
        ),
        job("v2", charged("3"), {"rating": "4"}, person="Grace", units="2.5", model_name="kling-v3", **price),
        job("v3", charged("2"), {"rating": "3"}, person="GRACE", units="2", batch="b1", **price),
        job(
            "v4",
            {"state": "failed", "task_id": "8", "star": "1"},  # only a clip can be kept
            person="Ada",
            person_id="p-1",
            units="2",
            batch="b1",
        ),
        job(
            "v5", at="2026-10-31T23:30:00+00:00", person="Mia", units="5", extra='{"template":"t1"}', **price
        ),
        job("v6", charged("9"), account="other", units="9", person="Ada", person_id="p-1"),
        job("v7", charged("9"), units="9", extra='{"imported":{"id":"i"}}'),
    ]


def test_sums_tell_what_was_charged_what_was_expected_and_what_was_kept(jobs):
    sums = filled(jobs).totals(JobQuery()).sums
    assert (sums.jobs, sums.succeeded, sums.failed, sums.kept) == (5, 3, 1, 2)
    assert (sums.spent.settled.units, sums.spent.reserved.units) == (Decimal("6.5"), Decimal(5))
    assert (sums.spent.settled.money, sums.spent.used.money) == (Decimal("0.91"), Decimal("1.61"))
    assert (sums.expected, sums.charged_of_expected, sums.difference) == (
        Decimal(6),
        Decimal("6.5"),
        Decimal("0.5"),
    )
    assert sums.expected_money == Decimal("0.84")
    assert (sums.kept_cost.units, sums.kept_cost.money) == (Decimal("4.5"), Decimal("0.63"))
    assert sums.success_rate == 0.75
    assert filled([]).totals(JobQuery()).sums.success_rate is None


def test_people_are_told_by_id_or_by_name_in_any_spelling(jobs):
    rows = filled(jobs).spend(JobQuery(), Group.PERSON)
    assert {row.key: (row.name, row.sums.jobs, row.sums.spent.used.units) for row in rows} == {
        "GRACE": ("GRACE", 2, Decimal(5)),
        "Mia": ("Mia", 1, Decimal(5)),
        "p-1": ("Ada", 2, Decimal("1.5")),
    }
    assert [row.key for row in rows][-1] == "p-1"
    for row in rows:  # a click on a group shows its jobs
        assert filled(jobs).totals(JobQuery(person=row.key)).sums == row.sums


def test_the_dearest_job_is_one_of_those_that_are_added_up(jobs):
    library = filled(jobs)  # v6 and v7 cost more: of another account, and imported
    day = JobQuery(first=date(2026, 11, 20), last=date(2026, 11, 20))
    assert library.dearest(day) == "v2"
    assert library.dearest(replace(day, person="p-1")) == "v1"
    assert library.dearest(JobQuery(states=("failed",))) == ""


def test_days_and_months_are_those_of_the_studio(jobs):
    from zoneinfo import ZoneInfo

    library = filled(jobs, zone=ZoneInfo("Europe/Berlin"))
    days = [(row.key, row.sums.jobs) for row in library.spend(JobQuery(), Group.DAY)]
    assert days == [("2026-11-01", 1), ("2026-11-20", 4)]
    months = [(row.key, row.sums.jobs) for row in filled(jobs).spend(JobQuery(), Group.MONTH)]
    assert months == [("2026-10", 1), ("2026-11", 4)]


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize(
    "query", [JobQuery(), JobQuery(period="month"), JobQuery(rating=3), JobQuery(hidden="all")]
)
def test_the_groups_add_up_to_the_total(jobs, group, query):
    library = filled(jobs)
    rows = library.spend(query, group)
    assert sum((row.sums for row in rows), start=Sums()) == library.totals(query).sums
    assert len({row.key for row in rows}) == len(rows)


def test_batches_and_templates_are_groups_too(jobs):
    library = filled(jobs)
    assert {row.key: row.sums.jobs for row in library.spend(JobQuery(), Group.BATCH)} == {"": 3, "b1": 2}
    assert {row.key: row.sums.jobs for row in library.spend(JobQuery(), Group.TEMPLATE)} == {"": 4, "t1": 1}


def test_amounts_of_any_size_are_added_exactly():
    jobs = [
        job(f"v{number}", charged(units), units=units, unit_price=price, currency="USD")
        for number, (units, price) in enumerate(
            product(["99999999999", "0.000001", "1.5"], ["0.000001", "1000"])
        )
    ]
    sums = filled(jobs).totals(JobQuery()).sums
    units = 2 * (Decimal(99999999999) + Decimal("0.000001") + Decimal("1.5"))
    assert sums.spent.settled.units == units == sums.expected
    assert sums.expected_money == sums.spent.settled.money
    assert sums.spent.settled.money == units / 2 * Decimal("1000.000001")
    assert sum((row.sums for row in filled(jobs).spend(JobQuery(), Group.DAY)), start=Sums()) == sums


def test_times_are_averages_by_model_and_hour():
    def done(job_id: str, began: int, ended: int, hour: int) -> Job:
        start = NOON.replace(hour=hour)
        rows = {"submitted": 2, "processing": began, "succeed": ended}
        found = fold(
            None,
            {"external_task_id": job_id, "time": start.isoformat(), "state": "intent", "model_name": "m"},
        )
        for state, seconds in rows.items():
            time = (start + timedelta(seconds=seconds)).isoformat()
            found = fold(found, {"external_task_id": job_id, "time": time, "state": state, "task_id": "7"})
        return found

    jobs = [done("v1", 12, 62, 9), done("v2", 22, 92, 9), done("v3", 3, 4, 14)]
    for query in (JobQuery(), JobQuery(states=("succeed",))):  # from the table of sums, and from the jobs
        times = filled(jobs).times(query)
        assert [(each.hour, each.jobs, each.waited, each.queued, each.processed) for each in times] == [
            (9, 2, 2.0, 15.0, 60.0),
            (14, 1, 2.0, 1.0, 1.0),
        ]


@pytest.mark.parametrize("month", ["2026-10", "2026-11"])
def test_the_lines_of_readme_add_up_the_same_month_by_person(house: House, month: str):
    import pandas as pd

    people = {"p-1": "Ada", "p-2": "=Grace", "": "Guest"}
    for number in range(90):
        person_id = list(people)[number % 3]
        at = f"2026-{10 + number % 2}-{1 + number % 28:02}T{number % 24:02}:00:00+00:00"
        job_id = f"v{number}"
        order = {"person": people[person_id], "person_id": person_id, "account": "sandbox", "units": "2.5"}
        if number % 11 == 0:
            order["extra"] = '{"imported":{"id":"i1"}}'
        house.ledger.append(job_id, state="intent", time=at, **order)
        if number % 5 == 0:
            house.ledger.append(job_id, state="succeed", task_id="7", final_balance_deduction="1.75", time=at)
        elif number % 7:
            units = str(Decimal("0.1") * (number % 13 + 1))
            house.ledger.append(job_id, state="succeed", task_id="7", final_unit_deduction=units, time=at)
        else:
            house.ledger.append(job_id, state="failed", task_id="7", time=at)
        house.ledger.append(job_id, star="1", by_name="Ada")
        if number % 2 == 0:  # what a start finds in the file of a clip, of an imported one too
            house.ledger.append(job_id, extra='{"probe":{"width":64},"check":"ok"}')
    headings = ("## The log", "### What people say of a clip", "### Adding up")  # whoever reads on has all
    code = "".join(map(lines_of_readme, headings))
    names: dict[str, Any] = {"pandas": pd}
    exec(code.replace("data/history.csv", str(house.folder / "history.csv")).replace("2026-11", month), names)
    told = {name.removeprefix("'"): units for name, units in names["spend"].items()}
    query = JobQuery(first=date.fromisoformat(f"{month}-01"), last=date.fromisoformat(f"{month}-28"))
    rows = house.library.spend(query, Group.PERSON)
    assert {row.name: row.sums.spent.settled.units for row in rows} == told
    assert len(told) == 3
