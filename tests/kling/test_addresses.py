"""Addresses that everybody reads the same way, and networks that are public."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from kling.addresses import BadAddress, Origin, is_public, is_trusted, joined, origin
from tests.kling.tools import law

# -- networks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("93.184.216.34", "8.8.8.8", "1.1.1.1", "198.17.255.255", "198.20.0.1", "172.32.0.1", "100.63.0.1"),
        *("2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:80b::200e", "2400:cb00::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
    ],
)
def test_a_public_address_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.7", "100.64.0.1", "127.0.0.1", "127.0.0.2", "169.254.169.254"),
        *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1"),
        *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
        *("233.252.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::8.8.8.8", "100::1", "fc00::1", "fd00::1", "fe80::1", "fe80::1%eth0"),
        *("2606:2800:220::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "2001::1", "2001:db8::1", "3fff::1"),
        *("4000::1", "5f00::1", "64:ff9b:1::808:808"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:198.18.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *("2002:7f00:1::1", "2002:a00:1::1", "2002:a9fe:a9fe::"),
    ],
)
def test_an_address_of_a_network_of_its_own_is_not(address):
    assert not is_public(ipaddress.ip_address(address))


@law
@given(st.ip_addresses(v=4))
def test_an_address_that_carries_another_is_as_public_as_that_one(inner):
    number = int(inner)
    for outer in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80 | 1):
        assert is_public(ipaddress.IPv6Address(outer)) == is_public(inner)


# -- texts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://cdn.kling.test/v.mp4?sig=1", Origin("https", "cdn.kling.test", 443)),
        ("HTTPS://CDN.Kling.test:443/", Origin("https", "cdn.kling.test", 443)),
        ("http://127.0.0.1:8000", Origin("http", "127.0.0.1", 8000)),
        ("http://localhost/a", Origin("http", "localhost", 80)),
        ("https://[2606:2800::1]:8443/v", Origin("https", "2606:2800::1", 8443)),
        ("https://a_b.example-1.test?x=@y", Origin("https", "a_b.example-1.test", 443)),
        ("https://h.test/a@b:c", Origin("https", "h.test", 443)),
        ("https://h.test/狐", Origin("https", "h.test", 443)),
    ],
)
def test_an_address_has_an_origin(url, expected):
    assert origin(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        r"http://127.0.0.2:8000\@api-singapore.klingai.com/../internal/admin",
        *(
            "https://evil.test\\@good.test",
            "https://good.test/a\\b",
            "https:\\\\good.test/",
            "https:/\\h.test",
        ),
        *("https://a@h.test/", "https://a:b@h.test/", "https://@h.test/", "https://h.test@evil.test/"),
        *(
            "https://h.test /",
            " https://h.test/",
            "https://h.test/\n",
            "ht\ttps://h.test",
            "https://h\r.test",
        ),
        *("https://h.test/\0", "https://h.test/\x7f", "https://h.test/\u2028", "https://h.test/\ud800"),
        *(
            "https://h\u200b.test/",
            "https://ｈ.test/",
            "https://狐.test/",
            "https://h%2etest/",
            "https://h%00/",
        ),
        *(
            "",
            "//h.test/x",
            "/x",
            "x",
            "https://",
            "https:///x",
            "https:h.test",
            "https://:443/",
            "https://?x",
        ),
        *("ftp://h.test/", "file:///etc/passwd", "data:,x", "javascript:1", "http+unix://h/", "httpss://h/"),
        *("https://[", "https://[::1", "https://::1/", "https://[fe80::1%25eth0]/", "https://[::1]x/"),
        *("https://[127.0.0.1]/", "https://[v1.x]/", "https://h.test:0/", "https://h.test:99999/"),
        *("https://h.test:x/", "https://h.test:-1/", "https://h..test/", "https://.h.test/", "https://-h/"),
        *(
            "https://2130706433/",
            "https://0x7f000001/",
            "https://127.1/",
            "https://0177.0.0.1/",
            "https://1.2.3/",
        ),
        *("https://127.0.0.1./", "https://h.0x7f/", "https://*.test/", "https://h,test/", "https://h;x/"),
        "https://" + "a" * 254 + "/",
        "https://h.test/" + "x" * 20_000,
    ],
    ids=lambda url: ascii(url)[:40],
)
def test_an_address_that_can_be_read_in_two_ways_or_none_is_refused(url):
    with pytest.raises(BadAddress) as caught:
        origin(url)
    assert len(str(caught.value)) < 80


pieces = st.sampled_from(
    [
        *(
            "https",
            "http",
            "HTTPS",
            ":",
            "/",
            "//",
            "\\",
            "@",
            "#",
            "?",
            "[",
            "]",
            "%",
            "%2f",
            "%40",
            ".",
            "..",
            ";",
        ),
        *(
            "a.test",
            "evil.test",
            "127.0.0.1",
            "::1",
            "2606::1",
            "0x7f",
            "1",
            "443",
            ":8000",
            "&",
            "=",
            "~",
            "é",
        ),
        *("\t", "\n", " ", "\0", "\u200b", "\ud800", "\u2100", "xn--", "-", "_", "+", "//a.test", "https://"),
    ]
)
urls = st.lists(pieces, max_size=12).map("".join) | st.lists(pieces, max_size=8).map(
    lambda rest: "https://" + "".join(rest)
)


@law
@given(urls | st.text(max_size=40).map("https://{}".format))
def test_whatever_is_accepted_is_read_the_same_by_both_parsers_and_by_requests(url):
    try:
        found = origin(url)
    except BadAddress:
        return
    prepared = requests.Request("GET", url).prepare().url
    assert prepared is not None
    for each in (url, prepared):
        one, other = urlsplit(each), urllib3.util.parse_url(each)
        default = 443 if found.scheme == "https" else 80
        assert (one.scheme, one.hostname, one.port or default) == (found.scheme, found.host, found.port)
        host = (other.host or "").strip("[]").lower()
        assert (other.scheme, host, other.port or default) == (found.scheme, found.host, found.port)
        assert one.username is None
        assert other.auth is None


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("/v.mp4?s=1", "https://api.kling.test/v.mp4?s=1"),
        ("v.mp4", "https://api.kling.test/v.mp4"),
        ("//cdn.kling.test/v.mp4", "https://cdn.kling.test/v.mp4"),
        ("https://cdn.kling.test/v.mp4", "https://cdn.kling.test/v.mp4"),
    ],
)
def test_an_address_without_its_beginning_is_joined_to_the_base(url, whole):
    assert joined("https://api.kling.test/", url) == whole


@pytest.mark.parametrize("url", ["", "http://[bad", "\\\\h\\x", "/a b"])
def test_what_cannot_be_joined_is_refused(url):
    with pytest.raises(BadAddress):
        joined("https://api.kling.test/", url)


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("cdn.kling.test", True),
        ("cdn.kling.test.", True),
        ("a.files.test", True),
        ("a.b.files.test", True),
        ("files.test", False),
        ("afiles.test", False),
        ("files.test.evil.test", False),
        ("x.cdn.kling.test", False),
        ("", False),
    ],
)
def test_a_host_is_trusted_by_its_name_or_its_suffix(host, trusted):
    assert is_trusted(host, frozenset({"cdn.kling.test", ".files.test"})) is trusted


def test_loopback_is_told_by_its_name():
    hosts = {"127.0.0.1": True, "127.9.9.9": True, "::1": True, "localhost": True, "127.0.0.1.test": False}
    assert {host: Origin("http", host, 80).is_loopback for host in hosts} == hosts
