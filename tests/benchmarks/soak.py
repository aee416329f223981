"""A soak: thousands of tasks through a real sandbox with faults and restarts.

    python tests/benchmarks/soak.py [--tasks 5000] [--faults 0.05] [--restarts 3] [--seed 4]

Prints what was bought, lost and doubled (both have to be 0), and how memory grew with finished tasks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kling import KeyPair, TextToVideo  # noqa: E402
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY  # noqa: E402
from kling.studio import archive, downloads, poller, reconciler  # noqa: E402
from kling.studio.archive import check_mp4  # noqa: E402
from kling.studio.jobs import OPEN  # noqa: E402
from kling.studio.orders import Press  # noqa: E402
from kling.studio.service import Studio  # noqa: E402
from kling.studio.settings import Settings  # noqa: E402
from tests.studio.clips import WordChecker  # noqa: E402

PLANS: list[dict[str, Any]] = [
    {"on": "create", "fault": "html-502"},
    {"on": "create", "fault": "html-502", "accept": False},
    {"on": "create", "fault": "reset"},
    {"on": "create", "fault": "reset", "accept": False},
    {"on": "create", "fault": "empty"},
    {"on": "create", "fault": "garbage"},
    {"on": "create", "fault": "short-body"},
    {"on": "create", "code": 1303},
    {"on": "create", "code": 5000},
    {"on": "list", "fault": "garbage"},
    {"on": "list", "fault": "other-order"},
    {"on": "list", "code": 5001},
    {"on": "clip", "fault": "truncated-video"},
    {"on": "clip", "fault": "expired-url"},
    {"on": "clip", "fault": "short-body"},
]
AHEAD = 60  # tasks in flight, so that the queue is never empty and never everything


def program(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start a program of the sandbox; return it and the URL in its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, "http" + process.stdout.readline().strip().split("http", 1)[1]


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def resident() -> float:
    """Return this process's memory in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_studio(data: Path, url: str) -> Studio:
    setattr(archive, "ChildChecker", WordChecker)  # noqa: B010 - the report looks at every file itself
    poller.KLING_PACE = (0.2, 1.0)  # nobody waits 15 s in a soak, nor for look-ups that lag: these do not
    downloads.ASK_PAUSE[False] = downloads.ASK_PAUSE[True]
    setattr(reconciler, "PAUSES", reconciler.SANDBOX_PAUSES)  # noqa: B010 - of another length
    reconciler.PACE = reconciler.SANDBOX_PACE
    studio = Studio(Settings(credentials=KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url, data_dir=data))
    studio.start()
    return studio


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--restarts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=4)
    return parser.parse_args()


def soak(wanted: argparse.Namespace, data: Path, direct: str, url: str) -> tuple[Studio, int]:
    """Order everything, with faults and restarts, and wait for the end; return the studio and the faults."""
    chance = random.Random(wanted.seed)
    restart_at = {wanted.tasks * number // (wanted.restarts + 1) for number in range(1, wanted.restarts + 1)}
    planned = 0
    studio = open_studio(data, url)
    for number in range(wanted.tasks):
        if number in restart_at:
            studio.stop()
            studio = open_studio(data, url)
        if chance.random() < wanted.faults:
            ask(f"{direct}/_sandbox/plan", chance.choice(PLANS))
            planned += 1
        studio.order_all([TextToVideo(prompt=f"job {number}")], Press(person="soak", session=str(number)))
        while studio.running > AHEAD:
            time.sleep(0.01)
        if (number + 1) % max(wanted.tasks // 5, 1) == 0:
            print(f"{number + 1} ordered, {resident():.0f} MB")
    last = time.monotonic() + 300
    while studio.ledger.unfinished() and time.monotonic() < last:
        time.sleep(0.1)
    return studio, planned


def report(studio: Studio, bought: dict[str, int]) -> None:
    jobs = {job.id: job for job in studio.ledger.jobs()}
    for job in jobs.values():
        if job["file"]:
            check_mp4(studio.archive.video(job.id))
    without = sum(job.id in bought and not job["file"] for job in jobs.values())
    print(f"states: {dict(Counter(job.state for job in jobs.values()))}")
    print(f"bought: {sum(bought.values())}")
    print(f"bought and in no log: {len(bought.keys() - jobs.keys())}")
    print(f"bought twice: {sum(count > 1 for count in bought.values())}")
    print(f"bought and without a verified video: {without}")
    print(f"still open: {sum(job.state in OPEN for job in jobs.values())}")


def main() -> None:
    wanted = options()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    kling = (
        "--clips",
        "tiny",
        "--pace",
        "seconds:0.2",
        "--concurrency",
        "200",
        "--data",
        str(folder / "kling"),
    )
    sandbox, direct = program("kling.sandbox", *kling)
    proxy, url = program("kling.sandbox.proxy", "--to", direct)
    started = time.perf_counter()
    try:
        studio, planned = soak(wanted, folder / "data", direct, url)
        seconds = time.perf_counter() - started
        print(f"{wanted.tasks} jobs, {planned} faults planned, {wanted.restarts} restarts, {seconds:.0f} s")
        report(studio, ask(f"{direct}/_sandbox/accepted")["by_external_task_id"])
        studio.stop()
    finally:
        for process in (proxy, sandbox):
            process.terminate()
            process.communicate(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
