"""What comes after a clip: one that goes on with it, the film of both, and sound."""

from __future__ import annotations

import html
import re
import shutil
from datetime import UTC
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.image_to_video import ImageToVideo
from kling.studio.films.chains import SOUND
from kling.studio.films.store import Films
from kling.studio.identity.roles import User
from kling.studio.jobs import dump_json, request_cells
from kling.studio.service import Studio
from kling.studio.take_away.settings import read_clip
from kling.video_to_audio import VideoToAudio
from pages._ui.routes import films, gate
from pages._ui.viewer.panel import panel_facts
from tests.pages.conftest import rows_of, texts
from tests.pages.gate_tools import PLACES, Team
from tests.pages.test_lists import open_page
from tests.studio.clips import tiny_clip
from tests.studio.films.reels import reel

SILENT = {"width": 320, "height": 180, "seconds": 5.0, "fps": 24, "audio": False}


@pytest.fixture
def clip(studio: Studio, tmp_path: Path) -> str:
    """A silent clip that was made just now, in a studio that joins a film before it answers."""
    studio.films = Films(studio.films.folder, studio.archive.video, start=lambda join: join())
    tiny_clip(tmp_path / "one.mp4")
    return a_clip(studio, tmp_path, "one")


def a_clip(studio: Studio, tmp_path: Path, job_id: str, parent: str = "", **cells: str) -> str:
    shutil.copy(tmp_path / "one.mp4", studio.archive.video(job_id))
    request = request_cells(TextToVideo(prompt=f"Part {job_id}", model_name="kling-v2-6"))
    extra = {"probe": SILENT} | ({"continues": True} if parent else {})
    known = {"state": "succeed", "account": "sandbox", "parent": parent, "video_id": "9"}
    known |= {"file": f"{job_id}.mp4", "file_sha256": job_id, "extra": dump_json(extra)}
    studio.ledger.append(job_id, **{**known, **request, **cells})
    return job_id


def links(app: AppTest) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in app.get("page_link")}


# -- the next clip -------------------------------------------------------------------------------------------


