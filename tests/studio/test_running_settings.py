"""Settings of whoever runs the studio."""

from __future__ import annotations

from pathlib import Path

import pytest

from kling.studio.running_settings import RunningSettings
from kling.studio.settings import SettingsError, load

TOKEN = "0123456789abcdef"


def read(**env: str) -> RunningSettings:
    return load(env, Path("/nowhere/secrets.toml"), root=Path("/nowhere")).running


def test_without_anything_the_output_is_for_people_and_has_no_prompts():
    assert read() == RunningSettings(log="text", log_prompts=False, metrics_token="")


def test_they_are_read_as_they_are_written():
    found = read(STUDIO_LOG="JSON", STUDIO_LOG_PROMPTS="on", STUDIO_METRICS_TOKEN=f"'{TOKEN}'")
    assert found == RunningSettings(log="json", log_prompts=True, metrics_token=TOKEN)
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STUDIO_LOG", "xml", "set it to text or json"),
        ("STUDIO_LOG_PROMPTS", "maybe", "set it to on or off"),
        ("STUDIO_METRICS_TOKEN", "short", "at least 16"),
        ("STUDIO_METRICS_TOKEN", "0123456789 abcdef", "without blanks"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_remedy(name, value, said):
    with pytest.raises(SettingsError, match=f"{name}.*{said}") as refused:
        read(**{name: value})
    if name == "STUDIO_METRICS_TOKEN":
        assert value not in str(refused.value)
