"""Settings of whoever runs the studio: its log output and its figures.

They are read by `settings.load`, with the values of the environment and of `secrets.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

NAMES = ("STUDIO_LOG", "STUDIO_LOG_PROMPTS", "STUDIO_METRICS_TOKEN")
TOKEN_LENGTH = 16  # characters that the token for /metrics has at least
_TOKEN = re.compile(r"[!-~]+")

LogForm = Literal["text", "json"]


class RunningError(ValueError):
    """A setting cannot be used; the text names it and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSettings:
    """How the studio is run.

    Args:
        log: the form of what is written to standard error: `text` for people, `json` for programs.
        log_prompts: whether prompts are written there too.
        metrics_token: whoever sends it may read /metrics; empty if only an admin may.
    """

    log: LogForm = "text"
    log_prompts: bool = False
    metrics_token: str = field(default="", repr=False)


def read(get: Mapping[str, str]) -> RunningSettings:
    """Return the settings in these values.

    Args:
        get: a value, or an empty text, for each of `NAMES`.

    Raises:
        RunningError: one of them cannot be used.
    """
    form = get["STUDIO_LOG"].lower() or "text"
    if form not in {"text", "json"}:
        raise RunningError(f"STUDIO_LOG is {form[:20]!r}: set it to text or json.")
    prompts = get["STUDIO_LOG_PROMPTS"].lower() or "off"
    if prompts not in {"on", "off"}:
        raise RunningError(f"STUDIO_LOG_PROMPTS is {prompts[:20]!r}: set it to on or off.")
    token = get["STUDIO_METRICS_TOKEN"]
    if token and not (_TOKEN.fullmatch(token) and len(token) >= TOKEN_LENGTH):
        raise RunningError(
            f"STUDIO_METRICS_TOKEN has to be at least {TOKEN_LENGTH} letters, digits or signs, without "
            "blanks: make one with `openssl rand -hex 24`."
        )
    return RunningSettings(log=cast("LogForm", form), log_prompts=prompts == "on", metrics_token=token)
