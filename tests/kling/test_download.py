"""A result file arrives whole or not at all, and the credentials never travel to where it lies."""

from __future__ import annotations

import errno
import traceback

import pytest

from kling import DownloadBroken, KlingError, NotSent, TransportError
from tests.kling import loopback
from tests.kling.loopback import Loopback, raw, reply
from tests.kling.tools import KEY, Clock

CLIP = bytes(range(256)) * 1000
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def moved(to: str, status: int = 302) -> loopback.Answer:
    return reply(b"moved", status=status, headers={"Location": to})


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(reply(CLIP), id="with a length"),
        pytest.param(raw(OK + b"\r\n" + CLIP), id="until the end"),
        pytest.param(raw(CHUNKED + b"%x\r\n" % len(CLIP) + CLIP + b"\r\n0\r\n\r\n"), id="chunked"),
    ],
)
def test_a_file_is_saved_under_its_name_and_its_size_returned(answer, server, client, tmp_path):
    server.says(answer)
    assert client.download(server.url + "/clip.mp4?sig=1", tmp_path / "fox.mp4") == len(CLIP)
    assert (tmp_path / "fox.mp4").read_bytes() == CLIP
    assert files(tmp_path) == ["fox.mp4"]
    assert server.seen[0].target == "/clip.mp4?sig=1"


def test_a_file_replaces_an_older_one(server, client, tmp_path):
    (tmp_path / "fox.mp4").write_bytes(b"old")
    server.says(reply(CLIP))
    client.download(server.url, tmp_path / "fox.mp4")
    assert (tmp_path / "fox.mp4").read_bytes() == CLIP


def test_an_empty_file_is_saved_as_such(server, client, tmp_path):
    server.says(reply(b""))
    assert client.download(server.url, tmp_path / "fox.mp4") == 0


def test_the_credentials_are_not_sent_to_the_host_of_a_file(server, client, tmp_path):
    with Loopback() as mirror:
        server.says(moved(mirror.url + "/clip"))
        mirror.says(reply(CLIP))
        client.download(server.url, tmp_path / "fox.mp4")
        for seen in (*server.seen, *mirror.seen):
            assert "authorization" not in seen.headers
            assert KEY not in str(seen)


