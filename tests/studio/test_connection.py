"""The sandbox as a child process: real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from kling import webhooks
from kling.auth import ApiKey
from kling.client import Client
from kling.errors import BadRequest, DownloadFailed, InvalidRequest, NotSent
from kling.studio import connection as module
from kling.studio.connection import KlingConnection, SandboxConnection, connect
from kling.studio.settings import Settings
from kling.text_to_video import TextToVideo

ROOT = Path(__file__).parents[2]
FOX = TextToVideo(prompt="A fox in the snow")
TINY = ("--clips", "tiny")
PARENT = """
import sys
from pathlib import Path
from kling.studio.connection import SandboxConnection
connection = SandboxConnection(Path(sys.argv[1]), arguments=("--clips", "tiny"))
connection.start()
connection.client()
print(connection.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxConnection]:
    connection = SandboxConnection(tmp_path, arguments=TINY)
    connection.start()
    yield connection
    connection.stop()


def pid_of(connection: SandboxConnection) -> int:
    assert connection.pid is not None
    return connection.pid


def ended(pid: int, within: float = 10) -> bool:
    """Whether a process that is not our child ends in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    try:
        return bool(select.select([handle], [], [], within)[0])
    finally:
        os.close(handle)


def test_the_settings_choose_the_account(tmp_path):
    assert connect(Settings(data_dir=tmp_path)).is_sandbox
    kling = connect(Settings(data_dir=tmp_path, credentials=ApiKey("key")))
    assert isinstance(kling, KlingConnection)
    assert kling.client().base_url == "https://api-singapore.klingai.com"
    kling.stop()


def test_an_account_of_klings_is_not_asked_for_a_retired_model(tmp_path):
    kling = connect(Settings(data_dir=tmp_path, credentials=ApiKey("key"), base_url="http://127.0.0.1:9"))
    with pytest.raises(InvalidRequest, match=r"Kling retired Kling 1\.0"):
        kling.client().create(TextToVideo(prompt="A fox", model_name="kling-v1"))
    kling.stop()


def test_the_hosts_that_the_operator_trusts_reach_the_client(tmp_path):
    settings = Settings(data_dir=tmp_path, credentials=ApiKey("key"))
    for hosts, error in ((frozenset[str](), DownloadFailed), (frozenset({"127.0.0.1"}), NotSent)):
        kling = connect(replace(settings, video_hosts=hosts))
        with pytest.raises(error):
            kling.client().can_fetch("https://127.0.0.1:9/v.mp4")
        kling.stop()


def test_the_sandbox_decides_about_retired_models_by_itself(tmp_path):
    for asked, problem in ((("--retired", "refuse"), "discontinued"), (("--retired", "serve"), None)):
        connection = SandboxConnection(tmp_path / asked[1], arguments=(*TINY, *asked))
        connection.start()
        request = TextToVideo(prompt="A fox", model_name="kling-v1")
        try:
            if problem:
                with pytest.raises(BadRequest, match=problem):
                    connection.client().create(request)
            else:
                assert connection.client().create(request).task_id
        finally:
            connection.stop()


def test_the_sandbox_starts_answers_comes_back_when_killed_and_ends_when_stopped(sandbox, monkeypatch):
    monkeypatch.setattr(module, "RESTART_PAUSES", (0.0,))
    task = sandbox.client().create(FOX)
    first = pid_of(sandbox)
    old = sandbox.client()
    os.kill(first, signal.SIGKILL)
    assert ended(first)
    while (client := sandbox.client()) is old:  # until the supervisor has seen it
        threading.Event().wait(0.01)
    assert client.get(task.task_id).task_id == task.task_id, "tasks outlive their sandbox"
    second = pid_of(sandbox)
    assert second != first
    sandbox.stop()
    assert sandbox.pid is None
    with pytest.raises(NotSent, match="not running"):
        sandbox.client()


def test_the_sandbox_sleeps_until_it_is_used(tmp_path):
    connection = SandboxConnection(tmp_path, arguments=TINY, sleep=3600)
    connection.start()
    before = connection.is_asleep, connection.pid
    assert not connection.client().list()
    assert before == (True, None)
    assert connection.is_asleep is False
    connection.stop()


def test_the_sandbox_wakes_up_by_itself(tmp_path):
    connection = SandboxConnection(tmp_path, arguments=TINY, sleep=0.01)
    connection.start()
    while connection.pid is None:
        threading.Event().wait(0.01)
    assert not connection.is_asleep
    connection.stop()
    assert connection.pid is None


def test_a_sandbox_that_is_stopped_asleep_was_never_started(tmp_path, monkeypatch):
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **_: started.append(arguments))
    connection = SandboxConnection(tmp_path, sleep=3600)
    connection.start()
    connection.stop()
    with pytest.raises(NotSent, match="not running"):
        connection.client()
    assert started == []


def test_a_stop_in_the_moment_of_the_start_leaves_no_process(tmp_path, monkeypatch):
    popen = subprocess.Popen
    connection = SandboxConnection(tmp_path, arguments=TINY, sleep=0)
    started: list[subprocess.Popen[str]] = []

    def slow(*arguments, **options):
        stopping.start()
        with pytest.raises(NotSent):  # from the moment when `stop` has begun
            connection.client()
        started.append(popen(*arguments, **options))
        return started[0]

    stopping = threading.Thread(target=connection.stop)
    monkeypatch.setattr(subprocess, "Popen", slow)
    connection.start()
    while not stopping.ident:  # until the process is being started
        threading.Event().wait(0.01)
    stopping.join(120)
    assert not stopping.is_alive()
    assert started[0].returncode is not None


def test_a_sandbox_that_cannot_start_is_told_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "READY_WITHIN", 0.01)
    connection = SandboxConnection(tmp_path, arguments=("--no-such-option",))
    connection.start()
    with pytest.raises(NotSent, match="not running"):
        connection.client()
    connection.stop()


def test_whatever_hinders_a_start_the_sandbox_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    pids: list[int] = []

    def once(*arguments: Any, **more: Any) -> Client:
        pids.append(pid_of(connection))
        if len(pids) == 1:
            raise ImportError("cannot import name 'x' from partially initialized module 'y'")
        return Client(*arguments, **more)

    connection = SandboxConnection(tmp_path, arguments=TINY)
    monkeypatch.setattr(module, "Client", once)
    connection.start()
    assert connection.client().create(FOX).task_id
    connection.stop()
    assert ended(pids[0])
    assert "could not be started" in caplog.text


def test_the_sandbox_ends_with_a_parent_that_is_killed(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait(120)
        try:
            assert ended(child)
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def test_keys_are_in_no_command_line_nor_the_secret_of_callbacks_in_an_environment_and_it_signs(tmp_path):
    secret = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="
    sandbox = SandboxConnection(tmp_path, arguments=TINY, webhook_secret=secret)
    sandbox.start()
    got: Queue[tuple[Message, bytes]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}/callbacks"
            sandbox.client().create(TextToVideo(prompt="A fox", callback_url=address))
            headers, body = got.get(timeout=120)
            webhooks.verify(secret, dict(headers.items()), body, time.time())
            process = Path(f"/proc/{pid_of(sandbox)}")
            command, variables = (process / "cmdline").read_text(), (process / "environ").read_text()
            assert "whsec" not in command + variables
            environment = dict(entry.partition("=")[::2] for entry in variables.split("\0"))
            assert "kling.sandbox" in command
            assert len(environment["SANDBOX_API_KEY"]) > 40
            assert environment["SANDBOX_API_KEY"] not in command
        finally:
            server.shutdown()
            thread.join()
            sandbox.stop()
