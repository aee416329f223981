"""Where the server listens, for programs beside it: Streamlit's options as its file and environment say them.

Options of its command line are seen only by Streamlit itself. So a studio that starts writes down what holds
for it, and while it runs that is believed.
"""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kling.studio.folder import is_taken
from kling.whole_file import write_whole

log = logging.getLogger(__name__)

WRITTEN_DOWN = "server.json"  # in the data folder
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

    @property
    def words(self) -> str:
        """The place, for people: `127.0.0.1, port 8501, below /studio`."""
        below = f", below {self.base}" if self.base else ""
        names = f", also called {', '.join(self.called)}" if self.called else ""
        return f"{self.address or 'every address'}, port {self.port}{below}{names}"


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


def write_down(folder: Path, options: ServerOptions) -> None:
    """Note in the data folder where the studio that has it listens; a disk that refuses is only logged."""
    try:
        write_whole(folder / WRITTEN_DOWN, json.dumps(asdict(options)).encode())
    except OSError as error:
        log.warning("%s cannot be written: %s", WRITTEN_DOWN, error)


def last(folder: Path) -> ServerOptions | None:
    """Return where the studio of a folder listened at its last start; None if that is not known."""
    try:
        found = json.loads((folder / WRITTEN_DOWN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    address, port, base, called = (found.get(name) for name in ("address", "port", "base", "called"))
    if not (isinstance(address, str) and type(port) is int and isinstance(base, str)):
        return None
    names = tuple(name for name in called if isinstance(name, str)) if isinstance(called, list) else ()
    return ServerOptions(address=address, port=port, base=base, called=names)


def running(folder: Path) -> ServerOptions | None:
    """Return where the studio listens that has a folder now; None if none has, or if that is not known."""
    return last(folder) if is_taken(folder) else None


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
