"""What somebody wrote goes; what was paid, and every claim about money, stays."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import TextToVideo
from kling.studio.__main__ import main
from kling.studio.archive import Archive, Tombstone
from kling.studio.audit import Audit
from kling.studio.backup import back_up
from kling.studio.erasure import KEPT, CannotErase, erase, find
from kling.studio.folder import DataFolder
from kling.studio.identity.errors import RemovedPerson
from kling.studio.identity.people import People
from kling.studio.identity.person_rows import store_password
from kling.studio.identity.roles import Action, User
from kling.studio.identity.sessions import Sessions
from kling.studio.jobs import COLUMNS
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.ledger.csv_text import parse
from kling.studio.ledger.rewrite import rewrite_log
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.faults import FILE
from kling.studio.state.team_templates import TeamTemplates
from tests.studio.fakes import Bench, Crash

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TIME = 1_795_000_000.0
SECRET = "the secret fox of ada lovelace"


def ledger_of(folder: Path, at: float = TIME) -> CsvLedger:
    return CsvLedger(LogFile(folder / "history.csv"), clock=lambda: at)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which ada and bob have ordered; the studio is stopped."""
    data = tmp_path / "data"
    (data / "videos").mkdir(parents=True)
    ledger = ledger_of(data)
    of_ada = {"person": "Ada", "prompt": SECRET, "negative_prompt": f"no {SECRET}", "account": "k#1"}
    ledger.append("v1", state="intent", units="3.5", model_name="kling-v3", **of_ada)
    ledger.append("v1", state="submitted", task_id="71", message=f"{SECRET} was taken")
    ledger.append("v1", state="succeed", final_unit_deduction="3", updated_at="2026-11-25T10:00:00+00:00")
    ledger.append("v1", file="v1.mp4", file_sha256="ab", extra='{"probe":{"width":64},"take":2}')
    ledger.append("v2", state="intent", units="2", person="bob", prompt="An owl", account="k#1")
    ledger.append("v2", state="failed", task_id="72", task_status_msg="no", final_unit_deduction="0")
    ledger.append("v2", note="nice", by_name="ADA")
    ledger.append("v3", state="withdrawn", person="ada", prompt=SECRET, account="k#1")
    ledger.append("v4", state="waiting", person="bob", prompt="Waits", account="k#1")
    for name in ("v1.mp4", "v1.jpg", "v1.watermark.mp4", "v2.mp4"):
        (data / "videos" / name).write_bytes(b"clip")
    return data


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def erased(folder: Path, **who: str) -> None:
    erase(folder, find(folder, **who), NOW)


def test_nothing_that_the_person_wrote_or_is_called_stays_in_the_log(folder):
    erased(folder, person="ada")
    log = (folder / "history.csv").read_bytes()
    assert b"secret fox" not in log
    assert b"ada" not in log.lower()
    assert b"An owl" in log


def test_costs_times_states_and_ids_stay(folder):
    before = {job.id: job for job in ledger_of(folder).jobs()}
    erased(folder, person="ada")
    after = {job.id: job for job in ledger_of(folder).jobs()}
    assert after.keys() == before.keys()
    for job_id, job in after.items():
        old = before[job_id]
        assert (job.state, job.accepted, dict(job.since)) == (old.state, old.accepted, dict(old.since))
        for column in ("units", "final_unit_deduction", "task_id", "model_name", "account", "updated_at"):
            assert job[column] == old[column]
    assert after["v1"].take == 2
    assert after["v2"]["prompt"] == "An owl"
    assert after["v2"]["note"] == "nice"


def test_the_clips_go_and_are_not_fetched_again(folder):
    erased(folder, person="ada")
    assert sorted(path.name for path in (folder / "videos").iterdir()) == ["v1.deleted", "v2.mp4"]
    assert not ledger_of(folder).unfetched()


@pytest.mark.parametrize("is_deleted", [True, False])
def test_an_older_log_brings_no_erased_clip_back_and_the_tombstone_says_no_more(tmp_path, clip, is_deleted):
    bench = Bench(tmp_path)
    job = bench.order()
    bench.kling.finish(job.id, clip)
    older = (tmp_path / "history.csv").read_bytes()
    bench.run_for(60)
    assert bench.job(job.id).has_clip
    if is_deleted:
        bench.studio.deletions.delete([job.id], by="p-9", by_name="Ada")
    bench.studio.folder.release()
    for _ in range(2):  # also after a second run
        erased(tmp_path, job_id=job.id)
    stone = Archive(tmp_path / "videos").tombstone(job.id)
    assert stone is not None
    assert stone == Tombstone(stone.when)
    bench.open()
    bench.run_for(60)
    assert bench.job(job.id).deleted == (stone.when if is_deleted else "")
    bench.studio.folder.release()
    (tmp_path / "history.csv").write_bytes(older)
    fetched = len(bench.kling.downloads)
    bench.open()
    bench.run_for(24 * 3600)
    assert bench.job(job.id).deleted == stone.when
    assert len(bench.kling.downloads) == fetched
    assert [path.name for path in (tmp_path / "videos").iterdir()] == [f"{job.id}.deleted"]


