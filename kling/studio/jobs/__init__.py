"""The job: what the studio knows of one request, and how it is read from and written to records.

A record is a row of the log: a change to one job. What a job is now is folded from its records.

    columns   the columns of a record
    states    the states of a job
    cells     values as text in cells; reading raises nothing
    record    a request and a task as cells, and back
    job       `Job`: one job as its records say
    opinions  stars and ratings, one for each person
    folding   from records to a job
"""

from __future__ import annotations

from kling.studio.jobs.cells import bounded, dump_json, json_object, truncate
from kling.studio.jobs.columns import COLUMNS, CURATION, OF_A_PERSON, OF_A_TASK, TAKEN_BACK
from kling.studio.jobs.folding import apply_row, fold
from kling.studio.jobs.job import Job
from kling.studio.jobs.opinions import MOST_RATING, Opinion, who_is
from kling.studio.jobs.record import request_cells, request_of, task_cells
from kling.studio.jobs.states import (
    FAILED,
    FOLLOWED,
    INTENT,
    NOT_SENT,
    OPEN,
    PROCESSING,
    RANKS,
    STATES,
    SUBMITTED,
    SUCCEED,
    TERMINAL,
    UNKNOWN,
    WAITING,
    WITHDRAWN,
    StateChanged,
    UnknownEndpoint,
)

__all__ = [
    "COLUMNS",
    "CURATION",
    "FAILED",
    "FOLLOWED",
    "INTENT",
    "MOST_RATING",
    "NOT_SENT",
    "OF_A_PERSON",
    "OF_A_TASK",
    "OPEN",
    "PROCESSING",
    "RANKS",
    "STATES",
    "SUBMITTED",
    "SUCCEED",
    "TAKEN_BACK",
    "TERMINAL",
    "UNKNOWN",
    "WAITING",
    "WITHDRAWN",
    "Job",
    "Opinion",
    "StateChanged",
    "UnknownEndpoint",
    "apply_row",
    "bounded",
    "dump_json",
    "fold",
    "json_object",
    "request_cells",
    "request_of",
    "task_cells",
    "truncate",
    "who_is",
]
