"""Compare: two to four clips next to each other, in step, and what differs between them."""

from __future__ import annotations

from pages._ui.compare.view import compare_page, concerned
from pages._ui.live import live_fragment


def page() -> None:
    live_fragment(compare_page, "compare", concerns=concerned)


page()
