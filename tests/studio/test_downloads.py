"""Fetching: at once, bounded, never given up without proof; and every file is looked at to its end, once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.errors import DownloadFailed, MaybeSent, NotSent, api_error
from kling.studio.archive import MOST_AGAIN, Archive, again
from kling.studio.downloads import AT_ONCE, GONE_ANSWERS, MOST_AT_A_STEP, Downloads
from kling.studio.jobs import SUCCEED, Job, fold
from kling.studio.ledger import LedgerError
from kling.studio.video_check import CheckInterrupted, Decoded
from kling.tasks import Video
from tests.kling.tools import Clock
from tests.studio.clips import WordChecker, boxes
from tests.studio.fakes import Account, Kling, Steady

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOUR, DAY = 3600.0, 24 * 3600.0
GOOD = boxes(b"good")
ODD_CELLS = ('{"check":[1]}', '{"again":"x","check":"broken"}', '{"gone":0}', "[" * 9999, "9" * 999)


class Watched(dict[str, Job]):
    """A dictionary that counts how often all of it is gone through."""

    walks = 0

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return super().__iter__()

    def keys(self) -> Any:
        self.walks += 1
        return super().keys()


class MemoryLedger:
    """The part of a ledger that downloads need."""

    opening = False
    generation = 1

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.all: dict[str, Job] = {}
        self.wanted = Watched()
        self.rows: list[dict[str, str]] = []
        self.errors: list[Exception | None] = []

    def append(self, external_task_id: str, *, only: Collection[str] | None = None, **cells: str) -> Job:
        if self.errors and (error := self.errors.pop(0)):
            raise error
        time = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        row = {"external_task_id": external_task_id, "time": time, **cells}
        self.rows.append(row)
        job = fold(self.all.get(external_task_id), row)
        assert only is None or job.state in only
        self.all[external_task_id] = job
        if job.state == SUCCEED and not job["file"] and not job.gone:
            self.wanted[external_task_id] = job
        else:
            self.wanted.pop(external_task_id, None)
        return job

    def get(self, external_task_id: str) -> Job | None:
        return self.all.get(external_task_id)

    def jobs(self) -> tuple[Job, ...]:
        return tuple(self.all.values())

    def unfetched(self) -> Mapping[str, Job]:
        return self.wanted


class Bench:
    """Downloads over an account that does as it is told; workers run at once, or when `work` is called."""

    def __init__(self, folder: Path, *, rng: random.Random | None = None) -> None:
        self.kling = Kling()
        self.connection = Account(self.kling)
        self.clock, self.monotonic = Clock(NOW.timestamp()), Clock(1000.0)
        self.ledger = MemoryLedger(self.clock)
        self.checker = WordChecker()
        self.archive = Archive(folder / "videos", checker=self.checker)
        self.held: list[Callable[[], None]] | None = None
        self.stranger: set[str] = set()
        self.told = self.woken = 0
        self.rng = rng or Steady()
        self.restart()

    def restart(self) -> None:
        ledger: Any = self.ledger
        self.downloads = Downloads(
            ledger=ledger,
            archive=self.archive,
            connection=self.connection,
            owns=lambda job: job.id not in self.stranger,
            run=self.run,
            clock=self.clock,
            monotonic=self.monotonic,
            on_change=self._tell,
            wake=self._wake,
            rng=self.rng,
        )

    def run(self, call: Callable[[], None]) -> None:
        if self.held is None:
            call()
        else:
            self.held.append(call)

    def _tell(self, _job_id: str) -> None:
        self.told += 1

    def _wake(self) -> None:
        self.woken += 1

    def work(self) -> None:
        while self.held:
            self.held.pop(0)()

    def succeed(
        self, job_id: str, content: bytes | BaseException = GOOD, *, days: float = 0.0, **cells: str
    ) -> str:
        """Let a task succeed at Kling and in the ledger, some days ago; return the address of its video."""
        self.kling.add(job_id)
        url = self.kling.finish(job_id, content)
        made = (NOW - timedelta(days=days)).isoformat()
        self.ledger.append(job_id, **{"state": SUCCEED, "updated_at": made, "task_id": "8.0E+17", **cells})
        return url

    def clear(self, job_id: str) -> None:
        """Let Kling clear a result."""
        self.kling.change(job_id, videos=())

    def job(self, job_id: str) -> Job:
        return self.ledger.all[job_id]

    def run_for(self, seconds: float) -> int:
        """Call `step` whenever it wants to be called; return how often that was."""
        end = self.monotonic.now + seconds
        steps = 0
        while True:
            due = self.downloads.step()
            steps += 1
            if due is None or due > end:
                break
            passed = max(due - self.monotonic.now, 0.02)
            self.monotonic.now += passed
            self.clock.now += passed
        self.clock.now += max(end - self.monotonic.now, 0.0)
        self.monotonic.now = max(end, self.monotonic.now)
        return steps


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# -- at once -------------------------------------------------------------------------------------------------


def test_an_address_that_was_just_seen_is_fetched_without_a_call_to_kling(bench):
    url = bench.succeed("a")
    bench.downloads.note("a", Video(id="v", url=url))
    bench.downloads.step()
    assert (bench.job("a")["file"], bench.kling.gets, bench.kling.downloads) == ("a.mp4", [], [url])
    assert bench.archive.poster("a").exists()
    assert bench.downloads.not_safe == (0, 0)


def test_an_address_may_be_seen_before_the_job_is_known_to_have_succeeded(bench):
    bench.ledger.append("a", state="processing", task_id="1")
    bench.downloads.note("a", Video(id="v", url="https://cdn.kling.test/0.mp4"))
    bench.downloads.step()
    assert bench.kling.downloads == []
    bench.succeed("a")
    bench.downloads.step()
    assert (bench.job("a")["file"], bench.kling.gets) == ("a.mp4", [])


def test_after_a_restart_the_task_is_asked_for_by_our_id(bench):
    bench.succeed("a")
    bench.downloads.step()
    assert (bench.job("a")["file"], bench.kling.gets) == ("a.mp4", ["a"])


def test_a_task_that_was_found_in_the_account_is_asked_for_by_klings_id(bench):
    bench.kling.add("", task_id="841234567890123456")
    bench.kling.finish("", GOOD)
    bench.ledger.append("k841234567890123456", state=SUCCEED)
    bench.downloads.step()
    assert bench.job("k841234567890123456")["file"]
    assert bench.kling.gets == ["841234567890123456"]


@pytest.mark.parametrize("job_id", ["a", "k841234567890123456"])
def test_a_task_of_somebody_else_is_not_taken_for_ours(bench, monkeypatch, job_id):
    bench.succeed(job_id)
    bench.succeed("b")
    monkeypatch.setattr(bench.kling, "get", lambda *_, **__: bench.kling.made["b"])
    bench.ledger.wanted.pop("b")
    bench.run_for(HOUR)
    assert bench.kling.downloads == []
    assert "another task" in bench.downloads.trouble(job_id)


def test_no_signed_address_reaches_the_log(bench):
    url = bench.succeed("a", DownloadFailed("The video's host answered HTTP 500.", status=500))
    bench.run_for(HOUR)
    assert url not in json.dumps(bench.ledger.rows)


def test_a_job_that_succeeded_without_a_note_is_taken_up_and_one_that_is_done_is_dropped(bench):
    assert bench.downloads.step() is None
    bench.succeed("a")
    bench.succeed("b", NotSent("The file's host could not be reached."))
    bench.downloads.step()
    bench.run_for(10)
    assert bench.job("a")["file"]
    assert bench.downloads.not_safe == (1, 0)
    bench.ledger.append("b", file="b.mp4")  # by somebody else
    bench.downloads.step()
    assert (bench.downloads.not_safe, bench.downloads.trouble("b")) == ((0, 0), "")


def test_what_waits_for_its_next_try_is_fetched_when_somebody_wants_it_now(bench):
    url = bench.succeed("a", DownloadFailed("The video's host answered HTTP 500.", status=500), days=20)
    bench.run_for(HOUR)
    assert bench.downloads.days_left == 9
    bench.kling.files[url] = GOOD
    assert bench.downloads.fetch_now() == 1
    bench.downloads.step()
    assert bench.job("a")["file"]
    assert (bench.downloads.fetch_now(), bench.downloads.days_left) == (0, None)


def test_a_press_does_not_hasten_the_proof_that_a_video_is_gone(bench):
    bench.succeed("a", days=31)
    bench.clear("a")
    for _ in range(3 * GONE_ANSWERS):
        assert bench.downloads.fetch_now() == 0
        bench.downloads.step()
        bench.run_for(60)
    assert not bench.job("a").gone


def test_while_the_ledger_is_being_read_nothing_is_asked(bench):
    bench.ledger.opening = True
    bench.succeed("a")
    assert bench.downloads.step() is None
    bench.ledger.opening, bench.ledger.generation = False, 2
    bench.downloads.step()
    assert bench.job("a")["file"]


def test_after_a_change_from_outside_everything_is_looked_at_anew(bench):
    bench.downloads.step()
    bench.succeed("a")
    bench.ledger.append("b", state=SUCCEED, extra='{"gone":"2026-10-01T00:00:00+00:00"}')
    bench.ledger.generation += 1
    bench.downloads.step()
    assert bench.job("a")["file"]
    assert bench.downloads.not_safe == (0, 1)


def test_another_accounts_video_is_left_alone_until_the_account_is_ours(bench):
    bench.succeed("a")
    bench.stranger = {"a"}
    bench.run_for(HOUR)
    assert bench.kling.requests == 0
    assert "another account" in bench.downloads.trouble("a")
    bench.stranger = set()
    bench.run_for(HOUR)
    assert bench.job("a")["file"]


# -- again and again -----------------------------------------------------------------------------------------


def test_an_address_that_has_expired_is_asked_for_again(bench):
    url = bench.succeed("a")
    bench.kling.files["https://old.test/"] = DownloadFailed("answered HTTP 403.", status=403)
    bench.downloads.note("a", Video(id="v", url="https://old.test/"))
    bench.downloads.step()
    assert bench.downloads.trouble("a") == (
        "The video is not here yet: answered HTTP 403. It is tried again in a moment."
    )
    bench.run_for(3)
    assert bench.job("a")["file"]
    assert bench.kling.downloads == ["https://old.test/", url]
    assert bench.downloads.trouble("a") == ""


def test_a_host_that_cannot_be_reached_is_tried_again_without_asking_kling(bench):
    bench.succeed("a", NotSent("The video's host could not be reached."))
    bench.run_for(HOUR)
    assert len(bench.kling.downloads) > 4
    assert len(bench.kling.gets) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotSent("Kling could not be reached: no connection."), "no connection"),
        (MaybeSent("The connection broke."), "connection broke"),
        (DownloadFailed("Only a part of the file arrived."), "Only a part"),
        (api_error(500, 5000, "oops"), "internal error"),
        (api_error(401, 1002, "no"), "Check the key"),
        (OSError(28, "No space left on device"), "No space left"),
        (RuntimeError("a fault of ours"), "log file says why"),
    ],
)
def test_whatever_stops_a_fetch_is_said_with_what_comes_next_and_tried_again(bench, error, words):
    bench.succeed("a", error)
    bench.downloads.step()
    said = bench.downloads.trouble("a")
    assert said.startswith("The video is not here yet: ")
    assert words in said
    assert "It is tried again in" in said
    assert ".." not in said
    bench.kling.files = dict.fromkeys(bench.kling.files, GOOD)
    bench.run_for(2 * HOUR)
    assert bench.job("a")["file"]


def test_tries_become_rarer_and_never_end(bench):
    bench.succeed("a", DownloadFailed("HTTP 500", status=500))
    bench.run_for(HOUR)
    assert 5 <= len(bench.kling.downloads) <= 7
    bench.run_for(DAY)
    assert 24 <= len(bench.kling.downloads) <= 32


@pytest.mark.parametrize("jump", [-400 * DAY, -2 * HOUR, HOUR, 400 * DAY])
def test_a_clock_that_jumps_neither_hurries_nor_stops_anything(bench, jump):
    bench.succeed("a", DownloadFailed("HTTP 500", status=500))
    bench.run_for(5)
    tries = len(bench.kling.downloads)
    bench.clock.now += jump
    bench.run_for(HOUR)
    assert tries + 2 <= len(bench.kling.downloads) <= tries + 5
    bench.kling.files = dict.fromkeys(bench.kling.files, GOOD)
    bench.run_for(2 * HOUR)
    assert bench.job("a")["file"]


def test_a_time_without_a_zone_and_a_refused_download_make_few_calls(bench):
    bench.succeed("a", DownloadFailed("HTTP 403", status=403), updated_at="2026-11-19T10:00:00")
    steps = bench.run_for(HOUR)
    assert bench.kling.requests < 10
    assert steps < 50


@settings(max_examples=40)
@given(
    cells=st.dictionaries(
        st.sampled_from(["updated_at", "time", "task_id", "extra", "watermark_info", "file", "account"]),
        st.text() | st.sampled_from(ODD_CELLS),
    ),
    content=st.sampled_from([GOOD, b"no video", boxes(b"broken"), boxes(b"foreign")]),
)
def test_no_cell_makes_a_step_fail_or_ask_all_the_time(tmp_path_factory, cells, content):
    bench = Bench(tmp_path_factory.mktemp("videos"))
    bench.succeed("a", content)
    bench.ledger.append("a", **cells)
    bench.restart()
    bench.run_for(HOUR)
    bench.downloads.trouble("a")
    assert bench.kling.requests + len(bench.kling.downloads) < 30


def test_a_row_that_could_not_be_written_does_not_fetch_twice(bench):
    bench.succeed("a")
    bench.ledger.errors = [LedgerError("The log cannot be written."), None]
    bench.downloads.step()
    assert "cannot be written" in bench.downloads.trouble("a")
    bench.run_for(10)
    assert bench.job("a")["file"]
    assert len(bench.kling.downloads) == 1


def test_two_are_fetched_at_once_and_none_that_takes_long_is_begun_again_or_forgotten(bench):
    bench.held = []
    for job_id in "abc":
        bench.downloads.note(job_id, Video(id="v", url=bench.succeed(job_id, NotSent("no connection"))))
    bench.run_for(HOUR)
    assert len(bench.held) == AT_ONCE == 2
    bench.work()
    bench.downloads.step()
    assert len(bench.held) == 1  # the others begin their pauses now
    bench.kling.files = dict.fromkeys(bench.kling.files, GOOD)
    bench.work()
    bench.held = None
    bench.run_for(10)
    assert all(bench.job(job_id)["file"] for job_id in "abc")
    assert bench.woken >= 5


def test_workers_that_have_been_told_to_stop_are_no_error(bench, monkeypatch):
    def run(_call):
        raise RuntimeError("cannot schedule new futures after shutdown")

    bench.succeed("a")
    monkeypatch.setattr(bench, "run", run)
    bench.restart()
    bench.run_for(HOUR)
    assert bench.downloads.not_safe == (1, 0)


def test_an_interrupted_probe_leaves_no_words(bench, monkeypatch):
    def probe(*_):
        raise CheckInterrupted

    bench.succeed("a")
    monkeypatch.setattr(bench.checker, "probe", probe)
    bench.downloads.step()
    assert (bench.job("a")["file"], bench.downloads.trouble("a")) == ("", "")


# -- the link while a clip is at risk ------------------------------------------------------------------------


def test_the_link_is_there_while_a_clip_is_at_risk_and_no_longer(bench):
    url = bench.succeed("a", DownloadFailed("The host leads into a private network."))
    bench.downloads.step()
    assert bench.downloads.link("a") == url
    bench.run_for(HOUR)
    assert bench.downloads.link("a") == url  # also after an answer that had it not
    bench.kling.files[url] = GOOD
    bench.run_for(2 * HOUR)
    assert bench.downloads.link("a") == ""


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://cdn.kling.test/v.mp4?sign=a&b=c", "https://cdn.kling.test/v.mp4?sign=a&b=c"),
        ("http://127.0.0.1:9/v.mp4", "http://127.0.0.1:9/v.mp4"),
        ("/files/v.mp4", "https://kling.test/files/v.mp4"),
        ("//cdn.kling.test/v.mp4", "https://cdn.kling.test/v.mp4"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("file:///etc/passwd", ""),
        ("https://user:secret@cdn.kling.test/v", ""),
        ("https://cdn.kling.test/v.mp4\n<script>", ""),
    ],
)
def test_a_link_is_one_that_a_person_may_open(bench, url, link):
    bench.succeed("a")
    bench.kling.change("a", videos=(Video(id="v", url=url),))
    bench.kling.files[url] = DownloadFailed("The host is not known.")
    bench.downloads.step()
    assert bench.downloads.link("a") == link


# -- gone ----------------------------------------------------------------------------------------------------


def test_a_video_is_gone_once_its_days_are_over_and_kling_has_said_so_several_times(bench):
    bench.succeed("a", days=31)
    bench.clear("a")
    bench.downloads.step()
    assert not bench.job("a").gone
    assert (bench.downloads.not_safe, bench.downloads.overdue) == ((1, 0), 1)
    bench.run_for(HOUR / 2)
    assert len(bench.kling.gets) == 1  # an answer a minute later proves no more
    bench.run_for(5 * HOUR)
    assert bench.job("a").gone
    assert len(bench.kling.gets) == GONE_ANSWERS
    assert datetime.fromisoformat(bench.job("a").extra["gone"]).tzinfo
    assert (bench.downloads.not_safe, bench.downloads.overdue) == ((0, 1), 0)
    rows = len(bench.ledger.rows)
    assert bench.downloads.step() is None
    bench.restart()
    bench.run_for(DAY)
    assert (len(bench.kling.gets), len(bench.ledger.rows)) == (GONE_ANSWERS, rows)
    assert bench.downloads.not_safe == (0, 1)


def answers(bench: Bench, how: str) -> None:
    if how == "no such task":
        bench.kling.hidden.add("a")
    elif how == "no video":
        bench.clear("a")
    elif how == "no connection":
        bench.connection.down = NotSent("Kling could not be reached.")
    elif how == "still processing":
        bench.kling.change("a", task_status="processing", videos=())
    elif how == "refused":
        bench.kling.look_ups = [api_error(429, 1102, "balance")] * 1000
    else:
        error = DownloadFailed(f"HTTP {how}", status=int(how)) if how != "0" else DownloadFailed("too large")
        bench.kling.files = dict.fromkeys(bench.kling.files, error)


@pytest.mark.parametrize("days", [5, 31])
@pytest.mark.parametrize(
    ("how", "is_proof"),
    [
        *(("no such task", True), ("no video", True), ("403", True), ("404", True), ("410", True)),
        *(
            ("no connection", False),
            ("still processing", False),
            ("refused", False),
            ("500", False),
            ("0", False),
        ),
    ],
)
def test_only_days_and_answers_together_prove_that_a_video_is_gone(bench, how, is_proof, days):
    bench.succeed("a", days=days)
    answers(bench, how)
    bench.run_for(DAY)
    assert bench.job("a").gone == (is_proof and days > 30)
    assert bool(bench.downloads.trouble("a")) == (not bench.job("a").gone)


@pytest.mark.parametrize("updated_at", ["1970-01-21T15:06:09+00:00", "", "x"])
def test_a_time_that_cannot_be_meant_makes_no_video_overdue(bench, updated_at):
    bench.succeed("a", updated_at=updated_at)
    answers(bench, "no such task")
    bench.run_for(DAY)
    assert not bench.job("a").gone
    assert len(bench.kling.gets) > 20


def test_a_dead_link_that_was_known_before_proves_nothing_by_itself(bench):
    bench.succeed("a", days=31)
    bench.kling.files["https://old.test/"] = DownloadFailed("HTTP 404", status=404)
    for _ in range(5):
        bench.downloads.note("a", Video(id="v", url="https://old.test/"))
        bench.downloads.step()
    bench.run_for(10)
    assert bench.job("a")["file"]


def test_an_answer_that_lists_a_video_takes_back_those_before_it(bench):
    bench.succeed("a", days=31)
    videos = bench.kling.made["a"].videos
    for _ in range(4):
        bench.kling.change("a", videos=())
        bench.run_for(2 * HOUR)
        bench.kling.change("a", videos=videos)
        answers(bench, "500")
        bench.run_for(2 * HOUR)
    assert not bench.job("a").gone


def test_that_it_is_gone_is_written_later_if_the_log_cannot_be_written_now(bench):
    bench.succeed("a", days=31)
    bench.clear("a")
    bench.ledger.errors = [LedgerError("The log cannot be written.")] * 2
    bench.run_for(4 * HOUR)
    assert not bench.job("a").gone
    assert "cannot be written" in bench.downloads.trouble("a")
    bench.run_for(4 * HOUR)
    assert bench.job("a").gone


def test_a_video_that_kling_still_has_after_its_days_is_fetched(bench):
    bench.succeed("a", days=45)
    bench.downloads.step()
    assert bench.job("a")["file"]


# -- many ----------------------------------------------------------------------------------------------------


def test_ninety_thousand_old_jobs_keep_nobody_waiting_and_ask_less_than_once_a_second(bench, monkeypatch):
    made = (NOW - timedelta(days=400)).isoformat()
    job = fold(None, {"external_task_id": "x", "state": SUCCEED, "time": made, "updated_at": made})
    for number in range(90_000):
        cells = {**job.cells, "external_task_id": f"o{number}"}
        bench.ledger.all[f"o{number}"] = bench.ledger.wanted[f"o{number}"] = Job(cells, job.since)
    bench.succeed("risk", days=29)
    bench.downloads.step()
    walks = bench.ledger.wanted.walks
    assert bench.job("risk")["file"]  # it comes before all that are overdue
    monkeypatch.setattr(bench.ledger, "jobs", lambda: pytest.fail("all jobs were looked at"))
    assert bench.downloads.not_safe == (90_000, 0)
    assert bench.downloads.overdue == 90_000
    asked = bench.kling.requests
    monkeypatch.setattr("kling.studio.downloads.CONFIRM_PAUSE", 60.0)
    steps = bench.run_for(600)
    assert 300 < bench.kling.requests - asked < 600
    assert steps < 1200
    assert bench.downloads.not_safe[1] > 50  # those that were asked first are confirmed before others begin
    bench.succeed("new", days=0)
    bench.downloads.note("new", bench.kling.made["new"].videos[0])
    bench.downloads.step()
    assert bench.job("new")["file"]
    assert bench.ledger.wanted.walks == walks


def test_many_of_another_account_are_passed_over_in_small_steps(bench):
    count = 3 * MOST_AT_A_STEP
    for number in range(count):
        bench.ledger.append(f"o{number}", state=SUCCEED)
    bench.stranger = set(bench.ledger.all)
    assert bench.downloads.step() == bench.monotonic.now  # there is more to do
    steps = bench.run_for(60)
    assert steps <= 5
    assert bench.kling.requests == 0


# -- all of a file, once -------------------------------------------------------------------------------------


def test_a_file_is_decoded_once_to_its_end(bench):
    bench.succeed("a")
    bench.run_for(HOUR)
    assert bench.job("a").extra["check"] == "ok"
    assert bench.checker.decoded == ["a.mp4"]
    bench.restart()
    assert bench.run_for(DAY) == 1
    assert bench.checker.decoded == ["a.mp4"]


def test_files_of_earlier_days_are_decoded_while_kling_could_give_them_again(bench):
    for job_id, days in (("a", 3.0), ("b", 31.0)):
        bench.archive.video(job_id).write_bytes(GOOD)
        bench.succeed(job_id, days=days, file=f"{job_id}.mp4")
    bench.run_for(HOUR)
    assert bench.checker.decoded == ["a.mp4"]
    assert "check" not in bench.job("b").extra


def test_files_are_decoded_one_at_a_time_and_only_while_nothing_is_fetched(bench):
    for job_id in "ab":
        bench.archive.video(job_id).write_bytes(GOOD)
        bench.succeed(job_id, file=f"{job_id}.mp4")
    bench.held = []
    bench.succeed("c")
    bench.run_for(HOUR)
    assert len(bench.held) == 1  # the fetch of c
    bench.work()
    bench.run_for(HOUR)
    assert (len(bench.held), bench.job("c")["file"]) == (1, "c.mp4")
    bench.work()
    assert len(bench.checker.decoded) == 1


def test_what_this_machine_cannot_decode_is_played_by_a_browser_and_left_alone(bench):
    bench.succeed("a", boxes(b"foreign"))
    bench.run_for(DAY)
    assert (bench.job("a").has_clip, bench.job("a").extra["check"]) == (True, "unchecked")
    assert bench.checker.decoded == []
    assert len(bench.kling.downloads) == 1


@pytest.mark.parametrize("error", [OSError(5, "I/O error"), RuntimeError("x"), CheckInterrupted()])
def test_a_check_that_comes_to_nothing_is_made_again_after_a_pause(bench, monkeypatch, error):
    def decode(_video):
        tries.append(1)
        if len(tries) < 3:
            raise error
        return Decoded("ok", 1.0)

    tries: list[int] = []
    monkeypatch.setattr(bench.checker, "decode", decode)
    bench.succeed("a")
    bench.run_for(30)
    assert len(tries) == 1
    bench.run_for(HOUR)
    assert bench.job("a").extra["check"] == "ok"


def test_a_check_that_cannot_be_written_down_is_made_again(bench):
    bench.succeed("a")
    # Errors at the task, the file and the check.
    bench.ledger.errors = [None, None, LedgerError("The log cannot be written.")]
    bench.run_for(HOUR)
    assert bench.job("a").extra["check"] == "ok"
    assert len(bench.checker.decoded) == 2


def test_a_broken_file_is_fetched_again_and_a_good_copy_takes_its_place(bench):
    url = bench.succeed("a", boxes(b"half"))
    bench.downloads.step()
    bench.kling.files[url] = boxes(b"better")
    assert bench.downloads.not_safe == (0, 0)
    said = bench.downloads.trouble("a")
    assert said.startswith("A better copy of this broken video is not here yet: 12 of its 24 frames")
    bench.run_for(60)
    assert bench.archive.video("a").read_bytes() == boxes(b"better")
    assert (bench.job("a").extra["check"], bench.downloads.trouble("a")) == ("ok", "")
    assert bench.kling.gets == ["a", "a"]


def test_copies_of_a_broken_file_are_bounded_also_over_restarts(bench):
    url = bench.succeed("a", boxes(b"half 0"))
    for number in range(1, 9):
        bench.run_for(DAY / 2)
        bench.kling.files[url] = boxes(b"half %d" % number)
        bench.restart()
    assert again(bench.job("a")) == MOST_AGAIN
    assert len(bench.kling.downloads) <= 1 + MOST_AGAIN
    assert bench.archive.video("a").read_bytes() == boxes(b"half 0")


@pytest.mark.parametrize("how", ["no such task", "no video"])
def test_a_broken_file_that_kling_has_no_more_is_kept_and_no_longer_asked_for(bench, how):
    bench.succeed("a", boxes(b"half"))
    bench.downloads.step()
    answers(bench, how)
    bench.run_for(2 * DAY)
    assert len(bench.kling.gets) == 1 + GONE_ANSWERS
    assert bench.archive.video("a").read_bytes() == boxes(b"half")
    assert not bench.job("a").gone


def test_a_broken_file_is_not_asked_for_when_its_days_are_over(bench):
    bench.succeed("a", boxes(b"half"), days=29.9)
    bench.downloads.step()
    answers(bench, "no connection")
    bench.run_for(DAY)
    assert bench.downloads.trouble("a") == ""
    bench.connection.down = None
    bench.run_for(DAY)
    assert len(bench.kling.downloads) == 1
