"""How pages write states, times, money and requests."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, tzinfo
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st

from kling.studio import amounts
from kling.studio.accounts import SANDBOX
from kling.studio.amounts import money
from kling.studio.jobs import WITHDRAWN, Job
from pages._ui.context import studio
from pages._ui.requests import is_found, prompts_of

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

# The log's states: the word for a person, an icon, and a colour of the theme.
STATES: dict[str, tuple[str, str, Colour]] = {
    "waiting": ("waiting", "schedule", "yellow"),
    "intent": ("sending", "upload", "blue"),
    "submitted": ("submitted", "hourglass_top", "blue"),
    "processing": ("processing", "animation", "violet"),
    "succeed": ("succeed", "check_circle", "green"),
    "failed": ("failed", "error", "red"),
    "unknown": ("being looked up", "search", "orange"),
    "not_sent": ("not sent", "front_hand", "orange"),
    "withdrawn": ("withdrawn", "undo", "gray"),
}
_UTC_TIME = re.compile(r"\b([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]) UTC\b")

WITHOUT_ORDER = "Found, without its order"


def state(job: Job) -> tuple[str, str, Colour]:
    """Return the word, icon and colour of a job's state."""
    if job.state == WITHDRAWN and job.extra.get("given_up"):
        return "given up", "help", "orange"
    return STATES.get(job.state, (job.state or "unknown", "question_mark", "gray"))


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
    return here.strftime("%H:%M:%S" if is_today else "%d %b %Y, %H:%M")


def in_local_time(text: str) -> str:
    """Return text with its times of day, which the studio writes in UTC, in the viewer's zone."""

    def local(found: re.Match[str]) -> str:
        hour, minute, second = map(int, found.groups())
        when = datetime.combine(datetime.now(UTC).date(), time(hour, minute, second, tzinfo=UTC))
        here = when.astimezone(zone())
        return here.strftime("%H:%M:%S") if here.utcoffset() else found[0]

    return _UTC_TIME.sub(local, text)


def ordered(job: Job) -> datetime:
    """Return when a job was ordered; without its order, when Kling made it, if that is known."""
    return (job.moment("created_at") if is_found(job) else None) or job.ordered_at


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
    """Return a price in Units and money.

    Args:
        units: None if nobody knows.
        job: whose price it is: a Unit then costs what it cost when the job was ordered. Otherwise, what a
            Unit costs now.
    """
    if units is None:
        return "price unknown"
    settings = studio().settings
    unit_price, currency = settings.unit_price, settings.currency
    if job is not None and (then := job.decimal("unit_price")) is not None:
        unit_price, currency = then, job["currency"]
    return f"{amounts.units(units)} ({money(units * unit_price, currency)})"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with the word that goes with it."""
    return f"{number:,} {one if number == 1 else many}"


def is_sandbox(job: Job) -> bool:
    """Whether a job was made by the studio's own sandbox, which charges nothing."""
    return job["account"] == SANDBOX


def prompt_of(job: Job) -> str:
    """Return what a card or a list shows as the prompt."""
    return prompts_of(job) or (WITHOUT_ORDER if is_found(job) else "(no prompt)")


def order_line(job: Job) -> str:
    """Return what was ordered, in one line; for a job without its order, what is known of it."""
    parts = [
        job["model_name"],
        job["mode"],
        f"{job['duration']} s" if job["duration"] else "",
        job["aspect_ratio"],
        "sound" if job["sound"] == "on" else "",
    ]
    return " · ".join(part for part in parts if part)
