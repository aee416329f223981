"""What is spent is a sum over the log: what each job counts for, whose it is, and on which day."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import FAILED, WITHDRAWN, Job, fold
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.spending import Amount, SpendingSums, Spent
from tests.kling.tools import Clock, law

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ORDER = {"external_task_id": "a", "account": "k#1", "person": "Ada", "units": "5"}
PRICED = {**ORDER, "unit_price": "0.14", "currency": "USD"}
Row = dict[str, str]


def job(*rows: Row, order: Row = PRICED, at: datetime = NOON) -> Job:
    """Fold a job; each row follows a second after the one before."""
    found = fold(None, {"state": "intent", **order, "time": at.isoformat()})
    for number, row in enumerate(rows, 1):
        time = (at + timedelta(seconds=number)).isoformat()
        found = fold(found, {"external_task_id": found.id, "time": time, **row})
    return found


def sums(
    *jobs: Job,
    now: datetime = NOON,
    zone: tzinfo = UTC,
    accounts: Iterable[str] = ("k#1",),
    owner_of: Callable[[str], str] = lambda _: "",
) -> SpendingSums:
    found = SpendingSums(
        zone=zone,
        unit_price=Decimal("0.2"),
        currency="USD",
        accounts=lambda: frozenset(accounts),
        owner_of=owner_of,
        clock=now.timestamp,
    )
    found.reset(jobs)
    return found


def units(*numbers: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


def reserved_and_settled(*jobs: Job) -> tuple[Decimal, Decimal]:
    today = sums(*jobs).team().day
    return today.reserved.units, today.settled.units


# -- what a job counts for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [{"state": state} for state in ("waiting", "intent", "unknown", "not_sent", "submitted", "processing")],
)
def test_the_price_of_a_job_that_may_still_cost_is_reserved(row):
    assert reserved_and_settled(job(row)) == units("5", "0")


@pytest.mark.parametrize("state", [WITHDRAWN, FAILED])
def test_what_was_taken_back_or_refused_counts_nothing(state):
    assert reserved_and_settled(job({"state": state})) == units("0", "0")


def test_a_task_that_failed_counts_what_was_deducted_for_it():
    failed = {"state": FAILED, "task_id": "8"}
    assert reserved_and_settled(job({**failed, "final_unit_deduction": "0"})) == units("0", "0")
    assert reserved_and_settled(job({**failed, "final_unit_deduction": "2.5"})) == units("0", "2.5")


def test_a_success_counts_what_was_deducted_and_not_its_price():
    assert reserved_and_settled(job({"state": "succeed", "final_unit_deduction": "4.5"})) == units("0", "4.5")


@pytest.mark.parametrize("charge", ["", "0", "garbage", "-3", "1e700000000"])
def test_a_success_without_a_charge_so_far_stays_reserved(charge):
    assert reserved_and_settled(job({"state": "succeed", "final_unit_deduction": charge})) == units("5", "0")


def test_a_charge_that_kling_names_later_takes_the_place_of_the_price():
    first = job({"state": "succeed", "final_unit_deduction": "0"})
    later = job({"state": "succeed", "final_unit_deduction": "0"}, {"final_unit_deduction": "6"})
    found = sums(first)
    found.changed(first, later)
    assert (found.team().day.reserved.units, found.team().day.settled.units) == units("0", "6")


def test_a_job_that_was_given_up_counts_nothing_until_kling_shows_it():
    given_up = job({"state": "unknown"}, {"state": WITHDRAWN, "extra": '{"given_up":true}'})
    shown = job({"state": "unknown"}, {"state": WITHDRAWN}, {"state": "submitted", "task_id": "8"})
    found = sums(given_up)
    assert found.team().day.used.units == 0
    found.changed(given_up, shown)
    assert found.team().day.reserved.units == 5


def test_an_account_that_pays_in_cash_counts_the_money_deducted_and_the_price_in_units():
    cash = job({"state": "succeed", "final_unit_deduction": "0", "final_balance_deduction": "0.63"})
    assert sums(cash).team().day.settled == Amount(Decimal(5), Decimal("0.63"))


@pytest.mark.parametrize(
    ("currency", "units", "settled"),
    [
        ("USD", "0", Amount(Decimal(5), Decimal("1.5"))),
        ("USD", "2", Amount(Decimal(2), Decimal("1.78"))),
        ("CNY", "0", Amount(Decimal(5), Decimal("0.70"))),
        ("CNY", "2", Amount(Decimal(5), Decimal("0.70"))),
    ],
)
def test_for_money_of_another_currency_the_price_counts(currency, units, settled):
    cells = {"final_unit_deduction": units, "final_balance_deduction": "1.5"}
    found = job({"state": "succeed", **cells, "extra": f'{{"cash_currency":"{currency}"}}'})
    assert sums(found).team().day.settled == settled


def test_money_counts_at_the_price_of_a_unit_when_it_was_ordered():
    assert sums(job()).team().day.reserved == Amount(Decimal(5), Decimal("0.70"))


@pytest.mark.parametrize("order", [ORDER, {**PRICED, "currency": "EUR"}, {**PRICED, "unit_price": "?"}])
def test_without_such_a_price_in_the_studios_currency_todays_counts(order):
    assert sums(job(order=order)).team().day.reserved.money == Decimal("1.0")


def test_what_nobody_knows_the_price_of_is_counted_apart():
    unknown = job({"state": "submitted", "task_id": "8"}, order={**ORDER, "units": ""})
    today = sums(unknown).team().day
    assert today == Spent(unpriced=1)
    told = job({"state": "succeed", "final_unit_deduction": "7"}, order={**ORDER, "units": ""})
    assert sums(told).team().day == Spent(settled=Amount(Decimal(7), Decimal("1.4")))


# -- whose it is ---------------------------------------------------------------------------------------------


def test_jobs_count_by_the_persons_id_and_without_one_by_the_name_in_any_spelling():
    jobs = [
        job(order={**PRICED, "external_task_id": "a", "person_id": "p1", "person": "Ada"}),
        job(order={**PRICED, "external_task_id": "b", "person": "Ada"}),
        job(order={**PRICED, "external_task_id": "c", "person": " ÁDA"}),
        job(order={**PRICED, "external_task_id": "d", "person": ""}),
    ]
    found = sums(*jobs)
    assert found.of("p1", "Ada").day.used.units == 5
    assert found.of(name="ada").day.used.units == 10
    assert found.of().day.used.units == 5
    assert found.team().day.used.units == 20


def test_a_name_that_was_given_to_a_person_counts_to_that_person():
    old = job(order={**PRICED, "external_task_id": "a", "person": "Ada"})
    new = job(order={**PRICED, "external_task_id": "b", "person_id": "p1", "person": "Ada L."})
    given_to = {"Ada": "p1"}
    found = sums(old, new, owner_of=lambda name: given_to.get(name, ""))
    assert found.of("p1").day.used.units == 10
    (only,) = found.spenders()
    assert (only.person_id, only.spending.day.used.units == 10) == ("p1", True)
    given_to.clear()
    assert found.of("p1").day.used.units == 5
    assert {each.name for each in found.spenders()} == {"Ada", "Ada L."}


def test_a_job_that_gets_a_name_later_counts_to_that_name_only():
    nameless = job(order={**PRICED, "person": ""})
    named = job({"person": "Ada"}, order={**PRICED, "person": ""})
    found = sums(nameless)
    found.changed(nameless, named)
    assert (found.of().day.used.units, found.of(name="Ada").day.used.units) == units("0", "5")


def test_only_the_account_in_use_counts_under_all_of_its_names():
    jobs = [
        job(order={**PRICED, "external_task_id": name, "account": name}) for name in ("k#1", "k#2", "sandbox")
    ]
    assert sums(*jobs, accounts=["k#1", "k#2"]).team().day.used.units == 10
    assert sums(*jobs, accounts=["sandbox"]).team().day.used.units == 5


# -- when it is ----------------------------------------------------------------------------------------------


def test_a_job_counts_on_the_day_of_its_order_in_the_studios_time_zone():
    before_midnight = datetime(2026, 10, 31, 22, 59, tzinfo=UTC)  # 23:59 in Berlin
    jobs = [
        job({"state": "succeed", "final_unit_deduction": "1"}, at=before_midnight),
        job(
            {"state": "succeed", "final_unit_deduction": "2"},
            order={**PRICED, "external_task_id": "b"},
            at=before_midnight + timedelta(minutes=1),
        ),
    ]
    now = before_midnight + timedelta(minutes=2)
    berlin, utc = sums(*jobs, now=now, zone=BERLIN).team(), sums(*jobs, now=now).team()
    assert (berlin.day.used.units, berlin.month.used.units) == units("2", "2")
    assert (utc.day.used.units, utc.month.used.units) == units("3", "3")


def test_days_of_23_and_25_hours_have_all_of_their_hours():
    for first, hours in (
        (datetime(2026, 3, 29, tzinfo=BERLIN), 23),
        (datetime(2026, 10, 25, tzinfo=BERLIN), 25),
    ):
        begin = first.astimezone(UTC)
        jobs = [
            job(order={**PRICED, "external_task_id": str(hour)}, at=begin + timedelta(hours=hour))
            for hour in range(-1, 26)
        ]
        noon = begin + timedelta(hours=12)
        assert sums(*jobs, now=noon, zone=BERLIN).team().day.used.units == 5 * hours


def test_a_task_that_was_found_counts_on_the_day_when_kling_made_it():
    made = (NOON - timedelta(days=3)).isoformat()
    found = {
        "state": "succeed",
        "final_unit_deduction": "5",
        "created_at": made,
        "extra": '{"found":"account"}',
    }
    there = sums(job(order={**ORDER, **found}))
    assert (there.team().day.used.units, there.team().month.used.units) == units("0", "5")


def test_sums_since_a_day_are_those_of_that_day_and_all_later_ones():
    jobs = [
        job(order={**PRICED, "external_task_id": str(days)}, at=NOON - timedelta(days=days))
        for days in range(40)
    ]
    assert sums(*jobs).since(NOON.date() - timedelta(days=9)).used.units == 50


# -- random months -------------------------------------------------------------------------------------------

ENDS = (
    (),
    ({"state": "waiting"},),
    ({"state": "waiting"}, {"state": WITHDRAWN}),
    ({"state": "unknown"},),
    ({"state": "unknown"}, {"state": "not_sent"}),
    ({"state": "submitted", "task_id": "8"},),
    ({"state": "submitted", "task_id": "8"}, {"state": "processing"}),
    ({"state": "submitted", "task_id": "8"}, {"state": "succeed", "final_unit_deduction": "charge"}),
    ({"state": "submitted", "task_id": "8"}, {"state": FAILED, "task_id": "8", "final_unit_deduction": "0"}),
    ({"state": FAILED, "code": "1201"},),
)
A_JOB = st.tuples(
    st.integers(0, 31 * 24 * 60),  # minutes of the month
    st.sampled_from(["p1", "p2", ""]),
    st.sampled_from(["Ada", "ada ", "Ben", ""]),
    st.sampled_from(["k#1", "k#2", "other"]),
    st.sampled_from(["", "0", "1.5", "5", "0.000001"]),
    st.sampled_from(["1.5", "4", "0"]),
    st.sampled_from(ENDS),
)


def expected(
    rows: list[tuple[str, Row]], zone: tzinfo
) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
    """Add up by account, person and day what the rows say; the order of a job's rows is its life."""
    lives: dict[str, list[Row]] = defaultdict(list)
    for job_id, row in rows:
        lives[job_id].append(row)
    found: dict[tuple[str, str, date], tuple[Decimal, Decimal]] = defaultdict(
        lambda: (Decimal(0), Decimal(0))
    )
    for life in lives.values():
        first = life[0]
        key = (
            first["account"],
            first.get("person_id") or "name of " + first.get("person", "").strip().casefold(),
            datetime.fromisoformat(first["time"]).astimezone(zone).date(),
        )
        charge = max((Decimal(row.get("final_unit_deduction") or 0) for row in life), default=Decimal(0))
        price = Decimal(first.get("units") or 0)
        reserved, settled = found[key]
        if charge:
            found[key] = reserved, settled + charge
        elif life[-1]["state"] not in {WITHDRAWN, FAILED}:
            found[key] = reserved + price, settled
    return found


