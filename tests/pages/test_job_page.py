"""A job's page: what it shows of every kind of job, its family, the way back, and what is folded."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.studio.jobs import STATES, Job, request_cells
from kling.studio.library import JobQuery
from kling.studio.service import Studio
from pages._ui.job.address import back_of_address, job_link, job_params
from pages._ui.job.changes import changes_html
from pages._ui.job.tree import LOOKED_AT, SHOWN, family_of
from tests.pages.conftest import texts
from tests.pages.test_lists import open_job, open_page
from tests.pages.test_pages import HOSTILE, fill

PROBE = {"width": 1280, "height": 720, "seconds": 5.04, "fps": 24, "audio": False}
IMPORTED = json.dumps({"imported": {"id": "i1", "was": "waiting"}})


def plain(app: AppTest) -> str:
    """Return what the page says, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", texts(app)))


def a_job(job_id: str = "a", prompt: str = "", **cells: str) -> Job:
    request = request_cells(TextToVideo(prompt=prompt, model_name="kling-v2-6", mode="std", duration="5"))
    return Job({"external_task_id": job_id, "state": "succeed", **request, **cells})


# -- addresses -----------------------------------------------------------------------------------------------


def test_the_address_has_the_job_and_the_way_back():
    query = JobQuery(text="fox & co", page=3)
    assert job_link("a1", query, page="gallery") == "/job?id=a1&q=fox+%26+co&page=3&back=gallery"
    assert JobQuery.of_address(job_params("a1", query)) == query
    assert [back_of_address({"back": page}) for page in ("gallery", "https://evil", "", "admin")] == [
        "gallery",
        "history",
        "history",
        "history",
    ]


def test_the_way_back_names_where_one_came_from_and_j_and_k_lead_along_it(studio: Studio, tab: AppTest):
    fill(studio, 3)
    open_page(tab, "job.py", id="job0001", q="prompt")
    back = [link.proto for link in tab.get("page_link") if link.proto.label.startswith("3 jobs")]
    assert [(link.label, link.query_string) for link in back] == [("3 jobs with “prompt”", "q=prompt")]
    ways = dict(re.findall(r'data-way="(\w+)"[^>]*href="([^"]*)"', texts(tab)))
    assert ways == {"before": "/job?id=job0002&amp;q=prompt", "after": "/job?id=job0000&amp;q=prompt"}


@pytest.mark.parametrize("params", [{}, {"batch": "b1"}, {"page": "2"}])
def test_an_old_link_of_history_leads_to_the_page_and_keeps_the_way_back(
    studio: Studio, tab: AppTest, params: dict[str, str]
):
    fill(studio, 2, batch="b1")
    open_page(tab, "history.py", task="job0001", **params)
    assert "Prompt 1" in plain(tab)
    found = {name: tab.query_params[name] for name in ("id", *params)}
    assert found == {"id": "job0001", **params}
    assert "task" not in tab.query_params


# -- each kind of job ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_a_job_of_every_state_has_its_page(studio: Studio, tab: AppTest, state: str):
    fill(studio, 1, state=state, file="")
    open_page(tab, "job.py", id="job0000")
    assert "What happened" in plain(tab)
    assert "Prompt 0" in plain(tab)
    assert "<video" not in texts(tab)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"deleted": "2026-11-27T10:00:00+00:00", "file": "a.mp4", "by_name": "Ben"}, "Deleted by Ben"),
        ({"extra": '{"gone":"2026-11-01"}', "file": ""}, "Kling has no video for this task any more"),
        ({"state": "withdrawn", "extra": IMPORTED, "file": ""}, "taken in from another log, as history"),
        ({"extra": '{"found":"file"}', "prompt": "", "file": "a.mp4"}, "Found, without its order"),
        ({"hidden": "1", "by_name": "Mia", "file": "a.mp4"}, "Hidden by Mia"),
    ],
)
def test_what_is_special_about_a_job_is_said(studio: Studio, tab: AppTest, cells: dict[str, str], words: str):
    fill(studio, 1, **{"state": "succeed", **cells})
    open_page(tab, "job.py", id="job0000")
    assert words in plain(tab)
    if "imported" in cells.get("extra", ""):
        assert "Taken in" in plain(tab)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [("A fox", "Ordered 2 Nov 2025, 09:00"), ("", "Made by the sandbox 2 Nov 2025, 09:00")],
)
def test_a_task_that_was_found_has_the_time_of_its_order(
    studio: Studio, tab: AppTest, prompt: str, told: str
):
    found = {"extra": '{"found":"account"}', "created_at": "2025-11-02T09:00:00+00:00", "task_id": "7"}
    fill(studio, 1, state="succeed", prompt=prompt, time="2025-11-27T10:00:00+00:00", **found)
    open_page(tab, "job.py", id="job0000")
    assert told in plain(tab)
    assert ("Found here 27 Nov 2025" in plain(tab)) == (not prompt)
    assert re.search(r'class="job-who">.*?<span>2 Nov 2025, 09:00</span>', texts(tab), re.DOTALL)


