"""`doctor`: what is wrong with this set-up, and what to do."""

from __future__ import annotations

import argparse
import os
import sys

from kling.studio.commands.settings import ROOT
from kling.studio.doctor.examine import examine
from kling.studio.doctor.finding import Finding

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="look for what is wrong with this set-up, and name the remedy",
        description="Look at settings, rights, data folder, disk, log, database, port, sign-in, clock, proxy "
        "and the account. Nothing is changed and nothing is spent. The exit code is 1 if there is a problem.",
    )
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    """Print what is found; return the exit code."""
    worst = 0
    for finding in examine(os.environ, ROOT):
        sys.stdout.write(said(finding))
        sys.stdout.flush()  # some looks wait for the network
        worst = max(worst, finding.level == "problem")
    sys.stdout.write("There is a problem.\n" if worst else "No problem was found.\n")
    return int(worst)


def said(finding: Finding) -> str:
    """Return the lines of a finding."""
    remedy = f"\n          {finding.remedy}." if finding.remedy else ""
    return f"{_MARKS[finding.level]}{finding.about}: {finding.what}.{remedy}\n"
