"""The request, taken elsewhere and back: what is copied runs as it is and is the request that was shown."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests as http
from hypothesis import given, settings
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo, newer_wire
from kling.catalog import NEWER
from kling.endpoint import endpoint_of
from kling.studio.prompting import export_request, import_request
from kling.studio.prompting.draft import FormRequest
from tests.kling.tools import law
from tests.studio.prompting.legal import requests

ROOT = Path(__file__).parents[3]
SECRETS = {
    "SANDBOX_API_KEY": "api-key-of-this-test",
    "SANDBOX_ACCESS_KEY": "access-of-this-test",
    "SANDBOX_SECRET_KEY": "secret-of-this-test-that-is-long-enough",
}
BY_KEY = {"KLINGAI_API_KEY": SECRETS["SANDBOX_API_KEY"]}
BY_PAIR = {
    "KLINGAI_ACCESS_KEY": SECRETS["SANDBOX_ACCESS_KEY"],
    "KLINGAI_SECRET_KEY": SECRETS["SANDBOX_SECRET_KEY"],
}
STORYBOARD = TextToVideo(
    prompt="",
    model_name="kling-v3",
    mode="pro",
    duration="3",
    aspect_ratio="9:16",
    sound="on",
    negative_prompt="blur, $(touch hacked) `id` \\ 'quotes' \"double\" !x",
    multi_shot=True,
    shot_type="customize",
    multi_prompt=(
        Shot(prompt='A fox\'s den: $5, "dawn"\nnew line \\', duration="1"),
        Shot(prompt="雪 ❄️ !!", duration="2"),
    ),
    watermark=True,
    external_task_id="ours",
    callback_url="https://studio.example/told",
)
TURBO = TextToVideo(
    prompt="A fox", model_name="kling-3.0-turbo", mode="pro", duration="3", sound="on", watermark=True
)
CAMERA = TextToVideo(
    prompt="A lake",
    model_name="kling-v1",
    cfg_scale=0.3,
    camera_control=CameraControl(type="simple", config={"pan": -4.5}),
)


def asked(request: FormRequest) -> dict[str, Any]:
    """What was asked for, without the names that are the studio's own."""
    ours = ("external_task_id", "callback_url")
    return {name: value for name, value in request.to_wire().items() if name not in ours}


def sent_body(request: TextToVideo) -> dict[str, Any]:
    """What is sent of it in the generation of the API that takes it."""
    is_newer = endpoint_of(request).api == NEWER
    return newer_wire.body_of(asked(request)) if is_newer else asked(request)


@given(requests())
@law
def test_any_legal_request_comes_back_from_json_and_from_curl(request):
    assert asked(import_request.parse_request(export_request.to_json(request)).request) == asked(request)
    back = import_request.parse_request(export_request.to_curl(request))
    assert asked(back.request) == asked(request)
    assert [note for note in back.notes if not note.startswith("external_task_id")] == []


@given(st.lists(requests(), min_size=1, max_size=25))
@settings(law, max_examples=8)
def test_bash_gives_curl_exactly_the_body_that_was_asked_for(examples):
    # curl itself is a function here: what it would be given to send
    script = "".join(f"{export_request.to_curl(example)}\nprintf '\\0'\n" for example in examples)
    stub = "curl() { cat; printf '\\0%s' \"$*\"; }\nset -H\n"
    said = subprocess.run(
        ["bash"],
        input=(stub + script).encode(),
        env={**os.environ, **BY_KEY},
        capture_output=True,
        check=True,
    )
    assert said.stderr == b""
    parts = said.stdout.decode().split("\0")
    for example, body, arguments in zip(examples, parts[::2], parts[1::2], strict=False):
        sent = json.loads(body)
        own = sent.pop("external_task_id", "") or sent["options"].pop("external_task_id")
        assert re.fullmatch(r"curl-\d+-\d+", own)
        assert {"options": {}, **sent} == {"options": {}, **sent_body(example)}
        path = endpoint_of(example).path.replace("{model}", example.model_name)
        assert f"api-singapore.klingai.com{path}" in arguments
        assert SECRETS["SANDBOX_API_KEY"] not in arguments


@given(requests())
@settings(law, max_examples=50)
def test_the_python_program_holds_exactly_the_body_that_was_asked_for(request):
    program = ast.parse(export_request.to_python(request))
    (body,) = (
        node.value
        for node in program.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "BODY"
    )
    assert ast.literal_eval(body) == sent_body(request)


def test_the_json_is_the_body_of_the_call_with_the_model_that_the_newer_api_has_in_its_path():
    for request in (STORYBOARD, TURBO, replace(TURBO, model_name="kling-v3", prompt="a" * 2600)):
        named = {"model_name": request.model_name}
        assert json.loads(export_request.to_json(request)) == named | sent_body(request)


