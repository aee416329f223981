"""The states of a job. README says what each of them means to a person."""

from __future__ import annotations

from collections.abc import Mapping

from kling.studio.jobs.columns import OF_A_TASK

WAITING, INTENT, SUBMITTED, PROCESSING = "waiting", "intent", "submitted", "processing"
SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN = "succeed", "failed", "unknown", "not_sent", "withdrawn"
STATES = (WAITING, INTENT, SUBMITTED, PROCESSING, SUCCEED, FAILED, UNKNOWN, NOT_SENT, WITHDRAWN)
KNOWN_STATES = frozenset(STATES)
TERMINAL = frozenset({SUCCEED, FAILED, WITHDRAWN})
FOLLOWED = frozenset({SUBMITTED, PROCESSING})
OPEN = frozenset({WAITING, INTENT, UNKNOWN, *FOLLOWED})

ONLY_OF_ACCEPTED = frozenset({SUBMITTED, PROCESSING, SUCCEED})  # only an accepted job has one of these
# An accepted job has the highest of the states that its records show, in whatever order they are read.
RANKS = {"": 0, SUBMITTED: 1, PROCESSING: 2, FAILED: 3, SUCCEED: 4}


class StateChanged(Exception):
    """The job has left the states in which this change is allowed."""


class UnknownEndpoint(StateChanged):
    """A job names an endpoint that this version of the studio does not know, so nothing may be done with it.

    A newer version has ordered it, or somebody has edited the log. Kling may have its task at an endpoint
    where this version cannot look.

    Args:
        name: of the endpoint, as the log has it.
    """

    def __init__(self, name: str) -> None:
        self.why = f"This version of the studio does not know the endpoint “{name[:40]}” of this job."
        self.remedy = (
            "It is left alone: start the version that ordered it, or stop the studio and correct the cell "
            "“endpoint” of its row in history.csv."
        )
        super().__init__(f"{self.why} {self.remedy}")


def state_shown_by(cells: Mapping[str, str], stated: str) -> str:
    """Return the state that some cells show of an accepted job; empty if they do not show that it is one.

    Args:
        cells: of one record or of a job, without the empty ones.
        stated: their own cell `state` if it is one of `STATES`, else empty.
    """
    if "file" in cells:
        return SUCCEED
    if stated in ONLY_OF_ACCEPTED:
        return stated
    if not cells.keys().isdisjoint(OF_A_TASK):
        return FAILED if stated == FAILED else SUBMITTED
    return ""
