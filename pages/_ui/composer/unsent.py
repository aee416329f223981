"""Prompts that somebody wrote and never ordered: they stay with the draft, and Alt+↑ finds them again."""

from __future__ import annotations

from itertools import accumulate

from kling.studio.state.records import DRAFT_BYTES
from pages._ui.composer.unsaved_draft import keep_changes
from pages._ui.context import studio
from pages._ui.current_user import current_user
from pages._ui.session_state import composer_state

EARLIER = 50  # prompts that were ordered
UNSENT = 10  # prompts that were not
UNSENT_BYTES = DRAFT_BYTES // 3  # of these in UTF-8, so that the draft itself has room beside them


def earlier_prompts() -> list[str]:
    """Return what the person has ordered, the newest first."""
    return studio().ledger.index.prompts(current_user().name, EARLIER)


def keep_unsent(text: str) -> None:
    """Keep a prompt that is about to be replaced, if it is neither empty nor kept already."""
    state = composer_state()
    if text.strip() and text not in [*state.unsent_prompts, *earlier_prompts()]:
        state.unsent_prompts = _as_many_as_fit([text, *state.unsent_prompts][:UNSENT])
        keep_changes(state.draft_id, fields={"own": state.unsent_prompts})


def _as_many_as_fit(texts: list[str]) -> list[str]:
    """Return the newest of the texts that are not too long to be stored together."""
    sizes = accumulate(len(text.encode()) for text in texts)
    return [text for text, size in zip(texts, sizes, strict=True) if size <= UNSENT_BYTES]
