"""What an unfinished job waits for, what happens next and when, and who has to act; in words for a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kling.catalog import catalog
from kling.endpoint import Endpoint
from kling.errors import MEANINGS, Actor, AuthenticationFailed
from kling.studio.durations import DurationEstimate
from kling.studio.jobs import FOLLOWED, INTENT, NOT_SENT, SUCCEED, UNKNOWN, WAITING, Job, UnknownEndpoint
from kling.studio.queue_position import QueuePosition
from kling.studio.reconciler import DECIDE, SILENT_MANY, Reconciler, is_found_by_our_id, refuses_duplicates

LONG = 6.0  # times the usual duration after which a page says that a task takes long
LONG_AT_LEAST = 1800.0  # seconds after which it says so where no usual duration is known


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a job waits for.

    Args:
        why: why it has not gone on yet.
        next: what happens next and when, and what somebody may do.
        actor: who has to act; NOBODY if the job goes on by itself.
        since: when it came into its state.
    """

    why: str
    next: str
    actor: Actor
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Views:
    """The questions that `explain_job` asks the studio's parts.

    Args:
        owns: whether a job is this studio's to act on (`Accounts.owns`).
        position: the position of a waiting job in the queue.
        reconciler: looks up lost answers.
        usual: how long a job of its kind usually takes.
        missing_since: since when Kling says that it does not know a job's task (monotonic).
        trouble: why the last poll failed, empty if it did not.
        download_trouble: why a video is not here, by the job's id.
        may_use: whether the account's key opens an endpoint.
        clock: Unix seconds.
        monotonic: seconds of a clock that never jumps.
    """

    owns: Callable[[Job], bool]
    position: Callable[[Job], QueuePosition | None]
    reconciler: Reconciler
    usual: Callable[[Job], DurationEstimate | None]
    missing_since: Callable[[Job], float | None]
    trouble: Callable[[], str]
    download_trouble: Callable[[str], str]
    may_use: Callable[[Endpoint], bool]
    clock: Callable[[], float]
    monotonic: Callable[[], float]

    def at(self, moment: float) -> str:
        """Return a time of the monotonic clock as the time of day in UTC, for people."""
        seconds = self.clock() + max(moment - self.monotonic(), 0.0)
        return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S UTC")


def explain_job(job: Job, views: Views) -> Explanation | None:
    """Return what a job waits for; None for a job that has ended and needs nothing."""
    if job.has_clip or job.deleted or job.imported or (job.ended_at is not None and job.state != SUCCEED):
        return None
    since = job.since.get(job.state)
    if job.endpoint is None:
        fault = UnknownEndpoint(job["endpoint"])
        return Explanation(fault.why, fault.remedy, Actor.OPERATOR, since)
    if not views.owns(job):
        return _of_another_account(job, since)
    if job.state in {*FOLLOWED, UNKNOWN, INTENT} and not views.may_use(job.endpoint):
        why = "Kling shows it to an API key only, and an access key is set."
        return Explanation(why, "It goes on as soon as an API key is set.", Actor.OPERATOR, since)
    by_state = {
        NOT_SENT: _not_sent,
        WAITING: _waiting,
        INTENT: _intent,
        UNKNOWN: _unknown,
        SUCCEED: _unfetched,
    }
    return by_state.get(job.state, _followed)(job, views, since)


def _of_another_account(job: Job, since: datetime | None) -> Explanation:
    why = "It belongs to another account than the one in use."
    then = "It goes on as soon as that account's key is set again."
    if job.state in {WAITING, NOT_SENT}:
        then += " Or cancel it."
    return Explanation(why, then, Actor.OPERATOR, since)


def _not_sent(job: Job, _views: Views, since: datetime | None) -> Explanation:
    why, refusal = job.message.removesuffix(DECIDE).rstrip(), MEANINGS.get(job.code)
    if refusal and refusal.kind is AuthenticationFailed:
        then = "Send it once the key is right, or cancel it."
        return Explanation(why or "Kling does not accept the key.", then, Actor.OPERATOR, since)
    return Explanation(why or "It was not sent.", f"{DECIDE}{_risk(job)}", Actor.PERSON, since)


