"""What pages say of a collection: its clips that can be shown, its picture, who filled it and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import Job
from kling.studio.share_views import can_be_shown
from kling.studio.state.records import Collection
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.format import ago


def shown_jobs(collection: Collection) -> list[Job]:
    """Return the jobs of its clips, in order; those that are hidden or have no clip here are left out."""
    found = map(studio().ledger.get, collection.clips)
    return [job for job in found if job is not None and can_be_shown(job)]


def cover_of(collection: Collection, jobs: Sequence[Job]) -> Job | None:
    """Return the job whose picture stands for a collection: the chosen one, else the first.

    Args:
        collection: any.
        jobs: as `shown_jobs` has returned them.
    """
    return next((job for job in jobs if job.id == collection.cover), jobs[0] if jobs else None)


def poster_of(job: Job | None) -> str:
    """Return the address of a job's picture below the host; empty without one."""
    return f"{base_path()}/clips/{job.id}.jpg" if job is not None and PLAIN_ID.fullmatch(job.id) else ""


def when_changed(collection: Collection) -> str:
    """Return when a collection was changed last, in words."""
    return ago(datetime.fromtimestamp(collection.changed, UTC), datetime.now(UTC))
