"""`backup DEST`: a copy of the data folder while the studio runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kling.studio.backup import BackupError, Summary, back_up
from kling.studio.commands.settings import operator_settings
from kling.studio.files import for_this_user_only
from kling.studio.settings import SettingsError


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "backup",
        help="copy the data folder, also while the studio runs",
        description="Copy log, videos, drafts, people and all else of the data folder to DEST, also while "
        "the studio runs. Videos share their place with the studio's own where the disk is the same.",
    )
    parser.add_argument("dest", metavar="DEST", type=Path, help="a new folder")
    parser.add_argument("--copy", action="store_true", help="copy videos on the same disk, too")
    parser.set_defaults(run=run)


@for_this_user_only()
def run(options: argparse.Namespace) -> int:
    """Make a backup; return the exit code."""
    try:
        done = back_up(operator_settings().data_dir, options.dest, link=not options.copy)
    except (BackupError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(said("In the backup", done))
    return 0


def said(where: str, done: Summary) -> str:
    """Return what was done, in words."""
    linked = f", {done.linked:,} of them shared with another folder on the same disk" if done.linked else ""
    size = f"{done.size / 2**20:,.1f} MB"
    lines = [f"{where}: {done.jobs:,} jobs, {done.files:,} files{linked}, {size}.", *done.notes]
    return "".join(f"{line}\n" for line in lines)
