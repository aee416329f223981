"""Where a second create with the same id is not known to be refused, the studio makes none by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from kling import ImageToVideo, InvalidRequest, KeyPair, MaybeSent, TextToVideo, VideoToAudio
from kling.catalog import catalog
from kling.endpoint import ENDPOINTS, NEWER_TEXT_TO_VIDEO, AnyRequest, Endpoint, endpoint_of
from kling.errors import Actor, api_error
from kling.studio.ids import new_id
from kling.studio.jobs import FAILED, NOT_SENT, SUBMITTED, SUCCEED, UNKNOWN, WAITING, request_cells
from kling.tasks import Task
from tests.studio.fakes import Bench

FRAME = "https://example.com/fox.png"
REQUESTS: dict[str, AnyRequest] = {
    "text2video": TextToVideo(prompt="A fox"),
    "image2video": ImageToVideo(prompt="It runs", image=FRAME),
    "video2audio": VideoToAudio(video_id="9", sound_effect_prompt="steps"),
    "text-to-video": TextToVideo(prompt="A fox", model_name="kling-3.0-turbo"),
    "image-to-video": ImageToVideo(prompt="It runs", image=FRAME, model_name="kling-3.0-turbo"),
}
REFUSING = ("text2video", "text-to-video")
OTHERS = tuple(name for name in REQUESTS if name not in REFUSING)
LOST = MaybeSent("the connection broke")
MINUTE = 60.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def order(bench: Bench, name: str) -> str:
    return bench.order_all([REQUESTS[name]])[0].id


def test_there_is_a_request_for_every_endpoint():
    assert {name: endpoint_of(request).name for name, request in REQUESTS.items()} == {
        endpoint.name: endpoint.name for endpoint in ENDPOINTS
    }


@pytest.mark.parametrize("name", REQUESTS)
def test_a_job_of_every_endpoint_is_sent_there_followed_and_fetched(bench, name):
    job_id = order(bench, name)
    assert bench.kling.made_at[job_id].name == name
    assert bench.job(job_id)["endpoint"] == name
    bench.kling.finish(job_id, b"x")
    bench.run_for(MINUTE)
    assert bench.job(job_id).state == SUCCEED
    assert bench.job(job_id)["video_id"] == f"v-{job_id}"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_log_gives_the_request_of_every_endpoint_back(bench, name):
    job_id = order(bench, name)
    assert bench.job(job_id).request == replace(REQUESTS[name], external_task_id=job_id)
    bench.restart()
    assert bench.job(job_id).request == replace(REQUESTS[name], external_task_id=job_id)


def test_a_job_of_sound_is_not_taken_for_accepted_because_it_names_a_video(bench):
    bench.kling.answers = [(LOST, False)]
    job = bench.job(order(bench, "video2audio"))
    assert not job.accepted
    assert (job["source_video_id"], job["video_id"], job["units"]) == ("9", "", "0.25")
    assert job.decimal("units") == Decimal("0.25")


@pytest.mark.parametrize("name", REFUSING)
def test_where_a_second_create_is_refused_a_lost_one_is_repeated_with_the_same_id(bench, name):
    bench.kling.answers = [(LOST, False)]
    job_id = order(bench, name)
    bench.run_for(5 * MINUTE)
    assert bench.kling.posts == [job_id, job_id]
    assert bench.job(job_id).state == SUBMITTED


@pytest.mark.parametrize("name", OTHERS)
def test_elsewhere_it_is_looked_for_until_a_person_decides(bench, name):
    bench.kling.answers = [(LOST, False)]
    job_id = order(bench, name)
    bench.run_for(14 * MINUTE)
    assert bench.job(job_id).state == UNKNOWN
    explained = bench.studio.explain(bench.job(job_id))
    assert explained is not None
    assert "you decide whether it is sent" in explained.next
    bench.run_for(10 * MINUTE)
    assert bench.job(job_id).state == NOT_SENT
    assert bench.kling.posts == [job_id]
    explained = bench.studio.explain(bench.job(job_id))
    assert explained is not None
    units = REQUESTS[name].units()
    assert f"Sending it costs {units:f} Units" in explained.next
    bench.run_for(48 * 60 * MINUTE)
    assert bench.kling.posts == [job_id]


@pytest.mark.parametrize("name", OTHERS)
def test_a_person_may_send_it_after_all_and_a_second_loss_is_again_not_repeated(bench, name):
    bench.kling.answers = [(LOST, False), (LOST, False)]
    job_id = order(bench, name)
    bench.run_for(30 * MINUTE)
    bench.studio.orders.send_again(job_id)
    assert bench.kling.posts == [job_id, job_id]
    bench.run_for(60 * MINUTE)
    assert bench.kling.posts == [job_id, job_id]
    assert bench.job(job_id).state == NOT_SENT
    bench.studio.orders.send_again(job_id)
    assert bench.job(job_id).state == SUBMITTED


def test_after_a_restart_a_person_is_told_that_kling_is_asked_first_and_until_when(bench):
    bench.kling.answers = [(LOST, False)]
    job_id = order(bench, "image2video")
    bench.run_for(30 * MINUTE)
    bench.restart()
    bench.studio.orders.send_again(job_id)
    explained = bench.studio.explain(bench.job(job_id))
    assert explained is not None
    assert explained.why.startswith("Kling is asked first whether it has it already.")
    assert "you decide whether it is sent" in explained.next
    bench.run_for(20 * MINUTE)
    assert bench.job(job_id).state == NOT_SENT
    bench.studio.orders.send_again(job_id)
    assert bench.kling.posts == [job_id, job_id]


def test_where_nothing_can_be_looked_up_a_lost_create_is_said_with_its_price_and_never_repeated(
    bench, monkeypatch
):
    without = replace(catalog(), endpoints={})
    monkeypatch.setattr("kling.endpoint.catalog", lambda: without)
    bench.kling.answers = [(LOST, False)]
    job_id = order(bench, "image2video")
    bench.run_for(48 * 60 * MINUTE)
    assert bench.kling.posts == [job_id]
    assert bench.job(job_id).state == UNKNOWN
    explained = bench.studio.explain(bench.job(job_id))
    assert explained is not None
    assert "Nobody can look it up for sure" in explained.next
    assert "It may have cost 1.5 Units." in explained.next
    assert explained.actor is Actor.PERSON


@pytest.mark.parametrize("name", OTHERS)
def test_one_that_arrived_is_found_however_late_kling_shows_it(bench, name):
    bench.kling.answers = [(LOST, True)]
    bench.kling.hidden = set()
    job_id = order(bench, name)
    bench.kling.hidden.add(job_id)
    bench.run_for(10 * MINUTE)
    assert bench.job(job_id).state == UNKNOWN
    bench.kling.hidden.clear()
    bench.run_for(10 * MINUTE)
    assert bench.job(job_id).state == SUBMITTED
    assert bench.kling.posts == [job_id]


@pytest.mark.parametrize("name", OTHERS)
def test_a_killed_process_repeats_no_create_of_which_it_knows_nothing(bench, name):
    bench.kling.answers = [(KeyboardInterrupt(), False)]
    with pytest.raises(KeyboardInterrupt):
        order(bench, name)
    bench.restart()
    bench.run_for(14 * MINUTE)
    [job] = bench.ledger.jobs()
    assert bench.kling.posts == [job.id]
    assert job.state == UNKNOWN


@pytest.mark.parametrize("name", REQUESTS)
def test_a_job_that_waited_is_sent_after_a_restart_once_kling_would_show_an_earlier_create(bench, name):
    bench.kling.answers = [(api_error(429, 1303, "parallel task over resource pack limit"), False)]
    job_id = order(bench, name)
    assert bench.job(job_id).state == WAITING
    posts = len(bench.kling.posts)
    bench.restart()
    bench.run_for(2 * MINUTE)
    assert (len(bench.kling.posts) == posts) == (name in OTHERS)
    bench.run_for(3 * MINUTE)
    assert len(bench.kling.posts) == posts + 1
    assert bench.job(job_id).state == SUBMITTED


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_refused_for_good_and_not_found_has_failed(bench, name):
    bench.kling.answers = [(api_error(400, 1201, "prompt size must be between 0 and 2500"), False)]
    job_id = order(bench, name)
    assert bench.job(job_id).state == FAILED
    assert bench.studio.nothing_spent(bench.job(job_id))


def test_a_picture_that_is_gone_ends_the_job_before_anything_is_sent(bench):
    [job] = bench.order_all([ImageToVideo(prompt="It runs", image="0" * 64)])
    assert bench.kling.made == {}
    job = bench.job(job.id)
    assert job.state == NOT_SENT
    assert job.message.startswith("The picture is not there any more: choose it again.")
    assert bench.studio.nothing_spent(job)


def test_the_bytes_of_a_picture_of_the_data_folder_are_sent(bench, monkeypatch):
    pictures = {"0" * 64: b"a picture"}
    monkeypatch.setattr(bench.studio.pictures, "read", pictures.__getitem__)
    [job] = bench.order_all([ImageToVideo(prompt="It runs", image="0" * 64)])
    assert bench.job(job.id).state == SUBMITTED
    assert b"a picture" not in b"".join(bench.writes)


def test_the_bytes_of_a_picture_are_never_ordered_only_its_name(bench):
    with pytest.raises(InvalidRequest, match="Add the picture"):
        bench.order_all([ImageToVideo(prompt="It runs", image="A" * 4000)])
    assert bench.ledger.jobs() == ()


@pytest.mark.parametrize("frame", ["image", "image_tail"])
def test_nor_are_those_of_a_picture_of_few_bytes(bench, frame):
    request = ImageToVideo(prompt="It runs", mode="pro", image=FRAME)
    with pytest.raises(InvalidRequest, match="Add the picture"):
        bench.order_all([replace(request, **{frame: "iVBORw0KGgo="})])  # type: ignore[arg-type]
    assert bench.ledger.jobs() == ()


def test_a_pair_of_keys_orders_only_what_it_may_use(tmp_path):
    bench = Bench(tmp_path)
    bench.studio.settings = replace(bench.studio.settings, credentials=KeyPair("a", "b" * 32))
    with pytest.raises(InvalidRequest, match="needs an API key"):
        order(bench, "text-to-video")
    assert bench.ledger.jobs() == ()
    assert order(bench, "image2video")


def test_many_jobs_of_the_newer_generation_are_asked_for_in_few_calls(bench: Bench, monkeypatch):
    jobs = bench.order_all([REQUESTS["text-to-video"]] * 5)
    bench.run_for(MINUTE)
    running = [job.id for job in jobs if bench.job(job.id).state == SUBMITTED]
    calls: list[set[str]] = []
    ask = bench.kling.find_many

    def noted(ids: Sequence[str]) -> tuple[Task, ...]:
        calls.append(set(ids))
        return ask(ids)

    monkeypatch.setattr(bench.kling, "find_many", noted)
    bench.run_for(30.0)
    assert calls
    assert all(each == set(running) for each in calls)


def test_a_list_that_cannot_be_read_keeps_no_other_one_from_being_read(bench: Bench, monkeypatch):
    mark = bench.studio.mark()
    bench.kling.add(f"v{mark}-{'0' * 24}")
    ask = bench.kling.list

    def broken(*, endpoint: Endpoint = ENDPOINTS[0], **page: int) -> tuple[Task, ...]:
        if endpoint.name == "image2video":
            raise api_error(404, 1202, "Not found")
        return ask(endpoint=endpoint, **page)

    monkeypatch.setattr(bench.kling, "list", broken)
    bench.kling.add(f"v{mark}-{'1' * 24}")
    bench.kling.made_at[f"v{mark}-{'1' * 24}"] = NEWER_TEXT_TO_VIDEO
    bench.studio.scan_account()
    bench.run_for(20.0)
    assert {job.id: job["endpoint"] for job in bench.ledger.jobs()} == {
        f"v{mark}-{'0' * 24}": "text2video",
        f"v{mark}-{'1' * 24}": "text-to-video",
    }
    assert not bench.studio.scan.findings.is_complete
    assert "Kling does not know this method" in bench.studio.scan.findings.trouble


def test_tasks_that_a_pair_of_keys_does_not_open_are_not_asked_for_and_say_so(bench: Bench):
    job_id = order(bench, "text-to-video")
    bench.studio.settings = replace(bench.studio.settings, credentials=KeyPair("a", "b" * 32))
    bench.kling.gets.clear()
    bench.run_for(MINUTE)
    assert bench.kling.gets == []
    assert bench.poller.trouble == ""
    explained = bench.studio.explain(bench.job(job_id))
    assert explained is not None
    assert "API key" in explained.why


def test_a_job_that_waits_for_an_endpoint_that_the_new_keys_do_not_open_holds_no_other_one(bench: Bench):
    def refuse(*_: object, **about: object) -> Task | None:
        if about["endpoint"] is NEWER_TEXT_TO_VIDEO:
            raise api_error(401, 1002, "Auth failed")
        return None

    about = {"account": bench.account, **request_cells(REQUESTS["text-to-video"])}
    job_id = new_id(bench.studio.mark(), bench.clock.now)
    bench.ledger.append(job_id, state=WAITING, **about)
    bench.restart()
    bench.studio.settings = replace(bench.studio.settings, credentials=KeyPair("a", "b" * 32))
    bench.kling.find = refuse  # type: ignore[method-assign]
    bench.run_for(MINUTE)
    assert bench.job(job_id).state == NOT_SENT
    assert "needs an API key" in bench.job(job_id).message
    assert bench.studio.admission.holds == ()
    other = order(bench, "text2video")
    bench.run_for(MINUTE)
    assert bench.job(other).state == SUBMITTED
    assert bench.kling.posts == [other]
