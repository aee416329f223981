"""Each code of Kling's error table: its class, whether it may have run, who has to act."""

from __future__ import annotations

import pytest

from kling import (
    AccountBlocked,
    APIError,
    AuthenticationFailed,
    BadRequest,
    ContentPolicyViolation,
    InvalidRequest,
    MaybeSent,
    NotSent,
    Problem,
    RateLimited,
    ServerError,
    Task,
    TaskFailed,
    TextToVideo,
    WaitTimeout,
)
from kling.endpoint import TEXT_TO_VIDEO
from kling.errors import MEANINGS, Actor, Resend, api_error
from kling.errors import TABLE as ROWS
from tests.kling.loopback import refusal, reply

REQUEST = TextToVideo(prompt="A fox")
# HTTP status and code as documented, what the client makes of it, who acts, resend
TABLE = [
    (401, 1000, AuthenticationFailed, "operator", "after a fix"),
    (401, 1001, AuthenticationFailed, "operator", "after a fix"),
    (401, 1002, AuthenticationFailed, "operator", "after a fix"),
    (401, 1003, AuthenticationFailed, "operator", "after a fix"),
    (401, 1004, AuthenticationFailed, "operator", "after a fix"),
    (429, 1100, AccountBlocked, "operator", "after a fix"),
    (429, 1101, AccountBlocked, "operator", "after a fix"),
    (429, 1102, AccountBlocked, "operator", "after a fix"),
    (403, 1103, AccountBlocked, "operator", "after a fix"),
    (400, 1200, BadRequest, "person", "after a fix"),
    (400, 1201, BadRequest, "person", "after a fix"),
    (404, 1202, BadRequest, "operator", "after a fix"),
    (404, 1203, BadRequest, "person", "after a fix"),
    (400, 1300, ContentPolicyViolation, "person", "after a fix"),
    (400, 1301, ContentPolicyViolation, "person", "after a fix"),
    (429, 1302, RateLimited, "nobody", "later"),
    (429, 1303, RateLimited, "nobody", "later"),
    (429, 1304, AccountBlocked, "operator", "after a fix"),
    (500, 5000, ServerError, "kling", "after a look-up"),
    (503, 5001, ServerError, "kling", "after a look-up"),
    (504, 5002, ServerError, "kling", "after a look-up"),
]


def submitted(server, client, answer) -> APIError:
    """Create a task, and return the refusal."""
    server.says(answer)
    with pytest.raises(APIError) as caught:
        client.create(REQUEST)
    return caught.value


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row[1]))
def test_a_code_has_its_class_and_consequences(row, server, client):
    status, code, kind, actor, resend = row
    error = submitted(server, client, refusal(code, status=status, message="because"))
    assert type(error) is kind
    assert (error.http_status, error.code, error.message, error.request_id) == (
        status,
        code,
        "because",
        "r-2",
    )
    assert error.meaning.actor == actor
    assert error.meaning.resend == resend
    assert error.may_have_run == (resend == "after a look-up")
    assert str(code) in str(error)
    assert "because" in str(error)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row[1]))
@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_code_decides_whatever_the_status(row, status, server, client):
    _, code, kind, _, resend = row
    error = submitted(server, client, refusal(code, status=status))
    assert type(error) is kind
    assert error.may_have_run == (resend == "after a look-up")


def test_each_code_has_one_row():
    assert len(ROWS) == len(MEANINGS) == len(TABLE)


def test_every_documented_code_has_words_for_a_person():
    assert set(MEANINGS) == {row[1] for row in TABLE}
    for meaning in MEANINGS.values():
        assert meaning.what.endswith(".")
        assert meaning.remedy.endswith(".")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 1999, BadRequest),
        (429, 1999, BadRequest),
        (404, -1, BadRequest),
        (200, 1999, ServerError),
        (302, 1999, ServerError),
        (500, 1999, ServerError),
        (502, 10**40, ServerError),
    ],
)
def test_a_code_that_nobody_knows_goes_by_its_status(status, code, kind, server, client):
    error = submitted(server, client, refusal(code, status=status))
    assert type(error) is kind
    assert error.may_have_run is (kind is ServerError)


def test_a_refusal_without_its_usual_fields_is_still_one(server, client):
    error = submitted(server, client, reply({"code": 1303}, status=429))
    assert (error.message, error.request_id, error.retry_after) == ("", "", None)


def test_a_refusal_says_how_long_to_wait_if_the_answer_does(server, client):
    assert submitted(server, client, refusal(1303, status=429, Retry_After="7")).retry_after == 7


