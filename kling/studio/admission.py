"""What may be sent now, and whose turn it is: the account's slots, what holds a queue, and the fair order.

Kling lets only so many tasks of a model run at once and refuses one more with 1303; how many, it does not say
(kling-api.md, section 4). So it is learnt: as many as ran at the last refusal fit in. Below that, a wish goes
out at once; above, one is tried after growing pauses, and what is accepted raises the number.
"""

from __future__ import annotations

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kling.studio.jobs import OPEN, PROCESSING, SUBMITTED, SUCCEED, WAITING, Job
from kling.studio.ledger.csv_ledger import Ledger
from kling.studio.place import WHY, Place

ACCOUNT = "*"  # the queue that a hold of the whole account closes
AT_ONCE = 4  # calls under way for a model; so many may be refused before the number of its slots is known
BUSY_PAUSES = (2.0, 4.0, 8.0, 15.0, 30.0)  # seconds after 1302, no connection, or 1303 while we run nothing
PROBE_PAUSES = (15.0, 30.0, 60.0, 120.0, 300.0)  # seconds after 1303 while our own tasks fill the slots
SURE = 3.0  # seconds after a look at all tasks in which the number of those that run is sure
HOLD_PAUSE = 300.0  # seconds between slow tries of a queue that needs a person
JITTER = 0.2  # of each pause: whoever else uses the account does not knock at the same moment
_NEVER = (0.0, 0)
_ACCEPTED = (SUBMITTED, PROCESSING, SUCCEED)

