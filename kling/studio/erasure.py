"""Takes out what people wrote, showed and are called; what was paid, and the ids, stay.

It works on a data folder whose studio is stopped; the caller has its lock. Nothing is sent to Kling, which
keeps tasks and videos for as long as it does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kling.studio.backup import LOG, known_backups
from kling.studio.films.store import FOLDER as FILMS
from kling.studio.jobs import FAILED, SUCCEED, WITHDRAWN, Job, dump_json, fold, json_object
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_text import parse
from kling.studio.ledger.rewrite import rewrite_copy, rewrite_log
from kling.studio.pictures.references import cells_of, named_in
from kling.studio.pictures.store import FOLDER as PICTURES
from kling.studio.prompting.previews import FOLDER as PREVIEWS
from kling.studio.sandbox_store import erase_from_sandbox
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from kling.studio.visible_names import name_key

ENDED = frozenset({SUCCEED, FAILED, WITHDRAWN})
# All that stays of an erased job. A column that a later version adds is erased unless it is added here.
KEPT = frozenset(
    {
        *("external_task_id", "time", "state", "person_id", "account", "endpoint", "model_name", "mode"),
        *("duration", "aspect_ratio", "sound", "cfg_scale", "multi_shot", "shot_type", "watermark_info"),
        *("units", "unit_price", "currency", "task_id", "code", "request_id", "created_at", "updated_at"),
        *("final_unit_deduction", "final_balance_deduction", "video_id", "video_duration"),
        *("star", "rating", "hidden", "deleted", "by", "parent", "batch", "extra"),
    }
)
KEPT_EXTRA = frozenset({"take", "found", "list_price", "task_status", "template", "imported", "continues"})
KEPT_MARK = frozenset(
    {"id", "at", "was", "undone"}
)  # of the mark of an import, which keeps a job from being work
_OLD = ("drafts", "templates", "drafts.before-2", "templates.before-2")  # folders of versions before


class CannotErase(Exception):
    """Nothing was erased; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an erasure takes out.

    Args:
        jobs: ids whose words and files go.
        name: as `name_key` gives it; empty where single jobs are erased.
        person_ids: of the accounts of that name, those that were removed too.
        unfinished: ids of jobs that have not ended, so that they cannot be erased yet.
        files: clips, pictures and old copies that are deleted.
        copies: folders and files that hold it further on.
        is_last_admin: the account is the only one with that role.
        is_named: the name stands in the audit, or beside a template of the team.
    """

    jobs: frozenset[str]
    name: str = ""
    person_ids: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    copies: tuple[str, ...] = ()
    is_last_admin: bool = False
    is_named: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of that person or job."""
        return not (self.jobs or self.person_ids or self.is_named)


def find(folder: Path, *, person: str = "", job_id: str = "") -> Found:
    """Return what there is of a person or of a job; nothing is changed.

    Args:
        folder: the data folder.
        person: a name, in any spelling.
        job_id: our id of one job.

    Raises:
        CannotErase: the log or the database cannot be read, or the name shows nothing.
    """
    jobs = _jobs(folder / LOG)
    key = name_key(person)
    if person and not key:
        raise CannotErase("Give the name of a person.")
    person_ids = _person_ids(folder / FILE, key) if key else ()
    if key:
        names = {key, *_given_names(folder / FILE, person_ids)}
        chosen = [
            job
            for job in jobs.values()
            if (job["person"] and name_key(job["person"]) in names) or job["person_id"] in person_ids
        ]
    else:
        chosen = [job for job in jobs.values() if job.id == job_id]
    ids = frozenset(job.id for job in chosen)
    return Found(
        jobs=ids,
        name=key,
        person_ids=person_ids,
        unfinished=tuple(sorted(job.id for job in chosen if job.state not in ENDED)),
        files=(
            *_files(folder, ids, key),
            *_pictures(folder, [job for job in jobs.values() if job.id not in ids], ids, key, person_ids),
        ),
        copies=tuple(_copies(folder, ids, key)),
        is_named=bool(key) and _is_named(folder / FILE, key),
        is_last_admin=bool(admins := _admins(folder / FILE)) and admins <= set(person_ids),
    )


def erase(folder: Path, found: Found, now: datetime) -> None:
    """Take it out of the log, the database, the folders and the sandbox.

    A crash in the middle leaves a part of it, and the same command finds the rest: what is looked for by the
    log goes before the log, and the names by which the log is searched go after it.

    Raises:
        CannotErase: jobs of it have not ended, or a part cannot be written. What was written stays so.
    """
    if found.unfinished:
        raise CannotErase(
            f"{len(found.unfinished)} of the jobs have not ended ({', '.join(found.unfinished[:3])} …): "
            "start the studio, withdraw them or let them end, stop it, and erase then. Nothing was erased."
        )
    if found.is_last_admin:
        raise CannotErase(
            "This is the last admin: make somebody else an admin first (people role NAME admin). Nothing was "
            "erased."
        )
    from kling.studio.state import erasing

    try:
        for path in found.files:
            path.unlink(missing_ok=True)
        erase_from_sandbox(folder / "sandbox", found.jobs)
        state = folder / FILE if (folder / FILE).exists() else None
        if state:
            erasing.erase_words(state, found.jobs, name=found.name, person_ids=found.person_ids)
        _erase_from_log(folder, found, now)
        if state:
            erasing.erase_names(state, name=found.name, person_ids=found.person_ids, jobs=len(found.jobs))
    except (OSError, sqlite3.Error, LedgerError, StateError) as error:
        raise CannotErase(
            f"Not all of it was erased: {error} Mend that, and run the command again."
        ) from error


