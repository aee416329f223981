"""Writes the log anew with texts taken out, while no studio runs. All that money depends on stays as it was.

The seal is made anew too, and says no more than the old one did: it confirms the same rows, with the time at
which a studio last confirmed them. Where the old one was not valid, there is none afterwards.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from kling.studio.files import give_to_owner_of
from kling.studio.jobs import OF_A_TASK, Job, fold
from kling.studio.ledger import LedgerError, file_error
from kling.studio.ledger.csv_file import LogFile
from kling.studio.ledger.csv_text import Contents, encode_row, parse
from kling.studio.ledger.seal import SealFile
from kling.whole_file import sync_folder, whole_file

Row = Mapping[str, str]

_OF_MONEY = ("units", "unit_price", "currency", "task_id", "final_unit_deduction", "final_balance_deduction")


def rewrite_log(path: Path, change: Callable[[Row], Row], added: Iterable[Row] = ()) -> None:
    """Change the rows of a log. The caller has the data folder's lock.

    Args:
        path: of the log.
        change: gives the new cells of a row; the id, the time and the state have to stay.
        added: further rows, at the end.

    Raises:
        LedgerError: the log is as it was: it cannot be read or written, or the change would touch what is
            known of a task or of money.
    """
    contents = LogFile(path).read()
    rows = [_with_evidence(row, change(row)) for row in contents.rows]
    _refuse_if_money_changed(contents.rows, rows)
    known = b"".join(map(_encoder(contents), rows[: contents.sealed_rows]))
    later = b"".join(map(_encoder(contents), [*rows[contents.sealed_rows :], *added]))
    foreign = b"".join(_unreadable(path, contents))
    start = encode_row(contents.columns) + known
    try:
        stamp = _replace(path, start + later + foreign)
        seal = path.with_name(f"{path.name}.seal")
        seal.unlink(missing_ok=True)
        if contents.sealed_at is not None:
            new = SealFile(seal)
            new.write(len(start), zlib.crc32(start), stamp, contents.sealed_at, contents.doubtful)
            new.close()
            give_to_owner_of(path, seal)
        sync_folder(path.parent)
    except OSError as error:
        raise file_error(path.name, "written", error) from error


def rewrite_copy(path: Path, change: Callable[[Row], Row]) -> None:
    """Change the rows of an older copy of a log (`.before-2`), which nothing reads by itself.

    Raises:
        OSError: the copy is as it was.
    """
    contents = parse(path.read_bytes())
    rows = b"".join(map(_encoder(contents), map(change, contents.rows)))
    _replace(path, encode_row(contents.columns) + rows + b"".join(_unreadable(path, contents)))


def _encoder(contents: Contents) -> Callable[[Row], bytes]:
    return lambda row: encode_row([row.get(name, "") for name in contents.columns])


def _unreadable(path: Path, contents: Contents) -> list[bytes]:
    if not contents.unreadable:
        return []
    lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [lines[number - 1] + b"\n" for number in contents.unreadable]


def _with_evidence(before: Row, after: Row) -> Row:
    """Return the new row; if it alone shows that Kling accepted the job, it goes on showing that."""
    if before.keys() & OF_A_TASK and not {name for name, cell in after.items() if cell} & OF_A_TASK:
        return {**after, "task_status_msg": "erased"}
    return after


def _refuse_if_money_changed(before: Sequence[Row], after: Sequence[Row]) -> None:
    old, new = _folded(before), _folded(after)
    for job_id, job in old.items():
        other = new.get(job_id, Job())
        same = (job.state, job.accepted, job.since) == (other.state, other.accepted, other.since)
        if not same or any(job[name] != other[name] for name in _OF_MONEY):
            raise LedgerError(
                f"The log was not changed: what it says of the job {job_id} and of its money would not stay "
                "the same."
            )


def _folded(rows: Sequence[Row]) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for row in rows:
        jobs[row["external_task_id"]] = fold(jobs.get(row["external_task_id"]), row)
    return jobs


def _replace(path: Path, data: bytes) -> tuple[int, int]:
    """Put a file in the place of another one; return its inode and the time of its last change."""
    target = Path(os.path.realpath(path))  # the log may be a symbolic link
    with whole_file(target) as part:
        part.write_bytes(data)
        if target.exists():
            give_to_owner_of(target, part)
    stat = path.stat()
    return stat.st_ino, stat.st_ctime_ns
