"""A request becomes one task at most, and none is lost, whatever happens between the row and the answer."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from kling.errors import InvalidRequest, MaybeSent, NotSent, api_error
from kling.studio.holds import PERSON_PAUSE as HOLD_PAUSE
from kling.studio.holds import RETRY_PAUSES as BUSY_PAUSES
from kling.studio.jobs import StateChanged
from kling.studio.ledger import LedgerError
from kling.studio.ledger.csv_text import parse
from kling.studio.reconciler import PAUSES
from kling.studio.sender import YOUNG
from kling.text_to_video import TextToVideo
from tests.kling.tools import Clock
from tests.studio.fakes import ACCOUNT, FOX, Bench, Crash, Kling

LAG = sum(PAUSES)  # seconds by which look-ups may stay behind creates
V3 = replace(FOX, model_name="kling-v3")
FULL = OSError(28, "No space left on device")
LOST = MaybeSent("The connection broke.")
BUSY = api_error(429, 1303, "parallel task over resource pack limit")
EMPTY = api_error(429, 1102, "Account balance not enough")


def on_disk(bench: Bench) -> list[tuple[str, str]]:
    rows = parse((bench.folder / "history.csv").read_bytes()).rows
    return [(row["external_task_id"], row.get("state", "")) for row in rows]


# -- ordering ------------------------------------------------------------------------------------------------


def test_an_order_becomes_a_task_that_carries_our_id(bench):
    job = bench.job(bench.order().id)
    assert job.state == "submitted"
    assert bench.kling.posts == [job.id]
    assert job["task_id"] == bench.kling.made[job.id].task_id
    assert (job["person"], job["account"], job["code"]) == ("Ada", ACCOUNT, "0")


def test_the_row_with_the_whole_request_is_on_the_disk_before_the_post(bench):
    at_post = []
    bench.kling.at_post = lambda request: at_post.append((on_disk(bench), request))
    bench.order(V3)
    [(rows, request)] = at_post
    assert rows == [(request.external_task_id, "intent")]
    assert request == replace(V3, external_task_id=request.external_task_id)


def test_without_a_log_nothing_is_sent_and_the_same_click_works_once_there_is_room(bench):
    bench.disk = [FULL]
    with pytest.raises(LedgerError, match="No space left"):
        bench.order()
    assert bench.kling.posts == []
    assert bench.ledger.jobs() == ()
    bench.order()
    assert len(bench.kling.posts) == 1


def test_a_request_that_breaks_rules_is_neither_recorded_nor_sent(bench):
    with pytest.raises(InvalidRequest):
        bench.order(TextToVideo(prompt=" "))
    assert bench.ledger.jobs() == ()
    assert bench.kling.requests == 0


def test_the_same_draft_within_three_seconds_is_the_same_job_and_later_a_new_one(bench):
    first = bench.order()
    bench.clock.now += 2.9
    assert bench.order().id == first.id
    bench.clock.now += 0.2
    assert bench.order().id != first.id
    assert len(bench.kling.posts) == 2


def test_a_press_that_waited_for_a_slow_disk_is_the_same_job(bench):
    """The browser's second press is handled once the first has ended, and counts from there."""
    write = bench.write

    def slow(handle: int, data: bytes) -> int:
        bench.clock.now += 4.0
        return int(write(handle, data))

    bench.write = slow
    bench.restart()
    bench.held = []  # the worker's rows cost the press no time
    first = bench.order()
    assert bench.order().id == first.id
    assert len(bench.held) == 1


def test_a_press_made_before_the_first_was_written_is_the_same_job_however_long_it_waits(bench):
    ids: list[str] = []
    pressed = threading.Event()
    again = threading.Thread(target=lambda: ids.append(bench.order().id))

    class Telling(Clock):
        def __call__(self) -> float:
            if threading.current_thread() is again:
                pressed.set()
            return super().__call__()

    bench.clock = Telling(bench.clock.now)
    bench.restart()
    with bench.studio.admission.lock:
        again.start()
        assert pressed.wait(120)
        ids.append(bench.order().id)
        bench.clock.now += 4.0
        bench.order(session="somebody else who gets in between")
    again.join()
    assert ids[0] == ids[1]


@pytest.mark.parametrize("end", ["failed", "not_sent"])
def test_a_job_that_came_to_nothing_can_be_ordered_again_at_once(bench, end):
    bench.kling.answers = [(api_error(400, 1301, "sensitive"), False)] if end == "failed" else [(BUSY, False)]
    first = bench.order()
    if end == "not_sent":
        bench.ledger.append(first.id, state="not_sent")
    assert bench.job(first.id).state == end
    bench.clock.now += 2
    assert bench.order().id != first.id


