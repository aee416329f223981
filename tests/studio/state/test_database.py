"""The database: its versions, transactions and backup, and a disk that refuses."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pwdlib import PasswordHash
from sqlalchemy import Engine, MetaData, event, insert, select
from sqlalchemy.dialects import registry
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from kling import TextToVideo
from kling.studio.audit import Audit
from kling.studio.identity.invitations import Invitations
from kling.studio.identity.names import Names
from kling.studio.identity.passwords import Passwords
from kling.studio.identity.people import People
from kling.studio.identity.roles import LOCAL, User
from kling.studio.identity.sessions import MOST_OF_ONE, Sessions
from kling.studio.shares import Shares
from kling.studio.state import database as module
from kling.studio.state import faults
from kling.studio.state.browsers import Browsers
from kling.studio.state.clip_collections import Collections
from kling.studio.state.database import Database
from kling.studio.state.drafts import DraftStore
from kling.studio.state.migrations import MIGRATIONS
from kling.studio.state.old_folders import OldFolders
from kling.studio.state.records import StateError
from kling.studio.state.secret import kept_secret
from kling.studio.state.tables import audit as audit_rows
from kling.studio.state.tables import metadata, secrets, team_templates
from kling.studio.state.team_templates import TeamTemplates
from tests.studio.identity.conftest import Clock, CountingHasher

MINE = "1" * 32


def shape(of: MetaData) -> dict[str, Any]:
    """Return tables with columns and indexes, to compare."""
    return {
        name: (
            [
                (column.name, str(column.type.compile()), column.nullable, column.primary_key)
                for column in table.c
            ],
            {str(index.name): [column.name for column in index.columns] for index in table.indexes},
        )
        for name, table in of.tables.items()
    }


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_database_of_each_earlier_version_becomes_one_of_today_and_keeps_what_it_has(
    tmp_path: Path, version: int
):
    path = tmp_path / "studio.sqlite3"
    older = Database(path, migrations=MIGRATIONS[:version])
    if version:
        with older.write() as connection:
            connection.execute(insert(secrets).values(name="kept", value="it"))
    older.close()
    today = Database(path)
    found = MetaData()
    found.reflect(today.engine)
    assert shape(found) == shape(metadata)
    if version:
        assert kept_secret(today, "kept") == b"it"
    today.close()
    assert len(MIGRATIONS) == faults.VERSION


def test_older_templates_get_the_id_of_who_saved_them_last_under_the_name_that_they_show(tmp_path: Path):
    path = tmp_path / "studio.sqlite3"
    older = Database(path, migrations=MIGRATIONS[:4])
    empty = dict.fromkeys(("changed", "title", "category", "teaches", "request"), "")
    with older.write() as connection:
        for template_id, author in (("a", "Ann"), ("b", "Bob"), ("c", "Kim"), ("d", "Lee")):
            values = {"id": template_id, "author": author, "version": 1, **empty}
            connection.execute(insert(team_templates).values(**values))
        for thing, who, name in (
            ("a", "p2", "Bob"),
            ("a", "p1", "Ann"),
            ("b", "p1", "Ann"),
            ("c", LOCAL, "Kim"),
        ):
            values = {"thing": thing, "person_id": who, "name": name, "time": 1.0, "details": "{}"}
            connection.execute(insert(audit_rows).values(action="template", **values))
    older.close()
    today = Database(path)
    with today.read() as connection:
        rows = connection.execute(select(team_templates.c.id, team_templates.c.person_id)).all()
    today.close()
    assert {tuple(row) for row in rows} == {("a", "p1"), ("b", ""), ("c", ""), ("d", "")}


def test_a_migration_that_fails_leaves_the_version_of_before(tmp_path: Path):
    path = tmp_path / "studio.sqlite3"
    with pytest.raises(StateError):
        Database(path, migrations=(MIGRATIONS[0], (*MIGRATIONS[1], MIGRATIONS[0][0])))
    Database(path).close()


@pytest.fixture
def statements() -> Iterator[list[Any]]:
    """Every statement that any database is given."""
    seen: list[Any] = []

    def note(_connection: Any, statement: Any, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_execute", note)
    yield seen
    event.remove(Engine, "before_execute", note)


def use_people(database: Database) -> None:
    """Let people come and go, so that each statement about them is given once."""
    clock = Clock()
    people = People(database, clock, passwords=Passwords(PasswordHash((CountingHasher(),))))
    sessions, invitations = Sessions(database, people, clock), Invitations(database, people, clock)
    names, audit = Names(people, clock), Audit(database, clock)
    root = people.add("Root", "admin", password="correct horse battery")
    ada = people.from_outside("oidc", "1", "Root", "maker")
    people.from_outside("oidc", "1", "Ada", "viewer")
    people.set_role(root.id, "admin")
    people.verify("Root", "correct horse battery")
    tokens = [sessions.begin(root, "account", "") for _ in range(MOST_OF_ONE + 1)]
    clock.now += 61
    sessions.who(tokens[-1])
    sessions.tick()
    sessions.end(tokens[-1])
    sessions.end_all(root.id)
    invitations.accept(invitations.make(root.id, "Root"), "another long password")
    invitations.withdraw(root.id)
    invitations.open()
    names.give("old", ada.id, "Root")
    names.take_back("old")
    people.remove(ada.id)
    people.take_back(ada.id)
    people.changes.look()
    audit.note(root.user, "order")
    audit.search("x", person="Root", action="order", before_id=9)
    audit.actions()
    list(audit.export())


def use_collections(database: Database) -> None:
    """Fill, order, share and delete a collection."""
    ada = User("p-1", "Ada", "maker")
    collections = Collections(database, clock=lambda: 1e9)
    made = collections.add(ada, title="Spring", clips=["a", "b"])
    collections.put(ada, made.id, ["c"])
    collections.move(ada, made.id, ["c"], before="a")
    collections.take_out(ada, made.id, ["b"])
    collections.change(ada, made, title="Summer")
    collections.all()
    shares = Shares(database, clock=lambda: 1e9, monotonic=Clock())
    share, token = shares.add(ada, ["a"], ends=2e9)
    shares.find(token)
    shares.count(share.id, played=True)
    shares.set_clips(share.id, ["c"])
    shares.end(share.id)
    shares.all()
    collections.delete(made.id)


def test_every_table_and_every_statement_is_understood_by_postgresql(tmp_path: Path, statements: list[Any]):
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts" / f"{'f' * 20}.json").write_text('{"browser": "", "fields": {}, "made": []}')
    database = Database(tmp_path / "studio.sqlite3")
    OldFolders(database, tmp_path).take_in()
    drafts = DraftStore(database, clock=lambda: 1e9)
    for number in range(101):
        drafts.save(f"{number:020x}", MINE, fields={"prompt": "A fox"})
    drafts.save(f"{100:020x}", MINE, texts={"prompt": "A red fox"})
    drafts.give_to(MINE, "2" * 32)
    drafts.delete_old()
    templates = TeamTemplates(database, clock=lambda: 1e9)
    first = templates.add(TextToVideo(prompt="A fox"), title="Fox")
    templates.all()
    templates.delete(templates.update(first, title="Red fox"))
    kept_secret(database, "browsers")
    use_people(database)
    use_collections(database)
    database.close()
    dialect = registry.load("postgresql")()
    kinds = {type(statement).__name__ for statement in statements}
    assert {"Select", "Insert", "Update", "Delete"} <= kinds
    ddl: list[Any] = [CreateTable(table) for table in metadata.tables.values()]
    ddl += [CreateIndex(index) for table in metadata.tables.values() for index in table.indexes]
    for statement in [*statements, *ddl, *(each for some in MIGRATIONS for each in some)]:
        assert str(statement.compile(dialect=dialect))


def test_readers_do_not_wait_for_a_writer_and_see_what_was_there_before(database: Database):
    kept_secret(database, "one")
    with database.write() as writer:
        writer.execute(insert(secrets).values(name="two", value=""))
        with database.read() as reader:
            assert reader.scalars(select(secrets.c.name)).all() == ["one"]


def test_what_raises_in_a_transaction_is_not_kept(database: Database):
    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(secrets).values(name="one", value=""))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.read() as connection:
        assert connection.scalars(select(secrets.c.name)).all() == []


def test_a_person_s_text_is_on_the_disk_when_the_write_returns_and_only_this_user_reads_it(
    database: Database, tmp_path: Path
):
    settings = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with database.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in settings]
    assert found == ["wal", 2, 1, 2000]
    kept_secret(database, "one")
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["studio.sqlite3", "studio.sqlite3-shm", "studio.sqlite3-wal"], 0o600)


def test_a_write_at_leisure_reaches_the_disk_a_moment_later_and_the_next_one_waits_for_it_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    synced = threading.Event()
    fsync = os.fsync

    def note(handle: int) -> None:
        fsync(handle)
        if Path(f"/proc/self/fd/{handle}").readlink().name == "studio.sqlite3-wal":
            synced.set()

    monkeypatch.setattr(os, "fsync", note)
    levels = []
    for at_leisure in (True, False):
        with database.write(at_leisure=at_leisure) as connection:
            connection.execute(insert(secrets).values(name=str(at_leisure), value=""))
            levels.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert levels == [1, 2]
    assert synced.wait(120)


def test_after_a_write_at_leisure_that_fails_the_next_one_waits_for_the_disk(database: Database):
    def fail() -> None:
        with database.write(at_leisure=True):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_backup_is_whole_while_others_write(database: Database, tmp_path: Path):
    drafts = DraftStore(database, clock=lambda: 1e9)
    stop = threading.Event()
    is_begun = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            number = len(written)
            drafts.save(f"{number % 50:020x}", MINE, fields={"prompt": f"{number} " * 4000})
            written.append(number)
            is_begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert is_begun.wait(60)
        for _ in range(5):
            before = len(written)
            database.backup(tmp_path / "copy")
            with closing(sqlite3.connect(tmp_path / "copy")) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                (count,) = copy.execute("SELECT count(*) FROM drafts").fetchone()
            assert count >= min(before, 50)
    finally:
        stop.set()
        thread.join()
    assert not list(tmp_path.glob("*.part*"))
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    copied = Database(tmp_path / "copy")
    found = DraftStore(copied, clock=lambda: 1e9).load("0" * 20)
    copied.close()
    assert found is not None


def test_a_backup_that_fails_leaves_the_one_of_before(database: Database, tmp_path: Path):
    kept_secret(database, "one")
    database.close()
    (tmp_path / "copy").write_bytes(b"old")
    (tmp_path / "studio.sqlite3").write_bytes(b"\xff" * 8192)
    with pytest.raises(StateError, match="copy could not be written"):
        database.backup(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"old"
    assert not list(tmp_path.glob("*.part*"))


def test_no_copy_of_a_damaged_database_replaces_a_good_one(tmp_path: Path):
    database = Database(tmp_path / "studio.sqlite3")
    drafts = DraftStore(database, clock=lambda: 1e9)
    for number in range(20):
        drafts.save(f"{number:020x}", MINE, fields={"prompt": "A fox " * 5000})
    database.backup(tmp_path / "copy")
    good = (tmp_path / "copy").read_bytes()
    database.close()
    with (tmp_path / "studio.sqlite3").open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xa5" * 20 * 4096)
    with pytest.raises(StateError, match=r"The backup copy .*The file is damaged"):
        database.backup(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == good
    assert not list(tmp_path.glob("*.part*"))
    assert "damaged" in database.trouble


def test_a_full_disk_is_told_and_what_was_kept_stays(database: Database):
    drafts = DraftStore(database, clock=lambda: 1e9)
    drafts.save("0" * 20, MINE, fields={"prompt": "A fox"})

    @event.listens_for(database.engine, "begin")
    def no_growth(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the size that it has

    with pytest.raises(StateError, match="The disk is full"):
        drafts.save("0" * 20, MINE, fields={"prompt": "A fox" * 10_000})
    assert "The disk is full" in database.trouble
    found = drafts.load("0" * 20)
    assert found is not None
    assert found.fields == {"prompt": "A fox"}
    drafts.save("0" * 20, MINE, fields={"prompt": "A cat"})
    assert database.trouble == ""


def test_a_database_that_another_program_has_locked_can_be_read_and_a_write_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    database = Database(tmp_path / "studio.sqlite3")
    drafts = DraftStore(database, clock=lambda: 1e9)
    drafts.save("0" * 20, MINE, fields={"prompt": "A fox"})
    with closing(sqlite3.connect(tmp_path / "studio.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="Another program has locked the file"):
            drafts.save("0" * 20, MINE, fields={"prompt": "A red fox"})
        assert drafts.load("0" * 20) is not None
        other.execute("ROLLBACK")
    drafts.save("0" * 20, MINE, fields={"prompt": "A red fox"})


def test_a_database_that_may_only_be_read_says_so(database: Database):
    drafts = DraftStore(database, clock=lambda: 1e9)

    @event.listens_for(database.engine, "begin")
    def read_only(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with pytest.raises(StateError, match="cannot be written"):
        drafts.save("0" * 20, MINE, fields={"prompt": "A fox"})
    assert drafts.load("0" * 20) is None


def test_a_damaged_file_is_told_and_nothing_is_written_over_it(tmp_path: Path):
    path = tmp_path / "studio.sqlite3"
    database = Database(path)
    drafts = DraftStore(database, clock=lambda: 1e9)
    for number in range(20):
        drafts.save(f"{number:020x}", MINE, fields={"prompt": "A fox " * 5000})
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    damaged = path.read_bytes()

    def save() -> None:
        broken = Database(path)
        DraftStore(broken, clock=lambda: 1e9).save("0" * 20, MINE, fields={"prompt": "new"})

    with pytest.raises(StateError, match="damaged"):
        save()
    assert path.read_bytes()[4096:] == damaged[4096:]


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path):
    (tmp_path / "studio.sqlite3").mkdir()
    with pytest.raises(StateError, match="Look at the disk"):
        Database(tmp_path / "studio.sqlite3")


def test_no_error_of_the_library_comes_out(database: Database):
    with pytest.raises(StateError) as told, database.write() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    assert isinstance(told.value.__cause__, SQLAlchemyError)
    assert "nowhere" not in str(told.value)


def test_a_secret_is_made_once(database: Database):
    first = kept_secret(database, "browsers")
    assert kept_secret(database, "browsers") == first != kept_secret(database, "another")
    assert len(first) == 64
    assert Browsers(first).verify(Browsers(first).new())
