"""Turns an unexpected error into a message that a person can read and pass on."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

log = logging.getLogger(__name__)


@contextmanager
def readable() -> Iterator[None]:
    """Show a readable message instead of an exception; its details are in the server's log only."""
    try:
        yield
    except Exception:
        reference = secrets.token_hex(3)
        log.exception("Error %s on a page", reference)
        st.error(
            "**This part of the page could not be drawn.** Every video is kept and goes on.  \n"
            f"If it stays so, tell the studio's operator this reference: {reference}.",
            icon=":material/warning:",
        )
        with suppress(StreamlitAPIException):  # inside of a form no button may stand
            st.button("Try again", key=f"app.try_again-{reference}")