def test_other_drafts_and_other_sessions_are_other_jobs(bench):
    ids = {bench.order().id, bench.order(V3).id, bench.order(session="other").id}
    assert len(ids) == len(bench.kling.posts) == 3


def test_four_clicks_from_four_threads_are_one_task(bench):
    gate = threading.Barrier(4)
    ids: list[str] = []

    def click() -> None:
        gate.wait()
        ids.append(bench.order().id)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == len(bench.kling.posts) == 1


def test_a_name_is_put_on_one_line_and_cut(bench):
    assert bench.order(person="  Ada\n Lovelace " + "x" * 99)["person"] == ("Ada Lovelace " + "x" * 99)[:60]


def test_no_id_can_be_taken_for_a_number(bench):
    assert bench.order().id.startswith("v")


# -- several jobs of one press -----------------------------------------------------------------------------


def test_takes_of_one_press_are_jobs_of_their_own_and_a_second_press_is_the_same_ones(bench):
    takes = bench.order_all([FOX] * 3)
    bench.clock.now += 2.9
    assert [job.id for job in bench.order_all([FOX] * 3)] == [job.id for job in takes]
    assert len(set(bench.kling.posts)) == len(bench.kling.posts) == 3
    assert [job.take for job in takes] == [1, 2, 3]
    bench.clock.now += 0.2
    assert {job.id for job in bench.order_all([FOX] * 3)}.isdisjoint(job.id for job in takes)


def test_of_a_press_for_one_take_more_only_that_one_is_new(bench):
    one = bench.order()
    first, second = bench.order_all([FOX] * 2)
    assert (first.id, first.take, second.take) == (one.id, 1, 2)
    assert bench.kling.posts == [first.id, second.id]


def test_a_batch_comes_back_in_its_order_and_is_known_by_its_group_and_parent(bench):
    requests = [replace(FOX, prompt=f"A fox {number}") for number in range(5)]
    known = bench.order(requests[2])
    jobs = bench.order_all(requests, parent="vparent", group="gbatch")
    assert [job["prompt"] for job in jobs] == [request.prompt for request in requests]
    assert jobs[2].id == known.id
    bench.restart()
    kept = [bench.job(job.id) for job in jobs]
    assert [(job.parent, job.group, job.take) for job in kept if job.id != known.id] == [
        ("vparent", "gbatch", 1)
    ] * 4
    assert (bench.job(known.id).parent, bench.job(known.id).group) == ("", "")


def test_a_batch_costs_one_write_before_anything_is_sent(bench):
    bench.held = []
    bench.writes.clear()
    bench.order_all([FOX] * 100)
    assert len(bench.writes) == 1
    assert len(on_disk(bench)) == 100


def test_one_job_that_breaks_rules_keeps_the_whole_press_from_the_log(bench):
    with pytest.raises(InvalidRequest) as raised:
        bench.order_all([FOX, replace(FOX, prompt=" "), replace(FOX, duration="7")])
    assert [problem.field for problem in raised.value.problems] == ["prompt", "duration"]
    assert bench.ledger.jobs() == ()


def test_a_full_disk_records_none_of_a_press_and_the_same_press_works_once_there_is_room(bench):
    bench.disk = [FULL]
    with pytest.raises(LedgerError, match="No space left"):
        bench.order_all([FOX] * 4)
    assert (bench.ledger.jobs(), bench.kling.posts, on_disk(bench)) == ((), [], [])
    bench.order_all([FOX] * 4)
    assert len(bench.kling.posts) == 4


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
def test_a_crash_inside_the_write_of_a_batch_leaves_whole_jobs_for_a_person_to_decide(tmp_path, share):
    kling = Kling()
    bench = Bench(tmp_path, kling=kling)
    write = bench.write

    def torn(handle: int, data: bytes) -> int:
        write(handle, data[: int(len(data) * share)])
        raise Crash

    bench.write = torn  # type: ignore[method-assign]
    bench.restart()
    with pytest.raises(Crash):
        bench.order_all([replace(FOX, prompt=f"A fox {number}") for number in range(10)])
    assert kling.posts == []
    bench.write = write  # type: ignore[method-assign]
    bench.restart()
    bench.run_for(1200)
    jobs = bench.ledger.jobs()
    assert [job["prompt"] for job in jobs] == [f"A fox {number}" for number in range(int(10 * share))]
    assert kling.posts == []  # nobody was told that they were recorded
    assert {job.state for job in jobs} <= {"not_sent"}
    assert bench.studio.orders.send_left() == len(jobs)
    bench.run_for(1200)
    assert sorted(kling.posts) == sorted(job.id for job in jobs)