def test_continue_leads_to_the_form_with_the_last_frame(tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    assert links(tab)["Continue"] == "from=one&frame=last"


def test_on_compose_the_menu_of_the_stage_continues_too(studio: Studio, tab: AppTest, clip: str):
    tiny, large = studio.archive.video(clip), reel(studio.archive.video("large"), size=(640, 360))
    large.replace(tiny)
    tab.session_state.composer.jobs = [clip]
    tab.session_state["stage.more"] = True
    tab.switch_page("compose.py").run()
    tab.button(key="stage.continue").click().run()
    assert tab.session_state.composer.parent == clip
    assert tab.session_state["composer.prompt"] == ""
    assert studio.pictures.path(tab.session_state["composer.first_frame"]).is_file()


def test_on_compose_a_clip_too_small_to_go_on_from_is_refused_at_once(tab: AppTest, clip: str):
    tab.session_state.composer.jobs = [clip]
    tab.session_state["stage.more"] = True
    tab.switch_page("compose.py").run()
    tab.button(key="stage.continue").click().run()
    problem = "Kling takes no side below 300 pixels"
    said = texts(tab).replace("\\", "")
    assert problem in said
    assert "Continue did not work: The picture has" in said
    assert "The form is as it was." in said
    # The menu is not in the form, which draws itself again only for what it is drawn from.
    assert problem in tab.session_state.composer.drawn_from[0]


def test_a_clip_alone_is_no_film(tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    assert "job-parts" not in texts(tab)


def test_a_chain_is_one_film_with_its_parts_in_order(studio: Studio, tab: AppTest, clip: str, tmp_path: Path):
    a_clip(studio, tmp_path, "two", clip)
    a_clip(studio, tmp_path, "three", "two")
    open_page(tab, "job.py", id="two")
    said = texts(tab)
    assert "3 clips that go on with each other" in said
    assert re.findall(r"/clips/(\w+)\.jpg\"><span><b>", said) == ["one", "two", "three"]
    assert 'aria-label="Part 2: Part two, this clip"' in said
    tab.run()
    source = re.search(r'src="(/films/[0-9a-f]{32}\.mp4)"', texts(tab))
    assert source
    assert studio.films.path(source[1].rpartition("/")[2])
    assert "/film?of=three" in html.unescape(texts(tab))
    assert (
        """data-present="{&quot;ids&quot;: [&quot;one&quot;, &quot;two&quot;, &quot;three&quot;]}\""""
        in texts(tab)
    )
    tab.button(key="job.share-film").click().run()
    assert "The link shows the film of **3 clips**." in texts(tab)


def test_the_lightbox_has_the_film_and_what_comes_after(studio: Studio, clip: str, tmp_path: Path):
    a_clip(studio, tmp_path, "two", clip)
    maker = studio.acting_as(User("p1", "Mia", "maker"))
    job = studio.ledger.get("two")
    assert job
    first, then = (panel_facts(job, maker, "", UTC)["film"] for _ in range(2))
    assert (first["src"], first["why"], first["ids"]) == ("", "Being joined", ["one", "two"])
    assert then["src"].startswith("/films/")
    assert then["download"] == "/film?of=two"
    facts = panel_facts(job, maker, "", UTC)
    assert (facts["next"], facts["sound_of"]) == ("/?from=two&frame=last", "two")
    looking = panel_facts(job, studio.acting_as(User("p2", "Vi", "viewer")), "", UTC)
    assert (looking["next"], looking["sound_of"]) == ("", "")


def test_what_goes_on_from_a_clip_with_sound_is_compared_with_the_silent_one(
    studio: Studio, tab: AppTest, clip: str, tmp_path: Path
):
    a_clip(studio, tmp_path, "loud", clip, **request_cells(VideoToAudio(video_id="9", bgm_prompt="Piano")))
    a_clip(studio, tmp_path, "two", "loud")
    open_page(tab, "job.py", id="two")
    assert "with sound: <ins>Piano</ins>" in texts(tab)
    assert re.search(r"goes on · [^<]*<del>one</del> <ins>two</ins></span>", texts(tab))


def test_a_part_without_its_file_ends_the_film(studio: Studio, tab: AppTest, clip: str, tmp_path: Path):
    a_clip(studio, tmp_path, "two", clip, file="")
    a_clip(studio, tmp_path, "three", "two")
    a_clip(studio, tmp_path, "four", "three")
    open_page(tab, "job.py", id="four")
    assert "2 clips that go on with each other" in texts(tab)


def test_who_deletes_a_clip_of_a_film_is_told_before(studio: Studio, tab: AppTest, clip: str, tmp_path: Path):
    def question(*job_ids: str) -> list[str]:
        tab.session_state["app"].asked = ("delete", job_ids, 1)
        return [str(warning.value) for warning in open_page(tab, "job.py", id=clip).warning]

    assert question(clip) == []
    a_clip(studio, tmp_path, "two", clip)
    a_clip(studio, tmp_path, "alone")
    (said,) = question("two")
    assert said.startswith("**It is one of the 2 clips of a film.** Without it, that film can no longer be")
    (said,) = question(clip, "two", "alone")
    assert said.startswith("**2 of them are clips of a film.**")


def test_the_pictures_that_a_clip_was_made_from_stand_beside_it(studio: Studio, tab: AppTest, clip: str):
    frame = "a" * 64
    studio.pictures.folder.mkdir(exist_ok=True)
    (studio.pictures.folder / f"{frame}.png").touch()
    request = request_cells(
        ImageToVideo(image=frame, image_tail="0" * 64, prompt="It runs", model_name="kling-v2-6")
    )
    studio.ledger.append(clip, **request)
    open_page(tab, "job.py", id=clip)
    assert f'src="/pictures/{frame}"' in texts(tab)
    assert texts(tab).count("Not here") == 1
    assert re.search(r"Shape</th><td[^>]*>of the picture</td><td>16:9", texts(tab))
    assert "It runs" in texts(tab)


# -- taking the film away ------------------------------------------------------------------------------------


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Team:
    here = Team(studio, PLACES[0], monkeypatch)
    monkeypatch.setattr(films, "base_path", lambda: "")
    here.app = Starlette(routes=films.routes(), middleware=gate.middleware(studio.settings))
    return here


def test_a_film_is_taken_away_with_the_settings_of_its_parts(
    studio: Studio, team: Team, clip: str, tmp_path: Path
):
    a_clip(studio, tmp_path, "two", clip)
    with team.client("viewer") as client:
        assert "being joined" in client.get("/film?of=one").text
        answer = client.get("/film?of=one")
        played = client.get(f"/films/{next(studio.films.folder.glob('*.mp4')).name}")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "_film.mp4" in answer.headers["content-disposition"]
    assert [each["prompt"] for each in read_clip(answer.content).records] == ["Part one", "Part two"]
    assert played.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("address", ["/film", "/film?of=one", "/film?of=none", "/films/one.mp4", "/films/0a"])
def test_what_is_no_film_is_not_there(team: Team, clip: str, address: str):
    del clip
    with team.client("viewer") as client:
        assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("kind", "found"),
    [("words", ["one"]), ("picture", ["drawn"]), ("sound", ["loud"]), ("image2video", ["drawn"])],
)
def test_history_is_filtered_by_what_a_clip_was_made_from(
    studio: Studio, tab: AppTest, clip: str, kind: str, found: list[str]
):
    for job_id, request in (
        ("drawn", ImageToVideo(image="0" * 64, prompt="It runs")),
        ("loud", VideoToAudio(video_id="9", bgm_prompt="Piano")),
    ):
        studio.ledger.append(job_id, state="failed", account="sandbox", parent=clip, **request_cells(request))
    open_page(tab, "history.py", endpoint=kind)
    assert [row["id"] for row in rows_of(tab)] == found


def test_history_is_filtered_by_what_goes_on_from_another_clip(
    studio: Studio, tab: AppTest, clip: str, tmp_path: Path
):
    a_clip(studio, tmp_path, "two", clip)
    open_page(tab, "history.py", continued="1")
    assert [row["id"] for row in rows_of(tab)] == ["two"]


# -- sound ---------------------------------------------------------------------------------------------------


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label.startswith(label)).click().run()


