"""Spend: right sums for any range and any group, said in words too, and nothing of it for viewers."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.account_books import Books, DayBooks
from kling.studio.budget_limits import Scope
from kling.studio.library import JobQuery, Library, Sums, Totals
from kling.studio.service import Studio
from kling.studio.spent import Amount
from pages._ui.spend.charts import bars_of
from pages._ui.spend.facts import Facts
from pages._ui.spend.period import Period, month_of, period_of, year_of
from tests.pages.conftest import new_tab, texts
from tests.pages.people import everything, sign_in
from tests.pages.test_lists import open_page

TODAY = date(2026, 11, 26)
PRICE = {"unit_price": "0.14", "currency": "USD", "account": "sandbox"}


@pytest.fixture(autouse=True)
def now(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (studio.library, studio.spending):
        monkeypatch.setattr(part, "today", lambda: TODAY)


def job(studio: Studio, job_id: str, day: date, *, units: str = "1.5", state: str = "succeed", **cells: str):
    at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
    order = {"prompt": f"Fox {job_id}", "model_name": "kling-v2-6", "mode": "std", "units": units, **PRICE}
    studio.ledger.append(job_id, time=at.isoformat(), state="intent", **{**order, **cells})
    studio.ledger.append(job_id, time=(at + timedelta(seconds=4)).isoformat(), state="submitted", task_id="8")
    after = {"final_unit_deduction": units} if state == "succeed" else {"task_status_msg": "risk"}
    studio.ledger.append(job_id, time=(at + timedelta(seconds=94)).isoformat(), state=state, **after)


@pytest.fixture
def past(studio: Studio) -> Studio:
    """Eight jobs of November by three people, and one of October."""
    for number in range(8):
        person = ("Ada", "Mia", "")[number % 3]
        job(
            studio,
            f"v{number}",
            date(2026, 11, 1 + 3 * number),
            person=person,
            model_name=("kling-v2-6", "kling-v3")[number % 2],
            state="failed" if number == 4 else "succeed",
            **({"batch": "b1"} if number < 2 else {}),
        )
    studio.ledger.append("v0", star="1", by_name="Ada")
    job(studio, "old", date(2026, 10, 31), units="100", person="Ada")
    return studio


def spend(**address: str) -> AppTest:
    return open_page(new_tab(), "spend.py", **address)


def table(page: AppTest) -> dict[str, list[str]]:
    """Return the cells of each row of the first table, by its name."""
    (first, *_) = (str(each.value) for each in page.html if '<table class="spend-table"' in str(each.value))
    found = {}
    for row in re.findall(r"<tr.*?</tr>", first):
        name = html.unescape(
            re.sub(r'<span class="studio-person".*?</span>|<[^>]*>', "", row[: row.index("</th>")])
        )
        found[name] = [html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
    return found


@pytest.mark.usefixtures("past")
def test_the_four_sums_and_the_table_say_what_the_month_cost():
    page = spend()
    words = texts(page)
    assert "November 2026" in words
    assert '<dd class="spend-number">$1.47</dd><dd>10.5 Units</dd>' in words
    assert '<dd class="spend-number">7</dd><dd>of 8 jobs</dd><dd>87.5 % of those that ended</dd>' in words
    assert "1 starred or rated 4 and more" in words
    assert "$0.21 charged for them, of $1.47" in words
    assert '<dd class="spend-number">1</dd><dd>$0.00 charged</dd>' in words
    rows = table(page)
    assert rows["Ada"] == ["3", "3", "0", "1 of 3", "$0.63", "$0.63", "–", "4.5"]
    assert rows["Mia"] == ["3", "2", "1", "0 of 2", "$0.42", "$0.42", "–", "3"]
    assert rows["Without a name"][-1] == "3"
    assert rows["All"] == ["8", "7", "1", "1 of 7", "$1.47", "$1.47", "–", "10.5"]


@pytest.mark.parametrize("by", ["person", "model", "quality", "template", "batch", "day"])
@pytest.mark.usefixtures("past")
def test_the_rows_of_every_group_add_up_to_the_last_one(by: str):
    rows = table(spend(by=by))
    total = rows.pop("All")
    del rows[next(iter(rows))]  # the heads
    for place in (0, 1, 2, 7):
        assert sum(Decimal(cells[place]) for cells in rows.values()) == Decimal(total[place])


@pytest.mark.parametrize(
    ("period", "bars", "units"),
    [
        (month_of(TODAY), 30, "10.5"),
        (Period(date(2026, 10, 31), date(2026, 11, 4)), 5, "103"),
        (year_of(TODAY), 12, "110.5"),
        (Period(date(1999, 1, 1), date(2030, 1, 1)), 2, "110.5"),
    ],
)
def test_the_bars_of_a_chart_add_up_to_the_sum(past: Studio, period: Period, bars: int, units: str):
    query = JobQuery(first=period.first, last=period.last)
    facts = Facts(period, TODAY, query, query, past.library.totals(query), Sums())
    found = bars_of(facts)
    assert len(found) == bars
    assert sum((bar.sums for bar in found), start=Sums()) == facts.sums
    assert facts.sums.spent.used.units == Decimal(units)
    for bar in found:
        assert past.library.totals(JobQuery(first=bar.first, last=bar.last)).sums == bar.sums


@pytest.mark.usefixtures("past")
def test_the_arrows_go_from_month_to_month_and_the_address_says_it():
    page = spend(by="model")
    assert page.button(key="spend.later").disabled
    page.button(key="spend.earlier").click().run()
    assert "2026-10" in page.query_params["month"]
    assert "October 2026" in texts(page)
    assert table(page)["All"][-1] == "100"
    assert "Kling 2.6" in table(page)
    page.button(key="spend.later").click().run()
    assert "month" not in page.query_params
    assert table(page)["All"][-1] == "10.5"


@pytest.mark.usefixtures("past")
def test_any_range_is_added_up_and_named():
    page = spend(**{"from": "2026-10-31", "to": "2026-11-04"})
    assert "31 Oct to 4 Nov 2026" in texts(page)
    assert table(page)["All"][-1] == "103"
    page.date_input[0].set_value((date(2026, 11, 1),)).run()  # only the first day is chosen yet
    assert table(page)["All"][-1] == "103"
    page.date_input[0].set_value((date(2026, 11, 1), date(2026, 11, 8))).run()
    assert table(page)["All"][-1] == "4.5"
    page.query_params["by"] = "day"
    page.button(key="spend.this_year").click().run()
    assert list(table(page))[1:] == ["October 2026", "November 2026", "All"]
    assert 'href="/history?from=2026-10-01&amp;to=2026-10-31"' in texts(page)
    assert table(page)["All"][-1] == "110.5"


def test_a_row_leads_to_its_jobs_in_history(past: Studio):
    past.ledger.append("v0", hidden="1")
    page = spend(by="model")
    links = [html.unescape(each) for each in re.findall(r'<a href="([^"]*)" data-history>', texts(page))]
    assert links == [
        f"/history?model={model}&from=2026-11-01&to=2026-11-30&hidden=all"
        for model in ("kling-v3", "kling-v2-6")
    ]
    (bars,) = re.findall(r'data-bars="([^"]*)"', texts(page))
    found = json.loads(html.unescape(bars))
    assert len(found) == 30
    assert found[2] == "/history?from=2026-11-03&to=2026-11-03&hidden=all"


@pytest.mark.usefixtures("past")
def test_a_month_without_jobs_says_so():
    page = spend(month="2025-02")
    assert "Nothing was ordered in February 2025." in texts(page)
    assert '<table class="spend-table"' not in texts(page)
    page.button(key="spend.elsewhere").click().run()
    assert table(page)["All"][-1] == "10.5"


@pytest.mark.usefixtures("studio")
def test_an_empty_studio_says_what_will_be_here():
    page = spend()
    assert "What clips cost is added up here" in texts(page)
    assert any(each.proto.label == "Make the first one" for each in page.get("page_link"))


@pytest.mark.parametrize(
    "address",
    [{"month": "2026-13"}, {"month": "0000-01"}, {"from": "x", "to": "2026-99-99"}, {"by": "<script>"}],
)
@pytest.mark.usefixtures("past")
def test_an_address_that_makes_no_sense_is_this_month(address: dict[str, str]):
    page = spend(**address)
    assert "November 2026" in texts(page)
    assert not page.exception


@pytest.mark.parametrize(
    "address",
    [
        {"from": "1970-01-01"},
        {"to": "1970-01-01"},
        {"from": "8998-12-01", "to": "8999-12-31"},
        {"from": "1970-01-01", "to": "8999-12-31"},
    ],
)
@pytest.mark.usefixtures("past")
def test_the_ends_of_time_are_a_range_like_others(address: dict[str, str]):
    page = spend(**address)
    assert "could not be drawn" not in texts(page)
    assert page.get("page_link")


def test_what_runs_counts_as_spent_and_is_told_apart(past: Studio):
    job(past, "runs", TODAY, state="processing", person="Ada")
    words = texts(spend())
    assert "$1.68" in words
    assert "12 Units · $0.21 of it is not charged yet" in words
    assert "<dt>Spent and still due</dt>" in words


def test_what_is_printed_adds_up_to_the_cent(past: Studio):
    for number in range(3):
        job(past, f"c{number}", TODAY, units="1.75", person=f"P{number}")  # $0.245 each
    job(past, "runs", TODAY, units="0.75", state="processing", person="Ada")  # $0.105
    page = spend()
    rows = table(page)
    heads, total = rows.pop("Person", None), rows.pop("All")
    assert heads is not None
    charged, due = (Decimal(cell.lstrip("$")) for cell in total[5:7])
    assert f'<dd class="spend-number">${charged + due}</dd>' in texts(page)
    assert f"${due} of it is not charged yet" in texts(page)
    for column in (4, 5):
        cells = [Decimal(cells[column].lstrip("$")) for cells in rows.values()]
        assert sum(cells) == Decimal(total[column].lstrip("$"))
    bars = dict(re.findall(r"<bdi>([^<]*)</bdi><b>\$([0-9.]*)</b>", texts(page)))
    assert {name: Decimal(spent) for name, spent in bars.items()} == {
        name: sum(Decimal(cell.lstrip("$")) for cell in cells[5:7] if cell != "–")
        for name, cells in rows.items()
    }


def test_a_limit_of_the_month_stands_beside_the_sum(past: Studio):
    past.budgets.set(Scope.TEAM_MONTH, Decimal(20), "USD")
    assert "$1.47 <span>of $20</span>" in texts(spend())
    assert "of $20" not in texts(spend(month="2026-10"))


def test_imported_jobs_are_in_no_sum_and_that_is_said(past: Studio):
    past.ledger.append(
        "far",
        time=datetime(2026, 11, 2, tzinfo=UTC).isoformat(),
        state="succeed",
        final_unit_deduction="7",
        units="7",
        extra='{"imported":{"id":"i1"}}',
        **PRICE,
    )
    page = spend()
    assert table(page)["All"][-1] == "10.5"
    assert "1 job is in no sum" in texts(page).replace("\\", "")


def test_a_row_of_a_name_with_a_joiner_leads_to_its_jobs(past: Studio):
    job(past, "joined", TODAY, person="علی\u200cرضا")
    address = re.search(r'history\?([^"]*person=%D8[^"]*)', texts(spend()))
    assert address
    query = JobQuery.of_address(dict(parse_qsl(html.unescape(address[1]))))
    assert past.library.ids(query) == ["joined"]


def test_names_and_prompts_of_others_are_text(past: Studio):
    job(past, "evil", TODAY, person="<img src=x onerror=alert(1)>", batch="<b>")
    for by in ("person", "batch"):
        assert "<img" not in texts(spend(by=by))


@pytest.mark.usefixtures("past")
def test_how_long_it_took_stands_by_model():
    words = texts(spend())
    assert '<bdi>Kling 2.6</bdi></th><td role="cell" data-name="Jobs">3</td>' in words
    assert re.search(r'data-name="Waited here">0:04</td>', words)


# -- who sees what ------------------------------------------------------------------------------------------


def test_a_viewer_sees_no_cost(past: Studio, monkeypatch: pytest.MonkeyPatch):
    sign_in(monkeypatch, past, "Vera", "viewer")
    said = everything(spend())
    assert "Costs are shown to makers and admins" in said
    assert not re.search(r"\$ ?\d|\bUnits?\b", said)


def test_a_maker_sees_what_all_spent_as_in_history_and_an_admin_klings_books_too(
    past: Studio, monkeypatch: pytest.MonkeyPatch
):
    mia = sign_in(monkeypatch, past, "Mia Maker", "maker")
    job(past, "mine", TODAY, units="2.5", person=mia.name, person_id=mia.id)
    page = spend()
    assert (table(page)["All"][-1], table(page)["Mia Maker"][-1]) == ("13", "2.5")
    assert "Ada" in texts(page)
    assert "own books" not in texts(page)
    sign_in(monkeypatch, past, "Ann", "admin")
    assert table(spend())["All"][-1] == "13"
    assert "own books" in texts(spend())


# -- the books -----------------------------------------------------------------------------------------------


@pytest.fixture
def books(past: Studio, monkeypatch: pytest.MonkeyPatch) -> dict[date, DayBooks]:
    days: dict[date, DayBooks] = {}
    read = datetime(2026, 11, 26, 10, 1, tzinfo=UTC)
    monkeypatch.setattr(type(past.scan), "books", property(lambda _: Books(read, read, days)))
    return days


def units(number: str) -> Amount:
    return Amount(Decimal(number), Decimal(number) * Decimal("0.14"))


def test_where_somebody_paid_with_money_it_is_money_that_is_compared(books: dict[date, DayBooks]):
    log = units("10.5")  # 1.47 dollars
    cash = Amount(Decimal(0), Decimal("5.21"))
    books[date(2026, 11, 1)] = DayBooks(log, log, cash, 7, 3, 3)
    words = texts(spend())
    assert "Kling’s own books say $6.68 from 1 to 26 November 2026, $5.21 more than this log." in words
    assert re.findall(r"<li><b>(.*?)</b> (.*?)</li>", words) == [
        ("+$5.21", "for 3 tasks made elsewhere on this account, which this log does not have")
    ]
    books[date(2026, 11, 1)] = DayBooks(log, log, Amount(), 7, 3, 3, 3)
    words = texts(spend())
    assert "say the same: $1.47 from 1 to 26 November 2026, without the money of another currency" in words
    assert "for 3 tasks made elsewhere." in words
    assert 'data-kind="warn"' in words


def test_when_klings_books_agree_one_sentence_says_it(books: dict[date, DayBooks]):
    books[date(2026, 11, 1)] = DayBooks(units("10.5"), units("10.5"), our_tasks=7)
    books[date(2026, 10, 31)] = DayBooks(units("100"), units("100"), our_tasks=1)
    assert "Kling’s own books say the same: $1.47 (10.5 Units) from 1 to 26 November 2026." in texts(spend())
    assert "the same: $15.47 (110.5 Units) from 1 Jan to 26 Nov 2026." in texts(
        spend(**{"from": "2026-01-01", "to": "2026-12-31"})
    )


def test_books_say_the_sum_of_the_page_also_after_the_price_has_changed(
    past: Studio, books: dict[date, DayBooks], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(past, "settings", replace(past.settings, unit_price=Decimal("0.10")))
    books[date(2026, 11, 1)] = DayBooks(units("10.5"), units("10.5"), our_tasks=7)
    assert "say the same: $1.47 (10.5 Units) from" in texts(spend())


def test_a_difference_is_explained_in_parts_that_add_up_to_it(past: Studio, books: dict[date, DayBooks]):
    # The log has 12.5 Units. Kling lists tasks of 7.5, counts 8.5 for them, and 4.5 for those of others.
    books[date(2026, 11, 5)] = DayBooks(units("8.5"), units("7.5"), units("4.5"), 5, 2)
    job(past, "late", TODAY, units="2")  # it ended after the list was read
    words = texts(spend())
    said = words.partition("Kling’s own books say ")[2]
    assert said.startswith("$1.82 (13 Units) from 1 to 26 November 2026, 0.5 Units more than this log.")
    assert re.findall(r"<li><b>(.*?)</b> (.*?)</li>", words) == [
        ("+4.5 Units", "for 2 tasks made elsewhere on this account, which this log does not have"),
        ("+1 Unit", "where Kling charged a task otherwise than the log could record"),
        ("−2 Units", "for tasks that ended after Kling’s list was read, 26 Nov 2026, 10:01"),
        ("−3 Units", "for tasks in this log that Kling’s list does not name any more"),
    ]


@pytest.mark.usefixtures("past")
def test_until_the_list_was_read_that_is_said():
    assert "Kling’s own books were not read yet since the studio was started." in texts(spend())


# -- periods -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "title", "later"),
    [
        (month_of(date(2026, 12, 9)), "December 2026", month_of(date(2027, 1, 1))),
        (month_of(date(2024, 2, 29)), "February 2024", month_of(date(2024, 3, 1))),
        (
            Period(date(2026, 11, 3), date(2026, 11, 9)),
            "3 Nov to 9 Nov 2026",
            Period(date(2026, 11, 10), date(2026, 11, 16)),
        ),
        (
            Period(date(2025, 12, 30), date(2026, 1, 2)),
            "30 Dec 2025 to 2 Jan 2026",
            Period(date(2026, 1, 3), date(2026, 1, 6)),
        ),
        (year_of(date(2024, 2, 29)), "2024", year_of(date(2025, 1, 1))),
        (Period(TODAY, TODAY), "26 Nov 2026", Period(date(2026, 11, 27), date(2026, 11, 27))),
    ],
)
def test_a_period_has_a_title_and_moves_by_its_own_length(period: Period, title: str, later: Period):
    assert period.title == title
    assert period.moved(1) == later
    assert later.moved(-1) == period
    assert period_of(period.to_address(TODAY), TODAY) == period


def test_a_range_with_one_end_goes_to_today():
    assert period_of({"from": "2026-11-20"}, TODAY) == Period(date(2026, 11, 20), TODAY)
    assert period_of({"to": "2026-12-20"}, TODAY) == Period(TODAY, date(2026, 12, 20))


def test_a_name_that_no_address_can_hold_leads_nowhere(past: Studio):
    job(past, "odd", TODAY, person="line one\nline two")
    rows = [
        str(each.value) for each in spend(by="person").html if '<table class="spend-table"' in str(each.value)
    ]
    (cell,) = [each for each in re.findall(r"<th .*?</th>", rows[0], re.DOTALL) if "line one" in each]
    assert "<a " not in cell


@pytest.mark.usefixtures("past")
def test_while_the_index_is_made_no_month_is_said_to_be_empty(monkeypatch: pytest.MonkeyPatch):
    def totals(_: Library, query: JobQuery, **__: object) -> Totals:
        return Totals(0, 0, Sums(), missing=1200 if query.states else 0)  # whole, and behind a moment later

    monkeypatch.setattr(Library, "totals", totals)
    said = texts(spend())
    assert "1,200 older jobs to go. Sums are without them until then." in said
    assert "Nothing was ordered" not in said
    assert "in no sum" not in said
