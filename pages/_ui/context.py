"""The running studio: `app.py` sets it, pages and routes get it here."""

from __future__ import annotations

from kling.studio.service import Studio

_running: Studio | None = None


def install(studio: Studio | None) -> None:
    """Make a studio the running one; None when it stops."""
    global _running  # noqa: PLW0603 - one server process runs one studio, and pages have no other way to it
    _running = studio


def studio() -> Studio:
    """Return the running studio.

    Raises:
        RuntimeError: the server has not opened one.
    """
    if _running is None:
        raise RuntimeError("No studio is running: start it with `streamlit run app.py`.")
    return _running
