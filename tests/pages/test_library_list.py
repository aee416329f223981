"""The list of History: what its script is told of jobs, who sees what, and what a press in it does."""

from __future__ import annotations

import html
import json
import re
import time
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from kling import Shot, TextToVideo, VideoToAudio
from kling.studio.identity.roles import Role
from kling.studio.jobs import request_cells
from kling.studio.service import Studio
from pages._ui.library import row_facts
from pages._ui.library.columns import COLUMNS
from pages._ui.library.days import name_of
from pages._ui.library.row_facts import LONGEST
from pages._ui.library.rows import KEY
from tests.pages.conftest import new_tab, rows_of, texts
from tests.pages.people import sign_in
from tests.pages.test_lists import links, open_page
from tests.pages.test_pages import HOSTILE, fill


def told(at: AppTest, name: str = "list") -> dict[str, Any]:
    found = re.search(rf'data-{name}="([^"]*)"', texts(at))
    assert found
    facts: dict[str, Any] = json.loads(html.unescape(found[1]))
    return facts


def add(studio: Studio, job_id: str, prompt: str = "A fox", **cells: str) -> None:
    request = request_cells(TextToVideo(prompt=prompt))
    studio.ledger.append(
        job_id, **{"state": "succeed", "account": studio.accounts.name, "person": "Ada", **request, **cells}
    )


def pressed() -> None:
    from pages._ui.curation.presses import did
    from pages._ui.library.rows import KEY

    did(KEY)


def press(studio: Studio, said: Any) -> AppTest:
    """Do what a press in the list does; `AppTest` runs no script of a page."""
    app = AppTest.from_function(pressed)
    app.session_state[KEY] = {
        "did": {"tab": "t", "acts": [{"n": 1, **said}] if isinstance(said, dict) else said}
    }
    app.run()
    assert not app.exception
    studio.library.catch_up()
    return app


# -- rows ----------------------------------------------------------------------------------------------------


def test_a_row_has_the_prompt_what_was_ordered_who_when_and_the_state(studio: Studio, tab: AppTest):
    add(studio, "job1", "A red fox", file="job1.mp4", person="Anna Becker")
    open_page(tab, "history.py")
    (row,) = rows_of(tab)
    assert (row["words"], row["line"]) == ("A red fox", "Kling 2.6 · 720p · 5 s · 16:9")
    assert (row["who"], row["letters"], row["word"], row["look"]) == ("Anna Becker", "AB", "Done", "done")
    assert re.fullmatch("[0-2][0-9]:[0-5][0-9]", row["when"])
    assert abs(row["at"] - 1000 * time.time()) < 60_000
    assert len(row["more"]) == len(COLUMNS)
    assert row["more"][0] == "Kling 2.6"


def test_what_a_search_found_is_marked_in_the_prompt(studio: Studio, tab: AppTest):
    add(studio, "job1", "A FOX beside another fox")
    open_page(tab, "history.py", q="fox")
    assert told(tab)["days"][0]["rows"][0]["words"] == ["A ", "FOX", " beside another ", "fox", ""]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("lighthouse", ["Shot 2: ", "Lighthouse", " in the rain"]),
        ("77fox", ["Task at Kling: ", "77fox", ""]),
        ("launch", ["Tags: hero,", "launch", ""]),
        ("camera", ["Note: The ", "camera", " is too low"]),
        ("ending", [f"Prompt: …{'x' * 29} ", "ending", ""]),
        ("Ada", ["Kling 2.6 · 720p · 5 s · 16:9"]),  # stands in the row
    ],
)
def test_what_was_found_outside_of_what_a_row_shows_is_its_second_line(
    studio: Studio, tab: AppTest, text: str, line: list[str]
):
    shots = (Shot(prompt="A fox", duration="2"), Shot(prompt="Lighthouse in the rain", duration="3"))
    more = request_cells(TextToVideo(multi_shot=True, shot_type="customize", multi_prompt=shots))
    words = f"A fox {'x' * 200} ending"
    cells = {"multi_prompt": more["multi_prompt"], "task_id": "77fox", "note": "The camera is too low"}
    add(studio, "job1", words, **cells, tags="hero,launch", file="job1.mp4")
    open_page(tab, "history.py", q=text)
    assert told(tab)["days"][0]["rows"][0]["line"] == line