BROKEN = {
    "short body": reply(CLIP, length=len(CLIP) + 1),
    "one byte short": raw(OK + b"Content-Length: 2\r\n\r\nx"),
    "short chunk": raw(CHUNKED + b"9\r\nx"),
    "bad chunk": raw(CHUNKED + b"4\r\nxxxx\r\nzz\r\n"),
    "no last chunk": raw(CHUNKED + b"4\r\nxxxx\r\n"),
    "403": reply(b"AccessDenied", status=403),
    "404": reply(b"", status=404),
    "500": reply(b"", status=500),
    "206": reply(CLIP, status=206),
    "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "too large": reply(CLIP * 5),
    "too large, it says": reply(b"", length=10**15),
    "too large without a length": raw(OK + b"\r\n" + CLIP * 5),
    "redirect without a place": reply(b"", status=302),
    "redirect to no address": moved("http://[bad"),
    "redirect to itself": moved("/"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_nothing_is_left_behind_after(answer, server, client, tmp_path):
    (tmp_path / "old.mp4").write_bytes(b"old")
    server.says(answer)
    with pytest.raises(DownloadBroken):
        client.download(server.url, tmp_path / "old.mp4", max_bytes=len(CLIP) * 4)
    assert files(tmp_path) == ["old.mp4"]
    assert (tmp_path / "old.mp4").read_bytes() == b"old"


@pytest.mark.parametrize("answer", [loopback.hang_up, loopback.reset_after_reading, raw(b"what?\r\n\r\n")])
def test_no_answer_leaves_nothing_behind(answer, server, client, tmp_path):
    server.says(answer)
    with pytest.raises(TransportError):
        client.download(server.url, tmp_path / "fox.mp4")
    assert files(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_file_that_is_gone_is_known_by_its_status(status, server, client, tmp_path):
    server.says(reply(b"gone", status=status))
    with pytest.raises(DownloadBroken, match=f"HTTP {status}") as caught:
        client.download(server.url, tmp_path / "fox.mp4")
    assert caught.value.status == status


def test_a_file_that_stops_coming_is_given_up(server, connect, tmp_path):
    server.says(loopback.half_then_silence)
    with pytest.raises(DownloadBroken, match="too long"):
        connect(read_timeout=0.05).download(server.url, tmp_path / "fox.mp4")
    assert files(tmp_path) == []


def test_a_file_that_dribbles_is_given_up_at_the_deadline(server, connect, tmp_path):
    server.says(loopback.dribble)
    with pytest.raises(DownloadBroken, match="too long"):
        connect(monotonic=Clock(tick=1.0)).download(server.url, tmp_path / "fox.mp4", timeout=20)
    assert files(tmp_path) == []


def test_a_file_as_large_as_allowed_is_saved(server, client, tmp_path):
    server.says(reply(CLIP))
    assert client.download(server.url, tmp_path / "fox.mp4", max_bytes=len(CLIP)) == len(CLIP)


def test_a_file_that_says_it_is_too_large_is_not_read(server, client, tmp_path):
    server.says(reply(b"", length=10**15))
    with pytest.raises(DownloadBroken, match="1,000,000,000,000,000 bytes and 1,000 are allowed"):
        client.download(server.url, tmp_path / "fox.mp4", max_bytes=1000)


def test_a_length_that_is_no_number_is_passed_over(server, client, tmp_path):
    server.says(raw(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nclip"))
    assert client.download(server.url, tmp_path / "fox.mp4") == len(b"clip")


def test_a_file_is_asked_for_as_it_is(server, client, tmp_path):
    server.says(reply(CLIP))
    client.download(server.url, tmp_path / "fox.mp4")
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_a_file_that_comes_compressed_all_the_same_is_whole(server, client, tmp_path):
    import gzip

    server.says(reply(gzip.compress(CLIP), headers={"Content-Encoding": "gzip"}))
    assert client.download(server.url, tmp_path / "fox.mp4") == len(CLIP)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_each_hop_is_asked_about(status, server, client, tmp_path):
    asked: list[str] = []
    with Loopback() as mirror:
        server.says(moved("/b", status), moved(mirror.url + "/c", status))
        mirror.says(reply(CLIP))
        client.download(server.url + "/a", tmp_path / "fox.mp4", may_open=asked.append)
        assert asked == [server.url + "/a", server.url + "/b", mirror.url + "/c"]


def test_a_hop_that_may_not_be_opened_is_not(server, client, tmp_path):
    class ForbiddenError(Exception):
        pass

    def may_open(url: str) -> None:
        if url.endswith("/inside"):
            raise ForbiddenError

    with Loopback() as inside:
        server.says(moved(inside.url + "/inside"))
        with pytest.raises(ForbiddenError):
            client.download(server.url, tmp_path / "fox.mp4", may_open=may_open)
        assert inside.seen == []
    assert files(tmp_path) == []


def test_a_redirect_that_goes_in_circles_is_given_up(server, client, tmp_path):
    server.says(moved("/round"))
    with pytest.raises(DownloadBroken, match="too often"):
        client.download(server.url, tmp_path / "fox.mp4")
    assert len(server.seen) == 4


def test_a_redirect_into_the_file_system_is_refused(server, client, tmp_path):
    server.says(moved("file:///etc/passwd"))
    with pytest.raises(NotSent):
        client.download(server.url, tmp_path / "fox.mp4")
    assert files(tmp_path) == []


def test_a_full_disk_is_told_as_such_and_leaves_nothing(server, client, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    server.says(reply(CLIP))
    with pytest.raises(OSError, match="No space left") as caught:
        client.download(server.url, tmp_path / "fox.mp4")
    assert not isinstance(caught.value, KlingError)
    assert files(tmp_path) == []


def test_the_signature_of_a_link_is_in_no_traceback(server, client, tmp_path):
    server.says(loopback.hang_up)
    url = server.url + "/clip?sig=s3cret"
    with pytest.raises(TransportError) as caught:
        client.download(url, tmp_path / "fox.mp4")
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))
