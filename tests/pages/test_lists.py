"""History and Gallery: a task with everything that is known of it, and a batch as one group."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import pytest
from streamlit.testing.v1 import AppTest

from kling import CameraControl, Shot, TextToVideo
from kling.studio.jobs import request_cells
from kling.studio.service import Studio
from pages._ui.job import settings
from pages._ui.job.changes import changes_html
from pages._ui.job.settings import settings_of
from pages._ui.library.row_facts import LONGEST
from pages._ui.requests import facts_of
from pages._ui.words import CANCEL_REST
from tests.pages.conftest import rows_of, texts, tiles_of
from tests.pages.test_pages import HOSTILE, fill


def said(app: AppTest) -> str:
    facts = texts(app).replace('</dt><dd dir="auto">', ": ")
    return "\n".join([facts, *(str(each.value) for each in app.code)])


def links(app: AppTest) -> list[str]:
    return [str(each.proto.label) for each in app.get("page_link")]


def open_page(app: AppTest, page: str, /, **params: str) -> AppTest:
    app.query_params.clear()
    for name, value in params.items():
        app.query_params[name] = value
    app.switch_page(page)
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    return app


def open_job(app: AppTest, job_id: str) -> AppTest:
    """Open a job's page with all that it folds."""
    app.session_state["job.details"] = True
    return open_page(app, "job.py", id=job_id)


def test_every_field_of_a_request_and_every_id_stands_in_the_details(studio: Studio, tab: AppTest):
    request = TextToVideo(
        prompt="A fox",
        negative_prompt="rain",
        model_name="kling-v1",
        mode="pro",
        duration="10",
        aspect_ratio="1:1",
        sound="on",
        cfg_scale=0.7,
        camera_control=CameraControl(type="simple", config={"pan": -4}),
        watermark=True,
        callback_url="https://example.com/hook?token=hush-hush",
        multi_shot=True,
        shot_type="customize",
        multi_prompt=(Shot(prompt="It wakes", duration="4"), Shot(prompt="It runs", duration="6")),
    )
    fill(studio, 1, state="succeed", task_id="77", request_id="r-9", video_id="v-3", **request_cells(request))
    words = said(open_job(tab, "job0000"))
    facts = {
        "model_name": ["Model: Kling 1.0 (kling-v1)"],
        "prompt": ["A fox"],
        "negative_prompt": ["rain"],
        "mode": ["Quality: 720p (pro)"],
        "duration": ["Length: 10 s"],
        "aspect_ratio": ["Shape: 1:1"],
        "sound": ["Sound: on"],
        "cfg_scale": ["Prompt strength: 0.7"],
        "camera_control": ["Camera: simple pan -4"],
        "multi_shot": ["Shots: customize"],
        "shot_type": ["Shots: customize"],
        "multi_prompt": ["It wakes", "It runs", "Shot 2, 6 s"],
        "watermark_info": ["Watermark: also with a watermark"],
        "callback_url": ["Callback address: https://example.com/hook"],
        "external_task_id": ["Id for support: job0000"],
    }
    assert facts.keys() == TextToVideo.FIELDS.keys()
    for fact in (
        *chain(*facts.values()),
        "Task at Kling: 77",
        "Request at Kling: r-9",
        "Video at Kling: v-3",
    ):
        assert fact in words
    assert "hush" not in words


def test_a_camera_move_has_the_same_words_in_the_details_and_beside_what_came(studio: Studio):
    request = TextToVideo(prompt="A fox", camera_control=CameraControl(type="down_back"))
    fill(studio, 1, state="succeed", **request_cells(request))
    job = studio.ledger.jobs()[0]
    assert ("Camera", "down back") in facts_of(request)
    assert settings_of(job)["Camera"] == "down back"


def test_a_field_that_a_request_gets_later_is_among_its_settings_and_its_changes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Later(TextToVideo):
        FIELDS: ClassVar = {**TextToVideo.FIELDS, "later": int, "loop": bool}
        later: int | None = None
        loop: bool = False

    values = {"job0000": None, "job0001": 0}
    fill(studio, len(values))
    monkeypatch.setattr(settings, "words_of", lambda job: Later(later=values[job.id]))
    jobs = {job.id: job for job in studio.ledger.jobs()}
    without, with_it = (jobs[job_id] for job_id in values)
    assert settings_of(with_it) == {**settings_of(without), "later": "0"}
    assert changes_html(without, with_it).endswith(" · later <ins>0</ins>")


