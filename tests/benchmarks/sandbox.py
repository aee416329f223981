"""How the sandbox's cost grows: `python tests/benchmarks/sandbox.py [--tasks 100 10000 100000]`.

Starts a sandbox with `--clips tiny` for each number of tasks, and measures over loopback with keep-alive:
create, query by either id, and a list page of 500 (the newest, and the oldest that the API reaches; its time
is divided by the tasks that it shows), at last while 100 new tasks are hidden by a lag. Prints the median in
ms and its ratio to the first number of tasks. Create and query must not grow; a create takes at most 5 ms.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kling.sandbox.auth import API_KEY  # noqa: E402
from kling.sandbox.contract import TEXT_TO_VIDEO  # noqa: E402
from kling.sandbox.engine import Engine  # noqa: E402
from kling.sandbox.pace import parse_pace  # noqa: E402
from kling.sandbox.rules import parse_request  # noqa: E402
from kling.sandbox.settings import Settings  # noqa: E402
from kling.sandbox.store import Store, Task  # noqa: E402

REQUEST = {
    "model_name": "kling-v2-6",
    "prompt": "A fox in the snow, seen from above, in the last light of a long day",
}
HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
TIMES = 200


def fill(folder: Path, count: int) -> list[Task]:
    """Put tasks into a sandbox's store the short way, as many as are missing."""
    store = Store(str(folder / "sandbox.sqlite"))
    engine = Engine(store, Settings(), time.time())
    pace = parse_pace("immediate")
    for number in range(store.last, count):
        body = json.dumps(REQUEST | {"external_task_id": f"external-{number}"}).encode()
        task_request = parse_request(body, TEXT_TO_VIDEO, strict=False, retired="serve")
        now = engine.clock(time.time())
        task = store.add(task_request, now=now, units=1.5, pace=pace)
        store.mark_ready(task.task_id, now)
        store.finish_due(now)
    some = [store.page(page, 1)[0] for page in range(1, count, max(1, count // 50))]
    store.close()
    return some


class Caller:
    """One connection that is kept alive."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        self.connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = json.loads(self.connection.getresponse().read())
        assert answer["code"] == 0, answer
        return answer["data"]

    def plan(self, plan: Any) -> None:
        self.connection.request("POST", "/_sandbox/plan", json.dumps(plan), HEADERS)
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()


class Sandbox:
    """A running sandbox that holds a number of tasks."""

    def __init__(self, folder: Path, count: int) -> None:
        (folder / "clips").mkdir(parents=True)
        some = fill(folder, count)
        self.task_ids = [task.task_id for task in some]
        self.external_ids = [task.external_task_id for task in some]
        self.last_page = min(max(1, count // 500), 1000)
        options = [
            "--clips",
            "tiny",
            "--pace",
            "immediate",
            "--concurrency",
            "1000000",
            "--data",
            str(folder),
        ]
        program = [sys.executable, "-m", "kling.sandbox", *options]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        self.call = Caller(self.process.stdout.readline().removeprefix("Kling sandbox: ").strip())

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate()


def by_task_id(sandbox: Sandbox, number: int) -> None:
    sandbox.call("GET", f"{TEXT_TO_VIDEO}/{sandbox.task_ids[number % len(sandbox.task_ids)]}")


def by_external_task_id(sandbox: Sandbox, number: int) -> None:
    sandbox.call("GET", f"{TEXT_TO_VIDEO}/{sandbox.external_ids[number % len(sandbox.external_ids)]}")


def newest_page(sandbox: Sandbox, _number: int) -> int:
    return len(sandbox.call("GET", f"{TEXT_TO_VIDEO}?pageSize=500"))


def oldest_page(sandbox: Sandbox, _number: int) -> int:
    return len(sandbox.call("GET", f"{TEXT_TO_VIDEO}?pageSize=500&pageNum={sandbox.last_page}"))


def hide_new_tasks(sandbox: Sandbox, count: int) -> None:
    """Create tasks that no query and no list shows yet."""
    sandbox.call.plan({"on": "create", "lag": 86400, "times": count})
    for number in range(count):
        sandbox.call("POST", TEXT_TO_VIDEO, REQUEST | {"external_task_id": f"hidden-{number}"})


def create(sandbox: Sandbox, number: int) -> None:
    sandbox.call("POST", TEXT_TO_VIDEO, REQUEST | {"external_task_id": f"new-{number}"})


Operation = Callable[[Sandbox, int], int | None]
OPERATIONS: dict[str, Operation] = {
    "query by task_id": by_task_id,
    "query by external_task_id": by_external_task_id,
    "newest page, per task in it": newest_page,
    "oldest page, per task in it": oldest_page,
    "create": create,
}


def medians(sandboxes: list[Sandbox], operation: Operation) -> list[float]:
    """Return the median ms of an operation at each sandbox; they take turns, so that noise hits all."""
    spent: list[list[float]] = [[] for _ in sandboxes]
    for number in range(TIMES if operation in {by_task_id, by_external_task_id, create} else TIMES // 10):
        for sandbox, times in zip(sandboxes, spent, strict=True):
            start = time.perf_counter()
            shown = operation(sandbox, number)
            times.append((time.perf_counter() - start) / (shown or 1))
    return [statistics.median(times) * 1000 for times in spent]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, nargs="+", default=[100, 10_000, 100_000])
    counts = parser.parse_args().tasks
    sandboxes: list[Sandbox] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            sandboxes += [Sandbox(Path(folder) / str(count), count) for count in counts]
            create(sandboxes[0], -1)
            measured = {name: medians(sandboxes, operation) for name, operation in OPERATIONS.items()}
            for sandbox in sandboxes:
                hide_new_tasks(sandbox, 100)
            for operation in (newest_page, oldest_page):
                measured[f"{operation.__name__}, 100 hidden"] = medians(sandboxes, operation)
        finally:
            for sandbox in sandboxes:
                sandbox.stop()
    print(f"{'median ms (ratio)':28}" + "".join(f"{count:>18,}" for count in counts))
    for name, row in measured.items():
        print(f"{name:28}" + "".join(f"{f'{value:.3f} ({value / row[0]:.2f})':>18}" for value in row))
    worst = max(measured["create"])
    print(f"create at most 5 ms: {'yes' if worst <= 5 else 'NO'} ({worst:.2f} ms)")


if __name__ == "__main__":
    main()
