"""Who may call: valid, expired, early, wrongly signed, unsigned, foreign and missing tokens."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from kling.sandbox.auth import ACCESS_KEY, API_KEY, SECRET_KEY, Keys
from kling.sandbox.contract import TEXT_TO_VIDEO

NOW = 1_795_000_000
FOREIGN_SECRET = "another-secret-that-is-long-enough-too"


def token(secret: str = SECRET_KEY, algorithm: str = "HS256", **claims: Any) -> str:
    official = {"iss": ACCESS_KEY, "exp": NOW + 1800, "nbf": NOW - 5}
    kept = {name: value for name, value in (official | claims).items() if value is not None}
    return jwt.encode(kept, secret, algorithm=algorithm)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


UNSIGNED = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part({'iss': ACCESS_KEY, 'exp': NOW + 1800})}."

CASES = {
    "an API key": (API_KEY, 0),
    "a token": (token(), 0),
    "a token without nbf": (token(nbf=None), 0),
    "a token that is issued later": (token(iat=NOW + 3600, aud="x", jti="y"), 0),
    "expired": (token(exp=NOW - 1), 1004),
    "expired this second": (token(exp=NOW), 1004),
    "not yet valid": (token(nbf=NOW + 60), 1003),
    "wrongly signed": (token(FOREIGN_SECRET), 1000),
    "signed with an empty suffix": (token().rsplit(".", 1)[0] + ".", 1000),
    "another key": (token(iss="somebody-else"), 1002),
    "no key": (token(iss=None), 1002),
    "alg none": (UNSIGNED, 1002),
    "another algorithm": (token(SECRET_KEY * 2, "HS512"), 1002),
    "no exp": (token(exp=None), 1002),
    "an unknown API key": ("api-key-kling-unknown", 1002),
    "garbage": ("garbage", 1002),
    "two parts": ("a.b", 1002),
    "three parts of garbage": ("a.b.c", 1002),
    "not ASCII": ("ключ", 1002),
    "claims that are a list": (f"{part({'alg': 'HS256'})}.{part([1])}.x", 1002),
    "an exp that is a text": (token(exp="soon"), 1002),
}


@pytest.mark.parametrize(("bearer", "code"), CASES.values(), ids=CASES)
@pytest.mark.parity("wrong-signature", "clock-skew")
def test_a_token_gets_its_code(bench, bearer, code):
    bench.authorization = f"Bearer {bearer}"
    answer = bench.call("GET", TEXT_TO_VIDEO)
    assert answer.body["code"] == code
    assert answer.status == (401 if code else 200)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", 1001),
        ("  ", 1001),
        ("Bearer", 1002),
        ("Bearer ", 1002),
        (API_KEY, 1002),
        (f"Basic {API_KEY}", 1002),
    ],
)
def test_a_header_without_a_bearer_token_gets_its_code(bench, header, code):
    bench.authorization = header
    assert bench.call("GET", TEXT_TO_VIDEO).body["code"] == code


def test_the_observed_words_of_a_garbage_token(bench):
    bench.authorization = "Bearer garbage"
    message = bench.call("GET", TEXT_TO_VIDEO).body["message"]
    assert "The token was expected to have 3 parts, but got 0" in message


def test_every_call_asks_who_is_there_before_it_looks_at_anything(bench):
    bench.authorization = ""
    for method, path in (
        ("POST", TEXT_TO_VIDEO),
        ("GET", f"{TEXT_TO_VIDEO}/x"),
        ("GET", "/account/costs"),
        ("GET", "/nowhere"),
    ):
        assert bench.call(method, path, b"{").body["code"] == 1001


def test_advancing_the_clock_of_the_sandbox_ends_no_token(bench):
    bench.authorization = f"Bearer {token()}"
    bench.engine.advance(40 * 24 * 3600 * 1000)
    assert bench.call("GET", TEXT_TO_VIDEO).body["code"] == 0


@pytest.mark.parametrize("bearer", [token(FOREIGN_SECRET, iss=""), token(SECRET_KEY), API_KEY, "None", ""])
def test_an_empty_key_opens_nothing(bench, bearer):
    bench.change(keys=Keys(access_key="", secret_key="", api_key=""))
    bench.authorization = f"Bearer {bearer}"
    assert bench.call("GET", TEXT_TO_VIDEO).body["code"] == 1002


def test_keys_show_no_secret():
    assert SECRET_KEY not in repr(Keys())
    assert API_KEY not in repr(Keys())
