"""Limits hold in one step with the order, say in words what stands in the way, and else cost nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kling import ApiKey
from kling.errors import MaybeSent, api_error
from kling.studio.budgets import UNITS, BudgetError, Budgets, Limit, OverBudget, Scope
from kling.studio.identity.roles import LOCAL, User
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.orders import Press
from kling.studio.spending import SpendingSums
from kling.studio.state.database import Database
from kling.studio.state.limits import LimitStore
from kling.studio.state.records import StateError
from kling.studio.state.shared import SharedState
from kling.text_to_video import TextToVideo
from tests.kling.tools import Clock
from tests.studio.fakes import FOX, Bench, order_one

PRICE = FOX.units() or Decimal(0)
UNPRICED = TextToVideo(prompt="A fox", model_name="kling-v9")
ADA, BEN = User("p1", "Ada", "maker"), User("p2", "Ben", "maker")


class Held:
    """Budgets over a real log and database, without anything that sends."""

    def __init__(self, folder: Path, clock: Clock, *, zone: tzinfo = UTC, names: str = "k#1") -> None:
        self.folder = folder
        accounts = names.split()
        self.sums = SpendingSums(
            zone=zone,
            unit_price=Decimal("0.2"),
            currency="USD",
            accounts=lambda: frozenset(accounts),
            clock=clock,
        )
        file = LogFile(folder / "history.csv", fsync=lambda _: None)
        self.ledger = CsvLedger(file, clock=clock, view=self.sums)
        self.store = LimitStore(Database(folder / "studio.sqlite3"))
        self.budgets = Budgets(
            self.sums,
            account=lambda: accounts[0],
            names=lambda: accounts,
            store=lambda: self.store,
            make_store=lambda: self.store,
        )

    def press(self, job_id: str, price: str, *, person_id: str = "p1") -> None:
        row = {"state": "intent", "account": "k#1", "person_id": person_id, "units": price}
        self.budgets.prepare()
        self.ledger.append_many(
            [(job_id, row)], check=lambda: self.budgets.check([Decimal(price)], person_id=person_id)
        )


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def held(tmp_path: Path, clock: Clock) -> Held:
    return Held(tmp_path, clock)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "data")


def order(bench: Bench, user: User = ADA, *requests: TextToVideo, session: str = "") -> int:
    """Press once; return how many jobs that made. Each press is a browser's of its own."""
    bench.clock.now += 10.0
    before = len(bench.ledger.jobs())
    bench.studio.order_all(
        requests or [FOX],
        Press(
            person=user.name,
            person_id="" if user.id == LOCAL else user.id,
            by_admin=user.role == "admin",
            session=session or f"s{bench.clock.now}",
        ),
    )
    return len(bench.ledger.jobs()) - before


def refusal(bench: Bench, user: User = ADA, *requests: TextToVideo) -> OverBudget:
    with pytest.raises(OverBudget) as refused:
        order(bench, user, *requests)
    return refused.value


def in_the_way(bench: Bench, user: User = ADA) -> Limit:
    """Return the limit that refuses a press."""
    limit = refusal(bench, user).limit
    assert limit is not None
    return limit


# -- each limit ----------------------------------------------------------------------------------------------


def test_without_a_limit_nothing_is_refused_and_no_database_is_opened(bench):
    assert order(bench, ADA, *[UNPRICED] * 30) == 30
    assert not (bench.folder / "studio.sqlite3").exists()
    assert bench.studio.budgets.status(ADA).lines == ()


def test_a_clip_may_cost_as_much_as_its_limit_and_no_more(bench):
    bench.studio.budgets.set(Scope.CLIP, PRICE)
    assert order(bench) == 1
    bench.studio.budgets.set(Scope.CLIP, PRICE - Decimal("0.1"))
    assert "One clip may cost" in str(refusal(bench))


@pytest.mark.parametrize("scope", [Scope.PERSON_DAY, Scope.PERSON_MONTH])
def test_a_limit_of_a_person_holds_for_each_person_alone(bench, scope):
    bench.studio.budgets.set(scope, PRICE * 2)
    assert [order(bench), order(bench)] == [1, 1]
    assert in_the_way(bench).scope is scope
    assert order(bench, BEN) == 1


