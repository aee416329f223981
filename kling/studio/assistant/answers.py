"""A model's answer as what a person can take: a text, alternatives, or a storyboard; or why it is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kling.shots import Shot
from kling.studio.assistant import questions
from kling.studio.assistant.plain_text import cut, tidy
from kling.studio.assistant.questions import Instruction, Question, limit_of, model_for_shots
from kling.studio.prompting import storyboard
from kling.studio.prompting.storyboard import StoryboardError
from kling.studio.prompting.template_language import escape

MOST_QUOTED = 300  # characters of a refusal that are shown
_VERBS = "help|assist|do|comply|rewrite|create|provide|fulfil|write|generate"
_REFUSES = re.compile(
    r"\s*(?:CANNOT\b:?|(?:I['’]?m|I am) (?:very |so |really )?sorry|sorry,|as an AI\b"
    r"|(?:unfortunately,? )?I (?:can['’]?t|cannot|won['’]?t|(?:am|['’]m) (?:unable|not able)) (?:to )?"
    rf"(?:{_VERBS}))",
    re.IGNORECASE,
)
_BRACES = str.maketrans("{}", "()")
_CANNOT = re.compile(r"\A\s*CANNOT\b:?\s*")  # as the model was told to begin a refusal
_BOLD = re.compile(r"\*\*([^*\s](?:[^*]*[^*\s])?)\*\*")
_PARAGRAPHS = re.compile(r"\n{2,}")
_RULE = re.compile(r"[-*_=]{3,}")
_NUMBER = re.compile(
    r"\A(?:[-*•#]+\s+)?(?:(?:alternative|option|variation|version)\s+)?[(\[]?(?:\d{1,2}|[a-e](?=\)))"
    r"(?:\s*[.):\]、．：）]+(?!\d)|\s+[-–—](?=\s)|\Z)\s*",
    re.IGNORECASE,
)
_HEADING = re.compile(r"\A#{1,6}\s.*")  # of an item; it is no part of it
_BULLET = re.compile(r"\A[-*•]\s+")


class NoAnswer(Exception):
    """The answer is nothing that can be taken; the text says why.

    Args:
        why: in words.
        words: the model's own, where they say something; empty otherwise.
    """

    def __init__(self, why: str, words: str = "") -> None:
        super().__init__(why)
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What can be taken into the form.

    Args:
        text: to put into the prompt: the new text, alternatives as `{a|b|c}`, shots as one text.
        alternatives: each by itself.
        shots: of a storyboard.
        model: that a storyboard needs; empty if the one that was asked for takes shots.
        notes: what else has to be said, a sentence each.
    """

    text: str
    alternatives: tuple[str, ...] = ()
    shots: tuple[Shot, ...] = ()
    model: str = ""
    notes: tuple[str, ...] = ()


def result_of(question: Question, answer: str, *, refusal: str = "", is_cut: bool = False) -> Result:
    """Return what an answer gives.

    Args:
        question: that it answers.
        answer: printable text.
        refusal: the model's own words on why it refuses, if the server told that apart.
        is_cut: it stopped before its end.

    Raises:
        NoAnswer: it is empty, refuses, or is not what was asked for.
    """
    text = tidy(answer)
    if refusal.strip() and not text:
        raise NoAnswer("The model does not want to do this.", _quoted(refusal))
    if not text:
        raise NoAnswer("The model answered nothing. Try again.")
    if _REFUSES.match(text) and len(text) < 2 * MOST_QUOTED and not _REFUSES.match(question.text):
        raise NoAnswer("The model does not want to do this.", _quoted(_CANNOT.sub("", text)))
    notes = ("The model stopped before its end, so the end may be missing.",) if is_cut else ()
    if question.gives_shots:
        found = _storyboard(question, text)
    elif question.instruction is Instruction.VARY:
        found = _variations(question, text)
    else:
        found = _one_text(question, text)
    return replace(found, notes=(*notes, *found.notes))


def _one_text(question: Question, text: str) -> Result:
    limit, text = limit_of(question), _plain_braces(question, text)
    if len(text) <= limit:
        return Result(text=text)
    return Result(text=cut(text, limit), notes=(_too_long(len(text), limit),))


def _plain_braces(question: Question, text: str) -> str:
    """Return the text without braces where the prompt had none: `{a|b}` would order several videos."""
    return text if "{" in question.text else text.translate(_BRACES)