def test_a_batch_is_withdrawn_as_far_as_it_was_not_sent(bench):
    bench.kling.answers = [(EMPTY, False)]
    bench.order()
    bench.order_all([V3] * 3, group="one")
    bench.order_all([replace(FOX, prompt="An owl")] * 2, group="two")
    assert [bench.studio.orders.withdraw_group(group) for group in ("one", "one", "")] == [3, 0, 0]
    assert bench.states() == ["waiting"] + ["withdrawn"] * 3 + ["waiting"] * 2


# -- refusals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "state"),
    [
        *((code, 401, "not_sent") for code in (1000, 1001, 1002, 1003, 1004)),
        *((code, 429, "waiting") for code in (1100, 1101, 1102, 1103, 1302, 1303, 1304)),
        *((code, 400, "failed") for code in (1200, 1201, 1202, 1203, 1300, 1301, 1999)),
        *((code, 500, "unknown") for code in (5000, 5001, 5002, 5999)),
    ],
)
def test_each_code_leads_to_one_state_and_says_what_happened(bench, code, status, state):
    error = api_error(status, code, "Kling says <b>no</b>", request_id="r-7")
    bench.kling.answers = [(error, False)]
    job = bench.job(bench.order().id)
    assert job.state == state
    assert error.meaning.what in job["message"]
    assert (job["code"], job["request_id"]) == (str(code), "r-7")
    assert "spent" not in job["message"]
    assert bench.studio.nothing_spent(job) == (state == "failed")
    assert len(bench.kling.posts) == 1


def test_what_was_not_sent_waits_for_a_connection_and_then_goes_by_itself(bench):
    bench.kling.answers = [(NotSent("Kling could not be reached."), False)] * 2
    job = bench.order()
    assert bench.job(job.id).state == "waiting"
    assert "sent by itself" in bench.job(job.id)["message"]
    bench.run_for(30)
    assert bench.job(job.id).state == "submitted"
    assert bench.kling.posts == [job.id] * 3


def test_what_cannot_be_sent_for_a_quarter_of_an_hour_is_left_to_a_person(bench):
    bench.connection.down = NotSent("Kling could not be reached.")
    job = bench.order()
    bench.run_for(YOUNG + 60)
    assert bench.job(job.id).state == "not_sent"
    bench.connection.down = None
    bench.run_for(3600)
    assert bench.kling.posts == []
    bench.studio.orders.send_again(job.id)
    assert bench.job(job.id).state == "submitted"


@pytest.mark.parametrize("code", [1302, 1303])
def test_pauses_grow_while_kling_is_busy_and_start_anew_after_a_success(bench, code):
    bench.kling.answers = [(api_error(429, code, "busy"), False)] * 6
    moments: list[float] = []
    bench.kling.at_post = lambda _: moments.append(bench.clock.now)
    bench.order()
    bench.run_for(200)
    pauses = [after - before for before, after in pairwise(moments)]
    assert pauses == pytest.approx([*BUSY_PAUSES, BUSY_PAUSES[-1]])
    assert bench.states() == ["submitted"]
    assert bench.studio.admission.holds == ()


@pytest.mark.parametrize("code", [1302, 1303])
def test_refusals_of_one_moment_lengthen_the_pause_once(bench, code):
    bench.held = []
    bench.kling.answers = [(api_error(429, code, "busy"), False)] * 4
    for session in "abcd":
        bench.order(session=session)
    bench.work()
    bench.held = None
    bench.run_for(BUSY_PAUSES[0] - 0.1)
    assert len(bench.kling.posts) == 4
    bench.run_for(0.2)
    assert len(bench.kling.posts) == 8


def test_a_pause_that_kling_asks_for_is_kept_but_not_for_days(bench):
    bench.kling.answers = [(api_error(429, 1302, "busy", retry_after=20), False)]
    bench.order()
    assert bench.studio.admission.holds[0].until - bench.clock.now == 20
    bench.kling.answers = [(api_error(429, 1302, "busy", retry_after=1e9), False)]
    bench.order(V3)
    assert bench.studio.admission.holds[1].until - bench.clock.now == HOLD_PAUSE


def test_an_empty_balance_holds_every_model_until_somebody_resumes(bench):
    bench.kling.answers = [(EMPTY, False)]
    bench.order()
    second = bench.order(V3)
    assert (second.state, len(bench.kling.posts)) == ("waiting", 1)
    assert bench.studio.admission.holds[0].needs_person
    bench.run_for(60)
    assert len(bench.kling.posts) == 1
    bench.studio.resume()
    bench.run_for(5)
    assert bench.states() == ["submitted", "submitted"]


