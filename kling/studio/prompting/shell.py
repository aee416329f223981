"""The words of one bash command, as far as a pasted cURL command needs them: quotes and here-documents.

Nothing is expanded or run. What stands after the end of the command is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# `\` before a blank continues a line too: that is what pages that are copied make of a line's end. So do `^`
# and a backtick at its end, as Windows' two shells write it.
_BLANK = re.compile(r"(?:[^\S\n]|\\\s|[\^`]\n)+")
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'
    | "(?P<double>(?:[^"\\]|\\.)*)"
    | \$'(?P<ansi>(?:[^'\\]|\\.)*)'
    | \\(?P<escaped>.)
    | (?P<quote>\$?['"])
    | (?P<plain>(?:[^\s'"\\;|&<>$]|\$(?!'))+)
    | (?P<substitution>[<>]\((?:[^()'"]|'[^']*'|"[^"]*")*\))""",
    re.VERBOSE | re.DOTALL,
)
_HEREDOC = re.compile(r"<<(?P<tabs>-?)[^\S\n]*(?P<quote>['\"\\]?)(?P<end>\w+)['\"]?")
_ANSI = re.compile(
    r"\\(?:u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL
)
_LETTERS = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}


class ShellError(ValueError):
    """The command is cut off or broken; the message says where."""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """The text of a here-document, which is the command's standard input."""

    text: str


def words(text: str, at: int = 0) -> Iterator[str | Heredoc]:
    """Give the words of the command in `text` from `at` on, one by one, up to its end.

    Raises:
        ShellError: a quote or a here-document is not closed, or there are two here-documents.
    """
    word: str | None = None
    read = False  # a here-document: each costs a reading of the whole text
    while at < len(text):
        if blank := _BLANK.match(text, at):
            at = blank.end()
            if word is not None:
                yield word
            word = None
        elif heredoc := _HEREDOC.match(text, at):
            if read:
                raise ShellError(f"there is a second here-document {_where(text, at)}.")
            read = True
            yield _heredoc(text, heredoc)
            at = heredoc.end()
        elif text[at] == "#" and word is None:
            break
        elif piece := _PIECE.match(text, at):
            if piece["quote"]:
                raise ShellError(f"the quote {_where(text, at)} is not closed.")
            word = (word or "") + _meaning(piece)
            at = piece.end()
        else:  # the end of the line, `;`, `|`, `&`, a redirection
            break
    if word is not None:
        yield word


def _where(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"at line {line}, column {at - text.rfind(chr(10), 0, at)}"


def _meaning(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return re.sub(r'\\([$`"\\])|\\\n', r"\1", piece["double"])
    if piece["ansi"] is not None:
        decoded = _ANSI.sub(_ansi, piece["ansi"])
        # browsers write what lies beyond the first plane as two halves
        return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return next(found for found in piece.groups() if found is not None)


def _ansi(found: re.Match[str]) -> str:
    short, long, byte, octal, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter if letter in "\\'\"?" else f"\\{letter}")
    code = int(short or long or byte, 16) if not octal else int(octal, 8)
    return chr(code) if code < 0x110000 else "\ufffd"


def _heredoc(text: str, found: re.Match[str]) -> Heredoc:
    lines = text[found.end() :].split("\n")[1:]
    if found["tabs"]:
        lines = [line.lstrip("\t") for line in lines]
    ends = [number for number, line in enumerate(lines) if line.rstrip("\r") == found["end"]]
    if not ends:
        raise ShellError(
            f"the text that starts {_where(text, found.start())} has no line {found['end']} at its end."
        )
    body = "\n".join(lines[: ends[0]])
    if not found["quote"]:
        body = re.sub(r"\\([$`\\])|\\\n", r"\1", body)
    return Heredoc(body)
