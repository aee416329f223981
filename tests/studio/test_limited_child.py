"""A child ends by its limits, whatever it reads, and knows no secret."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from kling.studio.limited_child import ChildFailed, Children, Limits

SMALL = Limits(memory=2**27, seconds=5, file_bytes=2**20)


def program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_it_gets_its_arguments_and_gives_an_object(tmp_path: Path):
    text = "import json, sys; print(json.dumps({'got': sys.argv[1:]}))"
    assert Children(1).ask(program(tmp_path, text), ["a b", "--c"], SMALL) == {"got": ["a b", "--c"]}


@pytest.mark.parametrize(
    "text",
    [
        "x = bytes(2**28); print('{}')",  # memory
        "while True: pass",  # CPU
        "open('{folder}/large', 'wb').write(bytes(2**21)); print('{{}}')",  # a file
        "raise SystemExit(3)",
        "import os; os.abort()",
        "print('no JSON')",
        "print('[]')",
        "print('[' * 100_000)",
        "print('{{\"a\": 1}}' + ' ' * 2**21)",
    ],
)
def test_what_exceeds_a_limit_or_gives_no_object_is_no_answer(tmp_path: Path, text: str):
    text = text.replace("{folder}", str(tmp_path)).replace("{{", "{").replace("}}", "}")
    with pytest.raises(ChildFailed) as failed:
        Children(1).ask(program(tmp_path, text), [], Limits(2**27, 1, 2**20))
    assert failed.value.why == "limits"


def test_it_knows_no_secret_and_nothing_of_the_studio(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KLINGAI_API_KEY", "secret")
    text = "import json, os, sys; print(json.dumps({'env': dict(os.environ), 'modules': list(sys.modules)}))"
    answer = Children(1).ask(program(tmp_path, text), [], SMALL)
    assert "secret" not in str(answer["env"])
    assert not [name for name in answer["modules"] if name.startswith("kling")]


def test_what_it_writes_is_for_this_user_alone(tmp_path: Path):
    text = f"open({str(tmp_path / 'made')!r}, 'w').write('x'); print('{{}}')"
    Children(1).ask(program(tmp_path, text), [], SMALL)
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0


def test_the_stop_ends_those_that_run_and_starts_no_further_one(tmp_path: Path):
    children, failures = Children(2), list[str]()
    began = tmp_path / "began"
    text = f"open({str(began)!r}, 'w').close()\nwhile True: pass"

    def ask() -> None:
        try:
            children.ask(program(tmp_path, text), [], Limits(2**27, 60, 2**20))
        except ChildFailed as failed:
            failures.append(failed.why)

    thread = threading.Thread(target=ask)
    thread.start()
    while not began.exists():
        thread.join(0.01)
    children.stop()
    thread.join(30)
    assert failures == ["stopped"]
    with pytest.raises(ChildFailed, match="stopped"):
        children.ask(program(tmp_path, text), [], SMALL)
