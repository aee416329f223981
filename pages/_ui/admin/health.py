"""How the studio is: what everything else needs, the disk, what runs. Warnings stand above every page."""

from __future__ import annotations

import sys

import streamlit as st

from kling.studio.archive import free_bytes
from kling.studio.health import Word
from pages._ui.context import studio
from pages._ui.escape import escape_markdown
from pages._ui.format import counted, span

PARTS: dict[Word, tuple[str, str, str]] = {
    "poller": ("Poller", "follows the tasks", "hangs, so nothing is followed: start the studio again"),
    "log": ("Log", "can be written", "cannot be written, so nothing is ordered: see the warnings"),
    "disk": ("Disk", "has room", "is nearly full: make room"),
    "database": ("Database", "answers", "does not answer: people, drafts and budgets are not there"),
}


def health() -> None:
    """Draw the section."""
    here = studio()
    works = here.health.parts()
    for part, (name, good, bad) in PARTS.items():
        icon, words = ("check_circle", good) if works.get(part, True) else ("error", bad)
        colour = "green" if works.get(part, True) else "red"
        st.markdown(f":{colour}[:material/{icon}:] **{name}** {words}")
    st.caption(escape_markdown(" · ".join(_facts())))
    count = len(set(here.warnings))
    st.caption(f"{counted(count, 'warning stands', 'warnings stand')} above." if count else "No warnings.")


def _facts() -> list[str]:
    here = studio()
    facts = [f"The poller's last sign of life {span(here.health.turn_age())} ago"]
    try:
        facts.append(f"{free_bytes(here.settings.data_dir) / 2**30:,.1f} GB free")
    except OSError as error:
        facts.append(f"the disk cannot be read: {error.strerror or error}")
    facts += [
        f"{counted(here.ledger.index.tasks, 'task', 'tasks')} in the log",
        f"{counted(here.ledger.index.clips, 'clip', 'clips')} in Gallery",
        f"{here.running:,} running, {here.waiting:,} waiting",
        f"Python {sys.version.partition(' ')[0]}, Streamlit {st.__version__}",
    ]
    return facts
