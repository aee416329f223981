"""A result file arrives whole or not at all, from where it may come from, and without our credentials."""

from __future__ import annotations

import errno
import socket
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kling import Client, DownloadFailed, KlingError, NotSent, TransportError
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


def test_who_may_read_a_file_is_what_the_user_lets_everybody_do(server, client, tmp_path):
    (tmp_path / "other").touch()
    server.says(reply(CLIP))
    client.download(server.url, tmp_path / "fox.mp4")
    assert (tmp_path / "fox.mp4").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_file_replaces_an_older_one(server, client, tmp_path):
    (tmp_path / "fox.mp4").write_bytes(b"old")
    server.says(reply(CLIP))
    client.download(server.url, tmp_path / "fox.mp4")
    assert (tmp_path / "fox.mp4").read_bytes() == CLIP


def test_an_empty_file_is_saved_as_such(server, client, tmp_path):
    server.says(reply(b""))
    assert client.download(server.url, tmp_path / "fox.mp4") == 0


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
    with pytest.raises(DownloadFailed):
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
    with pytest.raises(DownloadFailed, match=f"HTTP {status}") as caught:
        client.download(server.url, tmp_path / "fox.mp4")
    assert caught.value.status == status


def test_a_file_that_stops_coming_is_given_up(server, connect, tmp_path):
    server.says(loopback.half_then_silence)
    with pytest.raises(DownloadFailed, match="too long"):
        connect(read_timeout=0.05).download(server.url, tmp_path / "fox.mp4")
    assert files(tmp_path) == []


def test_a_file_that_dribbles_is_given_up_at_the_deadline(server, connect, tmp_path):
    server.says(loopback.dribble)
    with pytest.raises(DownloadFailed, match="too long"):
        connect(monotonic=Clock(tick=1.0)).download(server.url, tmp_path / "fox.mp4", timeout=20)
    assert files(tmp_path) == []


def test_a_file_as_large_as_allowed_is_saved(server, client, tmp_path):
    server.says(reply(CLIP))
    assert client.download(server.url, tmp_path / "fox.mp4", max_bytes=len(CLIP)) == len(CLIP)


def test_a_file_that_says_it_is_too_large_is_not_read(server, client, tmp_path):
    server.says(reply(b"", length=10**15))
    with pytest.raises(DownloadFailed, match="1,000,000,000,000,000 bytes and 1,000 are allowed"):
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
def test_a_redirect_is_followed(status, server, client, tmp_path):
    server.says(moved("/b", status), moved(server.url + "/c", status), reply(CLIP))
    assert client.download(server.url + "/a", tmp_path / "fox.mp4") == len(CLIP)
    assert [seen.path for seen in server.seen] == ["/a", "/b", "/c"]


def test_a_redirect_that_goes_in_circles_is_given_up(server, client, tmp_path):
    server.says(moved("/round"))
    with pytest.raises(DownloadFailed, match="too often"):
        client.download(server.url, tmp_path / "fox.mp4")
    assert len(server.seen) == 4


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


# -- where it may come from ----------------------------------------------------------------------------------

CDN = "cdn.kling.test"
TRUSTED = Path(__file__).with_name("trusted.pem")


