"""What the log costs: `python -m tests.benchmarks.log`.

An append against a bare write and fsync of the same bytes; a cold load of 100,000 tasks against pandas on the
same file; one more row in a small log and in a large one. Prints medians and ratios.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kling.studio.jobs import COLUMNS, request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import encode_row
from kling.text_to_video import TextToVideo

SMALL, LARGE = 1_000, 100_000  # tasks
APPENDS, LOADS = 200, 3

CELLS = {
    "person": "Ada",
    "account": "sandbox",
    **request_cells(TextToVideo(prompt='A red fox, "quick", crosses the snow while the sun rises.' * 2)),
}


def rows_of(number: int) -> list[dict[str, str]]:
    """Return the four rows that an ordinary task leaves."""
    job_id = f"v019ab1c2d3e4{number:011d}"
    file = f"{job_id}.mp4"
    time_ = "2026-11-22T10:00:00.000+00:00"
    changes: list[dict[str, str]] = [
        {"state": "intent", **CELLS},
        {"state": "submitted", "task_id": f"{800_000_000_000_000_000 + number}", "request_id": "r-1"},
        {"state": "succeed", "final_unit_deduction": "1.5", "video_id": "v-1", "video_duration": "5.0"},
        {"file": file, "file_bytes": "1234567", "file_sha256": "0" * 64, "extra": '{"probe":{"width":1280}}'},
    ]
    return [{"external_task_id": job_id, "time": time_, **change} for change in changes]


def record(row: dict[str, str]) -> bytes:
    return encode_row([row.get(name, "") for name in COLUMNS])


def make(path: Path, tasks: int) -> None:
    with path.open("wb") as file:
        file.write(encode_row(COLUMNS))
        for number in range(tasks):
            file.writelines(record(row) for row in rows_of(number))


def median(call: Callable[[], object], times: int) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def appends(folder: Path) -> None:
    data = record(rows_of(0)[0])
    file = LogFile(folder / "append.csv")
    file.read()
    handle = os.open(folder / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def bare() -> None:
        os.write(handle, data)
        os.fsync(handle)

    alone = median(bare, APPENDS)
    ours = median(lambda: file.append(data), APPENDS)
    os.close(handle)
    print(f"append with fsync       {ours * 1e3:8.2f} ms   bare {alone * 1e3:8.2f} ms   {ours / alone:.2f} x")


def one_more_row(path: Path) -> float:
    """Append and fold without fsync, which would hide the rest."""
    ledger = CsvLedger(LogFile(path, fsync=lambda _: None), clock=time.time)
    job_id = ledger.jobs()[0].id
    return median(lambda: ledger.append(job_id, rating="5"), APPENDS)


def main() -> None:
    import pandas as pd

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        appends(folder)
        small, large = folder / "small.csv", folder / "large.csv"
        make(small, SMALL)
        make(large, LARGE)
        theirs = median(lambda: pd.read_csv(large, dtype=str, keep_default_na=False), LOADS)
        ours = median(lambda: CsvLedger(LogFile(large), clock=time.time), LOADS)
        print(f"cold load, {LARGE:,} tasks {ours:7.2f} s    pandas {theirs:5.2f} s    {ours / theirs:.2f} x")
        few, many = one_more_row(small), one_more_row(large)
        print(
            f"one more row, {SMALL:,} tasks {few * 1e6:6.0f} µs   "
            f"{LARGE:,} {many * 1e6:6.0f} µs   {many / few:.2f} x"
        )


if __name__ == "__main__":
    main()
