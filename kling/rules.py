"""An old name of a module; see `kling/deprecated.py`."""

from functools import partial
from typing import Any

from kling.deprecated import old_module_name, warn_once

__getattr__ = partial(old_module_name, "kling.rules")


def problems(request: Any) -> Any:
    """Return what is wrong with a request; see `TextToVideo.problems`."""
    warn_once("kling.rules.problems", "TextToVideo.problems")
    return request.problems()
