"""What the script of the list is told of one job: plain values, each of them harmless as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from kling.studio.actions import Actions
from kling.studio.clip_verification import charged, cost
from kling.studio.identity.roles import Action
from kling.studio.ids import PLAIN_ID
from kling.studio.jobs import OPEN, SUCCEED, WAITING, Job
from kling.studio.library import Found
from kling.studio.queue_position import QueuePosition
from kling.studio.spending import counted_at
from pages._ui.charges import charge_money
from pages._ui.context import studio
from pages._ui.current_user import acting, sees_prices
from pages._ui.format import in_money, is_sandbox, prompt_of, state, zone
from pages._ui.library.columns import values_of
from pages._ui.library.reasons import second_line
from pages._ui.people import colour_of, initials
from pages._ui.requests import has_form, is_found
from pages._ui.stage.facts import of_job
from pages._ui.words import field as name_of

LONGEST = 240  # characters of a prompt in a row
SEEN = 90  # characters of a prompt that a row shows in any case
AROUND = 30  # characters of a text before what was found in it
RECENT = timedelta(hours=1)  # in which a time is told by how long ago it is
MOST_KEPT = 3_000  # jobs whose facts are kept: those that people look at now
SHOWN_ELSEWHERE = frozenset({"prompt", "person"})  # fields that a row has anyway

Parts = list[str]  # of a text: as it is, then what was found, and so on in turn
_kept: dict[str, tuple[Job, Mapping[str, Any]]] = {}  # by the id of a job: the job, and `_of_everybody`


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom rows are drawn, and when.

    Args:
        user: who looks at the list.
        prices: whether they see what jobs cost.
        line: the places of waiting jobs in line, by id.
        now: the time.
        zone: theirs, in which times are written.
        studio_zone: in which days begin.
        orders: whether they may order.
        owners: by the id and the name of a person: whether the user may change what is theirs.
    """

    user: Actions
    prices: bool
    line: dict[str, QueuePosition]
    now: datetime
    zone: tzinfo
    studio_zone: tzinfo
    orders: bool
    owners: dict[tuple[str, str], bool] = field(default_factory=dict)

    def may_change(self, job: Job) -> bool:
        """Whether the user may hide or tag a job, or delete its files."""
        key = job["person_id"], job["person"]
        if key not in self.owners:
            self.owners[key] = self.user.may(Action.HIDE, job)
        return self.owners[key]


def viewer(rows: Sequence[Found]) -> Viewer:
    """Return for whom rows are drawn now."""
    waits = any(row.job.state == WAITING for row in rows)
    line = studio().admission.positions() if waits else {}
    user, zones = acting(), (zone(), studio().settings.timezone)
    return Viewer(user, sees_prices(), line, datetime.now(UTC), *zones, user.may(Action.ORDER))


def facts_of(row: Found, to: Viewer, *, dated: bool) -> dict[str, Any]:
    """Return what the script is told of a row; what is empty or false is left out.

    Args:
        row: of the library.
        to: for whom.
        dated: whether the row says its date, because it stands below no day.
    """
    job = row.job
    of_all = _of_everybody(job, to.line.get(job.id))
    found = {
        **of_all,
        "words": _words(row),
        "line": _excerpt(row) or of_all["line"],
        **_when(job, to, dated=dated),
        **_opinions(job, to.user.who),
        "may": _may(of_all["may"], job, to),
        "more": values_of(job),
    }
    if not to.prices:
        del found["cost"], found["soft"]
    return {key: value for key, value in found.items() if value not in ("", None, False, 0)}


def _of_everybody(job: Job, place: QueuePosition | None) -> Mapping[str, Any]:
    """Return what does not depend on who looks at a row, with what the job costs; `facts_of` adds the rest.

    That of a job with a clip is kept until the job changes: a list is drawn anew in each tab that shows it
    when any of its jobs changes, and most have not. The line of any other job may depend on who looks.

    Args:
        job: of the row.
        place: in line, if it waits there.
    """
    known = _kept.get(job.id)
    if known is not None and known[0] is job:
        return known[1]
    told = of_job(job, place)
    line, tone = second_line(job, told, place)
    word, icon, _ = state(job)
    if job.state == SUCCEED and told["look"] != "done":  # its clip is not here
        told |= {"look": "risk" if tone else "ended", "since": None}
        word, icon = line, "hourglass_bottom" if tone else "hide_image"
    name = job["person"]
    remix = has_form(job) and not is_found(job)
    download = job.has_clip and PLAIN_ID.fullmatch(job.id)
    found = {
        "id": job.id,
        "look": told["look"],
        "word": word,
        "icon": icon,
        "shape": told["shape"],
        "since": told.get("since"),
        "high": told.get("high"),
        "clip": told["look"] == "done",
        "line": [line],
        "tone": tone,
        "who": name,
        "letters": initials(name),
        "colour": colour_of(name),
        **cost_facts(job),
        "hidden": job.hidden,
        "may": f"{'r' if remix else ''}{'d' if download else ''}",
    }
    if found["clip"] and job.probe:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()  # they come again in milliseconds
        _kept[job.id] = job, found
    return found