def _erase_from_log(folder: Path, found: Found, now: datetime) -> None:
    log = folder / LOG
    if not log.exists():
        return

    def change(row: Mapping[str, str]) -> Mapping[str, str]:
        if row["external_task_id"] in found.jobs:
            return _erased(row)
        if found.name and row.get("by_name") and name_key(row["by_name"]) == found.name:
            return {**row, "by_name": ""}
        return row

    noted = {"time": now.isoformat(timespec="milliseconds"), "extra": dump_json({"erased": now.isoformat()})}
    rewrite_log(log, change, [{"external_task_id": job_id, **noted} for job_id in sorted(found.jobs)])
    for copy in folder.glob(f"{LOG}.before-*"):
        rewrite_copy(copy, change)


def _erased(row: Mapping[str, str]) -> dict[str, str]:
    kept = {name: cell for name, cell in row.items() if name in KEPT}
    if "extra" in kept:
        extra = {name: value for name, value in json_object(kept["extra"]).items() if name in KEPT_EXTRA}
        if isinstance(mark := extra.get("imported"), dict):
            extra["imported"] = {name: value for name, value in mark.items() if name in KEPT_MARK}
        kept["extra"] = dump_json(extra) if extra else ""
    return kept


def _jobs(log: Path) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    try:
        rows = parse(log.read_bytes()).rows if log.exists() else ()
    except OSError as error:
        raise CannotErase(f"{log} cannot be read: {error.strerror or error}.") from error
    for row in rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    return jobs


def _person_ids(database: Path, key: str) -> tuple[str, ...]:
    rows = _asked(database, "SELECT id, name FROM people", ())
    return tuple(row[0] for row in rows if name_key(row[1]) == key)


def _is_named(database: Path, key: str) -> bool:
    names = (
        *_asked(database, "SELECT DISTINCT name FROM audit", ()),
        *_asked(database, "SELECT DISTINCT author FROM team_templates", ()),
    )
    return any(name_key(row[0]) == key for row in names)


def _admins(database: Path) -> set[str]:
    return {
        row[0] for row in _asked(database, "SELECT id FROM people WHERE role = 'admin' AND removed = 0", ())
    }


def _given_names(database: Path, person_ids: tuple[str, ...]) -> set[str]:
    """Return the names of the log that an admin has given to the person."""
    rows = _asked(database, "SELECT name_key, person_id FROM name_owners", ())
    return {name for name, owner in rows if owner in person_ids}


def _asked(database: Path, question: str, values: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not database.exists():
        return []
    try:
        with closing(sqlite3.connect(database, timeout=2)) as connection:
            return connection.execute(question, values).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # a database of a version without people
            return []
        raise CannotErase(f"{database} cannot be read: {error}.") from error
    except sqlite3.Error as error:
        raise CannotErase(f"{database} cannot be read: {error}.") from error


def _files(folder: Path, ids: frozenset[str], key: str) -> Iterator[Path]:
    """Yield the files that hold something of it; those drawn anew at need are deleted all together."""
    for path in _all_of(folder / "videos"):
        if path.name.split(".")[0] in ids:
            yield path
    if ids or key:
        yield from _all_of(folder / PREVIEWS)
        yield from _all_of(folder / FILMS)
        yield from folder.glob("index.sqlite3*")
        torn = folder / f"{LOG}.torn"
        if torn.exists():
            yield torn
    for name in _OLD:
        for path in _all_of(folder / name):
            text = path.read_text(encoding="utf-8", errors="replace")
            author = json_object(text).get("author")
            is_theirs = key and isinstance(author, str) and name_key(author) == key
            if is_theirs or any(job_id in text for job_id in ids):
                yield path


def _pictures(
    folder: Path, others: Iterable[Job], ids: frozenset[str], key: str, person_ids: tuple[str, ...]
) -> Iterator[Path]:
    """Yield the pictures that nobody needs once it is erased; whose they were is not known."""
    if not (ids or key):
        return
    needed = named_in(cells_of(others))
    database = folder / FILE
    for owner, made, fields in _asked(database, "SELECT owner, made, fields FROM drafts", ()):
        if owner not in person_ids and not any(job_id in made for job_id in ids):
            needed |= named_in([fields])
    for author, request in _asked(database, "SELECT author, request FROM team_templates", ()):
        if not key or name_key(author) != key:
            needed |= named_in([request])
    yield from (path for path in _all_of(folder / PICTURES) if path.name.split(".")[0] not in needed)


def _all_of(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _copies(folder: Path, ids: frozenset[str], key: str) -> Iterator[str]:
    """Yield the copies that hold it: those of `backup`, and those that `restore` moved aside."""
    aside = ((path, "put aside by restore") for path in sorted(folder.glob("before-restore-*")))
    for path, made in (*known_backups(folder), *aside):
        try:
            rows = parse((path / LOG).read_bytes()).rows
        except FileNotFoundError:
            if not path.parent.exists():
                yield f"{path} ({made}), which cannot be looked at from here"
            continue  # deleted
        except OSError:
            yield f"{path} ({made}), which cannot be read"
            continue
        if any(
            row["external_task_id"] in ids or (key and name_key(row.get("person", "")) == key) for row in rows
        ):
            yield f"{path} ({made})"
