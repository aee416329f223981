"""What the lightbox says beside a clip: whose it is, what it was made with, and what may be done with it."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from kling.studio.actions import Actions
from kling.studio.identity.roles import Action
from kling.studio.jobs import Job
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.format import prompt_of, size
from pages._ui.job.address import job_link
from pages._ui.job.after import silent_of
from pages._ui.job.film import parts_of
from pages._ui.job.settings import LENGTH, MODEL, ON, QUALITY, SHAPE, SOUND, settings_of
from pages._ui.library.row_facts import cost_facts
from pages._ui.people import colour_of, initials
from pages._ui.requests import has_form, is_found, words_of
from pages._ui.sound.dialog import why_not
from pages._ui.viewer.address import clip_link
from pages._ui.viewer.facts import clip_facts, moment

_SHOWN = (MODEL, QUALITY, LENGTH, SHAPE)  # the others are folded
_ACTIONS = {
    "star": Action.STAR,
    "collect": Action.COLLECT,
    "share": Action.SHARE,
    "hide": Action.HIDE,
    "tag": Action.TAG,
    "note": Action.NOTE,
    "delete": Action.DELETE,
}


def panel_facts(job: Job, user: Actions, among: str, at: tzinfo) -> dict[str, Any]:
    """Return everything that is shown of a clip.

    Args:
        job: whose clip is here.
        user: who looks at it; what it cost is left out for who may not see prices.
        among: the list around it, as an address has it.
        at: the zone in which times are written.
    """
    mine = job.opinions.get(user.who)
    name = job["person"]
    return {
        **clip_facts(job, who=user.who, at=at),
        "text": prompt_of(job),
        "letters": initials(name),
        "colour": colour_of(name),
        **(cost_facts(job) if user.may(Action.SEE_PRICES) else {}),
        "settings": settings(job),
        "details": details(job, at),
        "rating": mine.stars if mine else 0,
        "opinions": opinions(job, user.who),
        "tags": list(job.tags),
        "note": job["note"],
        "hidden": job.hidden,
        "may": may(job, user),
        "link": clip_link(job.id, among),
        "page": job_link(job.id, page="gallery"),
        "remix": _remix(job, user),
        "next": _next(job, user),
        "sound_of": _sound_of(job, user),
        "film": _film(job, user),
        "batch": job.group,
    }


def settings(job: Job) -> list[tuple[str, str]]:
    """Return the names and values of what decides how a clip looks, as the panel lists them."""
    found = settings_of(job)
    if found.get(LENGTH) and found.get(SOUND) == ON:
        found[LENGTH] += ", with sound"
    return [(name, found[name]) for name in _SHOWN if found.get(name)]


def details(job: Job, at: tzinfo) -> list[tuple[str, str]]:
    """Return the names and values of what is wanted seldom."""
    rest = [(name, value) for name, value in settings_of(job).items() if name not in {*_SHOWN, SOUND}]
    if not is_found(job) and (avoid := words_of(job).negative_prompt):
        rest.append(("Avoid", avoid))
    if job.take > 1:
        rest.append(("Take", str(job.take)))
    probe = job.probe
    if probe.get("width") and probe.get("height"):
        frames = f", {probe['fps']:g} fps" if isinstance(probe.get("fps"), int | float) else ""
        rest.append(("Picture", f"{probe['width']} × {probe['height']}{frames}"))
    if (length := job.decimal("file_bytes")) is not None:
        rest.append(("File", size(int(length))))
    if job.ended_at is not None:
        rest.append(("Made", moment(job.ended_at, at, datetime.now(UTC))))
    return [*rest, ("Id for support", job.id)]


def opinions(job: Job, who: str) -> list[tuple[str, str]]:
    """Return what others think of a clip: names, and words such as `star, 4 of 5`."""
    words = []
    for key, each in job.opinions.items():
        said = ["star"] if each.star else []
        said += [f"{each.stars} of 5"] if each.stars else []
        if key != who and said:
            words.append((each.by_name or "Somebody", ", ".join(said)))
    return words[:20]


def may(job: Job, user: Actions) -> list[str]:
    """Return the names of what the user may do with a clip; sharing may be switched off for everybody."""
    found = [name for name, action in _ACTIONS.items() if user.may(action, job)]
    return [name for name in found if name != "share" or studio().settings.sharing != "off"]


def _remix(job: Job, user: Actions) -> str:
    if is_found(job) or not has_form(job) or not user.may(Action.ORDER):
        return ""
    return f"{base_path()}/?from={job.id}"


def _next(job: Job, user: Actions) -> str:
    """Return the address that goes on from the last frame of the clip; empty for who may not order."""
    if not job.has_clip or job.erased or not user.may(Action.ORDER):
        return ""
    return f"{base_path()}/?from={job.id}&frame=last"


def _sound_of(job: Job, user: Actions) -> str:
    """Return the id of the clip that can get sound; empty where none can, or for who may not order."""
    silent = silent_of(job)
    return silent.id if user.may(Action.ORDER) and not why_not(silent) else ""


def _film(job: Job, user: Actions) -> dict[str, Any] | None:
    """Return the film that a clip is a part of; None for a clip that stands alone."""
    parts = parts_of(job)
    if len(parts) < 2:
        return None
    film = studio().films.film(parts, person=user.who)
    is_ready = film.state == "ready"
    return {
        "ids": [part.id for part in parts],
        "parts": len(parts),
        "src": f"{base_path()}/films/{film.name}" if is_ready else "",
        "seconds": round(film.seconds, 3),
        "download": f"{base_path()}/film?of={job.id}" if is_ready else "",
        "why": film.problem or ("" if is_ready else "Being joined"),
    }
