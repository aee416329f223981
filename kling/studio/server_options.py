"""Where the server listens, for programs beside it: Streamlit's options as its file and environment say them.

Options of its command line are seen only by Streamlit itself.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(".streamlit", "config.toml")  # below the folder of app.py


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where the server listens.

    Args:
        address: that it is bound to; empty for all.
        port: likewise.
        base: the path below which it answers, without a slash at its end.
        called: names that it answers to besides `localhost`.
    """

    address: str = ""
    port: int = 8501
    base: str = ""
    called: tuple[str, ...] = ()


def read(env: Mapping[str, str], root: Path) -> ServerOptions:
    """Return the options; what cannot be read counts as not set, and Streamlit says so at its start.

    Args:
        env: the environment.
        root: the folder of app.py.
    """
    try:
        stored = tomllib.loads((root / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = {}
    address = str(_option(env, stored, "server", "address") or "")
    port = str(_option(env, stored, "server", "port") or 8501)
    base = str(_option(env, stored, "server", "baseUrlPath") or "").strip("/")
    allowed = _option(env, stored, "server", "allowedHosts") or []
    if isinstance(allowed, str):
        allowed = _list(allowed)
    called = (_option(env, stored, "browser", "serverAddress"), *allowed)
    return ServerOptions(
        address=address,
        port=int(port) if port.isdecimal() else 8501,
        base=f"/{base}" if base else "",
        called=tuple(str(name) for name in called if name),
    )


def _option(env: Mapping[str, str], stored: Mapping[str, Any], section: str, name: str) -> Any:
    words = "".join(f"_{char}" if char.isupper() else char for char in name).upper()
    given = env.get(f"STREAMLIT_{section.upper()}_{words}")
    part = stored.get(section)
    return given or (part.get(name) if isinstance(part, Mapping) else None)


def _list(text: str) -> list[str]:
    try:
        names = json.loads(text)
    except ValueError:
        names = text.replace(",", " ").split()
    return [str(name) for name in names] if isinstance(names, list) else []
