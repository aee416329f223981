"""The address of the pages below their host."""

from __future__ import annotations

import streamlit as st


def base_path() -> str:
    """Return the path under which the server answers, without a slash at its end."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""