@pytest.mark.parametrize("pause", ["1e300", "99999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_an_answer_cannot_ask_to_wait_for_ever(pause, server, client):
    assert submitted(server, client, refusal(1303, status=429, Retry_After=pause)).retry_after == 3600


def test_a_refusal_is_not_resent_by_the_client(server, client):
    for code in (1302, 1303, 1102, 5000):
        server.seen.clear()
        server.says_only()
        submitted(server, client, refusal(code))
        assert len(server.seen) == 1


@pytest.mark.parametrize("code", [1201, 1203])
def test_find_says_none_when_kling_says_that_there_is_no_such_task(code, server, client):
    server.says(refusal(code, message="Task not found by id/external id: job"))
    assert client.find("job", endpoint=TEXT_TO_VIDEO) is None


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row[1] not in {1201, 1203}], ids=lambda row: str(row[1])
)
def test_find_says_nothing_when_kling_did_not_say_so(row, server, client):
    status, code, kind, _, _ = row
    server.says(refusal(code, status=status))
    with pytest.raises(kind):
        client.find("job")


@pytest.mark.parametrize(
    "answer", [reply(b"<html>", status=404), reply({"code": 0, "data": None}), reply({"code": 0, "data": []})]
)
def test_find_says_nothing_when_the_answer_cannot_be_read(answer, server, client):
    server.says(answer)
    with pytest.raises(MaybeSent):
        client.find("job")


@pytest.mark.parametrize(
    "words",
    [
        "External_task_id job-1 already exists",
        "external_task_id is not unique",
        "The external task id must be unique",
        "duplicate ExternalTaskId",
        "external-task-id: job-1 exists.",
        "external_task_id 已存在",
    ],
)
def test_a_create_call_may_be_refused_because_its_task_is_there(words, server, client):
    assert submitted(server, client, refusal(1201, message=words)).says_it_exists
    assert submitted(server, client, refusal("1201", message=words, status=200)).says_it_exists


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1201, ""),
        (1201, "prompt size must be between 0 and 2500"),
        (1201, "Task not found by id/external id: job-1"),
        (1203, "The model does not exist"),
        (1201, "external_task_id: no such task exists"),
        (1301, "this prompt already exists"),
        (1303, "a task with this external_task_id already exists"),
        (5000, "External_task_id already exists"),
    ],
)
def test_other_refusals_do_not_say_so(code, words, server, client):
    assert not submitted(server, client, refusal(code, message=words)).says_it_exists


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1303", RateLimited),
        (1303.0, RateLimited),
        (" 1201", BadRequest),
        ("1002.0", AuthenticationFailed),
        ("5000", ServerError),
    ],
)
def test_a_code_is_a_whole_number_whatever_its_type(code, kind, server, client):
    error = submitted(server, client, refusal(code))
    assert type(error) is kind
    assert error.code == int(float(code))


def test_the_words_of_a_refusal_are_bounded(server, client):
    error = submitted(server, client, refusal(1201, message="x" * 65_800 + "\ud800"))
    assert len(error.message) == 1000
    assert len(str(error)) < 1100


def test_find_returns_the_task_that_is_there(server, client):
    server.says(reply({"code": 0, "data": {"task_id": "7", "task_info": {"external_task_id": "job"}}}))
    found = client.find("job")
    assert found is not None
    assert found.external_task_id == "job"


def test_only_what_never_left_may_not_have_run():
    assert NotSent("x").may_have_run is False
    assert MaybeSent("x").may_have_run is True


def test_a_refused_request_names_every_problem():
    error = InvalidRequest([Problem("prompt", "Write."), Problem("mode", "Choose.")])
    assert str(error) == "prompt: Write.; mode: Choose."
    assert [problem.field for problem in error.problems] == ["prompt", "mode"]


def test_an_invalid_request_is_not_sent(server, client):
    with pytest.raises(InvalidRequest):
        client.create(TextToVideo(prompt=" "))
    assert server.seen == []


def test_ends_of_a_wait_say_which_task():
    running = Task(task_id="7", task_status="processing")
    assert "7" in str(TaskFailed(running))
    assert "no reason given" in str(TaskFailed(running))
    assert "still processing" in str(WaitTimeout("7", running))


def test_actors_and_resends_are_plain_words():
    assert {str(actor) for actor in Actor} == {"nobody", "person", "operator", "kling"}
    assert {str(resend) for resend in Resend} == {"later", "after a fix", "after a look-up"}


@pytest.mark.parametrize("status", [408, 499])
def test_a_gateway_that_waited_too_long_proves_no_refusal(status):
    assert api_error(status, status, "upstream timed out").may_have_run
    assert not api_error(status, 1201, "prompt is required").may_have_run
