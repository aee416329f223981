"""The HTML of a shared link, with its style and script in it. Every text of a person is escaped."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from pathlib import Path

from kling.studio.jobs import Job
from kling.studio.share_views import SharedView
from pages._ui.requests import prompts_of

FOLDER = Path(__file__).parent
# The colours, the player that keeps clips in step and the one that compares them are those of the studio.
STYLES = ("../style/tokens.css", "../style/deck.css", "share.css")
SCRIPTS = ("../viewer/sync.js", "several.js", "share.js")
DECK = "deck.js"  # what a browser loads where somebody compares
DIFFERS = "differs"  # and what it asks then: which words of the prompts differ
DECK_SCRIPTS = ("../compare/elements.js", "../compare/deck.js", "../compare/differ.js")
LONGEST_NAME = 200  # characters of a prompt in what readers hear
LONGEST_TITLE = 80  # of a prompt that stands for a title
NOTHING = "This link shows nothing. It has ended, or it is not whole."
SIGN_IN_FIRST = "This link is for people of the studio. Sign in first."
BROKEN = "The studio cannot look this link up now. Try again in a moment."


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _lean(text: str) -> str:
    """Return a script without its lines of comment and without indents."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _sheet(text: str) -> str:
    """Return a style sheet without its comments, in one line."""
    return " ".join(re.sub(r"/[*].*?[*]/", "", text, flags=re.DOTALL).split())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


_PAGE, _ROOM = map(_read, ("page.html", "room.html"))
_STYLE = "\n".join(_sheet(_read(name)) for name in STYLES)
DECK_SCRIPT = "\n".join(_lean(_read(name)) for name in DECK_SCRIPTS)
_SCRIPT = "\n".join(_lean(_read(name)) for name in SCRIPTS).replace("__DECK__", _hash(DECK_SCRIPT).strip("'"))
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


def page(view: SharedView, place: Place, pictures: frozenset[str]) -> str:
    """Return the page of what a link shows.

    Args:
        view: that.
        place: where it is.
        pictures: ids of the jobs that have a poster.
    """
    title = view.title or _title_of(view)
    tiles = "\n".join(_tiles(view, place, pictures))
    words = f"<p dir=auto>{html.escape(view.text)}</p>" if view.text else ""
    footer = html.escape(_footer(view, place.zone))
    head = (
        f"<header><div><h1 dir=auto>{html.escape(title)}</h1>{words}</div><div class=presses>"
        f"{_COMPARE if len(view.clips) > 1 else ''}"
        '<button type="button" class="primary" data-present><svg aria-hidden="true">'
        '<use href="#i-present"/></svg>Present</button></div></header>'
    )
    wall = f'<ul class="wall">\n{tiles}\n</ul>'
    is_one = len(view.clips) == 1  # the title of one clip stands below it
    body = (
        f"<main>\n{wall if is_one else head}\n{head if is_one else wall}\n"
        f"<footer><span>{footer}</span><span>Made with Kling</span></footer>\n"
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


def _title_of(view: SharedView) -> str:
    if len(view.clips) > 1:
        return f"{len(view.clips)} clips"
    words = " ".join(prompts_of(view.clips[0]).split()) if view.share.prompts else ""
    if len(words) > LONGEST_TITLE:
        words = f"{words[:LONGEST_TITLE].rpartition(' ')[0] or words[:LONGEST_TITLE]}…"
    return words or "A clip"


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
        prompt = prompts_of(job).strip() if view.share.prompts else ""
        facts = _facts(job, place.zone) if view.share.people else ""
        wide, high = _size(job)
        length = _length(job)
        name = " ".join(prompt.split())[:LONGEST_NAME] or f"Clip {number} of {len(view.clips)}"
        given = {
            "data-clip": job.id,
            "data-ratio": f"{wide / high:.4f}",
            "data-seconds": str(job.probe.get("seconds", "")),
            "data-fps": str(job.probe.get("fps", "")),
            "data-said": prompt,
            "data-facts": facts,
            "aria-label": f"{name}, {length}" if length else name,
        }
        attributes = "".join(f' {each}="{html.escape(text)}"' for each, text in given.items() if text)
        sound = " data-sound" if job.probe.get("audio") else ""
        source = f' src="{html.escape(place.path)}/{job.id}.jpg"' if job.id in pictures else ""
        shown = html.escape(" ".join(prompt.split())[:LONGEST_NAME])
        yield (
            f'<li><button type="button" class="tile"{attributes}{sound}>'
            f'<img alt="" width="{wide}" height="{high}" loading="lazy"{source}>'
            f'<span class="line"><span class="words" dir="auto">{shown}</span>'
            f'<span class="time">{length}</span></span></button></li>'
        )


def _size(job: Job) -> tuple[int, int]:
    """Return the size of a clip in pixels, or one in the shape that was ordered."""
    wide, high = (job.probe.get(side) for side in ("width", "height"))
    if isinstance(wide, int) and isinstance(high, int) and 0 < wide < 20_000 and 0 < high < 20_000:
        return wide, high
    return {"9:16": (720, 1280), "1:1": (960, 960)}.get(job["aspect_ratio"], (1280, 720))


def _length(job: Job) -> str:
    seconds = job.probe.get("seconds")
    if not isinstance(seconds, int | float) or not 0 < seconds < 36_000:
        return ""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _facts(job: Job, zone: tzinfo) -> str:
    return ", ".join(filter(None, (job["person"], _day(job.ordered_at, zone))))


def _footer(view: SharedView, zone: tzinfo) -> str:
    share = view.share
    until = _day(datetime.fromtimestamp(share.ends, UTC), zone)
    if not share.people or not share.person:
        return f"Open until {until}"
    made = _day(datetime.fromtimestamp(share.made, UTC), zone)
    return f"Shared by {share.person} on {made}, open until {until}"


def _day(when: datetime, zone: tzinfo) -> str:
    there = when.astimezone(zone)
    return f"{there.day} {there:%b %Y}"
