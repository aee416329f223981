"""A team at work: 50 people who browse and order for ten minutes, and 50 tabs at rest.

    python tests/benchmarks/intranet.py [--people 50] [--minutes 10] [--rest 60]

A server with the header of a proxy as its way in, on the sandbox with tiny clips. The people are sockets that
speak Streamlit's protocol, each tab with its socket for changes too, as live.js has it. Prints errors, the
95th percentile of a rerun of one person alone and of everybody together, memory while it runs, and what the
tabs at rest cost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import requests  # noqa: E402
from streamlit.proto.BackMsg_pb2 import BackMsg  # noqa: E402
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import WebSocketException  # noqa: E402

from tests.e2e.conftest import free_port  # noqa: E402

SECRET = "a-secret-of-the-proxy-0123456789"
PAGES = ("", "history", "gallery")
THINKS = (3.0, 9.0)  # seconds between two actions of a person
ORDERS = 0.08  # of a person's actions


@dataclass
class Figures:
    """What the tabs have seen: seconds of each rerun, orders and errors."""

    reruns: list[float] = field(default_factory=list)
    orders: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """The 95th percentile of a rerun, in milliseconds."""
        return statistics.quantiles(self.reruns, n=20)[-1] * 1e3


class Tab:
    """One tab of one person: Streamlit's socket, and the socket for changes."""

    def __init__(self, url: str, person: str, figures: Figures) -> None:
        self.figures = figures
        self._url, self._headers = url, {"X-Forwarded-User": person, "X-Studio-Proxy-Secret": SECRET}
        self._person = person
        self._fragments: set[str] = set()  # ids of the live parts of the page
        self._ids: dict[str, str] = {}  # of the widgets that a person uses
        self._values: dict[str, str] = {}
        self._page = self._query = ""
        self._socket: ClientConnection
        self._live: ClientConnection
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Load the page as a browser does, and open both sockets."""
        answer = await asyncio.to_thread(
            requests.get, self._url, headers={**self._headers, "Accept": "text/html"}, timeout=60
        )
        answer.raise_for_status()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies)
        headers = {**self._headers, "Cookie": cookies, "Origin": self._url}
        sockets = self._url.replace("http", "ws", 1)
        self._socket = await connect(
            f"{sockets}/_stcore/stream",
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=2**25,
            max_queue=None,  # what comes between two actions is read with the next one
            ping_interval=None,
            open_timeout=60,
        )
        self._live = await connect(
            f"{sockets}/live", additional_headers=headers, open_timeout=60, ping_interval=None
        )
        await self.run()

    async def run(self, *, press: str = "", fragment: str = "") -> None:
        """Run the page, or a part of it, and note how long it took."""
        message = BackMsg()
        script = message.rerun_script
        script.page_name, script.query_string, script.fragment_id = self._page, self._query, fragment
        for name, value in self._values.items():
            if name in self._ids:
                script.widget_states.widgets.add(id=self._ids[name], string_value=value)
        if press:
            script.widget_states.widgets.add(id=self._ids[press], trigger_value=True)
        async with self._turn:
            if not fragment:
                self._fragments.clear()
            elif fragment not in self._fragments:
                return  # the page has run meanwhile
            started = time.perf_counter()
            await self._socket.send(message.SerializeToString())
            await self._until_finished()
        self.figures.reruns.append(time.perf_counter() - started)

    async def _until_finished(self) -> None:
        while True:
            message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(decode=False), 60))
            if message.HasField("auto_rerun"):
                self._fragments.add(message.auto_rerun.fragment_id)
            if message.HasField("page_info_changed"):
                self._query = message.page_info_changed.query_string
            element = message.delta.new_element
            if element.HasField("exception"):
                self.figures.errors.append(element.exception.message)
            if element.text_area.label == "Prompt":
                self._ids["prompt"] = element.text_area.id
            if element.button.label.startswith("Generate"):
                self._ids["generate"] = element.button.id
            if message.WhichOneof("type") == "script_finished":
                return

    async def act(self, chance: random.Random) -> None:
        """Do what a person does next: type, order, or look at another page."""
        if self._page == "" and chance.random() < ORDERS / 0.5:
            self._values["prompt"] = f"{self._person} {chance.random()}: a red fox crosses the snow."
            await self.run()
            await self.run(press="generate")
            self.figures.orders += 1
        elif self._page == "" and chance.random() < 0.6:
            self._values["prompt"] = f"A boat {chance.random()}"
            await self.run()
        else:
            self._page, self._query = chance.choice(PAGES), ""
            await self.run()

    async def follow(self) -> None:
        """Draw the live parts of the page again after each change, as live.js does."""
        with suppress(WebSocketException):
            while True:
                await self._live.recv()
                await asyncio.sleep(0.1)
                for fragment in list(self._fragments):
                    if fragment in self._fragments:
                        await self.run(fragment=fragment)

    async def close(self) -> None:
        """Close both sockets."""
        await self._live.close()
        await self._socket.close()


def memory(pid: int) -> float:
    """Return the memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def studio(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start a sandbox with tiny clips and a studio on it; yield the studio and its address."""
    port, kling = free_port(), free_port()
    sandbox = subprocess.Popen(
        [
            *(sys.executable, "-m", "kling.sandbox", "--port", str(kling), "--data", str(data / "kling")),
            *("--clips", "tiny", "--pace", "seconds:5", "--concurrency", "20"),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY

    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=ROOT,
        env={
            **os.environ,
            "STUDIO_DATA_DIR": str(data / "data"),
            "STUDIO_USER_HEADER": "X-Forwarded-User",
            "STUDIO_PROXY_SECRET": SECRET,
            "STUDIO_DEFAULT_ROLE": "maker",
            "KLINGAI_BASE_URL": f"http://127.0.0.1:{kling}",
            "KLINGAI_ACCESS_KEY": ACCESS_KEY,
            "KLINGAI_SECRET_KEY": SECRET_KEY,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(OSError):
                requests.get(f"http://localhost:{port}/_stcore/health", timeout=1).raise_for_status()
                break
            time.sleep(0.1)
        yield server, f"http://localhost:{port}"
    finally:
        for process in (server, sandbox):
            process.terminate()
            process.wait(60)


async def works(tabs: Sequence[Tab], seconds: float, seed: int) -> None:
    """Let everybody work for so long, with pauses in which a person thinks."""
    end = time.monotonic() + seconds

    async def work(tab: Tab, chance: random.Random) -> None:
        following = asyncio.create_task(tab.follow())
        try:
            while time.monotonic() < end:
                await asyncio.sleep(chance.uniform(*THINKS))
                await tab.act(chance)
        except (WebSocketException, TimeoutError, KeyError) as error:
            tab.figures.errors.append(repr(error))
        finally:
            following.cancel()

    await asyncio.gather(*(work(tab, random.Random(f"{seed} {n}")) for n, tab in enumerate(tabs)))


async def report(server: subprocess.Popen[bytes], url: str, wanted: argparse.Namespace) -> None:
    alone = Figures()
    first = Tab(url, "person0", alone)
    await first.open()
    await works([first], 120, 1)
    print(f"1 person: p95 of a rerun {alone.p95:.0f} ms, {len(alone.reruns)} reruns, {alone.errors}")

    together = Figures()
    tabs = [Tab(url, f"person{number}", together) for number in range(1, wanted.people + 1)]
    for tab in tabs:
        await tab.open()
    together.reruns.clear()
    parts = max(round(wanted.minutes), 1)
    for part in range(parts):
        await works(tabs, wanted.minutes * 60 / parts, part)
        print(f"  {part + 1} of {parts}: {together.orders} orders, {memory(server.pid):.0f} MB")
    print(
        f"{wanted.people} people, {wanted.minutes:g} min: p95 of a rerun {together.p95:.0f} ms "
        f"({together.p95 / alone.p95:.1f} x one person's), {len(together.reruns)} reruns, "
        f"{together.orders} orders, {len(together.errors)} errors {together.errors[:3]}"
    )
    await asyncio.sleep(20)  # the last videos are done
    used, since = processor(server.pid), time.monotonic()
    await asyncio.sleep(wanted.rest)
    share = (processor(server.pid) - used) / (time.monotonic() - since)
    print(f"{wanted.people + 1} tabs at rest: {share:.1%} of a core")
    for tab in [first, *tabs]:
        await tab.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--rest", type=float, default=60, help="seconds for which the tabs at rest are measured"
    )
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as (server, url):
        asyncio.run(report(server, url, wanted))


if __name__ == "__main__":
    main()
