"""The title of the template that a job was ordered from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kling.studio.jobs import Job
from kling.studio.prompting.templates import templates
from kling.studio.state.records import StateError
from pages._ui.context import studio


def template_of(job: Job) -> str:
    """Return the id of a job's template, empty for none."""
    found = job.extra.get("template") if "template" in job["extra"] else None
    return found if isinstance(found, str) else ""


def title_of(template: str) -> str:
    """Return the title of a template by its id, empty if there is none any more, or nobody can be asked.

    Args:
        template: the id, of the studio's own or of the team's.
    """
    if not template or template in _own():
        return _own().get(template, "")
    try:
        of_team = studio().state.templates.all()
    except StateError:
        return ""
    return next((each.title for each in of_team if each.id == template), "")


@cache
def _own() -> Mapping[str, str]:
    return {each.id: each.title for each in templates()}
