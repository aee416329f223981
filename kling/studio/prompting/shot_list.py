"""Reads a storyboard out of a text: Kling's own form, or the lists that people, programs and chats write.

Read are `shot 1, 3, words; shot 2, 4, words;`, `Shot 1 (3s): words`, `[00:00-00:03] words`, numbered lists,
tables and JSON, also in a code block. A shot that names no length gets a share of the video's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from kling.catalog import catalog
from kling.shots import Shot
from kling.studio.prompting import shot_table
from kling.studio.prompting.draft import LONGEST_SHOT
from kling.studio.prompting.pasted import PastedError, any_json, blocks, objects, tidy
from kling.studio.prompting.shot_headings import BY_NUMBER, BY_WORD, IN_ONE_LINE, OFFICIAL, number_of
from kling.studio.prompting.shot_table import Entry
from kling.studio.prompting.shot_times import (
    BARE_LENGTH,
    BARE_RANGE,
    CLOCK_IN_BRACKETS,
    IN_BRACKETS,
    LENGTH_AND_MORE,
    MORE_AND_LENGTH,
    OWN_LINE,
    clock,
    read_length,
    seconds_of,
)

LONGEST = 20_000  # characters; six shots have at most about 3,000
MOST_PIECES = 100

_LINE = re.compile(r"(?:(?<=\n)|\A)[ \t>*_•-]{0,8}(?=\S)")
_SEPARATORS = re.compile(r"(?:[\s,，、:：|*_)\]】）]|[-–—/](?=\s)|\.(?=\s)){0,60}")
_AFTER_LENGTH = re.compile(r"[ \t]*(?:[,，、:：|/)\]】）*_\n–—]|-(?=\s)|\Z)|(?<=\ds)[ \t]")
_LABEL = re.compile(
    r"[*_ ]{0,4}(?:prompt|visuals?|description|action|提示词|画面|描述|内容)[*_ ]{0,4}[:：][*_ ]{0,4}",
    re.IGNORECASE,
)
_LAST_LENGTH = re.compile(r"[,，、|–—-]\s*(?P<spec>\d{1,2}\s?(?:s|sec|seconds|秒))\s*\.?\s*\Z", re.IGNORECASE)
_NOTHING = re.compile(
    r"^[ \t]*(?:[-*_=]{3,}|[*_ \t]*total\b[^\n]{0,60})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_HEADING = re.compile(r"\s*(?:#{1,6}\s.*|.*[:：][*_\s]*|[-*_=]{3,}|\*\*.*\*\*)\s*")
_DECADE = re.compile(r"[2-9]0s", re.IGNORECASE)


class ShotListError(ValueError):
    """The text is no storyboard; the message says where it ends to be one, and what helps."""


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a shot begins in a text: at `at` its heading, at `end` what follows that."""

    at: int
    end: int
    number: int | None = None


def read(text: str, duration: str = "5") -> tuple[Shot, ...]:
    """Return the shots of a text.

    Args:
        text: as it was pasted.
        duration: seconds of the video, which shots without a length share.

    Raises:
        ShotListError: there is no storyboard in it, its numbers are out of order, or it has too many shots.
    """
    text = tidy(text)
    if len(text) > LONGEST:
        raise ShotListError(f"This has {len(text):,} characters, and a storyboard fewer than {LONGEST:,}.")
    if not OFFICIAL.match(text) and (code := [each for each in blocks(text) if each]):
        text = code[0]
    return _shots(_read(text), duration)


def _read(text: str) -> list[Entry]:
    if OFFICIAL.match(text):
        return _by_word(text)
    if re.match(r"\{|\[\s*[\[\]{\"'“]", text):
        return _from_json(text)
    if not BY_WORD.match(text) and (table := shot_table.from_table(text)):
        return table
    for way in (_by_word, _by_number, _by_time):
        if found := way(text):
            return found
    for value in objects(text):
        if found := shot_table.from_json(value):
            return found
    if not text:
        return []
    raise _no_shot(1, text)


