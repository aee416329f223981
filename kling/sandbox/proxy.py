"""A small TCP proxy in front of the sandbox, for the faults that need a raw socket: `reset` and `short-body`.

All faults are planned in one place, `/_sandbox/plan`: the sandbox asks the proxy for these two in a header of
its answer. Each connection carries one request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import struct
import sys
from urllib.parse import urlsplit

from kling.sandbox.faults import HEADER, PROXY_HEADER

_LIMIT = 1 << 16
_HOP = re.compile(rb"\r\n(?:connection|x-sandbox-[a-z]+): ?[^\r\n]*", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
_FAULT = re.compile(rb"\r\n" + HEADER.encode() + rb": ?([a-z-]+)", re.IGNORECASE)


async def serve_proxy(target: str, host: str = "127.0.0.1", port: int = 0) -> asyncio.Server:
    """Start a proxy, and return its server.

    Args:
        target: the sandbox's URL.
        host: the address to listen on.
        port: the port to listen on; 0: any free one.
    """
    to = urlsplit(target)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await _pass_on(reader, writer, str(to.hostname), to.port or 80)
        finally:
            writer.close()

    return await asyncio.start_server(serve, host, port, limit=_LIMIT)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    """Send one request on to the sandbox, and as much of its answer back as the fault allows."""
    head = await reader.readuntil(b"\r\n\r\n")
    answers, sandbox = await asyncio.open_connection(host, port, limit=_LIMIT)
    sandbox.write(_with(head, f"{PROXY_HEADER}: 1"))
    rest = asyncio.create_task(_pump(reader, sandbox))
    rest.add_done_callback(lambda _: sandbox.close())  # a caller that hangs up hangs up on the sandbox too
    try:
        head = await answers.readuntil(b"\r\n\r\n")
        while head.startswith(b"HTTP/1.1 1"):  # such as 100 Continue; the answer itself follows
            writer.write(head)
            head = await answers.readuntil(b"\r\n\r\n")
        fault = _FAULT.search(head)
        length = _LENGTH.search(head)
        if fault and fault[1] == b"reset":
            # A socket that is closed with a linger time of 0 sends RST.
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            writer.transport.abort()
            return
        writer.write(_with(head))
        if fault and length:
            writer.write(await answers.readexactly(int(length[1]) // 2))
        else:
            await _pump(answers, writer)
        await writer.drain()
    finally:
        rest.cancel()


def _with(head: bytes, *lines: str) -> bytes:
    """Return the head of a request or an answer with more lines, and with `connection: close`."""
    more = "".join(f"\r\n{line}" for line in ("connection: close", *lines)).encode()
    return _HOP.sub(b"", head[:-4]) + more + b"\r\n\r\n"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_LIMIT):
            writer.write(data)
            await writer.drain()


async def _run(options: argparse.Namespace) -> None:
    server = await serve_proxy(options.to, options.host, options.port)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"Kling sandbox proxy: http://{options.host}:{port}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main(arguments: list[str] | None = None) -> int:
    """Run the proxy until Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m kling.sandbox.proxy", description=__doc__)
    parser.add_argument("--to", required=True, help="URL of the sandbox")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
