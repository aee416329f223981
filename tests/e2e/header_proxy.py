"""A proxy that signs people in, as far as a studio sees it: it adds headers to each request."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial


@contextmanager
def header_proxy(port: int, to: int, headers: Mapping[str, str]) -> Iterator[str]:
    """Serve on a port of this machine; yield the address.

    Args:
        port: of the proxy.
        to: the studio's port.
        headers: that are added; those of the same names that a browser sends are taken out.
    """
    started = threading.Event()
    stop: list[Callable[[], object]] = []

    async def serve() -> None:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(stopped.set))
        server = await asyncio.start_server(partial(_pass_on, to, headers), "127.0.0.1", port)
        started.set()
        await stopped.wait()
        server.close()  # connections end with the loop, whose tasks are cancelled

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://localhost:{port}"
    finally:
        stop[0]()
        thread.join()


async def _pass_on(
    to: int, headers: Mapping[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip("\r\n").split("\r\n")
        is_socket = any(line.lower().startswith("upgrade:") for line in head)
        names = {name.lower() for name in headers} | (set() if is_socket else {"connection"})
        kept = [line for line in head if line.partition(":")[0].lower() not in names]
        added = [f"{name}: {value}" for name, value in headers.items()]
        # A connection for each request, so that each one gets the headers.
        added += [] if is_socket else ["Connection: close"]
        there, upstream = await asyncio.open_connection("127.0.0.1", to)
        upstream.write(("\r\n".join([*kept, *added]) + "\r\n\r\n").encode("latin-1"))
        await asyncio.gather(_pump(reader, upstream), _pump(there, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