def test_a_held_queue_is_tried_again_slowly_by_itself(bench):
    bench.kling.answers = [(EMPTY, False)] * 3
    bench.order()
    bench.run_for(HOLD_PAUSE * 2 + 10)
    assert len(bench.kling.posts) == 3
    bench.run_for(HOLD_PAUSE)
    assert bench.states() == ["submitted"]


def test_a_model_that_the_account_may_not_use_holds_itself_only(bench):
    bench.kling.answers = [(api_error(403, 1103, "no access"), False)]
    bench.order()
    assert bench.order(V3).state == "intent"
    assert bench.states() == ["waiting", "submitted"]
    assert bench.order(session="other").state == "waiting"


def test_a_job_without_connection_is_not_sent_unasked_by_a_start_long_after(bench):
    bench.connection.down = NotSent("Kling could not be reached.")
    job = bench.order()
    bench.clock.now += YOUNG + 1
    bench.restart()
    bench.connection.down = None
    bench.run_for(60)
    assert bench.job(job.id).state == "not_sent"
    assert bench.kling.posts == []


def test_what_waits_for_a_slot_waits_as_long_as_it_takes_also_after_a_restart(bench):
    bench.kling.answers = [(BUSY, False)] * 100
    job = bench.order()
    bench.run_for(3 * YOUNG)
    assert bench.job(job.id).state == "waiting"
    bench.kling.answers.clear()
    bench.restart()
    bench.run_for(60)
    assert bench.job(job.id).state == "submitted"


def test_after_a_restart_what_waits_is_looked_up_once_before_it_is_sent(bench):
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    bench.kling.add(job.id)  # the log is a copy of before the answer
    bench.restart()
    bench.run_for(60)
    assert bench.job(job.id).state == "submitted"
    assert len(bench.kling.posts) == 1


def test_a_log_that_was_put_back_with_its_seal_is_not_believed(bench):
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    copies = {name: (bench.folder / name).read_bytes() for name in ("history.csv", "history.csv.seal")}
    bench.studio.orders.withdraw(job.id)
    for name, content in copies.items():
        (bench.folder / name).write_bytes(content)
    bench.restart()
    bench.run_for(600)
    assert bench.job(job.id).state == "not_sent"
    assert len(bench.kling.posts) == 1


def test_with_a_wrong_key_what_waits_after_a_restart_says_who_has_to_act(bench):
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    bench.restart()
    bench.kling.look_ups = [api_error(401, 1002, "who are you?")] * 50
    bench.run_for(600)
    assert bench.job(job.id).state == "waiting"
    place = bench.studio.admission.position_of(bench.job(job.id))
    assert place.needs_person
    assert "a key that Kling accepts" in place.words
    assert len(bench.kling.gets) < 10


def test_what_waited_while_the_studio_was_stopped_for_long_is_left_to_a_person(bench):
    """The folder may be a backup, in which a job waits that was withdrawn since."""
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    posts = list(bench.kling.posts)
    bench.clock.now += YOUNG + 1
    bench.restart()
    bench.run_for(600)
    assert bench.job(job.id).state == "not_sent"
    assert bench.kling.posts == posts
    bench.studio.orders.send_again(job.id)
    bench.run_for(10)
    assert bench.job(job.id).state == "submitted"


def test_a_job_that_is_refused_again_and_again_keeps_nobody_behind_it(bench):
    bench.kling.answers = [(EMPTY, False)] * 3
    first = bench.order(replace(FOX, prompt="too dear"))
    second = bench.order(replace(V3, prompt="cheap"), person="Ben")
    for _ in range(4):
        bench.clock.now += HOLD_PAUSE + 1
        bench.poller.step()
    assert bench.job(second.id).state == "submitted"
    assert bench.job(first.id).state == "submitted"
    assert bench.kling.posts[:3] == [first.id, second.id, first.id]


def test_a_job_that_was_withdrawn_can_be_ordered_again_at_once(bench):
    bench.kling.answers = [(BUSY, False)]
    first = bench.order()
    bench.studio.orders.withdraw(first.id)
    assert bench.order().id != first.id


def test_a_name_holds_no_marks_that_make_it_look_like_another(bench):
    job = bench.order(person="Ada\u202e ecalevoL\x00\n  of  Ockham")
    assert job["person"] == "Ada ecalevoL of Ockham"


