"""The program: what it prints, what it draws, how it stops, and what it leaves behind."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import av
import pytest
import requests

from kling.sandbox.__main__ import main
from kling.sandbox.auth import API_KEY, SECRET_KEY, Keys
from kling.sandbox.callbacks import signature
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.options import parse_options, settings, warning

PROGRAM = [sys.executable, "-m", "kling.sandbox"]
REQUEST = {"model_name": "kling-v2-6", "prompt": "A fox in the snow"}
PATIENCE = 60  # seconds; a worker that draws has the lowest priority on a busy machine


class Running:
    """A sandbox of its own process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.url = process.stdout.readline().removeprefix("Kling sandbox: ").strip()
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy and no certificates but our own
        self.session.headers["Authorization"] = f"Bearer {API_KEY}"

    def create(self, **fields: Any) -> Any:
        return self.session.post(self.url + TEXT_TO_VIDEO, json=REQUEST | fields, timeout=120).json()

    def task(self, either_id: str) -> Any:
        return self.session.get(f"{self.url}{TEXT_TO_VIDEO}/{either_id}", timeout=120).json()["data"]

    def finished(self, either_id: str) -> Any:
        def done() -> Any:
            task = self.task(either_id)
            return task if task["task_status"] in {"succeed", "failed"} else None

        return until(done)


@contextmanager
def running(*options, **environment):
    pipe = subprocess.PIPE
    where = os.environ | environment
    process = subprocess.Popen([*PROGRAM, *options], stdin=pipe, stdout=pipe, text=True, env=where)
    sandbox = Running(process)
    try:
        yield sandbox
    finally:
        sandbox.session.close()
        process.kill()
        process.communicate()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux")


def test_it_says_where_it_is_and_how_to_connect_and_draws_a_tiny_clip():
    with running("--clips", "tiny", "--pace", "immediate") as sandbox:
        said = [sandbox.process.stdout.readline().strip() for _ in range(4)]
        assert said[0] == f"KLINGAI_BASE_URL={sandbox.url}"
        assert f"KLINGAI_SECRET_KEY={SECRET_KEY}" in said
        assert f"KLINGAI_API_KEY={API_KEY}" in said
        sandbox.create(external_task_id="mine", mode="pro", sound="on", aspect_ratio="9:16", duration="10")
        video = sandbox.finished("mine")["task_result"]["videos"][0]
        clip = sandbox.session.get(video["url"], timeout=120).content
        with av.open(io.BytesIO(clip), "r") as file:
            assert (file.duration or 0) / av.time_base == pytest.approx(10, abs=0.1)
            assert file.streams.video[0].width < file.streams.video[0].height
            assert len(file.streams.audio) == 1
        sandbox.process.send_signal(signal.SIGINT)
        assert sandbox.process.wait(120) == 0


def test_a_drawn_clip_is_as_ordered():
    pytest.importorskip("kling.sandbox.renderer")
    with running("--pace", "immediate") as sandbox:
        square = {"model_name": "kling-v3", "duration": "3", "aspect_ratio": "1:1"}  # the fewest pixels
        assert sandbox.create(external_task_id="mine", **square)["code"] == 0
        video = sandbox.finished("mine")["task_result"]["videos"][0]
        with av.open(io.BytesIO(sandbox.session.get(video["url"], timeout=120).content), "r") as file:
            assert (file.streams.video[0].width, file.streams.video[0].height) == (720, 720)
            assert (file.duration or 0) / av.time_base == pytest.approx(3, abs=0.1)
            assert len(file.streams.audio) == 0


def test_keys_from_the_environment_work_and_are_not_printed():
    keys = {"SANDBOX_ACCESS_KEY": "mine", "SANDBOX_SECRET_KEY": "s" * 40, "SANDBOX_API_KEY": "api-key-mine"}
    with running("--clips", "tiny", **keys) as sandbox:
        assert sandbox.create()["code"] == 1002
        sandbox.session.headers["Authorization"] = "Bearer api-key-mine"
        assert sandbox.create()["code"] == 0
        sandbox.process.send_signal(signal.SIGTERM)
        said, _ = sandbox.process.communicate(timeout=120)
        assert sandbox.process.returncode == 0
        assert not any(value in said for value in keys.values())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for a certificate")
def test_it_speaks_https_to_clients_that_insist_on_it(tmp_path):
    pem = tmp_path / "certificate.pem"
    make = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        pem,
        "-out",
        tmp_path / "c.pem",
    ]
    names = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *names], check=True, capture_output=True)
    pem.write_text(pem.read_text() + (tmp_path / "c.pem").read_text())
    with running("--clips", "tiny", "--pace", "immediate", "--tls-certificate", str(pem)) as sandbox:
        sandbox.session.verify = str(tmp_path / "c.pem")
        sandbox.create(external_task_id="mine")
        url = sandbox.finished("mine")["task_result"]["videos"][0]["url"]
        assert url.startswith("https://127.0.0.1:")
        assert sandbox.session.get(url, timeout=120).status_code == 200


