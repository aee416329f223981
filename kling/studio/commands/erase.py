"""`erase --person NAME | --job ID`: words, pictures, names and clips go, while the studio is stopped."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from kling.catalog import catalog
from kling.studio.amounts import counted
from kling.studio.commands.settings import operator_settings
from kling.studio.erasure import CannotErase, Found, erase, find
from kling.studio.files import for_this_user_only
from kling.studio.folder import DataFolder, FolderTaken
from kling.studio.settings import SettingsError

ELSEWHERE = (
    "Not reached from here: Kling keeps its tasks and, for {days} days, their videos; the server's output "
    "has prompts if STUDIO_LOG_PROMPTS was on; downloads are where people put them. A draft of a browser "
    "without an account, from which nothing was ordered, is nobody's; it goes after 90 days.\n"
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "erase",
        help="take out what a person wrote, or one job, while the studio is stopped",
        description="Delete prompts, pictures, names and clips. Costs and ids stay. Without --yes it only "
        "says what it would do.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--person", metavar="NAME", default="", help="all of one person; or the id")
    what.add_argument("--job", metavar="ID", default="", help="one job, by its external_task_id")
    parser.add_argument("--yes", action="store_true", help="do it; it cannot be undone")
    parser.set_defaults(run=run)


@for_this_user_only()
def run(options: argparse.Namespace) -> int:
    """Erase, or say what would be erased; return the exit code."""
    try:
        folder = operator_settings().data_dir
        owned = DataFolder(folder)
        try:
            found = find(folder, person=options.person, job_id=options.job)
            if found.is_empty:
                sys.stderr.write(f"There is nothing of {options.person or options.job} in {folder}.\n")
                return 1
            sys.stdout.write(_said(found))
            if options.yes:
                erase(folder, found, datetime.now(UTC))
        finally:
            owned.release()
    except (CannotErase, FolderTaken, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("Erased.\n" if options.yes else "Nothing was erased yet: add --yes to do it.\n")
    return 0


def _said(found: Found) -> str:
    whose = found.whose
    jobs, files = counted(len(found.jobs), "job", "jobs"), counted(len(found.files), "file", "files")
    lines = [f"{jobs}: prompts, names and notes, and {files} (clips, their pictures, previews, old copies)."]
    for name, person_id, count in found.by:
        account = f"account {person_id}" if person_id else "without an account"
        lines.append(f"  {count:,} of {name or 'nobody'}, {account}")
    if whose.person_id:
        lines.append(
            f"The account {whose.person_id}, {whose.name}: its name and drafts. A hash of who comes in with "
            f"it stays, and lets nobody in; `people take-back {whose.person_id}` undoes that."
        )
    if not whose.is_nobody:
        lines.append(
            "The name in the audit, the team templates of that author, their links and collections' words."
        )
    if whose.shared:
        names = ", ".join(whose.shared)
        lines.append(
            f"Somebody else has or had the name {names} too: what has only that, and no id, stays "
            f"({counted(found.unclear, 'job', 'jobs')})."
        )
    if found.made_from:
        lines.append(
            f"{len(found.made_from):,} other jobs go back to these, with sound, a frame or words of theirs. "
            "They stay, unless they are erased with --job:"
        )
        lines.extend(f"  {job_id} of {name or 'nobody'}" for job_id, name in found.made_from)
    lines.append("Costs, times, models and ids stay.")
    if found.unfinished:
        unfinished = counted(len(found.unfinished), "job has", "jobs have")
        lines.append(f"{unfinished} not ended, so this would be refused.")
    if found.copies:
        lines.append("Backups still hold it; delete them, or erase there after a restore:")
        lines.extend(f"  {copy}" for copy in found.copies)
    else:
        lines.append("No backup is known that holds it; copies made without `backup` are not known.")
    return "".join(f"{line}\n" for line in lines) + ELSEWHERE.format(days=catalog().retention_days)
