"""What `import kling` gives, and what it leaves alone."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import kling

ROOT = Path(kling.__file__).parents[1]
FOREIGN = (
    "streamlit",
    "pandas",
    "numpy",
    "av",
    "PIL",
    "starlette",
    "uvicorn",
    "kling.studio",
    "kling.sandbox",
)


def test_importing_the_client_loads_nothing_heavy_and_nothing_of_the_studio():
    code = """
import json, sys, kling
kling.TextToVideo(prompt="x").problems()
print(json.dumps(list(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "kling.client" in loaded
    assert [name for name in loaded if name.startswith(tuple(f"{foreign}." for foreign in FOREIGN))] == []
    assert set(loaded).isdisjoint(FOREIGN)


def test_the_public_names_are_sorted_and_complete():
    own = {
        name
        for name, value in vars(kling).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(kling.__all__) == own | {"catalog"}
    assert kling.__all__ == sorted(
        kling.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    assert len(kling.__all__) == len(set(kling.__all__))


def test_catalog_is_the_function_and_not_the_module():
    assert kling.catalog().models


def test_every_error_is_a_kling_error_and_public():
    def family(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    of_client = {kind.__name__ for kind in family(kling.KlingError) if kind.__module__ == "kling.errors"}
    assert of_client <= set(kling.__all__)


def test_everything_public_says_what_it_is():
    for name in kling.__all__:
        thing = getattr(kling, name)
        if callable(thing):
            assert (thing.__doc__ or "").strip(), name


def code_lines(path: Path) -> int:
    """Count what is neither blank nor a docstring."""
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = [
        node.body[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
    ]
    without = set(range(text.count("\n") + 1)) - {
        line for doc in docs for line in range(doc.lineno - 1, doc.end_lineno or 0)
    }
    lines = text.split("\n")
    return sum(bool(lines[number].strip()) for number in without)


def test_the_client_stays_thin():
    """A module can be read at one sitting, and all of them in an hour."""
    lines = {path.name: code_lines(path) for path in (ROOT / "kling").glob("*.py")}
    assert max(lines.values()) <= 260
    assert sum(lines.values()) <= 2550  # five endpoints in two generations, and requests read back