@pytest.mark.parametrize(
    ("word", "line"),
    [("gulls", ["Sounds: Waves, ", "gulls", ""]), ("piano", ["Music: A slow ", "piano", ""])],
)
def test_what_was_found_in_an_added_sound_says_which_text_it_was(
    studio: Studio, tab: AppTest, word: str, line: list[str]
):
    sound = VideoToAudio(video_id="9", sound_effect_prompt="Waves, gulls", bgm_prompt="A slow piano")
    studio.ledger.append("job1", state="succeed", account=studio.accounts.name, **request_cells(sound))
    open_page(tab, "history.py", q=word)
    assert told(tab)["days"][0]["rows"][0]["line"] == line


GONE_AT = "2026-11-26T10:00:00+00:00"
FELL_OVER = {"state": "failed", "task_id": "1", "task_status_msg": "The model fell over"}
REFUSED = {"state": "failed", "code": "1301", "message": "Refused. Kling’s words: risk control"}
LOST_ANSWER = {"state": "not_sent", "message": "Nobody knows. Ask."}


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (FELL_OVER, ("failed", "The model fell over.", "bad")),
        (REFUSED, ("failed", "Kling's content policy refused the prompt. Edit the prompt.", "bad")),
        (LOST_ANSWER, ("ended", "Nobody knows.", "warn")),
        ({"file": "job1.mp4", "deleted": GONE_AT}, ("ended", "The file was deleted", "")),
        ({"task_id": "1"}, ("risk", "Not saved yet, 29 days left", "warn")),
    ],
)
def test_a_job_without_a_clip_says_why_in_its_second_line(
    studio: Studio, tab: AppTest, cells: dict[str, str], shown: tuple[str, str, str]
):
    add(studio, "job1", **cells)
    open_page(tab, "history.py")
    (row,) = rows_of(tab)
    assert (row["look"], row["line"], row.get("tone", "")) == shown


@pytest.mark.parametrize("text", [HOSTILE, "e" + "\u0301" * 2499, "\u202eright to left", "x" * 2500])
def test_a_hostile_prompt_is_plain_text_of_a_bounded_length(studio: Studio, tab: AppTest, text: str):
    cells = dict.fromkeys(("message", "task_status_msg", "person", "note", "model_name"), text)
    add(studio, "job1", text, **cells)
    add(studio, "job2", text, **cells, state="failed")
    open_page(tab, "history.py", q=text[:2])
    assert all("<script>" not in str(each.value) for each in tab.html)
    for row in rows_of(tab):
        assert len(row["words"]) <= LONGEST + 1
        assert text.startswith(row["words"].rstrip("…"))
        assert len(row["line"]) <= LONGEST + 60


def test_an_id_of_another_program_is_no_part_of_an_address_as_it_is(studio: Studio, tab: AppTest):
    add(studio, 'x"><b>/../', file="x.mp4")
    open_page(tab, "history.py")
    (row,) = rows_of(tab)
    assert row["look"] == "ended"
    assert "d" not in row["may"]


# -- money ---------------------------------------------------------------------------------------------------


def test_a_cost_that_is_only_expected_is_told_apart(studio: Studio, tab: AppTest):
    kling = {"account": "kling#1", "unit_price": "0.2", "currency": "USD", "units": "2"}
    add(studio, "job1", **kling, final_unit_deduction="1")
    add(studio, "job2", **kling, state="processing", task_id="1")
    add(studio, "job3", **kling, state="failed")
    add(studio, "job4", **kling, final_balance_deduction="0.30")
    add(studio, "job5")
    open_page(tab, "history.py")
    found = {row["id"]: (row.get("cost", ""), row.get("soft", False)) for row in rows_of(tab)}
    assert found == {
        "job1": ("$0.20", False),
        "job2": ("$0.40", True),
        "job3": ("", False),
        "job4": ("$0.30", False),
        "job5": ("free", True),
    }


