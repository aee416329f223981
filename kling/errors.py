"""What can go wrong, and what that means for the person and for their money.

    KlingError
      InvalidRequest          the request breaks a rule; it was not sent
      TransportError          there was no readable answer
        NotSent               it never reached the API: safe to send again
        MaybeSent             it may have run: look it up before anything else
      APIError                the API answered with a code other than 0
        AuthenticationFailed            1000-1004
        AccountBlocked        1100-1103, 1304
        BadRequest              12xx, and other answers below 500
        ContentPolicyViolation        1300, 1301
        RateLimited              1302, 1303
        ServerError         5xxx, and other answers from 500
      TaskFailed              a task that was waited for ended as failed
      WaitTimeout             it is still running; nothing is lost, ask again
      DownloadFailed          the file did not arrive whole

Source of the code table: Kling's page "Error Codes". Kling's `code` decides, never the HTTP status alone:
429 is the status of "slow down", of an empty balance and of a blocked address alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kling.problems import Problem
from kling.tasks import Task


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


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the error table: what a code means, in words for a person, and what follows."""

    what: str
    remedy: str
    actor: Actor
    resend: Resend


def _fix(what: str, remedy: str, actor: Actor = Actor.OPERATOR) -> Meaning:
    return Meaning(what, remedy, actor, Resend.AFTER_FIX)


_KEYS = "Check the key and the region of the base URL in the studio's settings."
_ACCOUNT = "Ask whoever looks after the Kling account."

MEANINGS: dict[int, Meaning] = {
    1000: _fix("Kling did not accept the credentials.", _KEYS),
    1001: _fix("The request carried no credentials.", _KEYS),
    1002: _fix("Kling does not know these credentials.", _KEYS),
    1003: _fix("Kling says that the token is not valid yet.", "Set this machine's clock right."),
    1004: _fix("Kling says that the token has expired.", "Set this machine's clock right."),
    1100: _fix("Kling reports a problem with the account.", _ACCOUNT),
    1101: _fix("The Kling account is in arrears.", f"{_ACCOUNT} It has to be topped up."),
    1102: _fix("The Kling resource pack is used up or has expired.", f"{_ACCOUNT} It needs a new pack."),
    1103: _fix("The Kling account may not use this model.", f"{_ACCOUNT} Or choose another model."),
    1200: _fix("Kling did not accept the request.", "Change what the message names.", Actor.PERSON),
    1201: _fix("Kling did not accept a value.", "Change what the message names.", Actor.PERSON),
    1202: _fix("Kling does not know this method.", "Check the base URL in the studio's settings."),
    1203: _fix("Kling does not have what was asked for.", "Choose another model.", Actor.PERSON),
    1300: _fix("Kling's platform policy refused the request.", "Edit the prompt.", Actor.PERSON),
    1301: _fix("Kling's content policy refused the prompt.", "Edit the prompt.", Actor.PERSON),
    1302: Meaning("Too many requests at once.", "It is sent again by itself.", Actor.NOBODY, Resend.LATER),
    1303: Meaning(
        "All of the account's slots are taken.", "It is sent by itself.", Actor.NOBODY, Resend.LATER
    ),
    1304: _fix("Kling does not accept requests from this machine's address.", f"{_ACCOUNT} See its IP list."),
    5000: Meaning("Kling had an internal error.", "It is looked up first.", Actor.KLING, Resend.AFTER_LOOKUP),
    5001: Meaning(
        "Kling is not available right now.", "It is looked up first.", Actor.KLING, Resend.AFTER_LOOKUP
    ),
    5002: Meaning("Kling ran into a time limit.", "It is looked up first.", Actor.KLING, Resend.AFTER_LOOKUP),
}
_OTHER_REFUSAL = _fix("Kling refused the request.", "See Kling's own words.", Actor.PERSON)
_OTHER_TROUBLE = Meaning(
    "Kling answered in a way that this studio does not know.",
    "It is looked up first.",
    Actor.KLING,
    Resend.AFTER_LOOKUP,
)


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
        other = _OTHER_REFUSAL if 400 <= http_status < 500 else _OTHER_TROUBLE
        self.meaning = MEANINGS.get(code, other)

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


def api_error(
    http_status: int, code: int, message: str, *, request_id: str = "", retry_after: float | None = None
) -> APIError:
    """Return the error class that fits Kling's `code`, and the HTTP status only where the code is unknown."""
    match code:
        case 1000 | 1001 | 1002 | 1003 | 1004:
            kind: type[APIError] = AuthenticationFailed
        case 1100 | 1101 | 1102 | 1103 | 1304:
            kind = AccountBlocked
        case 1300 | 1301:
            kind = ContentPolicyViolation
        case 1302 | 1303:
            kind = RateLimited
        case 5000 | 5001 | 5002:
            kind = ServerError
        case _:
            kind = BadRequest if code in MEANINGS or 400 <= http_status < 500 else ServerError
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
