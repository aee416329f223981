"""Prompting tools run in every page: importing them costs nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kling.studio import prompting

ROOT = Path(__file__).parents[3]


def test_no_module_of_it_loads_anything_heavy():
    names = sorted(path.stem for path in Path(prompting.__path__[0]).glob("*.py"))
    code = (
        "".join(f"import kling.studio.prompting.{name}\n" for name in names)
        + "import sys; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(names) >= 12
    assert {"streamlit", "pandas", "numpy", "av", "PIL", "kling.sandbox", "pages"} & set(
        loaded.stdout.split()
    ) == set()
