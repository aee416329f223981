"""Faults that an operator should know of, in words for every page."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

from kling.studio.account_scan import AccountScan
from kling.studio.accounts import Accounts
from kling.studio.amounts import counted
from kling.studio.archive import free_bytes
from kling.studio.ledger import Ledger
from kling.studio.reconciler import Reconciler

LOW_DISK = 500 * 2**20  # bytes; with less room the pages warn
_OTHERS = "Everybody who has an account on this computer can read"
_CLOSE = "To keep them to yourself, run this once in a terminal"


def ledger_warnings(ledger: Ledger) -> Iterator[str]:
    """Yield why jobs are not shown, or not all of them."""
    if ledger.opening:
        yield "The log is being read. What is in it appears by itself."
    if ledger.failure:
        yield ledger.failure


def account_warnings(
    ledger: Ledger, accounts: Accounts, reconciler: Reconciler, scan: AccountScan
) -> Iterator[str]:
    """Yield where paid videos are out of reach, or may be missing from the log."""
    for other in accounts.others:
        videos = counted(other.count, "paid video", "paid videos")
        yield (
            f"{videos} of the account {other.name} cannot be followed with the key in use. Set a key of "
            f"that account; Kling keeps the last of them until {other.until:%d %B %Y}."
        )
    unanswered, why = reconciler.trouble()
    if unanswered:
        jobs = counted(unanswered, "job is", "jobs are")
        yield (
            f"{jobs} being looked up, and Kling does not answer. {why} Check the key, the base URL and "
            "the connection."
        )
    found = scan.findings
    if found.needs_operator:
        yield found.trouble
    if found.is_complete and found.of_others and not ledger.index.tasks:
        yield (
            f"The log is empty, and Kling has {found.of_others:,} tasks of another data folder. If they "
            "are this studio's, its data volume is not mounted, or STUDIO_DATA_DIR names another folder."
        )
    if found.maybe_ours:
        yield (
            f"Kling has {counted(len(found.maybe_ours), 'task', 'tasks')} that may be this studio's and that "
            "the log does not know. See Spend, Compare with Kling."
        )


def disk_warnings(folder: Path) -> Iterator[str]:
    """Yield that the disk of a folder is nearly full."""
    with contextlib.suppress(OSError):
        if (room := free_bytes(folder)) < LOW_DISK:
            yield f"Disk nearly full: {room / 2**20:,.0f} MB left for the data folder. Make room."


def rights_warnings(folder: Path, secrets: Path | None) -> Iterator[str]:
    """Yield that other users of this machine can read the keys, or the prompts and videos.

    Args:
        folder: of the data.
        secrets: the file of settings; None if there is none.
    """
    if secrets is not None and is_open_to_others(secrets):
        yield f"{_OTHERS} the keys in {secrets}. {_CLOSE}: chmod 600 {secrets}"
    if is_open_to_others(folder):
        yield f"{_OTHERS} the prompts and videos in {folder}. {_CLOSE}: chmod 700 {folder}"


def is_open_to_others(path: Path) -> bool:
    """Whether a user who is neither the owner nor in the group can read a file, or look into a folder.

    Such a user has to come through every folder above it, too.
    """
    try:
        here = path.resolve()
        mode = here.stat().st_mode
        wanted = stat.S_IXOTH if stat.S_ISDIR(mode) else stat.S_IROTH
        return bool(mode & wanted) and all(each.stat().st_mode & stat.S_IXOTH for each in here.parents)
    except OSError:
        return False
