"""The page Compare without a browser: which clips it shows, what differs, and what is kept."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import Job, request_cells
from kling.studio.service import Studio
from pages._ui.compare.address import compare_params, ids_of_address
from pages._ui.compare.view import KEY, script
from tests.pages.conftest import texts
from tests.pages.people import open_app, person_of, sign_in
from tests.pages.test_lists import open_page

FOX = "A red fox lifts one paw."


def add(studio: Studio, job_id: str, prompt: str = FOX, **cells: str) -> str:
    """Write down a job whose clip is here."""
    given = {
        "state": "succeed",
        "account": "kling#1",
        "person": "Ada",
        "file": f"{job_id}.mp4",
        **request_cells(TextToVideo(prompt=prompt, model_name="kling-v2-6", mode="std", duration="5")),
        **cells,
    }
    studio.ledger.append(job_id, **given)
    return job_id


def told(app: AppTest) -> dict[str, Any]:
    """Return what the script of the page is told."""
    found = re.search(r'data-compare="([^"]*)"', texts(app))
    assert found
    facts: dict[str, Any] = json.loads(html.unescape(found[1]))
    return facts


def shown(app: AppTest, *ids: str) -> dict[str, Any]:
    return told(open_page(app, "compare.py", ids=",".join(ids)))


def pressed() -> None:
    from pages._ui.compare.view import did
    from pages._ui.curation import overlays

    did()
    overlays()


def keep(job_id: str, *ids: str, app: AppTest | None = None) -> AppTest:
    """Do what a press on *Keep this one* does; `AppTest` runs no script of a page."""
    app = app or AppTest.from_function(pressed)
    app.query_params["ids"] = "of,another,address"
    app.session_state[KEY] = {"did": {"what": "keep", "of": job_id, "ids": ",".join(ids)}}
    app.run()
    assert not app.exception
    return app


def job_of(studio: Studio, job_id: str) -> Job:
    job = studio.ledger.get(job_id)
    assert job is not None
    return job


# -- which clips ---------------------------------------------------------------------------------------------


def test_the_address_names_each_clip_once_and_four_at_most():
    assert compare_params(["a", "b", "a", "c", "d", "e"]) == {"ids": "a,b,c,d"}
    assert ids_of_address({"ids": " a,,b,a ,c"}) == ["a", "b", "c"]
    assert ids_of_address({}) == []


def test_clips_stand_in_the_order_of_the_address_with_other_takes_beside_them(studio: Studio, tab: AppTest):
    for number in range(1, 5):
        add(studio, f"take{number}", batch="b1", extra=json.dumps({"take": number, "probe": {"fps": 30}}))
    add(studio, "hidden", batch="b1", hidden="1")
    add(studio, "alone")
    facts = shown(tab, "take3", "take1")
    assert [clip["id"] for clip in facts["clips"]] == ["take3", "take1"]
    assert [clip["id"] for clip in facts["takes"]] == ["take1", "take2", "take3", "take4"]
    assert "alone" in [clip["id"] for clip in facts["recent"]]
    assert (facts["clips"][0]["src"], facts["clips"][0]["fps"]) == ("/clips/take3.mp4", 30)
    assert facts["notices"] == []


def test_what_cannot_be_compared_is_explained(studio: Studio, tab: AppTest):
    add(studio, "here")
    add(studio, "gone", deleted="2026-11-27T10:00:00+00:00")
    add(studio, "running", state="processing", file="")
    facts = shown(tab, "here", "gone", "running", "<b>nothing")
    assert [clip["id"] for clip in facts["clips"]] == ["here"]
    assert facts["notices"] == [
        "The file of clip gone was deleted.",
        "Clip running is not made, or its file is not here.",
        "The log has no clip <b>nothing. The link may be cut off, or of another studio.",
        "Add a clip to compare it with.",
    ]
    assert "<b>nothing" not in texts(tab)
    assert shown(tab)["notices"] == ["Choose two to four clips to compare them."]
    six = [add(studio, f"c{number}") for number in range(6)]
    assert shown(tab, *six)["notices"] == ["The link names 2 clips more than four: the first four are shown."]


def test_the_way_back_is_the_list_that_was_looked_at(studio: Studio, tab: AppTest):
    add(studio, "a")
    open_page(tab, "history.py", q="fox")
    assert shown(tab, "a")["back"] == "/history?q=fox"
    open_page(tab, "compose.py")
    assert shown(tab, "a")["back"] == "/"


# -- what differs --------------------------------------------------------------------------------------------


def test_words_and_settings_that_differ_are_told_and_no_others(studio: Studio, tab: AppTest):
    add(studio, "a", final_unit_deduction="1.5")
    # How long it took is no choice of anybody's.
    studio.ledger.append("b", state="submitted", time="2026-11-23T10:00:00.000+00:00")
    other = request_cells(TextToVideo(prompt="", model_name="kling-v2-6", mode="pro", duration="5"))
    add(
        studio,
        "b",
        **{**other, "prompt": FOX.replace("one paw", "its <i>head</i>")},
        final_unit_deduction="2.5",
    )
    facts = shown(tab, "a", "b")
    (row,) = facts["prompts"]
    assert [piece for piece in row["pieces"] if piece[0] != "same"] == [
        ["removed", "one paw"],
        ["added", "its <i>head</i>"],
    ]
    differ = {each["name"]: each["values"] for each in facts["settings"]}
    assert differ == {"Quality": ["720p", "1080p"], "Cost": ["$0.21", "$0.35"]}


def test_each_of_several_clips_is_compared_with_the_first(studio: Studio, tab: AppTest):
    add(studio, "a")
    add(studio, "b", "Something else entirely, written anew by somebody.")
    add(studio, "c", negative_prompt="rain")
    rows = shown(tab, "a", "b", "c")["prompts"]
    assert [(row["name"], row["letter"]) for row in rows] == [
        ("Prompt, A and B", "B"),
        ("Prompt, A and C", "C"),
        ("Avoid, A and B", "B"),
        ("Avoid, A and C", "C"),
    ]
    assert [piece[0] for piece in rows[0]["pieces"]] == ["removed", "added"]  # no list of small changes
    assert rows[1]["pieces"] == []
    assert rows[3]["pieces"] == [["added", "rain"]]


def test_who_may_not_see_prices_sees_no_cost(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    add(studio, "a", final_unit_deduction="1.5")
    add(studio, "b", final_unit_deduction="2.5")
    sign_in(monkeypatch, studio, "Vera", "viewer")
    facts = shown(open_app(), "a", "b")
    assert facts["settings"] == []
    assert "0.21" not in json.dumps(facts)


# -- the decision --------------------------------------------------------------------------------------------


def test_who_keeps_a_clip_stars_it_and_hides_the_others_and_one_press_undoes_both(studio: Studio):
    ids = [add(studio, each) for each in "abc"]
    app = keep("b", *ids)
    assert [job_of(studio, each).hidden for each in ids] == [True, False, True]
    assert "Kept. 2 other clips are hidden." in texts(app)
    assert any(opinion.star for opinion in job_of(studio, "b").opinions.values())
    app.session_state[KEY] = {}
    app.button(key="app.undo-1").click().run()
    assert not any(job_of(studio, each).hidden for each in ids)
    assert not any(opinion.star for opinion in job_of(studio, "b").opinions.values())


def test_a_clip_that_was_hidden_by_another_decision_is_shown_again(studio: Studio):
    add(studio, "a")
    add(studio, "b", hidden="1")
    app = keep("b", "a", "b")
    assert (job_of(studio, "a").hidden, job_of(studio, "b").hidden) == (True, False)
    app.session_state[KEY] = {}
    app.button(key="app.undo-1").click().run()
    assert (job_of(studio, "a").hidden, job_of(studio, "b").hidden) == (False, True)


def starred(studio: Studio, *ids: str) -> list[bool]:
    return [any(each.star for each in job_of(studio, job_id).opinions.values()) for job_id in ids]


def test_only_a_clip_that_was_kept_is_told_as_kept(studio: Studio, tab: AppTest):
    ids = add(studio, "a"), add(studio, "b")
    studio.acting_as(User(LOCAL, "", "admin")).star(ids)
    assert [clip["kept"] for clip in shown(tab, *ids)["clips"]] == [False, False]
    keep("b", *ids)
    assert [clip["kept"] for clip in shown(tab, *ids)["clips"]] == [False, True]


def test_another_clip_that_is_kept_instead_takes_the_star_that_keeping_gave(studio: Studio):
    ids = [add(studio, each) for each in "abc"]
    studio.acting_as(User(LOCAL, "", "admin")).star(["c"])
    app = keep("a", *ids)
    keep("b", *ids, app=app)
    assert starred(studio, *ids) == [False, True, True]
    app.session_state[KEY] = {}
    app.button(key="app.undo-2").click().run()
    assert starred(studio, *ids) == [True, False, True]
    assert [job_of(studio, each).hidden for each in ids] == [False, True, True]
    keep("c", *ids, app=app)
    assert starred(studio, *ids) == [False, False, True]
    keep("b", *ids, app=app)  # the star of c was not given by keeping it
    assert starred(studio, *ids) == [False, True, True]


def test_clips_of_other_people_stay_where_the_user_may_not_hide_them(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    ben = person_of(studio, "Ben", "maker")
    add(studio, "mine", person="Ben", person_id=ben.id)
    add(studio, "hers", person="Ada", person_id=person_of(studio, "Ada", "maker").id)
    sign_in(monkeypatch, studio, "Ben", "maker")
    keep("mine", "mine", "hers")
    assert not job_of(studio, "hers").hidden
    assert [clip["kept"] for clip in shown(open_app(), "mine", "hers")["clips"]] == [True, False]
    assert job_of(studio, "mine").opinions[ben.id].star


def test_a_press_about_a_clip_that_is_not_compared_does_nothing(studio: Studio):
    add(studio, "a")
    keep("a", "b", "c")
    assert not job_of(studio, "a").opinions


# -- the script ----------------------------------------------------------------------------------------------


def test_the_script_is_one_module_that_makes_no_html_of_words():
    text = script()
    assert text.count("export default") == 1
    assert not re.search(r"innerHTML|insertAdjacentHTML|outerHTML|document\.write", text)
