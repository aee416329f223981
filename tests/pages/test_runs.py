"""Runs send what Streamlit sends, and what is pressed takes effect."""

from __future__ import annotations

import subprocess
import sys

from streamlit.testing.v1 import AppTest

from pages._ui.routes.runs import prepare_runs
from tests.pages.conftest import ROOT

SCRIPT = """
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.web import bootstrap
from pages._ui.routes.runs import prepare_runs

bootstrap.load_config_options({})

def theme():
    message = CustomThemeConfig()
    parts = {"theme": message, "theme.light": message.light, "theme.dark": message.dark,
             "theme.sidebar": message.sidebar, "theme.light.sidebar": message.light.sidebar}
    for section, part in parts.items():
        app_session._populate_theme_msg(part, section)
    return message

before = theme()
assert before.light.primary_color and before.dark.primary_color
prepare_runs()
assert theme() == before
assert theme() == before
assert before.light.HasField("sidebar") == theme().light.HasField("sidebar")
"""


def test_the_theme_of_a_run_is_that_of_the_settings():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    def press() -> None:
        context = get_script_run_ctx()
        assert context is not None
        assert context.script_requests is not None
        st.session_state.began = True
        context.script_requests.request_rerun(RerunData())  # as a live part does, in another thread
        st.session_state.middle = True
        st.toast("Pressed")
        st.session_state.ended = True

    st.button("Press", on_click=press)
    st.session_state.runs = st.session_state.get("runs", 0) + 1


def test_a_press_takes_its_whole_effect_when_another_run_is_asked_for_meanwhile():
    prepare_runs()
    app = AppTest.from_function(page, default_timeout=60).run()
    app.button[0].click().run()
    assert all(each in app.session_state for each in ("began", "middle", "ended"))
    assert app.session_state.runs == 2  # and the run that was asked for came