@pytest.mark.parametrize("show", [export_request.to_curl, export_request.to_python])
def test_only_keys_are_offered_that_the_api_takes(show):
    for words in ("ACCESS_KEY", "SECRET_KEY", "jwt"):
        assert words not in show(TURBO)
    assert "KLINGAI_API_KEY" in show(TURBO)
    assert "KLINGAI_ACCESS_KEY" in show(STORYBOARD)


@pytest.mark.parametrize("show", [export_request.to_json, export_request.to_curl, export_request.to_python])
def test_nothing_that_only_looks_like_text_is_shown(show):
    hidden = "a\u202eb\x9bc\x7f\u2028d\ufeff\x1b[31m"
    text = show(TextToVideo(prompt=hidden))
    assert not set(hidden) & set(text) - set("abcd[31m")


def test_each_run_is_a_task_of_its_own():
    first, second = export_request.to_curl(STORYBOARD), export_request.to_python(STORYBOARD)
    assert "ours" not in first + second
    assert "studio.example" not in first + second


@contextmanager
def sandbox() -> Iterator[str]:
    command = [sys.executable, "-m", "kling.sandbox", "--clips", "tiny", "--pace", "immediate", "--strict"]
    command += ["--retired", "serve"]  # only an old model takes camera_control
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **SECRETS},
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().removeprefix("Kling sandbox: ").strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with sandbox() as url:
        yield url


def run(command: list[str], address: str, keys: dict[str, str], folder: Path) -> str:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI", "http"))}
    environment = {**bare, **keys, "KLINGAI_BASE_URL": f"{address}/"}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS.values())
    return done.stdout


def last_body(address: str) -> dict[str, Any]:
    journal = http.get(f"{address}/_sandbox/journal", timeout=120).json()
    created: list[dict[str, Any]] = [entry["body"] for entry in journal if entry.get("method") == "POST"]
    return created[-1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("keys", [BY_KEY, BY_PAIR], ids=["key", "pair"])
@pytest.mark.parametrize("request_", [STORYBOARD, CAMERA], ids=["storyboard", "camera"])
def test_the_curl_command_makes_the_task_that_it_describes(request_, keys, address, tmp_path):
    answer = json.loads(run(["bash", "-c", export_request.to_curl(request_)], address, keys, tmp_path))
    assert (answer["code"], answer["data"]["task_status"]) == (0, "submitted")
    sent = last_body(address)
    assert answer["data"]["task_info"]["external_task_id"] == sent.pop("external_task_id")
    assert sent == asked(request_)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_code_for_the_newer_api_runs_with_its_key(address, tmp_path):
    answer = json.loads(run(["bash", "-c", export_request.to_curl(TURBO)], address, BY_KEY, tmp_path))
    assert (answer["code"], answer["data"]["status"]) == (0, "submitted")
    (tmp_path / "clip.py").write_text(export_request.to_python(TURBO), encoding="utf-8")
    run([sys.executable, "clip.py"], address, BY_KEY, tmp_path)
    sent = last_body(address)
    del sent["options"]["external_task_id"]
    assert sent == sent_body(TURBO)
    assert len(list(tmp_path.glob("*.mp4"))) == 1


@pytest.mark.parametrize("keys", [BY_KEY, BY_PAIR], ids=["key", "pair"])
def test_the_program_makes_the_task_that_it_describes_and_saves_its_video(keys, address, tmp_path):
    program = tmp_path / "clip.py"
    program.write_text(export_request.to_python(STORYBOARD), encoding="utf-8")
    said = run([sys.executable, str(program)], address, keys, tmp_path)
    sent = last_body(address)
    task = sent.pop("external_task_id")
    assert sent == asked(STORYBOARD)
    assert f"task {task}" in said
    assert (tmp_path / f"{task}.mp4").read_bytes()[4:8] == b"ftyp"
    # followed by its id, it creates no other
    (tmp_path / f"{task}.mp4").unlink()
    run([sys.executable, str(program), task], address, keys, tmp_path)
    assert (tmp_path / f"{task}.mp4").exists()
    assert last_body(address)["external_task_id"] == task


def test_a_lost_answer_of_the_program_is_looked_up_and_not_sent_again(tmp_path):
    program = tmp_path / "clip.py"
    program.write_text(export_request.to_python(CAMERA), encoding="utf-8")
    with sandbox() as address:
        plan = {"on": "create", "fault": "html-502", "accept": True}
        assert http.post(f"{address}/_sandbox/plan", json=plan, timeout=120).status_code == 200
        said = run([sys.executable, str(program)], address, BY_KEY, tmp_path)
        accepted = http.get(f"{address}/_sandbox/accepted", timeout=120).json()
    assert "looking it up" in said
    assert len(list(tmp_path.glob("*.mp4"))) == 1
    assert str(accepted).count("python-") == 1