def test_an_import_that_was_undone_has_no_page(studio: Studio, tab: AppTest):
    fill(studio, 1, state="withdrawn", extra='{"imported":{"id":"i1","undone":true}}')
    open_page(tab, "job.py", id="job0000")
    assert "that was undone" in plain(tab)
    assert "Prompt 0" not in plain(tab)


def test_what_came_stands_beside_what_was_ordered_and_differences_have_a_reason(studio: Studio, tab: AppTest):
    request = TextToVideo(prompt="A fox", model_name="kling-v2-6", mode="pro", duration="5", sound="on")
    fill(
        studio,
        1,
        **{**request_cells(request), "units": "7"},
        state="succeed",
        account="kling#1",
        final_unit_deduction="8",
        extra=json.dumps({"probe": PROBE}),
        file="a.mp4",
    )
    open_page(tab, "job.py", id="job0000")
    rows = re.findall(r"<tr><th scope='row'>(.*?)</th><td[^>]*>(.*?)</td><td([^>]*)>(.*?)</td>", texts(tab))
    table = {name: (ordered, came, "differs" in mark) for name, ordered, mark, came in rows}
    assert table["Length"] == ("5 s", "5.04 s", False)
    assert table["Quality"] == ("1080p", "720p (1280 × 720)<small>smaller than ordered</small>", True)
    assert table["Sound"] == ("On", "no audio track<small>not as ordered</small>", True)
    assert table["Cost"][0] == "$0.98"
    assert table["Cost"][1:] == ("$1.12<small>not what was expected</small>", True)


def test_what_happened_has_its_times(studio: Studio, tab: AppTest):
    start = datetime.now(UTC) - timedelta(hours=1)
    request = request_cells(TextToVideo(prompt="A fox"))
    for state, seconds in (("intent", 0), ("submitted", 2), ("processing", 16), ("succeed", 97)):
        when = (start + timedelta(seconds=seconds)).isoformat()
        studio.ledger.append("fox1", state=state, time=when, account="kling#1", **request)
        request = {}
    path = studio.archive.video("fox1")
    path.write_bytes(b"x" * 8_400_000)
    studio.ledger.append("fox1", file=path.name, file_bytes="8400000")
    open_page(tab, "job.py", id="fox1")
    events = re.findall(r"<li data-look=\"ok\"><span>(.*?)</span><time[^>]*>(.*?)</time>", texts(tab))
    assert [event for event, _ in events] == [
        "Ordered",
        "Taken by Kling",
        "Started",
        "Ready",
        "Saved here, 8.4 MB",
    ]
    assert [when for _, when in events][1:4] == ["2 s later", "after 0:14", "after 1:35"]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d", when) for when in (events[0][1], events[4][1]))


# -- what is folded ------------------------------------------------------------------------------------------


def test_request_answers_and_ids_are_made_only_when_they_are_unfolded(studio: Studio, tab: AppTest):
    fill(studio, 1, state="failed", code="1301", request_id="r-9", message="Kling refused it.")
    studio.ledger.append("job0000", note="Why?", by_name="Ben")
    open_page(tab, "job.py", id="job0000")
    assert not tab.code
    open_job(tab, "job0000")
    sent, recorded = (json.loads(block.value) for block in tab.code if block.value.startswith(("{", "[")))
    assert sent["prompt"] == "Prompt 0"
    assert [record.get("note") for record in recorded] == ["Why?", None]
    assert recorded[1]["request_id"] == "r-9"
    assert "Request at Kling" in plain(tab)


def test_a_log_that_cannot_be_read_leaves_the_rest_of_the_page(studio: Studio, tab: AppTest):
    fill(studio, 1, note="Ours", by_name="Ben")
    (studio.settings.data_dir / "history.csv").rename(studio.settings.data_dir / "away.csv")
    try:
        open_job(tab, "job0000")
    finally:
        (studio.settings.data_dir / "away.csv").rename(studio.settings.data_dir / "history.csv")
    assert "The log cannot be read now." in plain(tab)
    assert "Ours" in plain(tab)


# -- the family ----------------------------------------------------------------------------------------------


def family(jobs: dict[str, Job], job_id: str, most: int = SHOWN) -> list[tuple[str, int]]:
    found = family_of(
        jobs[job_id],
        get=jobs.get,
        batch=lambda group: [job for job in jobs.values() if job.group == group],
        made_from=lambda parent: [job for job in jobs.values() if job.parent == parent],
        most=most,
    )
    return [(member.job.id, member.depth) for member in found.members]