def test_a_lost_connection_does_not_open_a_queue_that_needs_a_person(bench):
    bench.held = []
    bench.kling.answers = [(EMPTY, False), (NotSent("refused"), False)]
    bench.order()
    bench.order(V3)
    bench.work()
    assert bench.studio.admission.holds[0].needs_person


def test_a_queue_goes_one_at_a_time_while_nobody_knows_whether_it_may(bench):
    bench.kling.answers = [(BUSY, False)]
    bench.order()
    for session in "abc":
        assert bench.order(session=session).state == "waiting"
    bench.clock.now += BUSY_PAUSES[0]
    bench.held = []
    for _ in range(3):  # each change of the log wakes the poller
        bench.poller.step()
    assert len(bench.held) == 1
    bench.work()
    bench.studio.admission.mark_polled()
    for _ in range(3):
        bench.poller.step()
    assert len(bench.held) == 1


# -- answers that were lost ----------------------------------------------------------------------------------


def test_a_card_says_when_a_lost_order_is_sent_again_and_when_it_is_for_a_person(bench):
    bench.kling.answers = [(LOST, False)] * 9
    job = bench.order()
    bench.run_for(30)
    explanation = bench.studio.explain(bench.job(job.id))
    assert "asked whether it has this order" in explanation.why
    assert "sent again with the same id" in explanation.next
    bench.run_for(YOUNG)
    assert "you decide whether it is sent" in bench.studio.explain(bench.job(job.id)).next


def test_a_wrong_key_is_said_before_anybody_orders(bench):
    bench.kling.lists = [api_error(401, 1002, "who are you?")] * 9
    bench.studio.scan_account()
    bench.run_for(1)
    assert any("does not know these credentials" in warning for warning in bench.studio.warnings)
    bench.kling.lists = []
    bench.run_for(600)
    assert list(bench.studio.warnings) == []


@pytest.mark.parametrize("error", [LOST, api_error(502, 5000, "internal error")])
def test_a_task_whose_answer_was_lost_is_found_and_not_bought_again(bench, error):
    bench.kling.answers = [(error, True)]
    job = bench.order()
    assert bench.job(job.id).state == "unknown"
    bench.run_for(1)
    assert bench.job(job.id).state == "submitted"
    assert bench.kling.posts == [job.id]


def test_a_task_that_shows_up_late_is_found_and_not_bought_again(bench):
    bench.kling.answers = [(LOST, True)]
    job = bench.order()
    bench.kling.hidden = {job.id}
    bench.run_for(10)
    assert bench.job(job.id).state == "unknown"
    bench.kling.hidden = set()
    bench.run_for(10)
    assert bench.job(job.id).state == "submitted"
    assert bench.kling.posts == [job.id]


def test_a_job_that_never_arrived_is_sent_again_with_the_same_id_once_look_ups_cannot_lag(bench):
    bench.kling.answers = [(LOST, False)]
    job = bench.order()
    bench.run_for(LAG - 5)
    assert bench.kling.posts == [job.id]
    assert not bench.studio.nothing_spent(bench.job(job.id))
    bench.run_for(60)
    assert bench.kling.posts == [job.id, job.id]
    assert bench.job(job.id).state == "submitted"


def test_a_refusal_of_the_second_sending_is_decided_by_a_look_up(bench):
    """No look-up saw the first one, so late did it arrive; "already exists" has the code of "not found"."""
    bench.kling.answers = [(LOST, True)]
    job = bench.order()
    bench.kling.hidden = {job.id}
    bench.kling.at_post = lambda _: bench.kling.hidden.clear()
    bench.run_for(LAG + 30)
    assert bench.kling.posts == [job.id, job.id]
    assert len(bench.kling.made) == 1
    assert bench.job(job.id).state == "submitted"


def test_a_second_sending_that_is_refused_has_failed_only_once_it_is_proved(bench):
    bench.kling.answers = [(LOST, False), (api_error(400, 1301, "sensitive"), False)]
    job = bench.order()
    bench.run_for(LAG + 60)
    assert bench.job(job.id).state == "unknown"
    assert len(bench.kling.posts) == 2
    bench.run_for(1200)
    assert bench.job(job.id).state == "failed"
    assert bench.job(job.id)["code"] == "1301"
    assert bench.studio.nothing_spent(bench.job(job.id))
    assert len(bench.kling.posts) == 2


