"""Export and import: what is exported comes back as it was; what is imported is history, never work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.archive import Archive
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import COLUMNS, OPEN, STATES, SUCCEED, TERMINAL, Job, fold, request_cells
from kling.studio.jobs.cells import load_json
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import encode_row
from kling.studio.library import JobQuery
from kling.studio.library.export import EXPORTED, csv_lines, json_lines, record_of
from kling.studio.library.imports import ImportRefused, Imports, job_of, read_import
from kling.studio.spending import Spending
from tests.kling.tools import Clock, law
from tests.studio.clips import InProcessChecker
from tests.studio.fakes import FOX, Bench
from tests.studio.library.test_search import CELLS, TIMES

ADA = User(LOCAL, "Ada", "admin")
LONG = 100 * 24 * 3600.0
FORMS = {"csv": csv_lines, "jsonl": json_lines}
# What a log can hold of one job, but for a mark of an import.
ROWS = st.lists(
    st.fixed_dictionaries(
        {"time": TIMES},
        optional={name: cells for name, cells in CELLS.items() if name not in {"extra", "file"}}
        | {
            "extra": st.sampled_from(['{"take":2}', '{"gone":"2026"}', '{"probe":{"width":64}}', "words"]),
            "created_at": TIMES,
            "file_sha256": st.just("0" * 64),
        },
    ),
    min_size=1,
    max_size=6,
)


def folded(rows: list[dict[str, str]], job_id: str) -> Job:
    job = Job()
    for row in rows:
        job = fold(job, {**row, "external_task_id": job_id})
    return job


class Place:
    """A ledger, its videos and its imports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = Archive(folder / "videos", checker=InProcessChecker())
        self.open()

    def open(self) -> None:
        clock = Clock(1_795_000_000.0)
        self.ledger = CsvLedger(LogFile(self.folder / "history.csv", fsync=lambda _: None), clock=clock)
        self.imports = Imports(self.ledger, self.archive, clock)

    def jobs(self) -> dict[str, Job]:
        return {job.id: job for job in self.ledger.jobs() if not job.retracted}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@settings(law, max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=4), st.sampled_from(sorted(FORMS)))
def test_export_then_import_is_the_identity_for_what_an_export_holds(tmp_path_factory, logs, form):
    jobs = [folded(rows, f"v{number}") for number, rows in enumerate(logs)]
    data = b"".join(FORMS[form](jobs))
    there = Place(tmp_path_factory.mktemp("there"))
    plan = there.imports.read(data)
    assert (plan.jobs, plan.known, plan.faults) == (len(jobs), 0, ())
    there.imports.take_in(plan, by="", by_name="Ada")
    for _ in range(2):
        back = there.jobs()
        assert {job.id: record_of(job) for job in jobs} == {key: record_of(job) for key, job in back.items()}
        assert all(job.imported and job.state in TERMINAL for job in back.values())
        assert not there.ledger.open_jobs()
        assert not there.ledger.unfetched()
        assert not there.ledger.unconfirmed
        there.open()


@law
@given(st.dictionaries(st.sampled_from(EXPORTED), st.text(max_size=20)), st.sampled_from(STATES))
def test_whatever_a_record_says_it_becomes_history(record, state):
    job = job_of({"external_task_id": "v1", **record, "state": state})
    assert job.imported
    assert job.gone or job["state"] != SUCCEED


def test_the_bytes_of_a_picture_are_not_taken_in():
    kept = {"image": "0" * 64, "image_tail": "https://example.com/a.png"}
    for frames, told in [(kept, kept), (dict.fromkeys(kept, "iVBORw0KGgo" * 40), {})]:
        job = job_of({"external_task_id": "v1", "state": SUCCEED, "prompt": "It runs", **frames})
        assert {name: job[name] for name in kept if job[name]} == told
        assert job["prompt"] == "It runs"


