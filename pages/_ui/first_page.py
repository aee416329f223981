"""What the first page is drawn with, imported while the first browser still loads Streamlit's scripts.

The first answer of the server waits for the database, so that comes first. A page that comes before this has
ended imports the rest itself.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from importlib import import_module

from kling.studio.service import Studio
from kling.studio.state.records import StateError

# Seconds until a thread that computes lets another one on. Python's own figure would make each answer of the
# server wait for several times 5 ms while modules are imported.
USUAL, OFTEN = 0.005, 0.0005

MODULES = (  # those that import the others
    "streamlit.emojis",
    "streamlit.material_icon_names",
    "pages._ui.ask_name",
    "pages._ui.frame.banners",
    "pages._ui.frame.bar",
    "pages._ui.frame.titles",
    "pages._ui.budget_words",
    "pages._ui.composer.advanced",
    "pages._ui.composer.camera",
    "pages._ui.composer.dropping",
    "pages._ui.composer.options",
    "pages._ui.composer.order",
    "pages._ui.composer.prompt",
    "pages._ui.composer.toolbar",
    "pages._ui.composer.variations",
    "pages._ui.stage.stage",
    "pages._ui.signed_out",
    "pages._ui.taking.script",
    "pages._ui.viewer.lightbox",
)


def prepare(studio: Studio) -> None:
    """Begin to import them in a thread; returns at once."""
    sys.setswitchinterval(OFTEN)
    threading.Thread(target=_import, args=(studio,), name="first-page", daemon=True).start()


def _import(studio: Studio) -> None:
    with suppress(StateError):  # a page says so
        studio.state.browsers  # noqa: B018 - waits until the database is open
    try:
        for module in MODULES:
            import_module(module)
    finally:
        sys.setswitchinterval(USUAL)
