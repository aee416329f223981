"""Names of people, as they are shown and as they are compared."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

PERSON_LIMIT = 60  # characters of a name
_LOOKED_AT = 1000  # characters of what was given as a name; the rest is not compared

# Letters of other scripts that look like a Latin one, as a capital or as a small letter. A name written with
# them must not stand beside the one that it imitates.
_LOOKS_LIKE = str.maketrans(
    "авекмнорстухіјѕһԁԛԝѵӏ" + "αβεζηικμνορτυχ" + "ıɑɡ",
    "abekmhopctyxijshdqwvl" + "abezhikmnoptyx" + "iag",
)
# Characters without a picture that are no control characters: fillers and variation selectors.
_NO_PICTURE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]))
)


def visible(text: str) -> str:
    """Return a name without control and direction marks, which can make it look like another name."""
    shown = "".join(char for char in text if char.isspace() or unicodedata.category(char)[0] != "C")
    return " ".join(shown.split())[:PERSON_LIMIT]


def name_key(name: str) -> str:
    """Return what the spellings of one name have in common: no case, no blanks, no accents.

    Letters of other scripts that look like Latin ones count as those. Empty for a name that shows nothing.
    """
    # The cache holds no long texts, and nobody makes the studio read one to its end.
    return _key(name if len(name) <= 2 * PERSON_LIMIT else visible(name[:_LOOKED_AT]))


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", visible(name)).casefold()
    plain = unicodedata.normalize("NFKD", plain).translate(_LOOKS_LIKE)
    return "".join(
        char
        for char in plain
        if not char.isspace() and not unicodedata.combining(char) and char not in _NO_PICTURE
    )
