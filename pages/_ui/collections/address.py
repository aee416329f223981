"""The address of a collection."""

from __future__ import annotations

from urllib.parse import quote

from pages._ui.address import base_path

ID = "id"  # name of the parameter with the id of a collection


def collection_link(collection_id: str) -> str:
    """Return the address of a collection's page below the host."""
    return f"{base_path()}/collections?{ID}={quote(collection_id, safe='')}"
