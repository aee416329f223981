"""Takes out what people wrote, showed and are called; what was paid, and the ids, stay.

It works on a data folder whose studio is stopped; the caller has its lock. Nothing is sent to Kling, which
keeps tasks and videos for as long as it does.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kling.errors import DownloadFailed
from kling.studio.archive import BURIED, Archive, Tombstone
from kling.studio.backup import ASIDE, LOG, VIDEOS, known_backups
from kling.studio.files import give_to_owner_of
from kling.studio.films.store import FOLDER as FILMS
from kling.studio.identity.ways import is_last_admin
from kling.studio.jobs import SUCCEED, TERMINAL, Job, dump_json, fold, json_object
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_text import parse
from kling.studio.ledger.rewrite import rewrite_copy, rewrite_log
from kling.studio.pictures.references import cells_of, named_in
from kling.studio.pictures.store import FOLDER as PICTURES
from kling.studio.prompting.previews import FOLDER as PREVIEWS
from kling.studio.sandbox_store import erase_from_sandbox
from kling.studio.state.faults import FILE
from kling.studio.state.records import StateError
from kling.studio.state.stored_rows import StoredRows, id_on
from kling.studio.uploads import FOLDER as UPLOADS
from kling.studio.visible_names import name_key
from kling.studio.whose import NOBODY, NotOnePerson, Whose, person_of

Rows = Sequence[Mapping[str, str]]  # of a log

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
KEPT_EXTRA = frozenset(
    {"take", "found", "list_price", "cash_currency", "task_status", "template", "imported", "continues"}
)
KEPT_MARK = frozenset(
    {"id", "at", "of", "was", "undone"}
)  # of the mark of an import, which keeps a job from being work
_OLD = ("drafts", "templates", "drafts.before-2", "templates.before-2")  # folders of versions before


class CannotErase(Exception):
    """Nothing was erased; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an erasure takes out.

    Args:
        jobs: ids whose words and files go.
        whose: the person; nobody where single jobs are erased.
        by: how many of the jobs each person has ordered, by name and id.
        made: ids of those jobs that Kling has made a clip of.
        unfinished: ids of jobs that have not ended, so that they cannot be erased yet.
        unclear: how many jobs have no id, and a name of the person that somebody else has or had too.
        made_from: ids of jobs that were made from these, and who has ordered them; they stay.
        files: clips, pictures and old copies that are deleted.
        copies: folders and files that hold it further on.
        is_last_admin: the account is the only one with that role that can sign in.
        is_named: something else has the person's id or name: a row of another's job, the audit, a template.
    """

    jobs: frozenset[str]
    whose: Whose = NOBODY
    by: tuple[tuple[str, str, int], ...] = ()
    made: frozenset[str] = frozenset()
    unfinished: tuple[str, ...] = ()
    unclear: int = 0
    made_from: tuple[tuple[str, str], ...] = ()
    files: tuple[Path, ...] = ()
    copies: tuple[str, ...] = ()
    is_last_admin: bool = False
    is_named: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of that person or job."""
        return not (self.jobs or self.whose.person_id or self.is_named)


def find(folder: Path, *, person: str = "", job_id: str = "") -> Found:
    """Return what there is of a person or of a job; nothing is changed.

    Args:
        folder: the data folder.
        person: a name in any spelling, or the id of an account.
        job_id: our id of one job.

    Raises:
        CannotErase: the log or the database cannot be read, or it is not clear who is meant.
    """
    rows = _log_rows(folder / LOG)
    jobs = _jobs(rows)
    stored = _stored(folder / FILE)
    whose = _person(person, rows, stored) if person else NOBODY
    chosen = [
        job for job in jobs.values() if job.id == job_id or whose.has_in_log(job["person_id"], job["person"])
    ]
    ids = frozenset(job.id for job in chosen)
    drafts = frozenset(draft["id"] for draft in stored.drafts if _goes(draft, ids, whose))
    shared = {name_key(name) for name in whose.shared}
    by = Counter((job["person"], job["person_id"]) for job in chosen)
    admins = [
        (row["id"], row["way"], row["password_hash"])
        for row in stored.people
        if row["role"] == "admin" and not row["removed"]
    ]
    return Found(
        jobs=ids,
        whose=whose,
        by=tuple((name, person_id, count) for (name, person_id), count in sorted(by.items())),
        made=frozenset(job.id for job in chosen if job.state == SUCCEED),
        unfinished=tuple(sorted(job.id for job in chosen if job.state not in TERMINAL)),
        unclear=sum(
            not job["person_id"] and name_key(job["person"]) in shared
            for job in jobs.values()
            if job.id not in ids
        ),
        made_from=tuple((job.id, job["person"]) for job in _made_from(jobs, ids)),
        files=tuple(_files(folder, jobs, ids, whose, stored)) if ids or not whose.is_nobody else (),
        copies=tuple(_copies(folder, ids, whose, drafts)),
        is_named=_is_named(rows, stored, whose),
        is_last_admin=is_last_admin(whose.person_id, admins),
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
            "This is the last admin who can sign in: make somebody else one first (people role NAME admin). "
            "Nothing was erased."
        )
    from kling.studio.state import erasing

    try:
        _bury(folder, found, now)
        for path in found.files:
            path.unlink(missing_ok=True)
        erase_from_sandbox(folder / "sandbox", found.jobs)
        state = folder / FILE if (folder / FILE).exists() else None
        if state:
            erasing.erase_words(state, found.jobs, found.whose)
        _erase_from_log(folder, found, now)
        if state:
            erasing.erase_names(state, found.whose, jobs=len(found.jobs))
    except (OSError, sqlite3.Error, LedgerError, StateError) as error:
        raise CannotErase(
            f"Not all of it was erased: {error} Mend that, and run the command again."
        ) from error