Turn = tuple[float, int]  # when somebody was served, and the how-manieth it was


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a queue does not move, until when, and whether a person has to act."""

    until: float
    reason: str
    code: int
    tries: int
    needs_person: bool


@dataclass(frozen=True, slots=True)
class _Slots:
    """How many tasks of a model fit in, as far as is known, and when one more may be tried."""

    known: int
    probe_at: float
    tries: int = 0


@dataclass(frozen=True, slots=True)
class _Hand:
    """A wish in the hands of a worker."""

    model: str
    person: str
    turn: Turn


class Queue:
    """The waiting room of one account. It only decides; the submitter sends.

    A person is a name; all who gave none are one person, because a name is what anybody may give, while a
    browser's session is forgotten with the studio, and a second tab would be a second turn.

    Args:
        ledger, account: whose tasks wait and run.
        clock: Unix seconds.
        rng: for jitter.
    """

    def __init__(
        self, ledger: Ledger, account: str, *, clock: Callable[[], float], rng: random.Random
    ) -> None:
        self._ledger, self._account, self._clock, self._rng = ledger, account, clock, rng
        self.lock = threading.RLock()  # held from a decision until it is noted
        self._begun = False
        self._holds: dict[str, Hold] = {}
        self._slots: dict[str, _Slots] = {}
        self._hands: dict[str, _Hand] = {}
        self._served: dict[tuple[str, str], Turn] = {}
        self._aside: dict[str, float] = {}  # when a wish was refused for the account's sake
        self._numbers = itertools.count(1)
        self._looked_at = 0.0
        self.answered_at = 0.0  # when Kling last answered a call for one of the wishes

    # -- what there is ---------------------------------------------------------------------------------------

    def mine(self) -> list[Job]:
        """Return the account's tasks that have not ended, or are not archived."""
        return [job for job in self._ledger.unfinished() if job["account"] == self._account]

    def waiting(self) -> list[Job]:
        """Return the wishes that wait and that no worker has."""
        return self._look()[0]

    def _look(self) -> tuple[list[Job], Counter[str]]:
        """Return what waits, and how many tasks of each model have a slot at Kling, or may have."""
        held = self.in_hand  # first: a worker records before it lets go
        mine = [job for job in self.mine() if job.id not in held]
        waiting = [job for job in mine if job.state == WAITING]
        running = Counter(job["model_name"] for job in mine if job.state in OPEN - {WAITING})
        if not self._begun and not self._ledger.opening:
            self._begun = True
            self._begin(waiting, running)
        return waiting, running

    def _begin(self, waiting: Iterable[Job], running: Counter[str]) -> None:
        """Learn from the log what the process before knew: turns, slots, when Kling last answered."""
        for job in self._ledger.jobs():
            accepted = next((job.since[state] for state in _ACCEPTED if state in job.since), None)
            if accepted and job["task_id"] and job["account"] == self._account:
                who = job["model_name"], job["person"]
                self._served[who] = max(self._served.get(who, _NEVER), (accepted.timestamp(), 0))
        self.answered_at = max([self.answered_at, *(when for when, _ in self._served.values())])
        for model in {job["model_name"] for job in waiting}:
            if running[model]:
                self._slots.setdefault(model, _Slots(running[model], self._clock()))

    # -- in hand ---------------------------------------------------------------------------------------------

    @property
    def in_hand(self) -> frozenset[str]:
        """The ids of the wishes that a worker has right now."""
        return frozenset(self._hands)

    def take(self, job_id: str, *, model: str, person: str) -> None:
        """Note that a worker has a wish; it is its person's turn, unless it is refused."""
        self._hands[job_id] = _Hand(model, person, (self._clock(), next(self._numbers)))

    def let_go(self, job_id: str) -> None:
        """Note that no worker has it any more."""
        with self.lock:
            self._hands.pop(job_id, None)

    # -- what is learnt --------------------------------------------------------------------------------------

    def looked(self) -> None:
        """Note that what runs has just been asked: only then one more than surely fits in is tried."""
        self._looked_at = self._clock()

    def accepted(self, job: Job, *, ended: bool = False) -> None:
        """Note that Kling took a task, before the log says so."""
        model = job["model_name"]
        with self.lock:
            for key in (ACCOUNT, model):
                self._holds.pop(key, None)
            self._aside.pop(job.id, None)
            if job.id in self._hands:
                self._served[model, job["person"]] = self._hands[job.id].turn
            running = self._others(job) + (not ended)
            slots = self._slots.get(model)
            if slots and running > slots.known:  # there may be more
                self._slots[model] = replace(slots, known=running, probe_at=self._clock())

    def full(self, job: Job, *, at_least: float = 0) -> None:
        """Note that Kling refused a task because the slots are taken (1303): as many as run fit in."""
        model, now = job["model_name"], self._clock()
        with self.lock:
            for key in (ACCOUNT, model):
                if (hold := self._holds.get(key)) and hold.until <= now:  # it answers, and no longer so
                    del self._holds[key]
            running = self._others(job)
            before = self._slots.get(model)
            tries = 0
            if before and now - before.probe_at <= HOLD_PAUSE:
                tries = before.tries + (before.probe_at <= now)  # several refusals of one moment count once
            pauses = PROBE_PAUSES if running else BUSY_PAUSES
            self._slots[model] = _Slots(running, now + self._pause(pauses, tries, at_least), tries)

    def _others(self, job: Job) -> int:
        """Return how many tasks of the same model run beside one that was sent or found just now."""
        return self._look()[1][job["model_name"]] - (job.state != WAITING and job.id not in self._hands)

    def hold(
        self, key: str, reason: str, code: int, *, at_least: float = 0, needs_person: bool = False
    ) -> None:
        """Close the queue of a model, or of the `ACCOUNT`, for a while."""
        now = self._clock()
        before = self._holds.get(key)
        running = before is not None and before.until > now
        tries = before.tries + (not running) if before else 0  # several refusals of one moment count once
        pause = self._pause((HOLD_PAUSE,) if needs_person else BUSY_PAUSES, tries, at_least)
        hold = Hold(now + pause, reason, code, tries, needs_person)
        if before is None or not running or hold.until > before.until:
            self._holds[key] = hold

    def set_aside(self, job: Job) -> None:
        """Let all others go before a wish for which the account was not good enough: they may cost less."""
        self._aside[job.id] = self._clock()

    def resume(self) -> None:
        """Forget what holds the queues: somebody has acted on the account."""
        with self.lock:
            self._holds.clear()
            self._aside.clear()
            for model in self._slots:
                self._probe(model)

    def try_now(self, model: str) -> None:
        """Try the queue of a model now, one wish first."""
        with self.lock:
            for key in (ACCOUNT, model):
                if key in self._holds:
                    self._holds[key] = replace(self._holds[key], until=self._clock())
            if model in self._slots:
                self._probe(model)

    def _probe(self, model: str) -> None:
        self._slots[model] = replace(self._slots[model], probe_at=self._clock())

    def _pause(self, pauses: Sequence[float], tries: int, at_least: float) -> float:
        jitter = self._rng.uniform(1 - JITTER, 1 + JITTER)
        return max(pauses[min(tries, len(pauses) - 1)] * jitter, min(at_least, HOLD_PAUSE))

    # -- what follows from it --------------------------------------------------------------------------------

    @property
    def holds(self) -> tuple[Hold, ...]:
        """Everything that keeps a queue right now; slots that are taken are no trouble and not among it."""
        now = self._clock()
        return tuple(hold for hold in list(self._holds.values()) if hold.until > now)

    def hold_of(self, model: str) -> Hold | None:
        """Return what keeps tasks of this model from being sent right now."""
        now = self._clock()
        holds = [hold for key in (ACCOUNT, model) if (hold := self._holds.get(key)) and hold.until > now]
        return max(holds, key=lambda hold: hold.until, default=None)

    def room(self, model: str) -> int:
        """Return how many wishes of a model may be sent now."""
        return self._room(model, self._look()[1][model])

    def _room(self, model: str, running: int) -> int:
        if self.hold_of(model):
            return 0
        in_hand = sum(hand.model == model for hand in self._hands.values())
        fit = self._fit(model, running, in_hand)
        if ACCOUNT in self._holds:  # lapsed: the answer to one says whether the rest may go
            return min(fit, int(not self._hands))
        return min(fit, int(not in_hand)) if model in self._holds else fit

    def _fit(self, model: str, running: int, in_hand: int) -> int:
        """Return how many the slots let go now, as far as they are known."""
        slots = self._slots.get(model)
        if slots is None:
            return max(AT_ONCE - in_hand, 0)
        if (free := slots.known - running - in_hand) > 0:
            return max(min(free, AT_ONCE - in_hand), 0)
        now = self._clock()
        sure = not running or now - self._looked_at <= SURE  # an end not yet seen is no slot more
        return int(not in_hand and slots.probe_at <= now and sure)

    def going(self) -> list[Job]:
        """Take those whose turn it is into hand, and return them to be sent."""
        going = []
        with self.lock:
            waiting, running = self._look()
            lines = self._lines(waiting).items()
            for model, line in sorted(lines, key=lambda entry: self._aside.get(entry[1][0].id, 0.0)):
                for job in line[: self._room(model, running[model])]:
                    self.take(job.id, model=model, person=job["person"])
                    going.append(job)
        return going

    def due(self, model: str) -> float | None:
        """Return when the queue of a model is tried again by itself."""
        if hold := self.hold_of(model):
            return hold.until
        slots = self._slots.get(model)
        return slots.probe_at if slots and slots.probe_at > self._clock() else None

    def places(self) -> dict[str, Place]:
        """Return where each waiting wish stands, by its id."""
        places = {}
        with self.lock:
            waiting, running = self._look()
            for model, line in self._lines(waiting).items():
                why, needs_person = self._why(model, running[model])
                for position, job in enumerate(line, 1):
                    places[job.id] = Place(position, len(line), why, needs_person)
        return places

    def _why(self, model: str, running: int) -> tuple[str, bool]:
        holds = [hold for key in (ACCOUNT, model) if (hold := self._holds.get(key))]
        hold = next((hold for hold in holds if hold.needs_person), self.hold_of(model))
        if hold:
            return WHY.get(hold.code, "waits for Kling"), hold.needs_person
        slots = self._slots.get(model)
        if self._room(model, running) or not (running or slots):
            return "goes out in a moment", False
        return f"{running} of this model run already" if running else "the account's slots are taken", False

    def _lines(self, waiting: Iterable[Job]) -> dict[str, list[Job]]:
        """Return who waits for each model, in the order in which they go."""
        by_model: dict[str, list[Job]] = {}
        for job in waiting:
            by_model.setdefault(job["model_name"], []).append(job)
        turns = self._served | {(hand.model, hand.person): hand.turn for hand in self._hands.values()}
        lines = {}
        for model, jobs in by_model.items():
            first = [job for job in jobs if job.id not in self._aside]
            last = sorted((job for job in jobs if job.id in self._aside), key=lambda job: self._aside[job.id])
            in_turn = _in_turn(first, lambda person, model=model: turns.get((model, person), _NEVER))  # type: ignore[misc]
            lines[model] = [*in_turn, *last]
        return lines


def _in_turn(jobs: Iterable[Job], turn: Callable[[str], Turn]) -> Iterator[Job]:
    """Yield one wish of each person, then the next of each; who was served longest ago is first."""
    people: dict[str, list[Job]] = {}
    for job in jobs:
        people.setdefault(job["person"], []).append(job)
    for one_each in itertools.zip_longest(*(people[person] for person in sorted(people, key=turn))):
        yield from filter(None, one_each)