@pytest.mark.parametrize("scope", [Scope.TEAM_DAY, Scope.TEAM_MONTH])
def test_a_limit_of_the_team_holds_for_all_together(bench, scope):
    bench.studio.budgets.set(scope, PRICE * 2)
    assert [order(bench), order(bench, BEN)] == [1, 1]
    assert in_the_way(bench, BEN).scope is scope


def test_a_limit_of_one_person_stands_in_the_place_of_the_one_for_everybody(bench):
    bench.studio.budgets.set(Scope.PERSON_DAY, 0)
    bench.studio.budgets.set(Scope.PERSON_DAY, PRICE * 2, person_id="p1")
    assert [order(bench), order(bench)] == [1, 1]
    assert in_the_way(bench).person_id == "p1"
    assert in_the_way(bench, BEN).amount == 0


def test_one_person_can_be_free_of_the_limit_for_everybody_and_not_of_the_teams(bench):
    budgets = bench.studio.budgets
    budgets.set(Scope.PERSON_DAY, PRICE)
    budgets.lift(Scope.PERSON_DAY, person_id="p1")
    assert [order(bench), order(bench), order(bench, BEN)] == [1, 1, 1]
    assert in_the_way(bench, BEN).scope is Scope.PERSON_DAY
    assert budgets.status(ADA).lines == ()
    assert list(budgets.warnings) == []
    budgets.set(Scope.TEAM_DAY, PRICE * 3)
    assert in_the_way(bench).scope is Scope.TEAM_DAY
    budgets.remove(Scope.TEAM_DAY)
    budgets.remove(Scope.PERSON_DAY, person_id="p1")
    assert in_the_way(bench).person_id == ""


def test_a_new_limit_stands_in_the_place_of_none(held):
    held.budgets.set(Scope.PERSON_DAY, 9)
    held.budgets.lift(Scope.PERSON_DAY, person_id="p1")
    held.budgets.set(Scope.PERSON_DAY, 5, person_id="p1")
    assert [line.words for line in held.budgets.status(ADA).lines] == ["0 of 5 Units today"]
    held.budgets.lift(Scope.PERSON_DAY, person_id="p1")
    assert LimitStore(Database(held.folder / "studio.sqlite3")).all == held.store.all
    assert [limit.amount_words for limit in held.store.all] == ["9 Units", "no limit"]


@pytest.mark.parametrize(("scope", "person_id"), [(Scope.TEAM_DAY, "p1"), (Scope.PERSON_DAY, "")])
def test_only_one_persons_own_limit_can_be_lifted(held, scope, person_id):
    with pytest.raises(BudgetError, match="for one person"):
        held.budgets.lift(scope, person_id=person_id)
    assert held.store.all == ()


def test_a_limit_in_money_counts_at_the_price_of_a_unit(bench):
    dollars = PRICE * bench.studio.settings.unit_price
    bench.studio.budgets.set(Scope.PERSON_DAY, dollars * 2, "USD")
    assert [order(bench), order(bench)] == [1, 1]
    assert f"${dollars * 3:.2f} in all" in str(refusal(bench))


def test_the_limits_of_one_account_bind_no_other(tmp_path):
    bench = Bench(tmp_path / "data")
    bench.studio.budgets.set(Scope.TEAM_DAY, 0)
    refusal(bench)
    bench.key = ApiKey("another key")
    bench.restart()
    assert order(bench) == 1
    bench.studio.budgets.prepare()
    assert any("has no limit" in words for words in bench.studio.budgets.warnings)


def test_the_sandbox_has_sums_of_its_own_at_list_prices(tmp_path):
    bench = Bench(tmp_path / "data", is_sandbox=True)
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE * Decimal("0.14") * 2, "USD")
    assert [order(bench), order(bench)] == [1, 1]
    assert in_the_way(bench).account == "sandbox"


def test_people_without_accounts_are_told_apart_by_name_in_any_spelling(bench):
    bench.studio.budgets.set(Scope.PERSON_DAY, PRICE)
    assert order(bench, User(LOCAL, "Ada", "admin")) == 1
    refusal(bench, User(LOCAL, " ADA", "admin"))
    assert order(bench, User(LOCAL, "Ben", "admin")) == 1


