"""Sharing in the pages: the dialog that makes a link, and the list of what is shared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.identity.roles import User
from kling.studio.service import Studio
from kling.studio.state.records import Share
from tests.pages.conftest import new_tab, texts
from tests.pages.people import open_app, sign_in
from tests.pages.test_collections import ANNA, ask, made
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill

DAY = 24 * 3600.0


@pytest.fixture
def clips(studio: Studio) -> tuple[str, ...]:
    """Ids of three jobs with a clip, of somebody with an account."""
    fill(studio, 3, state="succeed", file="a.mp4", person_id="ada")
    return tuple(f"job{number:04d}" for number in range(3))


def let_anyone_in(studio: Studio) -> None:
    """Be a studio whose operator lets in anyone who has a link."""
    studio.settings = replace(studio.settings, sharing="anyone")


def link_of(app: AppTest) -> str:
    """Return the token that the dialog shows."""
    [code] = [each.value for each in app.code]
    assert "/share/" in code
    return code.partition("/share/")[2]


def test_a_link_is_made_and_shown_once(studio: Studio, tab: AppTest, clips: tuple[str, ...]):
    open_page(tab, "job.py", id=clips[0])
    tab.button(key="job.share").click().run()
    assert "The link shows **1 clip**." in texts(tab)
    assert not tab.radio  # the operator leaves no choice
    tab.text_input(key="app.share-1-title").set_value("For you")
    tab.checkbox(key="app.share-1-people").uncheck()
    tab.button(key="app.asked-yes-1").click().run()
    [share] = studio.state.shares.all()
    assert (share.title, share.clips, share.people, share.prompts) == ("For you", (clips[0],), False, True)
    assert (share.audience, round((share.ends - share.made) / DAY)) == ("team", 14)
    token = link_of(tab)
    assert studio.state.shares.find(token) == share
    tab.button(key="app.asked-no-1").click().run()
    tab.run()
    assert not tab.code
    assert token not in texts(tab)


def test_a_double_press_makes_one_link(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    ask(app, "share", *clips)
    open_page(app, "job.py", id=clips[0])
    app.session_state["app"].link = Share(id="first"), "token"  # of the first press
    app.button(key="app.asked-yes-1").click().run()
    assert not studio.state.shares.all()
    assert link_of(app) == "token"


def test_a_title_that_is_too_long_is_refused_and_stays_to_be_shortened(
    studio: Studio, app: AppTest, clips: tuple[str, ...]
):
    ask(app, "share", *clips)
    open_page(app, "job.py", id=clips[0])
    app.text_input(key="app.share-1-title").set_value("Boot " * 20)
    app.button(key="app.asked-yes-1").click().run()
    assert "Title: it has 99 characters; 80 fit. Shorten it." in str(app.error[0].value).replace("\\", "")
    title = app.text_input(key="app.share-1-title")
    assert title.value == "Boot " * 20
    assert not title.proto.max_chars  # else the browser drops the rest before anybody is told
    title.set_value("Boots")
    app.button(key="app.asked-yes-1").click().run()
    assert [each.title for each in studio.state.shares.all()] == ["Boots"]


def test_anyone_may_see_it_for_the_days_that_are_chosen(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    let_anyone_in(studio)
    ask(app, "share", *clips)
    open_page(app, "job.py", id=clips[0])
    app.radio(key="app.share-1-audience").set_value("anyone").run()
    app.pills(key="app.share-1-days-anyone").set_value(7)
    app.button(key="app.asked-yes-1").click().run()
    [share] = studio.state.shares.all()
    assert (share.audience, round((share.ends - share.made) / DAY), len(share.clips)) == ("anyone", 7, 3)


def test_a_maker_is_offered_thirty_days_for_anyone(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    let_anyone_in(studio)
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    studio.ledger.append("own", state="succeed", file="a.mp4", prompt="Own", person_id=mia.id, person="Mia")
    app = open_app()
    ask(app, "share", "own", clips[0])
    open_page(app, "job.py", id="own")
    assert len(app.pills(key="app.share-1-days-team").options) == 6
    app.radio(key="app.share-1-audience").set_value("anyone").run()
    assert [str(each) for each in app.pills(key="app.share-1-days-anyone").options][-1] == "30 days"
    assert "1 left out: somebody else’s" in texts(app)


def test_what_nobody_may_share_here_is_said(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    studio.ledger.append(clips[0], hidden="1")
    ask(app, "share", clips[0])
    open_page(app, "job.py", id=clips[0])
    assert "choose one that is here and not hidden" in texts(app)
    studio.settings = replace(studio.settings, sharing="off")
    app.run()
    assert "Sharing is switched off here (STUDIO_SHARING)." in texts(app)
    assert "job.share" not in {button.key for button in app.button}


def test_a_collection_is_shared_whole_or_not_at_all(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    there = made(studio, clips=clips)
    sign_in(monkeypatch, studio, "Mia", "maker")
    app = open_app()
    ask(app, "share_collection", there.id)
    open_page(app, "clip_collections.py", id=there.id)
    assert "Some clips in it are somebody else’s." in texts(app)
    assert "app.asked-yes-1" not in {button.key for button in app.button}


def test_a_shared_collection_follows_its_words(studio: Studio, app: AppTest, clips: tuple[str, ...]):
    there = made(studio, clips=clips[:2])
    open_page(app, "clip_collections.py", id=there.id)
    app.button(key="collection.share").click().run()
    app.button(key="app.asked-yes-1").click().run()
    [share] = studio.state.shares.all()
    assert (share.collection_id, share.clips) == (there.id, clips[:2])
    view = studio.shared_view(link_of(app))
    assert view is None or view.title == "Spring"


# -- the list ------------------------------------------------------------------------------------------------


def shared(studio: Studio, clips: tuple[str, ...], *, by: User = ANNA, **facts: str) -> Share:
    return studio.state.shares.add(by, clips, ends=studio.now() + 7 * DAY, **facts)[0]  # type: ignore[arg-type]


def test_the_list_says_what_is_shared_by_whom_and_how_often_it_was_looked_at(
    studio: Studio, tab: AppTest, clips: tuple[str, ...]
):
    first = shared(studio, clips[:1], title="<b>One</b>")
    for _ in range(2):
        studio.state.shares.count(first.id)
    studio.state.shares.count(first.id, played=True)
    shared(studio, clips[1:])
    text = texts(open_page(tab, "sharing.py"))
    assert "&lt;b&gt;One&lt;/b&gt;" in text
    assert "Opened 2 times<small>1 clip played</small>" in text
    assert "Not opened yet" in text
    assert "Prompt 1" in text  # stands for the title
    assert "Anna" in text
    assert "2 clips · who can open this studio · made" in text


def test_a_link_is_ended_after_asking(studio: Studio, tab: AppTest, clips: tuple[str, ...]):
    share = shared(studio, clips)
    open_page(tab, "sharing.py")
    tab.button(key=f"sharing.end-{share.id}").click().run()
    assert not studio.state.shares.all()[0].ended
    tab.button(key="app.asked-yes-1").click().run()
    tab.run()
    assert studio.state.shares.all()[0].ended
    assert "Ended <small>1</small>" in texts(tab)
    assert f"sharing.end-{share.id}" not in {button.key for button in tab.button}


def test_renew_shows_what_was_added_since(studio: Studio, tab: AppTest, clips: tuple[str, ...]):
    there = made(studio, clips=clips[:1])
    share = shared(studio, clips[:1], collection_id=there.id)
    open_page(tab, "sharing.py")
    assert f"sharing.renew-{share.id}" not in {button.key for button in tab.button}
    studio.state.collections.put(ANNA, there.id, clips[1:])
    tab.run()
    assert "2 clips were added since" in str(tab.button(key=f"sharing.renew-{share.id}").help)
    tab.button(key=f"sharing.renew-{share.id}").click().run()
    assert studio.state.shares.all()[0].clips == clips


def test_makers_see_their_own_links_and_admins_all(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    mia = sign_in(monkeypatch, studio, "Mia", "maker")
    shared(studio, clips[:1], by=mia.user, title="Of Mia")
    shared(studio, clips[1:2], by=User("ben", "Ben", "maker"), title="Of Ben")
    text = texts(open_page(new_tab(), "sharing.py"))
    assert "Of Mia" in text
    assert "Of Ben" not in text
    sign_in(monkeypatch, studio, "Ada", "admin")
    text = texts(open_page(new_tab(), "sharing.py"))
    assert "Of Mia" in text
    assert "Of Ben" in text


def test_a_viewer_is_told_what_it_takes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, clips: tuple[str, ...]
):
    shared(studio, clips)
    sign_in(monkeypatch, studio, "Vera", "viewer")
    text = texts(open_page(new_tab(), "sharing.py"))
    assert "Sharing clips takes the role maker." in text
    assert "Not opened yet" not in text


def test_nothing_shared_says_how_to_begin(studio: Studio, tab: AppTest):
    assert "Nothing is shared." in texts(open_page(tab, "sharing.py"))
    studio.settings = replace(studio.settings, sharing="off")
    assert "no link opens" in texts(tab.run())
