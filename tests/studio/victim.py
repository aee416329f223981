"""A studio that kills itself at a named point, and one that goes on where it was killed.

`order DATA URL POINT PROMPT…` orders all prompts with one press, follows them to their end and dies at the
point; at `none` it does not die by itself.
`recover DATA URL POINT PROMPT…` follows everything to its end, and orders before that what the log does not
have: so does a person who does not find an order again.
`press DATA URL POINT PROMPT…` lets ten people order one prompt each at the same moment, again and again, and
notes in the file `DATA.told` what each of them was told. Who was told nothing, and does not find the order in
the log, presses again.
`import DATA URL POINT FILE…` takes in files of other studios.
`delete DATA URL POINT` deletes the clips of all jobs.
`settle DATA URL POINT` does what a studio does by itself, and compares the log with the account.
With `VICTIM_CHECKS=child` videos are looked at in child processes, as they are outside of tests.

Each runs as a process of its own. `serve` starts them: it reads one JSON object a line, `arguments` and
`environment`, forks, and writes how the process ended. So nothing has to be imported again.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kling import Client, KeyPair, TextToVideo, download, transport
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio import archive, poller
from kling.studio.archive import Archive
from kling.studio.budgets import OverBudget
from kling.studio.identity.roles import LOCAL, User
from kling.studio.ledger.csv_file import LogFile
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from tests.studio.clips import WordChecker

POINTS = (
    "before-intent",
    "inside-intent",
    "after-intent",
    "after-post",
    "after-submitted",
    "after-succeed",
    "inside-download",
    "after-download",
    "inside-archived",
    "after-archived",
)
LIBRARY_POINTS = ("after-tombstone", "inside-deleted", "after-deleted", "inside-removal")
ADMIN = User(LOCAL, "The admin", "admin")
MARK = b"The admin"  # in a row of the log that this admin has caused
SPEED = 1000.0  # the studio's pauses and ages pass this much faster: 15 minutes in 0.9 seconds
LONGEST = 60  # seconds that a victim may take
PACE = (50.0, 100.0)  # seconds of the studio between looks
PEOPLE = 10  # who press at once
SETTLED = 60  # steps of a studio with nothing to do, of ten seconds of its time


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def around(owner: Any, name: str, *, before: Callable[..., bool] | None = None, after: Any = None) -> None:
    """Die before or after a call for which the condition holds."""
    call = getattr(owner, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if before and before(*arguments, **named):
            die()
        result = call(*arguments, **named)
        if after and after(*arguments, **named):
            die()
        return result

    setattr(owner, name, wrapped)


def plant(point: str) -> Callable[[int, bytes], int]:  # noqa: C901, PLR0912 - a table
    """Arrange to die at a point between two effects (the table of crash points in README).

    Returns:
        How the log is written: as `os.write` does, or only half of a record before the end.
    """

    def row(*marks: bytes) -> Callable[..., bool]:
        return lambda _self, record: all(mark in record for mark in marks)

    always = lambda *_arguments, **_named: True  # noqa: E731
    match point:
        case "before-intent":
            around(LogFile, "append", before=row(b",intent,"))
        case "inside-intent" | "inside-archived":
            marks = (b",intent,",) if point == "inside-intent" else (b".mp4,",)

            def half(handle: int, record: bytes) -> int:
                if all(mark in record for mark in marks):
                    os.write(handle, record[: len(record) // 2])
                    die()
                return os.write(handle, record)

            return half
        case "inside-import" | "inside-deleted":

            def a_part(handle: int, record: bytes) -> int:
                if MARK in record:
                    os.write(handle, record[: len(record) * 2 // 3])
                    die()
                return os.write(handle, record)

            return a_part
        case "after-tombstone":
            around(Archive, "bury", after=always)
        case "after-deleted":
            around(LogFile, "append", after=row(MARK))
        case "inside-removal":
            around(Path, "unlink", after=lambda path, **_named: path.suffix == ".mp4")
        case "after-intent":
            around(LogFile, "append", after=row(b",intent,"))
        case "after-post":
            around(Client, "create", after=always)
        case "after-submitted":
            around(LogFile, "append", after=row(b",submitted,"))
        case "after-succeed":
            around(LogFile, "append", after=row(b",succeed,"))
        case "inside-download":
            chunks = transport.chunks

            def no_more_than_a_chunk(*arguments: Any) -> Any:
                for chunk in chunks(*arguments):
                    yield chunk
                    die()

            setattr(download, "chunks", no_more_than_a_chunk)  # noqa: B010 - it is imported there
        case "after-download":
            around(Client, "download", after=always)
        case "after-archived":
            around(Archive, "fetch", after=always)
    return os.write


def fast_time() -> float:
    return time.monotonic() * SPEED


def studio_at(data: Path, url: str, write: Callable[[int, bytes], int]) -> Studio:
    poller.KLING_PACE = PACE
    if os.environ.get("VICTIM_CHECKS") != "child":
        setattr(archive, "ChildChecker", WordChecker)  # noqa: B010 - it is imported there
    return Studio(
        Settings(credentials=KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url, data_dir=data),
        file=LogFile(data / "history.csv", write=write),
        monotonic=fast_time,
    )


def main(act: str, data: str, url: str, point: str, *prompts: str) -> None:
    studio = studio_at(Path(data), url, plant(point))
    if act == "recover":
        known = {job["prompt"] for job in studio.ledger.jobs()}
        prompts = tuple(prompt for prompt in prompts if prompt not in known)
    if act == "import":
        for prompt in prompts:
            admin = studio.acting_as(ADMIN)
            admin.import_jobs(admin.read_import(Path(prompt).read_bytes()))
    elif act == "delete":
        studio.acting_as(ADMIN).delete_files([job.id for job in studio.ledger.jobs()])
    elif act == "settle":
        settle(studio)
    elif act == "press":
        press_all(studio, Path(f"{data}.told"), prompts)
    elif prompts:
        studio.order_all(
            [TextToVideo(prompt=prompt) for prompt in prompts], Press(person="victim", session=data)
        )
    while studio.ledger.unfinished():
        studio.poller.step()
        time.sleep(0.01)
    studio.stop()


def settle(studio: Studio) -> None:
    """Let some minutes pass, and compare the log with the account again and again."""
    for turn in range(SETTLED):
        if not turn % (SETTLED // 3):
            studio.scan_account()
        studio.poller.step()
        time.sleep(0.01)


def press_all(studio: Studio, told: Path, prompts: tuple[str, ...]) -> None:
    """Let the people press; see `press` above."""
    known = {job["prompt"] for job in studio.ledger.jobs()}
    if told.exists():
        known |= {line.partition("\t")[0] for line in told.read_text(encoding="utf-8").splitlines()}
    handle = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def press(number: int) -> None:
        if (prompt := prompts[number]) in known:
            return
        who = f"p{number % PEOPLE}"
        answer = "accepted"
        try:
            studio.order_all([TextToVideo(prompt=prompt)], Press(person=who, person_id=who, session=prompt))
        except OverBudget as error:
            answer = str(error)
        os.write(handle, f"{prompt}\t{answer}\n".encode())

    with ThreadPoolExecutor(PEOPLE) as people:
        list(people.map(press, range(len(prompts))))


def run(arguments: list[str], environment: dict[str, str]) -> None:
    """Be a victim: this process was forked for it."""
    signal.alarm(LONGEST)
    os.environ.update(environment)
    if start := getattr(ctypes.CDLL(None), "kill_at_call_start", None):
        start()
    code = 1
    try:
        main(*arguments)
        code = 0
    finally:  # whatever happened, this process must not serve
        if code:
            traceback.print_exc()
        os._exit(code)


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if not (process := os.fork()):
            run(order["arguments"], order["environment"])
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
