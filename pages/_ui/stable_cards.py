"""Cards with players, of which new ones come first, and those that play go on.

Streamlit sends a page element by element, and a busy browser shows what stands in between: a card that moved
to another place among the elements is gone for a moment, and its clip stops. So a card keeps its place as
long as it is shown, and CSS puts the cards in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from pages._ui.style import style_sheet


def cards(name: str, ids: Sequence[str], draw: Callable[[str], None], *, horizontal: bool = False) -> None:
    """Draw a card for each id, in this order.

    Args:
        name: of one card; its element is `st-key-{name}-{id}`, and that of all is `st-key-{name}s`.
        ids: none twice.
        draw: draws what is in a card.
        horizontal: side by side, or one below the other.
    """
    key = f"places_of_{name}s"
    places = st.session_state[key] = kept_places(st.session_state.get(key, ()), ids)
    style_sheet(f"<style>{_order(name, ids)}</style>")
    with st.container(horizontal=horizontal, key=f"{name}s"):
        for each in places:
            with st.container(border=True, key=f"{name}-{each}") if each else st.container():
                if each:
                    draw(each)


def kept_places(before: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return the ids in places of which each that was there keeps its own; "" is a place that is free."""
    were, stay = set(before), set(ids)
    places = [each if each in stay else "" for each in before]
    come = iter([each for each in ids if each not in were])
    places = [each or next(come, "") for each in places] + list(come)
    while places and not places[-1]:
        places.pop()
    return places


def _order(name: str, ids: Sequence[str]) -> str:
    classes = [
        ".st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", f"{name}-{each}") for each in ids
    ]  # as Streamlit's
    return "".join(
        f".st-key-{name}s > :has(> {card}) {{ order: {place}; }}\n" for place, card in enumerate(classes, 1)
    )