@settings(law, max_examples=30)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                **{name: st.text(max_size=8) for name in ("external_task_id", "times", "opinions", "extra")},
                "state": st.sampled_from([*STATES, "favourite"]),
                "task_id": st.just("7"),
                "times": st.sampled_from(
                    ['{"submitted":"2026-11-26T10:00:00+00:00"}', '{"succeed":"2026-11-26"}', "[1]", "{"]
                ),
                "file": st.just("v1.mp4"),
                "extra": st.sampled_from(['{"imported":7}', '{"imported":{"was":"x"}}', "[" * 3000, "null"]),
            },
        ),
        max_size=4,
    ),
    st.sampled_from(["csv", "jsonl"]),
)
def test_no_file_makes_work_or_an_error(tmp_path_factory, records, form):
    records = [{"external_task_id": f"v{number}", **record} for number, record in enumerate(records)]
    if form == "jsonl":
        data = b"".join(f"{json.dumps(record)}\n".encode() for record in records)
    else:
        columns = [*EXPORTED, "file"]
        rows = [[record.get(name, "") for name in columns] for record in records]
        data = b"".join(map(encode_row, [columns, *rows]))
    there = Place(tmp_path_factory.mktemp("there"))
    if not data:
        return
    plan = there.imports.read(data)
    there.imports.take_in(plan, by="", by_name="Ada")
    there.open()
    assert all(job.state in TERMINAL and not job["file"] for job in there.ledger.jobs())
    assert len(there.ledger.jobs()) == plan.jobs


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"name,age\nAda,36\n",
        b"\x89PNG\r\n\x1a\n" * 9,
        b"[1, 2]",
        "external_task_id".encode("utf-16"),
    ],
)
def test_what_is_no_export_and_no_log_is_refused(place, data):
    with pytest.raises(ImportRefused, match="no export"):
        place.imports.read(data)


def test_lines_of_json_that_say_nothing_are_told_by_number(place):
    lines = ('{"external_task_id":"../../etc","state":"succeed"}', '{"broken', "", "[1]")
    data = "\n".join([*lines, '{"external_task_id":"v1","state":"x"}', ""])
    plan = place.imports.read(data.encode())
    assert (plan.jobs, plan.fault_count) == (0, 4)
    assert [fault.split(" of")[0] for fault in plan.faults] == ["Line 1", "Line 2", "Line 4", "Line 5"]
    assert "external_task_id" in plan.faults[0]
    assert "state" in plan.faults[3]


@pytest.mark.parametrize("form", ["export", "log"])
def test_lines_of_a_table_that_cannot_be_read_are_told_by_number(place, form):
    jobs = [folded([{"state": "failed", "time": "2026-11-01", "note": "é\nè"}], f"v{n}") for n in range(8)]
    lines = list(csv_lines(jobs))
    if form == "log":
        lines = [encode_row([job[name] for name in COLUMNS]) for job in jobs]
        lines.insert(0, encode_row(COLUMNS))
    lines[2] = lines[2].replace(b",", b"", 1)  # a cell is missing
    lines[4] = lines[4].rstrip() + b",more\n"
    lines[5] = lines[5].replace(b"v4", b"")
    lines[6] = lines[6].replace(b"v5", b"../v5")
    lines[8] = lines[8][: lines[8].index("é".encode()) + 1]  # cut off within a letter
    plan = place.imports.read(b"".join([*lines[:3], b"\n", *lines[3:]]))  # an empty line is none
    assert (plan.kind, list(plan.rows)) == (form, ["v0", "v2", "v6"])
    told = [fault.split(" of the file")[0] for fault in plan.faults]
    assert told == ["Line 3", "Line 6", "Line 7", "Line 8", "Line 10"]
    assert plan.fault_count == 5


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("form", ["csv", "jsonl", "log"])
def test_a_file_in_another_encoding_is_refused_with_the_remedy(place, form, encoding):
    jobs = [folded([{"state": "failed", "prompt": text}], text[:1]) for text in ("fox", "Straße bei Nacht")]
    if form == "log":
        data = b"".join(encode_row([job[name] for name in COLUMNS]) for job in jobs)
        data = encode_row(COLUMNS) + data
    else:
        data = b"".join(FORMS[form](jobs))
    assert place.imports.read(data).jobs == 2
    line = 2 if form == "jsonl" else 3
    with pytest.raises(
        ImportRefused, match=f"Line {line} of the file is not in UTF-8.*Save it again in UTF-8"
    ):
        place.imports.read(data.decode().encode(encoding))


def test_the_summary_says_who_and_when_and_what_is_here_already(place):
    place.ledger.append("v0", state="succeed", prompt="Known")
    rows = [
        {"state": "succeed", "person": "Ada", "time": "2026-11-01T10:00:00+00:00"},
        {"state": "succeed", "person": "Ada", "time": "2026-11-02T10:00:00+00:00"},
        {"state": "waiting", "person": "Mia", "time": "2026-11-03T10:00:00+00:00"},
    ]
    jobs = [folded([row], f"v{number}") for number, row in enumerate(rows)]
    plan = place.imports.read(b"".join(csv_lines(jobs)))
    assert (plan.jobs, plan.known, plan.unfinished, dict(plan.people)) == (2, 1, 1, {"Ada": 1, "Mia": 1})
    assert (plan.first, plan.last) == (
        datetime(2026, 11, 2, 10, tzinfo=UTC),
        datetime(2026, 11, 3, 10, tzinfo=UTC),
    )
    place.imports.take_in(plan, by="", by_name="Ada")
    assert place.jobs()["v0"]["prompt"] == "Known"
    assert not place.jobs()["v0"].imported


