"""A real server of a studio without a sign-in: what proxies and attackers get from it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.pages.conftest import ROOT

HANDLES = 1024  # that the server may have open
NGINX = """
daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{front}; location / {{ proxy_pass http://127.0.0.1:{back}; }} }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
  storage file_system {folder}
}}
http://127.0.0.1:{front} {{
  reverse_proxy 127.0.0.1:{back}
}}
"""
FORWARDER = """
import asyncio, sys
async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def through(reader, writer):
    there = await asyncio.open_connection("127.0.0.1", {back})
    await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
async def main():
    async with await asyncio.start_server(through, "127.0.0.1", {front}) as server:
        await server.serve_forever()
asyncio.run(main())
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until it listens at a port, and then for as long as the context lasts."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean | {"STUDIO_DATA_DIR": str(log.parent)}, stdout=output, stderr=output
        )
        try:
            deadline = time.monotonic() + 180
            while time.monotonic() < deadline and process.poll() is None:
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                time.sleep(0.02)
            yield process
        finally:
            process.terminate()
            process.wait(120)


@dataclass
class Server:
    port: int
    log: Path
    process: int = 0

    @property
    def memory(self) -> int:
        """Megabytes that it has now."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) // 1024

    def connect(self, data: bytes = b"") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        opened.sendall(data)
        return opened

    def status(self, path: str = "/_stcore/health") -> int:
        with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=120) as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    here = Server(free_port(), tmp_path_factory.mktemp("studio") / "log")
    program = f"ulimit -n {HANDLES}; exec {sys.executable} -m streamlit run app.py --server.port {here.port}"
    with running(["bash", "-c", program], here.port, here.log) as process:
        here.process = process.pid
        yield here


def refusal_of(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:
            return int(answer.status), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def program_of(kind: str, folder: Path, front: int, back: int) -> list[str]:
    file = folder / kind
    if kind == "nginx":
        file.write_text(NGINX.format(folder=folder, front=front, back=back))
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(file), "-p", str(folder)]
    if kind == "caddy":
        file.write_text(CADDY.format(folder=folder, front=front, back=back))
        return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    file.write_text(FORWARDER.replace("{front}", str(front)).replace("{back}", str(back)))
    return [sys.executable, str(file)]


@pytest.mark.parametrize("kind", ["nginx", "caddy", "a forwarded port"])
def test_proxies_as_they_are_by_default_are_refused_in_words(server: Server, tmp_path: Path, kind: str):
    if kind == "nginx" and not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.skip("nginx is not installed")
    if kind == "caddy" and not shutil.which("caddy"):
        pytest.skip("caddy is not installed")
    front = free_port()
    with running(program_of(kind, tmp_path, front, server.port), front, tmp_path / "log"):
        status, words = refusal_of(f"http://127.0.0.1:{front}/")
    assert status == 403
    assert "This studio has no sign-in" in words


def test_a_browser_of_this_machine_gets_the_page(server: Server):
    assert server.status("/") == 200
    with connect(
        f"ws://localhost:{server.port}/live", origin=Origin(f"http://localhost:{server.port}")
    ) as page:
        assert json.loads(page.recv(timeout=120))["version"] >= 0


def test_seventy_kilobytes_of_headers_are_refused(server: Server):
    opened = server.connect(f"GET / HTTP/1.1\r\nHost: localhost:{server.port}\r\n".encode())
    answer = b""
    with opened, contextlib.suppress(ConnectionError):
        for _ in range(70):
            opened.sendall(b"X-More: " + b"x" * 1014 + b"\r\n")
        opened.sendall(b"\r\n")
        answer = opened.recv(4096)
    assert b" 200 " not in answer
    assert server.status() == 200


def test_more_half_requests_than_it_has_handles_keep_nobody_out(server: Server):
    with contextlib.ExitStack() as stack:
        for _ in range(HANDLES + 100):
            stack.enter_context(server.connect(b"GET / HTTP/1.1\r\n"))
        assert server.status() == 200
        assert server.status("/") == 200


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="says what memory a process has")
def test_messages_that_never_end_do_not_fill_the_memory(server: Server):
    before, most = server.memory, 19 * 2**20
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            page = stack.enter_context(connect(f"ws://localhost:{server.port}/live", close_timeout=0.01))
            with contextlib.suppress(OSError):  # it is dropped while it still sends
                page.socket.sendall(b"\x82\xff" + (most + 1).to_bytes(8) + bytes(4 + most))
        assert server.memory - before < 200
        assert server.status() == 200


def test_a_text_frame_closes_its_socket_and_logs_no_traceback(server: Server):
    for path in ("/_stcore/stream", "/live"):
        with connect(f"ws://localhost:{server.port}{path}") as page:
            page.send("hello")
            with contextlib.suppress(ConnectionClosed):
                while page.recv(timeout=120):
                    pass
            assert page.close_code == 1003
    assert "Traceback" not in server.log.read_text(encoding="utf-8")


def test_a_body_that_nobody_takes_is_refused_before_it_arrives(server: Server):
    head = f"Host: localhost:{server.port}\r\nContent-Length: 209715200\r\n\r\n"
    for method, path, status in (("PUT", "/_stcore/upload_file/a/b", 404), ("PUT", "/pictures", 413)):
        with server.connect(f"{method} {path} HTTP/1.1\r\n{head}".encode()) as opened:
            assert f" {status} ".encode() in opened.recv(4096)
