"""Collections in the pages: filled by a dialog, shown as cards and as one wall, changed and deleted."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import Job
from kling.studio.service import Studio
from kling.studio.state.records import Collection
from pages._ui.curation import decisions, take_out
from pages._ui.escape import escape_markdown
from tests.pages.conftest import texts
from tests.pages.people import open_app, sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill
from tests.pages.test_wall import press

ANNA = User(LOCAL, "Anna", "admin")


@pytest.fixture
def clips(studio: Studio) -> tuple[str, ...]:
    """Ids of three jobs with a clip."""
    fill(studio, 3, state="succeed", file="a.mp4")
    return tuple(f"job{number:04d}" for number in range(3))


def made(studio: Studio, title: str = "Spring", clips: tuple[str, ...] = (), text: str = "") -> Collection:
    return studio.state.collections.add(ANNA, title=title, text=text, clips=clips)


def now(studio: Studio, collection: Collection) -> Collection:
    found = studio.state.collections.get(collection.id)
    assert found is not None
    return found


def ask(app: AppTest, what: str, *ids: str) -> None:
    """Have the next run draw a dialog."""
    app.session_state["app"].asked = (what, ids, 1)


# -- filling -------------------------------------------------------------------------------------------------


def test_clips_are_put_into_a_collection_that_is_there(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    there = made(studio, clips=clips[:1])
    ask(app, "collect", *clips)
    open_page(app, "job.py", id=clips[0])
    assert "**3 clips** are chosen." in texts(app)
    assert app.selectbox(key="app.collect-1").options == ["Spring · 1 clip, has 1 of them"]
    app.button(key="app.asked-yes-1").click().run()
    assert now(studio, there).clips == clips
    said = escape_markdown("2 clips are now in “Spring”.")
    assert [toast.value for toast in app.toast] == [
        f"{said} [Open the collection](/collections?id={there.id})"
    ]


def test_a_title_makes_a_new_collection(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    made(studio, "Other")
    ask(app, "collect", clips[1])
    open_page(app, "job.py", id=clips[1])
    app.text_input(key="app.collect-1-new").set_value("First cuts")
    app.button(key="app.asked-yes-1").click().run()
    assert {each.title: each.clips for each in studio.state.collections.all()} == {
        "Other": (),
        "First cuts": (clips[1],),
    }


def test_a_double_press_makes_one_collection(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    ask(app, "collect", clips[1])
    open_page(app, "job.py", id=clips[1])
    app.text_input(key="app.collect-1-new").set_value("First cuts")
    button = app.button(key="app.asked-yes-1")
    button.click().run()
    button.click().run()  # the page that had the dialog sends it before it hears of the answer
    assert len(studio.state.collections.all()) == 1


def test_without_a_title_the_dialog_says_what_is_missing(
    studio: Studio, app: AppTest, clips: tuple[str, ...]
):
    ask(app, "collect", clips[0])
    open_page(app, "job.py", id=clips[0])
    app.button(key="app.asked-yes-1").click().run()
    assert escape_markdown("Title: give the new collection a name.") in texts(app)
    assert not studio.state.collections.all()


def test_a_job_page_and_history_offer_to_collect(tab: AppTest, clips: tuple[str, ...]):
    open_page(tab, "job.py", id=clips[0])
    tab.button(key="job.collect").click().run()
    assert tab.session_state["app"].asked == ("collect", (clips[0],), 1)


# -- all of them ---------------------------------------------------------------------------------------------


def test_every_collection_is_a_card_with_a_picture_a_count_and_who_filled_it(
    studio: Studio, app: AppTest, clips: tuple[str, ...]
):
    made(studio, "Empty")
    there = made(studio, "<b>Fox</b>", clips)
    studio.state.collections.change(ANNA, there, cover=clips[2])
    text = texts(open_page(app, "clip_collections.py"))
    assert "2 collections" in text
    assert f'href="/collections?id={there.id}"' in text
    assert f'src="/clips/{clips[2]}.jpg"' in text
    assert "&lt;b&gt;Fox&lt;/b&gt;" in text
    assert "3 clips · <bdi>Anna</bdi> · just now" in text
    assert "0 clips · <bdi>Anna</bdi> · just now" in text


def test_a_hidden_clip_is_not_counted_and_is_no_cover(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    made(studio, clips=clips[:2])
    studio.ledger.append(clips[0], hidden="1")
    text = texts(open_page(app, "clip_collections.py"))
    assert "1 clip · <bdi>Anna</bdi>" in text
    assert f'src="/clips/{clips[1]}.jpg"' in text


def test_a_new_one_is_made_empty(studio: Studio, app: AppTest):
    open_page(app, "clip_collections.py")
    assert "No collection yet." in texts(app)
    app.button(key="collections.new").click().run()
    app.text_input(key="app.collection-1-title").set_value("Later")
    app.text_area(key="app.collection-1-text").set_value("For the fair")
    app.button(key="app.asked-yes-1").click().run()
    [there] = studio.state.collections.all()
    assert (there.title, there.text, there.clips) == ("Later", "For the fair", ())
    assert str(app.toast[0].value).endswith(f"[Open the collection](/collections?id={there.id})")


# -- one -----------------------------------------------------------------------------------------------------


def open_one(app: AppTest, collection: Collection) -> AppTest:
    return open_page(app, "clip_collections.py", id=collection.id)


def test_a_collection_has_its_words_and_its_clips_in_its_own_order(
    studio: Studio, app: AppTest, clips: tuple[str, ...]
):
    order = (clips[2], clips[0], clips[1])
    there = made(studio, clips=order, text="Which <i>one</i>?")
    studio.ledger.append(clips[0], hidden="1")
    text = texts(open_one(app, there))
    assert "Which &lt;i&gt;one&lt;/i&gt;?" in text
    assert "1 hidden or gone · made by <bdi>Anna</bdi> · changed just now by <bdi>Anna</bdi>" in text
    assert f'href="/take-away?collection={there.id}&amp;form=zip"' in text
    present = json.loads(text.split('data-present="')[1].split('"')[0].replace("&quot;", '"'))
    assert present == {"ids": [clips[2], clips[1]], "among": f"collection={there.id}"}


def test_one_that_is_gone_says_so(app: AppTest):
    text = texts(open_page(app, "clip_collections.py", id="../<script>"))
    assert "There is no such collection." in text


def test_title_and_text_are_changed_and_nobody_overwrites_another(studio: Studio, app: AppTest):
    there = made(studio)
    open_one(app, there)
    app.session_state["collection.more"] = True
    app.run()
    app.button(key="collection.edit").click().run()
    studio.state.collections.change(User("b", "Ben", "maker"), there, title="Ben’s")
    app.text_input(key="app.collection-1-title").set_value("Mine")
    app.button(key="app.asked-yes-1").click().run()
    assert escape_markdown("Ben has changed it meanwhile, to “Ben’s”.") in texts(app)
    assert now(studio, there).title == "Ben’s"
    app.button(key="app.asked-yes-1").click().run()
    assert now(studio, there).title == "Mine"


def test_clips_are_moved_taken_out_and_chosen_as_the_cover(
    studio: Studio, app: AppTest, clips: tuple[str, ...]
):
    there = made(studio, clips=clips)
    open_one(app, there)
    press({"what": "move", "ids": [clips[2]], "value": {"of": there.id, "before": clips[0]}})
    assert now(studio, there).clips == (clips[2], clips[0], clips[1])
    moves = [
        {"what": "move", "ids": [each], "value": {"of": there.id, "before": before}}
        for each, before in ((clips[2], clips[1]), (clips[2], ""), (clips[1], clips[0]))
    ]
    press(*moves)  # which have come together
    assert now(studio, there).clips == (clips[1], clips[0], clips[2])
    press({"what": "cover", "ids": [clips[1]], "value": {"of": there.id}})
    press({"what": "take_out", "ids": [clips[0]], "value": {"of": there.id}})
    assert (now(studio, there).clips, now(studio, there).cover) == ((clips[1], clips[2]), clips[1])


@pytest.mark.parametrize("what", ["move", "take_out", "cover"])
def test_what_is_pressed_in_a_collection_that_is_gone_is_refused_in_words(clips: tuple[str, ...], what: str):
    app = press({"what": what, "ids": [clips[0]], "value": {"of": "gone"}})
    assert "collection" in str(app.toast[0].value)


@pytest.mark.parametrize("value", [None, "there", {"of": 7}, {"of": ["there"]}])
def test_a_senseless_press_in_a_collection_raises_nothing(clips: tuple[str, ...], value: object):
    press(*({"what": what, "ids": [clips[0]], "value": value} for what in ("cover", "move", "take_out")))


def test_what_was_taken_out_goes_back_where_it_stood(
    studio: Studio, app: AppTest, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    there = made(studio, clips=clips)
    open_one(app, there)
    with monkeypatch.context() as patch:
        patch.setattr(decisions, "app_state", lambda: app.session_state["app"])
        take_out(now(studio, there), [clips[1], clips[0]])
    studio.state.collections.put(ANNA, there.id, ["job0009"])  # somebody adds one meanwhile
    app.run()
    assert "2 clips are taken out." in texts(app)
    app.button(key="app.undo-1").click().run()
    assert now(studio, there).clips == (*clips, "job0009")


def test_deleting_asks_and_leads_back_to_all_of_them(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    there = made(studio, clips=clips)
    open_one(app, there)
    app.session_state["collection.more"] = True
    app.run()
    app.button(key="collection.delete").click().run()
    assert "Its 3 clips stay in Gallery." in texts(app)
    app.button(key="app.asked-yes-1").click().run()
    app.run()
    assert not studio.state.collections.all()
    assert "No collection yet." in texts(app)
    jobs: list[Job | None] = [studio.ledger.get(each) for each in clips]
    assert all(job is not None and job.has_clip for job in jobs)


def test_a_viewer_fills_one_and_deletes_none_of_somebody_else(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    there = studio.state.collections.add(User("someone", "Sam", "maker"), title="Sam’s", clips=clips)
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = open_app()
    app.session_state["collection.more"] = True
    open_one(app, there)
    keys = {str(button.key) for button in app.button if str(button.key).startswith("collection.")}
    assert keys == {"collection.edit"}