def test_an_import_is_undone_in_one_step_and_can_be_made_again(place):
    data = b"".join(
        csv_lines([folded([{"state": "failed", "time": "2026-11-01"}], f"v{n}") for n in range(3)])
    )
    first = place.imports.take_in(place.imports.read(data), by="", by_name="Ada")
    assert (place.imports.read(data).jobs, place.imports.read(data).known) == (0, 3)
    size = place.folder.joinpath("history.csv").stat().st_size
    assert place.imports.undo(first) == 3
    assert place.folder.joinpath("history.csv").stat().st_size > size
    assert place.jobs() == {}
    assert [(past.jobs, past.undone) for past in place.imports.past()] == [(3, True)]
    place.open()
    assert place.jobs() == {}
    place.imports.take_in(place.imports.read(data), by="", by_name="Mia")
    assert len(place.jobs()) == len(place.ledger.jobs()) == 3
    assert [past.jobs for past in place.imports.past() if not past.undone] == [3]
    assert place.jobs()["v1"]["by_name"] == "Mia"


def test_a_job_that_came_meanwhile_is_not_doubled(place):
    data = b"".join(csv_lines([folded([{"state": "failed", "time": "2026-11-01"}], "v1")]))
    plan = place.imports.read(data)
    place.ledger.append("v1", state="waiting", prompt="Ordered")
    with pytest.raises(ImportRefused, match="meanwhile"):
        place.imports.take_in(plan, by="", by_name="Ada")
    assert not place.jobs()["v1"].imported


def test_a_clip_that_lies_here_already_is_known_by_its_digest(place, clip):
    import hashlib

    right, wrong = hashlib.sha256(clip).hexdigest(), "0" * 64
    for job_id in ("v1", "v2"):
        place.archive.video(job_id).write_bytes(clip)
    rows = {"v1": right, "v2": wrong, "v3": right}
    jobs = [
        folded([{"state": "succeed", "time": "2026-11-01", "file_sha256": digest}], job_id)
        for job_id, digest in rows.items()
    ]
    plan = place.imports.read(b"".join(json_lines(jobs)))
    assert plan.clips == 1
    place.imports.take_in(plan, by="", by_name="Ada")
    assert [job.has_clip for job in place.jobs().values()] == [True, False, False]
    assert not place.ledger.unfetched()


def test_an_export_opened_in_a_spreadsheet_runs_no_formula():
    job = folded([{"prompt": "=HYPERLINK(1)", "tags": "+a", "note": "-b;=c", "time": "2026-11-01"}], "v1")
    text = b"".join(csv_lines([job])).decode()
    assert "'=HYPERLINK(1)" in text
    assert "'+a" in text
    assert ";=c" not in text


def test_a_viewer_exports_no_prices(bench):
    bench.ledger.append(
        "v1", state="succeed", account=bench.account, final_unit_deduction="1.5", **request_cells(FOX)
    )
    viewer = bench.studio.acting_as(bench.studio.state.people.add("Vera", "viewer").user)
    maker = bench.studio.acting_as(bench.studio.state.people.add("Mia", "maker").user)
    shown, whole = (b"".join(each.export(JobQuery())).decode() for each in (viewer, maker))
    assert ("units" in shown, "1.5" in shown, "A fox" in shown) == (False, False, True)
    assert "final_unit_deduction" in whole


# -- history, never work -----------------------------------------------------------------------------------


def hostile_log(own: str, now: float) -> bytes:
    """Return a log full of what a studio would act on, of the account in use and of others."""
    rows: list[Mapping[str, str]] = []
    old = datetime.fromtimestamp(now, UTC)
    for number, (state, account) in enumerate(
        (state, account) for state in STATES for account in (own, "other#1", "sandbox", "")
    ):
        for copy in range(2):
            at = old - timedelta(days=copy * 20)
            accepted = {"task_id": f"9{number}"} if state in {"submitted", "processing", "succeed"} else {}
            rows.append(
                {
                    "external_task_id": f"v{number:02}{copy}",
                    "time": at.isoformat(),
                    "state": state,
                    "account": account,
                    "person": "Ada",
                    "unit_price": "1",
                    "currency": "USD",
                    **request_cells(FOX),
                    **accepted,
                }
            )
    cells = [[row.get(name, "") for name in COLUMNS] for row in rows]
    return b"".join(map(encode_row, [COLUMNS, *cells]))


