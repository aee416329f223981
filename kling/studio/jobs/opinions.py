"""Stars and ratings: each is one person's, and their latest one counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kling.studio.jobs.columns import TAKEN_BACK

MOST_RATING = 5  # a rating goes from 1 to this
_RATINGS = frozenset(map(str, range(1, MOST_RATING + 1)))


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person thinks of a job.

    Args:
        by: the person's id; empty where there was no sign-in.
        by_name: their name, as it was when they said so last.
        star: `1`, or empty for no star. Somebody may have written another text into the log: that counts too.
        rating: 1 to 5 as text, or empty.
    """

    by: str = ""
    by_name: str = ""
    star: str = ""
    rating: str = ""

    @property
    def stars(self) -> int:
        """The rating as a number; 0 where there is none, or none that can be read."""
        return int(self.rating) if self.rating in _RATINGS else 0


def who_is(by: str, by_name: str) -> str:
    """Return the key of a person among the opinions: the id, or the name after a tilde."""
    return by or f"~{by_name}"


def with_opinion(opinions: dict[str, Opinion], row: Mapping[str, str]) -> None:
    """Take the star and the rating of a record into the opinions of its job, in place."""
    by, name = row.get("by", ""), row.get("by_name", "")
    who = who_is(by, name)
    before = opinions.get(who, Opinion())
    star, rating = (
        "" if (said := row.get(column, "") or known) == TAKEN_BACK else said
        for column, known in (("star", before.star), ("rating", before.rating))
    )
    opinions.pop(who, None)  # the latest one stands last
    if star or rating:
        opinions[who] = Opinion(by, name or before.by_name, star, rating)
