"""A transport for tests of what a client does with answers, without any network.

    transport = Transport(answer({"code": 0, "data": {"task_id": "7"}}), NotSent("down"))
    client = Client(ApiKey("key"), transport=transport)
    ...
    transport.sent[0].path

Answers are given in order; the last one is repeated.
"""

from __future__ import annotations

import json as json_
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kling.errors import KlingError
from kling.transport import Answer


@dataclass(frozen=True)
class Sent:
    """One request as the client gave it to the transport."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, int | str] | None
    json: Mapping[str, Any] | None

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


def answer(content: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, json_.dumps(content).encode())


class Transport:
    """Gives the answers that it was made with, or raises them."""

    def __init__(self, *answers: Answer | KlingError) -> None:
        self.answers = list(answers)
        self.sent: list[Sent] = []
        self.closed = False

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, int | str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> Answer:
        self.sent.append(Sent(method, url, headers, params, json))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, KlingError):
            raise found
        return found

    def close(self) -> None:
        self.closed = True