def test_a_video_that_kling_still_has_is_not_taken_back_by_a_look_at_the_account(tmp_path):
    bench = Bench(tmp_path)
    job = bench.order()
    bench.kling.finish(job.id, b"")
    bench.studio.folder.release()
    ledger = ledger_of(tmp_path)
    ledger.append(job.id, state="succeed", file=f"{job.id}.mp4")
    erased(tmp_path, job_id=job.id)
    bench.open()
    bench.studio.scan.request()
    bench.studio.scan.step(lambda: bench.kling, bench.clock.now)
    bench.poller.step()
    assert bench.kling.downloads == []
    erased_job = bench.ledger.get(job.id)
    assert erased_job is not None
    assert erased_job.erased


def test_the_seal_confirms_the_same_jobs_as_before_and_no_other(folder):
    later = ledger_of(folder, TIME + 100)
    assert later.unconfirmed == set()
    erased(folder, person="ada")
    assert ledger_of(folder, TIME + 200).unconfirmed == set()


def test_a_seal_that_is_too_old_stays_too_old(folder):
    erased(folder, person="ada")
    assert ledger_of(folder, TIME + 16 * 60).unconfirmed == {"v4"}


def test_what_the_seal_did_not_confirm_before_is_not_confirmed_after(folder):
    log = folder / "history.csv"
    copy = log.read_bytes()
    log.unlink()
    log.write_bytes(copy)  # put back by somebody
    erased(folder, person="ada")
    assert ledger_of(folder, TIME + 10).unconfirmed == {"v4"}


def test_jobs_that_were_doubtful_stay_so(folder):
    log = folder / "history.csv"
    copy = log.read_bytes()
    log.unlink()
    log.write_bytes(copy)
    assert ledger_of(folder, TIME + 10).unconfirmed == {"v4"}  # and it is noted in the seal
    erased(folder, person="ada")
    assert ledger_of(folder, TIME + 20).unconfirmed == {"v4"}


def test_jobs_that_have_not_ended_are_named_and_nothing_is_erased(folder):
    before = everything(folder)
    found = find(folder, person="Bob")
    assert found.unfinished == ("v4",)
    with pytest.raises(CannotErase, match=r"v4.*withdraw them"):
        erase(folder, found, NOW)
    assert everything(folder) == before


def test_one_job_goes_alone(folder):
    erased(folder, job_id="v1")
    jobs = {job.id: job for job in ledger_of(folder).jobs()}
    assert jobs["v1"]["prompt"] == jobs["v1"]["person"] == ""
    assert jobs["v3"]["prompt"] == SECRET


def test_lines_that_cannot_be_read_stay(folder):
    with (folder / "history.csv").open("ab") as log:
        log.write(b"a line of somebody\n")
    erased(folder, person="ada")
    assert b"a line of somebody\n" in (folder / "history.csv").read_bytes()


def test_old_copies_of_the_log_are_changed_too(folder):
    (folder / "history.csv.before-2").write_bytes((folder / "history.csv").read_bytes())
    (folder / "history.csv.torn").write_bytes(f"v1,{SECRET}".encode())
    erased(folder, person="ada")
    assert b"secret fox" not in everything(folder)


def test_a_column_of_a_later_version_is_erased_unless_it_is_known_to_stay():
    wordless = {"time", "state", "units", "task_id"}
    assert wordless <= KEPT <= set(COLUMNS)
    assert KEPT.isdisjoint({"prompt", "negative_prompt", "multi_prompt", "person", "note", "tags", "by_name"})


def test_a_change_that_would_touch_money_is_refused_and_nothing_is_written(folder):
    before = (folder / "history.csv").read_bytes()
    with pytest.raises(LedgerError, match="would not stay the same"):
        rewrite_log(folder / "history.csv", lambda row: {**row, "state": "failed"})
    assert (folder / "history.csv").read_bytes() == before


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=8), st.text(max_size=8)), max_size=8))
def test_rows_of_others_come_back_as_they_were(tmp_path_factory, written):
    data = tmp_path_factory.mktemp("log")
    ledger = ledger_of(data)
    for job_id, person, prompt in written:
        ledger.append(job_id, state="withdrawn", person=person, prompt=prompt)
    if ledger.get("a") is None:
        return
    others = [
        row for row in parse((data / "history.csv").read_bytes()).rows if row["external_task_id"] == "b"
    ]
    erased(data, job_id="a")
    rows = parse((data / "history.csv").read_bytes()).rows
    assert [row for row in rows if row["external_task_id"] == "b"] == others