def _variations(question: Question, text: str) -> Result:
    found = list(dict.fromkeys(filter(None, _items(text))))[: questions.ALTERNATIVES]
    if len(found) < 2:
        raise NoAnswer("The model gave no variations. Try again.", _quoted(text))
    limit = limit_of(question)
    notes = tuple(
        f"Variation {number}: {_too_long(len(each), limit)}"
        for number, each in enumerate(found, 1)
        if len(each) > limit
    )
    kept = tuple(cut(each, limit) for each in found)
    return Result(text=as_alternatives(kept), alternatives=kept, notes=notes)


def _items(text: str) -> list[str]:
    """Return the items of a list, however it is marked; without marks its paragraphs, or its lines."""
    lines = [_BOLD.sub(r"\1", line).strip() for line in text.split("\n")]
    lines = ["" if _RULE.fullmatch(line) else line for line in lines]
    for mark in (_NUMBER, _BULLET, _HEADING):
        starts = [index for index, line in enumerate(lines) if mark.match(line)]
        if len(starts) > 1:
            break
    else:
        paragraphs = _PARAGRAPHS.split("\n".join(lines).strip())
        if paragraphs[0].endswith((":", "：")) and "\n" not in paragraphs[0]:  # an introduction
            del paragraphs[0]
        is_apart = 2 <= len(paragraphs) <= questions.ALTERNATIVES + 1
        plain = [tidy(_NUMBER.sub("", part)) for part in (paragraphs if is_apart else lines) if part]
        has_introduction = len(plain) > questions.ALTERNATIVES and plain[0].endswith((":", "："))
        return plain[has_introduction:]
    ends = [*starts[1:], len(lines)]
    items = [
        "\n".join(tidy(mark.sub("", line)) for line in lines[start:end]).strip()
        for start, end in zip(starts, ends, strict=True)
    ]
    # What the model says after its list is no part of the last item.
    most = max(len(_PARAGRAPHS.split(item)) for item in items[:-1])
    return ["\n".join(_PARAGRAPHS.split(item)[:most]) for item in items]


def as_alternatives(texts: Sequence[str]) -> str:
    """Return the prompt that stands for each of these texts: `{a|b|c}`."""
    return "{" + "|".join(map(escape, texts)) + "}"


def _storyboard(question: Question, text: str) -> Result:
    try:
        shots = storyboard.from_text(text)
    except StoryboardError as error:
        raise NoAnswer(f"The answer is no storyboard. {error} Try again.", _quoted(text)) from None
    if not all(shot.prompt for shot in shots):
        raise NoAnswer("The answer is a storyboard with a shot that has no words. Try again.", _quoted(text))
    limit = limit_of(question)
    notes = [
        f"Shot {number}: {_too_long(len(shot.prompt), limit)}"
        for number, shot in enumerate(shots, 1)
        if len(shot.prompt) > limit
    ]
    shots = tuple(replace(shot, prompt=cut(_plain_braces(question, shot.prompt), limit)) for shot in shots)
    shots, note = _timed(question, shots)
    model = model_for_shots(question.model)
    switched = model is not None and model is not question.model
    if model is not None and switched:
        notes.append(f"It needs {model.title}, which makes several shots.")
    return Result(
        text=storyboard.to_text(shots),
        shots=shots,
        model=model.name if model and switched else "",
        notes=(*notes, *note),
    )


def _timed(question: Question, shots: tuple[Shot, ...]) -> tuple[tuple[Shot, ...], tuple[str, ...]]:
    """Return the shots with seconds that the model takes, and what was changed."""
    if question.shots:
        if len(shots) != len(question.shots):
            raise NoAnswer(
                f"The answer has {len(shots)} shots, and the storyboard {len(question.shots)}. Try again."
            )
        pairs = zip(shots, question.shots, strict=True)
        return tuple(replace(shot, duration=old.duration) for shot, old in pairs), ()
    model = model_for_shots(question.model)
    total = storyboard.total(shots)
    allowed = [int(each) for each in model.durations if int(each) >= len(shots)] if model else [total]
    if total in allowed or not allowed:
        return shots, ()
    nearest = min(allowed, key=lambda each: abs(each - total))
    fitted = storyboard.fill(shots, str(nearest))
    return fitted, (f"The shots were {total} s long together; they are fitted into {nearest} s.",)


def _too_long(length: int, limit: int) -> str:
    return f"The answer had {length:,} characters, and Kling takes {limit:,}: its end was cut off."


def _quoted(words: str) -> str:
    short = " ".join(words.split())
    return short if len(short) <= MOST_QUOTED else f"{short[: MOST_QUOTED - 1]}…"
