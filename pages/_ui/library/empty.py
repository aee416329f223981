"""What a list says when it has nothing to show, or not all of it: always with the next step."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from kling.studio.library import IndexBroken, JobQuery
from pages._ui.context import studio
from pages._ui.current_user import acting
from pages._ui.escape import escape_html, escape_markdown
from pages._ui.format import counted
from pages._ui.library.address import GALLERY, ask, is_asking
from pages._ui.library.filters import filters_of
from pages._ui.pagination import nothing_yet

LOOK_AGAIN = 2  # seconds between two looks whether the index is whole
MOST_WAYS = 4  # that are offered beside Clear
FIRST_RUN = {
    "history": ("Every job that anyone orders is listed here, and stays.", "history"),
    GALLERY: ("Finished clips appear here, each played from this studio’s own copy.", "photo_library"),
}


def nothing_found(page: str, query: JobQuery) -> None:
    """Say why nothing is shown, and offer what leads on.

    Args:
        page: `history` or `gallery`.
        query: what was asked.
    """
    here = studio()
    if here.ledger.failure:
        st.error(
            f"The log cannot be read, so nothing of it is shown: {escape_markdown(here.ledger.failure)}  \n"
            "Nothing is lost. An admin sees under Admin what to do; Compose orders again when it is mended.",
            icon=":material/error:",
        )
        return
    if here.ledger.opening or not is_asking(query):
        words, icon = FIRST_RUN[page]
        nothing_yet(words, icon=icon)
        return
    with st.container(key="nothing_found", horizontal_alignment="center"):
        picture = '<span class="ms" aria-hidden="true">search_off</span>'
        others = query.whole != JobQuery(text=query.text, clips=query.clips)
        asked_for = f"“{escape_html(query.text)}”" if query.text else "these filters"
        with_filters = " with these filters" if query.text and others else ""
        what = "No clip" if page == GALLERY else "No job"
        st.html(
            f'<p class="studio-nothing" role="status">{picture}{what} matches {asked_for}{with_filters}.</p>'
        )
        with st.container(horizontal=True, horizontal_alignment="center"):
            for number, (words, other) in enumerate(_other_ways(page, query)):
                key = f"{page}.instead-{number}-{words}"  # two filters may have the same words
                st.button(escape_markdown(words), key=key, on_click=ask, args=(page, other))


def _other_ways(page: str, query: JobQuery) -> Sequence[tuple[str, JobQuery]]:
    """Return questions that find something, as far as that is known, and the words of their buttons."""
    library, who, anew = studio().library, acting().who, query.with_page(1)
    tried = [("Without filters", JobQuery(text=query.text, clips=query.clips))] if query.text else []
    tried += [("Without the words", replace(anew, text=""))] if query.text else []
    tried += [
        (f"Without “{said}”", replace(anew, **each.nothing()))
        for each in filters_of(page)
        if (said := each.said(query))
    ]
    tried += [] if query.hidden else [("With hidden ones", replace(anew, hidden="all"))]
    ways: list[tuple[str, JobQuery]] = []
    with suppress(IndexBroken):
        for words, other in tried:
            if other not in (anew, *(known for _, known in ways)) and (
                found := library.count(other, who=who)
            ):
                ways.append((f"{words}: {found:,}", other))
            if len(ways) == MOST_WAYS:
                break
    return [*ways, ("Clear", JobQuery())]


def still_reading(missing: int, so_far: str = "What is shown is right; the rest comes by itself.") -> None:
    """Say that the index is still being made, in a live part that concerns `LIBRARY`: so it ends.

    Args:
        missing: how many jobs are not in it yet.
        so_far: a sentence about what is shown meanwhile.
    """
    is_page_running = True

    @st.fragment(run_every=LOOK_AGAIN)
    def wait() -> None:
        left = missing if is_page_running else studio().library.catch_up()
        if left:
            st.caption(f"The index is being made: {counted(left, 'older job', 'older jobs')} to go. {so_far}")

    wait()
    is_page_running = False


def no_index(error: Exception) -> None:
    """Say that nothing can be looked up."""
    st.error(
        f"Nothing can be looked up: {escape_markdown(str(error))}  \n"
        "No job is lost: the log has them all. Try again in a minute; else start the studio again.",
        icon=":material/error:",
    )