def calls(bench: Bench) -> dict[str, Any]:
    return {
        "posts": list(bench.kling.posts),
        "gets": list(bench.kling.gets),
        "files": list(bench.kling.downloads),
    }


@pytest.mark.parametrize("form", ["log", "csv", "jsonl"])
def test_a_log_full_of_work_is_imported_and_no_call_is_ever_made_for_it(bench, tmp_path, form):
    data = hostile_log(bench.account, bench.clock.now)
    if form != "log":
        (tmp_path / "there").mkdir()
        (tmp_path / "there" / "history.csv").write_bytes(data)
        there = CsvLedger(LogFile(tmp_path / "there" / "history.csv"), clock=bench.clock)
        data = b"".join(FORMS[form](there.jobs()))
    ada = bench.studio.acting_as(ADA)
    plan = ada.read_import(data)
    assert (plan.jobs, plan.fault_count) == (8 * len(STATES), 0)
    ada.import_jobs(plan)
    assert bench.studio.spending.team() == Spending()
    for _ in range(3):
        bench.run_for(3600.0)
        bench.studio.resume()
        ada.send_left()
        bench.studio.scan_account()
        bench.run_for(LONG)
        assert calls(bench) == {"posts": [], "gets": [], "files": []}
        bench.restart()
        ada = bench.studio.acting_as(ADA)
    jobs = bench.ledger.jobs()
    assert all(job.imported and job.state not in OPEN for job in jobs)
    assert bench.studio.spending.team() == Spending()
    assert bench.studio.library.totals(JobQuery()).sums.jobs == 0
    assert bench.studio.library.count(JobQuery()) == len(jobs) == plan.jobs
    assert not bench.studio.downloads.not_safe[0]
    assert bench.studio.accounts.others == ()
    own = bench.order().id  # its own work goes on
    assert (bench.kling.posts, bench.job(own).state) == ([own], "submitted")


def test_an_imported_job_whose_task_the_account_lists_is_left_alone(bench, clip):
    job_id = bench.order().id
    bench.kling.finish(job_id, clip)
    record = {**record_of(bench.job(job_id)), "external_task_id": "v0000000000000000000000ab"}
    bench.kling.add(record["external_task_id"])
    bench.kling.finish(record["external_task_id"], clip)
    ada = bench.studio.acting_as(ADA)
    ada.import_jobs(ada.read_import(f"{json.dumps(record)}\n".encode()))
    before = bench.job(record["external_task_id"])
    bench.run_for(60)
    downloads = len(bench.kling.downloads)
    bench.studio.scan_account()
    bench.run_for(LONG)
    assert bench.job(record["external_task_id"]) == before
    assert len(bench.kling.downloads) == downloads == 1


def test_an_import_counts_in_nobodys_turn_and_in_no_estimate(bench):
    data = hostile_log(bench.account, bench.clock.now)
    ada = bench.studio.acting_as(ADA)
    ada.import_jobs(ada.read_import(data))
    bench.restart()
    assert bench.studio.admission.own_jobs() == []
    assert bench.studio.duration_estimate(FOX) is None
    assert bench.studio.running == bench.studio.waiting == 0


def test_reading_a_file_changes_nothing(bench):
    before = (bench.folder / "history.csv").read_bytes()
    read_import(hostile_log(bench.account, bench.clock.now), bench.ledger, bench.studio.archive)
    assert (bench.folder / "history.csv").read_bytes() == before


def test_what_is_nested_too_deep_is_left_out_whoever_reads_it(place):
    deep = '{"a":' * 920 + "1" + "}" * 920
    line = json.dumps({"external_task_id": "v1", "state": "succeed", "units": "7", "extra": deep})
    place.imports.take_in(place.imports.read(line.encode()), by="", by_name="Ada")

    def from_below(calls: int) -> bool:
        return from_below(calls - 1) if calls else place.ledger.jobs()[0].imported

    assert from_below(0)
    assert from_below(300)
    assert [past.jobs for past in place.imports.past()] == [1]


def test_a_batch_and_a_family_leave_out_what_an_undone_import_brought(place):
    place.ledger.append("own", state="succeed", batch="b1")
    lines = [folded([{"state": "succeed", "batch": "b1", "parent": "own"}], f"v{n}") for n in range(2)]
    taken = place.imports.take_in(place.imports.read(b"".join(csv_lines(lines))), by="", by_name="Ada")
    index = place.ledger.index
    assert (len(index.batch("b1")), len(index.made_from("own"))) == (3, 2)
    place.imports.undo(taken)
    assert [job.id for job in index.batch("b1")] == ["own"]
    assert index.made_from("own") == []


