"""What the script of the wall is told of one clip: plain values, each of them harmless as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.job_status import check_words, mismatch_words, not_saved
from pages._ui.requests import has_form, is_found
from pages._ui.viewer.facts import clip_facts

MOST_KEPT = 3_000  # tiles that are kept: those that people look at now
_Key = tuple[str, str, date, str]  # who asks, the zone, the day there, and the id of the job
_kept: dict[_Key, tuple[Job, Mapping[str, Any]]] = {}


@dataclass(frozen=True, slots=True)
class Looker:
    """For whom tiles are drawn.

    Args:
        user: who looks at the wall.
        zone: in which times are written.
        orders: whether they may order.
        today: the day in that zone.
        owners: by the id and the name of a person: what the user may do to what is theirs.
    """

    user: Actions
    zone: tzinfo
    orders: bool
    today: date
    owners: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, user: Actions, zone: tzinfo) -> Looker:
        """Return somebody who looks at the wall now."""
        return cls(user, zone, user.may(Action.ORDER), datetime.now(zone).date())

    def may(self, job: Job) -> str:
        """Return a letter for each thing that the user may do: `c` hide, tag and delete, `s` share."""
        key = job["person_id"], job["person"]
        if key not in self.owners:
            changes, shares = self.user.may(Action.HIDE, job), self.user.may(Action.SHARE, job)
            self.owners[key] = f"{'c' if changes else ''}{'s' if shares else ''}"
        return self.owners[key]


def tile_facts(job: Job, to: Looker) -> dict[str, Any]:
    """Return what the script is told of a clip; what is empty or false is left out.

    Args:
        job: with a clip, or one whose clip is not saved yet.
        to: for whom.
    """
    told = dict(_of_job(job, to))
    can_be_remixed = told.pop("remix", False)
    told["may"] = f"{to.may(job)}{'r' if to.orders and can_be_remixed else ''}"
    told["risk"] = "" if "src" in told else not_saved(job, datetime.now(UTC))
    return {name: value for name, value in told.items() if value not in ("", False, 0, None)}


def _of_job(job: Job, to: Looker) -> Mapping[str, Any]:
    """Return what stays the same until the job changes: to find it takes most of the time of a page."""
    key = to.user.who, str(to.zone), to.today, job.id
    known = _kept.get(key)
    if known is not None and known[0] is job:
        return known[1]
    check, is_broken = check_words(job)
    told = clip_facts(job, who=to.user.who, at=to.zone) | {
        "stars": sum(bool(each.star) for each in job.opinions.values()),
        "remix": has_form(job) and not is_found(job),
        "batch": job.group,
        "hidden": job.hidden,
        "broken": is_broken,
        "note": ", ".join(filter(None, [*mismatch_words(job), check])),
    }
    told = {name: value for name, value in told.items() if value not in ("", False, 0, None)}
    if len(_kept) >= MOST_KEPT:
        _kept.clear()  # they come again in milliseconds
    _kept[key] = job, told
    return told
