"""Compare the client's create and get with the same two calls made with bare requests.

    python tests/benchmarks/client.py [--rounds 2000]

Both ask a minimal server in another process, over one kept connection each, taking turns within one run, so
that whatever else the machine does meets both alike. Bare means: one Session, the same headers and body, the
status checked, the JSON parsed. It prints medians in microseconds and their ratios; the aim is 1.15. The
time on the processor is that of the calling thread alone, so other programs disturb it less.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.connection
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from kling import Client, KeyPair, TextToVideo

AIM = 1.15
KEYS = KeyPair("access-key-of-32-characters-long", "secret-key-of-32-characters-long")
REQUEST = TextToVideo(prompt="A fox in the snow, at dusk, seen from a sledge", external_task_id="job-1")
TASK = {
    "task_id": "750000000000000001",
    "task_status": "succeed",
    "task_status_msg": "",
    "final_unit_deduction": "1.5",
    "watermark_info": {"enabled": False},
    "task_info": {"external_task_id": "job-1"},
    "task_result": {
        "videos": [{"id": "v-1", "url": "https://cdn.example/v-1.mp4?sig=" + "x" * 200, "duration": "5.04"}]
    },
    "created_at": 1722769557708,
    "updated_at": 1722769587708,
}


def serve(ports: multiprocessing.connection.Connection) -> None:
    """Answer every request with the same task, a thread for each connection."""
    body = json.dumps({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": TASK}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        while piece := connection.recv(65536):
            received += piece
            if is_whole(received):
                received = b""
                connection.sendall(head + body)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports.send(listener.getsockname()[1])
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def is_whole(received: bytes) -> bool:
    """Say whether a request has arrived with its body."""
    head, end, body = received.partition(b"\r\n\r\n")
    _, named, length = head.lower().partition(b"content-length: ")
    return bool(end) and len(body) >= (int(length.split(b"\r\n")[0]) if named else 0)


def bare_calls(base_url: str, authorization: str) -> Callable[[], Any]:
    """Return the two calls as a short script would make them."""
    session = requests.Session()
    session.trust_env = False  # as the client does on loopback: no search for proxies
    url = f"{base_url}/v1/videos/text2video"
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    body = REQUEST.to_wire()

    def both() -> Any:
        made = session.post(url, json=body, headers=headers, timeout=(5, 30))
        made.raise_for_status()
        seen = session.get(f"{url}/{made.json()['data']['task_id']}", headers=headers, timeout=(5, 30))
        seen.raise_for_status()
        return seen.json()

    return both


def client_calls(client: Client) -> Callable[[], Any]:
    """Return the same two calls through the client."""
    return lambda: client.get(client.create(REQUEST).task_id)


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the microseconds that pass during a call, and those of this thread on the processor."""
    passed, used = time.perf_counter_ns(), time.thread_time_ns()
    call()
    return (time.perf_counter_ns() - passed) / 1000, (time.thread_time_ns() - used) / 1000


def main() -> None:
    """Measure, and print one line a side and the ratio."""
    parser = argparse.ArgumentParser(description="Client against bare requests, create plus get.")
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    base_url = f"http://127.0.0.1:{ours.recv()}"
    client = Client(KEYS, base_url=base_url)
    sides = {
        "bare requests": bare_calls(base_url, "Bearer " + "x" * 200),
        "kling client": client_calls(client),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for turn in range(rounds + 100):
        for name, call in sides.items() if turn % 2 else reversed(sides.items()):
            taken = timed(call)
            if turn >= 100:  # the first are for warming up
                times[name].append(taken)
    for place, what in enumerate(("passed", "on the processor")):
        medians = {name: statistics.median(each[place] for each in taken) for name, taken in times.items()}
        for name, median in medians.items():
            print(f"{name:14} {median:8.0f} µs {what} for create and get, median of {rounds}")
        ratio = medians["kling client"] / medians["bare requests"]
        print(f"{'ratio':14} {ratio:8.2f}    aim {AIM}")
    client.close()
    server.terminate()


if __name__ == "__main__":
    main()
