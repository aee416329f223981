"""Signing out, and the page of a session that has ended: it shows nothing, and leads to the sign-in page."""

from __future__ import annotations

import streamlit as st

from pages._ui.address import base_path

# The server decides where a page without a session leads, so loading it again is enough. If that leads here
# again within seconds, as with a proxy that keeps old pages, it waits for a press.
_LEAVE = """
export default function () {
  const before = Number(sessionStorage.getItem("studio_left") ?? 0), now = Date.now();
  if (now - before < 5000) return;
  sessionStorage.setItem("studio_left", String(now));
  location.reload();
}
"""


def leave() -> None:
    """Draw no more than a way back in, and leave."""
    st.navigation([st.Page(_nothing, title="Signed out", default=True)], position="hidden").run()


def _nothing() -> None:
    with st.container(key="page"):
        st.html(
            '<h1 style="font-size:24px">You are signed out.</h1>'
            f'<p><a href="{base_path()}/sign-in">Sign in</a></p>'
        )
    st.components.v2.component("studio_leave", js=_LEAVE)(key="app.leave")


def sign_out() -> None:
    """Draw the buttons that end this session, and all sessions of the person."""
    st.html(
        '<div class="studio-sign-out">'
        f'<form method="post" action="{base_path()}/sign-out"><button type="submit">Sign out</button></form>'
        f'<form method="post" action="{base_path()}/sign-out/everywhere">'
        '<button type="submit">Sign out everywhere</button></form></div>'
    )
