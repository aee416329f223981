"""Whether the studio may start: nobody may be able to reach it whom it cannot tell from others."""

from __future__ import annotations

import streamlit as st

from kling.studio.identity import ways
from kling.studio.server_options import ServerOptions
from kling.studio.service import Studio
from pages._ui.address import base_path


def check_start(studio: Studio) -> None:
    """Refuse to start where others can reach the studio and nothing tells who they are.

    Args:
        studio: opened, not started.

    Raises:
        NoWayIn: with what to set.
        StateError: the database cannot be opened to look for accounts.
    """
    settings, options = studio.settings, server_options()
    outside = ways.outside_names(options.address, options.called, settings.public_url)
    is_needed = bool(outside) and not settings.sign_in.has_way_in
    ways.check_start(
        outside,
        settings.sign_in,
        settings.public_url,
        has_accounts=is_needed and studio.state.people.has_accounts,
    )


def server_options() -> ServerOptions:
    """Return where the server listens: by its command line, its environment and its file."""
    called = (st.get_option("browser.serverAddress"), *(st.get_option("server.allowedHosts") or ()))
    return ServerOptions(
        address=str(st.get_option("server.address") or ""),
        port=int(st.get_option("server.port") or 0),
        base=base_path(),
        called=tuple(str(name) for name in called if name),
    )
