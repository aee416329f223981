"""One question to the server of a language model, and its answer as it comes.

The server is the operator's choice and its answers are hostile all the same: everything has a bound, no
redirect is followed, no cookie and no credentials but the key are sent. Servers that stream (server-sent
events) and those that answer at once are both read.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import logging
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kling.certificates import trusted_certificates
from kling.studio.assistant.settings import AssistantSettings

if TYPE_CHECKING:
    import httpx2

log = logging.getLogger(__name__)

MOST_BYTES = 2**20  # of one answer with its events; models send some hundred bytes for each word
LONGEST_EVENT = 256 * 1024  # characters of one line of an answer
_ENDS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer is waited for, in seconds.

    Args:
        connect: until there is a connection.
        first: from the question to the first byte of the answer.
        silence: between two parts of it.
        total: from the question to the end.
    """

    connect: float = 10.0
    first: float = 60.0
    silence: float = 30.0
    total: float = 180.0


PATIENCE = Patience()


class AskError(Exception):
    """There is no answer, or no more of it; the text says why and who can do something, in words."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an answer.

    Args:
        text: the next words.
        refusal: the model's own words on why it refuses, if the server tells that apart.
        is_cut: the model did not come to its end, because of a limit or a filter of the server.
    """

    text: str = ""
    refusal: str = ""
    is_cut: bool = False


async def ask(
    settings: AssistantSettings,
    messages: Sequence[dict[str, str]],
    on_part: Callable[[Part], None],
    patience: Patience = PATIENCE,
) -> None:
    """Send one question, once, and hand over the answer as it comes.

    Whoever cancels this closes the connection.

    Args:
        settings: which server and model.
        messages: the conversation.
        on_part: gets each part of the answer; what it raises ends the question.
        patience: how long to wait.

    Raises:
        AskError: the server does not answer, refuses, or sends what cannot be read.
    """
    import httpx2

    host = settings.host
    try:
        async with asyncio.timeout(patience.total):
            await _ask(settings, messages, on_part, patience)
    except (TimeoutError, httpx2.TimeoutException):
        raise AskError(f"{host} took too long to answer. Try again.") from None
    except httpx2.TransportError as error:
        log.warning("The assistant's server cannot be asked: %s.", type(error).__name__)
        if isinstance(error, httpx2.ConnectError | httpx2.ProxyError):
            raise AskError(f"{host} cannot be reached. Ask whoever runs the studio.") from None
        raise AskError(f"{host} broke off its answer. Try again.") from None
    except (OSError, ValueError, ImportError) as error:  # certificates, or a proxy of the environment
        log.warning("The assistant's server cannot be asked: %s.", type(error).__name__)
        raise AskError(f"{host} cannot be asked from here. Ask whoever runs the studio.") from None


async def _ask(
    settings: AssistantSettings,
    messages: Sequence[dict[str, str]],
    on_part: Callable[[Part], None],
    patience: Patience,
) -> None:
    import httpx2

    headers = {"Accept": "text/event-stream, application/json", "Accept-Encoding": "identity"}
    if settings.key:
        headers["Authorization"] = f"Bearer {settings.key}"
    body = {"model": settings.model, "messages": list(messages), "stream": True}
    timeout = httpx2.Timeout(patience.silence, connect=patience.connect, read=None)
    loop = asyncio.get_running_loop()
    async with (
        await asyncio.to_thread(_client, timeout, trust_env=not settings.is_here) as client,
        asyncio.timeout(patience.first) as silence,
        client.stream("POST", settings.chat_url, json=body, headers=headers) as answer,
    ):
        if answer.status_code != 200:
            log.warning("The assistant's server answered with status %d.", answer.status_code)
            raise AskError(_refusal(answer.status_code, settings.host))
        is_whole = "json" in answer.headers.get("content-type", "").lower()
        reader = Reader(settings.host, is_whole=is_whole)
        async for chunk in answer.aiter_raw():
            silence.reschedule(loop.time() + patience.silence)
            for part in reader.feed(chunk):
                on_part(part)
            if reader.is_over:
                return
        for part in reader.end():
            on_part(part)


def _client(timeout: httpx2.Timeout, *, trust_env: bool) -> httpx2.AsyncClient:
    """Return a client for one question. To read the certificates takes a moment: call it in a thread.

    Args:
        timeout: of its steps.
        trust_env: whether the proxies of the environment are used.
    """
    import httpx2

    trusted = trusted_certificates()
    verify = ssl.create_default_context(cafile=trusted) if isinstance(trusted, str) else trusted
    return httpx2.AsyncClient(timeout=timeout, follow_redirects=False, verify=verify, trust_env=trust_env)


