"""What the library costs with 1,000, 10,000 and 100,000 jobs.

    python -m tests.benchmarks.library [JOBS ...]

Prompts have about 190 characters, one in twenty-five in another script; each job has four rows in the log.
Each question is asked many times, the sizes in turn; what is printed are medians in milliseconds of processor
time, and how often as long the largest log takes as the smallest. The aims: 1.5 for what turns a page, 50 ms
for what counts or adds. Where a log has fewer jobs to show than a page has rows, the numbers are printed.
Last come pages while an index is built, against the same while that work rests.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from kling.studio.jobs import COLUMNS, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import encode_row
from kling.studio.library import PER_PAGE, Group, JobQuery, Library
from kling.studio.spending import Price
from kling.text_to_video import TextToVideo

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 15
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PEOPLE = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Ken", "Çağla", "Jürgen")
MODELS = ("kling-v2-6", "kling-v3", "kling-v2-5-turbo")
THINGS = ("fox", "lighthouse", "train", "whale", "city", "forest", "robot", "dancer", "river", "castle")
RARE = "zeppelin, 飛行船, soft music umbrella"  # in so many jobs of each log, whatever its size
RARE_JOBS = 60
OTHERS = ("灯塔在暴风雨中", "東京の夜景", "Straße in Nürnberg", "Красный лис в снегу")
WORDS = (
    *("slow", "camera", "move", "over", "wet", "stones", "while", "the", "light", "of", "evening", "falls"),
    *(
        "through",
        "leaves",
        "and",
        "somebody",
        "walks",
        "away",
        "from",
        "us",
        "into",
        "mist",
        "with",
        "a",
        "red",
    ),
    *("umbrella", "soft", "music", "far", "behind", "hills"),
)
Rows = list[dict[str, str]]


def rows_of(number: int, jobs: int, rng: random.Random) -> Rows:
    """Return the rows of one job; all jobs of a log lie in the same year."""
    at = NOW - timedelta(days=365) * (1 - number / jobs)
    words = " ".join(rng.choice(WORDS) for _ in range(28))
    prompt = f"A {rng.choice(THINGS)}, {words}"
    if rng.random() < 0.04:
        prompt = f"{rng.choice(OTHERS)}, {prompt}"
    if number % max(jobs // RARE_JOBS, 1) == 0:
        prompt += f", {RARE}"
    request = TextToVideo(prompt=prompt, model_name=rng.choice(MODELS), duration=rng.choice(("5", "10")))
    failed = rng.random() < 0.05
    rows: Rows = [
        {"state": "intent", "person": rng.choice(PEOPLE), "account": "sandbox", **request_cells(request)},
        {"state": "submitted", "task_id": f"{800_000_000_000_000_000 + number}", "request_id": "r-1"},
        {"state": "failed", "task_status_msg": "The content was refused."}
        if failed
        else {"state": "succeed", "final_unit_deduction": rng.choice(("1.5", "2.5", "3"))},
    ]
    if not failed:
        rows.append({"file": "a.mp4", "file_bytes": "1234567", "file_sha256": "0" * 64})
    if rng.random() < 0.1:
        rows.append(
            {"star": "1", "by_name": rng.choice(PEOPLE), "tags": rng.choice(("keep", "client, keep"))}
        )
    job_id = f"v019ab1c2d3e4{number:011d}"
    return [
        {"external_task_id": job_id, "time": (at + timedelta(seconds=20 * step)).isoformat(), **row}
        for step, row in enumerate(rows)
    ]


def make(path: Path, jobs: int) -> None:
    rng = random.Random(7)
    with path.open("wb") as file:
        file.write(encode_row(COLUMNS))
        for number in range(jobs):
            for row in rows_of(number, jobs, rng):
                file.write(encode_row([row.get(name, "") for name in COLUMNS]))


@dataclass
class Side:
    """A log of one size and its library."""

    jobs: int
    library: Library
    ledger: CsvLedger
    build: float = 0.0
    memory: float = 0.0
    disk: float = 0.0


def memory() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def library_of(folder: Path, rest: Callable[[float], None] = time.sleep) -> Library:
    return Library(
        folder,
        zone=UTC,
        price=Price(Decimal("0.14"), "USD"),
        accounts=lambda: ("sandbox",),
        clock=NOW.timestamp,
        rest=rest,
    )


def side_of(folder: Path, jobs: int) -> Side:
    folder.mkdir()
    make(folder / "history.csv", jobs)
    library = library_of(folder, rest=lambda _: None)
    ledger = CsvLedger(LogFile(folder / "history.csv", fsync=lambda _: None), clock=time.time, view=library)
    before, start = memory(), time.process_time()
    library.catch_up()
    side = Side(jobs, library, ledger, time.process_time() - start, memory() - before)
    side.disk = sum(path.stat().st_size for path in folder.glob("index.sqlite3*")) / 2**20
    return side


PAGES = {
    "newest 50": JobQuery(),
    "a page turn": JobQuery(page=2),
    "one word, newest 50": JobQuery(text="lighthouse"),
    "two words": JobQuery(text="whale umbrella"),
    "a rare word": JobQuery(text="zeppelin"),
    "a rare one of another script": JobQuery(text="飛行船"),
    "a rare phrase of usual words": JobQuery(text='"soft music umbrella"'),
    "one job in a hundred": JobQuery(text="nürnberg"),
    "the same in another script": JobQuery(text="暴风雨"),
    "a person": JobQuery(person="Ada"),
    "a state": JobQuery(states=("failed",)),
    "a state and a word": JobQuery(states=("failed",), text="castle"),
    "starred": JobQuery(star="any"),
    "a tag": JobQuery(tags=("client",)),
    "with clips": JobQuery(clips=True),
    "last 7 days": JobQuery(period="7d"),
    "the dearest": JobQuery(order="dearest"),
}
COUNTS: dict[str, Callable[[Side], object]] = {
    "count and sum of all": lambda side: fresh(side).totals(JobQuery()),
    "count and sum of a word": lambda side: fresh(side).totals(JobQuery(text="lighthouse")),
    "count and sum of a usual word": lambda side: fresh(side).totals(JobQuery(text="light")),
    "count and sum of clips": lambda side: fresh(side).totals(JobQuery(clips=True)),
    "count and sum of a length": lambda side: fresh(side).totals(JobQuery(durations=("5",))),
    "count and sum of a person": lambda side: fresh(side).totals(JobQuery(person="Ada")),
    "one character: newest 50": lambda side: side.library.page(JobQuery(text="塔"), side.ledger.get),
    "two characters: count, sum": lambda side: fresh(side).totals(JobQuery(text="夜景")),
    "two characters: newest 50": lambda side: side.library.page(JobQuery(text="夜景"), side.ledger.get),
    "two usual characters": lambda side: side.library.page(JobQuery(text="fo"), side.ledger.get),
    "two usual: count, sum": lambda side: fresh(side).totals(JobQuery(text="th")),
    "a usual character: count, sum": lambda side: fresh(side).totals(JobQuery(text="a")),
    "a rare character: count, sum": lambda side: fresh(side).totals(JobQuery(text="q")),
    "the last page": lambda side: side.library.page(JobQuery(page=side.jobs // 50), side.ledger.get),
    "spend by person": lambda side: side.library.spend(JobQuery(), Group.PERSON),
    "spend by model": lambda side: side.library.spend(JobQuery(), Group.MODEL),
    "spend by day": lambda side: side.library.spend(JobQuery(), Group.DAY),
    "spend by batch": lambda side: side.library.spend(JobQuery(), Group.BATCH),
    "spend of a usual word by person": lambda side: side.library.spend(JobQuery(text="light"), Group.PERSON),
    "spend of a month by person": lambda side: side.library.spend(JobQuery(period="month"), Group.PERSON),
    "times by model and hour": lambda side: side.library.times(JobQuery()),
    "neighbours": lambda side: side.library.neighbours(JobQuery(), f"v019ab1c2d3e4{side.jobs // 2:011d}"),
}


def one_page(query: JobQuery, side: Side) -> int:
    return len(side.library.page(query, side.ledger.get).rows)


def fresh(side: Side) -> Library:
    """Return the library as after a change, so that it counts again."""
    side.library.version += 1
    return side.library


def one_more(side: Side) -> None:
    """Record a change and find it."""
    job_id = f"v019ab1c2d3e4{side.jobs // 3:011d}"
    side.ledger.append(job_id, note=f"{time.perf_counter()}")
    side.library.page(JobQuery(parent=job_id), side.ledger.get)


def compare(name: str, sides: list[Side], call: Callable[[Side], object], aim: str = "") -> None:
    taken: dict[int, list[float]] = {side.jobs: [] for side in sides}
    found: dict[int, object] = {}
    for _ in range(ROUNDS):
        for side in sides:
            start = time.thread_time()
            found[side.jobs] = call(side)
            taken[side.jobs].append(1000 * (time.thread_time() - start))
    middle = [statistics.median(taken[side.jobs]) for side in sides]
    numbers = "  ".join(f"{each:8.2f}" for each in middle)
    rows = [each for each in found.values() if isinstance(each, int)]
    few = f"   rows: {', '.join(map(str, rows))}" if rows and min(rows) < PER_PAGE else ""
    print(f"{name:<32} {numbers}   {middle[-1] / middle[0]:7.2f} x   {aim}{few}")


def while_building(folder: Path) -> None:
    """Compare pages while the largest index is built with pages while that work rests, in turn."""
    for path in folder.glob("index.sqlite3*"):
        path.unlink()
    may_build = threading.Event()
    may_build.set()

    def rest(seconds: float) -> None:
        time.sleep(seconds)
        may_build.wait()

    library = library_of(folder, rest=rest)
    ledger = CsvLedger(LogFile(folder / "history.csv", fsync=lambda _: None), clock=time.time, view=library)
    jobs = ledger.index.newest(0, 200)

    def work() -> float:
        """Do what a script of a page does, about: some Python, and a page of the library."""
        start = time.perf_counter()
        for _ in range(6):
            sorted("".join(job["prompt"] for job in jobs).split())
            library.page(JobQuery(), ledger.get)
        return 1000 * (time.perf_counter() - start)

    taken: dict[bool, list[float]] = {True: [], False: []}
    library.start()
    for _ in range(ROUNDS):
        for builds in (True, False):
            may_build.set() if builds else may_build.clear()
            time.sleep(0.1)
            taken[builds] += [work() for _ in range(20)]
    missing = library.page(JobQuery(), ledger.get).missing
    may_build.set()
    library.stop()
    for name, at in (("median", 9), ("p95", 18)):
        busy, calm = (statistics.quantiles(taken[builds], n=20)[at] for builds in (True, False))
        print(f"a page while it is built, {name}: {busy:.1f} ms, {calm:.1f} ms: {busy / calm:.2f} x   1.5")
    print(f"{missing:,} jobs were not in the index yet")


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name, suppress(KeyboardInterrupt):
        folder = Path(name)
        sides = [side_of(folder / str(jobs), jobs) for jobs in sizes]
        for side in sides:
            print(
                f"{side.jobs:>9,} jobs: built in {side.build:.2f} s of work, {side.disk:.0f} MB on the disk, "
                f"{side.memory:.0f} MB more memory"
            )
        print(f"{'milliseconds for jobs:':<32} " + "  ".join(f"{side.jobs:>8,}" for side in sides))
        for title, query in PAGES.items():
            compare(title, sides, partial(one_page, query), "1.5")
        compare("one change, then found", sides, one_more, "1.5")
        for title, call in COUNTS.items():
            compare(title, sides, call, "50 ms")
        for side in sides:
            side.library.stop()
        while_building(folder / str(sizes[-1]))
    print(f"load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