# -- days ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 11, 27), "Today"),
        (date(2026, 11, 26), "Yesterday"),
        (date(2026, 11, 5), "Thu 5 Nov"),
        (date(2025, 12, 31), "Wed 31 Dec 2025"),
    ],
)
def test_a_day_has_a_name(day: date, name: str):
    assert name_of(day, date(2026, 11, 27)) == name


def test_rows_stand_under_their_days_with_the_count_and_sum_of_the_whole_day(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(studio.connection, "is_sandbox", False)
    today = studio.library.today()
    cells = {"units": "1", "unit_price": "0.14", "currency": "USD", "final_unit_deduction": "1"}
    for number in range(70):  # more than a page has
        add(studio, f"new{number}", **cells)
    for number in range(3):
        found = {"extra": '{"found":"account"}', "created_at": "2026-01-05T10:00:00+00:00"}
        add(studio, f"old{number}", **cells, **found)
    open_page(tab, "history.py")
    (day,) = told(tab)["days"]
    assert (day["key"], day["name"], len(day["rows"])) == (str(today), "Today", 50)
    assert told(tab, "sums")["days"] == {str(today): "70 jobs · $9.80"}
    open_page(tab, "history.py", page="2")
    assert [len(day["rows"]) for day in told(tab)["days"]] == [20, 3]
    assert told(tab, "sums")["days"] == {str(today): "70 jobs · $9.80", "2026-01-05": "3 jobs · $0.42"}


def test_the_time_of_a_row_says_its_date_where_the_browser_is_in_another_day(studio: Studio, tab: AppTest):
    add(studio, "job1", extra='{"found":"account"}', created_at="2026-01-05T23:30:00+00:00")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_facts, "zone", lambda: ZoneInfo("Asia/Tokyo"))
        open_page(tab, "history.py")
    assert rows_of(tab)[0]["when"].startswith("6 Jan")


def test_in_another_order_there_are_no_days_and_each_row_says_its_date(studio: Studio, tab: AppTest):
    add(studio, "job1")
    open_page(tab, "history.py", order="dearest")
    (day,) = told(tab)["days"]
    assert day["name"] == ""
    assert re.fullmatch(r"[0-9]+ [A-Z][a-z]{2}, [0-9:]{5}", day["rows"][0]["when"])
    assert told(tab, "sums")["days"] == {}


# -- pages ---------------------------------------------------------------------------------------------------


def test_the_ways_to_other_pages_keep_what_is_asked(studio: Studio, tab: AppTest):
    fill(studio, 120)
    open_page(tab, "history.py", q="prompt", page="2")
    ways = {each.proto.label: (each.proto.query_string, each.proto.disabled) for each in tab.get("page_link")}
    assert ways["Previous page"] == ("q=prompt", False)
    assert ways["Next page"] == ("q=prompt&page=3", False)
    open_page(tab, "history.py", q="prompt", page="3")
    assert next(each for each in tab.get("page_link") if each.proto.label == "Next page").proto.disabled


def test_a_short_list_has_no_ways_to_other_pages(studio: Studio, tab: AppTest):
    fill(studio, 3)
    open_page(tab, "history.py")
    assert not {"Previous page", "Next page"} & set(links(tab))


def test_addresses_of_jobs_and_of_the_export_say_what_is_asked(studio: Studio, tab: AppTest):
    fill(studio, 3)
    open_page(tab, "history.py", q="prompt")
    facts = told(tab)
    assert facts["link"] == "/job?id=-&q=prompt"
    assert facts["export"] == "/export?ids=-&form=csv"
    assert facts["remix"] == "/?from=-"


# -- what somebody presses -----------------------------------------------------------------------------------


def test_a_press_stars_and_takes_the_star_back(studio: Studio, tab: AppTest):
    fill(studio, 3)
    press(studio, {"what": "star", "ids": ["job0001", "job0002"]})
    open_page(tab, "history.py")
    assert {row["id"]: row.get("star") for row in rows_of(tab)} == {
        "job0000": None,
        "job0001": 2,
        "job0002": 2,
    }
    press(studio, {"what": "unstar", "ids": ["job0001"]})
    open_page(tab, "history.py", star="any")
    assert [row["id"] for row in rows_of(tab)] == ["job0002"]