def test_admins_are_bound_too_and_may_lift_the_limit(bench):
    chief = User("p9", "Chief", "admin")
    bench.studio.budgets.set(Scope.PERSON_DAY, 0)
    refusal(bench, chief)
    bench.studio.budgets.remove(Scope.PERSON_DAY)
    assert order(bench, chief) == 1


# -- days and months -----------------------------------------------------------------------------------------


def test_a_new_day_and_a_new_month_begin_at_midnight_in_the_studios_time_zone(tmp_path, clock):
    held = Held(tmp_path, clock, zone=ZoneInfo("Pacific/Auckland"))  # 13 hours ahead of UTC then
    held.budgets.set(Scope.PERSON_DAY, 10)
    held.budgets.set(Scope.TEAM_MONTH, 15)
    clock.now = datetime(2026, 11, 29, 10, 59, tzinfo=UTC).timestamp()
    held.press("a", "10")
    with pytest.raises(OverBudget, match=r"A new day begins at 00:00 \(Pacific/Auckland\)"):
        held.press("b", "1")
    clock.now += 60.0
    held.press("c", "5")
    with pytest.raises(OverBudget, match="A new month begins at 00:00"):
        held.press("d", "1")
    clock.now += 24 * 3600.0
    held.press("e", "10")


def test_a_job_counts_on_the_day_of_its_order_however_late_it_ends(held, clock):
    held.budgets.set(Scope.TEAM_DAY, 10)
    held.press("a", "10")
    clock.now += 24 * 3600.0
    held.ledger.append("a", state="succeed", task_id="8", final_unit_deduction="10")
    held.press("b", "10")


# -- what counts ---------------------------------------------------------------------------------------------


def test_a_batch_is_accepted_whole_or_not_at_all(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE * 3)
    refused = refusal(bench, ADA, *[FOX] * 4)
    assert (refused.used, refused.wanted) == (Decimal(0), PRICE * 4)
    assert "these 4 clips together would add" in str(refused)
    assert bench.ledger.jobs() == ()
    assert bench.kling.posts == []
    assert order(bench, ADA, *[FOX] * 3) == 3


def test_a_refused_press_holds_no_slot_and_may_be_made_again_at_once(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, 0)
    refusal(bench)
    assert bench.studio.admission.in_flight == frozenset()
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    bench.clock.now -= 9.9  # within the seconds in which an equal press is the same
    assert order(bench) == 1


