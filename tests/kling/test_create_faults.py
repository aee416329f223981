"""What every fault of the line means for a create call: it never left, or it may have run."""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path

import pytest

from kling import ApiKey, Client, KlingError, MaybeSent, NotSent, TextToVideo, TransportError
from tests.kling import loopback
from tests.kling.loopback import Loopback, raw, reply
from tests.kling.tools import Clock

REQUEST = TextToVideo(prompt="A fox in the snow", external_task_id="job-1")
HEAD = b"HTTP/1.1 200 OK\r\n"


def create(base_url: str, **settings) -> TransportError:
    """Create a task at an address where it fails for want of an answer, and return how."""
    client = Client(ApiKey("key"), base_url=base_url, **settings)
    try:
        with pytest.raises(TransportError) as caught:
            client.create(REQUEST)
    finally:
        client.close()
    return caught.value


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_refused_connection_was_not_sent():
    error = create(f"http://127.0.0.1:{free_port()}")
    assert isinstance(error, NotSent)
    assert not error.may_have_run
    assert "the connection was refused" in str(error)


def test_a_network_that_cannot_be_reached_is_not_called_a_refusal(monkeypatch):
    def unreachable(*_arguments):
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    error = create("http://127.0.0.1:1")
    assert isinstance(error, NotSent)
    assert "no connection could be made" in str(error)


