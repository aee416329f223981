"""A client speaks to any endpoint, over any transport."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from kling import (
    ApiKey,
    Client,
    InvalidRequest,
    KeyPair,
    MaybeSent,
    NotSent,
    ServerError,
    TextToVideo,
    catalog,
)
from kling.endpoint import ENDPOINTS, NEWER_TEXT_TO_VIDEO, TEXT_TO_VIDEO, endpoint_of
from tests.transport import Transport, answer

TASK = {"task_id": "7", "task_status": "submitted", "task_info": {"external_task_id": "job-7"}}
REQUEST = TextToVideo(prompt="A fox", external_task_id="job-7")


def connect(*answers) -> tuple[Client, Transport]:
    transport = Transport(*answers)
    return Client(ApiKey("key"), base_url="https://kling.test", transport=transport), transport


def test_each_endpoint_has_a_name_and_a_path_of_its_own():
    assert len({endpoint.name for endpoint in ENDPOINTS}) == len(ENDPOINTS)
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ENDPOINTS)


@pytest.mark.parametrize("model_name", [*catalog().models, "kling-of-tomorrow"])
def test_a_request_goes_to_the_endpoint_of_its_class_and_model(model_name):
    newer = {"kling-3.0-turbo": NEWER_TEXT_TO_VIDEO}
    assert endpoint_of(TextToVideo(model_name=model_name)) is newer.get(model_name, TEXT_TO_VIDEO)


def test_a_request_that_no_endpoint_takes_is_not_sent(monkeypatch):
    other = replace(catalog().models["kling-v3"], api="v2")
    models = {**catalog().models, "kling-v3": other}
    monkeypatch.setattr("kling.endpoint.catalog", lambda: replace(catalog(), models=models))
    client, transport = connect(answer({"code": 0, "data": TASK}))
    with pytest.raises(InvalidRequest, match="does not speak"):
        client.create(replace(REQUEST, model_name="kling-v3"))
    assert transport.sent == []


@dataclass(frozen=True)
class Remix(TextToVideo):
    """A request of an endpoint that is added."""


@pytest.mark.parametrize("order", [tuple, lambda endpoints: endpoints[::-1]], ids=["first", "last"])
def test_another_endpoint_is_one_more_entry(monkeypatch, order):
    remix = replace(TEXT_TO_VIDEO, name="remix", path="/v1/videos/remix", request=Remix)
    monkeypatch.setattr("kling.endpoint.ENDPOINTS", order((remix, *ENDPOINTS)))
    client, transport = connect(answer({"code": 0, "data": TASK}))
    client.create(Remix(prompt="A fox"))
    client.create(REQUEST)
    assert [sent.path for sent in transport.sent] == ["/v1/videos/remix", "/v1/videos/text2video"]


def test_look_ups_go_to_the_endpoint_that_they_name():
    remix = replace(TEXT_TO_VIDEO, path="/v1/videos/remix")
    client, transport = connect(answer({"code": 0, "data": TASK}))
    client.get("7", endpoint=remix)
    client.find("job-7", endpoint=remix)
    transport.answers[:] = [answer({"code": 0, "data": []})]
    client.list(endpoint=remix)
    assert list(client.tasks(endpoint=remix)) == []
    assert [sent.path for sent in transport.sent] == [
        "/v1/videos/remix/7",
        "/v1/videos/remix/job-7",
        "/v1/videos/remix",
        "/v1/videos/remix",
    ]


ABSENT = answer({"code": 1201, "message": "Task not found by id/external id"}, status=400)
NEWER_TASK = {"id": "7", "status": "succeeded", "external_id": "job-7"}


@pytest.mark.parametrize("look_up", ["find", "get", "wait"])
def test_a_task_is_looked_for_wherever_it_may_be(look_up):
    client, transport = connect(ABSENT, ABSENT, ABSENT, answer({"code": 0, "data": [NEWER_TASK]}))
    assert getattr(client, look_up)("job-7").task_id == "7"
    assert [sent.path for sent in transport.sent] == [
        "/v1/videos/text2video/job-7",
        "/v1/videos/image2video/job-7",
        "/v1/audio/video-to-audio/job-7",
        "/tasks",
    ]


def test_there_is_no_task_only_if_no_endpoint_has_it():
    nothing = answer({"code": 0, "data": []})
    client, _ = connect(ABSENT, ABSENT, ABSENT, nothing)
    assert client.find("job-7") is None
    client, _ = connect(ABSENT, ABSENT, ABSENT, answer({"code": 5000}, status=500))
    with pytest.raises(ServerError):
        client.find("job-7")
    client, _ = connect(ABSENT, ABSENT, ABSENT, nothing)
    with pytest.raises(InvalidRequest, match="comma"):
        client.find("a,b")


def test_with_an_access_key_there_can_be_no_task_of_the_newer_generation():
    transport = Transport(ABSENT)
    assert Client(KeyPair("access", "s" * 32), transport=transport).find("job-7") is None
    assert len(transport.sent) == 3


def test_waiting_goes_on_where_the_task_was_found():
    running = answer({"code": 0, "data": {**TASK, "task_status": "processing"}})
    done = answer({"code": 0, "data": {**TASK, "task_status": "succeed"}})
    transport = Transport(ABSENT, running, done)
    Client(ApiKey("key"), transport=transport, sleep=lambda _: None).wait("job-7")
    assert [sent.path.split("/")[3] for sent in transport.sent] == [
        "text2video",
        "image2video",
        "image2video",
    ]


def test_a_transport_gets_the_whole_call():
    client, transport = connect(answer({"code": 0, "data": TASK}), answer({"code": 0, "data": []}))
    client.create(REQUEST)
    client.list(page_num=2, page_size=5)
    created, listed = transport.sent
    assert (created.method, created.url) == ("POST", "https://kling.test/v1/videos/text2video")
    assert created.headers == {"Authorization": "Bearer key", "Content-Type": "application/json"}
    assert created.json == REQUEST.to_wire()
    assert (listed.method, listed.params, listed.json) == ("GET", {"pageNum": 2, "pageSize": 5}, None)


@pytest.mark.parametrize("kind", [NotSent, MaybeSent])
def test_what_a_transport_says_of_a_lost_call_reaches_the_caller(kind):
    client, transport = connect(kind("down"))
    with pytest.raises(kind, match="down"):
        client.create(REQUEST)
    assert len(transport.sent) == 1


def test_a_client_closes_its_transport():
    client, transport = connect()
    client.close()
    assert transport.closed
