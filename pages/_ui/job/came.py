"""What was ordered and what came, side by side; where they differ, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from kling.studio.clip_verification import charged, mismatches
from kling.studio.jobs import Job
from pages._ui.charges import charge_text, charge_words
from pages._ui.current_user import sees_prices
from pages._ui.escape import escape_html
from pages._ui.format import in_money, is_sandbox
from pages._ui.job.settings import LENGTH, MODEL, OF_PICTURE, OFF, QUALITY, SHAPE, SOUND, settings_of
from pages._ui.requests import is_found

FIELDS = {"duration": LENGTH, "aspect_ratio": SHAPE, "mode": QUALITY, "sound": SOUND, "fps": "Frame rate"}
REASONS = {
    "duration": "not the length that was ordered",
    "aspect_ratio": "not the shape that was ordered",
    "mode": "smaller than ordered",
    "sound": "not as ordered",
    "fps": "fewer pictures a second than the model makes",
}
FREE = "free"
SHAPES = ((16, 9), (9, 16), (1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (21, 9))
NEAR = 0.01  # by which a picture may differ from a shape that has a name


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        name: of the setting.
        ordered: in words; empty where nothing was said.
        came: in words; empty while nothing came, or where the file does not tell.
        differs: why it is not as it was ordered; empty if it is.
    """

    name: str
    ordered: str
    came: str = ""
    differs: str = ""


def came(job: Job) -> None:
    """Draw the table."""
    lines = [row for row in rows(job) if row.ordered or row.came]
    if not lines:
        return
    came_at_all = any(row.came for row in lines)
    head = "<th scope='col'>Came</th>" if came_at_all else ""
    body = "".join(_line(row, came_at_all=came_at_all) for row in lines)
    st.html(
        '<table class="job-came"><thead><tr><td></td>'
        f"<th scope='col'>Ordered</th>{head}</tr></thead><tbody>{body}</tbody></table>"
        f'<p class="job-fine">{escape_html(charge_text(job))}</p>'
    )


def _line(row: Row, *, came_at_all: bool) -> str:
    cell = ""
    if came_at_all:
        why = f"<small>{escape_html(row.differs)}</small>" if row.differs else ""
        mark = ' data-differs="true"' if row.differs else ""
        cell = f"<td{mark}>{escape_html(row.came)}{why}</td>"
    return (
        f"<tr><th scope='row'>{escape_html(row.name)}</th>"
        f'<td dir="auto">{escape_html(row.ordered)}</td>{cell}</tr>'
    )


def rows(job: Job) -> Iterator[Row]:
    """Yield the lines of the table."""
    probe = job.probe if job.has_clip or job.deleted else {}
    wrong = {FIELDS[each.field]: each for each in mismatches(job)} if probe else {}
    ordered = settings_of(job)
    if is_found(job):
        ordered = {name: ordered.get(name, "") for name in (MODEL, QUALITY, LENGTH, SHAPE, SOUND)}
    for name, value in ordered.items():
        if name in wrong:
            found = wrong.pop(name)
            yield Row(name, value, found.came, REASONS[found.field])
        else:
            yield Row(name, value, _came(name, value, job, probe))
    for name, found in wrong.items():
        yield Row(name, found.ordered, found.came, REASONS[found.field])
    if sees_prices():
        yield _cost(job)


def _came(name: str, ordered: str, job: Job, probe: Mapping[str, Any]) -> str:
    """Return what the file shows of a setting that it has as it was ordered."""
    width, height, seconds = (probe.get(key) for key in ("width", "height", "seconds"))
    if name == QUALITY and isinstance(width, int) and isinstance(height, int):
        return f"{width} × {height}"
    if name == LENGTH and isinstance(seconds, int | float):
        return f"{round(seconds, 2):g} s"
    if name == SOUND and isinstance(probe.get("audio"), bool):
        return "with sound" if probe["audio"] else "none"
    if name == SHAPE and isinstance(width, int) and isinstance(height, int) and height:
        return ordered if ordered not in {"", OF_PICTURE} else _shape(width / height)
    return ordered if name == MODEL and job.has_clip and probe else ""


def _shape(ratio: float) -> str:
    """Return the usual name of a shape, as `16:9`, where it is nearly one."""
    usual = min(SHAPES, key=lambda shape: abs(shape[0] / shape[1] / ratio - 1))
    is_near = abs(usual[0] / usual[1] / ratio - 1) < NEAR
    return f"{usual[0]}:{usual[1]}" if is_near else f"{ratio:.2f}:1"


def _cost(job: Job) -> Row:
    units, charge = job.decimal("units"), charged(job)
    ordered = FREE if is_sandbox(job) else "" if units is None else in_money(units, job)
    if is_sandbox(job) or charge is None or not charge.is_known:
        return Row("Cost", ordered, FREE if is_sandbox(job) and job.has_clip else "")
    simple = charge.charged is not None and not charge.cash
    words = in_money(charge.charged, job) if simple else charge_words(job, charge)
    return Row("Cost", ordered, words, "not what was expected" if charge.differs else "")


__all__ = ["FREE", "OFF", "Row", "came", "rows"]