def test_an_unknown_host_was_not_sent(monkeypatch):
    def nobody(*_arguments, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    error = create("http://no-such-host.invalid")
    assert isinstance(error, NotSent)
    assert "name is not known" in str(error)


def test_a_connect_timeout_was_not_sent():
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # the queue of connections that nobody accepts is full after one or two
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = create(f"http://127.0.0.1:{full.getsockname()[1]}", connect_timeout=0.1)
    assert isinstance(error, NotSent)
    assert "connecting took too long" in str(error)


def test_a_certificate_that_nobody_signed_was_not_sent():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    with Loopback(tls=tls) as server:
        error = create(server.url)
        assert server.seen == []
    assert isinstance(error, NotSent)
    assert "certificate" in str(error)


@pytest.mark.parametrize(
    "base_url", ["", "ftp://host", "http://", "http://[::1", "http://host:99999", "http://.", "nonsense"]
)
def test_an_address_that_is_none_was_not_sent(base_url):
    assert isinstance(create(base_url), NotSent)


def test_a_proxy_that_refuses_was_not_sent(monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    assert isinstance(create("http://api.example"), NotSent)


def test_a_proxy_that_hangs_up_may_have_sent(monkeypatch):
    with Loopback() as proxy:
        proxy.says(loopback.hang_up)
        monkeypatch.setenv("http_proxy", proxy.url)
        error = create("http://api.example")
        assert [seen.target for seen in proxy.seen] == ["http://api.example/v1/videos/text2video"]
    assert isinstance(error, MaybeSent)


def test_a_proxy_is_not_asked_for_an_address_on_this_machine(server, client, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    server.says(loopback.task())
    assert client.create(REQUEST).task_id == "7"


def test_a_reset_before_reading_may_have_been_sent():
    with Loopback(resets_before_reading=True) as server:
        assert isinstance(create(server.url), MaybeSent)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(loopback.reset_after_reading, id="reset"),
        pytest.param(loopback.hang_up, id="closed"),
        pytest.param(raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), id="garbage"),
        pytest.param(raw(b"HTTP/1.1 abc OK\r\n\r\n"), id="bad status"),
        pytest.param(raw(HEAD + b"X: " + b"x" * 70_000 + b"\r\n\r\n"), id="endless header"),
        pytest.param(reply({"code": 0}, length=5000), id="short body"),
        pytest.param(raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n"), id="bad chunk"),
        pytest.param(raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"), id="short chunk"),
        pytest.param(reply(b"not gzip", headers={"Content-Encoding": "gzip"}), id="bad gzip"),
        pytest.param(reply(b"<html>Bad Gateway</html>", status=502), id="HTML 502"),
        pytest.param(reply(b"<html>Sign in</html>"), id="HTML 200"),
        pytest.param(reply(b""), id="empty"),
        pytest.param(reply(b"", status=204), id="no content"),
        pytest.param(reply(b'{"code": 0, "data": {"task_id": "7"'), id="half JSON"),
        pytest.param(reply(b"\xff\xfe\x00"), id="not text"),
        pytest.param(reply(b"[" * 200_000), id="deep JSON"),
        pytest.param(reply(b'{"code": 0, "data":' + b'{"a":' * 100_000), id="deep object"),
        pytest.param(reply([{"code": 0}]), id="list"),
        pytest.param(reply({"data": {"task_id": "7"}}, status=302), id="no code and no success"),
        pytest.param(reply({"data": {"task_id": "7"}}, status=404), id="no code and not found"),
        pytest.param(reply({"data": {"task_id": "7"}}, status=500), id="no code and an error"),
        pytest.param(reply({"data": {"id": "7"}}), id="no code and no task_id"),
        pytest.param(reply({"code": 0.5, "data": {}}), id="code as a fraction"),
        pytest.param(reply({"code": True, "data": None}), id="code as boolean"),
        pytest.param(
            loopback.task(task_info={"external_task_id": "job-2"}), id="a task with another id than ours"
        ),
        pytest.param(reply({"code": 0}), id="no data"),
        pytest.param(reply({"code": 0, "data": {"task_status": "submitted"}}), id="no task_id"),
        pytest.param(reply({"code": 0, "data": [{"task_id": "7"}]}), id="list for a task"),
        pytest.param(reply(b"", status=302, headers={"Location": "http://[bad"}), id="redirect to nowhere"),
        pytest.param(reply(b"", status=307, headers={"Location": "/elsewhere"}), id="redirect"),
    ],
)
def test_a_create_call_may_have_run_and_is_not_resent_after(answer, server, client):
    server.says(answer)
    with pytest.raises(MaybeSent) as caught:
        client.create(REQUEST)
    assert caught.value.may_have_run
    assert len(server.seen) == 1


@pytest.mark.parametrize("code", ["0", " 0 ", 0.0, "0.0", "00", False, None, "SUCCEED", {}])
def test_a_task_that_was_made_is_followed_whatever_the_type_of_its_code(code, server, client):
    server.says(reply({"code": code, "data": {"task_id": "7"}}))
    assert client.create(REQUEST).task_id == "7"


def test_a_task_that_was_made_is_followed_without_any_code(server, client):
    server.says(reply({"request_id": "r-1", "data": {"task_id": "7"}}, status=201))
    assert client.create(REQUEST).request_id == "r-1"


@pytest.mark.parametrize("external_task_id", ["job-1", "", None, []])
def test_an_answer_that_names_our_id_or_none_is_our_task(external_task_id, server, client):
    server.says(loopback.task(task_info={"external_task_id": external_task_id}))
    assert client.create(REQUEST).task_id == "7"


@pytest.mark.parametrize("answer", [loopback.silence, loopback.half_then_silence])
def test_a_slow_answer_may_have_been_sent(answer, server, connect):
    server.says(answer)
    with pytest.raises(MaybeSent, match="too long"):
        connect(read_timeout=0.05).create(REQUEST)
    server.wait_for(1)
    assert len(server.seen) == 1


def test_a_dribbled_answer_is_given_up_at_the_deadline(server, connect):
    server.says(loopback.dribble)
    with pytest.raises(MaybeSent, match="too long"):
        connect(monotonic=Clock(tick=1.0)).create(REQUEST)


def test_an_answer_that_was_long_in_coming_counts_once_it_is_here(server, connect):
    clock = Clock()

    def late(connection):
        clock.now += 31  # connecting and waiting took longer together than the body may
        return loopback.task()(connection)

    server.says(late)
    assert connect(monotonic=clock).create(REQUEST).task_id == "7"


def test_an_answer_without_end_is_given_up(server, client):
    server.says(raw(HEAD + b"\r\n", b" " * (5 * 2**20)))
    with pytest.raises(MaybeSent, match="too large"):
        client.create(REQUEST)


def test_an_answer_as_large_as_any_page_is_read(server, client):
    tasks = [{"task_id": str(number), "task_status_msg": "x" * 7000} for number in range(500)]
    server.says(reply({"code": 0, "data": tasks}))  # three times what 500 tasks have
    assert len(client.list(page_size=500)) == 500


def test_answers_are_asked_for_as_they_are(server, client):
    server.says(loopback.task())
    client.create(REQUEST)
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_redirect_keeps_the_credentials_with_their_host(server, client):
    with Loopback() as stranger:
        stranger.says(loopback.task())
        server.says(reply(b"", status=307, headers={"Location": stranger.url + "/v1/videos/text2video"}))
        with pytest.raises(MaybeSent):
            client.create(REQUEST)
        assert stranger.seen == []


def test_the_body_of_a_redirect_is_not_read_for_ever(server, connect):
    def endless(connection):
        connection.socket.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not connection.closing.is_set():
            connection.socket.sendall(b"1\r\nx\r\n")
        return False

    server.says(endless)
    with pytest.raises(MaybeSent, match="too long"):
        connect(monotonic=Clock(tick=1.0)).create(REQUEST)


def test_a_missing_ca_bundle_is_an_error_of_ours(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    assert isinstance(create("https://api.example"), KlingError)


def test_a_gzipped_answer_in_pieces_is_read_whole(server, client):
    import gzip

    body = gzip.compress(b'{"code": 0, "data": {"task_id": "7", "task_status": "submitted"}}')
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    server.says(raw(head, *(body[at : at + 1] for at in range(len(body)))))
    assert client.create(REQUEST).task_id == "7"


def test_no_fault_tells_where_a_pointer_or_a_query_was(server, client):
    server.says(loopback.hang_up)
    with pytest.raises(MaybeSent) as caught:
        client.get("secret-looking-id")
    assert "0x" not in str(caught.value)
    assert "secret-looking-id" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_connection_that_answered_is_used_again(server, client):
    server.says(loopback.task())
    client.create(REQUEST)
    client.get("7")
    assert {seen.connection for seen in server.seen} == {1}
