"""Runs that are cheaper still send what Streamlit sends."""

from __future__ import annotations

import subprocess
import sys

from tests.pages.conftest import ROOT

SCRIPT = """
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session
from streamlit.web import bootstrap
from pages._ui.routes.quick_runs import prepare_runs

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
