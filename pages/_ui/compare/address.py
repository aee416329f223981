"""The address of the page Compare: the clips, in order, and where somebody stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

IDS = "ids"  # name of the parameter with the ids, separated by commas
FEWEST, MOST = 2, 4  # clips


def compare_params(ids: Sequence[str]) -> dict[str, str]:
    """Return the parameters of the address.

    Args:
        ids: of the jobs, in order; the first four are taken.
    """
    return {IDS: ",".join(list(dict.fromkeys(ids))[:MOST])}


def ids_of_address(parameters: Mapping[str, Any]) -> list[str]:
    """Return the ids that an address names, each once, in order; there may be any number of them."""
    named = str(parameters.get(IDS) or "").split(",")
    return list(dict.fromkeys(filter(None, map(str.strip, named))))