def _risk(job: Job) -> str:
    """Return what sending a job again may cost whose answer was lost; empty where a second one is refused."""
    if UNKNOWN not in job.since or refuses_duplicates(job):
        return ""
    units = job.decimal("units")
    price = f"{units:f} Units" if units is not None else "another video"
    return f" Sending it costs {price}, also if Kling should have it after all."


def _intent(_job: Job, _views: Views, since: datetime | None) -> Explanation:
    return Explanation("It is being sent.", "The answer comes within 30 seconds.", Actor.NOBODY, since)


def _unfetched(job: Job, views: Views, since: datetime | None) -> Explanation:
    if job.gone:
        days = catalog().retention_days
        why = f"Kling has no video for this task any more: it clears them after {days} days."
        return Explanation(why, "Order it again if you need it.", Actor.PERSON, since)
    if trouble := views.download_trouble(job.id):
        return Explanation(trouble, "It is tried again by itself.", Actor.NOBODY, since)
    return Explanation(
        "The video is being fetched.", "It is shown as soon as it is here.", Actor.NOBODY, since
    )


def _waiting(job: Job, views: Views, since: datetime | None) -> Explanation:
    position = views.position(job)
    why = position.words if position else "It goes out in a moment."
    if position and position.needs_person:
        then = (
            "It is tried again every few minutes, and goes out once somebody has acted. It can be cancelled."
        )
        return Explanation(why, then, Actor.OPERATOR, since)
    return Explanation(why, "It is sent by itself, and can be cancelled until then.", Actor.NOBODY, since)


def _unknown(job: Job, views: Views, since: datetime | None) -> Explanation:
    look_up = views.reconciler.look_up_of(job)
    again = f"Kling is asked again at {views.at(look_up.due)}."
    if look_up.silent >= SILENT_MANY:
        why = f"Nobody knows yet whether Kling has it, and {look_up.silent} questions were not answered."
        then = f"{look_up.trouble} {again} Check the connection, or give it up."
        return Explanation(why, then, Actor.OPERATOR, since)
    if views.reconciler.is_hidden(job):
        why = "Kling says that it has this order, and does not show it."
        then = f"{again} Ask Kling's support, with the id of the order; or give it up."
        return Explanation(why, then, Actor.OPERATOR, since)
    if views.reconciler.is_claimed(job):
        why = "Kling says that it has this order, so it is probably being made. It does not show it yet."
        return Explanation(why, f"{again} It is followed as soon as it shows.", Actor.NOBODY, since)
    why = f"{job.message} Kling is being asked whether it has this order.".strip()
    if not is_found_by_our_id(job):
        units = job.decimal("units")
        cost = f" It may have cost {units:f} Units." if units is not None else ""
        then = f"Nobody can look it up for sure: that it is not found says nothing here.{cost} "
        then += "Go on waiting, or give it up."
        return Explanation(why, f"{again} {then}", Actor.PERSON, since)
    if (resends_at := views.reconciler.resends_at(job)) is not None:
        then = f"If Kling has none by {views.at(resends_at)}, it is sent again with the same id."
    else:
        decides = views.at(views.reconciler.decides_at(job))
        then = f"If Kling has none by {decides}, you decide whether it is sent."
    return Explanation(why, f"{again} {then} No second one is bought.", Actor.NOBODY, since)


def _followed(job: Job, views: Views, since: datetime | None) -> Explanation:
    state = job.extra.get("task_status")
    unknown_state = f" Kling calls its state “{str(state)[:40]}”." if state else ""
    if views.missing_since(job) is not None:
        why = "Kling says that it does not know this task, which it had accepted."
        return Explanation(why, "It is asked again for a day before that is believed.", Actor.NOBODY, since)
    if trouble := views.trouble():
        return Explanation(
            f"Kling cannot be asked: {trouble}", "It is asked again by itself.", Actor.KLING, since
        )
    usual = views.usual(job)
    limit = max(LONG * usual.high, 300.0) if usual else LONG_AT_LEAST
    accepted = min((job.since[state] for state in FOLLOWED if state in job.since), default=None)
    if accepted is not None and views.clock() - accepted.timestamp() > limit:
        why = f"Kling takes far longer than usual.{unknown_state}"
        then = "It is followed on. Whoever looks after the account may ask Kling, with the id of the task."
        return Explanation(why, then, Actor.OPERATOR, since)
    return Explanation(
        f"Kling is making it.{unknown_state}", "It is followed by itself.", Actor.NOBODY, since
    )