def test_what_kling_says_it_has_is_never_called_free_however_long_it_hides_it(bench):
    bench.kling.answers = [(LOST, True)]
    job = bench.order()
    bench.kling.hidden = {job.id}
    bench.run_for(3 * YOUNG)
    assert bench.job(job.id).state == "unknown"
    assert len(bench.kling.posts) == 2
    assert "does not show it" in bench.studio.explain(bench.job(job.id)).why
    assert not bench.studio.nothing_spent(bench.job(job.id))
    bench.kling.hidden = set()
    bench.run_for(400)
    assert bench.job(job.id).state == "submitted"


def test_a_person_may_give_up_what_kling_hides_and_it_is_followed_when_it_shows(bench):
    bench.kling.answers = [(LOST, True)]
    job = bench.order()
    bench.kling.hidden = {job.id}
    bench.run_for(60)
    assert bench.studio.orders.give_up(job.id).state == "withdrawn"
    assert not bench.studio.nothing_spent(bench.job(job.id))
    bench.kling.hidden = set()
    bench.studio.scan_account()
    bench.run_for(10)
    assert bench.job(job.id).state == "submitted"


@pytest.mark.parametrize("error", [NotSent("refused"), LOST])
def test_a_second_sending_that_does_not_arrive_stays_unknown_and_goes_on(bench, error):
    bench.kling.answers = [(LOST, False), (error, False)]
    job = bench.order()
    bench.run_for(LAG + 12)
    assert len(bench.kling.posts) == 2
    assert bench.job(job.id).state == "unknown"
    bench.run_for(2 * LAG)
    assert bench.job(job.id).state == "submitted"
    assert set(bench.kling.posts) == {job.id}


def test_a_refusal_that_cannot_be_looked_up_stays_unknown(bench):
    bench.kling.answers = [(LOST, True), (api_error(400, 1301, "sensitive"), False)]
    job = bench.order()
    bench.kling.hidden = {job.id}
    bench.kling.at_post = lambda _: bench.kling.look_ups.extend([LOST] * 3)
    bench.run_for(LAG + 16)
    assert len(bench.kling.posts) == 2
    assert bench.job(job.id).state == "unknown"
    bench.kling.hidden = set()
    bench.run_for(120)
    assert bench.job(job.id).state == "submitted"


def test_look_ups_that_nobody_answers_decide_nothing(bench):
    bench.kling.answers = [(LOST, True)]
    job = bench.order()
    bench.connection.down = LOST
    bench.run_for(3 * YOUNG)
    assert bench.job(job.id).state == "unknown"
    assert "not answered" in bench.studio.explain(bench.job(job.id)).why
    assert any("being looked up" in warning for warning in bench.studio.warnings)
    bench.connection.down = None
    bench.run_for(400)
    assert bench.job(job.id).state == "submitted"
    assert bench.kling.posts == [job.id]


def test_a_look_up_that_is_not_answered_is_not_followed_by_a_hundred_others(bench):
    bench.kling.answers = [(LOST, True)] * 100
    for number in range(100):
        bench.order(session=str(number))
    bench.kling.look_ups = [LOST]
    bench.poller.step()
    assert len(bench.kling.gets) == 1
    bench.run_for(120)
    assert set(bench.states()) == {"submitted"}


# -- starting again ------------------------------------------------------------------------------------------


def test_an_intent_of_a_stopped_studio_that_had_arrived_is_found(bench):
    bench.kling.answers = [(Crash(), True)]
    with pytest.raises(Crash):
        bench.order()
    bench.restart()
    bench.run_for(1)
    assert bench.states() == ["submitted"]
    assert len(bench.kling.posts) == 1


def test_a_young_intent_that_had_not_arrived_is_sent_with_its_own_id(bench):
    bench.held = []
    job = bench.order()
    bench.clock.now += YOUNG - 60
    bench.restart()
    bench.held = None
    bench.run_for(LAG + 60)
    assert bench.kling.posts == [job.id]
    assert bench.states() == ["submitted"]


def test_an_intent_of_a_studio_that_stopped_long_ago_is_for_a_person_to_decide(bench):
    bench.held = []
    job = bench.order()
    bench.clock.now += YOUNG + 1
    bench.restart()
    bench.held = None
    bench.run_for(60)
    assert bench.states() == ["unknown"]
    assert not bench.studio.nothing_spent(bench.job(job.id))
    bench.run_for(1200)
    assert bench.states() == ["not_sent"]
    assert bench.studio.nothing_spent(bench.job(job.id))
    assert bench.kling.posts == []
    bench.studio.orders.send_again(job.id)
    assert bench.kling.posts == [job.id]
    assert bench.states() == ["submitted"]


def test_a_lost_answer_is_settled_after_a_restart_too(bench):
    bench.kling.answers = [(LOST, False)] * 2
    job = bench.order()
    bench.run_for(60)
    bench.restart()
    bench.run_for(2 * LAG + 60)
    assert "unknown" in bench.job(job.id).since
    assert bench.job(job.id).state == "submitted"


