"""A team at work: 50 people who browse and order for ten minutes, and 50 tabs at rest.

    python tests/benchmarks/intranet.py [--people 50] [--minutes 10] [--rest 60]

A server with the header of a proxy as its way in, on the sandbox with tiny clips. The people are sockets that
speak Streamlit's protocol, each tab with its socket for changes too, and with live parts that ask for runs as
the script of a page does (live_parts.py). Every tab is in view. Prints errors, the 95th percentile of a rerun
of one person alone and of everybody together, memory and the share of each process while it runs, and what
the tabs at rest cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
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

from tests.benchmarks.live_parts import LiveParts  # noqa: E402
from tests.e2e.conftest import free_port  # noqa: E402

SECRET = "a-secret-of-the-proxy-0123456789"
PAGES = ("", "history", "gallery")
THINKS = (3.0, 9.0)  # seconds between two actions of a person
QUICK = (1.0, 3.0)  # of the one person alone: more reruns in the same time, and no load all the same
ORDERS = 0.08  # of a person's actions
MARK = re.compile(r'data-live="(\w+)" data-version="(\d+)" data-live-jobs="([^"]*)"( data-live-ages)?')


@dataclass
class Figures:
    """What the tabs have seen: seconds of each rerun by its kind, orders and errors."""

    reruns: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    orders: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many reruns there were."""
        return sum(map(len, self.reruns.values()))

    @property
    def p95(self) -> float:
        """The 95th percentile of a rerun, in milliseconds."""
        return _p95([seconds for each in self.reruns.values() for seconds in each])

    @property
    def words(self) -> str:
        """The figures in words, also of each kind."""
        kinds = [
            f"{name} {statistics.median(each) * 1e3:.0f}/{_p95(each):.0f} ms of {len(each)}"
            for name, each in sorted(self.reruns.items())
            if len(each) > 1
        ]
        return f"p95 of a rerun {self.p95:.0f} ms (median/p95 by kind: {'; '.join(kinds)})"


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1e3


class Tab:
    """One tab of one person: Streamlit's socket, and the socket for changes."""

    def __init__(self, url: str, person: str, figures: Figures) -> None:
        self.figures = figures
        self._url, self._headers = url, {"X-Forwarded-User": person, "X-Studio-Proxy-Secret": SECRET}
        self._person = person
        self._parts = LiveParts()
        self._fragments: dict[str, str] = {}  # ids of the live parts of the page, by their keys
        self._heard = asyncio.Event()
        self._cached: set[str] = set()  # hashes of long messages that a browser keeps, and is not sent again
        self._ids: dict[str, str] = {}  # of the widgets that a person uses
        self._values: dict[str, str] = {}
        self._page = self._query = ""
        self._socket: ClientConnection
        self._live: ClientConnection
        self._turn = asyncio.Lock()
        self._following: asyncio.Task[None]

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
        await self.run()
        self._live = await connect(
            f"{sockets}/live?since={self._parts.version}",
            additional_headers=headers,
            open_timeout=60,
            ping_interval=None,
        )
        self._following = asyncio.create_task(self._follow())

    async def run(self, *, press: str = "", part: str = "") -> None:
        """Run the page, or a live part of it, and note how long it took."""
        message = BackMsg()
        script = message.rerun_script
        script.page_name, script.query_string = self._page, self._query
        script.cached_message_hashes.extend(self._cached)
        for name, value in self._values.items():
            if name in self._ids:
                script.widget_states.widgets.add(id=self._ids[name], string_value=value)
        if press:
            script.widget_states.widgets.add(id=self._ids[press], trigger_value=True)
        async with self._turn:
            if not part:
                self._fragments.clear()
            elif part not in self._fragments:
                return  # another page is open meanwhile
            else:
                script.fragment_id = self._fragments[part]
            started = time.perf_counter()
            await self._socket.send(message.SerializeToString())
            await self._until_finished()
            for gone in self._parts.parts.keys() - self._fragments.keys():
                del self._parts.parts[gone]
        kind = f"{part} of {self._page or 'compose'}" if part else self._page or "compose"
        self.figures.reruns[kind].append(time.perf_counter() - started)
        self._heard.set()

    async def _until_finished(self) -> None:
        while True:
            message = ForwardMsg.FromString(await asyncio.wait_for(self._socket.recv(decode=False), 60))
            if message.hash:
                self._cached.add(message.hash)
            if message.HasField("page_info_changed"):
                self._query = message.page_info_changed.query_string
            element = message.delta.new_element
            if found := MARK.search(element.html.body):
                key, version, names, ages = found.groups()
                self._fragments[key] = message.delta.fragment_id
                self._parts.drawn(key, int(version), names.split(), milliseconds(), ages=bool(ages))
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
            await self.order(f"{chance.random()}: ")
        elif self._page == "" and chance.random() < 0.6:
            self._values["prompt"] = f"A boat {chance.random()}"
            await self.run()
        else:
            self._page, self._query = chance.choice(PAGES), ""
            await self.run()

    async def order(self, words: str = "") -> None:
        """Write a prompt and press Generate."""
        self._values["prompt"] = f"{self._person} {words}a red fox crosses the snow."
        await self.run()
        await self.run(press="generate")
        self.figures.orders += 1

    async def visit_all(self) -> None:
        """Order something and look at each page; that is no part of the figures."""
        await self.order()
        for self._page in (*PAGES[1:], PAGES[0]):
            self._query = ""
            await self.run()
        self.figures.reruns.clear()

    async def _follow(self) -> None:
        """Draw the live parts of the page again after changes, as the script of a page does."""
        hearing = asyncio.create_task(self._hear())
        try:
            while not hearing.done():
                key, due = self._parts.next()
                self._heard.clear()
                if due > milliseconds():
                    with suppress(TimeoutError):
                        pause = min(max(due - milliseconds(), 0), 1000) / 1000
                        await asyncio.wait_for(self._heard.wait(), pause)
                    continue
                self._parts.asks(key, milliseconds())
                await self.run(part=key)
        except (WebSocketException, TimeoutError) as error:
            self.figures.errors.append(repr(error))
        finally:
            hearing.cancel()

    async def _hear(self) -> None:
        with suppress(WebSocketException):
            while True:
                told = json.loads(await self._live.recv())
                self._parts.hear(told["version"], told["jobs"], told["tabs"], milliseconds())
                self._heard.set()

    async def close(self) -> None:
        """Close both sockets."""
        self._following.cancel()
        await asyncio.wait({self._following})
        await self._live.close()
        await self._socket.close()


