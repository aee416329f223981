"""What the gate costs a request.

    python tests/benchmarks/gate.py [--rounds 20000]

The same small app is asked with the gate in front and without it, in turns within one run, in this process
and without a server, so that nothing else is measured. A person who is signed in asks for a page and for a
part of it, and somebody without a session for the health check. Prints the median of the difference in
microseconds; the aim is less than 100.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from kling import ApiKey, Client
from kling.studio.connection import KlingConnection
from kling.studio.service import Studio
from kling.studio.settings import Settings
from pages._ui import context
from pages._ui.routes.gate import Gate

AIM = 100.0  # microseconds
BLOCK = 200  # requests between two turns


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer with an empty page."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b""})


def scope_of(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """Return what a server makes of a request of a browser."""
    browser = {
        "Host": "studio.example",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "Accept-Language": "en-GB,en;q=0.9",
        "Sec-Fetch-Site": "same-origin",
        "Referer": "https://studio.example/",
        **headers,
    }
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
        "client": ("127.0.0.1", 50_000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in browser.items()],
        "state": {},
    }


async def receive() -> dict[str, Any]:
    """Return the body: there is none."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message: Any) -> None:
    """Take the answer, which has to be that of the app."""
    if message.get("status", 200) != 200:
        raise RuntimeError(f"The gate refuses this: {message}")


async def measure(gate: Gate, path: str, headers: dict[str, str], rounds: int) -> float:
    """Return by how many microseconds the gate makes a request longer."""
    found: list[float] = []
    for _ in range(rounds // BLOCK):
        took = []
        for asked in (gate, app):
            scopes = [scope_of(path, headers) for _ in range(BLOCK)]
            began = time.perf_counter()
            for scope in scopes:
                await asked(scope, receive, send)
            took.append((time.perf_counter() - began) / BLOCK * 1e6)
        found.append(took[0] - took[1])
    return statistics.median(found)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, default=20_000)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), public_url="https://studio.example")
        nobody = KlingConnection(Client(ApiKey("key"), base_url="http://127.0.0.1:9"))
        studio = Studio(settings, connection=nobody)
        context.install(studio)
        person = studio.state.people.from_outside("oidc", "ada", "Ada", "maker", "none")
        session = f"__Host-studio_session={studio.state.sessions.begin(person, 'oidc', 'a browser')}"
        browser = f"studio_browser={studio.state.browsers.new()}"
        signed_in = {"Cookie": f"_streamlit_xsrf=2|0123|4567; {browser}; {session}"}
        for words, path, headers in (
            ("a page", "/history", {**signed_in, "Accept": "text/html"}),
            ("a part of a page", "/static/js/index.js", signed_in),
            ("a health check", "/healthz", {}),
        ):
            cost = asyncio.run(measure(Gate(app, settings), path, headers, rounds))
            print(f"{words:17}{cost:6.1f} µs ({'within' if cost < AIM else 'ABOVE'} {AIM:g})")
        context.install(None)
        studio.stop()


if __name__ == "__main__":
    main()