def _from_json(text: str) -> list[Entry]:
    try:
        found = shot_table.from_json(any_json(text))
    except PastedError as error:
        raise ShotListError(str(error)) from None
    if not found:
        raise ShotListError("This JSON holds no shots. Each has a prompt and a duration in seconds.")
    return found


def _by_word(text: str) -> list[Entry]:
    """Read shots whose headings begin with a word: `shot 1`, `Scene 1`, `镜头1`."""
    headings = list(islice(BY_WORD.finditer(text), MOST_PIECES))
    if len(headings) == 1 and not OFFICIAL.match(text):
        for heading in IN_ONE_LINE.finditer(text, headings[0].end()):
            if number_of(heading) == len(headings) + 1:
                headings.append(heading)
    starts = [_Start(each.start(), each.end(), number_of(each)) for each in headings]
    ends_with_semicolon = text.endswith(";") or any(text[: each.at].endswith(";") for each in starts)
    found = []
    for position, (start, piece) in enumerate(_pieces(text, starts), 1):
        if official := OFFICIAL.match(piece):
            length = int(official["length"] or official["other"])
            entry = Entry(int(official["number"]), length, piece[official.end() :].strip())
        else:
            entry = _entry(piece, start)
        if ends_with_semicolon:
            words, *others = [part for part in entry.words.split(";") if part.strip()] or [""]
            if others:
                raise _no_shot(position + 1, others[0])
            entry = Entry(entry.number, entry.length, words.strip())
        elif entry.words.endswith("；"):
            entry = Entry(entry.number, entry.length, entry.words[:-1].rstrip())
        found.append(entry)
    return found


def _by_time(text: str) -> list[Entry]:
    """Read lines that begin with a time: `[00:00-00:03] words`, `0-3s: words`, `3s: words`."""
    starts = [
        _Start(found.start(), found.end())
        for found in _LINE.finditer(text)
        if _length_at(text, found.end())[0] is not None
    ][:MOST_PIECES]
    if starts:
        return [_entry(piece, start) for start, piece in _pieces(text, starts)]
    moments = [
        (found, clock(bracket["clock"]))
        for found in _LINE.finditer(text)
        if (bracket := CLOCK_IN_BRACKETS.match(text, found.end()))
    ][:MOST_PIECES]
    times = [moment for _, moment in moments]
    if len(times) < 2 or times[0] or times != sorted(set(times)):
        return []
    places = [_Start(found.start(), found.end()) for found, _ in moments]
    lengths = [seconds_of(*pair) for pair in pairwise(times)]
    return [
        Entry(None, length, _plain(CLOCK_IN_BRACKETS.sub("", piece, count=1)))
        for (_, piece), length in zip(_pieces(text, places), [*lengths, None], strict=True)
    ]


def _by_number(text: str) -> list[Entry]:
    """Read a numbered list, `1. words`, which has at least two entries, one after the other."""
    starts: list[_Start] = []
    for found in BY_NUMBER.finditer(text):
        if int(found["number"]) == len(starts) + 1:
            starts.append(_Start(found.start(), found.end(), int(found["number"])))
    return [_entry(piece, start) for start, piece in _pieces(text, starts)] if len(starts) > 1 else []


def _pieces(text: str, starts: Sequence[_Start]) -> list[tuple[_Start, str]]:
    """Return each shot with its text from its heading on.

    Raises:
        ShotListError: there are words in front of the first shot, which would be lost.
    """
    if not starts:
        return []
    before = [line for line in text[: starts[0].at].split("\n") if line.strip()]
    if lost := [line for line in before if not _HEADING.fullmatch(line) and not OWN_LINE.match(line)]:
        raise ShotListError(
            f"Before the first shot stands {lost[0].strip()[:40]!r}: take it out, or write it into a shot."
        )
    ends = [*(each.at for each in starts[1:]), len(text)]
    return [(start, text[start.at : end]) for start, end in zip(starts, ends, strict=True)]


