"""Names of earlier versions. Each still works, and says once a process what it is called now.

Kept are the names that `kling` gave, also in `kling.errors`, the modules that have other names now, and
`Client.submit`; not what modules had for themselves, such as `kling.client.PATH`. They can go when nothing
that imports this package uses them any more.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

NAMES = {  # of `kling`, and of `kling.errors`: where it is now
    "AuthFailed": ("kling.errors", "AuthenticationFailed"),
    "ContentRefused": ("kling.errors", "ContentPolicyViolation"),
    "DownloadBroken": ("kling.errors", "DownloadFailed"),
    "Rejected": ("kling.errors", "BadRequest"),
    "ServerTrouble": ("kling.errors", "ServerError"),
    "SlowDown": ("kling.errors", "RateLimited"),
}
MODULES = {  # whose names are looked for in the others, in this order
    "kling.callbacks": ("kling.webhooks",),
    "kling.models": (
        "kling.text_to_video",
        "kling.camera_control",
        "kling.shots",
        "kling.tasks",
        "kling.problems",
    ),
    "kling.rules": ("kling.camera_control", "kling.problems", "kling.text_to_video"),
}


@cache
def warn_once(old: str, new: str) -> None:
    """Warn the caller of the caller that a name is an old one, the first time that it is used."""
    warnings.warn(f"{old} is now called {new}.", DeprecationWarning, stacklevel=3)


class OldMethods:
    """Methods of `Client` by their old names."""

    def submit(self: _Creates, request: Any) -> Any:
        """Create a task; see `Client.create`."""
        warn_once("Client.submit", "Client.create")
        return self.create(request)


class _Creates(Protocol):
    def create(self, request: Any) -> Any: ...


def old_name(name: str) -> Any:
    """Return what a name of the package stood for.

    Raises:
        AttributeError: it never stood for anything.
    """
    if f"kling.{name}" in MODULES:
        return import_module(f"kling.{name}")
    if name not in NAMES:
        raise AttributeError(f"module 'kling' has no attribute {name!r}")
    module, new = NAMES[name]
    warn_once(f"kling.{name}", f"kling.{new}")
    return getattr(import_module(module), new)


def old_module_name(module: str, name: str) -> Any:
    """Return what a name of a module stood for that is now another one.

    Raises:
        AttributeError: it has never been in that module.
    """
    for new in MODULES[module]:
        found = getattr(import_module(new), name, None)
        own = getattr(found, "__module__", new) == new and not isinstance(found, ModuleType)
        if found is not None and own and not name.startswith("__"):
            warn_once(f"{module}.{name}", f"{new}.{name}")
            return found
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
