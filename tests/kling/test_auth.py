"""The bearer token: what it says, when it is signed again, and that no secret shows anywhere."""

from __future__ import annotations

import base64
import json
import traceback
from dataclasses import dataclass

import jwt
import pytest

from kling import (
    ApiKey,
    AuthenticationFailed,
    Client,
    InvalidRequest,
    KeyPair,
    KlingError,
    MaybeSent,
    TextToVideo,
)
from kling.auth import Signer
from kling.transport import RequestsTransport
from tests.kling import loopback
from tests.kling.loopback import Loopback, refusal, task
from tests.kling.tools import Clock

PAIR = KeyPair("access-key-of-32-characters-long", "secret-key-of-32-characters-long")
REQUEST = TextToVideo(prompt="A fox")
NOW = 1_722_769_557.9


def parts(token: str) -> tuple[dict[str, object], dict[str, object]]:
    """Return header and claims of a token, after checking who signed it."""
    jwt.decode(
        token, PAIR.secret_key, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False}
    )
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(claims)


def claims_sent(server: Loopback) -> list[dict[str, object]]:
    return [parts(seen.bearer)[1] for seen in server.seen]


@dataclass
class Account:
    """A client that signs, by a clock that stands still."""

    clock: Clock
    client: Client


@pytest.fixture
def account(connect) -> Account:
    clock = Clock(NOW)
    return Account(clock, connect(PAIR, clock=clock))


def test_the_token_says_what_the_official_sample_says(server, account):
    server.says(task())
    account.client.create(REQUEST)
    header, claims = parts(server.seen[0].bearer)
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert claims == {"iss": PAIR.access_key, "exp": 1_722_769_557 + 1800, "nbf": 1_722_769_557 - 5}
    assert server.seen[0].headers["authorization"].count(" ") == 1


def test_a_token_is_signed_again_at_80_percent_of_its_life(server, account):
    server.says(task())
    for seconds in (0, 1439, 1, 1439):
        account.clock.now += seconds
        account.client.get("7")
    first, kept, renewed, kept_again = (seen.bearer for seen in server.seen)
    assert first == kept != renewed == kept_again
    assert parts(renewed)[1]["exp"] == 1_722_769_557 + 1440 + 1800


def test_a_token_is_signed_again_after_the_clock_was_set_back(server, account):
    server.says(task())
    account.client.get("7")
    account.clock.now -= 3600
    account.client.get("7")
    assert [claims["exp"] for claims in claims_sent(server)] == [1_722_771_357, 1_722_767_757]


@pytest.mark.parametrize("code", [1003, 1004])
def test_a_token_refused_for_its_times_is_signed_again_once(code, server, account):
    server.says(refusal(code, status=401), task())
    assert account.client.create(REQUEST).task_id == "7"
    assert len(server.seen) == 2
    assert server.seen[0].body == server.seen[1].body


@pytest.mark.parametrize("code", [1003, 1004])
def test_a_second_refusal_is_raised(code, server, account):
    server.says(refusal(code, status=401))
    with pytest.raises(AuthenticationFailed):
        account.client.create(REQUEST)
    assert len(server.seen) == 2


def test_a_token_that_is_not_valid_yet_is_dated_further_back_from_then_on(server, account):
    server.says(refusal(1003, status=401), task())
    account.client.get("7")
    account.clock.now += 1500
    account.client.get("7")
    moments = [1_722_769_557, 1_722_769_557, 1_722_771_057]
    ages = [now - int(str(claims["nbf"])) for now, claims in zip(moments, claims_sent(server), strict=True)]
    assert ages == [5, 60, 60]


@pytest.mark.parametrize("code", [1000, 1001, 1002])
def test_other_refusals_of_credentials_are_not_repeated(code, server, account):
    server.says(refusal(code, status=401))
    with pytest.raises(AuthenticationFailed):
        account.client.create(REQUEST)
    assert len(server.seen) == 1


@pytest.mark.parametrize("code", [1003, 1004])
def test_an_api_key_is_sent_as_it_is_and_never_twice(code, server, connect):
    server.says(refusal(code, status=401))
    with pytest.raises(AuthenticationFailed):
        connect(ApiKey("api-key-kling-x")).create(REQUEST)
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer api-key-kling-x"]


def test_a_netrc_file_is_not_used(server, connect, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = connect(PAIR, transport=RequestsTransport(trust_env=True))  # as for every other host
    server.says(task())
    client.get("7")
    client.download(server.url, tmp_path / "clip")
    assert server.seen[0].headers["authorization"].startswith("Bearer ")
    assert "authorization" not in server.seen[1].headers


def test_cookies_are_not_kept(server, client):
    data = {"code": 0, "data": {"task_id": "7"}}
    server.says(loopback.reply(data, headers={"Set-Cookie": "session=1; Path=/"}))
    client.get("7")
    client.get("7")
    assert "cookie" not in server.seen[1].headers


def test_no_secret_is_in_any_repr():
    secrets = [PAIR.access_key, PAIR.secret_key, "api-key-kling-x"]
    clients = [Client(PAIR), Client(ApiKey("api-key-kling-x"))]
    inside = [vars(client) for client in clients]
    for thing in (PAIR, ApiKey("api-key-kling-x"), Signer(PAIR), *clients, *inside):
        for secret in secrets:
            assert secret not in repr(thing)
            assert secret not in str(thing)


@pytest.mark.parametrize("credentials", [PAIR, ApiKey("api-key-kling-x")])
@pytest.mark.parametrize("answer", [loopback.hang_up, refusal(1002, status=401), loopback.reply(b"<html>")])
def test_no_secret_is_in_any_error(credentials, answer, server, connect):
    server.says(answer)
    with pytest.raises(KlingError) as caught:
        connect(credentials).create(REQUEST)
    text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert server.seen[0].bearer not in text
    assert PAIR.secret_key not in text


@pytest.mark.parametrize(
    "key", ["k3y\n", "k3y\r\nX-Injected: 1", "k3y-ä", "k3y\0", "k3y-\u2028", "k3y\ud800"]
)
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key, server, connect):
    with pytest.raises(InvalidRequest, match="copy it again") as caught:
        connect(ApiKey(key)).create(REQUEST)
    assert "k3y" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert server.seen == []


@pytest.mark.parametrize("secret", ["", "ssh-rsa AAAA", "secret-\ud800", '{"kty": "oct", "k": "x"}'])
def test_a_secret_key_that_cannot_sign_is_refused_without_showing_it(secret, server, connect):
    with pytest.raises(InvalidRequest, match="copy it again") as caught:
        connect(KeyPair("access", secret)).create(REQUEST)
    assert caught.value.__suppress_context__
    assert server.seen == []


@pytest.mark.parametrize("make", [ApiKey, lambda key: KeyPair(key, "secret")])
def test_a_fingerprint_tells_keys_apart_and_gives_nothing_away(make):
    one, same, other = make("one-key").fingerprint, make("one-key").fingerprint, make("other-key").fingerprint
    assert one == same != other
    assert len(one) == 8
    assert int(one, 16) >= 0
    assert one not in "one-key"


def test_the_account_stays_the_same_when_the_secret_key_is_renewed():
    assert KeyPair("access", "one").fingerprint == KeyPair("access", "two").fingerprint


def test_a_lost_answer_is_not_taken_for_a_refused_token(server, account):
    server.says(loopback.hang_up)
    with pytest.raises(MaybeSent):
        account.client.create(REQUEST)
    assert len(server.seen) == 1
