"""The bar of History and Gallery: the address alone says what is asked, and all of the bar follows it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.downloads import Downloads
from kling.studio.library import JobQuery, Library
from kling.studio.library.library import Totals
from kling.studio.library.search import Sums
from kling.studio.library.store import IndexBroken
from kling.studio.service import Studio
from pages._ui.library.filters import FILTERS
from tests.pages.conftest import new_tab, texts, tiles_of
from tests.pages.people import person_of, sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import HOSTILE, fill

PAGES = ("history.py", "gallery.py")


def made(studio: Studio, job_id: str, prompt: str, **cells: str) -> None:
    facts = {"state": "succeed", "file": f"{job_id}.mp4", "account": "sandbox", "person": "Ada"}
    studio.ledger.append(job_id, **facts | {"prompt": prompt} | cells)


def count(app: AppTest) -> str:
    """Return how many are found, as the bar says it."""
    (found,) = [each.value for each in app.html if 'class="library-totals"' in str(each.value)]
    return str(found).split("<b>")[1].split("</b>")[0]


def address(app: AppTest) -> dict[str, str]:
    now = {name: [value] if isinstance(value, str) else value for name, value in app.query_params.items()}
    return {name: values[-1] for name, values in now.items()}


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def press(app: AppTest, key: str) -> AppTest:
    next(button for button in app.button if button.key == key).click()
    return app.run()


def opened(app: AppTest, name: str) -> AppTest:
    """Open a chip, as a press on it does."""
    app.session_state[f"history.open-{name}"] = True
    return app.run()


@pytest.fixture
def zoo(studio: Studio, tab: AppTest) -> AppTest:
    tab.session_state["app.name"] = ""
    made(studio, "fox1", "A red fox", model_name="kling-v2-6", mode="std", duration="5", aspect_ratio="16:9")
    made(studio, "fox2", "A white fox", model_name="kling-v3", mode="pro", duration="10", person="Bob")
    made(studio, "owl", "An owl", model_name="kling-v3", tags="night, Birds", batch="b7", parent="fox1")
    made(studio, "gone", "A hidden fox", hidden="1")
    studio.ledger.append("bad", state="failed", account="sandbox", person="Bob", prompt="Foxes fight")
    return tab


@pytest.mark.parametrize("page", PAGES)
def test_what_the_address_asks_stands_in_the_field_and_in_the_count(zoo: AppTest, page: str):
    assert count(open_page(zoo, page)) == ("4 jobs" if page == "history.py" else "3 clips")
    open_page(zoo, page, q="fox")
    assert zoo.text_input(key=f"{page[:-3]}.search").value == "fox"
    assert count(zoo) == ("3 jobs" if page == "history.py" else "2 clips")


def test_what_is_typed_goes_into_the_address_and_leads_to_the_first_page(zoo: AppTest):
    open_page(zoo, "history.py", page="3", person="Ada")
    zoo.text_input(key="history.search").set_value("  owl ").run()
    assert address(zoo) == {"q": "owl", "person": "Ada"}
    assert zoo.text_input(key="history.search").value == "  owl "  # somebody is in the middle of typing
    assert count(zoo) == "1 job"


def test_back_and_links_are_followed_by_every_part_of_the_bar(zoo: AppTest):
    open_page(zoo, "history.py", q="fox", star="any", when="7d")
    opened(zoo, "days")
    open_page(zoo, "history.py", q="owl", **{"from": "2026-01-02"})
    opened(zoo, "days")
    assert zoo.text_input(key="history.search").value == "owl"
    assert zoo.pills(key="history.switch-star").value is None
    assert zoo.pills(key="history.choose-Date").value is None
    assert str(zoo.date_input(key="history.choose-first").value) == "2026-01-02"


def test_closed_chips_offer_nothing_and_open_ones_what_the_log_has(zoo: AppTest):
    open_page(zoo, "history.py")
    assert {each.key for each in zoo.pills} == {"history.filters", "history.switch-star"}
    for name, key, values in (
        ("person", "Person", ["Ada", "Bob"]),
        ("models", "Model", ["Kling 3\\.0", "Kling 2\\.6"]),
        ("tags", "Tags", ["night", "Birds"]),
    ):
        opened(zoo, name)
        assert set(zoo.pills(key=f"history.choose-{key}").options) == set(values)


def test_one_choice_closes_its_chip_and_of_many_the_chip_stays_open(zoo: AppTest):
    opened(open_page(zoo, "history.py", page="2"), "person")
    zoo.pills(key="history.choose-Person").set_value("Bob").run()
    assert address(zoo) == {"person": "Bob"}
    assert not zoo.session_state["history.open-person"]
    opened(zoo, "models")
    zoo.pills(key="history.choose-Model").set_value(["kling-v3", "kling-v2-6"]).run()
    assert address(zoo) == {"person": "Bob", "model": "kling-v3,kling-v2-6"}
    assert zoo.session_state["history.open-models"]
    assert {"Bob", "Kling 3.0 +1"} <= set(labels(zoo))


def test_mine_asks_for_the_own_jobs(zoo: AppTest):
    assert "history.switch-person" not in {each.key for each in open_page(zoo, "history.py").pills}
    zoo.session_state["app.name"] = "Ada"
    zoo.run()
    zoo.pills(key="history.switch-person").set_value("Ada").run()
    assert (address(zoo), count(zoo)) == ({"person": "Ada"}, "2 jobs")
    assert "history.without-person" not in {button.key for button in zoo.button}  # the switch says it
    zoo.pills(key="history.switch-person").set_value(None).run()
    assert address(zoo) == {}


def test_every_part_of_a_question_is_said_and_can_be_taken_back(zoo: AppTest):
    asks = {
        "when": "7d",
        "person": "Bob",
        "model": "kling-v3",
        "state": "succeed",
        "rating": "4",
        "tag": "night",
        "order": "oldest",
        "shape": "1:1",
        "mode": "std",
        "seconds": "5",
        "sound": "on",
        "min": "1.5",
        "risk": "1",
        "hidden": "all",
        "batch": "b7",
        "parent": "fox1",
        "endpoint": "image2video",
        "clips": "1",
    }
    open_page(zoo, "history.py", **asks)
    said = {"Last 7 days", "Bob", "Kling 3.0", "Done", "4 stars and more", "night", "Oldest first", "1:1"}
    said |= {"720p", "5 s", "With sound", "from $0.21", "Not saved yet", "With hidden ones"}
    said |= {"Batch b7", "Made from fox1", "image2video", "With a clip"}
    assert said <= set(labels(zoo))
    keys = [str(button.key) for button in zoo.button if ".without-" in str(button.key)]
    assert len(keys) == len(asks)
    for left, key in enumerate(keys[::-1], start=1):
        press(zoo, key)
        assert len(address(zoo)) == len(asks) - left
    assert address(zoo) == {}


def test_clear_asks_nothing_any_more_and_leaves_what_is_not_ours(zoo: AppTest):
    open_page(zoo, "history.py", q="fox", person="Bob", page="2", view="dark")
    press(zoo, "history.clear")
    assert address(zoo) == {"view": "dark"}
    assert zoo.text_input(key="history.search").value == ""
    assert "history.clear" not in {button.key for button in zoo.button}


def test_more_asks_what_has_no_chip(zoo: AppTest):
    opened(open_page(zoo, "history.py"), "more")
    zoo.pills(key="history.choose-Order").set_value("oldest").run()
    zoo.number_input(key="history.choose-cost_to").set_value(0.35).run()  # at $0.14 a Unit
    assert "up to $0.35" in labels(zoo)
    zoo.pills(key="history.choose-Length").set_value(["10"]).run()
    zoo.pills(key="history.choose-File").set_value("True").run()
    zoo.pills(key="history.choose-Hidden").set_value("all").run()
    assert address(zoo) == {"order": "oldest", "max": "2.5", "seconds": "10", "risk": "1", "hidden": "all"}
    assert zoo.session_state["history.open-more"]
    zoo.pills(key="history.choose-Order").set_value(None).run()
    assert "order" not in address(zoo)


def test_every_filter_of_the_table_offers_what_it_can_say(zoo: AppTest):
    open_page(zoo, "history.py")
    for each in FILTERS:
        for value in each.offers():
            assert each.word(value)


def test_who_may_not_see_prices_learns_nothing_of_costs(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    fill(studio, 9, account="kling#1", units="1.5", unit_price="0.14", currency="USD")
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = open_page(new_tab(), "history.py", min="100", order="dearest")
    assert count(app) == "9 jobs"  # as if the cost had not been asked for
    assert "$" not in texts(app)
    assert "from 100" not in " ".join(labels(app))
    app.session_state["history.open-more"] = True
    app.run()
    assert not app.number_input
    assert "Dearest first" not in app.pills(key="history.choose-Order").options


def test_the_sum_stands_beside_the_count(studio: Studio, tab: AppTest):
    fill(studio, 1, account="sandbox", state="succeed")
    open_page(tab, "history.py")
    assert "· $0.21 at Kling" in texts(tab)


def test_no_sum_is_said_of_other_jobs_than_those_that_are_shown(studio: Studio, tab: AppTest):
    fill(studio, 3, account="kling#1", state="succeed")
    open_page(tab, "history.py")
    assert "<b>3 jobs</b></p>" in texts(tab)


def test_a_person_is_asked_for_by_id_and_said_by_name(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    mia = person_of(studio, "Mia", "maker")
    made(studio, "hers", "A fox", person="Mia", person_id=mia.id)
    sign_in(monkeypatch, studio, "Ann", "admin")
    app = open_page(new_tab(), "history.py", person=mia.id)
    assert count(app) == "1 job"
    assert "Mia" in labels(app)


def test_nothing_found_says_what_would_be_found_otherwise(zoo: AppTest):
    def instead(words: str) -> None:
        press(zoo, next(str(b.key) for b in zoo.button if b.label.replace("\\", "") == words))

    open_page(zoo, "history.py", q="fox", person="Bob", state="waiting")
    assert "No job matches “fox” with these filters." in texts(zoo)
    assert "Without “Waiting”: 2" in labels(zoo)
    instead("Without filters: 3")
    assert (address(zoo), count(zoo)) == ({"q": "fox"}, "3 jobs")
    open_page(zoo, "gallery.py", q="hidden")
    instead("With hidden ones: 1")
    assert (address(zoo), count(zoo)) == ({"q": "hidden", "hidden": "all"}, "1 clip")


def test_a_hidden_clip_is_not_on_the_wall(zoo: AppTest):
    assert "A hidden fox" not in [tile["prompt"] for tile in tiles_of(open_page(zoo, "gallery.py"))]


def test_what_is_looked_for_is_shown_as_text_only(zoo: AppTest):
    for page in PAGES:
        open_page(zoo, page, q=HOSTILE, batch=HOSTILE, person=HOSTILE, tag=HOSTILE)
        assert "<script>alert" not in texts(zoo)


def test_while_the_index_is_made_the_bar_says_how_much_is_missing(
    zoo: AppTest, monkeypatch: pytest.MonkeyPatch
):
    found = Totals(3, 3, Sums(), missing=1200)
    monkeypatch.setattr(Library, "totals", lambda *_, **__: found)
    assert "1,200 older jobs to go" in texts(open_page(zoo, "gallery.py", q="nothing of it"))
    assert count(zoo) == "3 clips so far"


def broken(*_: object, **__: object) -> None:
    raise IndexBroken("the disk is full.")


def test_an_index_that_does_not_answer_is_said_with_what_to_do(zoo: AppTest, monkeypatch: pytest.MonkeyPatch):
    for name in ("totals", "count", "page", "spend", "tags"):
        monkeypatch.setattr(Library, name, broken)
    said = texts(open_page(zoo, "gallery.py", q="fox"))
    assert "Nothing can be looked up" in said
    assert "the disk is full" in said


@pytest.mark.parametrize("asked", ["fox", "nothing of it"])
@pytest.mark.parametrize("page", PAGES)
def test_an_index_that_fails_after_its_first_answer_leaves_what_was_found(
    zoo: AppTest, monkeypatch: pytest.MonkeyPatch, page: str, asked: str
):
    found = Library.page
    monkeypatch.setattr(Library, "page", lambda *a, **k: replace(found(*a, **k), has_more=True))
    for name in ("count", "spend", "tags"):
        monkeypatch.setattr(Library, name, broken)
    assert not open_page(zoo, page, q=asked).exception


def test_a_log_that_cannot_be_read_is_no_empty_log(studio: Studio, tab: AppTest):
    studio.ledger.failure = "history.csv is no table."
    said = texts(open_page(tab, "history.py"))
    assert "The log cannot be read" in said
    assert "Nothing is lost" in said


def test_the_tags_of_the_log_are_offered_once_as_they_are_written(studio: Studio):
    for number, tags in enumerate(("night, Birds", "birds", "BIRDS, day")):
        made(studio, f"job{number}", "A bird", tags=tags)
    assert [each.casefold() for each in studio.library.tags(studio.ledger.get)] == ["birds", "day", "night"]
    assert studio.library.count(JobQuery(tags=("birds",))) == 3


def test_the_gallery_leads_to_what_is_not_saved_yet(zoo: AppTest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Downloads, "not_safe", (3, 1))
    open_page(zoo, "gallery.py")
    (chip,) = re.findall(r'<a class="wall-risk"[^>]* href="([^"]*)".*</span>(.*)</a>', texts(zoo))
    assert chip == ("/gallery?risk=1", "3 not saved yet")
    said = texts(open_page(zoo, "gallery.py", risk="1"))
    assert "3 clips are not saved yet" in said
    assert "1 clip is lost" in said
    assert "wall-risk" not in said


def test_two_filters_with_the_same_words_offer_two_ways_out(studio: Studio):
    fill(studio, 2)
    studio.ledger.append("job0000", tags="Silent", sound="on")
    studio.ledger.append("job0001", sound="off")
    page = open_page(new_tab(), "history.py", tag="Silent", sound="off")
    assert "could not be drawn" not in texts(page)
    assert [each.label for each in page.button if each.label.startswith("Without “Silent”")]
