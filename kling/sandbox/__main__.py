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

from kling.sandbox.app import SandboxApp
from kling.sandbox.clips import Clips
from kling.sandbox.engine import Engine
from kling.sandbox.loopback import is_loopback
from kling.sandbox.options import greeting, parse_options, settings, warning
from kling.sandbox.store import Store

_STOP_SECONDS = 2
_KEEP_ALIVE_SECONDS = 75  # longer than any pause between two polls: a poll must not meet a closing connection


def main(arguments: list[str] | None = None) -> int:
    """Run the sandbox until Ctrl-C, SIGTERM or, as a child, the end of stdin; return the exit code."""
    options = parse_options(arguments)
    if options.callback_secret_from_stdin:
        options.callback_secret = sys.stdin.readline().strip()
    with contextlib.ExitStack() as stack:
        folder = options.data or stack.enter_context(tempfile.TemporaryDirectory(prefix="kling-sandbox-"))
        clips = Clips(folder=Path(folder) / "clips", style=options.clips)
        try:
            clips.folder.mkdir(parents=True, exist_ok=True)
            store = Store(str(Path(folder) / "sandbox.sqlite"))
        except (OSError, sqlite3.Error) as error:
            sys.stderr.write(f"{folder} cannot be used as data folder, or another sandbox uses it: {error}\n")
            return 1
        stack.callback(store.close)
        engine = Engine(store, settings(options), time.time())
        sandbox = SandboxApp(
            engine,
            clips,
            secret=options.callback_secret,
            anywhere=options.callbacks == "anywhere",
            loopback_only=is_loopback(options.host),
        )
        _serve(sandbox, options)
    return 0


def _serve(sandbox: SandboxApp, options: argparse.Namespace) -> None:
    server = _Server(sandbox, options)
    signal.signal(signal.SIGTERM, _end)
    # PyJWT warns of a short secret key, which the operator chose.
    warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)
    if options.child:
        if hasattr(os, "nice"):
            os.nice(10)
        threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve())


class _Server(uvicorn.Server):
    """A server that prints its address as soon as it accepts connections."""

    def __init__(self, sandbox: SandboxApp, options: argparse.Namespace) -> None:
        config = uvicorn.Config(
            sandbox.asgi,
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
            sys.stdout.write(greeting(f"{scheme}://{host}:{port}", self._options))
            sys.stdout.flush()
            sys.stderr.write(warning(self._options))


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end_with_parent(server: uvicorn.Server) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    server.should_exit = True
    time.sleep(_STOP_SECONDS + 3)
    os._exit(1)  # something keeps it from stopping, but it must not outlive its parent


if __name__ == "__main__":
    sys.exit(main())
