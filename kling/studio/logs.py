"""What the studio writes to standard error: one place decides its form, and what is left out of it.

Every line of this process goes through `Form`, also those of Streamlit, uvicorn and other libraries, and also
tracebacks. It takes out tokens of addresses and the operator's secrets, whoever has written them there.
Prompts are facts of a line (`facts`), which are dropped unless the operator wants them.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from kling.studio.running_settings import RunningSettings
from kling.studio.settings import Settings

log = logging.getLogger(__name__)

PROMPTS = frozenset({"prompt", "negative_prompt", "multi_prompt"})
HIDDEN = "[hidden]"
LONGEST = 20_000  # characters of one line, with its traceback
LIKE_EACH_OTHER = 20  # lines of the same place and message in `WINDOW`; more of them are only counted
WINDOW = 60.0  # seconds
PLACES = 1000  # messages that are counted
SHORTEST_SECRET = 6  # characters; a shorter text would be found in ordinary words
# What follows these in an address opens something to whoever has it.
_TOKENS = re.compile(
    r"(/(?:share|sign-in/invitation)/|[?&](?:code|state|token|access_token|id_token)=)[^\s/\"'?&#<>\\]+"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")

request_id: ContextVar[str] = ContextVar("request_id", default="")  # of the request that is being answered


class Form(logging.Formatter):
    """Formats every line.

    Args:
        settings: the form, and whether prompts are wanted.
        secrets: texts that must not appear; longer ones first.
    """

    def __init__(self, settings: RunningSettings, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._json, self._prompts = settings.log == "json", settings.log_prompts
        self._secrets = sorted({text for text in secrets if len(text) >= SHORTEST_SECRET}, key=len)[::-1]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; a traceback follows it, in JSON as one of its values."""
        traceback = self.formatException(record.exc_info) if record.exc_info else ""
        if record.stack_info:
            traceback = f"{traceback}\n{record.stack_info}".strip()
        about = getattr(record, "facts", None)
        facts = dict(about) if isinstance(about, Mapping) else {}
        if not self._prompts:
            facts = {name: value for name, value in facts.items() if name not in PROMPTS}
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(_message(record)),
            "request": getattr(record, "request", ""),
            **{name: self._fact(value) for name, value in facts.items()},
            "traceback": self._clean(traceback),
        }
        said = {name: value for name, value in line.items() if value != ""}
        if self._json:
            return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace").decode()
        return _as_text(said)

    def _fact(self, value: object) -> str | int | float:
        return value if isinstance(value, int | float) else self._clean(str(value))

    def _clean(self, text: str) -> str:
        """Return the text without secrets; first of all, because an escape or a cut may change one."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _TOKENS.sub(rf"\1{HIDDEN}", text)[:LONGEST]


class Repeats:
    """Tells lines that repeat, which are left out, so that no visitor can fill the disk.

    Args:
        monotonic: seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()  # since when, and how many

    def is_one(self, record: logging.LogRecord) -> bool:
        """Whether a line is one too many; the next one that is written says how many there were."""
        fault = record.exc_info[0] if record.exc_info else None
        key = (record.name, record.levelno, str(record.msg), fault)
        now = self._monotonic()
        with self._lock:
            since, count = self._seen.get(key, (now, 0))
            if now - since >= WINDOW:
                if (left_out := count - LIKE_EACH_OTHER) > 0:
                    record.msg = f"{record.msg} [{left_out} lines like this were left out before]"
                since, count = now, 0
            self._seen[key] = since, count + 1
            self._seen.move_to_end(key)
            if len(self._seen) > PLACES:
                self._seen.popitem(last=False)
        return count >= LIKE_EACH_OTHER


def _is_wanted(record: logging.LogRecord) -> bool:
    return not getattr(record, "is_repeat", False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's own code may do anything, and a line is no reason to stop
        return str(record.msg)


def _as_text(said: Mapping[str, Any]) -> str:
    """Return a line for people; what a visitor has sent makes no second line."""
    named = {"time", "level", "logger", "message", "traceback"}
    facts = " ".join(f"{name}={value}" for name, value in said.items() if name not in named)
    words = (said["time"], said["level"].upper(), said["logger"], said.get("message", ""), facts)
    line = _CONTROL.sub(" ", " ".join(filter(None, words)).replace("\n", " "))
    return f"{line}\n{said['traceback']}" if "traceback" in said else line


def secrets_of(settings: Settings) -> list[str]:
    """Return the operator's secrets, as they must appear nowhere."""
    credentials = settings.credentials
    sign_in = settings.sign_in
    found = [settings.webhook_secret, settings.running.metrics_token, sign_in.proxy_secret]
    if sign_in.oidc is not None:
        found.append(sign_in.oidc.client_secret)
    if settings.assistant is not None:
        found.append(settings.assistant.key)
    found += [str(getattr(credentials, name, "")) for name in ("key", "access_key", "secret_key")]
    return [text for text in found if text]


def configure(form: Form) -> None:
    """Let every logger of this process write in this form, those that libraries make later too.

    Streamlit and uvicorn give their loggers handlers of their own, some of them after this. So the form is
    set where a record is made, on whichever handlers will get it.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler(sys.stderr))
    for ours in ("kling", "pages"):
        logging.getLogger(ours).setLevel(logging.INFO)
    repeats = Repeats()
    _take_over(root, form)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(form)

    def record(name: str, *arguments: Any, **more: Any) -> logging.LogRecord:
        made = logging.LogRecord(name, *arguments, **more)
        made.__dict__["request"] = request_id.get()
        made.__dict__["is_repeat"] = repeats.is_one(made)
        _take_over(logging.getLogger(name), form)
        return made

    logging.setLogRecordFactory(record)
    logging.captureWarnings(capture=True)
    threading.excepthook = _log_end_of_thread


def _log_end_of_thread(end: threading.ExceptHookArgs) -> None:
    """Log what ended a thread, which Python would print past every logger."""
    name = end.thread.name if end.thread else "unknown"
    if end.exc_value is not None:
        about = (end.exc_type, end.exc_value, end.exc_traceback)
        log.error("The thread %s ended unexpectedly.", name, exc_info=about)


def _take_over(logger: logging.Logger, form: Form) -> None:
    """Give form and filter to the handlers that get a logger's records."""
    current: logging.Logger | None = logger
    while current is not None:
        for handler in current.handlers:
            if handler.formatter is not form:
                handler.setFormatter(form)
            if _is_wanted not in handler.filters:
                handler.addFilter(_is_wanted)
        current = current.parent if current.propagate else None
