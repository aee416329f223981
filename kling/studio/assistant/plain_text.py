"""What is left of a model's answer: printable text within a bound. Nothing in it means anything."""

from __future__ import annotations

import re

from kling.studio.printable import printable

LONGEST = 20_000  # characters of an answer that are kept at all
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" *\n *")
_FENCE = re.compile(r"\A```[\w-]*\n(.*?)\n?```\Z", re.DOTALL)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」"}
_THOUGHT, _END_OF_THOUGHT = "<think>", "</think>"


def tidy(text: str) -> str:
    """Return the text that was meant: without a fence or quotes around all of it, without loose blanks."""
    text = _LINES.sub("\n", _BLANKS.sub(" ", text)).strip()
    if found := _FENCE.match(text):
        text = found[1].strip()
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return re.sub(r"\n{3,}", "\n\n", text)


def cut(text: str, most: int) -> str:
    """Return the beginning of a text, at most so many characters, to the end of a word if one is near."""
    if len(text) <= most:
        return text
    head = text[:most]
    at = max(head.rfind(" "), head.rfind("\n")) if not text[most].isspace() else most
    return (head[:at] if at > most * 0.8 else head).rstrip()


class Spoken:
    """Puts an answer together as it comes, without what the model only thought (`<think>…</think>`)."""

    def __init__(self) -> None:
        self._all = ""
        self._from: int | None = None  # where the answer begins; None while that is not known
        self.is_full = False  # more has come than is kept

    def add(self, piece: str) -> str:
        """Take a piece, and return what of it belongs to the answer, as printable text."""
        room = LONGEST - len(self._all)
        piece = printable(piece)
        self.is_full = self.is_full or len(piece) > room
        before = len(self._all)
        self._all += piece[:room]
        if self._from is None:
            self._from = self._beginning()
            return "" if self._from is None else self._all[self._from :]
        return self._all[before:]

    @property
    def text(self) -> str:
        """The answer so far."""
        return "" if self._from is None else self._all[self._from :]

    def end(self) -> str:
        """Return what was held back when the answer is over: it only looked like a thought."""
        if self._from is None and not self._all.lstrip().startswith(_THOUGHT):
            self._from = 0
            return self._all
        return ""

    def _beginning(self) -> int | None:
        start = self._all.lstrip()
        if start.startswith(_THOUGHT):
            end = self._all.find(_END_OF_THOUGHT)
            return None if end < 0 else end + len(_END_OF_THOUGHT)
        return None if _THOUGHT.startswith(start) else 0