def _words(row: Found) -> Parts:
    """Return the prompt, cut where it is long, with what was found in it."""
    text = prompt_of(row.job)
    parts = _parted(text[:LONGEST], row.marks_in("prompt") if row.job["prompt"] else ())
    return [*parts[:-1], f"{parts[-1]}…"] if len(text) > LONGEST and len(parts) % 2 else parts


def _parted(text: str, marks: Sequence[tuple[int, int]]) -> Parts:
    parts, at = [], 0
    for start, stop in marks:
        if start >= len(text):
            break
        parts += [text[at:start], text[start:stop]]
        at = stop
    return [*parts, text[at:]]


def _excerpt(row: Found) -> Parts:
    """Return what was found, and where, if the beginning of the prompt does not show it."""
    if any(start < SEEN for start, _ in row.marks_in("prompt")) or not row.matches:
        return []
    found = next((each for each in row.matches if each.field not in SHOWN_ELSEWHERE), None)
    found = found or next((each for each in row.matches if each.field == "prompt"), None)
    if found is None:
        return []
    begin = max(0, found.marks[0][0] - AROUND)
    marks = [(start - begin, stop - begin) for start, stop in found.marks]
    parts = _parted(found.text[begin : begin + LONGEST], marks)
    number = found.field.removeprefix("shot ")
    title = f"Shot {number}" if number != found.field else name_of(found.field)
    title = f"{title[:1].upper()}{title[1:]}"
    parts[0] = f"{title}: {'…' if begin else ''}{parts[0]}"
    return parts


def _when(job: Job, to: Viewer, *, dated: bool) -> dict[str, Any]:
    """Return when a job was ordered: in words, as a tooltip, and in milliseconds if that is not long ago."""
    then = counted_at(job)
    here = then.astimezone(to.zone)
    is_other_day = here.date() != then.astimezone(to.studio_zone).date()
    date = f"{here.day} {here:%b}{'' if here.year == to.now.year else f' {here.year}'}, "
    recent = timedelta(0) <= to.now - then < RECENT
    return {
        "when": f"{date if dated or is_other_day else ''}{here:%H:%M}",
        "full": f"{here:%d %b %Y, %H:%M}",
        "at": int(then.timestamp() * 1000) if recent else None,
    }


def cost_facts(job: Job) -> dict[str, Any]:
    """Return what a job cost in money, and whether that is only expected, or is in no sum."""
    if is_sandbox(job):
        return {"cost": "free", "soft": True}
    charge, units = charged(job), cost(job)
    if charge is not None and charge.cash:
        return {"cost": charge_money(job, charge), "soft": job.imported}
    if units is None and studio().nothing_spent(job):  # of others nobody knows what they cost
        units = Decimal(0)
    return {
        "cost": in_money(units, job) if units is not None else "",
        "soft": job.state in OPEN or job.imported,
    }


def _opinions(job: Job, who: str) -> dict[str, Any]:
    """Return whether the user has starred a job (2) or only others (1), and who they are."""
    stars = {key: each.by_name for key, each in job.opinions.items() if each.star}
    names = [name for key, name in stars.items() if key != who and name]
    return {"star": 2 if who in stars else bool(stars) and 1, "stars": ", ".join(names)[:LONGEST]}


def _may(can: str, job: Job, to: Viewer) -> str:
    """Return a letter for each thing that the user may do: remix, download, change.

    Args:
        can: the letters of what can be done to the job.
        job: of the row.
        to: for whom.
    """
    return f"{can if to.orders else can.replace('r', '')}{'c' if to.may_change(job) else ''}"
