"""`python -m kling.sandbox`: start the sandbox and say how to connect to it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from types import FrameType

import jwt.warnings
import uvicorn

from kling.sandbox.auth import ACCESS_KEY, API_KEY, SECRET_KEY, Keys
from kling.sandbox.clips import Clips
from kling.sandbox.engine import Engine, Settings
from kling.sandbox.loopback import is_loopback
from kling.sandbox.pace import FORMS, parse_pace
from kling.sandbox.server import Door
from kling.sandbox.store import Store

_KEYS = {
    "access_key": ("SANDBOX_ACCESS_KEY", ACCESS_KEY),
    "secret_key": ("SANDBOX_SECRET_KEY", SECRET_KEY),
    "api_key": ("SANDBOX_API_KEY", API_KEY),
}
_STOP_SECONDS = 2
_KEEP_ALIVE_SECONDS = 75  # longer than any pause between two polls, which would meet a closing connection


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox until Ctrl-C, SIGTERM or, as a child, the end of stdin; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.child and hasattr(os, "nice"):
        os.nice(10)
    signal.signal(signal.SIGTERM, _end)
    warnings.filterwarnings(
        "ignore", category=jwt.warnings.InsecureKeyLengthWarning
    )  # the operator's own choice
    with contextlib.ExitStack() as stack:
        folder = Path(
            options.data or stack.enter_context(tempfile.TemporaryDirectory(prefix="kling-sandbox-"))
        )
        try:
            (folder / "clips").mkdir(parents=True, exist_ok=True)
            store = Store(str(folder / "sandbox.sqlite"))
        except (OSError, sqlite3.Error) as error:
            sys.stderr.write(
                f"The data folder {folder} cannot be used, or another sandbox uses it: {error}\n"
            )
            return 1
        stack.callback(store.close)
        engine = Engine(store, _settings(options), time.time())
        clips = Clips(folder=folder / "clips", style=options.clips)
        secret = options.callback_secret or os.environ.get("SANDBOX_CALLBACK_SECRET", "")
        door = Door(engine, clips, secret=secret, anywhere=options.callbacks == "anywhere")
        server = _Server(door, options)
        if options.child:
            threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(server.serve())
    return 0


class _Server(uvicorn.Server):
    """Says its address as soon as it accepts connections, and not before."""

    def __init__(self, door: Door, options: argparse.Namespace) -> None:
        config = uvicorn.Config(
            door.app,
            host=options.host,
            port=options.port,
            lifespan="on",
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            ssl_certfile=options.tls_certificate,
            ssl_keyfile=options.tls_key,
        )
        super().__init__(config)
        self._options = options

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            host = "127.0.0.1" if self.config.host in {"0.0.0.0", "::", ""} else self.config.host  # noqa: S104
            host = f"[{host}]" if ":" in host else host
            scheme = "https" if self._options.tls_certificate else "http"
            sys.stdout.write("\n".join(_greeting(f"{scheme}://{host}:{port}", self._options)) + "\n")
            sys.stdout.flush()
            if not is_loopback(self.config.host) and _settings(self._options).keys == Keys():
                sys.stderr.write(
                    "Other machines can reach this sandbox, and its keys are the well-known ones.\n"
                )


def _greeting(url: str, options: argparse.Namespace) -> list[str]:
    lines = [f"Kling sandbox: {url}", f"KLINGAI_BASE_URL={url}"]
    if any(name in os.environ for name, _ in _KEYS.values()):
        return [*lines, "Keys: from the environment"]
    keys = _settings(options).keys
    return [
        *lines,
        f"KLINGAI_ACCESS_KEY={keys.access_key}",
        f"KLINGAI_SECRET_KEY={keys.secret_key}",
        f"KLINGAI_API_KEY={keys.api_key}",
    ]


def _settings(options: argparse.Namespace) -> Settings:
    keys = {name: getattr(options, name) or os.environ.get(*_KEYS[name]) or "" for name in _KEYS}
    return Settings(
        keys=Keys(**keys),
        concurrency=options.concurrency,
        units=options.units,
        pace=options.pace,
        retired=options.retired,
        strict=options.strict,
    )


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_with_parent(server: uvicorn.Server) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    server.should_exit = True
    time.sleep(_STOP_SECONDS + 3)
    os._exit(1)  # whatever holds it, it must not outlive its parent


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kling.sandbox",
        description="A local service that speaks Kling's text-to-video API and draws real MP4s, for free.",
        epilog="The first line it prints is its address; the next ones are the variables to connect with."
        " A prompt with the word sandbox-1301, or any other code of the API, gets that answer; with"
        " sandbox-failed its task fails later. More can be planned under /_sandbox/ (control.py says what);"
        " faults that need a raw socket go through python -m kling.sandbox.proxy.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine only)")
    add("--port", type=int, default=0, help="port to listen on (default: a free one)")
    add("--access-key", help=f"access key of the account (default: $SANDBOX_ACCESS_KEY or {ACCESS_KEY})")
    add("--secret-key", help=f"secret key, at least 32 bytes (default: $SANDBOX_SECRET_KEY or {SECRET_KEY})")
    add("--api-key", help=f"API key of the account (default: $SANDBOX_API_KEY or {API_KEY})")
    add("--concurrency", type=_positive, default=20, help="tasks in flight per model (default: %(default)s)")
    add(
        "--units",
        type=float,
        default=None,
        help="Units in the pack bought at the start (default: no pack, no limit)",
    )
    add("--pace", type=_pace, default="default", help=f"how fast tasks go: {FORMS} (default: done after 3 s)")
    add(
        "--clips",
        choices=("drawn", "tiny"),
        default="drawn",
        help="a drawn clip per task, or one tiny ready-made one",
    )
    add(
        "--retired",
        choices=("serve", "refuse"),
        default="serve",
        help="models that Kling retired (default: serve)",
    )
    add(
        "--strict",
        action="store_true",
        help="refuse unknown keys, integer durations and a missing Content-Type",
    )
    add(
        "--callbacks",
        choices=("loopback", "anywhere"),
        default="loopback",
        help="hosts that callbacks may go to",
    )
    add(
        "--callback-secret",
        help="whsec_… to sign callbacks with (default: $SANDBOX_CALLBACK_SECRET or unsigned)",
    )
    add(
        "--tls-certificate",
        metavar="FILE",
        help="serve https, for clients that insist on it: a PEM certificate",
    )
    add("--tls-key", metavar="FILE", help="the certificate's key, if it is not in the same file")
    add("--data", metavar="DIR", help="keep tasks and clips here (default: a temporary folder)")
    add("--child", action="store_true", help="for a parent process: be nice, and end when stdin ends")
    return parser


def _pace(text: str) -> object:
    try:
        return parse_pace(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
