"""A provider of OpenID Connect that says whatever a test wants, true or not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

KEYS = [RSAKey.generate_key(2048, {"kid": str(n)}) for n in range(2)]


@dataclass
class Provider:
    """What it says, and what it was asked.

    Args:
        issuer: its address.
        metadata: replaces parts of its description.
        claims: replaces parts of the ID token; None takes one out.
        userinfo: what it says when it is asked for more.
        token: replaces parts of the answer that holds the tokens; None takes one out.
        key: with which it signs; the first one of `KEYS` is its own.
        header: of the ID token.
        broken: paths that are answered with this status.
        asked: the paths that were asked for.
        forms: the forms that came to the token endpoint.
    """

    issuer: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEYS[0])
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "0"})
    broken: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    nonce: str = ""

    def description(self) -> dict[str, Any]:
        here = self.issuer
        return {
            "issuer": here,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/jwks",
            "userinfo_endpoint": f"{here}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            **self.metadata,
        }

    def tokens(self) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "studio",
            "sub": "ada",
            "name": "Ada",
            "nonce": self.nonce,
            "iat": now,
            "exp": now + 60,
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        given = {
            "access_token": "access",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": jwt.encode(self.header, said, self.key),
            **self.token,
        }
        return {name: value for name, value in given.items() if value is not None}

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        self.asked.append(path)
        if path in self.broken:
            return self.broken[path], {"error": "broken"}
        if path == "/.well-known/openid-configuration":
            return 200, self.description()
        if path == "/jwks":
            return 200, {"keys": [KEYS[0].as_dict(private=False, use="sig", alg="RS256")]}
        if path == "/userinfo":
            return 200, self.userinfo
        self.forms.append(form)
        return 200, self.tokens()


@contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider on a free port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, body = provider.answer(urlsplit(self.path).path, form)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the library's names

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield provider
        server.shutdown()
        thread.join()
