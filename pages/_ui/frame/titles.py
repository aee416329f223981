"""What a tab of the browser is called: each page its own, a job by the first words of its prompt."""

from __future__ import annotations

import streamlit as st

from kling.studio.state.records import StateError
from pages._ui.collections.address import ID
from pages._ui.context import studio
from pages._ui.format import prompt_of
from pages._ui.job.address import job_of_address

STUDIO = "Kling studio"
LONGEST = 40  # characters of a prompt; a tab shows fewer, a list of tabs and the history of a browser these


def title_of(page: str) -> str:
    """Return the title of the tab.

    Args:
        page: title of the page that is open. A job's page begins with the job's prompt, a collection's with
            its title.
    """
    if page == "Collections" and (words := _collection()):
        return f"{first_words(words)} · {STUDIO}"
    job_id = job_of_address(st.query_params) if page == "Job" else ""
    job = studio().ledger.get(job_id) if job_id and not studio().ledger.opening else None
    return f"{first_words(prompt_of(job)) if job else page} · {STUDIO}"


def _collection() -> str:
    """Return the title of the collection that the address names; empty if it names none."""
    try:
        found = studio().state.collections.get(str(st.query_params.get(ID, "")))
    except StateError:
        return ""
    return found.title if found else ""


def first_words(text: str) -> str:
    """Return the beginning of a text in one line, cut between two words where it is long."""
    line = " ".join(text.split())
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST + 1].rpartition(' ')[0] or line[:LONGEST]}…"
