"""The address of the page Compare: the clips, in order, and where somebody stood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pages._ui.address import base_path

IDS = "ids"  # name of the parameter with the ids, separated by commas
FEWEST, MOST = 2, 4  # clips


def compare_link(ids: Sequence[str]) -> str:
    """Return the address below the host.

    Args:
        ids: of the jobs, in order; the first four are taken.
    """
    return f"{base_path()}/compare?{IDS}={compare_value(ids)}"


def compare_value(ids: Sequence[str]) -> str:
    """Return the value of the parameter; the arguments are those of `compare_link`."""
    return ",".join(quote(each, safe="") for each in list(dict.fromkeys(ids))[:MOST])


def ids_of_address(parameters: Mapping[str, Any]) -> list[str]:
    """Return the ids that an address names, each once, in order; there may be any number of them."""
    named = str(parameters.get(IDS) or "").split(",")
    return list(dict.fromkeys(filter(None, map(str.strip, named))))
