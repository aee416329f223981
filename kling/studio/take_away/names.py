"""Readable names of files: `2026-11-26_white-running-shoe_9x16_take2.mp4`.

Letters, digits and the marks that belong to letters are all that is kept of a prompt, in any script of
writing. So every system can store the name, and it shows what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from datetime import tzinfo

from kling.studio.jobs import Job
from kling.studio.library.facts import texts_of
from kling.studio.spending import counted_at

LONGEST_WORDS = 40  # characters of the prompt
MOST_BYTES = 120  # of them in UTF-8; a system takes 255 of the whole name
MOST_MARKS = 3  # on one letter
_ARTICLES = frozenset({"a", "an", "the"})
# Letters and marks without a picture.
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)


def file_stem(job: Job, zone: tzinfo) -> str:
    """Return the name of a job's files, without an ending.

    Args:
        job: of any state.
        zone: whose day of the order counts.
    """
    day = counted_at(job).astimezone(zone).strftime("%Y-%m-%d")
    prompt = next((text for name, text in texts_of(job) if name.startswith(("prompt", "shot"))), "")
    shape = _shape(job)
    take = f"take{job.take}" if job.take > 1 else ""
    return "_".join(filter(None, (day, words_of(prompt) or "clip", shape, take)))


def words_of(text: str) -> str:
    """Return the first words of a text as a part of a name; empty if it has none that can be."""
    words = list(_words(text[:1000]))
    if len(words) > 1 and words[0] in _ARTICLES:
        del words[0]
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word
        if len(longer) > LONGEST_WORDS or len(longer.encode()) > MOST_BYTES:
            return name or _cut(word)
        name = longer
    return name


def unlike(stem: str, taken: Collection[str]) -> str:
    """Return a name that is none of those that are taken, in any case and form of its letters.

    Args:
        stem: the name, where it is free.
        taken: as `name_key` gives them.
    """
    number, found = 1, stem
    while name_key(found) in taken:
        number += 1
        found = f"{stem}_{number}"
    return found


def name_key(name: str) -> str:
    """Return what two names have in common that a system may take for one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _words(text: str) -> Iterator[str]:
    word, marks = "", 0
    for char in unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()):
        kind = unicodedata.category(char)
        if char in _UNSEEN or kind == "Cf":  # joins letters, or is not seen at all
            continue
        if kind[0] in "LN":
            word, marks = word + char, 0
        elif kind[0] == "M" and word:
            marks += 1
            word += char if marks <= MOST_MARKS else ""
        elif word:
            yield word
            word = ""
    if word:
        yield word


def _cut(word: str) -> str:
    """Return the beginning of a word that is too long, as in scripts that have no blanks."""
    cut = word[:LONGEST_WORDS].encode()[:MOST_BYTES].decode(errors="ignore")
    rest = word[len(cut) : len(cut) + 1]
    while cut and rest and unicodedata.category(rest)[0] == "M":  # no letter loses its marks
        cut, rest = cut[:-1], cut[-1]
    return cut


def _shape(job: Job) -> str:
    shape = job["aspect_ratio"]
    wide, colon, high = shape.partition(":")
    is_shape = colon and wide.isascii() and high.isascii() and wide.isdigit() and high.isdigit()
    return f"{wide}x{high}" if is_shape and len(shape) <= 7 else ""
