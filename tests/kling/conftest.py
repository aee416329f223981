"""What the client's tests share: a server, and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from kling import ApiKey, Client
from tests.kling.loopback import Loopback
from tests.kling.tools import KEY


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running


@pytest.fixture
def connect(server: Loopback) -> Iterator[Callable[..., Client]]:
    """Make a client of the server; whatever is not given is an API key and real clocks."""
    with ExitStack() as stack:

        def make(credentials=None, **settings) -> Client:
            settings = {"base_url": server.url, **settings}
            client = Client(credentials or ApiKey(KEY), **settings)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    return connect()
