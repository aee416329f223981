"""Looking tasks up: one by either id, a page, all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import ApiKey, Client, InvalidRequest, MaybeSent
from tests.kling.loopback import reply, task
from tests.kling.tools import law
from tests.transport import Transport, answer


def page(*ids: object):
    return reply({"code": 0, "data": [{"task_id": task_id} if task_id else {} for task_id in ids]})


def test_get_is_the_documented_call(server, client):
    server.says(task("processing", task_id="75"))
    assert client.get("75").task_status == "processing"
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("GET", "/v1/videos/text2video/75", b"")
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("task_id", "target"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("狐", "%E7%8B%90"),
        ("a+b&c", "a%2Bb%26c"),
    ],
)
def test_an_id_is_one_part_of_the_path_whatever_is_in_it(task_id, target, server, client):
    server.says(task(task_info={"external_task_id": task_id}))
    client.get(task_id)
    assert server.seen[0].target == f"/v1/videos/text2video/{target}"


@pytest.mark.parametrize("task_id", ["", ".", "..", "a b", "a\r\nX: y", "\ud800"])
@pytest.mark.parametrize("look", ["get", "find"])
def test_an_id_that_would_lead_elsewhere_is_not_asked_for(task_id, look, server, client):
    with pytest.raises(InvalidRequest, match="task_id"):
        getattr(client, look)(task_id)
    assert server.seen == []


STRANGER = {"task_id": "8", "task_info": {"external_task_id": "job-8"}}
NAMELESS = {"task_id": "8"}


@pytest.mark.parametrize("answer", [STRANGER, NAMELESS], ids=["a stranger", "one without our id"])
@pytest.mark.parametrize("look", ["get", "find"])
def test_an_answer_about_another_task_tells_nothing(look, answer, server, client):
    server.says(reply({"code": 0, "data": answer}))
    with pytest.raises(MaybeSent, match="about another task"):
        getattr(client, look)("job-7")


@pytest.mark.parametrize("asked", ["8", "job-8"])
def test_a_task_may_be_asked_for_by_either_id(asked, server, client):
    server.says(reply({"code": 0, "data": STRANGER}))
    assert client.get(asked).task_id == "8"


def test_only_an_answer_that_names_our_id_is_found_by_it(server, client):
    server.says(reply({"code": 0, "data": STRANGER}))
    assert client.find("job-8").task_id == "8"
    with pytest.raises(MaybeSent, match="about another task"):
        client.find("8")  # an id of Kling's is none of ours, though it is the same text


@law
@given(st.text(max_size=30), st.text(max_size=30), st.text("8job-", max_size=8))
def test_whatever_is_answered_what_is_found_carries_our_id(task_id, external_task_id, asked):
    data = {"task_id": task_id, "task_info": {"external_task_id": external_task_id}}
    client = Client(ApiKey("k"), transport=Transport(answer({"code": 0, "data": data})))
    try:
        found = client.find(asked)
    except (MaybeSent, InvalidRequest):
        return
    assert found is not None
    assert found.external_task_id == asked == external_task_id


def test_list_is_the_documented_call(server, client):
    server.says(page("1", "2"))
    assert [seen.task_id for seen in client.list()] == ["1", "2"]
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.query) == (
        "GET",
        "/v1/videos/text2video",
        {"pageNum": "1", "pageSize": "30"},
    )


@pytest.mark.parametrize(("number", "size"), [(1, 1), (1000, 500)])
def test_the_ends_of_the_page_ranges_are_asked_for(number, size, server, client):
    server.says(page())
    assert client.list(page_num=number, page_size=size) == ()
    assert server.seen[0].query == {"pageNum": str(number), "pageSize": str(size)}


@pytest.mark.parametrize(
    ("number", "size", "field"),
    [
        (0, 30, "pageNum"),
        (1001, 30, "pageNum"),
        (-1, 30, "pageNum"),
        (1, 0, "pageSize"),
        (1, 501, "pageSize"),
    ],
)
def test_a_page_out_of_range_is_not_asked_for(number, size, field, server, client):
    with pytest.raises(InvalidRequest, match=field):
        client.list(page_num=number, page_size=size)
    assert server.seen == []


def test_all_tasks_are_read_page_by_page_until_one_is_not_full(server, client):
    server.says(page("1", "2"), page("3", "4"), page("5"))
    assert [seen.task_id for seen in client.tasks(page_size=2)] == ["1", "2", "3", "4", "5"]
    assert [seen.query["pageNum"] for seen in server.seen] == ["1", "2", "3"]


def test_pages_that_wrap_their_list_are_read_to_the_end_too(server, client):
    def wrapped(*ids: str):
        return reply({"code": 0, "data": {"list": [{"task_id": each} for each in ids], "total": 3}})

    server.says(wrapped("1", "2"), wrapped("3"))
    assert [seen.task_id for seen in client.tasks(page_size=2)] == ["1", "2", "3"]


def test_an_account_without_tasks_is_one_empty_page(server, client):
    server.says(page())
    assert list(client.tasks()) == []
    assert len(server.seen) == 1


def test_a_full_page_with_an_unreadable_entry_is_not_the_last(server, client):
    server.says(page("1", None), page("2"))
    assert [seen.task_id for seen in client.tasks(page_size=2)] == ["1", "2"]


def test_pages_are_asked_for_as_they_are_needed(server, client):
    server.says(page("1", "2"), page("3", "4"))
    every = client.tasks(page_size=2)
    next(every)
    next(every)
    assert len(server.seen) == 1


def test_the_iterator_ends_with_the_last_page_that_can_be_asked_for(server, client, monkeypatch):
    monkeypatch.setattr("kling.wire.MAX_PAGE", 3)
    server.says(page("1"))
    assert len(list(client.tasks(page_size=1))) == 3


@pytest.mark.parametrize("base_url", ["", "/", "//"])
def test_a_base_url_may_end_in_a_slash(base_url, server, connect):
    server.says(task())
    connect(base_url=server.url + base_url).get("7")
    assert server.seen[0].target == "/v1/videos/text2video/7"


def test_the_default_is_the_international_host():
    assert repr(Client(ApiKey("k"))) == "Client('https://api-singapore.klingai.com')"
