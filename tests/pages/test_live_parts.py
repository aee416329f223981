"""What live parts write for the script: at which version they were drawn, and what concerns them."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.changes import JOBS, LIBRARY, NOTICE, SCAN, News
from kling.studio.jobs import Job
from kling.studio.service import Studio
from pages._ui.live.marks import job_mark, short_name
from tests.pages.conftest import press_generate
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill

MARK = re.compile(
    r'<i data-live="(\w+)" data-version="(\d+)" data-live-jobs="([^"]*)"( data-live-ages)? hidden>'
)


def marks(app: AppTest) -> Mapping[str, tuple[int, list[str], bool]]:
    """Return by part the version, the names of what it shows, and whether its words age."""
    found = [MARK.fullmatch(element.value.removesuffix("</i>")) for element in app.html]
    return {mark[1]: (int(mark[2]), mark[3].split(), bool(mark[4])) for mark in found if mark}


def test_each_part_names_what_it_shows(studio: Studio, tab: AppTest):
    fill(studio, 4)
    tab.run()
    assert marks(tab)["header"] == (studio.changes.version, [NOTICE], False)
    assert marks(tab)["tasks"][1] == []
    shown = ["*", JOBS, LIBRARY, *(f"job{number:04}" for number in range(4))]
    assert marks(open_page(tab, "history.py"))["history"][1:] == (shown, True)
    assert marks(open_page(tab, "job.py", id="job0001"))["job"][1] == [LIBRARY, "job0001"]
    gallery = marks(open_page(tab, "gallery.py"))
    assert gallery["gallery"][1:] == gallery["totals"][1:] == (["*", JOBS, LIBRARY], False)
    assert marks(open_page(tab, "spend.py"))["spend"][1] == ["*", LIBRARY, SCAN]


class Held:
    """A rest of the library that ends when a test says so."""

    def __init__(self) -> None:
        self.go, self.reached = threading.Event(), threading.Event()

    def __call__(self, _: float) -> None:
        self.reached.set()
        self.go.wait(20)


@pytest.mark.parametrize("rest", [Held], indirect=True)
def test_what_was_drawn_from_a_part_of_the_index_is_behind_when_it_is_whole(
    studio: Studio, tab: AppTest, rest: Held
):
    fill(studio, 20)
    told = threading.Event()
    studio.library.start()
    assert rest.reached.wait(20)
    version, shown, _ = marks(open_page(tab, "history.py"))["history"]
    assert shown == ["*", JOBS, LIBRARY]
    follower = studio.changes.follow(told.set, since=version)
    follower.take()
    rest.go.set()
    assert told.wait(20)
    assert follower.take() == News(version + 1, frozenset({LIBRARY}))
    assert len(marks(open_page(tab, "history.py"))["history"][1]) == 23


def test_compose_names_the_jobs_of_the_session_and_ages_while_one_is_made(studio: Studio, app: AppTest):
    fill(studio, 4)
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    (job,) = [job for job in studio.ledger.jobs() if job["prompt"] == "A fox"]
    _, names, ages = marks(app)["tasks"]
    assert job.id in names
    assert ages
    studio.ledger.append(job.id, state="failed")
    app.run()
    assert marks(app)["tasks"] == (studio.changes.version, [job.id], False)


def test_a_hostile_prompt_in_a_mark_is_text_and_a_name_is_short():
    prompt = 'A "fox" <img src=x onerror=alert(1)> & ' + "very " * 30 + "long, story"
    job = Job({"external_task_id": "v1", "state": "processing", "prompt": prompt, "time": ""})
    html = job_mark(job, f"Clip done: {prompt}", is_own=True)
    assert "<img" not in html
    assert html.count("<") == html.count(">") == 2
    assert len(short_name(job)) <= 40
    assert not short_name(job).endswith((",", " "))
