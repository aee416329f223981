"""The draft compared with an earlier prompt, word by word."""

from __future__ import annotations

import streamlit as st

from kling.studio.prompting.draft import Draft
from kling.studio.prompting.word_diff import Piece, word_diff
from pages._ui.context import studio
from pages._ui.current_user import current_user
from pages._ui.escape import escape_html
from pages._ui.format import counted
from pages._ui.requests import shown_request, text_of

EARLIER = 50  # prompts
LONGEST_LABEL = 90  # characters
LOOK = {
    "removed": ("del", "text-decoration:line-through;background:light-dark(#fbdcd9,#5c211d)"),
    "added": ("ins", "text-decoration:underline;background:light-dark(#d3f2da,#17452b)"),
}


def compare(draft: Draft) -> None:
    """Draw the choice of what to compare with, and the difference."""
    with st.container(key="compare_prompts"):  # as `compare` it would be the page Compare
        parent = studio().ledger.get(draft.parent) if draft.parent else None
        from_parent = [text_of(shown_request(parent))] if parent else []
        earlier = studio().ledger.index.prompts(current_user().name, EARLIER)
        texts = list(dict.fromkeys([*from_parent, *earlier]))
        if not texts:
            st.caption("There is nothing to compare with yet: what you have ordered appears here.")
            return

        def label(text: str) -> str:
            line = " ".join(text.split())
            cut = line if len(line) <= LONGEST_LABEL else f"{line[:LONGEST_LABEL]}…"
            return f"The job it was made from: {cut}" if text in from_parent else cut

        old = st.selectbox("Compare with", texts, format_func=label, key="composer.compare_with")
        pieces = word_diff(old or "", text_of(draft.request()))
        _difference(pieces)


def _difference(pieces: list[Piece]) -> None:
    gone, new = (
        sum(len(piece.text.split()) for piece in pieces if piece.kind == kind)
        for kind in ("removed", "added")
    )
    if all(piece.kind == "same" for piece in pieces):
        st.caption("They are the same.")
        return
    st.caption(
        f"{counted(new, 'word', 'words')} new, underlined; "
        f"{counted(gone, 'word', 'words')} gone, struck through."
    )
    st.html(
        '<div dir="auto" style="white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.7">'
        + "".join(_piece(piece) for piece in pieces)
        + "</div>"
    )


def _piece(piece: Piece) -> str:
    if piece.kind == "same":
        return escape_html(piece.text)
    tag, style = LOOK[piece.kind]
    return f'<{tag} style="{style};color:inherit;border-radius:.2rem">{escape_html(piece.text)}</{tag}>'
