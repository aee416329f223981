"""What the script of the wall is told of one clip: plain values, each of them harmless as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.job_status import check_words, mismatch_words, not_saved
from pages._ui.requests import has_form, is_found
from pages._ui.viewer.facts import clip_facts


@dataclass(frozen=True, slots=True)
class Looker:
    """For whom tiles are drawn.

    Args:
        user: who looks at the wall.
        zone: in which times are written.
        owners: by the id and the name of a person: what the user may do to what is theirs.
    """

    user: Actions
    zone: tzinfo
    owners: dict[tuple[str, str], str] = field(default_factory=dict)

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
    told = clip_facts(job, who=to.user.who, at=to.zone)
    remix = to.user.may(Action.ORDER) and has_form(job) and not is_found(job)
    told |= {
        "stars": sum(bool(each.star) for each in job.opinions.values()),
        "may": f"{to.may(job)}{'r' if remix else ''}",
        "batch": job.group,
        "hidden": job.hidden,
        "broken": check_words(job)[1],
        "note": ", ".join(filter(None, [*mismatch_words(job), check_words(job)[0]])),
        "risk": "" if job.has_clip else not_saved(job, datetime.now(UTC)),
    }
    return {name: value for name, value in told.items() if value not in ("", False, 0, None)}
