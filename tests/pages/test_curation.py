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


def test_a_star_is_given_and_taken_back_by_the_same_button(studio: Studio, app: AppTest, clip: str):
    open_page(app, "job.py", id=clip)
    app.button(key="job.star").click().run()
    assert job_of(studio, clip).opinions
    assert app.button(key="job.star").label == "Take the star back"
    app.button(key="job.star").click().run()
    assert not job_of(studio, clip).opinions


def test_hidden_is_undone_by_one_press_and_the_offer_is_gone_then(studio: Studio, app: AppTest, clip: str):
    open_page(app, "job.py", id=clip)
    app.button(key="job.hide").click().run()
    assert "1 clip is hidden." in texts(app)
    assert job_of(studio, clip)["hidden"] == "1"
    app.button(key="app.undo-1").click().run()
    assert not job_of(studio, clip).hidden
    assert "is hidden." not in texts(app)


def test_the_offer_to_undo_ends(studio: Studio, app: AppTest, clip: str):
    open_page(app, "job.py", id=clip)
    app.button(key="job.hide").click().run()
    state = app.session_state["app"]
    assert isinstance(state.undo, Undoable)
    assert state.undo.ids == (clip,)
    state.undo = replace(state.undo, until=0.0)
    app.run()
    assert "is hidden." not in texts(app)
    assert job_of(studio, clip).hidden


def test_deleting_says_how_many_and_how_large_asks_and_leaves_a_tombstone(
    studio: Studio, app: AppTest, clip: str
):
    app.session_state["job.more"] = True
    open_page(app, "job.py", id=clip)
    app.button(key="job.delete").click().run()
    assert "**Delete 1 clip for good?** 1 file, 2.1 MB." in texts(app)
    assert studio.archive.video(clip).exists()
    app.button(key="app.asked-yes-1").click().run()
    assert not studio.archive.video(clip).exists()
    assert job_of(studio, clip).deleted
    app.run()
    assert "Its file was deleted" in texts(app)
    assert "never fetched again" in texts(app)


def test_a_question_that_is_cancelled_deletes_nothing(studio: Studio, app: AppTest, clip: str):
    app.session_state["job.more"] = True
    open_page(app, "job.py", id=clip)
    app.button(key="job.delete").click().run()
    app.button(key="app.asked-no-1").click().run()
    app.run()
    assert studio.archive.video(clip).exists()
    assert "for good?" not in texts(app)


def test_a_dialog_stays_while_the_page_is_drawn_again(studio: Studio, app: AppTest, clip: str):
    open_page(app, "job.py", id=clip)
    app.button(key="job.note").click().run()
    studio.ledger.append(clip, message="Something else has changed")
    app.run()
    app.text_area(key="app.note-1").set_value("Landing page")
    app.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Landing page"


def test_tags_of_one_clip_are_changed_and_links_lead_to_others_that_have_them(
    studio: Studio, app: AppTest, clip: str
):
    studio.ledger.append(clip, tags="winter, R&D <b>")
    open_page(app, "job.py", id=clip)
    assert 'href="/history?tag=winter"' in texts(app)
    assert 'href="/history?tag=R%26D+%3Cb%3E"' in texts(app)
    app.button(key="job.tags").click().run()
    app.pills(key="app.tags-1").set_value(["winter"])
    app.text_input(key="app.tags-1-new").set_value("mascot, launch")
    studio.ledger.append(clip, tags="winter, R&D <b>, of a colleague")
    app.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip).tags == ("winter", "of a colleague", "mascot", "launch")


def test_a_note_that_somebody_changed_meanwhile_is_replaced_only_by_a_second_press(
    studio: Studio, app: AppTest, clip: str
):
    open_page(app, "job.py", id=clip)
    app.button(key="job.note").click().run()
    app.text_area(key="app.note-1").set_value("Mine")
    studio.ledger.append(clip, note="Of a colleague")
    app.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Of a colleague"
    assert "Somebody has changed the note meanwhile" in app.error[0].value
    assert app.text_area(key="app.note-1").value == "Mine"
    app.button(key="app.asked-yes-1").click().run()
    assert job_of(studio, clip)["note"] == "Mine"


def test_a_rating_is_the_users_own_and_is_taken_back(studio: Studio, app: AppTest, clip: str):
    studio.ledger.append(clip, rating="2", by_name="Ben")
    open_page(app, "job.py", id=clip)
    (stars,) = app.feedback
    assert stars.value is None
    assert "Rated by Ben 2 of 5" in texts(app)
    stars.set_value(3).run()
    (stars,) = app.feedback
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


def test_tags_are_added_to_many_clips_and_taken_off_those_that_have_them(studio: Studio, app: AppTest):
    fill(studio, 3, state="succeed", file="a.mp4")
    studio.ledger.append("job0001", tags="old, kept")
    ids = ("job0000", "job0001")
    app.session_state["app"].asked = ("tag", ids, 1)
    open_page(app, "job.py", id="job0002")
    assert "**2 clips** are chosen." in texts(app)
    app.pills(key="app.tags-1-off").set_value(["old"])
    app.pills(key="app.tags-1").set_value(["kept"])
    app.button(key="app.asked-yes-1").click().run()
    assert [job_of(studio, job_id).tags for job_id in ids] == [("kept",), ("kept",)]


def test_only_those_that_have_files_are_counted_for_deleting(studio: Studio, app: AppTest, clip: str):
    studio.ledger.append("bare", state="failed", prompt="Nothing came")
    app.session_state["app"].asked = ("delete", (clip, "bare"), 1)
    open_page(app, "job.py", id=clip)
    assert "**Delete 1 clip for good?**" in texts(app)
    assert "1 job has no file here" in texts(app)
