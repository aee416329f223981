"""A prompt in the parts that Kling recommends: subject, movement, scene, camera, lighting, atmosphere.

A part is one or more sentences; the prompt is the parts in this order. `split_prompt` finds the part of a
sentence by words that are typical of it (`prompt_guide.toml`). A sentence without such words belongs to the
part of the sentence before it, and the first sentence is the subject. Where splitting would not give the same
parts again, `join_prompt` writes each part in a line with its name, such as `Camera: …`. No word is lost.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """The parts of a prompt, each a text that may be empty."""

    subject: str = ""
    movement: str = ""
    scene: str = ""
    camera: str = ""
    lighting: str = ""
    atmosphere: str = ""


PARTS = tuple(Guide.__slots__)
_LABEL = re.compile(rf"^[ \t]*({'|'.join(PARTS)})[ \t]*:[ \t]*", re.IGNORECASE | re.MULTILINE)
# Up to the end of a sentence with its quotes and blanks, to the end of a line, or to the end of the text. A
# row of marks is matched only from its first mark: from each of them it would cost the square of its length.
_SENTENCE = re.compile(r".+?(?:(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)\s*|[。！？]+\s*|\n\s*|\Z)", re.DOTALL)
_ENDS = tuple(".!?…。！？")
_SHORT = 6  # words at most of a last sentence that counts as the atmosphere if no typical word is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The texts of the guided mode for a part, and how its sentences are recognised.

    Args:
        name: of the field of `Guide`.
        title: for people.
        hint: what to write there.
        suggestions: texts to start from.
        words: words by which a sentence of it is recognised.
        starts: beginnings by which a sentence of it is recognised.
    """

    name: str
    title: str
    hint: str
    suggestions: tuple[str, ...]
    words: tuple[str, ...]
    starts: tuple[str, ...]


@cache
def parts() -> tuple[Part, ...]:
    """Return the parts in their order."""
    data = tomllib.loads(Path(__file__).with_name("prompt_guide.toml").read_text(encoding="utf-8"))
    return tuple(
        Part(
            name=name,
            title=data[name]["title"],
            hint=data[name]["hint"],
            suggestions=tuple(data[name]["suggestions"]),
            words=tuple(data[name]["words"]),
            starts=tuple(data[name]["starts"]),
        )
        for name in PARTS
    )


def tidy(guide: Guide) -> Guide:
    """Return the parts without blanks around them and without a last full stop, which `join_prompt` sets."""
    return Guide(**{name: _open_ended(text) for name, text in asdict(guide).items()})


def join_prompt(guide: Guide) -> str:
    """Return the prompt that the parts make: `split_prompt(join_prompt(guide)) == tidy(guide)`.

    The only exception is a part with a line that itself starts with a part's name and a colon.
    """
    guide = tidy(guide)
    filled = [(name, text) for name, text in asdict(guide).items() if text]
    prose = " ".join(_sentence(text) for _, text in filled)
    if split_prompt(prose) == guide:
        return prose
    return "\n".join(f"{name.capitalize()}: {_sentence(text)}" for name, text in filled)


def split_prompt(prompt: str) -> Guide:
    """Return the parts of any prompt; every word of it is in one of them."""
    found: dict[str, str] = dict.fromkeys(PARTS, "")
    labels = list(_LABEL.finditer(prompt))
    if labels:
        found["subject"] = prompt[: labels[0].start()]
        ends = [*(label.start() for label in labels[1:]), len(prompt)]
        for label, end in zip(labels, ends, strict=True):
            name = label[1].lower()
            found[name] = _joined(found[name], prompt[label.end() : end])
    else:
        part = ""
        by_part: dict[str, list[str]] = {name: [] for name in PARTS}
        sentences = [match[0] for match in _SENTENCE.finditer(prompt)]
        for number, sentence in enumerate(sentences, 1):
            part = _part(sentence, part, last=number == len(sentences))
            by_part[part].append(sentence)
        found = {name: "".join(texts) for name, texts in by_part.items()}
    return tidy(Guide(**found))


def _open_ended(text: str) -> str:
    """Return a text without blanks around it and full stops at its end; `..` and more of them stay."""
    end = len(text)
    while end and (text[end - 1].isspace() or (text[end - 1] == "." and text[end - 2 : end - 1] != ".")):
        end -= 1
    return text[:end].lstrip()


def _sentence(text: str) -> str:
    return text if text.endswith(_ENDS) or text[-1:] in "\"”’'" else f"{text}."


def _joined(one: str, other: str) -> str:
    return f"{one.rstrip()} {other}" if one.strip() else other


def _part(sentence: str, before: str, *, last: bool) -> str:
    """Return the part that a sentence belongs to, `before` being that of the one before it."""
    text = " ".join(sentence.lower().split())
    if not before:
        return "camera" if text.startswith(("the camera ", "camera ")) else "subject"
    scores = {
        part.name: 2 * text.startswith(part.starts) + len(set(_pattern(part.name).findall(text)))
        for part in parts()
    }
    best = max(("camera", "lighting", "scene", "movement", "atmosphere"), key=lambda name: scores[name])
    if scores[best]:
        return best
    # Words cannot be counted in a script without blanks, so such a sentence never counts as short.
    short = (" " in text or text.isascii()) and len(text.split()) <= _SHORT
    return "atmosphere" if last and short else before


@cache
def _pattern(name: str) -> re.Pattern[str]:
    (part,) = (part for part in parts() if part.name == name)
    words = "|".join(map(re.escape, part.words))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else re.compile(r"(?!)")