# -- the database ------------------------------------------------------------------------------------------


@pytest.fixture
def people(folder: Path) -> str:
    """Ada has an account, drafts, a template and lines in the audit; return her id."""
    database = Database(folder / FILE)
    everybody = People(database, lambda: TIME)
    ada, bob = everybody.add("Ada", "admin"), everybody.add("bob", "admin")
    Sessions(database, everybody, lambda: TIME).begin(ada, "account", "Firefox")
    drafts = DraftStore(database, clock=lambda: TIME)
    drafts.save("0" * 20, ada.id, fields={"prompt": SECRET})
    drafts.save("1" * 20, "browser", fields={"prompt": SECRET}, made=("v1",))
    drafts.save("2" * 20, bob.id, fields={"prompt": "An owl"}, made=("v2",))
    templates = TeamTemplates(database, clock=lambda: TIME)
    templates.add(TextToVideo(prompt=SECRET), title="Fox", author="ada")
    templates.add(TextToVideo(prompt="An owl"), title="Owl", author="bob")
    audit = Audit(database, lambda: TIME)
    audit.note(User(ada.id, "Ada", "admin"), Action.ORDER, "v1")
    audit.note(User(bob.id, "bob", "admin"), Action.MANAGE_PEOPLE, "Ada", name="Ada")
    database.close()
    return ada.id


def test_drafts_templates_and_names_go_from_the_database(folder, people):
    erased(folder, person="ADA")
    stored = everything(folder)
    assert b"secret fox" not in stored
    found = [
        stored[max(0, at.start() - 40) : at.end() + 40] for at in re.finditer(rb"(?i)(?<![a-z])ada", stored)
    ]
    assert found == []
    assert people.encode() in stored  # the id stays, so that sums of the log belong to one person
    assert b"An owl" in stored


def test_nobody_can_come_in_as_the_erased_person(folder, people):
    erased(folder, person="ada")
    database = Database(folder / FILE)
    everybody = People(database, lambda: TIME)
    assert everybody.by_name("ada") is None
    before = everybody.get(people)
    assert before is not None
    assert before.removed
    assert not Sessions(database, everybody, lambda: TIME).of(people)
    everybody.add("ada", "viewer")  # the name is free again
    database.close()


@pytest.mark.parametrize("way", ["oidc", "proxy"])
@pytest.mark.parametrize("is_removed", [True, False])
def test_an_erased_person_does_not_come_back_by_signing_in_again(folder, people, way, is_removed):
    assert people
    database = Database(folder / FILE)
    everybody = People(database, lambda: TIME)
    eve = everybody.from_outside(way, "eve@example.com", "Eve", "maker")
    if is_removed:
        everybody.remove(eve.id)
    database.close()
    for _ in range(2):  # also after a second run
        erased(folder, person=eve.id)
    assert b"eve@example" not in everything(folder)
    database = Database(folder / FILE)
    everybody = People(database, lambda: TIME)
    with pytest.raises(RemovedPerson):
        everybody.from_outside(way, "eve@example.com", "Eve", "maker")
    other = {"oidc": "proxy", "proxy": "oidc"}[way]
    assert everybody.from_outside(other, "eve@example.com", "Eva", "maker").id != eve.id
    everybody.take_back(eve.id)
    for _ in range(2):
        back = everybody.from_outside(way, "eve@example.com", "Eve", "maker")
        assert (back.id, back.name, back.subject) == (eve.id, "Eve", "eve@example.com")
    database.close()


