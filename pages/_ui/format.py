"""How pages write states, times, money and requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import streamlit as st

from kling import catalog
from kling.studio import amounts
from kling.studio.accounts import SANDBOX
from kling.studio.amounts import money
from kling.studio.films.chains import SOUND
from kling.studio.jobs import WAITING, WITHDRAWN, Job
from pages._ui.context import studio
from pages._ui.requests import is_found, prompts_of
from pages._ui.words import GIVEN_UP, HELD, STATES, Colour, model_title, quality

_UTC_TIME = re.compile(r"\b([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) UTC\b")

counted = amounts.counted

WITHOUT_ORDER = "Found, without its order"
PRICE_UNKNOWN = "price unknown"


def state(job: Job) -> tuple[str, str, Colour]:
    """Return the word, icon and colour of a job's state."""
    if job.state == WITHDRAWN and job.extra.get("given_up"):
        return GIVEN_UP
    if job.state == WAITING and any(hold.needs_person for hold in studio().admission.holds):
        place = studio().admission.position_of(job)
        if place is not None and place.needs_person:
            return HELD
    return STATES.get(job.state, (job.state or "Unknown", "question_mark", "gray"))


def zone() -> tzinfo:
    """Return the viewer's time zone, UTC where the browser names none that is known."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (KeyError, ValueError, OSError):
        return UTC


def moment(when: datetime) -> str:
    """Return a time of the log in the viewer's zone."""
    return when.astimezone(zone()).strftime("%d %b %Y, %H:%M")


def since(when: datetime) -> str:
    """Return a time in the viewer's zone, without the date if that is today's."""
    here = when.astimezone(zone())
    is_today = here.date() == datetime.now(zone()).date()
    return here.strftime("%H:%M" if is_today else "%d %b %Y, %H:%M")


def ago(when: datetime, now: datetime) -> str:
    """Return how long ago a time of the log was: `just now`, `12 min ago`, then the time or the date."""
    minutes = int((now - when).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    here, today = when.astimezone(zone()), now.astimezone(zone()).date()
    return here.strftime("%H:%M" if here.date() == today else "%d %b %Y, %H:%M")


def in_local_time(text: str) -> str:
    """Return text with its times of day, which the studio writes in UTC, in the viewer's zone."""

    def local(found: re.Match[str]) -> str:
        hour, minute, second = map(int, found.groups())
        when = datetime.combine(datetime.now(UTC).date(), time(hour, minute, second, tzinfo=UTC))
        here = when.astimezone(zone())
        return here.strftime("%H:%M:%S") if here.utcoffset() else found[0]

    return _UTC_TIME.sub(local, text)


def span(seconds: float) -> str:
    """Return a time span as minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def took(job: Job) -> str:
    """Return how long a job took from the order to its end; empty while it runs, or if nobody knows."""
    if job.ended_at is None or is_found(job):
        return ""
    return span((job.ended_at - job.ordered_at).total_seconds())


def price(units: Decimal | None, job: Job | None = None) -> str:
    """Return a price in money and Units, as `$0.21 (1.5 Units)`.

    Args:
        units: None if nobody knows.
        job: whose price it is: a Unit then costs what it cost when the job was ordered. Otherwise, what a
            Unit costs now.
    """
    return PRICE_UNKNOWN if units is None else f"{in_money(units, job)} ({amounts.units(units)})"


def in_money(units: Decimal | None, job: Job | None = None) -> str:
    """Return a price in money alone; the arguments are those of `price`."""
    if units is None:
        return PRICE_UNKNOWN
    settings = studio().settings
    unit_price, currency = settings.unit_price, settings.currency
    if job is not None and (then := job.decimal("unit_price")) is not None:
        unit_price, currency = then, job["currency"]
    return money(units * unit_price, currency)


def cost_now(units: Decimal | None) -> str:
    """Return what an order costs now: nothing in the sandbox, where Kling's price is told along.

    Args:
        units: its price; None if nobody knows.
    """
    if not studio().connection.is_sandbox:
        return in_money(units)
    return "free" if units is None else f"free (Kling: {in_money(units)})"


def size(count: int) -> str:
    """Return a number of bytes as `8.4 MB`; below a tenth of that unit in kB."""
    return f"{count / 10**6:,.1f} MB" if count >= 10**5 else f"{count / 1000:,.1f} kB"


def is_sandbox(job: Job) -> bool:
    """Whether a job was made by the studio's own sandbox, which charges nothing."""
    return job["account"] == SANDBOX


def prompt_of(job: Job) -> str:
    """Return what a card or a list shows as the prompt."""
    words = prompts_of(job)
    if job["endpoint"] == SOUND:
        return f"Sound: {' · '.join(words.splitlines()) or 'as Kling chooses'}"
    return words or (WITHOUT_ORDER if is_found(job) else "(no prompt)")


def order_line(job: Job) -> str:
    """Return what was ordered, in one line; for a job without its order, what is known of it."""
    model = catalog().models.get(job["model_name"])
    parts = [
        model_title(job["model_name"], model),
        quality(job["mode"], model) if job["mode"] else "",
        f"{job['duration']} s" if job["duration"] else "",
        job["aspect_ratio"],
        "with sound" if job["sound"] == "on" else "",
    ]
    return " · ".join(part for part in parts if part)


def first_sentence(text: str) -> tuple[str, str]:
    """Return the first sentence of a text, and what follows it."""
    start, dot, rest = text.partition(". ")
    return (f"{start}.", rest) if dot else (text, "")