def test_the_tree_has_parents_above_children_and_takes_side_by_side():
    jobs = {
        job.id: job
        for job in (
            a_job("a"),
            a_job("b", parent="a"),
            a_job("c", parent="b", batch="g"),
            a_job("d", parent="b", batch="g", extra='{"take":2}'),
            a_job("e", parent="c"),
        )
    }
    assert family(jobs, "c") == [("a", 0), ("b", 1), ("c", 2), ("e", 3), ("d", 2)]
    assert family(jobs, "c", most=3) == [("b", 0), ("c", 1), ("d", 1)]


def test_jobs_that_name_one_another_as_parents_do_not_hang_the_page():
    jobs = {job.id: job for job in (a_job("a", parent="b"), a_job("b", parent="a"), a_job("c", parent="c"))}
    assert {job_id for job_id, _ in family(jobs, "a")} == {"a", "b"}
    assert family(jobs, "c") == [("c", 0)]


def test_a_large_family_is_shown_in_part_and_then_whole(studio: Studio, tab: AppTest):
    fill(studio, 1)
    for number in range(LOOKED_AT + 5):
        studio.ledger.append(f"kid{number:03d}", state="withdrawn", parent="job0000", prompt="Prompt 0")
    open_page(tab, "job.py", id="job0000")
    assert texts(tab).count('class="job-row"') == SHOWN
    assert "more than 60 jobs" in plain(tab)
    assert "<b><bdi>Nobody named</bdi>, " in texts(tab)
    tab.button(key="job.whole_family").click().run()
    assert texts(tab).count('class="job-row"') == LOOKED_AT


def test_each_step_shows_only_what_changed():
    old = a_job(prompt="A fox lifts one paw. Snow falls in large slow flakes.")
    new = a_job(prompt="A fox lifts one paw. Snow falls in small flakes.", mode="pro", sound="on")
    assert changes_html(old, new) == (
        "<del>large slow</del> <ins>small</ins> flakes · <del>720p</del> <ins>1080p</ins>"
        " · sound <del>Off</del> <ins>On</ins>"
    )
    assert changes_html(old, old) == "the same once more"


def test_a_prompt_that_was_written_anew_is_no_list_of_changes():
    found = changes_html(a_job(prompt="A fox in the snow"), a_job(prompt="Blue city at night, rain on glass"))
    assert found == "another prompt: <ins>Blue city at night, rain on glass</ins>"


def test_hostile_words_are_text_in_the_tree(studio: Studio, tab: AppTest):
    fill(studio, 1, prompt="A fox")
    studio.ledger.append("kid", state="withdrawn", parent="job0000", prompt=HOSTILE, person=HOSTILE)
    open_page(tab, "job.py", id="job0000")
    assert "<script>alert" not in "".join(str(each.value) for each in tab.html)


# -- again ---------------------------------------------------------------------------------------------------


def test_generate_again_orders_a_new_job_that_is_a_child_of_this_one(studio: Studio, tab: AppTest):
    fill(studio, 1, state="succeed", file="a.mp4")
    open_page(tab, "job.py", id="job0000")
    button = tab.button(key="job.again-job0000")
    assert button.label == "Generate again · free"
    assert "Orders a new job" in button.help
    button.click().run()
    again = studio.ledger.jobs()[-1]
    assert (again.parent, again["prompt"]) == ("job0000", "Prompt 0")
    assert f'data-open href="/job?id={again.id}"' in texts(tab)
    assert str(tab.toast[0].value).endswith(f"[Open its page](/job?id={again.id})")


def test_generate_again_in_the_menu_closes_it(studio: Studio, tab: AppTest):
    fill(studio, 1, state="succeed", file="a.mp4")
    tab.session_state["job.more"] = True
    open_page(tab, "job.py", id="job0000")
    tab.button(key="job.moreagain-job0000").click().run()
    assert not tab.session_state["job.more"]
    assert len(studio.ledger.jobs()) == 2


def test_check_now_asks_about_a_job_that_is_made_and_says_so(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    fill(studio, 1, state="processing", file="")
    asked: list[str] = []
    monkeypatch.setattr(studio.poller, "wake_for", asked.append)
    monkeypatch.setattr(studio.accounts, "owns", lambda _job: True)
    tab.session_state["job.more"] = True
    open_page(tab, "job.py", id="job0000")
    tab.button(key="job.check").click().run()
    assert asked == ["job0000"]
    assert "Kling is being asked." in str(tab.toast[0].value)


def test_a_clip_that_was_just_hidden_keeps_its_place_in_the_list(studio: Studio, tab: AppTest):
    fill(studio, 3)
    studio.ledger.append("job0001", hidden="1")
    open_page(tab, "job.py", id="job0001", q="prompt")
    ways = dict(re.findall(r'data-way="(\w+)"[^>]*href="([^"]*)"', texts(tab)))
    assert ways == {"before": "/job?id=job0002&amp;q=prompt", "after": "/job?id=job0000&amp;q=prompt"}
