"""The waiting room: nothing is lost or made twice, slots stay full, people take turns, few refusals."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kling.endpoint import Request
from kling.errors import MaybeSent, NotSent, api_error
from kling.studio.capacity import AT_ONCE, PROBE_PAUSES
from kling.studio.holds import PERSON_PAUSE as HOLD_PAUSE
from kling.studio.jobs import FAILED, SUCCEED, WAITING
from kling.studio.orders import Press
from kling.studio.poller import KLING_PACE
from kling.studio.queue_position import QueuePosition
from kling.studio.reconciler import PAUSES
from kling.studio.sender import NO_CONNECTION, YOUNG
from kling.tasks import Task
from kling.text_to_video import TextToVideo
from tests.studio.fakes import FOX, Bench, Kling, order_one

V3 = replace(FOX, model_name="kling-v3")
TICK = KLING_PACE[1] + 1.0  # seconds in which the poller has seen an end, and a POST was made
SENDING = 0.01  # seconds that a POST takes


class Busy(Kling):
    """Kling with so many slots a model, and tasks that take their time."""

    def __init__(self, slots: int, durations: list[float]) -> None:
        super().__init__()
        self.slots, self.durations = slots, durations
        self.bench: Bench | None = None
        self.ends: dict[str, float] = {}
        self.models: dict[str, str] = {}
        self.began: dict[str, float] = {}
        self.refused: list[float] = []
        self.ending = "failed"

    @property
    def now(self) -> float:
        assert self.bench is not None
        return self.bench.clock.now

    def running(self, model: str) -> int:
        return sum(self.models[job] == model and self.ends[job] > self.now for job in self.ends)

    def create(self, request: Request, **more: Any) -> Task:
        assert self.bench is not None
        self.bench.clock.now += SENDING
        if self.running(request.model_name) >= self.slots:
            self.refused.append(self.now)
            self.answers.insert(0, (api_error(429, 1303, "parallel task over resource pack limit"), False))
            return super().create(request, **more)
        task = super().create(request)
        self.began[request.external_task_id] = self.now
        self.ends[request.external_task_id] = self.now + self.durations[len(self.ends) % len(self.durations)]
        self.models[request.external_task_id] = request.model_name
        return task

    def _catch_up(self) -> None:
        for job_id, end in self.ends.items():
            if end <= self.now and not self.made[job_id].terminal:
                if self.ending == SUCCEED:
                    self.finish(job_id, self.files["clip"])
                else:
                    self.change(job_id, task_status=FAILED, task_status_msg="enough")

    def list(self, *, page_num: int = 1, page_size: int = 30, **_: Any) -> tuple[Task, ...]:
        self._catch_up()
        return super().list(page_num=page_num, page_size=page_size)

    def get(self, task_id: str, **_: Any) -> Task:
        self._catch_up()
        return super().get(task_id)


def room(folder: Path, slots: int, durations: list[float]) -> tuple[Bench, Busy]:
    kling = Busy(slots, durations)
    bench = Bench(folder, kling=kling)
    kling.bench = bench
    return bench, kling


def batch(bench: Bench, person: str, size: int, request: TextToVideo = FOX) -> None:
    bench.order_all(
        [replace(request, prompt=f"{person} {number}") for number in range(size)], person=person, group=person
    )


def behind(bench: Bench, kling: Busy, since: int) -> int:
    """Return how many more jobs somebody had sent than one who waited all that time.

    Args:
        since: how many had been sent when all of them waited.
    """
    left = Counter(job["person"] for job in bench.ledger.jobs())
    sent: Counter[str] = Counter()
    furthest = 0
    for number, job_id in enumerate(sorted(kling.began, key=lambda job: kling.began[job])):
        person = bench.job(job_id)["person"]
        left[person] -= 1
        if number >= since:
            sent[person] += 1
            behind = [sent[other] for other in left if left[other] > 0]
            furthest = max(furthest, sent[person] - min(behind, default=sent[person]))
    return furthest


def longest_idle(kling: Busy) -> float:
    """Return for how long a slot was free while somebody waited: from each end to the start that followed."""
    begins, ends = sorted(kling.began.values()), sorted(kling.ends.values())
    assert begins[min(kling.slots, len(begins)) - 1] - begins[0] < TICK
    return max((begin - end for begin, end in zip(begins[kling.slots :], ends, strict=False)), default=0.0)


def most_refused(seconds: float, *, restarts: int) -> float:
    """Return how many calls may be refused: to learn the slots, then one a pause, and a few by bad luck.

    A task that ends just after a look passes for a slot more: one refusal shows it, another corrects it.
    """
    probes = len(PROBE_PAUSES) + seconds / PROBE_PAUSES[-1]
    return AT_ONCE + 2 * probes + 2 * restarts


def test_a_hundred_jobs_of_three_people_go_through_five_slots_also_over_a_restart(tmp_path, clip):
    bench, kling = room(tmp_path, 5, [41.3, 93.7, 67.9, 121.1])
    kling.files["clip"], kling.ending = clip, SUCCEED
    for person, size in (("Ada", 50), ("Ben", 30), ("", 20)):
        batch(bench, person, size)
    already = len(kling.made)
    bench.run_for(700)
    assert 20 < len(kling.made) < 80
    bench.restart()
    bench.run_for(4 * 3600)

    jobs = bench.ledger.jobs()
    assert {job.state for job in jobs} == {SUCCEED}
    assert all((tmp_path / "videos" / job["file"]).exists() for job in jobs)
    assert len(kling.made) == len(kling.began) == 100 == len(jobs)
    for person in ("Ada", "Ben", ""):  # each in order
        sent = [bench.job(job)["prompt"] for job in sorted(kling.began, key=lambda job: kling.began[job])]
        numbers = [int(prompt.split()[-1]) for prompt in sent if prompt.startswith(f"{person} ")]
        assert numbers == sorted(numbers)
    assert behind(bench, kling, already) <= 1
    assert longest_idle(kling) <= TICK
    took = max(kling.ends.values()) - min(kling.began.values())
    assert len(kling.refused) <= most_refused(took, restarts=1) < 30


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    slots=st.integers(1, 9),
    durations=st.lists(st.floats(5, 300), min_size=1, max_size=6),
    restart_after=st.none() | st.floats(0, 600),
)
def test_whatever_the_people_slots_and_durations(sizes, slots, durations, restart_after):
    with tempfile.TemporaryDirectory() as folder:
        bench, kling = room(Path(folder), slots, durations)
        for number, size in enumerate(sizes):
            batch(bench, f"Person {number}", size)
        already = len(kling.made)
        if restart_after is not None:
            bench.run_for(restart_after)
            bench.restart()
        bench.run_for(24 * 3600)
        assert len(kling.began) == sum(sizes) == len(bench.ledger.jobs())
        assert {job.state for job in bench.ledger.jobs()} == {FAILED}
        assert behind(bench, kling, already) <= 1
        assert longest_idle(kling) <= TICK
        took = max(kling.began.values()) - min(kling.began.values())
        assert len(kling.refused) <= most_refused(took, restarts=restart_after is not None)


# -- slots ---------------------------------------------------------------------------------------------------


def test_a_larger_pack_is_found_by_itself(tmp_path):
    bench, kling = room(tmp_path, 3, [101.0])
    batch(bench, "Ada", 90)
    bench.run_for(500)
    kling.slots = 12
    before = len(kling.refused)
    bench.run_for(PROBE_PAUSES[-1])
    assert kling.running("kling-v2-6") == 12
    assert len(kling.refused) - before <= 3


def test_slots_that_others_take_are_given_up_and_found_again(tmp_path):
    bench, kling = room(tmp_path, 6, [61.0])
    batch(bench, "Ada", 90)
    bench.run_for(100)
    kling.slots = 2  # somebody else uses the account
    bench.run_for(300)
    assert kling.running("kling-v2-6") == 2
    before = len(kling.refused)
    kling.slots = 6
    bench.run_for(PROBE_PAUSES[-1] + 2 * TICK)
    assert kling.running("kling-v2-6") == 6
    assert len(kling.refused) - before <= 4


def test_slots_are_counted_for_each_model(tmp_path):
    bench, kling = room(tmp_path, 2, [61.0])
    batch(bench, "Ada", 6)
    batch(bench, "Ada", 6, V3)
    bench.run_for(TICK)
    assert (kling.running("kling-v2-6"), kling.running("kling-v3")) == (2, 2)


def test_an_end_makes_room_in_the_same_step_that_sees_it(tmp_path):
    bench, kling = room(tmp_path, 1, [30.0])
    first, second = bench.order_all([FOX, FOX])
    bench.run_for(20)
    assert [bench.job(first.id).state, bench.job(second.id).state] == ["submitted", "waiting"]
    bench.clock.now = kling.ends[first.id] + TICK
    bench.poller.step()
    assert [bench.job(first.id).state, bench.job(second.id).state] == ["failed", "submitted"]


def test_a_start_with_full_slots_tries_one_only(tmp_path):
    bench, kling = room(tmp_path, 5, [400.0])
    batch(bench, "Ada", 20)
    bench.run_for(60)
    bench.restart()
    before = len(kling.refused)
    bench.run_for(10)
    assert len(kling.refused) - before == 1


@pytest.mark.parametrize("code", [1302, 1303])
@pytest.mark.parametrize(("draw", "pause"), [(0.8, 1.6), (1.2, 2.4)])
def test_pauses_have_jitter(bench, code, draw, pause):
    moments: list[float] = []
    bench.kling.at_post = lambda _: moments.append(bench.clock.now)
    bench.kling.answers = [(api_error(429, code, "busy"), False)]
    bench.rng.draw = draw
    bench.order()
    bench.run_for(5)
    assert moments[1] - moments[0] == pytest.approx(pause)


@pytest.mark.parametrize(
    "trouble", [NotSent("refused"), api_error(429, 1302, "rate"), api_error(429, 1102, "balance")]
)
def test_after_any_other_trouble_full_slots_are_tried_no_faster_than_else(tmp_path, trouble):
    bench, kling = room(tmp_path, 1, [3000.0])
    bench.order(replace(FOX, prompt="long"))
    bench.clock.now += TICK
    kling.answers, kling.slots = [(trouble, False)], 2
    bench.order(replace(FOX, prompt="behind it"))
    kling.slots = 1
    bench.run_for(HOLD_PAUSE + 60)
    assert len(kling.posts) <= 3 + len(PROBE_PAUSES)
    assert bench.states() == ["submitted", "waiting"]
    assert bench.studio.admission.holds == ()


def test_what_kling_asked_for_holds_also_when_another_call_finds_the_slots_taken(tmp_path):
    bench, kling = room(tmp_path, 5, [3000.0])
    bench.held = []
    kling.answers = [(api_error(429, 1102, "balance"), False), (api_error(429, 1303, "slots"), False)]
    bench.order_all([FOX, FOX])
    bench.work()
    assert [hold.code for hold in bench.studio.admission.holds] == [1102]


# -- a connection that comes and goes ------------------------------------------------------------------------


def after_an_outage(folder: Path, slots: int, durations: list[float]) -> tuple[Bench, Busy]:
    """Order a batch while there is no connection, which comes back after five seconds."""
    bench, kling = room(folder, slots, durations)
    bench.connection.down = NotSent("no network")
    bench.order(replace(FOX, prompt="first"))
    batch(bench, "Ada", 40)
    bench.run_for(5)
    bench.connection.down = None
    return bench, kling


@pytest.mark.parametrize("restart", [False, True])
def test_a_short_outage_gives_up_no_job_that_waits_for_a_slot_long_after_it(tmp_path, restart):
    bench, kling = after_an_outage(tmp_path, 2, [120.0])
    bench.run_for(YOUNG + 180)
    if restart:
        bench.restart()
    bench.run_for(3600)
    assert bench.states() == [FAILED] * 41
    assert len(kling.began) == 41


def test_a_job_that_was_cut_off_twice_has_its_quarter_of_an_hour_each_time(bench):
    bench.kling.answers = [(NotSent("no network"), False), *[(api_error(429, 1303, "slots"), False)] * 500]
    job = bench.order()
    bench.run_for(YOUNG + 60)
    bench.connection.down = NotSent("no network")
    bench.run_for(YOUNG - 60)
    assert bench.job(job.id).state == WAITING
    bench.run_for(120)
    assert bench.job(job.id).state == "not_sent"


def test_what_found_no_connection_before_a_long_stop_is_not_sent_unasked_though_others_run(tmp_path):
    bench, _ = after_an_outage(tmp_path, 2, [7200.0])
    bench.order(replace(FOX, prompt="Its answer is lost", model_name="kling-v3"), session="other")
    bench.run_for(60)
    cut_off = [job.id for job in bench.ledger.jobs() if job.state == WAITING and job["code"] == NO_CONNECTION]
    assert len(cut_off) > 30
    bench.clock.now += 2 * YOUNG
    bench.restart()
    bench.run_for(60)
    assert {bench.job(job).state for job in cut_off} == {"not_sent"}


# -- people --------------------------------------------------------------------------------------------------


def test_who_comes_later_does_not_wait_for_a_whole_batch(tmp_path):
    bench, _ = room(tmp_path, 2, [50.0])
    batch(bench, "Ada", 40)
    bench.run_for(30)
    batch(bench, "Ben", 2)
    assert [place.position for place in places(bench, "Ben")] == [1, 3]
    bench.run_for(2 * 50 + 2 * TICK)
    assert {job.state for job in bench.ledger.jobs() if job["person"] == "Ben"} <= {"submitted", FAILED}


def test_a_refusal_uses_up_nobodys_turn(tmp_path):
    bench, kling = room(tmp_path, 1, [1000.0])
    for person in "abc":
        batch(bench, person, 3)
    bench.run_for(900)
    assert len(kling.refused) > 3
    kling.slots = 20
    bench.run_for(400)
    order = [bench.job(job)["person"] for job in sorted(kling.began, key=lambda job: kling.began[job])]
    assert "".join(order) == "abcabcabc"


def test_everybody_without_a_name_is_one_person(tmp_path):
    bench, _ = room(tmp_path, 1, [1000.0])
    batch(bench, "Ada", 1)
    for number in range(3):
        order_one(bench.studio, replace(FOX, prompt=f"{number}"), Press(person=" ", session=f"tab {number}"))
    batch(bench, "Ben", 2)
    assert [place.position for place in places(bench, "Ben")] == [2, 4]


def test_a_job_that_waited_for_hours_is_sent_again_when_its_answer_is_lost(tmp_path):
    bench, kling = room(tmp_path, 1, [3 * 3600.0, 60.0])
    first, second = bench.order_all([FOX, FOX])
    bench.run_for(3 * 3600 - 600)
    kling.answers = [(MaybeSent("broke"), False)]
    kling.slots = 2
    bench.run_for(400 + sum(PAUSES))
    assert "unknown" in bench.job(second.id).since
    assert (bench.job(first.id).state, bench.job(second.id).state) == ("submitted", FAILED)


# -- places --------------------------------------------------------------------------------------------------


def places(bench: Bench, person: str) -> list[QueuePosition]:
    found = bench.studio.admission.positions()
    return [found[job.id] for job in bench.ledger.jobs() if job.id in found and job["person"] == person]


def test_a_place_says_how_far_and_why(tmp_path):
    bench, _ = room(tmp_path, 3, [1000.0])
    batch(bench, "Ada", 15)
    bench.run_for(1)
    words = [place.words for place in places(bench, "Ada")]
    assert words[0] == "Next in line: 3 of this model run already."
    assert words[1] == "2nd in line: 3 of this model run already."
    assert [text.split()[0] for text in words[2:]] == [
        "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "10th", "11th", "12th",
    ]  # fmt: skip
    assert {place.of for place in places(bench, "Ada")} == {12}


@pytest.mark.parametrize(
    ("error", "why", "needs_person"),
    [
        (api_error(429, 1102, "balance"), "waits for somebody to top up the Kling account", True),
        (api_error(429, 1101, "arrears"), "waits for somebody to top up the Kling account", True),
        (api_error(429, 1100, "abnormal"), "waits for somebody to look after the Kling account", True),
        (api_error(403, 1103, "no right"), "waits for the right to use this model", True),
        (api_error(429, 1304, "ip"), "waits for Kling to accept this machine's address", True),
        (api_error(429, 1302, "rate"), "Kling asked for a pause", False),
        (api_error(429, 1303, "slots"), "the account's slots are taken", False),
        (NotSent("refused"), "waits for a connection to Kling", False),
    ],
)
def test_each_hold_has_its_words_and_no_other_job_repeats_the_refusal(bench, error, why, needs_person):
    bench.kling.answers = [(error, False)]
    refused = bench.order()
    behind = bench.order(replace(FOX, prompt="An owl"))
    assert bench.job(refused.id)["message"]
    assert bench.job(behind.id)["message"] == ""
    found = bench.studio.admission.positions()
    assert {place.why for place in found.values()} == {why}
    assert {place.needs_person for place in found.values()} == {needs_person}
    assert sorted(place.position for place in found.values()) == [1, 2]


def test_only_what_waits_has_a_place(bench):
    bench.held = []
    first = bench.order()
    assert bench.studio.admission.positions() == {}
    bench.kling.answers = [(api_error(429, 1303, "slots"), False)]
    bench.work()
    assert list(bench.studio.admission.positions()) == [first.id]
    bench.studio.orders.withdraw(first.id)
    assert bench.studio.admission.positions() == {}


def test_after_a_restart_a_place_is_there_at_once(tmp_path):
    bench, _ = room(tmp_path, 2, [1000.0])
    batch(bench, "Ada", 5)
    bench.run_for(1)
    bench.restart()
    assert [place.position for place in places(bench, "Ada")] == [1, 2, 3]
    assert places(bench, "Ada")[1].why == "2 of this model run already"


def test_send_now_tries_the_queue_and_jumps_over_nobody(tmp_path):
    bench, kling = room(tmp_path, 1, [1000.0])
    batch(bench, "Ada", 4)
    bench.run_for(1)
    kling.slots = 2
    last = [job for job in bench.ledger.jobs() if job.state == WAITING][-1]
    bench.poller.wake_for(bench.ledger.jobs()[0].id)
    bench.studio.orders.send_again(last.id)
    bench.run_for(1)
    assert [job.state for job in bench.ledger.jobs()] == ["submitted", "submitted", "waiting", "waiting"]


def test_a_batch_can_be_withdrawn_until_each_job_is_sent(tmp_path):
    bench, kling = room(tmp_path, 3, [50.0])
    batch(bench, "Ada", 30)
    batch(bench, "Ben", 4)
    bench.run_for(60)
    sent = sum(bench.job(job)["person"] == "Ada" for job in kling.began)
    assert bench.studio.orders.withdraw_group("Ada") == 30 - sent
    bench.run_for(3600)
    assert Counter(job.state for job in bench.ledger.jobs()) == {FAILED: sent + 4, "withdrawn": 30 - sent}
