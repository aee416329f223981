"""Whether somebody may share at all: what pages ask before they offer it."""

from __future__ import annotations

from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.context import studio
from pages._ui.current_user import acting


def is_sharing_on() -> bool:
    """Whether the operator lets anybody share."""
    return studio().settings.sharing != "off"


def may_share(job: Job | None = None) -> bool:
    """Whether the user may share; pages leave out what would be refused.

    Args:
        job: whose clip; None for the user's own.
    """
    return is_sharing_on() and acting().may(Action.SHARE, job)