def _bury(folder: Path, found: Found, now: datetime) -> None:
    """Note that the clips are deleted for good, and no more than that: an older log fetches none of them."""
    archive = Archive(folder / VIDEOS)
    for job_id in found.jobs:
        stone = archive.tombstone(job_id)
        if stone or job_id in found.made:
            with suppress(DownloadFailed):  # no file can have this id as its name
                archive.bury(job_id, Tombstone(stone.when if stone else now.isoformat(timespec="seconds")))
    give_to_owner_of(folder, archive.folder, *archive.folder.glob(f"*{BURIED}"))


def _erase_from_log(folder: Path, found: Found, now: datetime) -> None:
    log = folder / LOG
    if not log.exists():
        return

    def change(row: Mapping[str, str]) -> Mapping[str, str]:
        if row["external_task_id"] in found.jobs:
            return _erased(row)
        if row.get("by_name") and found.whose.has_in_log(row.get("by", ""), row["by_name"]):
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


def _log_rows(log: Path) -> Rows:
    try:
        return parse(log.read_bytes()).rows
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise CannotErase(f"{log} cannot be read: {error.strerror or error}.") from error


def _jobs(rows: Rows) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for row in rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    return jobs


def _made_from(jobs: Mapping[str, Job], ids: frozenset[str]) -> list[Job]:
    """Return the other jobs that go back to these: with sound, with a frame, or with words of theirs."""
    found = set(ids)
    while new := {job.id for job in jobs.values() if job.parent in found} - found:
        found |= new
    return [jobs[job_id] for job_id in sorted(found - ids) if not jobs[job_id].erased]


def _stored(database: Path, *, is_copy: bool = False) -> StoredRows:
    try:
        return StoredRows.read(database, is_copy=is_copy)
    except sqlite3.Error as error:
        raise CannotErase(f"{database} cannot be read: {error}.") from error


def _person(text: str, rows: Rows, stored: StoredRows) -> Whose:
    accounts = {row["id"]: row["name"] for row in stored.people}
    given = {row["name"]: row["person_id"] for row in stored.name_owners}
    try:
        return person_of(text, accounts, given, (*_who(rows), *stored.who()))
    except NotOnePerson as error:
        raise CannotErase(str(error)) from error


def _who(rows: Rows) -> Iterator[tuple[str, str]]:
    """Yield the ids and names that stand together in a log."""
    for row in rows:
        yield row.get("person_id", ""), row.get("person", "")
        yield row.get("by", ""), row.get("by_name", "")


def _is_named(rows: Rows, stored: StoredRows, whose: Whose) -> bool:
    return any(whose.has_in_log(*who) for who in _who(rows)) or any(whose.has(*who) for who in stored.who())


def _files(
    folder: Path, jobs: Mapping[str, Job], ids: frozenset[str], whose: Whose, stored: StoredRows
) -> Iterator[Path]:
    """Yield the files that hold something of it; those drawn anew at need are deleted all together."""
    yield from (
        path for path in _all_of(folder / VIDEOS) if path.name.split(".")[0] in ids and path.suffix != BURIED
    )
    for name in (PREVIEWS, FILMS, UPLOADS):
        yield from _all_of(folder / name)
    yield from folder.glob("index.sqlite3*")
    torn = folder / f"{LOG}.torn"
    if torn.exists():
        yield torn
    for name in _OLD:
        for path in _all_of(folder / name):
            text = path.read_text(encoding="utf-8", errors="replace")
            author = json_object(text).get("author")
            is_theirs = isinstance(author, str) and whose.has("", author)
            if is_theirs or any(job_id in text for job_id in ids):
                yield path
    needed = _needed(jobs, ids, whose, stored)
    yield from (path for path in _all_of(folder / PICTURES) if path.name.split(".")[0] not in needed)


def _goes(draft: sqlite3.Row, ids: frozenset[str], whose: Whose) -> bool:
    return whose.has(draft["owner"], "") or any(job_id in draft["made"] for job_id in ids)


def _needed(jobs: Mapping[str, Job], ids: frozenset[str], whose: Whose, stored: StoredRows) -> frozenset[str]:
    """Return the pictures that somebody needs when it is erased; whose they were is not known."""
    needed = named_in(cells_of(job for job in jobs.values() if job.id not in ids))
    for draft in stored.drafts:
        if not _goes(draft, ids, whose):
            needed |= named_in([draft["fields"]])
    for template in stored.team_templates:
        if not whose.has(id_on(template), template["author"]):
            needed |= named_in([template["request"]])
    return needed


def _all_of(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _copies(folder: Path, ids: frozenset[str], whose: Whose, drafts: frozenset[str]) -> Iterator[str]:
    """Yield the copies that hold it: those of `backup`, and those that `restore` moved aside."""
    aside = ((path, "put aside by restore") for path in sorted(folder.glob(f"{ASIDE}*")))
    for path, made in (*known_backups(folder), *aside):
        try:
            if _holds(path, ids, whose, drafts):
                yield f"{path} ({made})"
            elif not path.parent.exists():
                yield f"{path} ({made}), which cannot be looked at from here"
        except CannotErase:
            yield f"{path} ({made}), which cannot be read"


def _holds(copy: Path, ids: frozenset[str], whose: Whose, drafts: frozenset[str]) -> bool:
    rows = _log_rows(copy / LOG)
    stored = _stored(copy / FILE, is_copy=True)
    return (
        any(row["external_task_id"] in ids for row in rows)
        or any(whose.may_have(*who) for who in (*_who(rows), *stored.who()))
        or any(draft["id"] in drafts or _goes(draft, ids, whose) for draft in stored.drafts)
    )