def _entry(piece: str, start: _Start) -> Entry:
    """Read a shot whose heading is over; its length may stand next, at the end, or in a line of its own."""
    words = _NOTHING.sub("", piece[start.end - start.at :])
    words = LENGTH_AND_MORE.sub(
        r"(\g<spec>) (\g<more>)", MORE_AND_LENGTH.sub(r"(\g<spec>) (\g<more>)", words)
    )
    length, end = _length_at(words, 0)
    if length is not None:
        return Entry(start.number, length, _plain(words[end:]))
    for found in (OWN_LINE.search(words), *_brackets(words), _LAST_LENGTH.search(words)):
        if found is None:
            continue
        spec = found.groupdict().get("spec") or found.groupdict().get("inside") or ""
        if (length := read_length(spec)) is not None and not _DECADE.fullmatch(spec):
            words = f"{words[: found.start()]} {words[found.end() :]}"
            break
    return Entry(start.number, length, _plain(words))


def _brackets(words: str) -> list[re.Match[str]]:
    """Return the lengths in brackets that end a line or a heading; in a sentence they belong to the words."""
    return [
        found
        for found in IN_BRACKETS.finditer(words)
        if re.search(r"[^\d\s(（\[【]", found["inside"])  # a number alone may count anything
        and re.match(r"[ \t*_.]{0,6}(?:[:：;；]|\n|\Z)", words[found.end() : found.end() + 8])
    ]


def _length_at(text: str, at: int) -> tuple[int | None, int]:
    """Return the length that begins at a place of a text, and the place behind it; None if there is none."""
    begin = _SEPARATORS.match(text, at)
    at = begin.end() if begin else at
    # A bracket that opens may have been taken for Markdown in front of a heading.
    if found := IN_BRACKETS.match(text, at):
        return read_length(found["inside"]), found.end()
    if (found := BARE_RANGE.match(text, at)) and (length := read_length(found[0])) is not None:
        return length, found.end()
    found = BARE_LENGTH.match(text, at)
    if found and not _DECADE.match(found[0]) and _AFTER_LENGTH.match(text, found.end()):
        return read_length(found[0]), found.end()
    return None, at


def _plain(words: str) -> str:
    """Return the words of a shot in one line, without what led to them and without Markdown."""
    begin = _SEPARATORS.match(words)
    words = words[begin.end() if begin else 0 :]
    words = _LABEL.sub("", words, count=1) if _LABEL.match(words) else words
    words = " ".join(words.replace("**", "").split())
    pairs = {'"': '"', "“": "”", "「": "」"}
    if len(words) > 1 and pairs.get(words[0]) == words[-1] and words.count(words[-1]) <= 2:
        words = words[1:-1].strip()
    return words


def _shots(entries: Sequence[Entry], duration: str) -> tuple[Shot, ...]:
    for position, entry in enumerate(entries, 1):
        if entry.number not in {None, position}:
            raise ShotListError(
                f"Shot {position} is numbered {entry.number}. Number the shots 1, 2, 3 and so on."
            )
        if entry.length == 0:
            raise ShotListError(f"Shot {position} lasts at least 1 second.")
        if entry.length is not None and entry.length > LONGEST_SHOT:
            raise ShotListError(
                f"Shot {position} lasts {entry.length} s, and no video is longer than {LONGEST_SHOT} s."
            )
    limit = catalog().shot_limit
    if not 1 <= len(entries) <= limit:
        raise ShotListError(f"A storyboard has 1 to {limit} shots, not {len(entries)}.")
    share = _shares([entry.length for entry in entries], int(duration) if duration.isdecimal() else 5)
    return tuple(Shot(prompt=entry.words, duration=str(share(entry.length))) for entry in entries)


def _shares(lengths: Sequence[int | None], duration: int) -> Callable[[int | None], int]:
    """Return what gives each shot its length: its own, or a share of what is left, longer ones first."""
    missing = lengths.count(None)
    left = max(duration - sum(filter(None, lengths)), missing)
    whole, more = divmod(left, missing) if missing else (0, 0)
    given = iter([whole + (place < more) for place in range(missing)])
    return lambda length: next(given) if length is None else length


def _no_shot(position: int, text: str) -> ShotListError:
    return ShotListError(
        f"Part {position} is {text.strip()[:40]!r}. Write each shot as: shot {position}, 3, what it shows;"
    )