class Reader:
    """Reads an answer from its bytes, in whatever pieces they come.

    Args:
        host: that answers, for the words of errors.
        is_whole: the answer is one object of JSON, because the server does not stream.
    """

    def __init__(self, host: str, *, is_whole: bool = False) -> None:
        self._host, self._is_whole = host, is_whole
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest, self._size, self._is_first = "", 0, True
        self._has_choice = False  # something came that can be read as an answer
        self._has_ended = False  # the model said that it has come to its end
        self.is_over = False  # the server said that nothing more comes

    def feed(self, data: bytes) -> Iterator[Part]:
        """Yield what the next bytes say.

        Raises:
            AskError: they are no answer, or far too many.
        """
        self._size += len(data)
        longest = MOST_BYTES if self._is_whole else LONGEST_EVENT
        if self._size > MOST_BYTES or len(self._rest) > longest:
            raise AskError("The answer is far longer than a prompt can be, so it was broken off. Try again.")
        self._rest += self._decode(data)
        if self._is_first and (begun := self._rest.lstrip()):
            self._is_first = False
            self._is_whole = self._is_whole or begun[0] == "{"  # whatever the server calls it
        if self._is_whole:
            return
        *lines, self._rest = _ENDS.split(self._rest)
        for line in lines:
            yield from self._line(line)
            if self.is_over:
                return

    def end(self) -> Iterator[Part]:
        """Yield what is left when nothing more comes.

        Raises:
            AskError: that is no answer.
        """
        line, self._rest = self._rest + self._decode(b"", final=True), ""
        yield from self._line(line)
        if not self._has_choice:
            raise self._no_answer()
        if not self._has_ended and not self.is_over:
            yield Part(is_cut=True)

    def _line(self, line: str) -> Iterator[Part]:
        data = line.strip()
        if data.startswith("data:"):
            data = data.removeprefix("data:").strip()
        elif not self._is_whole:  # a blank, a comment, the name of an event
            return
        if data == "[DONE]":
            if not self._has_choice:
                raise self._no_answer()
            self.is_over = True
        elif data:
            try:
                event = json.loads(data)
            except (ValueError, RecursionError):
                event = None
            yield from self._event(event)

    def _event(self, event: Any) -> Iterator[Part]:
        if not isinstance(event, dict):
            raise self._no_answer()
        if event.get("error"):
            log.warning("The assistant's server answered with an error.")
            raise AskError(f"{self._host} could not answer. Try again, or ask whoever runs the studio.")
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return  # such as the last event, with the number of tokens
        self._has_choice = True
        said = choice.get("delta") or choice.get("message") or {}
        said = said if isinstance(said, dict) else {}
        reason = choice.get("finish_reason")
        self._has_ended = self._has_ended or bool(reason)
        refusal = _text(said.get("refusal"))
        if reason == "content_filter":
            refusal = refusal or "The server's own content filter stopped it."
        yield Part(_text(said.get("content")), refusal, is_cut=reason in {"length", "content_filter"})

    def _no_answer(self) -> AskError:
        return AskError(
            f"{self._host} sent what is no answer of the OpenAI chat API. Ask whoever runs the studio."
        )


def _text(content: Any) -> str:
    """Return the text of a content: a text, or a list of parts of which some are texts."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(part for part in parts if isinstance(part, str))
    return ""


_ASK, _LATER = "Ask whoever runs the studio.", "Try again in a moment."
_STATUS = {
    401: f"does not accept the studio's key. {_ASK}",
    403: f"does not accept the studio's key. {_ASK}",
    404: f"does not know the address or the model. {_ASK}",
    413: "takes no prompt as long as this one. Shorten it.",
    429: f"has too much to do, or its quota is used up. {_LATER}",
}


def _refusal(status: int, host: str) -> str:
    """Return what a status means. What the server says itself is not shown: it may quote the key."""
    meant = _STATUS.get(status, f"does not take the question. {_ASK}")
    if 300 <= status < 400:
        meant = f"sends elsewhere, which is not followed. {_ASK}"
    elif status >= 500:
        meant = f"is in trouble. {_LATER}"
    return f"{host} {meant} (Status {status}.)"