def test_callbacks_are_delivered_and_signed():
    secret = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append((json.loads(body)["task_status"], self.headers, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with running("--clips", "tiny", "--pace", "seconds:1", SANDBOX_CALLBACK_SECRET=secret) as sandbox:
            sandbox.create(callback_url=f"http://localhost:{server.server_port}/callbacks")
            until(lambda: len(heard) == 3)
        server.shutdown()
    assert [status for status, _, _ in heard] == ["submitted", "processing", "succeed"]
    for _, headers, body in heard:
        signed = signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == signed


@needs_proc
def test_tasks_go_on_after_it_was_killed_and_nothing_outlives_it(tmp_path):
    with running("--clips", "tiny", "--pace", "seconds:1", "--data", str(tmp_path)) as sandbox:
        done = sandbox.create(external_task_id="done")["data"]["task_id"]
        workers = until(lambda: children(sandbox.process.pid))
        sandbox.finished("done")
        sandbox.create(external_task_id="running")
        sandbox.process.kill()
        until(lambda: not any(map(alive, workers)))
    with running("--clips", "tiny", "--data", str(tmp_path)) as sandbox:
        assert sandbox.task("done")["task_id"] == done
        assert sandbox.finished("running")["task_status"] == "succeed"
        assert sandbox.create(external_task_id="running")["code"] == 1201


@needs_proc
def test_a_child_ends_with_its_parent():
    with running("--child", "--clips", "tiny") as sandbox:
        assert os.getpriority(os.PRIO_PROCESS, sandbox.process.pid) >= 10
        workers = until(lambda: children(sandbox.process.pid))
        sandbox.process.stdin.close()
        assert sandbox.process.wait(120) == 0
        until(lambda: not any(map(alive, workers)))
        sandbox.process.stdin = None


@needs_proc
def test_a_worker_that_is_killed_is_replaced_and_its_clip_drawn():
    with running("--clips", "tiny", "--pace", "immediate") as sandbox:
        (worker,) = until(lambda: children(sandbox.process.pid))[:1]
        os.kill(worker, signal.SIGKILL)
        sandbox.create(external_task_id="mine")
        assert sandbox.finished("mine")["task_status"] == "succeed"


def test_two_on_one_data_folder_is_one_too_many(tmp_path, capsys):
    with running("--data", str(tmp_path), "--clips", "tiny"):
        assert main(["--data", str(tmp_path)]) == 1
        assert "another sandbox uses it" in capsys.readouterr().err


WRONG = [
    ["--pace", "fast"],
    ["--concurrency", "0"],
    ["--units", "-1"],
    ["--clips", "big"],
    ["--lag", "-1"],
    ["--duplicates", "maybe"],
    ["--fault", "fire"],
    ["--callback-secret", "whsec_?"],
    ["--unknown"],
]


@pytest.mark.parametrize("options", WRONG)
def test_wrong_options_are_explained(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert options[0] in capsys.readouterr().err


def test_it_warns_where_others_can_reach_it_with_a_well_known_key():
    assert warning(parse_options(["--host", "0.0.0.0"]))
    assert warning(parse_options(["--host", "0.0.0.0", "--access-key", "mine"]))
    assert not warning(parse_options(["--host", "0.0.0.0", "--api-key", "mine"]))
    assert not warning(parse_options([]))


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ([], Keys()),
        (["--api-key", "mine"], Keys(access_key="", secret_key="", api_key="mine")),
        (["--access-key", "a", "--secret-key", "s"], Keys(access_key="a", secret_key="s", api_key="")),
        (["--secret-key", "s"], Keys(secret_key="s", api_key="")),
    ],
)
def test_keys_of_ones_own_switch_the_well_known_ones_off(options, keys):
    assert settings(parse_options(options)).keys == keys


def test_options_become_settings():
    given = settings(parse_options([]))
    assert (given.retired, given.lag, given.duplicates, given.faults) == ("refuse", 0, "refuse", frozenset())
    options = ["--retired", "serve", "--lag", "18.5", "--duplicates", "accept"]
    given = settings(parse_options([*options, "--fault", "cash", "--fault", "status-succeeded"]))
    assert (given.retired, given.lag, given.duplicates) == ("serve", 18.5, "accept")
    assert given.faults == {"cash", "status-succeeded"}


def test_every_option_is_explained(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for option in (
        "host",
        "port",
        "access-key",
        "secret-key",
        "api-key",
        "concurrency",
        "units",
        "pace",
        "clips",
    ):
        assert f"--{option}" in said
    assert "$SANDBOX_PACE" in said
    assert "$SANDBOX_CLIPS" in said
    for option in (
        "lag",
        "duplicates",
        "fault",
        "retired",
        "strict",
        "data",
        "child",
        "callbacks",
        "callback-secret",
        "tls-key",
    ):
        assert f"--{option}" in said
