"""The account's packs of Units: what Kling says remains of them, beside what our own log counts.

Kling is asked in a thread of its own, every hour and when somebody looks, and never more than once a second.
Its figure lags by up to 12 hours, so it is shown with its age and never decides about an order: what may be
spent is decided by `budgets`, from our own sums.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kling.client import Client
from kling.errors import APIError, KlingError
from kling.resource_packs import EVERY, EXPIRED, ONLINE, RUN_OUT, ResourcePack
from kling.studio.amounts import amount, units
from kling.studio.spending import SpendingSums

log = logging.getLogger(__name__)

PAUSE = 3600.0  # seconds between two questions that nobody has asked for
FIRST = 5.0  # seconds from the start to the first question
RETRY_PAUSES = (30.0, 120.0, 600.0, PAUSE)  # seconds after a question that was not answered
WINDOW = timedelta(days=400)  # packs last for a year at most
LOW = Decimal("0.1")  # of a pack: with less in it, it is about to run out
SOON = timedelta(days=7)  # before its end a pack is about to expire
_NOT_OF_VIDEOS = re.compile(r"image|try.?on", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PackReport:
    """What is known of the packs.

    Args:
        packs: as Kling described them last.
        asked_at: when, in UTC; None if it never has.
        trouble: why the last question was not answered, in words; empty if it was.
    """

    packs: tuple[ResourcePack, ...] = ()
    asked_at: datetime | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PackView:
    """One pack for a page.

    Args:
        pack: as Kling describes it.
        used: Units of it that Kling counts as used; None if it does not say.
        ours: Units that our log counts as deducted since the day when the pack began. Other programs on the
            account and other packs may make a difference.
    """

    pack: ResourcePack
    used: Decimal | None
    ours: Decimal


class AccountPacks:
    """Asks for the packs and keeps the answer.

    Args:
        client: gives the client of the key in use; it may wait and raise NotSent.
        sums: our own.
        clock: Unix seconds.
        monotonic: seconds of a clock that never jumps.
        on_change: called when there is a new answer.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        sums: SpendingSums,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._sums = client, sums
        self._clock, self._monotonic, self._on_change = clock, monotonic, on_change
        self._asking = threading.Lock()
        self._asked = float("-inf")
        self._due = monotonic() + FIRST
        self._tries = 0
        self._wake, self._stopping = threading.Event(), False
        self._thread = threading.Thread(target=self._loop, name="packs", daemon=True)
        self.report = PackReport()

    # -- asking --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask from now on, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more; a question under way is not waited for, because it changes nothing."""
        self._stopping = True
        self._wake.set()

    def request(self) -> None:
        """Ask again soon: somebody wants to see it. Many requests make one question a second at most."""
        self._due = self._monotonic()
        self._wake.set()

    def step(self) -> float:
        """Ask if that is due; return the monotonic time when it is due next."""
        with self._asking:
            now = self._monotonic()
            if (due := max(self._due, self._asked + EVERY)) > now:
                return due
            # A request that comes while Kling answers sets an earlier time again.
            self._due, before = now + PAUSE, self.report
            try:
                packs = self._ask()
            except KlingError as error:
                words = (
                    f"{error.meaning.what} {error.meaning.remedy}"
                    if isinstance(error, APIError)
                    else str(error)
                )
                self.report = PackReport(self.report.packs, self.report.asked_at, words)
                self._due = min(self._due, now + RETRY_PAUSES[min(self._tries, len(RETRY_PAUSES) - 1)])
                self._tries += 1
            else:
                self.report = PackReport(packs, self._now())
                self._tries = 0
            is_news = (before.packs, before.trouble) != (self.report.packs, self.report.trouble)
            due = max(self._due, self._asked + EVERY)
        if is_news:
            self._on_change()
        return due

    def _ask(self) -> tuple[ResourcePack, ...]:
        client, now = self._client(), self._now()
        self._asked = self._monotonic()  # after the client was waited for
        try:
            return client.resource_packs(now - WINDOW, now + timedelta(days=1))
        finally:
            self._asked = self._monotonic()

    def _loop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                due = self.step()
            except Exception:
                if not self._stopping:
                    log.exception("Asking for the account's packs ended unexpectedly; it is tried again.")
                due = self._monotonic() + PAUSE
            self._wake.wait(max(0.02, due - self._monotonic()))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    # -- telling -------------------------------------------------------------------------------------------

    @property
    def age(self) -> float | None:
        """Seconds since Kling answered last, None if it never has; the figures may be 12 hours older."""
        asked = self.report.asked_at
        return None if asked is None else max((self._now() - asked).total_seconds(), 0.0)

    def views(self) -> tuple[PackView, ...]:
        """Return the packs for a page: those in force first, then by their end."""
        found = [
            PackView(
                pack,
                None if pack.total is None or pack.remaining is None else pack.total - pack.remaining,
                self._sums.since(
                    (pack.begins or pack.bought or self._now()).astimezone(self._sums.zone).date()
                ).settled.units,
            )
            for pack in self.report.packs
        ]
        return tuple(sorted(found, key=lambda view: (view.pack.status != ONLINE, _end_of(view.pack))))

    def warnings(self) -> tuple[str, ...]:
        """Return what an admin should do about the packs, in words."""
        packs = [pack for pack in self.report.packs if not _NOT_OF_VIDEOS.search(pack.name)]
        in_force = [pack for pack in packs if pack.status == ONLINE and not self._is_over(pack)]
        found = []
        if packs and not in_force:
            found.append("No pack of Units is in force: Kling refuses new videos until one is bought.")
        for pack in in_force:
            name, left = pack.name or "A pack of Units", pack.remaining
            if (
                pack.total
                and left is not None
                and left <= pack.total * LOW
                and pack.kind != "constant_period"
            ):
                found.append(
                    f"{name} has {amount(max(left, Decimal(0)))} of {units(pack.total)} left by Kling’s "
                    "figure, which may be 12 hours old: buy another one before it runs out."
                )
            if pack.ends is not None and pack.ends - self._now() <= SOON and (left is None or left > 0):
                rest = "" if left is None else f" with {units(left)} in it"
                day = pack.ends.astimezone(self._sums.zone)
                found.append(f"{name} expires on {day:%d %B %Y at %H:%M} ({self._sums.zone}){rest}.")
        return tuple(found)

    def _is_over(self, pack: ResourcePack) -> bool:
        """Whether a pack is of no use any more, although Kling may not say so yet."""
        return pack.status in {EXPIRED, RUN_OUT} or (pack.ends is not None and pack.ends <= self._now())


def _end_of(pack: ResourcePack) -> float:
    return pack.ends.timestamp() if pack.ends else float("inf")