def test_a_link_opens_a_task_of_any_page_and_an_unknown_one_is_said(studio: Studio, tab: AppTest):
    fill(studio, 120)
    assert "Id for support: job0003" in said(open_job(tab, "job0003"))
    open_page(tab, "history.py", task="job0007")  # as older versions gave it
    assert "Id for support: job0007" in said(tab)
    assert tab.query_params["id"] == "job0007"
    open_page(tab, "job.py", id="nobody")
    assert "no job of this id" in said(tab)


def test_a_task_leads_to_the_one_it_was_made_from_and_to_its_batch(studio: Studio, tab: AppTest):
    fill(studio, 2)
    studio.ledger.append("job0001", parent="job0000", batch="b1")
    open_page(tab, "job.py", id="job0001")
    assert {"All of this batch", "Remix"} <= set(links(tab))
    assert 'class="job-row" data-open href="/job?id=job0000"' in texts(tab)
    open_page(tab, "job.py", id="job0000")
    assert "2 jobs" in texts(tab)
    assert 'class="job-row" data-open href="/job?id=job0001"' in texts(tab)


def test_a_parent_that_the_log_does_not_have_is_said(studio: Studio, tab: AppTest):
    fill(studio, 1, parent="away")
    open_page(tab, "job.py", id="job0000")
    assert "Made from a job that this log does not have" in said(tab)


def test_estimate_and_charge_stand_side_by_side(studio: Studio, tab: AppTest):
    fill(studio, 1, state="succeed", units="1.5", final_unit_deduction="2", account="kling#1")
    open_job(tab, "job0000")
    assert "Price by the table: $0.21 (1.5 Units)" in said(tab)
    assert "Price charged: $0.28 (2 Units)" in said(tab)


def test_a_task_is_shown_whole_whatever_its_text(studio: Studio, tab: AppTest):
    combining = "e" + "\u0301" * 2499
    for text in (HOSTILE, combining, "\u202eright to left", "ثعلب أحمر"):
        cells = dict.fromkeys(("prompt", "message", "task_status_msg", "person", "parent", "batch"), text)
        request = TextToVideo(prompt=text, negative_prompt=text, model_name=text)
        fill(studio, 6, **(request_cells(request) | cells))
        open_job(tab, "job0004")
        assert [each.value for each in tab.code][:2] == [text, text]
        assert "<script>alert" not in "".join(str(each.value) for each in tab.html)
        assert "![x](" not in "".join([*links(tab), *(str(each.value) for each in tab.caption)])
        open_page(tab, "history.py", batch=text)
        cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        assert [row["words"] for row in rows_of(tab)] == [cut] * 6
        open_page(tab, "gallery.py", batch=text)
        assert "Batch: 1 of 6" in said(tab)


def test_a_batch_is_told_as_one_and_what_is_not_sent_can_be_taken_back(studio: Studio, tab: AppTest):
    fill(studio, 9, batch="b1")
    fill_more = TextToVideo(prompt="Another")
    studio.ledger.append("other", state="succeed", account="sandbox", **request_cells(fill_more))
    open_page(tab, "history.py", batch="b1")
    assert len(rows_of(tab)) == 9
    assert "Batch: 1 of 9 clips done" in said(tab)
    next(button for button in tab.button if button.label == CANCEL_REST).click().run()
    states = [job.state for job in studio.ledger.jobs()]
    assert "waiting" not in states
    assert "not_sent" not in states
    open_page(tab, "history.py", batch="nobody")
    assert "no batch of this name" in said(tab)


def test_the_clips_of_a_batch_stand_side_by_side_on_the_wall_and_lead_to_it(studio: Studio, tab: AppTest):
    for number in range(3):
        fill(studio, 5, batch="b1")
        studio.ledger.append(
            f"b{number}",
            state="succeed",
            account="sandbox",
            batch="b1",
            file=f"b{number}.mp4",
            **request_cells(TextToVideo(prompt="Of a batch")),
        )
    studio.ledger.append(
        "alone",
        state="succeed",
        account="sandbox",
        file="alone.mp4",
        **request_cells(TextToVideo(prompt="A fox")),
    )
    open_page(tab, "gallery.py")
    assert [tile.get("batch") for tile in tiles_of(tab)] == [None, *["b1"] * 4]
    open_page(tab, "gallery.py", batch="b1")
    assert len(tiles_of(tab)) == 4
    open_page(tab, "gallery.py", batch="nobody")
    assert "no batch of this name" in said(tab)


def test_a_batch_that_has_no_clip_yet_says_so(studio: Studio, tab: AppTest):
    fill(studio, 3, batch="b1", state="processing", file="")
    open_page(tab, "gallery.py", batch="b1")
    assert "Batch: 0 of 3 clips done" in said(tab)
    assert "appear here as they are done" in said(tab)
