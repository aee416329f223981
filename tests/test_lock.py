"""The lock that CI installs from holds everything that the requirements name, each file with its hash."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
REQUIREMENTS = ROOT / "tests" / "requirements.txt"
LOCK = ROOT / ".ci" / "requirements.lock"


def lines(text: str) -> list[str]:
    """Give the lines as pip reads them: joined where they go on, without comments and empty ones."""
    joined = text.replace("\\\n", " ")
    return [line for raw in joined.splitlines() if (line := re.sub(r"(^|\s)#.*", "", raw).strip())]


def named(path: Path) -> list[Requirement]:
    """Read the requirements of a file and of those that it includes with -r."""
    found = []
    for line in lines(path.read_text(encoding="utf-8")):
        if line.startswith("-r "):
            found += named(path.parent / line.removeprefix("-r ").strip())
        else:
            found.append(Requirement(line))
    return found


def pins(lock: str) -> dict[str, str]:
    """Read a lock as name to version; a line that is no pin with hashes is an error that shows it."""
    found: dict[str, str] = {}
    for line in lines(lock):
        match = re.fullmatch(r"([\w.-]+)==([^\s;]+)((?:\s+--hash=sha256:[0-9a-f]{64})+)", line)
        if not match:
            raise ValueError(f"no pin with hashes: {line}")
        found[canonicalize_name(match[1])] = match[2]
    return found


def installed_needs(name: str, version: str) -> list[str]:
    """Give what a package needs, as its metadata say; nothing if that version is not installed."""
    try:
        return (metadata.requires(name) or []) if metadata.version(name) == version else []
    except metadata.PackageNotFoundError:
        return []


def faults(
    requirements: list[Requirement], lock: str, needs: Callable[[str, str], list[str]] = installed_needs
) -> list[str]:
    """Say what the requirements, or what those need in turn, ask for and the lock does not give."""
    pinned = pins(lock)
    found = []
    seen = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        version = pinned.get(name)
        if version is None:
            found.append(f"{requirement} is not in the lock")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement} is locked to {version}")
        else:
            waiting += [
                need
                for need in map(Requirement, needs(name, version))
                if not need.marker
                or any(need.marker.evaluate({"extra": extra}) for extra in {"", *requirement.extras})
            ]
    return sorted(found)


def test_the_lock_gives_what_the_requirements_name():
    assert faults(named(REQUIREMENTS), LOCK.read_text(encoding="utf-8")) == [], (
        "write .ci/requirements.lock again with the command in README, under Test"
    )


def test_readme_has_the_command_that_wrote_the_lock():
    command = LOCK.read_text(encoding="utf-8").splitlines()[1].removeprefix("#").strip()
    assert f"{command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tests_require_what_the_studio_requires():
    studio = {str(requirement) for requirement in named(ROOT / "requirements.txt")}
    assert studio < {str(requirement) for requirement in named(REQUIREMENTS)}


def test_a_package_that_the_lock_lacks_is_found():
    lock = f"filelock==4.3.1 \\\n    --hash=sha256:{'0' * 64}\n    # via -r requirements.txt\n"
    assert faults([Requirement("filelock>=4"), Requirement("left-out>=1")], lock) == [
        "left-out>=1 is not in the lock"
    ]


def test_a_version_outside_the_range_is_found():
    lock = f"filelock==4.3.1 --hash=sha256:{'0' * 64}\n"
    assert faults([Requirement("FileLock>=5")], lock) == ["FileLock>=5 is locked to 4.3.1"]


def test_a_package_of_an_extra_that_the_lock_lacks_is_found():
    lock = f"framework==1.2 --hash=sha256:{'0' * 64}\n"
    needs = {
        "framework": [
            "fast>=3; extra == 'performance'",
            "slow; extra == 'other'",
            "old; python_version < '3'",
        ]
    }
    assert faults([Requirement("framework[performance]")], lock, lambda name, _: needs[name]) == [
        'fast>=3; extra == "performance" is not in the lock'
    ]


@pytest.mark.parametrize(
    "line", ["filelock==4.3.1", "filelock>=4 --hash=sha256:" + "0" * 64, "--find-links /opt/wheels", "-e ."]
)
def test_a_line_that_is_no_pin_with_hashes_is_refused(line):
    with pytest.raises(ValueError, match="no pin with hashes"):
        pins(f"{line}\n")
