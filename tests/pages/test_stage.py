"""The stage of Compose: which card stands on it, what its script is told, its words and its buttons."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.errors import api_error
from kling.image_to_video import ImageToVideo
from kling.studio.durations import DurationEstimate
from kling.studio.jobs import Job, request_cells
from kling.studio.reconciler import DECIDE, error_words
from kling.studio.service import Studio
from kling.video_to_audio import VideoToAudio
from pages._ui.clip_names import file_name
from pages._ui.format import ago
from pages._ui.stage.facts import as_html, look_of, shape_of
from pages._ui.stage.first_run import SIX
from tests.pages.conftest import press_generate, stage_of, texts, words_of
from tests.pages.test_composer import pick
from tests.pages.test_pages import HOSTILE
from tests.studio.pictures.samples import hand_in

PROBE = '{"probe":{"width":720,"height":1280,"fps":24.0,"seconds":5.0,"audio":true}}'


def made(studio: Studio, job_id: str, *, state: str = "succeed", **cells: str) -> str:
    """Write down a job of the sandbox, with a clip if it is done."""
    known = {"account": "sandbox", "file": f"{job_id}.mp4" if state == "succeed" else ""}
    asked = request_cells(TextToVideo(prompt=cells.pop("prompt", job_id)))
    studio.ledger.append(job_id, **{"state": state, **known, **asked, **cells})
    return job_id


def show(app: AppTest, *ids: str) -> AppTest:
    """Draw Compose in a session that has ordered these."""
    if len(ids) > 1 and not app.session_state.composer.is_open:
        app.run()  # which sorts by time what was ordered before
    app.session_state.composer.jobs = list(ids)
    app.run()
    assert not app.exception
    assert "could not be drawn" not in texts(app)
    return app


def choose(app: AppTest, key: str) -> AppTest:
    app.session_state.composer.chosen = key
    return app.run()


def looks(app: AppTest) -> dict[str, str]:
    return {job["id"]: job["look"] for card in stage_of(app)["mine"] for job in card["jobs"]}


# -- which card ----------------------------------------------------------------------------------------------


def test_the_newest_order_comes_onto_the_stage_and_a_choice_stays_until_then(studio: Studio, tab: AppTest):
    first, second = made(studio, "first"), made(studio, "second")
    show(tab, second, first)
    assert stage_of(tab)["chosen"] == second
    choose(tab, first)
    assert words_of(tab.run()) == "first"
    show(tab, made(studio, "third"), second, first)
    assert words_of(tab) == "third"


def test_what_was_ordered_by_one_press_is_one_card_with_all_of_it(studio: Studio, tab: AppTest):
    ids = [made(studio, f"take{number}", batch="b1", prompt="A shoe") for number in range(3)]
    made(studio, "waits", state="processing", batch="b1", prompt="A shoe")
    told = stage_of(show(tab, *ids))
    [card] = told["mine"]
    assert (told["chosen"], card["of"], card["done"]) == ("b1", 4, 3)
    assert [job["id"] for job in card["jobs"]] == [*ids, "waits"]
    assert "3 of 4 clips done" in texts(tab)
    tab.button(key="stage.compare").click().run()
    assert tab.query_params["ids"] == ",".join(ids)


def test_one_of_several_can_be_chosen(studio: Studio, tab: AppTest):
    made(studio, "one", batch="b1", prompt="White shoe")
    made(studio, "two", batch="b1", prompt="Red shoe")
    show(tab, "one", "two")
    choose(tab, "two")
    assert stage_of(tab)["chosen"] == "two"
    assert words_of(tab) == "Red shoe"
    assert 'href="/take-away?ids=two"' in texts(tab)
    assert not any(button.key == "stage.compare" for button in tab.button)


def test_a_press_for_several_takes_makes_one_card(app: AppTest):
    app.text_area(key="composer.prompt").set_value("A fox")
    pick(app, "takes", 3)
    press_generate(app)
    [card] = stage_of(app)["mine"]
    assert card["of"] == 3


def test_a_new_tab_shows_the_newest_clip_of_the_person_and_the_recent_ones_of_all(
    studio: Studio, app: AppTest
):
    for number, person in enumerate(["Ada", "Ben", "Ada", "Ben"]):
        made(studio, f"clip{number}", person=person)
    app.text_input(key="app.name").set_value("Ada").run()
    told = stage_of(app)
    assert told["mine"] == []
    assert told["chosen"] == "clip2"
    assert [card["key"] for card in told["recent"]] == ["clip3", "clip2", "clip1", "clip0"]


def test_what_was_hidden_is_not_among_the_recent_ones(studio: Studio, tab: AppTest):
    made(studio, "seen")
    studio.ledger.append(made(studio, "unseen"), hidden="yes")
    assert [card["key"] for card in stage_of(show(tab))["recent"]] == ["seen"]


@pytest.mark.parametrize("key", ["", "no such job", "../../etc/passwd", "<b>"])
def test_a_choice_of_what_is_not_there_changes_nothing(studio: Studio, tab: AppTest, key: str):
    show(tab, made(studio, "here"))
    assert stage_of(choose(tab, key))["chosen"] == "here"


def test_it_is_drawn_again_for_its_own_jobs_and_for_any_while_one_waits_in_line(studio: Studio, app: AppTest):
    def concerns() -> str:
        [found] = re.findall(r'data-live="tasks"[^>]*data-live-jobs="([^"]*)"', texts(app))
        return str(found)

    show(app, made(studio, "mine", state="processing"))
    assert concerns() == "mine"
    show(app, made(studio, "waits", state="waiting"), "mine")
    assert concerns() == "* mine waits"


# -- what the script is told ---------------------------------------------------------------------------------


def test_every_state_has_its_look(studio: Studio, tab: AppTest):
    states = ["intent", "submitted", "processing", "succeed", "failed", "unknown", "not_sent", "withdrawn"]
    found = looks(show(tab, *[made(studio, f"job-{state}", state=state) for state in states]))
    assert found == {
        "job-intent": "made",
        "job-submitted": "made",
        "job-processing": "made",
        "job-succeed": "done",
        "job-failed": "failed",
        "job-unknown": "ended",
        "job-not_sent": "ended",
        "job-withdrawn": "ended",
    }


def test_what_waits_says_its_place_and_can_be_cancelled_on_the_strip(studio: Studio, tab: AppTest):
    ids = [made(studio, f"wait{number}", state="waiting") for number in range(3)]
    cards = stage_of(show(tab, *reversed(ids)))["mine"]
    assert [card["jobs"][0]["say"] for card in cards] == ["2 ahead of you", "1 ahead of you", "Next in line"]
    assert all(card["jobs"][0]["cancel"] for card in cards)
    tab.button(key="composer.withdraw-wait2").click().run()
    assert looks(tab)["wait2"] == "ended"


def test_what_is_held_says_so(studio: Studio, tab: AppTest):
    studio.admission.hold("*", "the account has no Units left", 1102, needs_person=True)
    made(studio, "wait0", state="waiting")
    [card] = stage_of(show(tab, "wait0"))["mine"]
    told = card["jobs"][0]
    assert (told["look"], told["word"], told["say"]) == ("held", "Held", "Held")
    text = texts(tab)
    assert "Next in line" not in text
    assert "It goes out by itself once that is done." in text
    assert [button.label for button in tab.button if "wait0" in str(button.key)] == [
        "Send now",
        "Cancel (nothing spent)",
    ]


def test_alternatives_are_told_apart(studio: Studio, tab: AppTest):
    for name in ("red", "light grey"):
        made(studio, name[:3], batch="b1", prompt=f"A shoe in {name}, at night")
    [card] = stage_of(show(tab, "red", "lig"))["mine"]
    assert card["words"] == "A shoe in {red|light grey}, at night"
    assert [job["own"] for job in card["jobs"]] == ["red", "light grey"]
    assert all(job["file"].startswith("a-shoe-in-") for job in card["jobs"])
    assert words_of(tab) == card["words"]
    for number, (name, at) in enumerate(product(("red", "grey"), ("dawn", "noon"))):
        made(studio, f"car{number}", batch="b3", prompt=f"A {name} car on a long road by the coast at {at}")
    card = stage_of(show(tab, *(f"car{number}" for number in range(4))))["mine"][0]
    assert card["words"] == "A {red|grey} car on a long road by the coast at {dawn|noon}"
    assert [job["own"] for job in card["jobs"]] == ["red · dawn", "red · noon", "grey · dawn", "grey · noon"]
    made(studio, "same", batch="b2", prompt="A shoe")
    made(studio, "same2", batch="b2", prompt="A shoe")
    card = stage_of(show(tab, "same", "same2"))["mine"][0]
    assert (card["words"], [job.get("own") for job in card["jobs"]]) == ("A shoe", [None, None])


def test_usual_times_are_those_of_the_log_and_nothing_is_invented_without_them(
    studio: Studio, tab: AppTest, monkeypatch: pytest.MonkeyPatch
):
    made(studio, "now", state="processing")
    [card] = stage_of(show(tab, "now"))["mine"]
    assert {"usual", "high"}.isdisjoint(card["jobs"][0])
    monkeypatch.setattr(Studio, "duration_estimate", lambda _self, _what: DurationEstimate(110, 150, 9))
    [card] = stage_of(tab.run())["mine"]
    assert (card["jobs"][0]["usual"], card["jobs"][0]["high"]) == ("usually 1:50 to 2:30", 150)
    assert card["jobs"][0]["say"] == "Being made in the sandbox"


@pytest.mark.parametrize(
    ("cells", "shape"),
    [
        ({"aspect_ratio": "9:16"}, [9, 16]),
        ({"aspect_ratio": "16:9", "state": "succeed", "file": "x.mp4", "extra": PROBE}, [720, 1280]),
        ({"aspect_ratio": "16:9", "extra": PROBE}, [16, 9]),  # a file that is not here
        ({}, [16, 9]),
        ({"aspect_ratio": "99:1"}, [16, 9]),
        ({"aspect_ratio": "0:9"}, [16, 9]),
        ({"aspect_ratio": HOSTILE}, [16, 9]),
        ({"state": "succeed", "file": "x.mp4", "extra": '{"probe":{"width":"a","height":-1}}'}, [16, 9]),
        ({"state": "succeed", "file": "x.mp4", "extra": '{"probe":{"width":true,"height":1e9}}'}, [16, 9]),
    ],
)
def test_a_shape_is_that_of_the_clip_or_of_the_order(cells: dict[str, str], shape: list[int]):
    assert shape_of(Job(cells)) == shape


def test_the_place_of_a_clip_from_a_picture_has_the_shape_of_the_picture(studio: Studio, tab: AppTest):
    picture = io.BytesIO()
    Image.new("RGB", (400, 600), "red").save(picture, "PNG")
    frame = hand_in(studio.pictures, picture.getvalue()).sha256
    image = request_cells(ImageToVideo(prompt="It turns", image=frame))
    for job_id, state, cells in (
        ("now", "processing", image),
        ("gone", "processing", image | {"image": "c" * 64}),
        ("loud", "processing", request_cells(VideoToAudio(video_id="1")) | {"parent": "silent"}),
        ("silent", "succeed", {"file": "silent.mp4", "extra": PROBE}),
    ):
        studio.ledger.append(job_id, **{**cells, "state": state, "account": "sandbox"})
    show(tab, "now", "gone", "loud")
    shapes = {job["id"]: job["shape"] for card in stage_of(tab)["mine"] for job in card["jobs"]}
    assert shapes == {"now": [400, 600], "gone": [16, 9], "loud": [720, 1280]}


def test_facts_cannot_end_their_attribute_and_arrive_as_they_were(studio: Studio, tab: AppTest):
    words = HOSTILE + "\" ' </i><script> &quot; --> ]]> \u2028"
    made(studio, "bad", prompt=words, model_name=words, person=words)
    told = stage_of(show(tab, "bad"))
    assert told["mine"][0]["words"] == " ".join(words.split())
    assert all("<script>" not in str(element.value) for element in tab.html)


@pytest.mark.parametrize("job_id", ["../x", "a b", '"><img src=x>', "é"])
def test_an_id_that_has_no_address_gets_no_clip(studio: Studio, tab: AppTest, job_id: str):
    show(tab, made(studio, job_id))
    assert looks(tab)[job_id] == "ended"
    assert "/clips/" not in texts(tab)


def test_the_clock_of_the_server_is_told():
    assert 'data-now="1500"' in as_html({"mine": []}, 1.5, [])


def test_a_job_of_another_account_is_not_called_being_made(studio: Studio):
    made(studio, "old", state="processing", account="kling.example#old")
    job = studio.ledger.get("old")
    assert job is not None
    assert look_of(job)[0] == "ended"


# -- words and buttons ---------------------------------------------------------------------------------------


def test_a_clip_has_its_facts_in_one_line_and_a_file_with_a_readable_name(studio: Studio, tab: AppTest):
    made(studio, "fox1", prompt="A red fox, in the snow!", extra=PROBE)
    text = texts(show(tab, "fox1"))
    # Where the line breaks, no part of it begins with a dot or with the unit of a number.
    no_break = "\N{NO-BREAK SPACE}"
    said = "Done in 0:00 · Kling 2.6 · 720p · 5 s · 16:9 · just now".replace(" ·", f"{no_break}·")
    assert said.replace("5 s", f"5{no_break}s") in text
    assert 'href="/take-away?ids=fox1" download' in text
    assert 'data-copy href="/job?id=fox1"' in text


def test_each_way_in_which_a_clip_is_not_what_was_ordered_is_said(studio: Studio, tab: AppTest):
    wrong = {"width": 720, "height": 720, "fps": 24.0, "seconds": 4.0, "audio": True}
    made(studio, "fox1", extra=json.dumps({"probe": wrong}))
    said = texts(show(tab, "fox1")).replace("\\", "")
    assert "length: ordered 5 s, came 4 s" in said
    assert "shape: ordered 16:9, came 720 × 720" in said
    assert "sound: ordered off, came an audio track" in said


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A fox", "a-fox"),
        ("../../etc/passwd\n\u202e", "etc-passwd"),
        ("", "kling"),
        ("😀 !!", "kling"),
        ("Ein Fuchs über dem Fluß", "ein-fuchs-über-dem-fluss"),
        ("word " * 40, "-".join(["word"] * 12)),
    ],
)
def test_file_names_are_words_only(prompt: str, name: str):
    job = Job(
        {"external_task_id": "abcd1234", "prompt": prompt}, {"succeed": datetime(2026, 11, 26, tzinfo=UTC)}
    )
    assert file_name(job) == f"{name}-20261126-1234.mp4"
    assert file_name(job, "with watermark") == f"{name}-with-watermark-20261126-1234.mp4"


def test_remix_fills_the_form_with_everything_and_asks_for_the_focus(studio: Studio, tab: AppTest):
    asked = TextToVideo(prompt="A heron", mode="pro", aspect_ratio="9:16", negative_prompt="people")
    studio.ledger.append(
        "heron", state="succeed", account="sandbox", file="heron.mp4", **request_cells(asked)
    )
    show(tab, "heron")
    number, _ = stage_of(tab)["focus"]
    tab.button(key="stage.remix").click().run()
    state = tab.session_state
    assert state["composer.prompt"] == "A heron"
    assert (state["composer.mode"], state["composer.aspect_ratio"]) == ("pro", "9:16")
    assert state["composer.negative_prompt"] == "people"
    assert state.composer.parent == "heron"
    assert stage_of(tab)["focus"] == [number + 1, "prompt"]


def test_remix_of_a_batch_brings_its_alternatives_back_and_it_is_one_order(studio: Studio, tab: AppTest):
    ids = [
        made(studio, f"{each}1", batch="b1", prompt=f"A {each} fox", mode="pro") for each in ("red", "grey")
    ]
    show(tab, *ids)
    tab.button(key="stage.remix").click().run()
    assert tab.text_area(key="composer.prompt").value == "A {red|grey} fox"
    assert (tab.session_state["composer.variations"], tab.session_state["composer.mode"]) == (True, "pro")
    assert [job.id for job in studio.ledger.index.orders_of("", 9)] == ids[-1:]


def test_a_refusal_is_a_card_with_what_helps_and_its_code_folded(studio: Studio, tab: AppTest):
    said = "Its rules stopped it."
    made(studio, "bad", state="failed", prompt="Two foxes", message=said, code="1301", request_id="Cl-8")
    text = texts(show(tab, "bad"))
    assert "Kling refused this prompt" in text
    assert said in text
    assert [each.label for each in tab.expander] == ["Kling’s words, code 1301 and id"]
    assert "code 1301, request Cl-8, id bad" in text
    tab.button(key="composer.edit-bad").click().run()
    assert tab.text_area(key="composer.prompt").value == "Two foxes"
    assert stage_of(tab)["focus"][1] == "mend"


NO_KEY = error_words(api_error(401, 1002, "no key"))
KEY_LINE = (
    "Check the key and the region of the base URL in the studio&#x27;s settings. "
    "Send it once the key is right, or cancel it."
)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            {"state": "not_sent", "code": "1002", "message": f"{NO_KEY} {DECIDE}"},
            ("Kling does not accept the key", KEY_LINE, "no key."),
        ),
        (
            {"state": "failed", "code": "1201", "message": error_words(api_error(400, 1201, "bad mode"))},
            (
                "Kling refused this order",
                "Kling did not accept a value. Change what the message names.",
                "bad mode.",
            ),
        ),
        (
            {"state": "failed", "task_id": "7", "task_status_msg": "internal error 7"},
            ("Kling could not make it", "Order it again. The sandbox charges nothing.", "internal error 7"),
        ),
    ],
)
def test_a_card_has_a_headline_and_a_line_and_folds_what_kling_said(
    studio: Studio, tab: AppTest, cells: dict[str, str], said: tuple[str, str, str]
):
    made(studio, "bad", **cells)
    headline, line, folded = said
    text = texts(show(tab, "bad"))
    assert f"<h2>{headline}</h2>" in text
    assert f'<p class="stage-why">{line}</p>' in text
    assert f'<p class="stage-fine">{folded}</p>' in text
    assert tab.expander[0].label.startswith("Kling’s words")
    assert "Kling’s words: " not in text


ACCEPTED = {"state": "failed", "task_id": "8", "code": "0"}


@pytest.mark.parametrize(
    ("cells", "word", "headline"),
    [
        (ACCEPTED | {"task_status_msg": "Risk control"}, "Refused", "Kling refused this prompt"),
        (ACCEPTED | {"task_status_msg": "Internal error"}, "Failed", "Kling could not make it"),
        ({"state": "failed", "code": "1301"}, "Refused", "Kling refused this prompt"),
        ({"state": "failed", "code": "5000"}, "Failed", "Kling could not make it"),
        ({"state": "failed", "code": "1201"}, "Refused", "Kling refused this order"),
    ],
)
def test_tile_line_and_headline_of_a_failed_job_agree(
    studio: Studio, tab: AppTest, cells: dict[str, str], word: str, headline: str
):
    made(studio, "bad", **cells)
    [card] = stage_of(show(tab, "bad"))["mine"]
    text = texts(tab)
    assert card["jobs"][0]["word"] == word
    assert re.search(rf"\b{word}\W*·", text), text
    assert headline in text
    assert ("The sandbox charges nothing.</p>" in text) == ("task_id" in cells)


def test_what_waits_in_a_batch_is_cancelled_together(studio: Studio, tab: AppTest):
    ids = [made(studio, f"w{number}", state="waiting", batch="b1") for number in range(3)]
    show(tab, *ids)
    tab.button(key="composer.withdraw-batch-b1").click().run()
    assert {job.state for job in studio.ledger.jobs()} == {"withdrawn"}


def test_the_clip_on_the_stage_can_be_starred(studio: Studio, tab: AppTest):
    made(studio, "fox")
    show(tab, "fox").button(key="stage.star").click().run()
    job = studio.ledger.get("fox")
    assert job is not None
    assert [bool(opinion.star) for opinion in job.opinions.values()] == [True]
    assert tab.button(key="stage.star").label == "Take the star back"
    tab.button(key="stage.star").click().run()
    assert tab.button(key="stage.star").label == "Star"
    made(studio, "bad", state="failed")
    assert "stage.star" not in {button.key for button in show(tab, "bad").button}


def test_what_a_clip_cost_stands_in_its_line(studio: Studio, tab: AppTest):
    made(studio, "paid", account="kling#1", task_id="1", final_unit_deduction="1.5")
    text = texts(show(tab, "paid"))
    assert "· $0.21" in text
    assert "Charged $0.21 (1.5 Units), as expected." in text
    job = studio.ledger.get("paid")
    assert job is not None
    assert job.decimal("final_unit_deduction") == Decimal("1.5")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "just now"), (59, "just now"), (60, "1 min ago"), (3599, "59 min ago")]
)
def test_how_long_ago(seconds: int, words: str):
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == words


def test_what_is_older_has_its_time_or_its_date():
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert ago(now - timedelta(hours=3), now) == "09:00"
    assert ago(now - timedelta(days=3), now) == "23 Nov 2026, 12:00"


# -- the first run -------------------------------------------------------------------------------------------


def test_without_any_clip_six_templates_stand_there(app: AppTest):
    told = stage_of(app)
    assert [each["id"] for each in told["first"]] == list(SIX)
    assert all(each["title"] and each["teaches"] for each in told["first"])
    assert {"All 61 templates", "How to write a prompt"} <= {button.label for button in app.button}


def test_they_go_with_the_first_order(studio: Studio, app: AppTest):
    app.text_area(key="composer.prompt").set_value("A fox")
    press_generate(app)
    assert "first" not in stage_of(app)
    assert stage_of(app)["chosen"] == studio.ledger.jobs()[0].id
