"""The HTML of a shared link, with its style and script in it. Every text of a person is escaped."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from pathlib import Path

from kling.studio.films.store import Film
from kling.studio.jobs import Job
from kling.studio.share_views import SharedView
from kling.studio.spending import counted_at
from pages._ui.escape import bdi
from pages._ui.requests import prompts_of
from pages._ui.scripts.assets import lean_script, lean_sheet

FOLDER = Path(__file__).parent
# The colours, the player that keeps clips in step and the one that compares them are those of the studio.
STYLES = ("../style/tokens.css", "../style/deck.css", "share.css")
SCRIPTS = ("../viewer/sync.js", "several.js", "rows.js", "share.js")
DECK = "deck.js"  # what a browser loads where somebody compares
FILM = "film"  # the name of a film among the files of its link
DIFFERS = "differs"  # and what it asks then: which words of the prompts differ
DECK_SCRIPTS = ("../compare/elements.js", "../compare/deck.js", "../compare/differ.js")
LONGEST_NAME = 200  # characters of a prompt in what readers hear
LONGEST_TITLE = 80  # of a prompt that stands for a title
NOTHING = "This link shows nothing. It has ended, or it is not whole."
SIGN_IN_FIRST = "This link is for people of the studio. Sign in first."
BROKEN = "The studio cannot look this link up now. Try again in a moment."


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


_PAGE, _ROOM = map(_read, ("page.html", "room.html"))
_STYLE = "\n".join(lean_sheet(_read(name)) for name in STYLES)
DECK_SCRIPT = "\n".join(lean_script(_read(name)) for name in DECK_SCRIPTS)
_SCRIPT = "\n".join(lean_script(_read(name)) for name in SCRIPTS).replace(
    "__DECK__", _hash(DECK_SCRIPT).strip("'")
)
_COMPARE = (
    '<button type="button" class="second" data-compare><svg aria-hidden="true">'
    '<use href="#i-compare"/></svg>Compare</button>'
)
# Nothing runs and nothing is loaded but this style, these scripts, and what this server has.
POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)} {_hash(DECK_SCRIPT)}; "
    "img-src 'self' data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the page is.

    Args:
        path: of the link, such as `/studio/share/<token>`.
        origin: scheme and host under which people reach it.
        zone: in which days are told.
    """

    path: str
    origin: str
    zone: tzinfo


def page(view: SharedView, place: Place, pictures: frozenset[str], film: Film | None = None) -> str:
    """Return the page of what a link shows.

    Args:
        view: that.
        place: where it is.
        pictures: ids of the jobs that have a poster.
        film: of all its clips, shown in their place; None where they are none, or it is not joined yet.
    """
    is_one = film is not None or len(view.clips) == 1  # its title stands below it
    title = view.title or _title_of(view, is_one=is_one)
    tiles = _film(view, place, pictures, film) if film else "\n".join(_tiles(view, place, pictures))
    words = f"<p dir=auto>{html.escape(view.text)}</p>" if view.text else ""
    head = (
        f"<header><div><h1 dir=auto>{html.escape(title)}</h1>{words}</div><div class=presses>"
        f"{'' if is_one else _COMPARE}"
        '<button type="button" class="primary" data-present><svg aria-hidden="true">'
        '<use href="#i-present"/></svg>Present</button></div></header>'
    )
    wall = f'<ul class="wall">\n{tiles}\n</ul>'
    body = (
        f"<main>\n{wall if is_one else head}\n{head if is_one else wall}\n"
        f"<footer><span>{_footer(view, place.zone)}</span><span>Made with Kling</span></footer>\n"
        f"</main>\n{_ROOM}<script>{_SCRIPT}</script>"
    )
    return _filled(title, body, "one" if is_one else "many", "".join(_meta(view, title, place, pictures)))


def message(words: str) -> str:
    """Return a page that has one sentence, and nothing to press."""
    body = f"<main>\n<div><h1>Nothing to see here</h1><p>{html.escape(words)}</p></div>\n</main>"
    return _filled("Nothing to see here", body, "nothing", "")


def _filled(title: str, body: str, kind: str, meta: str) -> str:
    values = {"title": html.escape(title), "body": body, "kind": kind, "meta": meta, "style": _STYLE}
    return _PAGE.format_map(values)


def _title_of(view: SharedView, *, is_one: bool) -> str:
    if not is_one:
        return f"{len(view.clips)} clips"
    words = " ".join(prompts_of(view.clips[0]).split()) if view.share.prompts else ""
    if len(words) > LONGEST_TITLE:
        words = f"{words[:LONGEST_TITLE].rpartition(' ')[0] or words[:LONGEST_TITLE]}…"
    return words or ("A film" if view.is_film else "A clip")