@pytest.fixture
def cdn(monkeypatch) -> Iterator[Loopback]:
    """Serve over TLS as `cdn.kling.test`, with a certificate that this process trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(TRUSTED))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(TRUSTED)
    with Loopback(tls=tls) as running:
        running.says(reply(CLIP))
        yield running


class Names:
    """A name server: each name has the addresses that it was given, and each question is written down."""

    def __init__(self, **addresses: list[str]) -> None:
        self.addresses = {name.replace("_", "."): found for name, found in addresses.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = {
            address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in self.addresses[host]
        }
        return [(family, socket.SOCK_STREAM, 0, "", (address, port)) for address, family in families.items()]


@pytest.fixture
def no_other_look_ups(monkeypatch):
    """Fail whatever resolves a name by another way than `resolve`."""

    def refuse(*arguments, **_):
        raise AssertionError(f"{arguments[0]} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


ORIGIN = "https://api.kling.test"


@pytest.fixture
def of_kling(connect) -> Callable[..., Client]:
    """Make a client of the API, with a name server of ours."""

    def make(names: Names, *hosts: str) -> Client:
        client: Client = connect(
            base_url=ORIGIN, resolve=names, video_hosts=frozenset(hosts), connect_timeout=1
        )
        return client

    return make


@pytest.mark.usefixtures("no_other_look_ups")
def test_a_host_is_looked_up_once_and_its_certificate_checked_by_its_name(cdn, of_kling, tmp_path):
    names = Names(cdn_kling_test=["127.0.0.1"])
    client = of_kling(names, CDN)
    assert client.download(f"https://{CDN}:{cdn.port}/v.mp4", tmp_path / "fox.mp4") == len(CLIP)
    assert names.asked == [CDN]
    assert cdn.seen[0].headers["host"] == f"{CDN}:{cdn.port}"
    assert "authorization" not in cdn.seen[0].headers
    assert KEY not in str(cdn.seen)


@pytest.mark.usefixtures("no_other_look_ups")
def test_a_host_whose_certificate_is_of_another_name_is_refused(cdn, of_kling, tmp_path):
    client = of_kling(Names(other_kling_test=["127.0.0.1"]), ".kling.test")
    with pytest.raises(NotSent, match=r"host other\.kling\.test could not be reached: the certificate"):
        client.download(f"https://other.kling.test:{cdn.port}/v.mp4", tmp_path / "fox.mp4")
    assert cdn.seen == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(cdn, of_kling, tmp_path, monkeypatch):
    connected: list[object] = []

    def note(_socket, address):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", note)
    names = Names(
        cdn_kling_test=["10.0.0.1", "93.184.216.34", "::ffff:10.0.0.1", "2606:2800::1", "127.0.0.1"]
    )
    with pytest.raises(NotSent, match=f"{CDN} could not be reached: the connection was refused"):
        of_kling(names).download(f"https://{CDN}:{cdn.port}/v.mp4", tmp_path / "fox.mp4")
    assert connected == [("93.184.216.34", cdn.port), ("2606:2800::1", cdn.port)]
    assert names.asked == [CDN]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "198.18.0.5", "169.254.169.254", "::1", "fd00::1"]
)
def test_a_name_of_a_private_network_is_not_opened_and_the_setting_is_named(address, of_kling, tmp_path):
    with pytest.raises(DownloadFailed, match="private network") as caught:
        of_kling(Names(cdn_kling_test=[address])).download(
            f"https://{CDN}/v?sig=s3cret", tmp_path / "fox.mp4"
        )
    assert CDN in str(caught.value)
    assert address in str(caught.value)
    assert f"add {CDN} to STUDIO_VIDEO_HOSTS" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_name_that_nobody_knows_is_told_in_words(of_kling, tmp_path):
    with pytest.raises(
        DownloadFailed, match=f"{CDN} is not known to this machine. If only a proxy knows it, set"
    ):
        of_kling(Names()).download(f"https://{CDN}/v.mp4", tmp_path / "fox.mp4")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (r"http://127.0.0.2:PORT\@api.kling.test/../internal", "backslash"),
        ("https://127.0.0.1:PORT/v.mp4", "private network"),
        ("https://[::1]:PORT/v.mp4", "private network"),
        ("https://[::ffff:127.0.0.1]:PORT/v.mp4", "private network"),
        ("https://localhost:PORT/v.mp4", "private network"),
        ("http://cdn.kling.test:PORT/v.mp4", "not https"),
        ("http://api.kling.test:PORT/v.mp4", "not https"),
        ("http://127.0.0.1:PORT/v.mp4", "not https"),
        ("https://a:b@cdn.kling.test:PORT/v.mp4", "name or a password"),
        ("https://2130706433:PORT/v.mp4", "names no host"),
        ("https://cdn.kling.test:PORT/v .mp4", "blank"),
        ("file:///etc/passwd", "https://"),
        ("ftp://cdn.kling.test/v", "https://"),
        ("http://[bad", "cannot be read"),
        ("", "empty"),
    ],
)
def test_an_address_that_leads_elsewhere_is_not_opened_also_after_a_redirect(
    url, why, cdn, of_kling, tmp_path
):
    names = Names(cdn_kling_test=["127.0.0.1"], localhost=["127.0.0.1"], api_kling_test=["127.0.0.1"])
    url = url.replace("PORT", str(cdn.port))
    with pytest.raises(DownloadFailed, match=why):
        of_kling(names, CDN).download(url, tmp_path / "fox.mp4")
    assert cdn.seen == []
    if url:
        cdn.says_only(moved(url))
        with pytest.raises(DownloadFailed, match=why):
            of_kling(names, CDN).download(f"https://{CDN}:{cdn.port}/v.mp4", tmp_path / "fox.mp4")
        assert len(cdn.seen) == 1
    assert files(tmp_path) == []


def test_each_hop_is_checked_by_itself(cdn, of_kling, tmp_path):
    names = Names(cdn_kling_test=["127.0.0.1"], localhost=["127.0.0.1"])
    client = of_kling(names, CDN, "localhost")
    cdn.says_only(moved(f"https://localhost:{cdn.port}/b"), moved("/c"), reply(CLIP))
    assert client.download(f"https://{CDN}:{cdn.port}/a", tmp_path / "fox.mp4") == len(CLIP)
    assert [(seen.headers["host"].partition(":")[0], seen.path) for seen in cdn.seen] == [
        (CDN, "/a"),
        ("localhost", "/b"),
        ("localhost", "/c"),
    ]


def test_only_the_very_origin_of_the_base_url_may_be_plain_http(server, client, tmp_path):
    server.says(reply(CLIP))
    assert client.download(f"{server.url}/v.mp4", tmp_path / "a") == len(CLIP)
    with Loopback() as another:
        another.says(reply(CLIP))
        for url in (another.url, f"http://localhost:{server.port}"):
            with pytest.raises(DownloadFailed, match="not https"):
                client.download(f"{url}/v.mp4", tmp_path / "b")
        with pytest.raises(DownloadFailed, match="private network"):
            client.download(f"https://127.0.0.1:{another.port}/v.mp4", tmp_path / "b")
        assert another.seen == []


@pytest.mark.parametrize("url", ["/v.mp4?s=1", "v.mp4?s=1", "//{netloc}/v.mp4?s=1"])
def test_an_address_without_its_beginning_begins_at_the_base_url(url, server, client, tmp_path):
    server.says(reply(CLIP))
    client.download(url.format(netloc=server.netloc), tmp_path / "fox.mp4")
    assert server.seen[0].target == "/v.mp4?s=1"


# -- through a proxy -----------------------------------------------------------------------------------------


def tunnel(connection: loopback.Connection) -> bool:
    connection.socket.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    return False


@pytest.fixture
def proxy(monkeypatch) -> Iterator[Loopback]:
    with Loopback() as running:
        running.says(tunnel)
        monkeypatch.setenv("HTTPS_PROXY", running.url)
        yield running


def test_through_a_proxy_nothing_is_resolved_here(proxy, of_kling, tmp_path):
    names = Names()
    with pytest.raises(TransportError):
        of_kling(names).download(f"https://{CDN}/v.mp4", tmp_path / "fox.mp4")
    assert [(seen.method, seen.target) for seen in proxy.seen] == [("CONNECT", f"{CDN}:443")]
    assert names.asked == []


def test_through_a_proxy_the_file_comes_whole(cdn, proxy, of_kling, tmp_path):
    def connect_through(connection: loopback.Connection) -> bool:
        connection.socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", cdn.port)) as inner:
            loopback.relay(connection.socket, inner)
        return False

    proxy.says_only(connect_through)
    assert of_kling(Names()).download(f"https://{CDN}/v.mp4", tmp_path / "fox.mp4") == len(CLIP)
    assert cdn.seen[0].path == "/v.mp4"


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/v", "https://[::1]/v", "http://cdn.kling.test/v", "https://a@cdn.kling.test/v"]
)
def test_through_a_proxy_an_address_is_held_to_the_same_rules(url, proxy, of_kling, tmp_path):
    with pytest.raises(DownloadFailed):
        of_kling(Names()).download(url, tmp_path / "fox.mp4")
    assert proxy.seen == []


@pytest.mark.parametrize("exempt", [CDN, "kling.test", ".kling.test", "*"])
def test_a_host_that_needs_no_proxy_is_checked_as_without_one(exempt, proxy, of_kling, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", exempt)
    with pytest.raises(DownloadFailed, match="private network"):
        of_kling(Names(cdn_kling_test=["10.0.0.1"])).download(f"https://{CDN}/v.mp4", tmp_path / "fox.mp4")
    assert proxy.seen == []


def test_no_proxy_is_asked_for_a_file_on_this_machine(server, client, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.says(reply(CLIP))
    assert client.download(server.url, tmp_path / "fox.mp4") == len(CLIP)


def test_a_proxy_that_does_not_answer_is_told(monkeypatch, of_kling, tmp_path):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(NotSent, match=f"{CDN} could not be reached"):
        of_kling(Names()).download(f"https://{CDN}/v.mp4", tmp_path / "fox.mp4")


# -- before money is spent -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        reply(CLIP),
        reply(CLIP[:1024], status=206, headers={"Content-Range": f"bytes 0-1023/{len(CLIP)}"}),
        pytest.param(loopback.dribble, id="a body without end"),
    ],
)
def test_a_file_host_is_tried_by_the_first_bytes(answer, server, client):
    server.says(answer)
    client.can_fetch(f"{server.url}/v.mp4?sig=1")
    (seen,) = server.seen
    assert (seen.method, seen.target) == ("GET", "/v.mp4?sig=1")
    assert seen.headers["range"] == "bytes=0-1023"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_file_host_that_answers_something_else_says_so(status, server, client):
    server.says(reply(b"", status=status))
    with pytest.raises(DownloadFailed, match=f"HTTP {status}") as caught:
        client.can_fetch(f"{server.url}/v.mp4")
    assert caught.value.status == status


def test_a_file_host_that_cannot_be_used_says_why(server, client, of_kling):
    with pytest.raises(DownloadFailed, match="STUDIO_VIDEO_HOSTS"):
        of_kling(Names(cdn_kling_test=["198.18.0.9"])).can_fetch(f"https://{CDN}/v.mp4")
    server.says(loopback.hang_up)
    with pytest.raises(TransportError):
        client.can_fetch(f"{server.url}/v.mp4")
    server.says_only(raw(OK + b"Content-Length: 9\r\n\r\n"))
    with pytest.raises(DownloadFailed, match="Nothing of the file arrived"):
        client.can_fetch(f"{server.url}/v.mp4")
