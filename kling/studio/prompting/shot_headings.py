"""The headings of shots in a text: `shot 1, 3,`, `Scene 2:`, `**Shot one**`, `镜头1，`, `1.`."""

from __future__ import annotations

import re

_ENGLISH = ("one", "two", "three", "four", "five", "six")
_CHINESE = "一二三四五六"
_SHOT = (
    r"(?:shots?|scenes?|cuts?|clips?|beats?|segments?|panels?|镜头|鏡頭|分镜头?|分鏡|镜|场景|場景)"
    r"[ \t]*(?:no\.?|nr\.?|number|#|№)?[ \t]*(?P<number>\d{1,2}|one|two|three|four|five|six|[一二三四五六])"
    r"|第[ \t]*(?P<nth>\d{1,2}|[一二三四五六])[ \t]*(?:个镜头|镜头?|幕|场)"
)
_NUMBERS = {word: n for words in (_ENGLISH, _CHINESE) for n, word in enumerate(words, 1)}
_MARKS = r"[ \t>#*_•\-–—(\[【（\"“]{0,12}"  # Markdown in front of a heading
OFFICIAL = re.compile(
    r"\s*(?:shots?|镜头|鏡頭|分镜)\s*#?(?P<number>\d{1,2})\s*"
    # A number in front of a colon and another number is a ratio or a time, and `80s` is a decade.
    r"(?:[,，、]\s*(?![2-9]0s)(?P<length>\d{1,2})(?:(?:\s*(?:s|sec|seconds|秒))\s*[,，、:：]|\s*(?:[,，、]|[:：](?!\d)))"
    r"|[:：]\s*(?![2-9]0s)(?P<other>\d{1,2})(?:(?:\s*(?:s|sec|seconds|秒))\s*[,，、:：]|\s*[,，、:：](?!\s?\d)))\s*",
    re.IGNORECASE,
)
_HEADED = rf"{_MARKS}(?:{_SHOT})(?![\d.]\d|[^\W\d_])"
BY_WORD = re.compile(
    rf"(?:(?<=;)|(?<=；)|(?<=\n)|\A)\s{{0,20}}{_HEADED}"
    r"(?=[ \t]*[*_)\]】）]{0,4}[ \t]*(?:[,，、:：.;；|/(（\[【\n*_–—-]|\d{1,2}[ \t]?s\b|\Z))",
    re.IGNORECASE,
)
IN_ONE_LINE = re.compile(rf"(?<=\s){_HEADED}(?=[ \t]*[*_)\]】）]{{0,4}}[ \t]*[:：(（\[【])", re.IGNORECASE)
BY_NUMBER = re.compile(
    r"(?:(?<=\n)|\A)[ \t>*_]{0,8}#?(?P<number>\d{1,2})(?:[.):：](?!\d)|、|[ \t]*\n)[ \t*_]{0,4}"
)


def number_of(found: re.Match[str]) -> int:
    """Return the number in a heading that `BY_WORD` or `IN_ONE_LINE` found."""
    number = (found["number"] or found["nth"]).lower()
    return _NUMBERS.get(number) or int(number)