@pytest.mark.parametrize("crash", ["sandbox_store.erase_from_sandbox", "ledger.rewrite.rewrite_log"])
def test_after_a_crash_in_the_middle_the_same_command_finds_the_rest(folder, people, monkeypatch, crash):
    def dies(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(f"kling.studio.erasure.{crash.rpartition('.')[2]}", dies)
        with pytest.raises(Crash):
            erased(folder, person="ada")
    assert find(folder, person="ada").whose.person_id == people
    erased(folder, person="ada")
    assert b"secret fox" not in everything(folder)


def test_that_something_was_erased_stands_in_the_audit_without_a_name(folder, people):
    assert people
    erased(folder, person="ada")
    database = Database(folder / FILE)
    (entry,) = Audit(database, lambda: TIME).search(action="erase")
    database.close()
    assert (entry.name, entry.thing, entry.details) == ("command line", "", {"jobs": 2, "accounts": 1})


def test_the_last_admin_is_not_erased(folder, people):
    database = Database(folder / FILE)
    everybody = People(database, lambda: TIME)
    (bob,) = (person for person in everybody.list() if person.name == "bob")
    with everybody.changes.write() as connection:
        store_password(connection, people, "a hash")
    with pytest.raises(CannotErase, match="last admin"):  # bob has never set a password
        erased(folder, person="ada")
    everybody.set_role(bob.id, "viewer")
    database.close()
    with pytest.raises(CannotErase, match="last admin"):
        erased(folder, person="ada")


# -- the sandbox, copies, the command ----------------------------------------------------------------------


def test_the_sandbox_forgets_the_words_and_the_clip_too(folder):
    from kling.sandbox.pace import Pace
    from kling.sandbox.store import Store

    (folder / "sandbox" / "clips").mkdir(parents=True)
    store = Store(str(folder / "sandbox" / "sandbox.sqlite"))
    request = {"model_name": "kling-v3", "prompt": SECRET, "external_task_id": "v1", "aspect_ratio": "16:9"}
    task = store.add(request, now=1, units=1.0, pace=Pace())
    store.close()
    clip = folder / "sandbox" / "clips" / f"{task.task_id}.mp4"
    clip.write_bytes(b"clip")
    erased(folder, person="ada")
    assert not clip.exists()
    assert b"secret fox" not in everything(folder)
    with closing(sqlite3.connect(folder / "sandbox" / "sandbox.sqlite")) as database:
        assert json.loads(database.execute("SELECT request FROM tasks").fetchone()[0])["prompt"] == "erased"


def test_sounds_that_others_made_for_the_clip_forget_its_words(folder):
    from kling.sandbox.pace import Pace
    from kling.sandbox.store import Store

    (folder / "sandbox" / "clips").mkdir(parents=True)
    store = Store(str(folder / "sandbox" / "sandbox.sqlite"))
    video = {"model_name": "kling-v3", "prompt": SECRET, "external_task_id": "v1"}
    source = store.add(video, now=1, units=1.0, pace=Pace()).task_id
    sound = {"model_name": "video-to-audio", "sound_effect_prompt": "steps", "source_prompt": SECRET}
    for number in (1, 2):  # sound for the clip, and sound for that one again
        about = {"external_task_id": f"of-another-{number}", "source": source}
        source = store.add({**sound, **about}, now=1, units=0.25, pace=Pace()).task_id
    store.close()
    erased(folder, person="ada")
    assert b"secret fox" not in everything(folder)
    with closing(sqlite3.connect(folder / "sandbox" / "sandbox.sqlite")) as database:
        sounds = [json.loads(row[0]) for row in database.execute("SELECT request FROM tasks ORDER BY seq")][
            1:
        ]
    assert [each["sound_effect_prompt"] for each in sounds] == ["steps"] * 2
    assert [each["source_prompt"] for each in sounds] == ["erased"] * 2


def test_backups_that_still_hold_it_are_named(folder, tmp_path):
    back_up(folder, tmp_path / "b")
    back_up(folder, tmp_path / "deleted")
    (tmp_path / "deleted" / "history.csv").unlink()
    copies = find(folder, person="ada").copies
    assert len(copies) == 1
    assert copies[0].startswith(str(tmp_path / "b"))
    assert find(folder, job_id="v1").copies == copies
    assert find(folder, job_id="v9").copies == ()


def test_the_command_only_says_what_it_would_do_until_it_is_confirmed(folder, monkeypatch, capsys):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(folder))
    before = (folder / "history.csv").read_bytes()
    assert main(["erase", "--person", "Ada"]) == 0
    said = capsys.readouterr().out
    assert "2 jobs" in said
    assert "add --yes" in said
    assert (folder / "history.csv").read_bytes() == before
    assert main(["erase", "--person", "Ada", "--yes"]) == 0
    assert "Erased." in capsys.readouterr().out
    assert b"secret fox" not in everything(folder)
    assert main(["erase", "--job", "v99", "--yes"]) == 1
    assert "nothing of v99" in capsys.readouterr().err


def test_nothing_is_erased_while_a_studio_has_the_folder(folder, monkeypatch, capsys):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(folder))
    owned = DataFolder(folder)
    try:
        assert main(["erase", "--job", "v1", "--yes"]) == 1
    finally:
        owned.release()
    assert "belongs to a studio that is running" in capsys.readouterr().err
    assert SECRET.encode() in (folder / "history.csv").read_bytes()
