"""What a script needs to play a clip, and what the lightbox says of it: plain values, harmless as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from kling.studio.films.chains import is_film
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import Job
from kling.studio.spending import counted_at
from pages._ui.address import base_path
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.format import prompt_of, zone
from pages._ui.stage.facts import shape_of

LONGEST = 240  # characters of a prompt on a tile and in names for readers
_HIGH = 720  # pixels, of a clip of which only the shape is known


def clip_facts(job: Job, *, who: str | None = None, at: tzinfo | None = None) -> dict[str, Any]:
    """Return what a script needs to show and play a clip; nothing here is secret to anybody on the team.

    `src` and `poster` are empty where there is no clip, `w` and `h` are pixels, `ratio` is w / h, `seconds`
    is 0 where nobody knows, `when` is in words and `time` in milliseconds, `star` is the asking person's.

    Args:
        job: in any state.
        who: key of the person who asks (`jobs.who_is`); None for the user of the page, in a run of it.
        at: the zone in which times are written; None for the viewer's, in a run of a page.
    """
    wide, high, seconds = _size(job)
    then = counted_at(job)
    mine = job.opinions.get(acting().who if who is None else who)
    has_clip = job.has_clip and bool(PLAIN_ID.fullmatch(job.id))
    source = f"{base_path()}/clips/{job.id}" if has_clip else ""
    text = " ".join(prompt_of(job).split())
    return {
        "id": job.id,
        "src": f"{source}.mp4" if source else "",
        "poster": f"{source}.jpg" if source else "",
        "ratio": round(wide / high, 4),
        "w": wide,
        "h": high,
        "seconds": seconds,
        "prompt": f"{text[:LONGEST].rstrip()}…" if len(text) > LONGEST else text,
        "who": job["person"],
        "when": moment(then, at or zone(), datetime.now(UTC)),
        "time": int(then.timestamp() * 1000),
        "star": bool(mine and mine.star),
        "sound": job.has_clip and job.probe.get("audio") is True,
    }


def film_facts(jobs: Sequence[Job], *, who: str, at: tzinfo) -> dict[str, Any] | None:
    """Return what a script needs to play some clips as the film that they are; as `clip_facts` of the first.

    Args:
        jobs: of the clips.
        who: as for `clip_facts`.
        at: likewise.

    Returns:
        None if they are no film, or if it is not joined yet.
    """
    if not is_film(jobs, studio().ledger.get):
        return None
    film = studio().films.film(jobs, person=who)
    if film.state != "ready":
        return None
    told = clip_facts(jobs[0], who=who, at=at)
    sound = any(job.probe.get("audio") is True for job in jobs)
    return {**told, "src": f"{base_path()}/films/{film.name}", "seconds": film.seconds, "sound": sound}


def moment(when: datetime, at: tzinfo, now: datetime) -> str:
    """Return a time as `Today, 09:44`, with the date where it is older than yesterday."""
    here, today = when.astimezone(at), now.astimezone(at).date()
    near = {today: "Today", today - timedelta(days=1): "Yesterday"}.get(here.date())
    date = f"{here.day} {here:%b}" + ("" if here.year == today.year else f" {here.year}")
    return f"{near or date}, {here:%H:%M}"


def _size(job: Job) -> tuple[int, int, float]:
    """Return width and height of a clip in pixels, and its length in seconds, 0 where nobody knows."""
    wide, high = shape_of(job)
    if wide < _HIGH / 4 or high < _HIGH / 4:  # the sides of its shape, such as 16 and 9
        wide, high = round(_HIGH * wide / high), _HIGH
    measured, ordered = job.probe.get("seconds") if job.has_clip else None, job.decimal("duration")
    seconds = float(measured) if isinstance(measured, int | float) else float(ordered or 0)
    return wide, high, round(seconds, 3) if 0 < seconds < 10**5 else 0.0
