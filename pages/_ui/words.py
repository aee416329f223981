"""How the studio says things: states, times, money; and other people's text, shown as it was typed."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st

from kling import catalog
from kling.studio.jobs import Job

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
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~$:&@=^])")
# Addresses, icons and arrows, which are looked for after Markdown was read, backslash or not.
_MADE_OF_TEXT = re.compile(
    r"(?<=:)(?=//|material|streamlit)|(?<=www)(?=\.)|(?=@)|(?<=[-<>~])(?=[-=>])", re.IGNORECASE
)
_JOINER = "\u2060"  # has no width


def plain(text: str) -> str:
    """Return text that Markdown shows as it is, for the few elements that take nothing but Markdown."""
    text = _MARKDOWN.sub(r"\\\1", _MADE_OF_TEXT.sub(_JOINER, text))
    return re.sub(r"\s*\n\s*", "  \n", text)  # indented lines would be code, empty ones end a badge


def escaped(text: str) -> str:
    """Return text for use in HTML."""
    return html.escape(text, quote=True)


def attribute(text: str) -> str:
    """Return text for an attribute in HTML, which Streamlit drops if it looks as if it held a tag."""
    return escaped(text.replace("<", f"<{_JOINER}").replace(">", f"{_JOINER}>"))


def state(job: Job) -> tuple[str, str, Colour]:
    """Return the word, icon and colour of a task's state."""
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


def span(seconds: float) -> str:
    """Return a time span as minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def took(job: Job) -> str:
    """Return how long a task took from the order to its end; empty while it runs."""
    return span((job.ended_at - job.ordered_at).total_seconds()) if job.ended_at else ""


def amount(number: Decimal) -> str:
    """Return a number without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(units: Decimal | None) -> str:
    """Return a price in Units and money by the catalog's list price."""
    if units is None:
        return "price unknown"
    return f"{amount(units)} {'Unit' if units == 1 else 'Units'} (${units * catalog().unit_usd:.2f})"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with the word that goes with it."""
    return f"{number:,} {one if number == 1 else many}"


def order_line(job: Job) -> str:
    """Return what was ordered, in one line."""
    parts = [
        job["model_name"],
        job["mode"],
        f"{job['duration']} s",
        job["aspect_ratio"],
        "sound" if job["sound"] == "on" else "",
    ]
    return " · ".join(part for part in parts if part)