def disturb(path: Path, copies: list[bytes], rng: random.Random) -> bool:
    """Do something to the log now and then, as people and backups do; return whether that was done."""
    match rng.randrange(12):
        case 0:
            copies.append(path.read_bytes())
            return False
        case 1:
            path.write_bytes(rng.choice(copies))  # a backup is put back
        case 2:
            header, *lines = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(header + b"".join(lines * 2))
        case _:
            return False
    return True


@law
@given(jobs=st.lists(A_JOB, max_size=30), seed=st.integers(0, 2**32), zone=st.sampled_from([UTC, BERLIN]))
def test_the_sums_of_a_month_are_what_its_rows_say_whatever_happened_to_the_log(
    tmp_path_factory, jobs, seed, zone
):
    rng, path = random.Random(seed), tmp_path_factory.mktemp("month") / "history.csv"
    begin = datetime(2026, 10, 1, tzinfo=zone).astimezone(UTC)
    rows: list[tuple[float, str, Row]] = []
    for number, (minute, person_id, person, account, price, charge, ends) in enumerate(jobs):
        time = begin.timestamp() + minute * 60.0
        about = {"person_id": person_id, "person": person, "account": account, "units": price}
        rows.append((time, f"s-{number:03}", {"state": "intent", **about}))
        for later in ends:
            time += rng.uniform(1.0, 3600.0)
            cells = {name: charge if cell == "charge" else cell for name, cell in later.items()}
            rows.append((time, f"s-{number:03}", cells))
    rows.sort(key=lambda each: each[0])

    clock, now = Clock(begin.timestamp()), Clock(begin.timestamp())

    def opened() -> tuple[CsvLedger, SpendingSums]:
        view = SpendingSums(
            zone=zone,
            unit_price=Decimal("0.14"),
            currency="USD",
            accounts=lambda: frozenset({"k#1", "k#2"}),
            clock=now,
        )
        return CsvLedger(LogFile(path, fsync=lambda _: None), clock=clock, view=view), view

    ledger, view = opened()
    recorded: list[tuple[str, Row]] = []
    copies = [path.read_bytes()]
    for time, job_id, row in rows:
        clock.now = time
        ledger.append(job_id, **row)
        recorded.append((job_id, {**row, "time": datetime.fromtimestamp(time, UTC).isoformat()}))
        if disturb(path, copies, rng):
            ledger.sync()
        elif not rng.randrange(10):
            ledger, view = opened()  # another process
    truth = expected(recorded, zone)
    owned = [key for key in truth if key[0] in {"k#1", "k#2"}]
    people = {"p1": ("p1", ""), "p2": ("p2", ""), "name of ada": ("", "ADA"), "name of ben": ("", "Ben")}
    for day in sorted({key[2] for key in truth}):
        now.now = datetime(day.year, day.month, day.day, 12, tzinfo=zone).timestamp()
        for key, (person_id, name) in people.items():
            spent = view.of(person_id, name).day
            theirs = [truth[each] for each in owned if each[1:] == (key, day)]
            assert spent.reserved.units == sum(each[0] for each in theirs)
            assert spent.settled.units == sum(each[1] for each in theirs)
    team = view.since(date(2026, 1, 1))
    assert team.reserved.units == sum(truth[key][0] for key in owned)
    assert team.settled.units == sum(truth[key][1] for key in owned)


def test_another_process_counts_the_same_from_the_log_alone(tmp_path: Path):
    clock = Clock(NOON.timestamp())
    first, second = sums(), sums()
    ledger = CsvLedger(LogFile(tmp_path / "history.csv"), clock=clock, view=first)
    ledger.append("s-1", state="intent", account="k#1", person_id="p1", units="5")
    ledger.append("s-2", state="intent", account="k#1", person="Ben", units="1.5")
    ledger.append("s-1", state="succeed", task_id="8", final_unit_deduction="4")
    CsvLedger(LogFile(tmp_path / "history.csv"), clock=clock, view=second)
    assert second.team() == first.team()
    assert second.spenders() == first.spenders()
    assert (second.of("p1").day.settled.units, second.of(name="Ben").day.reserved.units) == units("4", "1.5")
