"""Finds syntax of other tools in a text: weights, wildcards, flags and placeholders, which Kling has none of.

Kling takes a prompt as plain words. So `(fox:1.3)` or `--ar 16:9` is shown to it as it stands, and money is
spent on a text that its author did not mean. A note says what stands there, and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 6_000  # characters that are searched; a prompt that Kling takes is far shorter
MOST_NOTES = 6
SHOWN = 40  # characters of what was found

# Flags of Midjourney and of programs that copy it, by what to use here in their place.
_SHAPE = "choose the shape in the form"
_AVOID = "write it as negative prompt"
_LENGTH = "choose the length in the form"
_NOTHING = "take it out"
_FLAGS = {
    **dict.fromkeys(("ar", "aspect"), _SHAPE),
    **dict.fromkeys(("no", "neg", "negative"), _AVOID),
    **dict.fromkeys(("duration", "dur", "length"), _LENGTH),
    **dict.fromkeys(
        (
            *("v", "version", "q", "quality", "s", "stylize", "style", "c", "chaos", "seed", "iw", "niji"),
            *("stop", "tile", "weird", "raw", "video", "motion", "loop", "hd", "cref", "sref", "oref", "cw"),
            *("sw", "ow", "p", "profile", "repeat", "r", "fast", "relax", "turbo", "draft", "exp", "fps"),
            *("camera", "cfg", "steps", "gs", "end", "bs", "resolution", "sound", "w", "h"),
        ),
        _NOTHING,
    ),
}
_WORDS_OF_FLAGS = "|".join(sorted(_FLAGS, key=len, reverse=True))
_SHORT_FLAGS = "ar|gs|neg|motion|camera|seed|fps"  # that Pika writes with one dash, and a value
_FLAGS_WITH_NUMBER = "ar|aspect|v|s|seed|stylize|chaos|niji|sref|cref|iw|cfg"

_PATTERNS = (
    # {2::man|girl}: an alternative that comes twice as often
    (r"\{[^{}|]{0,80}?(?<![^{|\s])\s*-?\d+(?:\.\d+)?::|\|\s*-?\d+(?:\.\d+)?::(?=[^{}]{0,400}\})", "weight"),
    # {2$$a|b}, {1-2$$ and $$a|b}: so many of them at once
    (r"\{\s*(?:\d{1,3}(?:-\d{0,3})?|-\d{1,3})?\$\$", "several"),
    # {{name}}, ${name}, [PRODUCT NAME], <product>: to be filled in by another program, or by hand
    (r"\{\{[^{}]{1,80}\}\}|\$\{[^{}]{1,80}\}|%\([A-Za-z_]\w{0,40}\)s", "placeholder"),
    (r"(?<!\])\[(?=[^\]\[]{0,60}[A-Z])[A-Z0-9][A-Z0-9 _/'-]{1,60}\](?!\()", "placeholder"),
    (r"<(?!<)(?!(?:lora|lyco|hypernet|embedding)\b)[A-Za-z][\w -]{1,40}>(?!>)", "placeholder"),
    # __animals__: a line of a file
    (r"(?<![\w_])__[A-Za-z0-9](?:[A-Za-z0-9 /*.\-]|_(?!_)){0,79}__(?![\w_])", "wildcard"),
    # <lora:name:0.8>: a file of weights
    (r"<(?:lora|lyco|hypernet|embedding):[^<>]{0,80}>", "file"),
    # <<<image_1>>>: a picture that is sent along
    (r"<<<\w{1,40}>>>", "reference"),
    # [a|b], [from:to:0.5], [word:0.5]: changes during the drawing of a picture
    (r"\[[^\[\]|]{0,80}(?:\|[^\[\]|]{0,80}){1,9}\]", "alternate"),
    (r"\[[^\[\]:]{0,80}:(?:[^\[\]:]{0,80}:)?\s*\d{0,3}\.?\d+\s*\]", "alternate"),
    # (word:1.3), ((word)), [[word]]: more or less of it
    (r"\([^()]{0,200}[^()\s\d]\s?:\s?-?(?:\d?\.\d{1,3}|\d)\s*\)", "attention"),
    (r"\({2,8}[^()]{1,200}\){2,8}|\[{2,8}[^\[\]]{1,200}\]{2,8}", "attention"),
    # fox:: owl::2
    (r"(?<=[^\s:{|\d])::\s?-?\d+(?:\.\d+)?(?![\d:])|(?<=\w)::(?=\s|$)", "parts"),
    # --ar 16:9, also with the dash that phones make of two, and -ar 16:9
    (rf"(?<!\S)--(?P<flag>{_WORDS_OF_FLAGS})\b(?!-)(?:[ =]\S{{1,30}})?", "flag"),
    (rf"(?<!\S)[—–](?P<dashed>{_FLAGS_WITH_NUMBER}) \d\S{{0,30}}", "flag"),
    (rf"(?<!\S)-(?P<short>{_SHORT_FLAGS}) \S{{1,30}}", "flag"),
    (r"^\s*/(?:imagine|animate|create|video)\b(?:\s+prompt:)?", "command"),
)
_MEANING = {
    "weight": "a weight of an alternative: write {man|girl}",
    "several": "a choice of several at once: write {a|b}, or {a and b|b and c}",
    "placeholder": "a gap to fill in: write what belongs there, or {name} with its values in Variations",
    "wildcard": "a line of a file: write the words, or {one|another} in Variations",
    "file": "a file of Stable Diffusion: take it out",
    "reference": "a reference to a picture, and this form sends none: describe in words what it shows",
    "alternate": "a change of words in Stable Diffusion: write one of them, or {a|b} in Variations",
    "attention": "a weight of Stable Diffusion: take brackets and number off",
    "parts": "a weight of Midjourney: write plain sentences",
    "command": "a command of a chat: take it out",
}


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    start: int
    end: int
    text: str
    remedy: str = ""


def foreign_syntax(text: str) -> tuple[str, ...]:
    """Return a note for each kind of foreign syntax in a text, in the order in which they stand there.

    Args:
        text: of a prompt, as it was typed or pasted.

    Returns:
        Plain sentences, at most `MOST_NOTES`. Each quotes a part of the text, so it has to be escaped.
    """
    notes: dict[str, str] = {}
    for found in sorted(_found(text[:LONGEST]), key=lambda each: each.start):
        shown = found.text if len(found.text) <= SHOWN else found.text[: SHOWN - 1] + "…"
        meaning = _MEANING.get(found.kind, f"a flag of another tool: {found.remedy}")
        notes.setdefault(found.remedy or found.kind, f"“{shown}” is {meaning}.")
    return tuple(notes.values())[:MOST_NOTES]


def _found(text: str) -> Iterator[_Found]:
    taken: list[tuple[int, int]] = []
    for pattern, kind in _COMPILED:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue  # an earlier pattern has named it already
            flag = next(filter(None, match.groupdict().values()), "").lower()
            yield _Found(kind, start, end, " ".join(match[0].split()), _FLAGS.get(flag, ""))
            taken.append((start, end))
            if kind != "flag":
                break  # one of a kind is enough to say so


_COMPILED = tuple(
    (re.compile(pattern, re.IGNORECASE if kind in {"flag", "file", "command"} else 0), kind)
    for pattern, kind in _PATTERNS
)
