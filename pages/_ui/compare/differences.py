"""What differs between clips: words of their prompts, their settings, what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kling.studio.clip_verification import charged
from kling.studio.jobs import Job
from kling.studio.prompting.word_diff import word_diff
from pages._ui.charges import charge_money
from pages._ui.current_user import sees_prices
from pages._ui.format import is_sandbox
from pages._ui.job.came import FREE
from pages._ui.job.changes import ANEW
from pages._ui.job.settings import settings_of
from pages._ui.requests import shown_request, text_of
from pages._ui.words import PANEL_AVOID

LONGEST_TEXT = 4_000  # characters that are compared
LETTERS = "ABCD"
COST = "Cost"


def prompts(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return the prompts as rows of pieces, each `[kind, text]`; kinds are those of `word_diff`.

    Each clip but the first has a row that compares it with the first, without pieces if they have the same
    words. Where all have the same, there is one row.
    """
    return prompts_alone(jobs) + (
        _rows(PANEL_AVOID, jobs, [job["negative_prompt"][:LONGEST_TEXT] for job in jobs])
    )


def prompts_alone(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return the same without what is to be avoided, which a shared link does not show."""
    return _rows("Prompt", jobs, [text_of(shown_request(job))[:LONGEST_TEXT] for job in jobs])


def _rows(name: str, jobs: Sequence[Job], texts: Sequence[str]) -> list[dict[str, Any]]:
    if not any(texts):
        return []
    first, others = texts[0], texts[1:]
    if all(text == first for text in others):
        return [{"name": name, "letter": "", "pieces": [["same", first]]}]
    several = len(jobs) > len(LETTERS[:2])
    return [
        {
            "name": f"{name}, A and {letter}" if several else name,
            "letter": letter,
            "pieces": _pieces(first, text),
        }
        for letter, text in zip(LETTERS[1:], others, strict=False)
    ]


def _pieces(old: str, new: str) -> list[list[str]]:
    if old == new:
        return []
    pieces = word_diff(old, new)
    changed = sum(len(piece.text) for piece in pieces if piece.kind != "same")
    if changed > ANEW * (len(old) + len(new)):  # the few words in common tell nothing
        return [[kind, text] for kind, text in (("removed", old), ("added", new)) if text]
    return [list(piece) for piece in pieces]


def settings(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Return what else differs: a name, and a value of each clip, in their order."""
    each = [_facts(job) for job in jobs]
    names = dict.fromkeys(name for facts in each for name in facts)
    rows = [{"name": name, "values": [facts.get(name) or _without(name) for facts in each]} for name in names]
    return [row for row in rows if len(set(row["values"])) > 1]


def _without(name: str) -> str:
    return "not known" if name == COST else "none"


def _facts(job: Job) -> dict[str, str]:
    found = dict(settings_of(job))
    if sees_prices():
        found[COST] = _cost(job)
    return found


def _cost(job: Job) -> str:
    if is_sandbox(job):
        return FREE
    charge = charged(job)
    return charge_money(job, charge) if charge is not None else ""
