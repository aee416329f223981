"""The address of a clip in the lightbox: its id, and the list whose clips stand before and after it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from kling.studio.library import JobQuery
from pages._ui.address import base_path

CLIP = "clip"  # name of the parameter with the `external_task_id`
COLLECTION = "collection"  # of a list that is a collection: its id


def clip_link(job_id: str, among: str = "") -> str:
    """Return the address below the host that opens the lightbox of a clip over the list around it.

    Args:
        job_id: the `external_task_id`.
        among: the list, as the query of an address of Gallery, or `collection=<id>`; empty for all clips.
    """
    asked = dict(parse_qsl(among))
    if collection := asked.get(COLLECTION):
        return f"{base_path()}/collections?{urlencode({'id': collection, CLIP: job_id})}"
    query = JobQuery.of_address(asked).with_page(1).to_address()
    query.pop("clips", None)  # Gallery has clips only
    return f"{base_path()}/gallery?{urlencode({CLIP: job_id} | query)}"
