"""A ZIP of 500 clips from a real server: its bytes, its speed, the server's memory; and its manifest.

python -m tests.benchmarks.take_away
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from pathlib import Path

from kling import TextToVideo
from kling.studio.archive import Archive
from kling.studio.jobs import request_cells
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from tests.e2e.conftest import Server
from tests.studio.clips import tiny_clip

CLIPS, SIZE = 500, 4 * 2**20  # bytes of a clip
FEW = 25


def fill(data: Path) -> list[str]:
    """Write a log of clips, which all lie in one file of the disk; return their ids."""
    archive = Archive(data / "videos")
    ledger = CsvLedger(LogFile(data / "history.csv"), clock=time.time)
    first = archive.video("v0")
    tiny_clip(first)
    with first.open("ab") as file:
        room = SIZE - first.stat().st_size
        file.write(room.to_bytes(4, "big") + b"free" + os.urandom(room - 8))
    ids = [f"v{number}" for number in range(CLIPS)]
    for number, job_id in enumerate(ids):
        if number:
            archive.video(job_id).hardlink_to(first)
        cells = request_cells(TextToVideo(prompt=f"A white running shoe, number {number}"))
        ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", **cells)
    return ids


def memory(pid: int) -> float:
    """Return the megabytes that a process has in memory."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Watch(threading.Thread):
    """Notes the most memory of a process."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.done = pid, memory(pid), threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.05):
            self.most = max(self.most, memory(self.pid))


def fetch(server: Server, ids: list[str], to: Path) -> None:
    """Fetch a ZIP, and print what it took."""
    assert server.process is not None
    before = memory(server.process.pid)
    watch, began = Watch(server.process.pid), time.perf_counter()
    watch.start()
    first = 0.0
    with urllib.request.urlopen(f"{server.url}/take-away?ids={','.join(ids)}&form=zip") as answer:
        promised, found = int(answer.headers["Content-Length"]), 0
        with to.open("wb") as file:
            while chunk := answer.read(2**20):
                first = first or time.perf_counter() - began
                found += len(chunk)
                file.write(chunk)
    seconds = time.perf_counter() - began
    watch.done.set()
    watch.join()
    print(
        f"{len(ids):4} clips: {found / 2**20:8.1f} MB, as promised: {found == promised}; first byte after "
        f"{first:.2f} s, all after {seconds:.1f} s ({found / 2**20 / seconds:.0f} MB/s); memory of the "
        f"server {before:.0f} MB before, {watch.most:.0f} MB at most (+{watch.most - before:.1f})"
    )


def verify(path: Path) -> int:
    """Return how many files of a ZIP are as its manifest says; raise if one is not."""
    with zipfile.ZipFile(path) as found:
        lines = found.read("SHA256SUMS").decode().splitlines()
        for line in lines:
            digest, _, name = line.partition("  ")
            assert hashlib.sha256(found.read(name)).hexdigest() == digest, name
        assert {line.partition("  ")[2] for line in lines} == {*found.namelist()} - {"SHA256SUMS"}
    return len(lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data, to = Path(folder) / "data", Path(folder) / "clips.zip"
        ids = fill(data)
        server = Server(data)
        server.start()
        try:
            for count in (FEW, FEW, CLIPS, CLIPS):
                fetch(server, ids[:count], to)
        finally:
            server.close()
        print(f"{verify(to):,} files are as the manifest says")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
