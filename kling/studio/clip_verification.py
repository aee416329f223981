"""Compares a finished job with its request: the facts of the file, and what was charged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kling.catalog import catalog
from kling.studio.jobs import OPEN, SUCCEED, TERMINAL, Job, bounded

SECONDS_OFF = 0.2  # by which a duration may differ: Kling's answers say 5.04 for 5 (S2p)
SHAPE_OFF = 0.03  # share by which the aspect ratio may differ: encoders round sides to multiples of 2 to 16
SIDE_OFF = 0.03  # share by which the short side may be smaller, for the same reason
FPS_OFF = 0.5  # by which the frame rate may be lower: 23.976 counts as 24
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One fact of a file that differs from the request.

    Args:
        field: the API's name: `duration`, `aspect_ratio`, `mode` (the size), `sound`; or `fps`.
        ordered: the requested value, in words for a page.
        came: the value of the file, in words for a page.
    """

    field: str
    ordered: str
    came: str


@dataclass(frozen=True, slots=True)
class Charge:
    """The expected price of a job and what Kling charged; None for what is not known. 0 is known.

    Args:
        estimated, charged: in Units.
        cash: money that Kling took from the balance of an account that pays in cash.
        list_price: that amount without a discount.
        currency: of both.
        unit_price: what a Unit cost in that currency when the job was ordered.
    """

    estimated: Decimal | None
    charged: Decimal | None
    cash: Decimal | None = None
    list_price: Decimal | None = None
    currency: str = ""
    unit_price: Decimal | None = None

    @property
    def is_known(self) -> bool:
        """Whether Kling has said what it charged, be it nothing."""
        return self.charged is not None or self.cash is not None

    @property
    def is_expected(self) -> bool | None:
        """Whether it is the expected price, to the cent; None if that cannot be said, as of money alone."""
        if self.estimated is None or self.charged is None:
            return None
        if not self.cash:
            return self.charged == self.estimated
        if not self.charged or self.unit_price is None:
            return None
        paid = self.charged * self.unit_price + (self.cash if self.list_price is None else self.list_price)
        return abs(paid - self.estimated * self.unit_price) < _CENT

    @property
    def differs(self) -> bool:
        """Whether it is known to be another price than expected."""
        return self.is_expected is False


def mismatches(job: Job) -> tuple[Mismatch, ...]:
    """Return where the file of a job differs from its request; empty also if it was not examined yet.

    The expected size and frame rate come from the catalog, where some of them are assumed. So less than that
    is a mismatch and more is not. For a model that the catalog does not know they are not compared.
    """
    probe = job.extra.get("probe")
    return tuple(_compare(job, probe)) if isinstance(probe, dict) else ()


def charged(job: Job) -> Charge | None:
    """Return the charge of a job that has ended; None before its end.

    Only a job that succeeded has an expected price: what a failed one costs is not documented.
    """
    if job.state not in TERMINAL:
        return None
    return Charge(
        job.decimal("units") if job.state == SUCCEED else None,
        job.decimal("final_unit_deduction"),
        job.decimal("final_balance_deduction"),
        bounded(job.extra.get("list_price", "")),
        job.cash_currency,
        job.decimal("unit_price") if job.cash_currency == job["currency"] else None,
    )


def cost(job: Job) -> Decimal | None:
    """Return the Units of a job: what was charged if that is known, else the expected price, else None.

    A job that failed or was not sent has no expected price.
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
    always = model is not None and model.always_sound
    ordered_sound, audio = always or job["sound"] == "on", probe.get("audio")
    if isinstance(audio, bool) and audio != ordered_sound:
        yield Mismatch("sound", *(("on", "no audio track") if ordered_sound else ("off", "an audio track")))


def _number(value: object) -> float | None:
    """Return a positive number of the log, None for anything else: anybody may have edited the log."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 1e6 else None
