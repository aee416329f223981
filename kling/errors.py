"""What can go wrong, and what that means for the person and for their money.

    KlingError
      InvalidRequest            the request breaks a rule; it was not sent
      TransportError            there was no readable answer
        NotSent                 it never reached the API: safe to send again
        MaybeSent               it may have run: look it up before anything else
      APIError                  the API answered with a code other than 0
        AuthenticationFailed    1000-1004
        AccountBlocked          1100-1103, 1304
        BadRequest              12xx, and undocumented codes with HTTP status 400 to 499, but 408 and 499
        ContentPolicyViolation  1300, 1301
        RateLimited             1302, 1303
        ServerError             5xxx, and undocumented codes with any other HTTP status
      TaskFailed                a task that was waited for ended as failed
      WaitTimeout               it is still running; nothing is lost, ask again
      DownloadFailed            the file did not arrive whole

What each code means stands in `TABLE` (S1, and Kling's page "Error Codes"). The code decides, never the HTTP
status alone: 429 is the status of "slow down", of an empty balance and of a blocked address alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kling.problems import Problem
from kling.tasks import Task

if not TYPE_CHECKING:  # names of earlier versions; a type checker is to refuse them
    from kling.deprecated import old_name as __getattr__  # noqa: F401


class Actor(StrEnum):
    """Who has to do something before the same request can succeed."""

    NOBODY = "nobody"  # it passes by itself
    PERSON = "person"  # whoever wrote the request changes it
    OPERATOR = "operator"  # whoever holds the keys and the account
    KLING = "kling"  # their side is in trouble


class Resend(StrEnum):
    """Whether the same request, with the same external_task_id, may be sent again."""

    LATER = "later"  # by itself, after a pause
    AFTER_FIX = "after a fix"  # once the actor has acted
    AFTER_LOOKUP = "after a look-up"  # it may have run: `find` decides


_ABSENT = re.compile(r"not? (exist|found)|n't exist|no such|不存在", re.IGNORECASE)
_TAKEN = re.compile(
    r"already[ _-](exist|use|taken|submit)|duplicat|not unique|(be|is) unique|non-?unique|已存在|重复",
    re.IGNORECASE,
)
_OUR_ID = re.compile(r"external[ _-]*(task)?[ _-]*id", re.IGNORECASE)
_THERE = re.compile(r"exist|unique|taken|in use|used", re.IGNORECASE)


class KlingError(Exception):
    """The root of everything that this package raises on purpose."""


class InvalidRequest(KlingError):
    """The request breaks rules of the API and was not sent. `problems` has all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)


class TransportError(KlingError):
    """There was no readable answer. `may_have_run` says whether the request may have done its work."""

    may_have_run = True


class NotSent(TransportError):
    """The request never reached the API (refused, no such host, connect timeout): safe to send again."""

    may_have_run = False


class MaybeSent(TransportError):
    """The connection broke or the answer was unreadable: a POST may have run. Look it up, never repeat it."""


class APIError(KlingError):
    """The API answered with a code other than 0.

    Args:
        http_status: of the answer.
        code: Kling's own.
        message: Kling's words; hostile until shown as text.
        request_id: for Kling's support.
        retry_after: seconds that the answer asks to wait, if it does.
    """

    def __init__(
        self,
        http_status: int,
        code: int,
        message: str,
        *,
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code} (HTTP {http_status}): {message}")
        self.http_status = http_status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.meaning = meaning_of(code, http_status)

    @property
    def may_have_run(self) -> bool:
        """Whether a create call that got this answer may have made a task all the same."""
        return self.meaning.resend is Resend.AFTER_LOOKUP

    @property
    def says_it_exists(self) -> bool:
        """Whether a create call was refused because its external_task_id is taken: by this very task.

        The code is that of any wrong value, so Kling's words decide. Seen: "External_task_id … already
        exists". Other wordings are recognised too, because what follows is only that it is looked for.
        """
        if not isinstance(self, BadRequest) or _ABSENT.search(self.message):
            return False
        found = _TAKEN.search(self.message) or (_OUR_ID.search(self.message) and _THERE.search(self.message))
        return found is not None


class AuthenticationFailed(APIError):
    """1000 to 1004: the credentials were not accepted."""


class AccountBlocked(APIError):
    """1100 to 1103 and 1304: a person has to act on the account. Never retried, though the status is 429."""


class BadRequest(APIError):
    """12xx: the request itself is wrong."""


class ContentPolicyViolation(APIError):
    """1300 and 1301: the prompt has to change."""


class RateLimited(APIError):
    """1302 and 1303: refused before it ran; send it later."""


class ServerError(APIError):
    """5000 to 5002 and anything else that may have run."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table of errors: what a code means, in words for a person, and what follows.

    Args:
        code: Kling's; None in the two rows for codes that are not documented.
        kind: the class of the error.
        what: what Kling says by it.
        remedy: what helps.
        wait: how a sentence about a job goes on that waits for this to pass; empty where none waits.
        actor: who has to act.
        resend: whether the request may be sent again.
    """

    code: int | None
    kind: type[APIError]
    what: str
    remedy: str
    wait: str = ""
    actor: Actor = Actor.OPERATOR
    resend: Resend = Resend.AFTER_FIX


