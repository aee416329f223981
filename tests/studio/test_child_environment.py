"""What children of the studio get to know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from kling.studio.child_environment import child_environment

ROOT = Path(__file__).parents[2]
SECRETS = (
    "KLINGAI_API_KEY",
    "KLINGAI_SECRET_KEY",
    "STUDIO_PROXY_SECRET",
    "STUDIO_METRICS_TOKEN",
    "AWS_TOKEN",
)


def test_a_child_gets_what_python_needs_and_no_secret():
    source = {"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": "/a"} | dict.fromkeys(SECRETS, "secret")
    assert child_environment(source, MORE="1") == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "PYTHONPATH": "/a",
        "MORE": "1",
    }


def test_no_child_of_the_studio_inherits_its_whole_environment():
    starts = []
    for path in (ROOT / "kling" / "studio").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {
                "subprocess.Popen",
                "subprocess.run",
            }:
                environment = next((each.value for each in node.keywords if each.arg == "env"), None)
                starts.append(path.name)
                assert environment is not None, path
                assert not re.search(
                    r"\*\*os\.environ|os\.environ(\.copy\(\)| \|)|\| os\.environ", ast.unparse(environment)
                )
    assert {"connection.py", "previews.py", "video_check.py"} <= set(starts)
