"""Settings of the prompt assistant: the server of a language model, its key, and the model's name.

They are read by `settings.load`, with the values of the environment and of `secrets.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kling.addresses import BadAddress, origin

NAMES = ("STUDIO_LLM_URL", "STUDIO_LLM_KEY", "STUDIO_LLM_MODEL", "STUDIO_LLM_HOURLY")
HOURLY, MOST_HOURLY = 60, 10_000  # requests of one person in an hour
LONGEST_NAME = 200  # characters of a model's name
_CALL = "/chat/completions"  # of the OpenAI chat API; people copy the whole address
_VERSION = "/v1"  # where an address without a path has that API
_PATH = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_BEARER = re.compile(r"(authorization\s*:\s*)?bearer\s+", re.IGNORECASE)
_KEY = re.compile(r"(?![\"'`])[!-~]{1,4096}(?<![\"'`])")


class AssistantError(ValueError):
    """A setting of the assistant cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSettings:
    """A server that speaks the OpenAI chat API.

    Args:
        url: of the API, without the path of a call and without a slash at its end.
        model: as the server calls it.
        key: sent as a bearer token; empty where the server takes none.
        hourly: how often one person may ask in an hour.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    hourly: int = HOURLY

    @property
    def chat_url(self) -> str:
        """The address to which questions go."""
        return self.url + _CALL

    @property
    def models_url(self) -> str:
        """The address at which the server lists its models, free of charge."""
        return f"{self.url}/models"

    @property
    def is_here(self) -> bool:
        """Whether the server is on this machine, so that no proxy leads to it."""
        return origin(self.url).is_loopback

    @property
    def host(self) -> str:
        """The server as people are told where their text goes: its host, with the port if it has one."""
        return urlsplit(self.url).netloc


def read(get: Mapping[str, str]) -> AssistantSettings | None:
    """Return the settings of the assistant; None where no server is named.

    Args:
        get: the value of each of `NAMES`, empty where it is not set.

    Raises:
        AssistantError: a value cannot be used, or one is missing that another one needs.
    """
    if not get["STUDIO_LLM_URL"]:
        for name in NAMES[1:]:
            if get[name]:
                raise AssistantError(
                    f"{name} is set and STUDIO_LLM_URL is not: give the address of the language model's "
                    "server, such as https://llm.example.com/v1, or unset it."
                )
        return None
    key, model = _key(get["STUDIO_LLM_KEY"]), get["STUDIO_LLM_MODEL"]
    url = _url(get["STUDIO_LLM_URL"], has_key=bool(key))
    if not model:
        raise AssistantError(
            "STUDIO_LLM_MODEL is missing: name the model as the server of STUDIO_LLM_URL calls it."
        )
    if len(model) > LONGEST_NAME or not model.isprintable():
        raise AssistantError(
            f"STUDIO_LLM_MODEL holds a line break, or more than {LONGEST_NAME} characters: give the model's "
            "name alone."
        )
    return AssistantSettings(url=url, model=model, key=key, hourly=_hourly(get["STUDIO_LLM_HOURLY"]))


def _url(url: str, *, has_key: bool) -> str:
    remedy = "give scheme, host and the path of the API, such as https://llm.example.com/v1."
    try:
        found = origin(url)
    except BadAddress as error:
        raise AssistantError(f"STUDIO_LLM_URL is not an address: {error}; {remedy}") from None
    if "?" in url or "#" in url:
        raise AssistantError(f"STUDIO_LLM_URL has a query or a fragment: {remedy}")
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(_CALL).rstrip("/") or _VERSION
    if not _PATH.fullmatch(path):
        raise AssistantError(f"STUDIO_LLM_URL has a path that cannot be meant: {remedy}")
    if found.scheme != "https" and has_key and not found.is_loopback:
        raise AssistantError(
            "STUDIO_LLM_URL is plain http and STUDIO_LLM_KEY is set, so that anybody on the way could read "
            "the key: use https://, or unset the key where the server takes none. Only an address on this "
            "machine (http://127.0.0.1) may have both."
        )
    default = ":443" if found.scheme == "https" else ":80"
    return f"{found.scheme}://{parts.netloc.lower().removesuffix(default)}{path}"


def _key(text: str) -> str:
    key = _BEARER.sub("", text, count=1) if _BEARER.match(text) else text
    if key and not _KEY.fullmatch(key):
        raise AssistantError(
            "STUDIO_LLM_KEY holds a character that no key has: copy it again, the key alone, without blanks "
            "and quotes."
        )
    return key


def _hourly(text: str) -> int:
    if not text:
        return HOURLY
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= MOST_HOURLY:
        raise AssistantError(
            f"STUDIO_LLM_HOURLY is {text[:20]!r}: give a whole number from 1 to {MOST_HOURLY}, which is how "
            f"often one person may ask in an hour. It is {HOURLY} if nothing is set."
        )
    return int(text)
