"""Each page when it is empty, full, and when the API or the disk is failing."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.studio.jobs import request_cells
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from pages._ui import context
from tests.pages.conftest import (
    ROOT,
    DeadConnection,
    press_generate,
    rows_of,
    stage_of,
    texts,
    tiles_of,
    words_of,
)
from tests.studio.fakes import order_one

PAGES = ["compose.py", "history.py", "gallery.py"]
STATES = [
    "waiting",
    "intent",
    "submitted",
    "processing",
    "succeed",
    "failed",
    "unknown",
    "not_sent",
    "withdrawn",
]
HOSTILE = "<script>alert(1)</script> ![x](http://evil/x.png) **bold** $a_b$ :red[no] \u202e 🎬 `code`\nline"


def fill(studio: Studio, count: int, **cells: str) -> None:
    """Write down as many jobs, of each state in turn."""

    def job(number: int) -> tuple[str, dict[str, str]]:
        state = STATES[number % len(STATES)]
        return f"job{number:04d}", {
            "state": state,
            "account": "sandbox",
            "person": "Ada",
            **request_cells(TextToVideo(prompt=f"Prompt {number}")),
            "file": f"job{number:04d}.mp4" if state == "succeed" else "",
            **cells,
        }

    studio.ledger.append_many([job(number) for number in range(count)])


@pytest.mark.parametrize("page", PAGES)
def test_page_without_any_task_says_what_belongs_there(tab: AppTest, page: str):
    tab.switch_page(f"{page}").run()
    assert not tab.exception
    assert not tab.error
    if page == "compose.py":
        assert stage_of(tab)["first"]  # templates to begin with
    else:
        assert "appear" in texts(tab) or "listed here" in texts(tab)


@pytest.mark.parametrize("page", PAGES)
def test_page_says_that_this_is_the_sandbox(tab: AppTest, page: str):
    tab.switch_page(page).run()
    assert "No Kling key is set" in texts(tab)


@pytest.mark.parametrize("page", PAGES)
def test_page_with_hundreds_of_tasks_of_every_state_draws_a_page_of_them(
    studio: Studio, tab: AppTest, page: str
):
    fill(studio, 600)
    tab.session_state.composer.jobs = [f"job{number:04d}" for number in range(9)]
    tab.switch_page(page).run()
    assert not tab.exception
    assert "could not be drawn" not in texts(tab)
    if page == "gallery.py":
        assert len(tiles_of(tab)) == 40
    if page == "history.py":
        assert len(rows_of(tab)) == 50


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_is_drawn_as_text(studio: Studio, tab: AppTest, page: str):
    fill(
        studio,
        5,
        prompt=HOSTILE,
        person=HOSTILE,
        message=HOSTILE,
        task_status_msg=HOSTILE,
        model_name=HOSTILE,
    )
    fill_failed = {"state": "failed", "message": HOSTILE}
    studio.ledger.append("job0001", **fill_failed)
    tab.session_state.composer.jobs = [f"job{number:04d}" for number in range(5)]
    tab.switch_page(page).run()
    assert not tab.exception
    assert all("<script>alert" not in str(element.value) for element in tab.html)
    shown = [
        str(element.value) for kind in (tab.caption, tab.error, tab.info, tab.markdown) for element in kind
    ]
    assert all("![x](" not in text and "<script>" not in text for text in shown)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("", "Write what the video should show"),
        ("   \n ", "Write what the video should show"),
        ("x" * 2501, "shorten it by 1"),
        ("a\x00b", "cannot be sent"),
    ],
)
def test_a_prompt_that_cannot_be_sent_is_refused_and_stays_in_the_field(
    studio: Studio, app: AppTest, prompt: str, words: str
):
    app.text_area(key="composer.prompt").set_value(prompt)
    press_generate(app)
    assert words in texts(app)
    assert app.text_area(key="composer.prompt").value == prompt
    assert studio.ledger.jobs() == ()


def test_all_problems_stand_at_their_fields_at_once(app: AppTest):
    app.button(key="composer.panel_avoid").click().run()
    app.text_area(key="composer.prompt").set_value("x" * 2600)
    app.text_area(key="composer.negative_prompt").set_value("y" * 2503)
    press_generate(app)
    assert "shorten it by 100" in texts(app)
    assert "shorten it by 3" in texts(app)


def test_a_full_disk_is_said_in_words_and_nothing_is_sent(
    studio: Studio, app: AppTest, writes: list[OSError]
):
    app.text_area(key="composer.prompt").set_value("A fox")
    writes.append(OSError(errno.ENOSPC, "No space left on device"))
    press_generate(app)
    said, _, folded = texts(app).partition('<div class="studio-fix"')[2].partition("</summary>")
    cause = "history.csv cannot be written: No space left on device."
    assert f"<b>Nothing was sent and nothing was spent.</b> {cause} <u>" in said
    assert folded.startswith("<p>Whoever runs the studio has to make room")
    assert texts(app).count("cannot be written") == 1
    assert app.text_area(key="composer.prompt").value == "A fox"
    assert studio.ledger.jobs() == ()
    press_generate(app)  # there is room again
    assert len(studio.ledger.jobs()) == 1


def test_an_api_that_cannot_be_reached_leaves_the_task_waiting_and_says_so(studio: Studio, app: AppTest):
    reached = threading.Event()
    studio.changes.subscribe(
        lambda: reached.set() if any(j.state == "waiting" for j in studio.ledger.jobs()) else None
    )
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    assert reached.wait(120)
    app.run()
    (job,) = studio.ledger.jobs()
    assert job.state == "waiting"
    assert "sent by itself" in texts(app)
    assert app.text_area(key="composer.prompt").value == "A fox"
    app.button(key=f"composer.withdraw-{job.id}").click().run()
    assert studio.ledger.jobs()[0].state == "withdrawn"


def test_the_connection_check_says_what_is_wrong(app: AppTest):
    next(button for button in app.button if button.label == "Check the connection").click().run()
    assert any("refused" in element.value for element in app.error)


def test_what_this_session_ordered_stands_on_the_strip_and_the_newest_on_the_stage(
    studio: Studio, app: AppTest
):
    made = [
        order_one(studio, TextToVideo(prompt=f"A fox {number}"), Press(person="", session="s"))
        for number in range(14)
    ]
    app.session_state.composer.jobs = [job.id for job in reversed(made)]
    app.run()
    told = stage_of(app)
    assert [card["words"] for card in told["mine"]] == [f"A fox {number}" for number in range(13, 1, -1)]
    assert told["chosen"] == made[-1].id
    assert words_of(app) == "A fox 13"


def test_pressing_generate_twice_with_the_same_draft_is_one_job(studio: Studio, app: AppTest):
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    press_generate(app)
    assert len(studio.ledger.jobs()) == 1
    assert len(app.session_state.composer.jobs) == 1


def test_the_name_stands_in_the_log(studio: Studio, app: AppTest):
    app.text_input(key="app.name").set_value("Grace Hopper").run()
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    assert studio.ledger.jobs()[0]["person"] == "Grace Hopper"


def test_a_failing_page_part_gives_a_reference_instead_of_an_exception(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    from kling.studio.downloads import Downloads

    fill(studio, 5)

    def broken(_self: object) -> None:
        raise RuntimeError("secret-key-123")

    monkeypatch.setattr(Downloads, "not_safe", property(broken))
    tab.switch_page("gallery.py").run()
    assert not tab.exception
    assert "could not be drawn" in texts(tab)
    assert "secret-key-123" not in texts(tab)


@pytest.mark.parametrize("page", PAGES)
def test_page_with_a_log_that_was_torn_and_spoiled_opens_and_says_what_it_could_not_read(
    tmp_path: Path, page: str
):
    log = tmp_path / "history.csv"
    first = Studio(Settings(data_dir=tmp_path), connection=DeadConnection(is_sandbox=True))
    fill(first, 5)
    first.stop()
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:3], b"what is this,\n", *lines[3:], lines[-1][: len(lines[-1]) // 2]]))
    second = Studio(Settings(data_dir=tmp_path), connection=DeadConnection(is_sandbox=True))
    context.install(second)
    try:
        app = AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=120).run()
        app.switch_page(page).run()
        assert not app.exception
        assert len(second.ledger.jobs()) == 5
        assert "cannot be read" in texts(app)
        assert (tmp_path / "history.csv.torn").read_bytes().strip() == lines[-1][
            : len(lines[-1]) // 2
        ].strip()
    finally:
        context.install(None)
        second.stop()


def test_a_task_that_kling_could_not_make_is_ordered_again_as_a_job_of_its_own(studio: Studio, tab: AppTest):
    fill(studio, 1, state="submitted", task_id="1")
    studio.ledger.append("job0000", state="failed", task_status_msg="The model fell over")
    tab.session_state.composer.jobs = ["job0000"]
    tab.run()
    assert "The model fell over" in texts(tab)
    assert "Order it again" in texts(tab)
    again = tab.button(key="composer.again-job0000")
    assert again.label == "Order again · free"
    again.click().run()
    first, second = studio.ledger.jobs()
    assert (second.parent, second["prompt"]) == (first.id, first["prompt"])
    assert tab.session_state.composer.jobs[0] == second.id
    tab.session_state.composer.chosen = "job0000"
    tab.run().button(key="composer.again-job0000").click().run()  # at once, for the second time
    assert len(studio.ledger.jobs()) == 2


def test_a_task_that_broke_a_policy_leads_to_its_prompt(studio: Studio, tab: AppTest):
    fill(studio, 1, state="submitted", task_id="1")
    studio.ledger.append("job0000", state="failed", task_status_msg="Failure to pass the risk control system")
    tab.session_state.composer.jobs = ["job0000"]
    tab.run()
    assert "Edit the prompt" in texts(tab)
    assert not any(button.key == "composer.again-job0000" for button in tab.button)


def test_what_came_otherwise_than_ordered_and_what_it_was_charged_is_said(studio: Studio, tab: AppTest):
    probe = '{"probe":{"width":640,"height":360,"fps":24.0,"seconds":5.0,"audio":false}}'
    fill(studio, 1, state="submitted", task_id="1", account="kling#1")
    studio.ledger.append(
        "job0000", state="succeed", file="job0000.mp4", extra=probe, final_unit_deduction="3"
    )
    tab.session_state.composer.jobs = ["job0000"]
    tab.run()
    assert "size: ordered 720p, came 360p" in texts(tab).replace("\\", "")
    assert "Charged $0.42 (3 Units); $0.21 (1.5 Units) were expected" in texts(tab).replace("\\", "")
