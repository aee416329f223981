"""The setting STUDIO_TIMEZONE: names of the IANA database, UTC without one, else a remedy."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kling.studio import time_zone
from kling.studio.settings import SettingsError, load
from kling.studio.time_zone import ZoneError, read


@pytest.mark.parametrize("name", ["", "UTC", "utc"])
def test_without_a_name_it_is_utc_on_every_machine(name, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert read(name) is UTC


def test_a_name_gives_its_zone_and_settings_have_it(tmp_path: Path):
    settings = load({"STUDIO_TIMEZONE": "'Europe/Berlin'"}, tmp_path / "secrets.toml", root=tmp_path)
    assert settings.timezone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    "name",
    ["Berlin", "+02:00", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/Berlin\0", "x" * 9000],
)
def test_another_text_is_refused_with_a_name_to_write_instead(name):
    with pytest.raises(ZoneError, match=r"no name of a time zone: give one such as [A-Z]") as refused:
        read(name)
    assert len(str(refused.value)) < 300


def test_the_name_that_was_probably_meant_is_offered(tmp_path: Path):
    with pytest.raises(SettingsError, match="such as Europe/Berlin"):
        load({"STUDIO_TIMEZONE": "europe/berlni"}, tmp_path / "secrets.toml", root=tmp_path)


def test_a_machine_without_zones_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(time_zone, "available_timezones", set)
    with pytest.raises(ZoneError, match="install tzdata"):
        read("Nowhere/At_all")
