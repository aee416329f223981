"""Star, rate, tag, note, hide, delete: what a press does, what is asked first, and what can be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from kling.studio.jobs import Job
from kling.studio.service import Studio
from pages._ui.session_state import Undoable
from tests.pages.conftest import texts
from tests.pages.people import open_app, sign_in
from tests.pages.test_lists import open_page
from tests.pages.test_pages import fill


@pytest.fixture
def clip(studio: Studio) -> str:
    """A job whose clip is here."""
    fill(studio, 1, state="succeed", file="job0000.mp4", file_bytes="2100000")
    path = studio.archive.video("job0000")
    path.write_bytes(bytes(2_100_000))
    return "job0000"


def job_of(studio: Studio, job_id: str) -> Job:
    job = studio.ledger.get(job_id)
    assert job is not None
    return job


def test_a_star_is_given_and_taken_back_by_the_same_button(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.star").click().run()
    assert job_of(studio, clip).opinions
    assert tab.button(key="job.star").label == "Take the star back"
    tab.button(key="job.star").click().run()
    assert not job_of(studio, clip).opinions


def test_hidden_is_undone_by_one_press_and_the_offer_is_gone_then(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.hide").click().run()
    assert "1 clip is hidden." in texts(tab)
    assert job_of(studio, clip)["hidden"] == "1"
    tab.button(key="app.undo-1").click().run()
    assert not job_of(studio, clip).hidden
    assert "is hidden." not in texts(tab)


def test_the_offer_to_undo_ends(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.hide").click().run()
    state = tab.session_state["app"]
    assert isinstance(state.undo, Undoable)
    assert state.undo.ids == (clip,)
    state.undo = replace(state.undo, until=0.0)
    tab.run()
    assert "is hidden." not in texts(tab)
    assert job_of(studio, clip).hidden


def test_deleting_says_how_many_and_how_large_asks_and_leaves_a_tombstone(
    studio: Studio, tab: AppTest, clip: str
):
    tab.session_state["job.more"] = True
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.delete").click().run()
    assert "**Delete 1 clip for good?** 1 file, 2.1 MB." in texts(tab)
    assert studio.archive.video(clip).exists()
    tab.button(key="app.asked-yes-1").click().run()
    assert not studio.archive.video(clip).exists()
    assert job_of(studio, clip).deleted
    tab.run()
    assert "Its file was deleted" in texts(tab)
    assert "never fetched again" in texts(tab)


def test_what_somebody_else_has_deleted_meanwhile_is_told_as_such(studio: Studio, tab: AppTest, clip: str):
    tab.session_state["job.more"] = True
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.delete").click().run()
    studio.deletions.delete([clip], by="p-2", by_name="Bob")
    tab.button(key="app.asked-yes-1").click().run()
    assert "somebody has deleted it already" in str(tab.toast[0].value)


def test_a_question_that_is_cancelled_deletes_nothing(studio: Studio, tab: AppTest, clip: str):
    tab.session_state["job.more"] = True
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.delete").click().run()
    tab.button(key="app.asked-no-1").click().run()
    tab.run()
    assert studio.archive.video(clip).exists()
    assert "for good?" not in texts(tab)


def test_a_dialog_stays_while_the_page_is_drawn_again(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.note").click().run()
    studio.ledger.append(clip, message="Something else has changed")
    tab.run()
    tab.text_area(key="app.note-1").set_value("Landing page")
    tab.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Landing page"


def test_tags_of_one_clip_are_changed_and_links_lead_to_others_that_have_them(
    studio: Studio, tab: AppTest, clip: str
):
    studio.ledger.append(clip, tags="winter, R&D <b>")
    open_page(tab, "job.py", id=clip)
    assert 'href="/history?tag=winter"' in texts(tab)
    assert 'href="/history?tag=R%26D+%3Cb%3E"' in texts(tab)
    tab.button(key="job.tags").click().run()
    tab.pills(key="app.tags-1").set_value(["winter"])
    tab.text_input(key="app.tags-1-new").set_value("mascot, launch")
    studio.ledger.append(clip, tags="winter, R&D <b>, of a colleague")
    tab.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip).tags == ("winter", "of a colleague", "mascot", "launch")


def test_a_note_that_somebody_changed_meanwhile_is_replaced_only_by_a_second_press(
    studio: Studio, tab: AppTest, clip: str
):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.note").click().run()
    tab.text_area(key="app.note-1").set_value("Mine")
    studio.ledger.append(clip, note="Of a colleague")
    tab.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Of a colleague"
    assert "Somebody has changed the note meanwhile" in tab.error[0].value
    assert tab.text_area(key="app.note-1").value == "Mine"
    tab.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Mine"


def test_a_note_that_is_too_long_is_refused_and_stays_in_its_field(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    tab.button(key="job.note").click().run()
    # A browser cuts what is pasted where there is a limit.
    assert tab.text_area(key="app.note-1").max_chars == 0
    tab.text_area(key="app.note-1").set_value("x" * 2_001)
    tab.button(key="app.asked-yes-1").click().run()
    assert "it has 2,001 characters; 2,000 fit" in tab.error[0].value
    assert len(str(tab.text_area(key="app.note-1").value)) == 2_001
    assert not job_of(studio, clip)["note"]


def test_a_rating_is_the_users_own_and_is_taken_back(studio: Studio, tab: AppTest, clip: str):
    studio.ledger.append(clip, rating="2", by_name="Ben")
    open_page(tab, "job.py", id=clip)
    (stars,) = tab.feedback
    assert stars.value is None
    assert "Rated by <bdi>Ben</bdi> 2 of 5" in texts(tab)
    stars.set_value(3).run()
    (stars,) = tab.feedback
    opinions = job_of(studio, clip).opinions
    assert sorted(opinion.stars for opinion in opinions.values()) == [2, 4]
    assert stars.value == 3


def test_a_viewer_has_a_star_and_a_rating_and_nothing_that_changes_the_clip(
    studio: Studio, clip: str, monkeypatch: pytest.MonkeyPatch
):
    studio.ledger.append(clip, note="For the client", tags="winter", by_name="Ben")
    sign_in(monkeypatch, studio, "Vera", "viewer")
    app = open_app()
    app.session_state["job.more"] = True
    open_page(app, "job.py", id=clip)
    keys = {str(button.key) for button in app.button if str(button.key).startswith("job.")}
    assert keys == {"job.star", "job.collect", "job.more_collect"}
    assert len(app.feedback) == 1
    assert "For the client" in texts(app)
    assert not [link for link in app.get("page_link") if "Remix" in link.proto.label]


def test_tags_are_added_to_many_clips_and_taken_off_those_that_have_them(studio: Studio, tab: AppTest):
    fill(studio, 3, state="succeed", file="a.mp4")
    studio.ledger.append("job0001", tags="old, kept")
    ids = ("job0000", "job0001")
    tab.session_state["app"].asked = ("tag", ids, 1)
    open_page(tab, "job.py", id="job0002")
    assert "**2 clips** are chosen." in texts(tab)
    tab.pills(key="app.tags-1-off").set_value(["old"])
    tab.pills(key="app.tags-1").set_value(["kept"])
    tab.button(key="app.asked-yes-1").click().run()
    assert [job_of(studio, job_id).tags for job_id in ids] == [("kept",), ("kept",)]


def test_only_those_that_have_files_are_counted_for_deleting(studio: Studio, tab: AppTest, clip: str):
    studio.ledger.append("bare", state="failed", prompt="Nothing came")
    tab.session_state["app"].asked = ("delete", (clip, "bare"), 1)
    open_page(tab, "job.py", id=clip)
    assert "**Delete 1 clip for good?**" in texts(tab)
    assert "1 job has no file here" in texts(tab)
