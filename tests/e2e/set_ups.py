"""The set-ups of README, done as written: only names of hosts, ports, files and secrets are replaced."""

from __future__ import annotations

import http.client
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOST = "studio.example.com"
PATIENCE = 180.0  # seconds for something to start


def block(title: str) -> str:
    """Return the code in README below a comment with this title."""
    found = re.search(rf"<!-- {re.escape(title)} -->\n```\w+\n(.*?)\n```\n", README, re.DOTALL)
    assert found, f"README has no block {title}"
    return found[1]


def replaced(text: str, values: Mapping[str, str]) -> str:
    """Return a block with other names; each of them has to be there."""
    for old, new in values.items():
        assert old in text, f"README does not say {old!r} any more"
        text = text.replace(old, new)
    return text


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of the host and its key; return both files."""
    pem, key = folder / "studio.pem", folder / "studio.key"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*command, "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True)
    return pem, key


# -- processes ---------------------------------------------------------------------------------------------


@contextmanager
def running(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program; its output goes into a file, because nobody would read a pipe."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **more
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a port is served."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.02)
    raise AssertionError(log.read_text(errors="replace"))


@dataclass
class Studio:
    """A studio that was started by the lines of a shell.

    Args:
        script: the block of README, with other names.
        folder: it keeps data and output there.
        environment: further settings.
        port: that it listens at.
        printed: what the commands before the start printed.
    """

    script: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    printed: str = ""

    @property
    def log(self) -> Path:
        return self.folder / "studio.log"

    @contextmanager
    def run(self) -> Iterator[subprocess.Popen[bytes]]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KLINGAI_", "STUDIO_", "STREAMLIT_"))
        }
        env = {**clean, "STUDIO_DATA_DIR": str(self.folder / "data"), **self.environment}
        for line in self.script.splitlines():
            name, *arguments = shlex.split(line, comments=True) or [""]
            if name == "export":
                env |= dict(pair.split("=", 1) for pair in arguments)
            elif name == "python":
                command = [sys.executable, *arguments]
                done = subprocess.run(
                    command, cwd=ROOT, env=env, input="", capture_output=True, text=True, check=True
                )
                self.printed += done.stdout
            elif name == "streamlit":
                command = [sys.executable, "-m", name, *arguments, "--server.port", str(self.port)]
                with running(command, self.log, cwd=ROOT, env=env) as process:
                    yield process


@contextmanager
def nginx(server: str, folder: Path, port: int) -> Iterator[None]:
    """Run nginx with the block of README inside of `http`."""
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; {user} pid {folder}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{server}\n}}\n"
    )
    log = folder / "nginx.log"
    with running(["nginx", "-e", "stderr", "-c", str(config)], log) as process:
        answers(port, process, log)
        yield


@contextmanager
def caddy(site: str, folder: Path, port: int) -> Iterator[None]:
    """Run Caddy with the block of README, without its control port and its redirects from port 80."""
    config = folder / "Caddyfile"
    config.write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{site}\n")
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    log = folder / "caddy.log"
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    with running(command, log, env={**os.environ, **homes}) as process:
        answers(port, process, log)
        yield


@contextmanager
def http_server(answer: Callable[[BaseHTTPRequestHandler], None], port: int) -> Iterator[None]:
    """Serve GET requests by a function."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


# -- a browser of a person ---------------------------------------------------------------------------------


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str


@dataclass
class Visitor:
    """Somebody with a browser that keeps cookies, at the studio's own address.

    Args:
        port: of the proxy.
        pem: the certificate that the browser trusts.
        headers: that it always sends.
        cookies: that it has; those of the studio's host only.
        set_cookies: as they came.
        seen: all that came, on sockets too.
    """

    port: int
    pem: Path
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, **form: str) -> Answer:
        return self.ask("POST", path, urlencode(form))

    def ask(self, method: str, path: str, body: str | None = None) -> Answer:
        """Ask the studio. Redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.sock = self._socket()
        headers = {"Host": f"{HOST}:{self.port}", "Accept": "text/html", **self.headers}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        if self.cookies:
            headers["Cookie"] = self._cookie
        connection.request(method, path, body, headers)
        came = connection.getresponse()
        answer = Answer(came.status, came.headers, came.read().decode(errors="replace"))
        connection.close()
        self.seen.append(f"{came.headers}{answer.text}".encode())
        for line in came.headers.get_all("Set-Cookie", []):
            self.set_cookies.append(line)
            for name, cookie in SimpleCookie(line).items():
                self.cookies[name] = cookie.value
        return answer

    def follow(self, path: str) -> Answer:
        """Ask, and follow redirects within the studio."""
        answer = self.get(path)
        for _ in range(5):
            if answer.status not in {302, 303, 307}:
                break
            target = urlsplit(urljoin(self.origin + path, answer.headers["Location"]))
            assert target.netloc in {"", f"{HOST}:{self.port}"}, target
            path = f"{target.path}?{target.query}" if target.query else target.path
            answer = self.get(path)
        return answer

    def open_socket(self, path: str) -> ClientConnection:
        """Open a WebSocket as a page of the studio does."""
        opened: ClientConnection = connect(
            f"wss://{HOST}:{self.port}{path}",
            sock=self._plain(),
            ssl=self._trust(),
            server_hostname=HOST,
            origin=Origin(self.origin),
            max_size=2**25,
            additional_headers={"Cookie": self._cookie, **self.headers},
        )
        return opened

    def run_page(self, stream: ClientConnection, name: str, **values: str) -> dict[str, str]:
        """Run a page on Streamlit's socket.

        Args:
            stream: the socket.
            name: of the page, empty for the first.
            values: what is typed, by the id of a text area; a button's id stands with an empty text.

        Returns:
            The ids of its text areas and buttons by their labels.
        """
        script = BackMsg().rerun_script
        script.page_name = name
        for widget, value in values.items():
            if value:
                script.widget_states.widgets.add(id=widget, string_value=value)
            else:
                script.widget_states.widgets.add(id=widget, trigger_value=True)
        message = BackMsg()
        message.rerun_script.CopyFrom(script)
        stream.send(message.SerializeToString())
        ids: dict[str, str] = {}
        while True:
            frame = stream.recv(timeout=PATIENCE)
            assert isinstance(frame, bytes)
            self.seen.append(frame)
            came = ForwardMsg.FromString(frame)
            element = came.delta.new_element
            for widget in (element.text_area, element.button):
                if widget.label:
                    ids[widget.label] = widget.id
            if came.WhichOneof("type") == "script_finished":
                return ids

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _plain(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 30)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.pem))

    def _socket(self) -> ssl.SSLSocket:
        return self._trust().wrap_socket(self._plain(), server_hostname=HOST)
