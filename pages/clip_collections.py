"""Collections: all of them, or the one that the address names, with its clips in their own order."""

from __future__ import annotations

import streamlit as st

from pages._ui.collections.address import ID
from pages._ui.collections.all import every_collection
from pages._ui.collections.one import one_collection
from pages._ui.collections.script import script


def collections() -> None:
    script()
    if chosen := str(st.query_params.get(ID, "")):
        one_collection(chosen)
    else:
        every_collection()


collections()
