"""An old name of a module; see `kling/deprecated.py`."""

from functools import partial

from kling.deprecated import old_module_name

__getattr__ = partial(old_module_name, "kling.rules")
