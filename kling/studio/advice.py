"""What a person can do about a task that did not simply go well, in one line.

Money truth first: "nothing was spent" is said only where Kling refused the order, and refused it for sure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from kling.errors import MEANINGS, AccountBlocked, Actor, AuthFailed, ContentRefused, Meaning, api_error
from kling.studio.delivered import charged
from kling.studio.jobs import FAILED, FOLLOWED, INTENT, NOT_SENT, UNKNOWN, WAITING, Job

# What Kling says of a task that its content control stopped is free text, and no list of it is published.
# "Failure to pass the risk control system" was seen; the official page speaks of "content risk control".
_POLICY = re.compile(
    r"risk.?control|sensitive|polic(?:y|ies)|moderation|violat|inappropriate|prohibited|forbidden|unsafe|safety"
    r"|nsfw|copyright|compliance|风控|風控|敏感|违规|違規|违禁|违反|審核|审核|合规|政策|版权|不当",
    re.IGNORECASE,
)


class Fix(StrEnum):
    """What kind of act helps."""

    EDIT_PROMPT = "edit_prompt"
    CHANGE_ORDER = "change_order"  # a value or the model
    RETRY = "retry"  # order it again as it is
    DECIDE = "decide"  # send it now, or withdraw it
    CHECK_KEY = "check_key"  # key, region or clock: whoever runs the studio
    ASK_OPERATOR = "ask_operator"  # whoever looks after the account
    WAITS = "waits"  # nothing needs to be done


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps, and the sentence that says so; it holds no words of Kling's and none of a person's."""

    kind: Fix
    text: str


_OTHERS = {
    WAITING: Advice(Fix.WAITS, "It is sent by itself. Nothing needs to be done."),
    INTENT: Advice(Fix.WAITS, "It is being sent. Nothing needs to be done."),
    UNKNOWN: Advice(Fix.WAITS, "It is being looked up. Nothing needs to be done."),
    NOT_SENT: Advice(Fix.DECIDE, "It never arrived. Send it now, or withdraw it."),
}


def advice(job: Job) -> Advice | None:
    """Return what to do about a task; None while it runs, and when it ended well or was withdrawn."""
    code = int(job["code"]) if job["code"].isascii() and job["code"].isdigit() and len(job["code"]) < 6 else 0
    if job.state == WAITING and _is_blocked(code):
        return Advice(Fix.ASK_OPERATOR, f"{_told(MEANINGS[code])} It waits here and is not charged.")
    if job.state == FAILED:
        return _of_a_running_task(job, code) if _was_accepted(job) else _of_a_refusal(job, code)
    return _OTHERS.get(job.state)


def _of_a_running_task(job: Job, code: int) -> Advice:
    charge = _charge_words(job)
    if code:  # Kling took it, and does not know it any more
        text = "Kling does not know this task any more. Ask whoever looks after the account what was charged."
        return Advice(Fix.ASK_OPERATOR, text)
    if _POLICY.search(job["task_status_msg"]):
        return Advice(Fix.EDIT_PROMPT, f"Kling's content control stopped it. Edit the prompt. {charge}")
    return Advice(Fix.RETRY, f"Kling could not make it. Order it again. {charge}")


def _of_a_refusal(job: Job, code: int) -> Advice:
    # One whose first answer was lost was looked up and not found: that is as good as sure, and not said.
    spent = " Nothing was spent." if code and UNKNOWN not in job.since else ""
    meaning = MEANINGS.get(code)
    if meaning is None:
        return Advice(
            Fix.CHANGE_ORDER, f"See Kling's own words, change the order, and order it again.{spent}"
        )
    kind = Fix.ASK_OPERATOR if meaning.actor is Actor.OPERATOR else Fix.CHANGE_ORDER
    error = api_error(400, code, "")
    if isinstance(error, AuthFailed):
        kind = Fix.CHECK_KEY
    elif isinstance(error, ContentRefused):
        kind = Fix.EDIT_PROMPT
    elif meaning.actor in {Actor.NOBODY, Actor.KLING}:
        kind = Fix.RETRY
    return Advice(kind, f"{_told(meaning)}{spent}")


def _charge_words(job: Job) -> str:
    charge = charged(job)
    units = charge.charged if charge else None
    if units is None:
        return "Kling has not said whether it was charged."
    amount = f"{units.normalize():f} Units" if units else "nothing"
    return f"Kling says that it charged {amount} for it."


def _was_accepted(job: Job) -> bool:
    return bool(job["task_id"]) or not FOLLOWED.isdisjoint(job.since)


def _is_blocked(code: int) -> bool:
    return code in MEANINGS and isinstance(api_error(429, code, ""), AccountBlocked)


def _told(meaning: Meaning) -> str:
    return f"{meaning.what} {meaning.remedy}"
