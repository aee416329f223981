"""The way from a page, or a route, to the one running Studio.

It hangs on an entry of `sys.modules` of its own, so that a module that is loaded a second time finds it too.
"""

from __future__ import annotations

import sys
import types

from kling.studio.service import Studio

_STATE = sys.modules.setdefault("_studio_state", types.ModuleType("_studio_state"))


def install(studio: Studio | None) -> None:
    """Make a studio the running one."""
    _STATE.__dict__["studio"] = studio


def studio() -> Studio:
    """Return the running studio.

    Raises:
        RuntimeError: the server has not opened one.
    """
    found: Studio | None = _STATE.__dict__.get("studio")
    if found is None:
        raise RuntimeError("No studio is running: start it with `streamlit run app.py`.")
    return found