def test_a_repeated_press_is_the_same_job_and_asks_no_budget(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    first = bench.order()
    assert bench.order().id == first.id


def test_what_is_withdrawn_before_it_was_sent_makes_room(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    bench.kling.answers = [(api_error(429, 1303, "parallel task over resource pack limit"), False)]
    job = bench.order()
    assert bench.job(job.id).state == "waiting"
    refusal(bench)
    bench.studio.orders.withdraw(job.id)
    assert order(bench) == 1


def test_a_lost_answer_stays_reserved_until_somebody_gives_the_job_up(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    bench.kling.answers = [(MaybeSent("The connection broke."), False)]
    bench.kling.look_ups = [MaybeSent("No answer.")] * 100
    job = bench.order()
    bench.run_for(60)
    assert bench.job(job.id).state == "unknown"
    refusal(bench)
    bench.studio.orders.give_up(job.id)
    assert order(bench) == 1


def test_a_job_left_to_a_person_keeps_its_price_and_needs_no_new_room_to_be_sent(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    bench.kling.answers = [(api_error(401, 1002, "Authorization is invalid"), False)]
    job = bench.order()
    assert bench.job(job.id).state == "not_sent"
    refusal(bench)
    bench.studio.budgets.set(Scope.TEAM_DAY, 0)
    bench.studio.orders.send_again(job.id)
    assert bench.kling.posts[-1] == job.id


def test_what_others_wrote_into_the_log_counts_before_the_order_that_meets_it(bench):
    """The log was changed after it was last looked at: the check sees what the row will follow."""
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE * 2)
    order(bench)
    path = bench.folder / "history.csv"
    header, first, *others = path.read_bytes().splitlines(keepends=True)
    name = bench.ledger.jobs()[0].id.encode()
    path.write_bytes(b"".join([header, first, *others, first.replace(name, name[:-4] + b"0000")]))
    assert refusal(bench).used == PRICE * 2


def test_after_a_restart_the_same_is_used(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    order(bench)
    bench.restart()
    assert refusal(bench).used == PRICE


def test_a_price_that_nobody_knows_needs_an_admin_once_there_is_a_limit(bench):
    bench.studio.budgets.set(Scope.TEAM_MONTH, 1000)
    refused = refusal(bench, ADA, UNPRICED)
    assert "Nobody knows what this costs" in refused.why
    assert "Ask an admin" in refused.remedy
    assert order(bench, User("p9", "Chief", "admin"), UNPRICED) == 1
    assert bench.studio.spending.team().month.unpriced == 1


def test_a_name_of_the_old_log_that_an_admin_gives_to_a_person_counts_to_that_person_at_once(bench):
    studio = bench.studio
    ada = studio.state.people.add("Ada", "maker")
    user = User(ada.id, "Ada", "maker")
    studio.budgets.set(Scope.PERSON_DAY, PRICE * 2)
    assert order(bench, User(LOCAL, "ada", "admin")) == 1
    assert order(bench, user) == 1
    assert studio.spending.of(ada.id).day.used.units == PRICE
    studio.state.names.give("Ada", ada.id, "Chief")
    assert refusal(bench, user).used == PRICE * 2
    studio.state.names.take_back("ADA")
    assert order(bench, user) == 1


# -- words ---------------------------------------------------------------------------------------------------


def test_a_refusal_says_the_limit_what_is_used_the_sum_and_who_can_lift_it(held):
    held.budgets.set(Scope.PERSON_DAY, 20, "USD")
    held.press("a", "93")
    held.ledger.append("a", state="succeed", task_id="8", final_unit_deduction="90")
    held.press("b", "3")
    with pytest.raises(OverBudget) as refused:
        held.press("c", "14")
    assert str(refused.value) == (
        "Your limit a day is $20. $18.60 of it is used ($0.60 of that by clips that are not charged yet), "
        "and this order would add $2.80: $21.40 in all. A new day begins at 00:00 (UTC). "
        "An admin of the studio can raise or remove the limit (Admin, Budgets)."
    )
    assert refused.value.limit == Limit("k#1", Scope.PERSON_DAY, Decimal(20), "USD")
    assert (refused.value.used, refused.value.wanted) == (Decimal("18.6"), Decimal("2.8"))


def test_where_one_decides_stands_what_is_used_of_the_limit(held):
    held.budgets.set(Scope.PERSON_DAY, 20, "USD")
    held.budgets.set(Scope.TEAM_MONTH, "1000")
    held.press("a", "15")
    status = held.budgets.status(ADA)
    assert [line.words for line in status.lines] == ["$3.00 of $20 today", "15 of 1000 Units this month"]
    assert status.lines[0].left == 17
    assert status.warnings == ()


def test_at_80_percent_of_a_limit_there_is_a_warning(held):
    held.budgets.set(Scope.TEAM_MONTH, 10)
    held.press("a", "7.99")
    assert held.budgets.status(ADA).warnings == ()
    held.press("b", "0.01")
    (warning,) = held.budgets.status(ADA).warnings
    assert warning.startswith("80 % of the team’s limit a month is used: 8 of 10 Units this month.")


def test_a_person_sees_their_own_use_and_what_the_team_has_left(held):
    held.budgets.set(Scope.PERSON_MONTH, 10)
    held.budgets.set(Scope.TEAM_MONTH, 20)
    held.press("a", "4", person_id="p1")
    held.press("b", "3", person_id="p2")
    assert [line.left for line in held.budgets.status(BEN).lines] == [7, 13]


# -- setting limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((Scope.CLIP, "lots"), "number from 0 on"),
        ((Scope.CLIP, "-1"), "number from 0 on"),
        ((Scope.CLIP, "1e400"), "number from 0 on"),
        ((Scope.CLIP, ""), "number from 0 on"),
        ((Scope.CLIP, "5", "EUR"), "in Units or in USD"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_with_what_to_give(held, arguments, words):
    with pytest.raises(BudgetError, match=words):
        held.budgets.set(*arguments)
    assert held.budgets.limits == ()


def test_a_limit_of_the_team_cannot_be_one_persons(held):
    with pytest.raises(BudgetError, match="leave the person out"):
        held.budgets.set(Scope.TEAM_DAY, 5, person_id="p1")


def test_a_limit_that_is_set_again_takes_the_place_of_the_old_one_under_every_name_of_the_account(
    tmp_path, clock
):
    old = Held(tmp_path, clock, names="k#1")
    old.budgets.set(Scope.TEAM_DAY, 5)
    joined = Held(tmp_path, clock, names="k#2 k#1")  # Kling has shown that both names are one account
    assert [limit.account for limit in joined.budgets.limits] == ["k#1"]
    joined.budgets.set(Scope.TEAM_DAY, 7, "USD")
    (limit,) = Held(tmp_path, clock, names="k#2 k#1").budgets.limits
    assert limit == Limit("k#2", Scope.TEAM_DAY, Decimal(7), "USD")
    joined.budgets.remove(Scope.TEAM_DAY)
    assert joined.budgets.limits == ()


def test_a_limit_in_another_currency_than_the_studios_lets_nothing_through(held):
    held.store.put(Limit("k#1", Scope.TEAM_DAY, Decimal(100), "EUR"))
    with pytest.raises(OverBudget, match="set in EUR, and the studio counts in USD now"):
        held.press("a", "1")
    assert any("Limits in EUR let nothing through" in words for words in held.budgets.warnings)


def test_limits_that_cannot_be_read_let_nothing_through_and_the_page_says_so(bench, monkeypatch):
    def unreadable(_: SharedState) -> LimitStore | None:
        raise StateError("The database is locked.")

    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE)
    with monkeypatch.context() as patch:
        patch.setattr(SharedState, "limits_if_any", unreadable)
        bench.restart()
        refused = refusal(bench)
        assert "not known which limits there are" in str(refused)
        assert refused.limit is None
        assert "not known which limits" in bench.studio.budgets.status(ADA).trouble
    bench.restart()
    assert order(bench) == 1


# -- many at once --------------------------------------------------------------------------------------------


def test_of_100_presses_at_once_by_10_people_exactly_37_fit_into_a_budget_for_37(bench):
    bench.studio.budgets.set(Scope.TEAM_DAY, PRICE * 37)
    told: list[str] = []
    start = threading.Barrier(20)

    def press(number: int) -> bool:
        if number < 20:
            start.wait(120)
        try:
            order_one(
                bench.studio,
                FOX,
                Press(person=f"P{number % 10}", person_id=f"p{number % 10}", session=f"s{number}"),
            )
        except OverBudget as error:
            told.append(str(error))
            return False
        return True

    with ThreadPoolExecutor(20) as presses:
        accepted = sum(presses.map(press, range(100)))
    assert accepted == len(bench.ledger.jobs()) == 37
    assert sorted(set(bench.kling.posts)) == sorted(bench.kling.posts)
    assert len(told) == 63
    assert all("The team’s limit a day is" in words and "can raise or remove" in words for words in told)


def test_a_limit_is_raised_while_people_press(held):
    """Setting a limit waits for the database, and a press for neither of them."""
    held.budgets.set(Scope.TEAM_DAY, 3)
    changing = threading.Thread(target=lambda: [held.budgets.set(Scope.TEAM_DAY, 3) for _ in range(20)])
    changing.start()
    results = [_accepted(held, f"j{number}") for number in range(10)]
    changing.join()
    assert results == [True] * 3 + [False] * 7


def _accepted(held: Held, job_id: str) -> bool:
    try:
        held.press(job_id, "1")
    except OverBudget:
        return False
    return True


def test_the_queue_and_a_second_press_tell_people_of_one_name_apart_by_id(bench):
    bench.held = []
    one = order_one(bench.studio, FOX, Press(person="Ada", person_id="p1", session="s"))
    other = order_one(bench.studio, FOX, Press(person="Ada", person_id="p2", session="t"))
    assert (one["person"], one["person_id"], one.who) == ("Ada", "p1", "p1")
    assert other.who == "p2"
    assert order_one(bench.studio, FOX, Press(person="Ada", person_id="p1", session="s")).id == one.id


def test_limits_in_units_and_their_words(held):
    limit = held.budgets.set(Scope.CLIP, "12.50", UNITS)
    assert limit.amount_words == "12.5 Units"
    assert held.budgets.status(ADA).lines[0].words == "At most 12.5 Units a clip"