def test_the_star_of_somebody_else_is_told_apart_and_by_name(studio: Studio, tab: AppTest):
    fill(studio, 1)
    studio.ledger.append("job0000", star="1", by_name="Tom Meyer")
    open_page(tab, "history.py")
    (row,) = rows_of(tab)
    assert (row["star"], row["stars"]) == (1, "Tom Meyer")


def test_a_press_hides_rows_and_hidden_ones_say_so(studio: Studio, tab: AppTest):
    fill(studio, 3)
    press(studio, {"what": "hide", "ids": ["job0001"]})
    open_page(tab, "history.py")
    assert [row["id"] for row in rows_of(tab)] == ["job0002", "job0000"]
    open_page(tab, "history.py", hidden="only")
    assert [(row["id"], row["hidden"]) for row in rows_of(tab)] == [("job0001", True)]
    press(studio, {"what": "show", "ids": ["job0001"]})
    assert len(rows_of(open_page(tab, "history.py"))) == 3


@pytest.mark.parametrize(
    "said",
    [
        None,
        "star",
        {"what": "star"},
        {"what": "star", "ids": "job0000"},
        {"what": "star", "ids": [7, None, "x" * 500]},
        {"what": "shutdown", "ids": ["job0000"]},
        {"what": ["star"], "ids": ["job0000"]},
        {"what": "star", "ids": ["nobody"]},
    ],
)
def test_what_no_list_sends_changes_nothing(studio: Studio, said: Any):
    fill(studio, 1)
    before = studio.ledger.get("job0000")
    press(studio, said)
    assert studio.ledger.get("job0000") == before


def test_a_viewer_stars_and_is_offered_nothing_else(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    add(studio, "job1", file="job1.mp4", account="kling#1", final_unit_deduction="1")
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = open_page(new_tab(), "history.py")
    (row,) = rows_of(app)
    assert row["may"] == "d"
    assert "cost" not in row
    assert told(app)["money"] is False
    assert told(app)["remix"] == ""
    assert told(app, "sums")["days"] == {str(studio.library.today()): "1 job"}


def test_what_is_kept_of_a_row_tells_no_viewer_its_cost_and_is_forgotten_when_the_job_changes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    def row_of(name: str, role: Role) -> dict[str, Any]:
        sign_in(monkeypatch, studio, name, role)
        (row,) = rows_of(open_page(new_tab(), "history.py"))
        return row

    clip = {"file": "job1.mp4", "extra": '{"probe":{"width":1280,"height":720}}', "person_id": "p1"}
    add(studio, "job1", account="kling#1", final_unit_deduction="1", **clip)
    seen = row_of("Ada", "admin")
    assert (seen["cost"], seen["may"]) == ("$0.14", "rdc")
    assert ("cost" in (row := row_of("Vera", "viewer")), row["may"]) == (False, "d")
    studio.ledger.append("job1", final_unit_deduction="2", duration="10")
    now = row_of("Ben", "maker")
    assert (now["cost"], now["may"], now["line"]) == ("$0.28", "rd", "Kling 2.6 · 720p · 10 s · 16:9")


def test_the_days_of_the_sandbox_have_no_sum(studio: Studio, tab: AppTest):
    fill(studio, 3, units="1.5")
    open_page(tab, "history.py")
    assert told(tab, "sums")["days"] == {str(studio.library.today()): "3 jobs"}


def test_a_maker_changes_what_is_theirs_only(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    add(studio, "own", file="own.mp4", person="Mia", person_id=mia.id)
    add(studio, "other", file="other.mp4", person="Ben", person_id="ben")
    app = open_page(new_tab(), "history.py")
    assert {row["id"]: row["may"] for row in rows_of(app)} == {"own": "rdc", "other": "rd"}


def test_an_old_link_to_a_job_leads_to_its_page(studio: Studio, tab: AppTest):
    fill(studio, 1)
    open_page(tab, "history.py", task="job0000")
    assert tab.query_params["id"] == "job0000"
