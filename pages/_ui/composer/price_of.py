"""What a draft costs."""

from __future__ import annotations

from decimal import Decimal

from kling.studio.prompting.draft import Draft


def price_of(draft: Draft) -> Decimal | None:
    """Return what pressing the button costs, in Units; None where that is not known."""
    units = draft.request().units()
    return None if units is None else units * draft.takes
