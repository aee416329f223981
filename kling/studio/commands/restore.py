"""`restore SRC`: a backup in the place of what is in the data folder, while the studio is stopped."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kling.studio.backup import LOG, BackupError
from kling.studio.commands.backup import said
from kling.studio.commands.settings import operator_settings
from kling.studio.files import for_this_user_only
from kling.studio.folder import FolderTaken
from kling.studio.restoring import restore
from kling.studio.settings import SettingsError

AFTERWARDS = (
    "What waited in the backup is left to a person: the studio cannot know what was sent since. What was "
    "ordered since is taken in from Kling at the start, by its mark; Kling does not say whose it is, so it "
    "counts for no person's limit. Everybody has to sign in again. People and their roles are those of the "
    "backup: look through `people list`, and remove again who was removed since.\n"
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "restore",
        help="put a backup back, while the studio is stopped",
        description="Put a backup in the place of what is in the data folder. What was there is moved into "
        "its folder before-restore-N.",
    )
    parser.add_argument("source", metavar="SRC", type=Path, help="a folder that `backup` made")
    parser.add_argument("--yes", action="store_true", help="also where there is a log already")
    parser.set_defaults(run=run)


@for_this_user_only()
def run(options: argparse.Namespace) -> int:
    """Restore; return the exit code."""
    try:
        folder = operator_settings().data_dir
        if (folder / LOG).exists() and not options.yes:
            sys.stderr.write(
                f"{folder} has a log. It would be moved into a folder before-restore-… there. If that is "
                "what you want, say so with --yes.\n"
            )
            return 1
        done = restore(options.source.absolute(), folder)
    except (BackupError, FolderTaken, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(said("Put back", done) + AFTERWARDS)
    return 0
