"""Budgets: what may be spent at most. They are asked in one step with the row of an order.

A limit is in Units or in money and holds for one account: for one clip, for a person a day or a month, for
the team a day or a month. A limit of a person stands in the place of the one for everybody, also where it
says that there is none. Admins are bound
as all others are, but they may raise or remove a limit. A job counts from its order to its end, so what was
left to a person and is sent later needs no new room (see `spending`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from kling.studio.amounts import amount, money
from kling.studio.budget_limits import (
    NO_LIMIT,
    UNITS,
    WARN_AT,
    WHO_CAN_LIFT,
    BudgetError,
    BudgetLine,
    BudgetStatus,
    Limit,
    OverBudget,
    Scope,
)
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import bounded
from kling.studio.spending import Amount, Spending, SpendingSums
from kling.studio.state.records import StateError

if TYPE_CHECKING:
    from kling.studio.state.database import Note
    from kling.studio.state.limits import LimitStore

__all__ = [
    "UNITS",
    "BudgetError",
    "BudgetLine",
    "BudgetStatus",
    "Budgets",
    "Limit",
    "OverBudget",
    "Scope",
]


class Budgets:
    """The budgets of the account in use.

    Args:
        sums: what is used.
        account: gives the name that new jobs of the account are recorded under.
        names: gives all names of the account: a limit under any of them holds.
        store: gives the limits as they are stored, opening the database if that is needed; None if the data
            folder has no database, and so no limit. It may wait and raise StateError.
        make_store: does the same, and makes the database if there is none.
    """

    def __init__(
        self,
        sums: SpendingSums,
        *,
        account: Callable[[], str],
        names: Callable[[], Collection[str]],
        store: Callable[[], LimitStore | None],
        make_store: Callable[[], LimitStore],
    ) -> None:
        self._sums, self._account, self._names = sums, account, names
        self._store, self._make_store = store, make_store
        self._opened: LimitStore | None = None

    # -- the limits ----------------------------------------------------------------------------------------

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits of the account in use.

        Raises:
            StateError: the database does not answer.
        """
        self._opened = self._opened or self._store()
        return self._known()

    def set(
        self,
        scope: Scope,
        number: Decimal | int | str,
        unit: str = UNITS,
        *,
        person_id: str = "",
        note: Note | None = None,
    ) -> Limit:
        """Set a limit of the account in use; it holds from the next order on. Only an admin may.

        Args:
            scope: what it is for.
            number: at most so much; 0 lets nothing through.
            unit: `units`, or the studio's currency.
            person_id: whose it is, in the place of the one for everybody; empty for everybody.
            note: writes down the change, in the same transaction.

        Raises:
            BudgetError: it cannot be set so.
            StateError: the database does not answer; nothing has changed.
        """
        most = bounded(str(number).strip())
        if most is None or most < 0:
            raise BudgetError("The limit has to be a number from 0 on, such as 20 or 12.50.")
        if unit not in {UNITS, self._sums.currency}:
            raise BudgetError(f"The limit has to be in Units or in {self._sums.currency}.")
        if scope.is_of_team and person_id:
            raise BudgetError("A limit of the team cannot be one person's: leave the person out.")
        limit = Limit(self._account(), scope, most, unit, person_id)
        self._writable().put(limit, instead_of=self._names(), note=note)
        return limit

    def lift(self, scope: Scope, *, person_id: str, note: Note | None = None) -> Limit:
        """Let one person order without the limit for everybody, from the next order on. Only an admin may.

        Limits of the team bind the person as before, and `remove` ends it.

        Args:
            scope: of the limit.
            person_id: who is free of it.
            note: as in `set`.

        Raises:
            BudgetError: it cannot be lifted so.
            StateError: the database does not answer; nothing has changed.
        """
        if scope.is_of_team or not person_id:
            raise BudgetError("Only a limit of single people can be lifted, and for one person.")
        limit = Limit(self._account(), scope, Limit.NOTHING, NO_LIMIT, person_id)
        self._writable().put(limit, instead_of=self._names(), note=note)
        return limit

    def remove(self, scope: Scope, *, person_id: str = "", note: Note | None = None) -> None:
        """Remove a limit of the account in use; `note` as in `set`. Only an admin may.

        Raises:
            StateError: the database does not answer; nothing has changed.
        """
        self._writable().remove({self._account(), *self._names()}, scope, person_id, note=note)

    def _writable(self) -> LimitStore:
        self._opened = self._opened or self._make_store()
        return self._opened

    def _known(self) -> tuple[Limit, ...]:
        """Return the limits of the account in use, as far as they were read; never waits."""
        if self._opened is None or not (found := self._opened.all):
            return ()
        names = {self._account(), *self._names()}
        return tuple(limit for limit in found if limit.account in names)

    def _binding(self, person_id: str) -> list[Limit]:
        """Return the limits that bind a person, in the order of `Scope`."""
        known = self._known()
        own = {(limit.account, limit.scope) for limit in known if person_id and limit.person_id == person_id}
        binding = [
            limit
            for limit in known
            if (limit.person_id == person_id and person_id and not limit.is_lifted)
            or (not limit.person_id and (limit.account, limit.scope) not in own)
        ]
        return sorted(binding, key=lambda limit: list(Scope).index(limit.scope))

    # -- asking --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Read the limits if that was not done yet; call it before `check`, without any lock.

        Raises:
            OverBudget: the database does not say which limits there are, so nothing may be ordered.
        """
        if self._opened is None:
            try:
                self._opened = self._store()
            except StateError as error:
                raise OverBudget(_trouble(error), remedy="") from error

    def check(
        self, prices: Sequence[Decimal | None], *, person_id: str = "", name: str = "", by_admin: bool = False
    ) -> None:
        """Refuse an order that would pass a limit. It waits for nothing but the sums.

        Args:
            prices: of each new job, in Units; None for one that nobody knows.
            person_id: who orders; empty where there is no sign-in.
            name: of who orders.
            by_admin: whether it is an admin, who may order what has no known price.

        Raises:
            OverBudget: with the limit, what is used, and the sum that would be passed.
        """
        binding = self._binding(person_id)
        if not binding or not prices:
            return
        if None in prices and not by_admin:
            raise OverBudget(
                "Nobody knows what this costs, and a limit applies: only an admin can order it.",
                limit=binding[0],
                remedy="Ask an admin of the studio to order it, or choose a model whose price is known.",
            )
        known = [price for price in prices if price is not None]
        price = self._sums.unit_price
        dearest = max(known, default=Decimal(0))
        wanted = Amount(sum(known, Decimal(0)), sum(known, Decimal(0)) * price)
        mine = team = None
        for limit in binding:
            self._check_currency(limit)
            if limit.scope is Scope.CLIP:
                _check_clip(limit, limit.of(Amount(dearest, dearest * price)))
            elif limit.scope.is_of_team:
                team = team or self._sums.team()
                self._check_sum(limit, team, limit.of(wanted), len(prices))
            else:
                mine = mine or self._sums.of(person_id, name)
                self._check_sum(limit, mine, limit.of(wanted), len(prices))

    def _check_currency(self, limit: Limit) -> None:
        if limit.unit not in {UNITS, self._sums.currency}:
            raise OverBudget(
                f"A limit is set in {limit.unit}, and the studio counts in {self._sums.currency} now "
                "(STUDIO_CURRENCY), so nobody can tell what is left.",
                limit=limit,
                remedy="An admin of the studio has to set it anew (Admin, Budgets).",
            )

    def _check_sum(self, limit: Limit, spending: Spending, wanted: Decimal, count: int) -> None:
        spent = spending.day if limit.scope.is_of_day else spending.month
        used = limit.of(spent.used)
        if wanted <= 0 or used + wanted <= limit.amount:
            return
        order = "this order" if count == 1 else f"these {count} clips together"
        raise OverBudget(
            f"{limit.whose} limit {limit.period} is {limit.amount_words}. {limit.words(used)} of it is "
            f"used{limit.reserved_words(spent)}, and {order} would add {limit.words(wanted)}: "
            f"{limit.words(used + wanted)} in all. {self._renewal(limit)}",
            limit=limit,
            used=used,
            wanted=wanted,
        )

    def _renewal(self, limit: Limit) -> str:
        period = "day" if limit.scope.is_of_day else "month"
        return f"A new {period} begins at 00:00 ({self._sums.zone})."

    # -- telling -------------------------------------------------------------------------------------------

    def status(self, user: User) -> BudgetStatus:
        """Return what a person may know of the budgets; it may wait for the database once."""
        person_id = "" if user.id == LOCAL else user.id
        return self.status_of(person_id, user.name)

    def status_of(self, person_id: str = "", name: str = "") -> BudgetStatus:
        """Return how far the limits are used that bind a person.

        Args:
            person_id: empty where there is no sign-in.
            name: then counts: the name as it was typed.
        """
        try:
            self._opened = self._opened or self._store()
        except StateError as error:
            return BudgetStatus(trouble=_trouble(error))
        if not (binding := self._binding(person_id)):
            return BudgetStatus()
        mine, team = self._sums.of(person_id, name), self._sums.team()
        lines = (self._line(limit, team if limit.scope.is_of_team else mine) for limit in binding)
        return BudgetStatus(tuple(lines), unpriced=mine.month.unpriced)

    def _line(self, limit: Limit, spending: Spending) -> BudgetLine:
        if limit.scope is Scope.CLIP:
            return BudgetLine(limit, Decimal(0), Decimal(0), f"At most {limit.amount_words} a clip", "")
        spent = spending.day if limit.scope.is_of_day else spending.month
        used = limit.of(spent.used)
        when = "today" if limit.scope.is_of_day else "this month"
        number = amount(used) if limit.unit == UNITS else money(used, limit.unit)
        words = f"{number} of {limit.amount_words} {when}"
        warning = ""
        if used >= limit.amount * WARN_AT:
            share = int(used * 100 / limit.amount) if limit.amount else 100
            warning = (
                f"{share} % of {limit.whose.lower()} limit {limit.period} is used: {words}. "
                f"{self._renewal(limit)} {WHO_CAN_LIFT}"
            )
        return BudgetLine(limit, used, limit.of(spent.reserved), words, warning)

    @property
    def warnings(self) -> Iterator[str]:
        """What an admin should know of the limits, in words; it never waits."""
        if self._opened is None or not (found := self._opened.all):
            return
        names = {self._account(), *self._names()}
        ours = [limit for limit in found if limit.account in names]
        others = sorted({limit.account for limit in found if limit.account not in names | {"sandbox"}})
        if others and not ours and "sandbox" not in names:
            yield (
                f"The account in use has no limit, and {', '.join(others)} has: limits belong to an account. "
                "If it is the same one with a new key, set them anew (Admin, Budgets)."
            )
        if wrong := sorted({limit.unit for limit in ours} - {UNITS, NO_LIMIT, self._sums.currency}):
            yield (
                f"Limits in {', '.join(wrong)} let nothing through, because the studio counts in "
                f"{self._sums.currency} now: set them anew (Admin, Budgets)."
            )


def _check_clip(limit: Limit, dearest: Decimal) -> None:
    if dearest > limit.amount:
        raise OverBudget(
            f"One clip may cost {limit.amount_words} at most, and this order has one of "
            f"{limit.words(dearest)}.",
            limit=limit,
            used=Decimal(0),
            wanted=dearest,
        )


def _trouble(error: StateError) -> str:
    return (
        f"It is not known which limits there are, because the database does not answer, so nothing is "
        f"ordered. {error}"
    )