_KEYS = "Check the key and the region of the base URL in the studio's settings."
_CLOCK = "Set this machine's clock right."
_ACCOUNT = "Ask whoever looks after the Kling account."
_TOP_UP, _NEW_PACK = f"{_ACCOUNT} It has to be topped up.", f"{_ACCOUNT} It needs a new pack."
_OTHER_MODEL, _IP_LIST = f"{_ACCOUNT} Or choose another model.", f"{_ACCOUNT} See its IP list."
_MODEL, _URL = "Choose another model.", "Check the base URL in the studio's settings."
_CHANGE, _EDIT, _LOOK_UP = "Change what the message names.", "Edit the prompt.", "It is looked up first."
_AGAIN, _BY_ITSELF = "It is sent again by itself.", "It is sent by itself."

_FOR_KEY = "waits for a key that Kling accepts"
_FOR_CARE = "waits for somebody to look after the Kling account"
_FOR_MONEY = "waits for somebody to top up the Kling account"
_FOR_RIGHT = "waits for the right to use this model"
_FOR_IP = "waits for Kling to accept this machine's address"
_PAUSE = "Kling asked for a pause"

_AUTH, _BLOCKED, _POLICY = AuthenticationFailed, AccountBlocked, ContentPolicyViolation
_PERSON = Actor.PERSON
_LATER = (Actor.NOBODY, Resend.LATER)
_AFTER_LOOKUP = (Actor.KLING, Resend.AFTER_LOOKUP)

# A new code is one more row here, and nothing else. Columns: see `Meaning`.
TABLE = (
    Meaning(1000, _AUTH, "Kling did not accept the credentials.", _KEYS, _FOR_KEY),
    Meaning(1001, _AUTH, "The request carried no credentials.", _KEYS, _FOR_KEY),
    Meaning(1002, _AUTH, "Kling does not know these credentials.", _KEYS, _FOR_KEY),
    Meaning(1003, _AUTH, "Kling says that the token is not valid yet.", _CLOCK, _FOR_KEY),
    Meaning(1004, _AUTH, "Kling says that the token has expired.", _CLOCK, _FOR_KEY),
    Meaning(1100, _BLOCKED, "Kling reports a problem with the account.", _ACCOUNT, _FOR_CARE),
    Meaning(1101, _BLOCKED, "The Kling account is in arrears.", _TOP_UP, _FOR_MONEY),
    Meaning(1102, _BLOCKED, "The Kling resource pack is used up or has expired.", _NEW_PACK, _FOR_MONEY),
    Meaning(1103, _BLOCKED, "The Kling account may not use this model.", _OTHER_MODEL, _FOR_RIGHT),
    Meaning(1200, BadRequest, "Kling did not accept the request.", _CHANGE, "", _PERSON),
    Meaning(1201, BadRequest, "Kling did not accept a value.", _CHANGE, "", _PERSON),
    Meaning(1202, BadRequest, "Kling does not know this method.", _URL),
    Meaning(1203, BadRequest, "Kling does not have what was asked for.", _MODEL, "", _PERSON),
    Meaning(1300, _POLICY, "Kling's platform policy refused the request.", _EDIT, "", _PERSON),
    Meaning(1301, _POLICY, "Kling's content policy refused the prompt.", _EDIT, "", _PERSON),
    Meaning(1302, RateLimited, "Too many requests at once.", _AGAIN, _PAUSE, *_LATER),
    Meaning(1303, RateLimited, "All of the account's slots are taken.", _BY_ITSELF, "", *_LATER),
    Meaning(1304, _BLOCKED, "Kling does not accept requests from this machine's address.", _IP_LIST, _FOR_IP),
    Meaning(5000, ServerError, "Kling had an internal error.", _LOOK_UP, "", *_AFTER_LOOKUP),
    Meaning(5001, ServerError, "Kling is not available right now.", _LOOK_UP, "", *_AFTER_LOOKUP),
    Meaning(5002, ServerError, "Kling ran into a time limit.", _LOOK_UP, "", *_AFTER_LOOKUP),
)  # fmt: skip
MEANINGS = {row.code: row for row in TABLE}
_OTHER_REFUSAL = Meaning(
    None, BadRequest, "Kling refused the request.", "See Kling's own words.", "", _PERSON
)
# HTTP statuses of a gateway that timed out; the call may have run.
_TIMED_OUT = frozenset({408, 499})
_OTHER_TROUBLE = Meaning(
    None,
    ServerError,
    "Kling answered in a way that this studio does not know.",
    _LOOK_UP,
    "",
    *_AFTER_LOOKUP,
)


def meaning_of(code: int, http_status: int) -> Meaning:
    """Return the row of a code; the HTTP status decides only where the code is not documented."""
    is_refusal = 400 <= http_status < 500 and http_status not in _TIMED_OUT
    return MEANINGS.get(code) or (_OTHER_REFUSAL if is_refusal else _OTHER_TROUBLE)


def api_error(
    http_status: int, code: int, message: str, *, request_id: str = "", retry_after: float | None = None
) -> APIError:
    """Return the error that a code means."""
    kind = meaning_of(code, http_status).kind
    return kind(http_status, code, message, request_id=request_id, retry_after=retry_after)


class TaskFailed(KlingError):
    """A task that was waited for ended as failed; `task` says why in `task_status_msg`."""

    def __init__(self, task: Task) -> None:
        super().__init__(f"task {task.task_id} failed: {task.task_status_msg or 'no reason given'}")
        self.task = task


class WaitTimeout(KlingError, TimeoutError):
    """The task is still running after the time that the caller gave. It goes on, and is still billed."""

    def __init__(self, task_id: str, task: Task | None) -> None:
        status = task.task_status if task else "unknown"
        super().__init__(f"task {task_id} is still {status}; ask again later")
        self.task_id = task_id
        self.task = task


class DownloadFailed(KlingError):
    """The file did not arrive whole, or is too large. `status` is the HTTP status, if there was one."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
