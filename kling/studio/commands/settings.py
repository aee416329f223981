"""The settings of the studio whose commands these are, read as its server reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kling.studio import server_options
from kling.studio.settings import Settings, load

ROOT = Path(__file__).resolve().parents[3]  # the folder of app.py
SECRETS = Path(".streamlit", "secrets.toml")


def operator_settings(env: Mapping[str, str] | None = None, root: Path = ROOT) -> Settings:
    """Return the settings of the environment and of `secrets.toml`.

    Raises:
        SettingsError: a value cannot be used.
    """
    env = os.environ if env is None else env
    return load(env, root / SECRETS, root=root, base=server_options.read(env, root).base)
