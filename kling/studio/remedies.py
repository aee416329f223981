"""What a person can do about a job that failed, in one line.

This module decides nothing about money. Whether nothing was spent for a refused request is proved elsewhere
(`evidence`), and what a failed task cost is quoted from Kling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from kling.errors import MEANINGS, Actor, AuthenticationFailed, ContentPolicyViolation, api_error
from kling.studio.accounts import SANDBOX
from kling.studio.clip_verification import charged
from kling.studio.jobs import FAILED, Job

NOTHING_SPENT = "Nothing was spent."

# Kling explains a task that its content control stopped in free text, and publishes no list of the texts.
# "Failure to pass the risk control system" was seen; the official page speaks of "content risk control".
_POLICY = re.compile(
    r"risk.?control|sensitive|polic(?:y|ies)|moderation|violat|inappropriate|prohibited|forbidden|unsafe|safety"
    r"|nsfw|copyright|compliance|风控|風控|敏感|违规|違規|违禁|违反|審核|审核|合规|政策|版权|不当",
    re.IGNORECASE,
)


class RemedyKind(StrEnum):
    """The kind of action that helps."""

    EDIT_PROMPT = "edit_prompt"
    CHANGE_ORDER = "change_order"  # a value or the model
    RETRY = "retry"  # order it again as it is
    CHECK_KEY = "check_key"  # key, region or clock: whoever runs the studio
    ASK_OPERATOR = "ask_operator"  # whoever looks after the account


@dataclass(frozen=True, slots=True)
class Remedy:
    """The action that helps, in sentences that quote neither Kling nor a person.

    Args:
        kind: of the action.
        advice: what happened, and what helps.
        money: what is known of the cost; may be empty.
    """

    kind: RemedyKind
    advice: str
    money: str = ""

    @property
    def text(self) -> str:
        """All that it says."""
        return f"{self.advice} {self.money}".strip()


def remedy(job: Job, *, nothing_spent: bool, prices: bool = True) -> Remedy | None:
    """Return what to do about a job that failed, None for any other job; `explain_job` explains those.

    Args:
        job: of any state.
        nothing_spent: whether it is proved that no task exists for it (`Studio.nothing_spent`).
        prices: whether it may be said what Kling charged.
    """
    if job.state != FAILED:
        return None
    return _of_a_task(job, prices=prices) if job.accepted else _of_a_refusal(job, nothing_spent=nothing_spent)


def _of_a_task(job: Job, *, prices: bool) -> Remedy:
    if job.code:  # the code of a poll: Kling accepted the task, and does not know it any more
        text = "Kling does not know this task any more. Ask whoever looks after the account what was charged."
        return Remedy(RemedyKind.ASK_OPERATOR, text)
    charge = _charge_words(job) if prices else ""
    if _POLICY.search(job["task_status_msg"]):
        return Remedy(RemedyKind.EDIT_PROMPT, "Kling's content control stopped it. Edit the prompt.", charge)
    return Remedy(RemedyKind.RETRY, "Kling could not make it. Order it again.", charge)


def _of_a_refusal(job: Job, *, nothing_spent: bool) -> Remedy:
    spent = NOTHING_SPENT if nothing_spent else ""
    meaning = MEANINGS.get(job.code)
    if meaning is None:
        advice = "See Kling's own words, change the order, and order it again."
        return Remedy(RemedyKind.CHANGE_ORDER, advice, spent)
    kind = RemedyKind.ASK_OPERATOR if meaning.actor is Actor.OPERATOR else RemedyKind.CHANGE_ORDER
    error = api_error(400, job.code, "")
    if isinstance(error, AuthenticationFailed):
        kind = RemedyKind.CHECK_KEY
    elif isinstance(error, ContentPolicyViolation):
        kind = RemedyKind.EDIT_PROMPT
    elif meaning.actor in {Actor.NOBODY, Actor.KLING}:
        kind = RemedyKind.RETRY
    return Remedy(kind, f"{meaning.what} {meaning.remedy}", spent)


def _charge_words(job: Job) -> str:
    """Return the charge for a failed task as Kling gives it; the sandbox never charges."""
    if job["account"] == SANDBOX:
        return "The sandbox charges nothing."
    charge = charged(job)
    if charge is None or not charge.is_known:
        return "Kling has not said whether it was charged."
    amounts = [f"{charge.charged.normalize():f} Units"] if charge.charged else []
    amounts += [f"{charge.cash.normalize():f} {charge.currency}".strip()] if charge.cash else []
    return f"Kling says that it charged {' and '.join(amounts) or 'nothing'} for it."
