"""The columns of a record, under the API's own names where it has one. README lists them for people."""

from __future__ import annotations

from kling.endpoint import ENDPOINTS

# Fields whose names are those of something else in a record: `video_id` is the id of the result.
_OTHER_NAMES = {"video_id": "source_video_id"}


def column_of(field: str) -> str:
    """Return the column that has a field of a create call."""
    return _OTHER_NAMES.get(field, field)


# One column for each field of the create calls, but the id, which is the key of the log.
_OF_A_REQUEST = tuple(
    dict.fromkeys(
        column_of(field)
        for endpoint in ENDPOINTS
        for field in endpoint.request.FIELDS
        if field != "external_task_id"
    )
)

COLUMNS = (
    "external_task_id",
    "time",
    "state",
    "person",
    "person_id",
    "account",
    "endpoint",
    *_OF_A_REQUEST,
    "units",
    "unit_price",
    "currency",
    "task_id",
    "code",
    "message",
    "request_id",
    "task_status_msg",
    "created_at",
    "updated_at",
    "final_unit_deduction",
    "final_balance_deduction",
    "video_id",
    "video_duration",
    "file",
    "file_bytes",
    "file_sha256",
    "watermark_file",
    "rating",
    "star",
    "tags",
    "note",
    "hidden",
    "deleted",
    "by",
    "by_name",
    "parent",
    "batch",
    "extra",
)

CURATION = frozenset({"rating", "star", "tags", "note", "hidden"})  # people's opinions of a job
OF_A_PERSON = frozenset({"rating", "star"})  # of these, each person has one of their own for a job
TAKEN_BACK = "-"  # in a column of `CURATION`: the value that an earlier record gave is removed

CHARGES = ("final_unit_deduction", "final_balance_deduction")
# These columns are filled only from an answer about a task, or from its video. So a record with one of them
# shows that Kling has accepted the job.
OF_A_TASK = frozenset(
    {
        "task_id",
        "task_status_msg",
        "created_at",
        "updated_at",
        *CHARGES,
        "video_id",
        "video_duration",
        "file",
    }
)