def imported(place: Place, *rows: dict[str, str]) -> str:
    """Import jobs of one row each, named v0 and so on; return the id of the import."""
    data = b"".join(csv_lines([folded([row], f"v{number}") for number, row in enumerate(rows)]))
    plan = place.imports.read(data)
    assert (plan.jobs, plan.fault_count) == (len(rows), 0)
    return place.imports.take_in(plan, by="", by_name="Ada")


def test_what_was_undone_comes_again_as_the_new_file_says(place):
    wrong = {
        "state": "succeed",
        "time": "2026-10-01",
        "units": "50",
        "note": "wrong",
        "prompt": "Stra\ufffde",
    }
    wrong |= {"batch": "b1", "parent": "p", "task_id": "7", "final_unit_deduction": "50"}
    right = {"state": "failed", "time": "2026-11-01", "prompt": "Straße", "person": "Ada"}
    place.imports.undo(imported(place, wrong))
    place.ledger.append("v0", note="Of the first one", star="1", hidden="1", by_name="Mia")
    imported(place, right)
    for _ in range(2):
        job = place.jobs()["v0"]
        assert record_of(job) == record_of(folded([right], "v0"))
        assert (job.imported, job["by_name"], [past.jobs for past in place.imports.past()]) == (
            True,
            "Ada",
            [1],
        )
        index = place.ledger.index
        assert (index.batch("b1"), index.made_from("p"), index.count("failed")) == ([], [], 1)
        place.open()


def test_what_the_log_lost_of_a_second_import_is_added_again(place):
    log = place.folder / "history.csv"
    first = imported(place, {"state": "succeed", "units": "50", "prompt": "Wrong"})
    copies = [log.read_bytes()]
    place.imports.undo(first)
    copies.append(log.read_bytes())
    imported(place, {"state": "failed", "prompt": "Right"})
    known = place.ledger.jobs()
    for copy in copies:
        log.write_bytes(copy)
        place.ledger.sync()
        assert [record_of(job) for job in place.ledger.jobs()] == [record_of(job) for job in known]
        place.open()
        assert [record_of(job) for job in place.ledger.jobs()] == [record_of(job) for job in known]


def test_a_job_whose_file_was_deleted_or_whose_words_were_erased_stays_so(place):
    rows = [{"state": "succeed", "prompt": "Secret", "time": "2026-11-01"}] * 2
    first = imported(place, *rows)
    place.ledger.append("v0", deleted="2026-11-26T10:00:00+00:00", by_name="Ada")
    place.ledger.append("v1", extra='{"erased":"2026"}')
    place.imports.undo(first)
    data = b"".join(csv_lines([folded([row], f"v{number}") for number, row in enumerate(rows)]))
    plan = place.imports.read(data)
    assert (list(plan.rows), plan.known) == (["v0"], 1)
    place.imports.take_in(plan, by="", by_name="Ada")
    assert place.jobs()["v0"].deleted


def test_an_import_that_was_broken_off_is_told_and_completed_by_the_same_file(place):
    jobs = [folded([{"state": "failed", "time": "2026-11-01"}], f"v{n}") for n in range(5)]
    data, log = b"".join(csv_lines(jobs)), place.folder / "history.csv"
    first = place.imports.take_in(place.imports.read(data), by="", by_name="Ada")
    assert [past.broken_off for past in place.imports.past()] == [False]
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:5]) + lines[5][:40])  # two rows a job, until the studio was killed
    place.open()
    (past,) = place.imports.past()
    assert (past.id, past.jobs, past.of, past.broken_off) == (first, 2, 5, True)
    other = place.imports.read(data.replace(b"v3", b"v7").replace(b"v4", b"v8").replace(b"v2", b"v1"))
    assert other.completes == ""
    plan = place.imports.read(data)
    assert (plan.jobs, plan.known) == (3, 2)
    assert place.imports.take_in(plan, by="", by_name="Ada") == first
    (past,) = place.imports.past()
    assert (past.jobs, past.of, past.broken_off) == (5, 5, False)
    undone = log.stat().st_size
    assert place.imports.undo(first) == 5
    log.write_bytes(log.read_bytes()[: undone + 40])  # an undo can be broken off too
    place.open()
    assert place.imports.undo(first) == 5
    assert [past.undone for past in place.imports.past()] == [True]


@pytest.mark.timeout(20)  # a search that begins anew at each quote takes far longer than that
@pytest.mark.parametrize("end", ["", "\\", '"'])
def test_a_text_of_quotes_that_never_ends_holds_nobody_up(end):
    assert load_json("[" * 101 + '"' + '\\"' * 100_000 + end) is None
