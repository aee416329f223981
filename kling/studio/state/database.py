"""The database: connections, transactions, its version and its backup.

Statements and types are those that SQLite and PostgreSQL share. What is particular to SQLite stands in
`_sqlite_engine` and in `backup`. One process writes, and one thread of it at a time; others read beside it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from kling.studio.state.faults import DAMAGED, FILE, fault_of, said_of, unusable
from kling.studio.state.migrations import MIGRATIONS
from kling.studio.state.records import StateError
from kling.studio.state.tables import schema_version
from kling.whole_file import whole_file

Note = Callable[[Connection, str], None]  # writes down a change; the text is what or whom it concerns

PATIENCE = 2.0  # seconds that a statement waits for another program, and a thread for another one
_DAMAGES = {"CORRUPT", "NOTADB"}  # stay until somebody mends the file
_FAULTS = {"FULL", "IOERR", "READONLY", "CANTOPEN"}  # pass: a write that succeeds is the proof
_WRITES = "studio_writes"  # execution option of transactions that write


class Database:
    """The database, for threads to share. Opening it brings its tables up to date.

    Args:
        where: path of a SQLite file, made if it is not there; or a URL that SQLAlchemy understands.
        migrations: a test gives a part of them, to make an older database.

    Raises:
        StateError: it cannot be opened, or a newer version of the studio has made it.
    """

    def __init__(self, where: Path | str, *, migrations: tuple[Any, ...] = MIGRATIONS) -> None:
        url = URL.create("sqlite", database=str(where)) if isinstance(where, Path) else make_url(where)
        self._path = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        self._writer = threading.Lock()
        self._damage = self._fault = ""
        self._is_sync_due = False
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="state-sync")
        try:
            # Errors must not quote the values of a statement, such as prompts: the server's output has them.
            self.engine = (
                _sqlite_engine(url)
                if self._path
                else create_engine(url, pool_pre_ping=True, hide_parameters=True)
            )
        except OSError as error:
            raise StateError(said_of(error)) from error
        self._writing = self._writing_at_leisure = self.engine.execution_options(**{_WRITES: True})
        if self._path:  # the setting is one of a connection, and to change it takes longer than a write
            self._writing_at_leisure = _sqlite_engine(url, "NORMAL").execution_options(**{_WRITES: True})
        try:
            self._migrate(migrations)
        except BaseException:
            self.close()
            raise

    @property
    def trouble(self) -> str:
        """What an operator has to mend since the last write that succeeded, in words; damage stays."""
        return self._damage or self._fault

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection on which everything is read as of one moment.

        Raises:
            StateError: the database does not answer.
        """
        try:
            with self.engine.connect() as connection, connection.begin():
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._told(error) from error

    @contextmanager
    def write(self, *, at_leisure: bool = False) -> Iterator[Connection]:
        """Give a connection for one short transaction: all of it is on the disk afterwards, or nothing.

        Args:
            at_leisure: a thread brings it to the disk a moment later, so a page need not wait for the disk,
                which takes 10 ms and more beside other work. It survives this program, however that ends; a
                power cut in that moment may take it back, whole.

        Raises:
            StateError: nothing was written.
        """
        if not self._writer.acquire(timeout=2 * PATIENCE):
            raise StateError("The studio's database is busy. Try again in a moment.")
        try:
            engine = self._writing_at_leisure if at_leisure else self._writing
            with engine.connect() as connection, connection.begin():
                yield connection
            self._fault = ""
            if at_leisure and self._path:
                self._sync_soon()
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise self._told(error) from error
        finally:
            self._writer.release()

    def check(self) -> None:
        """Read one value.

        Raises:
            StateError: the database does not answer, or the last write did not succeed.
        """
        with self.read() as connection:
            connection.scalar(select(schema_version.c.version))
        if self.trouble:
            raise StateError(self.trouble)

    def backup(self, to: Path) -> None:
        """Write a consistent copy to a file, also while others write. The file is replaced whole.

        Raises:
            StateError: there is no copy, or the database is damaged; an earlier file is still there.
        """
        if self._path is None:
            raise StateError("The state lies in a database server: back it up with the server's own tools.")
        try:
            with (
                whole_file(to) as part,
                closing(sqlite3.connect(self._path, timeout=PATIENCE)) as source,
                closing(sqlite3.connect(part)) as target,
            ):
                source.backup(target)
                if target.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    self._damage = f"{FILE} cannot be used. {DAMAGED}"
                    raise StateError(
                        f"The backup {to.name} was not written; the earlier one is kept. {DAMAGED}"
                    )
        except (OSError, sqlite3.Error) as error:
            told = self._told(error) if fault_of(error) in _DAMAGES else said_of(error)
            raise StateError(f"The backup {to.name} could not be written. {told}") from error

    def close(self) -> None:
        """Close the connections that nobody uses; the others close after their use."""
        self._syncer.shutdown()
        self._writing_at_leisure.dispose()
        self.engine.dispose()

    def _sync_soon(self) -> None:
        if not self._is_sync_due:
            self._is_sync_due = True
            with suppress(RuntimeError):  # it is being closed, and SQLite brings all to the disk then
                self._syncer.submit(self._sync)

    def _sync(self) -> None:
        self._is_sync_due = False  # before the disk is asked: what is written meanwhile asks again
        try:
            with open(f"{self._path}-wal", "rb") as file:  # noqa: PTH123 - no path of its own
                os.fsync(file.fileno())
        except FileNotFoundError:
            pass  # all of it is in the file itself
        except OSError as error:
            self._fault = said_of(error)

    def _told(self, error: BaseException) -> StateError:
        """Return the error in words, and remember what an operator has to mend."""
        said, fault = said_of(error), fault_of(error)
        if fault in _DAMAGES:
            self._damage = said
        elif fault in _FAULTS:
            self._fault = said
        return StateError(said)

    def _migrate(self, migrations: tuple[Any, ...]) -> None:
        with self.write() as connection:
            if not inspect(connection).has_table(schema_version.name):
                connection.execute(CreateTable(schema_version))
                connection.execute(insert(schema_version).values(version=0))
            version = int(connection.scalar(select(schema_version.c.version)) or 0)
            if not 0 <= version <= len(migrations):
                raise unusable(version, len(migrations))
            for statement in chain.from_iterable(migrations[version:]):
                connection.execute(statement)
            if version < len(migrations):
                connection.execute(update(schema_version).values(version=len(migrations)))


def _sqlite_engine(url: URL, synchronous: str = "FULL") -> Engine:
    """Return an engine for a file that only this user can read.

    The driver begins transactions by itself, and not before reads or DDL; so it is told not to, and they are
    begun here (SQLAlchemy's documentation of its SQLite dialect, "Serializable isolation / Savepoints /
    Transactional DDL"). One that writes takes the lock at its beginning: SQLite does not wait for it later.
    """
    os.close(os.open(str(url.database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    engine = create_engine(
        url,
        connect_args={"timeout": PATIENCE},
        max_overflow=20,
        pool_timeout=PATIENCE,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for setting in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
