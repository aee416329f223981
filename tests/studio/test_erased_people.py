"""Whose a thing is when a person is erased: the id on it decides; names count only where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from kling import TextToVideo
from kling.studio.__main__ import main
from kling.studio.audit import Audit
from kling.studio.backup import back_up
from kling.studio.erasure import CannotErase, Found, erase, find
from kling.studio.identity.names import Names
from kling.studio.identity.people import People
from kling.studio.identity.roles import Action, User
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_ledger import CsvLedger
from kling.studio.restoring import restore
from kling.studio.state.clip_collections import Collections
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.faults import FILE
from kling.studio.state.migrations import MIGRATIONS
from kling.studio.state.tables import team_templates
from kling.studio.state.team_templates import TeamTemplates

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TIME = 1_795_000_000.0


class Place:
    """A data folder whose studio is stopped, with what a test puts into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.ledger = CsvLedger(LogFile(folder / "history.csv"), clock=lambda: TIME)
        self.database = Database(folder / FILE)
        self.people = People(self.database, lambda: TIME)
        self.names = Names(self.people, lambda: TIME)
        self.audit = Audit(self.database, lambda: TIME)
        self.templates = TeamTemplates(self.database, clock=lambda: TIME)
        self.collections = Collections(self.database, clock=lambda: TIME)
        self.boss = self.people.add("Boss", "admin")

    def job(self, job_id: str, name: str, person_id: str = "", **cells: str) -> None:
        self.ledger.append(
            job_id, state="withdrawn", prompt="words", person=name, person_id=person_id, **cells
        )

    def find(self, **who: str) -> Found:
        return find(self.folder, **who)

    def erase(self, person: str) -> None:
        erase(self.folder, self.find(person=person), NOW)

    def holds(self, text: str) -> bool:
        return any(text.encode() in path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    here = Place(tmp_path / "data")
    yield here
    here.database.close()


def test_what_has_another_s_id_is_not_erased_with_somebody_who_has_the_name_now(place: Place):
    first = place.people.from_outside("oidc", "1", "Olga", "maker")
    place.job("of-the-first", "Olga", first.id)
    place.templates.add(TextToVideo(prompt="of the first"), title="Fox", author="Olga", person_id=first.id)
    made = place.collections.add(User(first.id, "Olga", "maker"), title="Of the first")
    place.audit.note(User(first.id, "Olga", "maker"), Action.ORDER, "of-the-first")
    place.ledger.append("of-the-first", star="1", by=first.id, by_name="Olga")
    place.people.from_outside("oidc", "1", "Olga Meier", "maker")
    second = place.people.from_outside("oidc", "2", "Olga", "maker")
    place.job("of-the-second", "Olga", second.id)
    place.job("of-one-of-them", "Olga")
    found = place.find(person="olga")
    assert found.jobs == {"of-the-second"}
    assert found.by == (("Olga", second.id, 1),)
    assert (found.whose.shared, found.unclear) == (("Olga",), 1)
    place.erase("olga")
    (template,), kept = place.templates.all(), place.collections.get(made.id)
    assert (template.author, kept and kept.title) == ("Olga", "Of the first")
    assert [entry.name for entry in place.audit.search(action="order")] == ["Olga"]
    jobs = {
        job.id: job for job in CsvLedger(LogFile(place.folder / "history.csv"), clock=lambda: TIME).jobs()
    }
    assert [jobs[each]["prompt"] for each in ("of-the-first", "of-one-of-them", "of-the-second")] == [
        "words",
        "words",
        "",
    ]
    assert [each.by_name for each in jobs["of-the-first"].opinions.values()] == ["Olga"]


def test_a_name_that_was_given_away_is_not_of_an_account_that_is_called_so_later(place: Place):
    place.job("v1", "kim")
    ben = place.people.add("Ben", "maker")
    place.names.give("kim", ben.id, "Boss")
    assert place.find(person="Ben").jobs == {"v1"}
    with pytest.raises(CannotErase, match=rf"had or got(?s:.)*{ben.id}  Ben"):
        place.find(person="kim")
    place.people.add("Kim", "maker")
    assert place.find(person="Kim").jobs == set()
    assert place.find(person="Ben").jobs == {"v1"}


def test_of_several_with_one_name_an_id_says_who_is_meant(place: Place):
    first = place.people.add("Anna", "maker")
    place.job("v1", "Anna", first.id)
    place.people.remove(first.id)
    second = place.people.add("Anna", "maker")
    place.job("v2", "Anna", second.id)
    with pytest.raises(CannotErase, match="Several people have the name anna") as told:
        place.find(person="anna")
    assert first.id in str(told.value)
    assert second.id in str(told.value)
    assert place.find(person=first.id).jobs == {"v1"}
    place.erase(first.id)
    assert place.find(person="anna").jobs == {"v2"}


def test_an_id_of_the_log_whose_account_is_in_another_database_is_a_person_too(place: Place):
    place.job("v1", "Ada", "p0123456789abcdef")
    assert place.find(person="ada").whose.person_id == "p0123456789abcdef"
    ada = place.people.add("Ada", "maker")
    with pytest.raises(CannotErase, match=ada.id):
        place.find(person="ada")
    assert place.find(person=ada.id).jobs == set()
    assert place.find(person="p0123456789abcdef").jobs == {"v1"}


def test_all_names_that_the_person_ever_had_are_erased(place: Place):
    ivy = place.people.from_outside("oidc", "17", "Ivy Maidenname", "maker")
    place.job("v1", ivy.name, ivy.id)
    place.job("v2", "Boss", place.boss.id)
    place.ledger.append("v2", star="1", by=ivy.id, by_name=ivy.name)
    place.job("v3", "ivy oldnick")
    place.ledger.append("v2", star="1", by_name="ivy oldnick")
    place.templates.add(TextToVideo(prompt="vixen of before ids"), title="a", author=ivy.name)
    place.templates.add(TextToVideo(prompt="vixen with an id"), title="b", author="any", person_id=ivy.id)
    place.names.give("ivy oldnick", ivy.id, "Boss")
    boss = place.boss.user
    place.audit.note(boss, Action.MANAGE_PEOPLE, ivy.id, did="name given", name="ivy otherspelling")
    place.audit.note(boss, Action.MANAGE_PEOPLE, did="name taken back", name="Ivy OLDNICK")
    place.audit.note(User(ivy.id, "Ivy Between", "maker"), Action.ORDER, "v1")
    place.people.from_outside("oidc", "17", "Ivy Newname", "maker")
    place.erase("ivy newname")
    place.database.close()
    for text in ("Maidenname", "oldnick", "OLDNICK", "otherspelling", "Between", "Newname", "vixen"):
        assert not place.holds(text), text
    assert place.holds("Boss")


def test_a_database_of_a_version_before_is_looked_at_as_it_is(tmp_path: Path):
    older = Database(tmp_path / FILE, migrations=MIGRATIONS[:4])
    words = dict.fromkeys(("changed", "category", "teaches"), "")
    with older.write() as connection:
        row = {"id": "a", "version": 1, "title": "Fox", "author": "Ada", "request": "{}", **words}
        connection.execute(insert(team_templates).values(**row))
    older.close()
    before = (tmp_path / FILE).read_bytes()
    found = find(tmp_path, person="ada")
    assert (found.is_named, found.is_empty) == (True, False)
    assert (tmp_path / FILE).read_bytes() == before
    erase(tmp_path, found, NOW)
    assert find(tmp_path, person="ada").is_empty


def test_the_command_says_whose_jobs_they_are(place: Place, monkeypatch, capsys):
    ada = place.people.add("Ada", "maker")
    place.job("v1", "Ada", ada.id)
    place.job("v2", "ada")
    monkeypatch.setenv("STUDIO_DATA_DIR", str(place.folder))
    assert main(["erase", "--person", ada.id]) == 0
    said = capsys.readouterr().out
    assert f"1 of Ada, account {ada.id}\n" in said
    assert "1 of ada, without an account\n" in said
    assert f"people take-back {ada.id}" in said


def test_jobs_of_others_that_go_back_to_erased_ones_are_named(place: Place, monkeypatch, capsys):
    place.job("v1", "Ada")
    place.job("v3", "Bob", parent="v2")  # in the log of an import a job may stand before its parent
    place.job("v2", "Bob", parent="v1", endpoint="video2audio")
    place.job("v4", "Ada", parent="v1")
    place.job("v5", "Bob", parent="v9")
    assert place.find(person="ada").made_from == (("v2", "Bob"), ("v3", "Bob"))
    assert place.find(job_id="v2").made_from == (("v3", "Bob"),)
    monkeypatch.setenv("STUDIO_DATA_DIR", str(place.folder))
    for more in ((), ("--yes",)):
        assert main(["erase", "--person", "ada", *more]) == 0
        assert "2 other jobs go back to these" in (said := capsys.readouterr().out)
        assert "  v2 of Bob\n  v3 of Bob\n" in said


def test_pictures_that_were_handed_in_go_too(place: Place):
    place.job("v1", "Ada")
    (place.folder / "uploads").mkdir()
    (place.folder / "uploads" / "x.png").write_bytes(b"a picture")
    place.erase("ada")
    assert not list((place.folder / "uploads").iterdir())


@pytest.mark.parametrize("where", ["database", "by_name"])
def test_a_backup_that_has_only_the_name_is_known_to_hold_it(place: Place, tmp_path: Path, where: str):
    if where == "database":
        place.people.add("Ada", "viewer")
    else:
        place.job("v1", "Bob")
        place.ledger.append("v1", star="1", by_name="Ada")
    back_up(place.folder, tmp_path / "backup")
    files = sorted(path.name for path in (tmp_path / "backup").iterdir())
    (copy,) = place.find(person="ada").copies
    assert copy.startswith(str(tmp_path / "backup"))
    assert sorted(path.name for path in (tmp_path / "backup").iterdir()) == files
    place.people.add("Eve", "viewer")
    assert place.find(person="eve").copies == ()


def test_a_backup_that_has_the_draft_of_a_job_from_before_the_order_holds_it(place: Place, tmp_path: Path):
    drafts = DraftStore(place.database, clock=lambda: TIME)
    drafts.save("0" * 20, "browser", fields={"prompt": "words"})
    back_up(place.folder, tmp_path / "backup")
    place.job("v1", "Ada")
    assert place.find(job_id="v1").copies == ()
    drafts.save("0" * 20, "browser", fields={"prompt": "words"}, made=("v1",))
    assert len(place.find(job_id="v1").copies) == 1


def test_what_restore_put_aside_is_known_to_hold_it(place: Place, tmp_path: Path):
    place.job("v1", "Bob")
    back_up(place.folder, tmp_path / "backup")
    place.people.add("Ada", "viewer")
    place.database.close()
    restore(tmp_path / "backup", place.folder)
    shutil.rmtree(tmp_path / "backup")
    again = Database(place.folder / FILE)
    People(again, lambda: TIME).add("Ada", "viewer")  # with another id
    again.close()
    (copy,) = place.find(person="ada").copies
    assert "before-restore-1 (put aside" in copy


def test_a_backup_whose_database_cannot_be_read_may_hold_it(place: Place, tmp_path: Path):
    place.job("v1", "Ada")
    back_up(place.folder, tmp_path / "backup")
    (tmp_path / "backup" / "history.csv").unlink()
    (tmp_path / "backup" / FILE).write_bytes(b"no database" * 100)
    (copy,) = place.find(person="ada").copies
    assert copy.endswith("cannot be read")
