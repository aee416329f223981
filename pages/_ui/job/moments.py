"""Times as a job's page writes them."""

from __future__ import annotations

from datetime import datetime, timedelta

from kling.studio.jobs.job import NO_TIME
from pages._ui.format import zone


def day_and_time(when: datetime) -> str:
    """Return a time of the log as `Today, 09:44`, with the date where it is older than yesterday."""
    if when == NO_TIME:
        return "at an unknown time"
    here, today = when.astimezone(zone()), datetime.now(zone()).date()
    day = {today: "Today", today - timedelta(days=1): "Yesterday"}.get(here.date())
    return f"{day or here.strftime('%d %b %Y').lstrip('0')}, {here.strftime('%H:%M')}"


def short_moment(when: datetime) -> str:
    """Return a time of the log as `09:44` if it is today's, else as its day."""
    if when == NO_TIME:
        return "unknown time"
    here, today = when.astimezone(zone()), datetime.now(zone()).date()
    if here.date() == today:
        return here.strftime("%H:%M")
    is_this_year = here.year == today.year
    return here.strftime("%d %b, %H:%M" if is_this_year else "%d %b %Y").lstrip("0")


def clock(when: datetime) -> str:
    """Return the time of day with its seconds."""
    return when.astimezone(zone()).strftime("%H:%M:%S")
