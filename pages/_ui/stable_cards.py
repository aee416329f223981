"""Cards with players: new cards come first, and clips that play go on playing.

Streamlit sends a page element by element, and a busy browser draws what it has so far: a card that moves to
another position among the elements is gone for a moment, and its clip stops. So a card keeps its position,
here called a slot, as long as it is shown, and CSS puts the cards in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from pages._ui.session_state import app_state
from pages._ui.style.sheet import style_sheet


def cards(name: str, ids: Sequence[str], draw: Callable[[str], None], *, horizontal: bool = False) -> None:
    """Draw a card for each id, in this order.

    Args:
        name: of one card; its element is `st-key-{name}-{id}`, and that of all is `st-key-{name}s`.
        ids: each once.
        draw: draws what is in a card.
        horizontal: side by side, or one below the other.
    """
    known = app_state().card_slots
    slots = known[name] = assign_slots(known.get(name, ()), ids)
    if not slots:
        return
    style_sheet(f"<style>{_order(name, ids)}</style>")
    with st.container(horizontal=horizontal, key=f"{name}s"):
        for each in slots:
            with st.container(border=True, key=f"{name}-{each}") if each else st.container():
                if each:
                    draw(each)


def assign_slots(before: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return the id in each slot, "" for a free one; an id that was in a slot before stays there."""
    known, shown = set(before), set(ids)
    slots = [each if each in shown else "" for each in before]
    new = iter([each for each in ids if each not in known])
    slots = [each or next(new, "") for each in slots] + list(new)
    while slots and not slots[-1]:
        slots.pop()
    return slots


def _order(name: str, ids: Sequence[str]) -> str:
    # Streamlit makes classes of keys in this way.
    classes = [".st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", f"{name}-{each}") for each in ids]
    return "".join(
        f".st-key-{name}s > :has(> {card}) {{ order: {number}; }}\n" for number, card in enumerate(classes, 1)
    )
