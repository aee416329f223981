"""Delivered as ordered? What the file really is and what was charged, against the order and the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kling.catalog import catalog
from kling.studio.jobs import OPEN, SUCCEED, TERMINAL, Job, bounded

SECONDS_OFF = 0.2  # real answers say 5.04 for 5 (S2p)
SHAPE_OFF = 0.03  # of the aspect ratio: encoders round sides to multiples of 2, 8 or 16
SIDE_OFF = 0.03  # of the short side, for the same reason
FPS_OFF = 0.5  # 23.976 is 24


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that came otherwise than it was ordered.

    Args:
        field: the API's name: `duration`, `aspect_ratio`, `mode` (the size), `sound`; or `fps`.
        ordered, came: in words for a page.
    """

    field: str
    ordered: str
    came: str


@dataclass(frozen=True, slots=True)
class Charge:
    """What a job was to cost and what it cost; None where that is not known. 0 is a number.

    Args:
        estimated, charged: in Units.
        cash: money that was taken from the balance of an account that pays in cash, in its currency.
        list_price: what that would have been without a discount.
    """

    estimated: Decimal | None
    charged: Decimal | None
    cash: Decimal | None = None
    list_price: Decimal | None = None

    @property
    def is_known(self) -> bool:
        """Whether Kling has said what it charged, be it nothing."""
        return self.charged is not None or self.cash is not None

    @property
    def differs(self) -> bool:
        """Whether the Units are known and not the same; an account that pays in cash is charged none."""
        if self.cash and not self.charged:
            return False
        return None not in {self.estimated, self.charged} and self.estimated != self.charged


def mismatches(job: Job) -> tuple[Mismatch, ...]:
    """Return what is wrong with the file of a task; empty if nothing is, or if it was not looked at yet.

    Size and frame rate are facts of the catalog, and some of them are assumed there: less than that is a
    mismatch, more is not. For a model that the catalog does not know they are not compared.
    """
    probe = job.extra.get("probe")
    return tuple(_compare(job, probe)) if isinstance(probe, dict) else ()


def charged(job: Job) -> Charge | None:
    """Return the price of a job that has ended beside what it was to cost; None before its end.

    Only a job that succeeded was to cost something: what a failed one costs is not documented.
    """
    if job.state not in TERMINAL:
        return None
    return Charge(
        job.decimal("units") if job.state == SUCCEED else None,
        job.decimal("final_unit_deduction"),
        job.decimal("final_balance_deduction"),
        bounded(job.extra.get("list_price", "")),
    )


def cost(job: Job) -> Decimal | None:
    """Return the Units of a job: what was charged, or else what it is to cost; None if nobody knows.

    For a job that failed or was not sent, only what Kling says that it charged counts.
    """
    if (units := job.decimal("final_unit_deduction")) is not None:
        return units
    return job.decimal("units") if job.state in {SUCCEED, *OPEN} else None


def _compare(job: Job, probe: Mapping[str, Any]) -> Iterator[Mismatch]:
    model = catalog().models.get(job["model_name"])
    mode = model.mode_for(job["mode"] or None) if model else None
    seconds, ordered_seconds = _number(probe.get("seconds")), _number(job["duration"])
    if seconds and ordered_seconds and round(abs(seconds - ordered_seconds), 3) > SECONDS_OFF:
        yield Mismatch("duration", f"{ordered_seconds:g} s", f"{round(seconds, 2):g} s")
    width, height = _number(probe.get("width")), _number(probe.get("height"))
    if width and height:
        size = f"{width:g} × {height:g}"
        across, down = map(_number, job["aspect_ratio"].partition(":")[::2])
        if across and down and abs(width / height * down / across - 1) > SHAPE_OFF:
            yield Mismatch("aspect_ratio", job["aspect_ratio"], size)
        if mode and min(width, height) < mode.short_side * (1 - SIDE_OFF):
            yield Mismatch("mode", f"{mode.short_side}p", f"{min(width, height):g}p ({size})")
    fps = _number(probe.get("fps"))
    if model and fps and fps < model.fps - FPS_OFF:
        yield Mismatch("fps", f"{model.fps} fps", f"{fps:g} fps")
    ordered_sound, audio = job["sound"] == "on", probe.get("audio")
    if isinstance(audio, bool) and audio != ordered_sound:
        yield Mismatch("sound", *(("on", "no audio track") if ordered_sound else ("off", "an audio track")))


def _number(value: object) -> float | None:
    """Return a number of the log, which anybody may have edited."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