class Dying:
    """Raises at the n-th step of a job's way: writes to the log, and both sides of the POST."""

    def __init__(self, bench: Bench, at: int) -> None:
        self.left = at
        bench.kling.at_post = lambda _: self.reached()
        self.write = bench.write
        bench.write = self.around_write  # type: ignore[method-assign]

    def reached(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Crash

    def around_write(self, handle: int, data: bytes) -> int:
        self.reached()
        written = self.write(handle, data)
        self.reached()
        return written


@pytest.mark.parametrize("lost_first", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize("at", range(1, 11))
def test_a_crash_at_any_point_buys_one_task_at_most_and_loses_none(tmp_path, at, lost_first):
    kling = Kling()
    bench = Bench(tmp_path, kling=kling)
    kling.answers = [(LOST, True)] if lost_first else []
    dying = Dying(bench, at)
    bench.restart()
    try:
        bench.order()
        bench.run_for(30)
    except Crash:
        pass
    dying.left = 0
    bench.restart()
    bench.run_for(1200)
    jobs = bench.ledger.jobs()
    assert len(kling.made) <= len(jobs) <= 1
    if not kling.made:  # nobody was told that it was recorded
        assert at <= 3
        assert {job.state for job in jobs} <= {"not_sent"}
        bench.studio.orders.send_left()
        bench.run_for(10)
        jobs = bench.ledger.jobs()
    assert [job.state for job in jobs] == ["submitted"] * len(jobs)
    assert set(kling.made) == {job.id for job in jobs}


def test_a_full_disk_after_the_post_loses_nothing(bench):
    bench.kling.at_post = lambda _: bench.disk.extend([FULL] * 3)
    job = bench.order()
    bench.kling.at_post = lambda _: None
    assert bench.job(job.id).state == "intent"
    bench.run_for(60)
    assert bench.job(job.id).state == "submitted"
    assert len(bench.kling.posts) == 1


def test_what_kling_accepted_and_no_disk_took_is_never_left_to_a_person(bench):
    bench.kling.at_post = lambda _: bench.disk.extend([FULL] * 2)
    job = bench.order()
    bench.kling.hidden = {job.id}  # and Kling's look-ups lag
    bench.run_for(30)
    assert bench.job(job.id).state == "submitted"
    assert len(bench.kling.posts) == 1


def test_tasks_of_another_account_are_neither_sent_nor_looked_up(bench):
    for state in ("waiting", "intent", "unknown", "submitted"):
        bench.ledger.append(f"s-{state}", state=state, account="sandbox", prompt="A fox")
    bench.run_for(60)
    assert bench.kling.requests == 0
    with pytest.raises(StateChanged, match="another account"):
        bench.studio.orders.send_again("s-waiting")
    assert bench.kling.requests == 0


# -- a person's decisions ------------------------------------------------------------------------------------


@pytest.fixture
def waiting(bench) -> str:
    bench.kling.answers = [(BUSY, False)]
    return str(bench.order().id)


def test_what_waits_can_be_withdrawn_and_is_never_sent(bench, waiting):
    assert bench.studio.orders.withdraw(waiting).state == "withdrawn"
    bench.run_for(600)
    assert len(bench.kling.posts) == 1
    with pytest.raises(StateChanged):
        bench.studio.orders.send_again(waiting)


def test_what_is_being_sent_cannot_be_withdrawn(bench, waiting):
    bench.held = []
    bench.studio.orders.send_again(waiting)
    with pytest.raises(StateChanged, match="being sent right now"):
        bench.studio.orders.withdraw(waiting)
    bench.work()
    assert bench.job(waiting).state == "submitted"
    with pytest.raises(StateChanged, match="submitted by now"):
        bench.studio.orders.withdraw(waiting)


def test_send_now_pressed_four_times_sends_once(bench, waiting):
    bench.held = []
    for _ in range(4):
        bench.studio.orders.send_again(waiting)
    bench.work()
    assert len(bench.kling.posts) == 2
    with pytest.raises(StateChanged, match="sent by now"):
        bench.studio.orders.send_again(waiting)


def test_a_decision_made_on_an_old_picture_does_not_send_again(bench, waiting):
    """It waited when the button was pressed; before the worker came, another one had sent it."""
    stale = bench.job(waiting)
    bench.kling.answers = [(LOST, True)]
    bench.studio.orders.send_again(waiting)
    assert bench.job(waiting).state == "unknown"
    bench.studio.orders.send(stale)
    assert len(bench.kling.posts) == 2
    assert bench.job(waiting).state == "unknown"


def test_a_worker_that_finishes_during_a_step_is_not_taken_for_a_crash(bench):
    bench.held = []
    job = bench.order()
    open_jobs = bench.ledger.open_jobs
    bench.ledger.open_jobs = lambda: (open_jobs(), bench.work())[0]
    bench.poller.step()
    assert bench.job(job.id).state == "submitted"
    assert "unknown" not in bench.job(job.id).since
    assert bench.kling.gets == []


# -- what an attack found ------------------------------------------------------------------------------------


def test_a_job_that_turns_up_while_the_studio_runs_is_not_free_before_its_own_quarter_of_an_hour(bench):
    """A second studio worked in the folder, because somebody had deleted the lock file."""
    bench.order()
    bench.run_for(1500)
    (bench.folder / ".lock").unlink()
    second = Bench(bench.folder, kling=bench.kling)
    second.clock.now = bench.clock.now
    bench.kling.answers = [(LOST, True)]
    job = second.order(replace(FOX, prompt="two"))
    bench.kling.hidden.add(job.id)
    bench.run_for(300)
    assert bench.job(job.id).state == "unknown"
    assert not bench.studio.nothing_spent(bench.job(job.id))


@pytest.mark.parametrize("stopped", [True, False])
def test_a_clip_that_is_here_is_shown_whatever_an_old_row_says_and_never_bought_again(bench, clip, stopped):
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    old = (bench.folder / "history.csv").read_bytes()
    bench.run_for(60)
    bench.kling.finish(job.id, clip)
    bench.run_for(60)
    posts = list(bench.kling.posts)
    bench.kling.made.clear()
    (bench.folder / "history.csv").write_bytes(old)
    if stopped:
        bench.clock.now += 40 * 86400
        bench.restart()
    bench.run_for(120)
    assert bench.job(job.id).has_clip
    assert bench.job(job.id)["prompt"] == FOX.prompt
    with pytest.raises(StateChanged):
        bench.studio.orders.send_again(job.id)
    assert bench.kling.posts == posts


def test_try_now_after_a_log_was_put_back_asks_for_as_long_as_look_ups_may_lag(bench):
    bench.kling.answers = [(BUSY, False)]
    job = bench.order()
    old = (bench.folder / "history.csv").read_bytes()
    bench.run_for(60)
    bench.kling.hidden.add(job.id)
    (bench.folder / "history.csv").write_bytes(old)
    bench.restart()
    posts = list(bench.kling.posts)
    bench.studio.orders.send_again(job.id)
    bench.run_for(LAG - 10)
    assert bench.kling.posts == posts
    bench.kling.hidden.clear()
    bench.run_for(60)
    assert bench.job(job.id).state == "submitted"
    assert bench.kling.posts == posts


def test_a_press_between_two_looks_of_the_reconciler_is_not_taken_for_a_crash(bench, monkeypatch):
    bench.held = []
    own_jobs = bench.studio.admission.own_jobs
    pressed: list[str] = []

    def press_first() -> object:
        if not pressed:
            pressed.append("")
            pressed[0] = bench.order().id
        return own_jobs()

    monkeypatch.setattr(bench.studio.admission, "own_jobs", press_first)
    bench.studio.reconciler.step(bench.clock.now)
    assert bench.job(pressed[0]).state == "intent"
    bench.work()
    assert bench.job(pressed[0]).state == "submitted"


def test_what_was_left_to_a_person_is_asked_for_until_it_is_proved_also_without_a_list(bench):
    bench.kling.answers = [(BUSY, False), (BUSY, False)]
    lost, free = bench.order(), bench.order(replace(FOX, prompt="two", model_name="kling-v3"))
    old = (bench.folder / "history.csv").read_bytes()
    bench.run_for(5)
    bench.kling.made.pop(free.id, None)
    bench.kling.answers.clear()
    (bench.folder / "history.csv").write_bytes(old)
    bench.restart()
    bench.kling.lists = [api_error(404, 1202, "no such list")] * 999
    bench.run_for(60)
    assert bench.job(lost.id).state == "submitted"
    assert bench.job(free.id).state == "not_sent"
    assert not bench.studio.nothing_spent(bench.job(free.id))
    bench.run_for(1000)
    assert bench.studio.nothing_spent(bench.job(free.id))
    asked = len(bench.kling.gets)
    bench.kling.change(lost.id, task_status="failed")
    bench.run_for(3600)
    assert len(bench.kling.gets) - asked < 30
