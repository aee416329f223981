"""What a press on a row of a table opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def open_chosen_row(key: str, ids: Sequence[str]) -> None:
    """Put the job of the chosen row into the address: the callback of a table with one row to choose.

    Args:
        key: of the table in the session. It is not there if the page was left in the same moment.
        ids: of the jobs, in the order of the rows.
    """
    table: Any = st.session_state.get(key)
    rows = table["selection"]["rows"] if table else []
    if rows and rows[0] < len(ids):
        st.query_params["task"] = ids[rows[0]]