def _meta(view: SharedView, title: str, place: Place, pictures: frozenset[str]) -> Iterator[str]:
    """Yield what programs that draw a preview of a link read."""
    facts = {"og:type": "website", "og:title": title, "og:url": place.origin + place.path}
    if view.text:
        facts["og:description"] = " ".join(view.text.split())[:300]
    if view.cover.id in pictures:
        facts["og:image"] = f"{place.origin}{place.path}/{view.cover.id}.jpg"
    for name, text in facts.items():
        yield f'<meta property="{name}" content="{html.escape(text)}">\n'
    yield '<meta name="twitter:card" content="summary_large_image">\n'


def _tiles(view: SharedView, place: Place, pictures: frozenset[str]) -> Iterator[str]:
    for number, job in enumerate(view.clips, 1):
        yield _tile(
            job,
            place,
            file=job.id,
            name=f"Clip {number} of {len(view.clips)}",
            prompt=prompts_of(job).strip() if view.share.prompts else "",
            people=_people([job]) if view.share.people else "",
            day=_day(counted_at(job), place.zone) if view.share.people else "",
            seconds=job.probe.get("seconds"),
            sound=bool(job.probe.get("audio")),
            has_picture=job.id in pictures,
        )


def _film(view: SharedView, place: Place, pictures: frozenset[str], film: Film) -> str:
    """Return the one tile of a film, with the picture of its first part and the prompts of all."""
    first = view.clips[0]
    prompts = dict.fromkeys(prompts_of(job).strip() for job in view.clips) if view.share.prompts else ()
    return _tile(
        first,
        place,
        file=FILM,
        name="The film",
        prompt="\n\n".join(filter(None, prompts)),
        people=_people(view.clips) if view.share.people else "",
        day=_day(counted_at(view.clips[-1]), place.zone) if view.share.people else "",
        seconds=film.seconds,
        sound=any(job.probe.get("audio") for job in view.clips),
        has_picture=first.id in pictures,
    )


def _tile(
    job: Job,
    place: Place,
    *,
    file: str,
    name: str,
    prompt: str,
    people: str,
    day: str,
    seconds: object,
    sound: bool,
    has_picture: bool,
) -> str:
    """Return what stands for a video on the wall, in the shape of a job's clip; `file` is its name there."""
    (wide, high), length = _size(job), _length(seconds)
    words = " ".join(prompt.split())[:LONGEST_NAME]
    given = {
        "data-clip": file,
        "data-ratio": f"{wide / high:.4f}",
        "data-seconds": "" if seconds is None else str(seconds),
        "data-fps": str(job.probe.get("fps", "")),
        "data-said": prompt,
        "data-who": people,
        "data-when": day,
        "aria-label": ", ".join(filter(None, (words or name, length))),
    }
    attributes = "".join(f' {each}="{html.escape(text)}"' for each, text in given.items() if text)
    source = f' src="{html.escape(place.path)}/{file}.jpg"' if has_picture else ""
    return (
        f'<li><button type="button" class="tile"{attributes}{" data-sound" if sound else ""}>'
        f'<img alt="" width="{wide}" height="{high}" loading="lazy"{source}>'
        f'<span class="line"><span class="words" dir="auto">{html.escape(words)}</span>'
        f'<span class="time">{length}</span></span></button></li>'
    )


def _size(job: Job) -> tuple[int, int]:
    """Return the size of a clip in pixels, or one in the shape that was ordered."""
    wide, high = (job.probe.get(side) for side in ("width", "height"))
    if isinstance(wide, int) and isinstance(high, int) and 0 < wide < 20_000 and 0 < high < 20_000:
        return wide, high
    return {"9:16": (720, 1280), "1:1": (960, 960)}.get(job["aspect_ratio"], (1280, 720))


def _length(seconds: object) -> str:
    if not isinstance(seconds, int | float) or not 0 < seconds < 36_000:
        return ""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _people(jobs: Sequence[Job]) -> str:
    """Return who made some clips, a line for each."""
    return "\n".join(filter(None, dict.fromkeys(" ".join(job["person"].split()) for job in jobs)))


def _footer(view: SharedView, zone: tzinfo) -> str:
    """Return as HTML who has shared it, and how long it is open."""
    share = view.share
    until = _day(datetime.fromtimestamp(share.ends, UTC), zone)
    if not share.people or not share.person:
        return f"Open until {until}"
    made = _day(datetime.fromtimestamp(share.made, UTC), zone)
    return f"Shared by {bdi(share.person)} on {made}, open until {until}"


def _day(when: datetime, zone: tzinfo) -> str:
    there = when.astimezone(zone)
    return f"{there.day} {there:%b %Y}"
