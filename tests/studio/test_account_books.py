"""Kling's books beside ours: whose tasks were charged what, on which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from kling.errors import MaybeSent
from kling.studio.account_books import Books, DayBooks
from kling.studio.account_scan import EVERY
from kling.studio.spent import Amount
from kling.tasks import BalanceDeduction
from tests.studio.fakes import Bench
from tests.studio.test_account_scan import scan


def today(bench: Bench) -> date:
    return datetime.fromtimestamp(bench.clock.now, UTC).date()


def whole(bench: Bench) -> DayBooks:
    books = bench.studio.scan.books
    assert books is not None
    return books.between(date(1970, 1, 1), date(2100, 1, 1))


def charged(bench: Bench, units: str, clip: bytes) -> str:
    job = bench.order()
    bench.run_for(5)
    bench.kling.finish(job.id, clip)
    bench.kling.change(job.id, final_unit_deduction=Decimal(units))
    bench.run_for(60)
    return job.id


def test_what_kling_lists_of_our_tasks_is_what_the_log_says(bench, clip):
    charged(bench, "1.5", clip)
    charged(bench, "3", clip)
    scan(bench)
    books = bench.studio.scan.books
    assert books is not None
    found = books.between(today(bench), today(bench))
    assert (found.ours.units, found.logged, found.our_tasks) == (Decimal("4.5"), found.ours, 2)
    assert (found.others, found.other_tasks, found.cash_tasks) == (Amount(), 0, 0)
    assert books.between(today(bench) + timedelta(days=1), today(bench) + timedelta(days=9)) == DayBooks()


def test_tasks_that_were_made_elsewhere_are_counted_on_the_day_when_kling_made_them(bench):
    for number, units in enumerate(("2", "0.5", "0")):
        bench.kling.add(
            f"campaign-{number}",
            task_status="succeed",
            final_unit_deduction=Decimal(units),
            created_at=datetime(2026, 11, 3, 23, 59, tzinfo=UTC),
        )
    scan(bench)
    assert bench.studio.scan.books is not None
    found = bench.studio.scan.books.between(date(2026, 11, 3), date(2026, 11, 3))
    assert (found.others.units, found.other_tasks, found.charged) == (Decimal("2.5"), 2, found.others)


def test_a_charge_that_kling_changes_later_is_taken_over_before_it_is_compared(bench, clip):
    job_id = charged(bench, "1.5", clip)
    bench.kling.change(job_id, final_unit_deduction=Decimal("2.5"))
    scan(bench)
    assert (whole(bench).ours.units, whole(bench).logged) == (Decimal("2.5"), whole(bench).ours)


def paid(quota: str, currency: str = "") -> dict[str, Any]:
    cash = BalanceDeduction(Decimal(quota), Decimal(quota), currency)
    return {"task_status": "succeed", "final_balance_deduction": cash}


def test_money_is_counted_whoever_spent_it_and_only_in_the_studios_currency(bench, clip):
    job = bench.order()
    bench.run_for(5)
    bench.kling.finish(job.id, clip)
    bench.kling.change(job.id, **paid("0.63", "USD"))
    bench.run_for(60)
    bench.kling.add("campaign-1", **paid("1.25"))
    bench.kling.add("campaign-2", **paid("1"), final_unit_deduction=Decimal(2))
    bench.kling.add("campaign-3", **paid("9", "CNY"))
    scan(bench)
    found = whole(bench)
    assert (found.ours.money, found.logged) == (Decimal("0.63"), found.ours)
    assert found.others == Amount(Decimal(2), Decimal("2.25") + 2 * bench.studio.settings.unit_price)
    assert (found.other_tasks, found.cash_tasks, found.foreign_tasks) == (3, 4, 1)


def test_money_of_another_currency_that_is_named_late_is_in_the_log(bench, clip):
    job_id = charged(bench, "0", clip)
    bench.kling.change(job_id, **paid("1.5", "CNY"))
    scan(bench)
    job = bench.studio.ledger.get(job_id)
    assert (job["final_balance_deduction"], job.cash_currency) == ("1.5", "CNY")
    found = whole(bench)
    assert found.ours == found.logged == Amount(job.decimal("units"), found.ours.money)
    assert found.ours.money == job.decimal("units") * bench.studio.settings.unit_price


def test_the_books_stay_until_another_list_was_read_to_its_end(bench, clip):
    charged(bench, "1.5", clip)
    scan(bench)
    before = bench.studio.scan.books
    bench.kling.lists = [MaybeSent("broke")]
    bench.clock.now += EVERY + 60
    bench.studio.scan_account()
    bench.run_for(1)
    assert bench.studio.scan.books is before
    bench.run_for(600)
    assert whole(bench).our_tasks == 1
    assert bench.studio.scan.books is not before


def test_a_task_on_two_pages_is_counted_once(bench):
    bench.kling.add("campaign-1", task_status="succeed", final_unit_deduction=Decimal(2))
    scan(bench)
    scan(bench)
    assert whole(bench).others.units == 2


def test_days_add_up():
    one, two, three = (Amount(Decimal(number), Decimal(number)) for number in (1, 2, 3))
    day = DayBooks(one, two, three, 1, 1, 1, 1)
    books = Books(datetime.now(UTC), datetime.now(UTC), {date(2026, 11, n): day for n in (1, 2, 30)})
    assert books.between(date(2026, 11, 2), date(2026, 11, 30)) == day + day
    assert (day + day).charged == Amount(Decimal(8), Decimal(8))
