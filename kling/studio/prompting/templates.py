"""Starting prompts and styles that come with the studio (`templates.toml`), and the search through them."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from kling.image_to_video import ImageToVideo
from kling.shots import Shot
from kling.text_to_video import TextToVideo

POSTERS = Path(__file__).with_name("posters")
LONGEST_QUERY = 200  # characters; what stands behind them is not searched for
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A starting prompt: a whole request, and what it teaches.

    Args:
        id: also names its poster.
        title: short.
        category: one word or two, such as `Product` or `Slow motion`.
        teaches: one sentence on the craft.
        request: legal as it is; its prompt may hold {alternatives|to expand}.
    """

    id: str
    title: str
    category: str
    teaches: str
    request: TextToVideo

    @property
    def poster(self) -> Path:
        """A JPEG of 320 by 180 pixels, drawn by the sandbox."""
        return POSTERS / f"{self.id}.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Words that give any prompt a look."""

    id: str
    title: str
    words: str
    teaches: str

    def is_in(self, prompt: str) -> bool:
        """Return whether the prompt has these words already."""
        return self.words in prompt

    def add_to(self, prompt: str) -> str:
        """Return the prompt with these words at its end, once."""
        if self.is_in(prompt):
            return prompt
        text = prompt.rstrip()
        return f"{text}{'. ' if text[-1:].isalnum() else ' ' if text else ''}{self.words}"

    def take_from(self, prompt: str) -> str:
        """Return the prompt without these words."""
        return re.sub(rf" ?{re.escape(self.words)}", "", prompt)


@cache
def templates() -> tuple[Template, ...]:
    """Return the starting prompts, in the order in which a library shows them."""
    return tuple(_template(entry) for entry in _data()["templates"])


@cache
def styles() -> tuple[Style, ...]:
    """Return the styles."""
    return tuple(Style(**entry) for entry in _data()["styles"])


class Searchable(Protocol):
    """A thing that `search` can find: a template of the studio or of the team."""

    @property
    def title(self) -> str:
        """Its name."""
        ...

    @property
    def category(self) -> str:
        """Where it belongs."""
        ...

    @property
    def teaches(self) -> str:
        """What it is good for."""
        ...

    @property
    def request(self) -> TextToVideo | ImageToVideo:
        """The request that it starts from."""
        ...


Found = TypeVar("Found", bound=Searchable)


def search(query: str, among: Iterable[Found]) -> list[Found]:
    """Return the items that have every word of the query, the best first; an empty query gives all items.

    A word also matches words that start with it; case and accents do not matter. A match in the title counts
    most, then one in the category, in `teaches`, and in the prompt. Equal items stay in their order.
    """
    wanted = list(dict.fromkeys(_words(query[:LONGEST_QUERY])))
    ranked = [(-_rank(wanted, item), number, item) for number, item in enumerate(among)]
    return [item for rank, _, item in sorted(ranked, key=lambda each: each[:2]) if rank or not wanted]


def _rank(wanted: list[str], item: Searchable) -> int:
    request = item.request
    prompts = " ".join([request.prompt, *(shot.prompt for shot in request.multi_prompt)])
    fields = ((8, item.title), (6, item.category), (3, item.teaches), (1, prompts))
    weighted = [(weight, _words(text)) for weight, text in fields]
    rank = 0
    for word in wanted:
        best = max((weight * _match(word, words) for weight, words in weighted), default=0)
        if not best:
            return 0
        rank += best
    return rank


def _match(word: str, words: list[str]) -> int:
    """Return 2 for the word itself, 1 for its beginning, else 0."""
    if word in words:
        return 2
    return int(any(other.startswith(word) for other in words))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))


def _data() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("templates.toml").read_text(encoding="utf-8"))


def _template(entry: dict[str, Any]) -> Template:
    values = dict(entry)
    about = {name: values.pop(name) for name in ("id", "title", "category", "teaches")}
    shots = values.pop("shots", ())
    request = TextToVideo(
        model_name=values.pop("model", "kling-v2-6"),
        multi_shot=bool(shots) or "shot_type" in values,
        shot_type=values.pop("shot_type", "customize" if shots else None),
        multi_prompt=tuple(Shot(prompt=shot["prompt"], duration=str(shot["seconds"])) for shot in shots),
        **values,
    )
    return Template(**about, request=request)
