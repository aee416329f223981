"""What stands at the end of Gallery's bar: the size of the pictures, and Present. wall.js listens to them."""

from __future__ import annotations

import streamlit as st

SIZES = {"S": "Small pictures", "M": "Medium pictures", "L": "Large pictures"}


def controls() -> None:
    """Draw them; the browser keeps the size."""
    sizes = "".join(
        f'<button type="button" data-size="{size}" aria-label="{words}" title="{words}" '
        f'aria-pressed="false">{size}</button>'
        for size, words in SIZES.items()
    )
    st.html(
        f'<div class="wall-controls"><div class="wall-sizes" role="group" aria-label="Size">{sizes}</div>'
        '<button type="button" class="wall-present" data-present>'
        '<span class="ms" aria-hidden="true">slideshow</span>'
        "<span>Present</span></button></div>",
        width="content",
    )
