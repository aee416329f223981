"""The address of a shared link."""

from __future__ import annotations

from urllib.parse import quote

from pages._ui.address import base_path
from pages._ui.context import studio


def share_address(token: str, *, origin: str = "") -> str:
    """Return the address under which people open a link.

    Args:
        token: of the link.
        origin: scheme and host of the page that asks, for a studio whose public address is not set.
    """
    return f"{studio().settings.public_url or origin}{share_path(token)}"


def share_path(token: str) -> str:
    """Return the path of a link on this server."""
    return f"{base_path()}/share/{quote(token, safe='')}"