def milliseconds() -> float:
    """Return the time of a clock that never jumps."""
    return time.monotonic() * 1000


def memory(pid: int) -> float:
    """Return the memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor(pid: int) -> float:
    """Return the seconds of a processor that a process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return sum(map(int, parts[11:15])) / os.sysconf("SC_CLK_TCK")  # with its children that have ended


class Shares:
    """How much of a core each process uses.

    Args:
        pids: of the processes, by name.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._since, self._used = time.monotonic(), {name: processor(pid) for name, pid in pids.items()}
        self._all = all_processors()

    def used(self, name: str) -> float:
        """Return the seconds of a core that a process has used since the start."""
        return processor(self._pids[name]) - self._used[name]

    @property
    def words(self) -> str:
        """The shares since the start, that of all programs of the machine last."""
        seconds = time.monotonic() - self._since
        words = [f"{name} {self.used(name) / seconds:.0%}" for name in self._pids]
        return ", ".join(
            [*words, f"everything {(all_processors() - self._all) / seconds:.0%} of {os.cpu_count()}00%"]
        )


def all_processors() -> float:
    """Return the seconds that all processors of the machine have worked."""
    figures = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    idle = int(figures[3]) + int(figures[4])
    return (sum(map(int, figures[:8])) - idle) / os.sysconf("SC_CLK_TCK")


@contextmanager
def studio(data: Path) -> Iterator[tuple[dict[str, subprocess.Popen[bytes]], str]]:
    """Start a sandbox with tiny clips and a studio on it; yield both processes and the studio's address."""
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
        yield {"server": server, "sandbox": sandbox}, f"http://localhost:{port}"
    finally:
        for process in (server, sandbox):
            process.terminate()
            process.wait(60)


async def works(tabs: Sequence[Tab], seconds: float, seed: int, thinks: tuple[float, float] = THINKS) -> None:
    """Let everybody work for so long, with pauses in which a person thinks."""
    end = time.monotonic() + seconds

    async def work(tab: Tab, chance: random.Random) -> None:
        try:
            while time.monotonic() < end:
                await asyncio.sleep(chance.uniform(*thinks))
                await tab.act(chance)
        except (WebSocketException, TimeoutError, KeyError) as error:
            tab.figures.errors.append(repr(error))

    await asyncio.gather(*(work(tab, random.Random(f"{seed} {n}")) for n, tab in enumerate(tabs)))


async def report(
    processes: Mapping[str, subprocess.Popen[bytes]], url: str, wanted: argparse.Namespace
) -> None:
    server = processes["server"]
    pids = {name: process.pid for name, process in processes.items()} | {"these tabs": os.getpid()}
    alone = Figures()
    first = Tab(url, "person0", alone)
    await first.open()
    await first.visit_all()  # the first visit of a page loads its libraries
    await works([first], wanted.alone, 1, QUICK)
    print(f"1 person: {alone.words}, {len(alone.errors)} errors {alone.errors[:3]}", flush=True)
    of_one = alone.p95

    together = Figures()
    tabs = [Tab(url, f"person{number}", together) for number in range(1, wanted.people + 1)]
    for tab in tabs:
        await tab.open()
    together.reruns.clear()
    parts = max(round(wanted.minutes), 1)
    for part in range(parts):
        shares, before = Shares(pids), together.count
        await works(tabs, wanted.minutes * 60 / parts, part)
        each = shares.used("server") / max(together.count - before, 1)
        print(
            f"  {part + 1} of {parts}: {together.orders} orders, {memory(server.pid):.0f} MB, "
            f"{each * 1e3:.1f} ms of the server's core for a rerun; {shares.words}",
            flush=True,
        )
    print(
        f"{wanted.people} people, {wanted.minutes:g} min: {together.words}, {together.orders} orders, "
        f"{len(together.errors)} errors {together.errors[:3]}\n"
        f"The p95 of a rerun is {together.p95 / of_one:.1f} x that of one person.",
        flush=True,
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
    parser.add_argument("--alone", type=float, default=120, help="seconds of the one person alone")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder)) as (processes, url):
        asyncio.run(report(processes, url, wanted))


if __name__ == "__main__":
    main()
