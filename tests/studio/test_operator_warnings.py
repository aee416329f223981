"""What an operator is told of files that others can read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kling.studio.operator_warnings import is_open_to_others, rights_warnings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user of the machine can reach; a test's own is not."""
    path = Path(tempfile.mkdtemp(dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def test_readable_keys_and_data_are_said_with_the_remedy(folder):
    secrets, data = folder / "secrets.toml", folder / "data"
    secrets.write_text("[kling]")
    secrets.chmod(0o644)
    data.mkdir()
    data.chmod(0o755)
    keys, prompts = rights_warnings(data, secrets)
    assert all(said.startswith("Everybody who has an account on this computer") for said in (keys, prompts))
    assert keys.endswith(f"chmod 600 {secrets}")
    assert prompts.endswith(f"chmod 700 {data}")
    secrets.chmod(0o600)
    data.chmod(0o700)
    assert list(rights_warnings(data, secrets)) == []


def test_nothing_is_said_of_what_is_not_there(folder):
    assert list(rights_warnings(folder / "none", folder / "none.toml")) == []
    assert list(rights_warnings(folder / "none", None)) == []


def test_a_folder_that_nobody_can_come_to_is_not_open(folder):
    inside = folder / "private" / "data"
    inside.mkdir(parents=True)
    for path in (inside, inside.parent):
        path.chmod(0o755)
    assert is_open_to_others(inside)
    (folder / "private").chmod(0o700)
    assert not is_open_to_others(inside)


def test_a_link_is_judged_by_what_it_leads_to(folder):
    secrets = folder / "secrets.toml"
    secrets.write_text("")
    secrets.chmod(0o600)
    (folder / "link").symlink_to(secrets)
    assert not is_open_to_others(folder / "link")
    secrets.chmod(0o604)
    assert is_open_to_others(folder / "link")