def test_sound_is_ordered_for_the_clip_with_the_price_on_the_button(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    press(tab, "Add sound")
    tab.text_area(key="app.sound-1-effects").set_value("Paws in snow")
    assert "$0.04" in next(button.label for button in tab.button if button.label.startswith("Add sound ·"))
    press(tab, "Add sound ·")
    made = studio.ledger.index.made_from(clip)
    assert [(job["endpoint"], job.parent) for job in made] == [(SOUND, clip)]
    assert made[0].request == VideoToAudio(
        video_id="9", sound_effect_prompt="Paws in snow", external_task_id=made[0].id
    )
    assert str(tab.toast[0].value).endswith(f"[Open its page](/job?id={made[0].id})")
    assert not any(area.key == "app.sound-1-effects" for area in tab.text_area)


def test_words_of_sound_that_are_too_long_are_refused_and_stay(studio: Studio, tab: AppTest, clip: str):
    open_page(tab, "job.py", id=clip)
    press(tab, "Add sound")
    assert tab.text_area(key="app.sound-1-effects").max_chars == 0  # a browser cuts what is pasted there
    tab.text_area(key="app.sound-1-effects").set_value("x" * 900)
    press(tab, "Add sound ·")
    assert "900" in tab.error[0].value
    assert len(str(tab.text_area(key="app.sound-1-effects").value)) == 900
    assert not studio.ledger.index.made_from(clip)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"updated_at": "2026-01-01T10:00:00+00:00"}, "deletes them after 30 days"),
        ({"video_duration": "2.5"}, "for videos of 3 to 20 seconds"),
        ({"account": "another"}, "another account"),
    ],
)
def test_where_no_sound_is_possible_the_page_says_why(
    studio: Studio, tab: AppTest, clip: str, cells: dict[str, str], why: str
):
    studio.ledger.append(clip, **cells)
    open_page(tab, "job.py", id=clip)
    assert next(button for button in tab.button if button.label.startswith("Add sound")).disabled
    assert why in texts(tab)


def test_sound_is_ordered_from_the_stage_and_comes_onto_it(studio: Studio, tab: AppTest, clip: str):
    tab.session_state.composer.jobs = [clip]
    press(tab.switch_page("compose.py").run(), "Add sound")
    press(tab, "Add sound ·")
    (made,) = studio.ledger.index.made_from(clip)
    assert made["endpoint"] == SOUND
    assert not any(area.label == "Music" for area in tab.text_area)
    assert tab.session_state.composer.chosen == made.id


def test_the_stage_has_no_sound_for_a_clip_that_can_get_none(studio: Studio, tab: AppTest, clip: str):
    studio.ledger.append(clip, video_duration="2.5")
    tab.session_state.composer.jobs = [clip]
    tab.switch_page("compose.py").run()
    assert not any(button.label.startswith("Add sound") for button in tab.button)


def test_sound_is_ordered_anew_for_the_silent_clip(studio: Studio, tab: AppTest, clip: str, tmp_path: Path):
    cells = request_cells(VideoToAudio(video_id="9", bgm_prompt="Piano"))
    extra = dump_json({"probe": {**SILENT, "audio": True}})
    a_clip(studio, tmp_path, "loud", clip, **cells, extra=extra)
    open_page(tab, "job.py", id="loud")
    press(tab, "Other sound")
    press(tab, "Add sound ·")
    assert len(studio.ledger.index.made_from(clip)) == 2
