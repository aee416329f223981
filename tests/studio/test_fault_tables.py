"""README's fault matrix is what the studio really does."""

from __future__ import annotations

from pathlib import Path

from tests.studio.fault_tables import evidence, table

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_fault_matrix_of_readme_is_what_happens(clip: bytes):
    missing = [line for line in [*evidence(), *table(clip)] if line not in README]
    assert missing == [], "README is behind: python -m tests.studio.fault_tables prints the tables"
