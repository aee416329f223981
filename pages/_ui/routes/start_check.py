"""Whether the studio may start: nobody may be able to reach it whom it cannot tell from others."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity import ways
from kling.studio.service import Studio


def check_start(studio: Studio) -> None:
    """Refuse to start where others can reach the studio and nothing tells who they are.

    Args:
        studio: opened, not started.

    Raises:
        NoWayIn: with what to set.
        StateError: the database cannot be opened to look for accounts.
    """
    settings = studio.settings
    outside = ways.outside_names(
        str(st.get_option("server.address") or ""),
        [str(st.get_option("browser.serverAddress") or ""), *(st.get_option("server.allowedHosts") or ())],
        settings.public_url,
    )
    is_needed = bool(outside) and not settings.sign_in.has_way_in
    ways.check_start(
        outside,
        settings.sign_in,
        settings.public_url,
        has_accounts=is_needed and studio.state.people.has_accounts,
    )
