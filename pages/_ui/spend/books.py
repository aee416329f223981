"""The books: our sum against Kling's for the same time, and what explains the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from kling.studio.account_books import Books, DayBooks
from kling.studio.amounts import in_cents
from kling.studio.identity.roles import Action
from kling.studio.spent import Amount
from pages._ui.account_comparison import compare_with_kling
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html
from pages._ui.format import counted, since
from pages._ui.spend.facts import Facts, money, unit_words
from pages._ui.spend.period import day_words

MOST_LOOKED_AT = 20_000  # jobs whose end is compared with the time of the list


@dataclass(frozen=True, slots=True)
class Line:
    """One part of the difference: how much more Kling has, and why."""

    amount: Decimal
    why: str


def books(facts: Facts) -> None:
    """Draw the sentence, the parts of a difference, and what compares the account with the log, for admins.

    Raises:
        IndexBroken: there is no index.
    """
    if not acting().may(Action.RECONCILE):
        return
    with st.container(key="spend-books"):
        found = studio().scan.books
        if found is None:
            st.html(_sentence("sync", "", _not_yet()))
        elif not facts.totals.missing:
            _compared(facts, found)
        compare_with_kling()


def _compared(facts: Facts, found: Books) -> None:
    theirs = found.between(facts.period.first, facts.period.last)
    number, whole, part = _measure(theirs)
    charged, ours = number(theirs.charged), number(facts.sums.spent.settled)
    until = f"from {_days(facts)}{_beside(theirs)}"
    if charged == ours:
        words = f"Kling’s own books say the same: {whole(facts.sums.spent.settled)} {until}."
        icon, kind = ("rule", "warn") if theirs.foreign_tasks else ("check_circle", "ok")
        st.html(_sentence(icon, kind, words, title=_read(found)))
        return
    more = "more" if charged > ours else "less"
    difference = part(abs(charged - ours))
    words = f"Kling’s own books say {whole(theirs.charged)} {until}, {difference} {more} than this log."
    lines = "".join(
        f"<li><b>{'+' if line.amount > 0 else '−'}{escape_html(part(abs(line.amount)))}</b> "
        f"{escape_html(line.why)}</li>"
        for line in explanation(facts, found)
    )
    st.html(f"{_sentence('rule', 'warn', words, title=_read(found))}<ul>{lines}</ul><p>{_read(found)}</p>")


def _measure(
    theirs: DayBooks,
) -> tuple[Callable[[Amount], Decimal], Callable[[Amount], str], Callable[[Decimal], str]]:
    """Return what is compared, Units, or money as soon as somebody paid with it; how both are said.

    A part in Units has no sum of money: each job has the price of its day.
    """
    if theirs.cash_tasks:
        return lambda amount: in_cents(amount.money), money, money
    return (
        lambda amount: amount.units,
        lambda amount: f"{money(amount)} ({unit_words(amount.units)})",
        unit_words,
    )


def _beside(theirs: DayBooks) -> str:
    if not theirs.foreign_tasks:
        return ""
    tasks = counted(theirs.foreign_tasks, "task", "tasks")
    return f", without the money of another currency for {tasks} made elsewhere"


def explanation(facts: Facts, found: Books) -> Iterator[Line]:
    """Yield the parts of the difference between Kling's sum and ours; they add up to it.

    Raises:
        IndexBroken: there is no index.
    """
    theirs = found.between(facts.period.first, facts.period.last)
    number, *_ = _measure(theirs)
    others, listed, logged = map(number, (theirs.others, theirs.charged, theirs.logged))
    ours = number(facts.sums.spent.settled)
    if others:
        tasks = counted(theirs.other_tasks, "task", "tasks")
        yield Line(others, f"for {tasks} made elsewhere on this account, which this log does not have")
    if changed := listed - others - logged:
        yield Line(changed, "where Kling charged a task otherwise than the log could record")
    if rest := ours - logged:
        late = min(number(_charged_since(facts, found)), rest) if rest > 0 else Decimal(0)
        if late:
            yield Line(-late, f"for tasks that ended after Kling’s list was read, {since(found.ended)}")
        if rest > late:
            yield Line(late - rest, "for tasks in this log that Kling’s list does not name any more")
        elif rest < 0:
            yield Line(-rest, "for tasks that were counted on another day when the list was read")


def _charged_since(facts: Facts, found: Books) -> Amount:
    here, total = studio(), Amount()
    if facts.totals.jobs > MOST_LOOKED_AT:
        return total
    for job_id in here.library.ids(facts.query):
        job = here.ledger.get(job_id)
        if job is not None and here.accounts.owns(job) and (job.ended_at or found.began) > found.began:
            total += here.scan.charged(job)
    return total


def _not_yet() -> str:
    findings = studio().scan.findings
    if findings.trouble:
        return f"Kling’s own books cannot be read now. {findings.trouble} It is asked again by itself."
    if studio().scan.is_running:
        return f"Kling’s own books are being read: {counted(findings.tasks, 'task', 'tasks')} so far."
    return "Kling’s own books were not read yet since the studio was started."


def _days(facts: Facts) -> str:
    first, last = facts.period.first, max(min(facts.period.last, facts.today), facts.period.first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {last.day} {last:%B %Y}"
    return f"{day_words(first, year=first.year != last.year)} to {day_words(last, year=True)}"


def _read(found: Books) -> str:
    return f"By Kling’s list of all tasks, read {escape_html(since(found.ended))}."


def _sentence(icon: str, kind: str, words: str, *, title: str = "") -> str:
    hint = f' title="{title}"' if title else ""
    return (
        f'<p class="spend-books" data-kind="{kind}"{hint}><span class="ms" aria-hidden="true">{icon}</span>'
        f"{escape_html(words)}</p>"
    )
