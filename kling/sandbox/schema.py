"""The tables of the sandbox's SQLite file, and how a file of an older version is brought up to date."""

from __future__ import annotations

import sqlite3

_TASKS = """
CREATE TABLE IF NOT EXISTS tasks (
    seq INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL UNIQUE,
    external_task_id TEXT,
    request TEXT NOT NULL,
    model_name TEXT NOT NULL,
    units REAL NOT NULL,
    failure TEXT,
    created_at INTEGER NOT NULL,
    shown_at INTEGER NOT NULL,
    start_at INTEGER NOT NULL,
    due_at INTEGER,
    polls INTEGER,
    ready_at INTEGER,
    finished_at INTEGER,
    clip_fault TEXT,
    base_url TEXT NOT NULL,
    last_callback_status TEXT,
    endpoint TEXT NOT NULL DEFAULT '/v1/videos/text2video',
    position INTEGER NOT NULL DEFAULT 0
) STRICT
"""
# SQLite uses a partial index only for a query that repeats its condition, so the conditions have names.
IS_NAMED = "external_task_id IS NOT NULL"
MAY_BE_HIDDEN = "shown_at > created_at"
MAY_BE_DUE = "finished_at IS NULL AND ready_at IS NOT NULL"
IS_UNDRAWN = "ready_at IS NULL"
AWAITS_CALLBACK = "last_callback_status NOT IN ('succeed', 'failed')"
HIDDEN_INDEX = "hidden"
# Until this version text2video was the only endpoint, so a task's place in its list is its running number.
_ADDED = (
    "ALTER TABLE tasks ADD COLUMN endpoint TEXT NOT NULL DEFAULT '/v1/videos/text2video'",
    "ALTER TABLE tasks ADD COLUMN position INTEGER NOT NULL DEFAULT 0",
    "UPDATE tasks SET position = seq",
)
_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS named ON tasks (external_task_id) WHERE {IS_NAMED}",
    f"CREATE INDEX IF NOT EXISTS {HIDDEN_INDEX} ON tasks (shown_at) WHERE {MAY_BE_HIDDEN}",
    f"CREATE INDEX IF NOT EXISTS due ON tasks (due_at) WHERE {MAY_BE_DUE}",
    f"CREATE INDEX IF NOT EXISTS undrawn ON tasks (seq) WHERE {IS_UNDRAWN}",
    "CREATE INDEX IF NOT EXISTS listed ON tasks (endpoint, position)",
    f"CREATE INDEX IF NOT EXISTS awaiting_callbacks ON tasks (seq) WHERE {AWAITS_CALLBACK}",
)
# The pictures of tasks whose clip is not drawn yet.
_PICTURES = """
CREATE TABLE IF NOT EXISTS pictures (
    task_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (task_id, reference)
) STRICT
"""
_META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"


def prepare(db: sqlite3.Connection) -> None:
    """Make the tables in a new file, or bring those of an older version up to date, in one transaction.

    Args:
        db: the open file, in autocommit mode.

    Raises:
        sqlite3.OperationalError: the file cannot be written, or another process holds it.
    """
    db.execute("BEGIN EXCLUSIVE")
    if "told" in _columns(db):  # the name of last_callback_status in older versions
        db.execute("DROP INDEX IF EXISTS untold")
        db.execute("ALTER TABLE tasks RENAME COLUMN told TO last_callback_status")
    columns = _columns(db)
    # The oldest version had no column shown_at, and allowed each external_task_id only once.
    outdated = bool(columns) and "shown_at" not in columns
    if outdated:
        db.execute("ALTER TABLE tasks RENAME TO tasks_before")
    db.execute(_TASKS)
    if outdated:
        names = ", ".join(sorted(columns))
        db.execute(
            f"INSERT INTO tasks ({names}, shown_at) SELECT {names}, created_at FROM tasks_before"  # noqa: S608 -- our own names
        )
        db.execute("DROP TABLE tasks_before")
    if columns and "endpoint" not in columns:
        for change in _ADDED[2:] if outdated else _ADDED:
            db.execute(change)
    for index in _INDEXES:
        db.execute(index)
    db.execute(_PICTURES)
    db.execute(_META)
    db.execute("COMMIT")


def _columns(db: sqlite3.Connection) -> set[str]:
    """Return the names of the columns of `tasks`; none if there is no such table yet."""
    return {row[1] for row in db.execute("PRAGMA table_info(tasks)")}
