"""A press on a row of History opens its job, also while the page is being left or drawn anew."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from pages._ui.chosen_row import open_chosen_row

    open_chosen_row("table", ["a", "b"])
    st.write(st.query_params.get("task", "none"))


def opened(table: Any = None) -> str:
    app = AppTest.from_function(script)
    if table is not None:
        app.session_state["table"] = {"selection": {"rows": table, "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    return str(app.markdown[0].value)


@pytest.mark.parametrize(("rows", "job"), [([0], "a"), ([1], "b")])
def test_the_job_of_the_chosen_row_is_opened(rows: list[int], job: str):
    assert opened(rows) == job


@pytest.mark.parametrize("rows", [[], [2]])
def test_without_a_row_of_the_list_nothing_is_opened(rows: list[int]):
    assert opened(rows) == "none"


def test_a_press_of_a_page_that_was_left_is_no_error():
    assert opened() == "none"
