"""Pictures in Compose: how they arrive, what the form says of them, and what is ordered."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from kling.image_to_video import ImageToVideo
from kling.studio.identity.roles import LOCAL
from kling.studio.jobs import request_of
from kling.studio.service import Studio
from kling.studio.uploads import FOLDER, MOST_BYTES, MOST_OF_ONE
from pages._ui.composer.pictures import IS_FIRST_NOW
from pages._ui.escape import escape_markdown
from pages._ui.routes import gate, pictures
from pages._ui.session_state import PictureNews
from tests.pages.conftest import press_generate, texts
from tests.studio.pictures.samples import hand_in

HERE = "http://localhost:8501"


@pytest.fixture
def browser(studio: Studio) -> Iterator[TestClient]:
    app = Starlette(routes=pictures.routes(), middleware=gate.middleware(studio.settings))
    with TestClient(app, base_url=HERE) as client:
        yield client


def picture(width: int = 600, height: int = 400) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "JPEG")
    return file.getvalue()


def test_a_picture_is_kept_and_shown_as_nothing_but_a_picture(studio: Studio, browser: TestClient):
    answer = browser.put("/pictures", content=picture(), headers={"Origin": HERE})
    assert answer.status_code == 201
    said = answer.json()
    assert (said["width"], said["height"]) == (600, 400)
    assert list((studio.settings.data_dir / FOLDER).iterdir()) == []
    shown = browser.get(f"/pictures/{said['sha256']}")
    assert shown.headers["Content-Type"] in {"image/png", "image/jpeg"}
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(io.BytesIO(shown.content)).size == (600, 400)


def test_what_is_no_picture_is_refused_in_words(studio: Studio, browser: TestClient):
    answer = browser.put("/pictures", content=b"<svg></svg>", headers={"Origin": HERE})
    assert answer.status_code == 415
    assert "Save it as PNG" in answer.text
    assert list(studio.pictures.kept()) == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_refused(studio: Studio, browser: TestClient, announced: bool):
    parts = (bytes(2**20) for _ in range(MOST_BYTES // 2**20 + 1))
    answer = browser.put("/pictures", content=b"".join(parts) if announced else parts)
    assert answer.status_code == 413
    assert not announced or not (studio.settings.data_dir / FOLDER).exists()


def test_too_many_files_are_refused_in_words(browser: TestClient, studio: Studio):
    with ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(studio.uploads.begin(LOCAL))
        answer = browser.put("/pictures", content=picture())
    assert answer.status_code == 429
    assert "wait a while" in answer.text


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_cannot_hand_in_a_file(browser: TestClient, headers: dict[str, str]):
    assert browser.put("/pictures", content=picture(), headers=headers).status_code == 403


@pytest.mark.parametrize("name", ["0a", "a" * 64, "..%2f..%2fhistory.csv"])
def test_only_pictures_that_are_kept_are_shown(browser: TestClient, name: str):
    assert browser.get(f"/pictures/{name}").status_code == 404


def test_a_picture_that_is_cleaned_away_in_the_same_moment_is_not_there(
    studio: Studio, browser: TestClient, monkeypatch: pytest.MonkeyPatch
):
    kept = studio.pictures.path(hand_in(studio.pictures, picture()).sha256)
    monkeypatch.setattr(studio.pictures, "path", lambda _sha256: kept)
    kept.unlink()
    assert browser.get(f"/pictures/{kept.stem}").status_code == 404


def with_picture(app: AppTest, studio: Studio, **more: object) -> AppTest:
    app.run()
    app.session_state["composer.first_frame"] = hand_in(studio.pictures, picture()).sha256
    for name, value in {"prompt": "The ball rolls", **more}.items():
        app.session_state[f"composer.{name}"] = value
    app.run()
    assert not app.exception
    return app


def test_the_shape_is_that_of_the_picture_and_the_order_is_of_image_to_video(app: AppTest, studio: Studio):
    with_picture(app, studio)
    assert "<b>3:2</b> of the picture" in texts(app)
    assert all(each.key != "composer.aspect_ratio" for each in app.button_group)
    press_generate(app)
    (job,) = studio.ledger.jobs()
    assert job.endpoint is not None
    request = request_of(job.cells, job.endpoint)
    assert isinstance(request, ImageToVideo)
    assert request.image == app.session_state["composer.first_frame"]


def test_a_setting_that_is_not_sent_beside_a_picture_is_not_shown_and_comes_back_without_it(
    app: AppTest, studio: Studio
):
    def shown() -> list[object]:
        return [slider.value for slider in app.slider if slider.key == "composer.cfg_scale"]

    with_picture(app, studio, model="kling-v3", set_cfg_scale=True, cfg_scale=0.7, first_frame="")
    app.button(key="composer.panel_more").click().run()
    assert shown() == [0.7]
    with_picture(app, studio)
    said = escape_markdown("Not sent now, but kept: Prompt strength.")
    assert (shown(), said in texts(app)) == ([], True)
    assert "strength" not in app.button(key="composer.panel_more").label
    app.button(key="composer.undo").click().run()
    assert (shown(), said in texts(app)) == ([0.7], False)


def test_a_model_that_takes_no_last_frame_says_below_the_slots_which_do(app: AppTest, studio: Studio):
    with_picture(app, studio, model="kling-3.0-turbo")
    said = "Kling 3.0 Turbo takes no last frame. Choose Kling 2.6, Kling 3.0 or Kling 2.5 Turbo."
    assert said in [caption.value for caption in app.caption]


def test_the_quality_that_was_taken_for_a_last_frame_goes_with_it(app: AppTest, studio: Studio):
    with_picture(app, studio)
    with_picture(app, studio, last_frame=app.session_state["composer.first_frame"])
    with_picture(app, studio, last_frame=hand_in(studio.pictures, picture(640, 480)).sha256)
    assert app.session_state["composer.mode"] == "pro"
    with_picture(app, studio, last_frame="")
    assert app.session_state["composer.mode"] == "std"
    with_picture(app, studio, mode="pro")
    with_picture(app, studio, last_frame=app.session_state["composer.first_frame"])
    with_picture(app, studio, last_frame="")
    assert app.session_state["composer.mode"] == "pro"  # somebody chose it


def test_a_body_that_is_exported_says_that_it_does_not_carry_its_pictures(app: AppTest, studio: Studio):
    with_picture(app, studio).session_state["composer"].dialog = "import_export"
    assert "The body of the create call but for the pictures" in texts(app.run())
    assert "in the address" not in texts(app)
    assert "and `pyjwt`" in texts(app)


def test_code_for_the_newer_api_says_where_the_model_goes_and_needs_no_library_of_tokens(app: AppTest):
    app.session_state["composer.model"] = "kling-3.0-turbo"
    app.session_state["composer"].dialog = "import_export"
    said = texts(app.run())
    assert "The body of the create call. In the call, `model_name` is in the address." in said
    assert "with `requests` installed" in said


def given() -> None:
    import streamlit as st

    from pages._ui.composer.pictures import KEY, on_given

    st.session_state[KEY] = {"given": st.session_state.said}
    on_given()


def told(said: Mapping[str, object], **draft: str) -> AppTest:
    """Do what the script of the pictures asks for, with these frames in the draft; return the session."""
    app = AppTest.from_function(given)
    app.session_state.said = said
    for name, sha256 in draft.items():
        app.session_state[f"composer.{name}"] = sha256
    app.run()
    assert not app.exception
    return app


@pytest.mark.usefixtures("studio")
def test_of_a_picture_that_is_refused_the_form_says_that_the_old_one_stays():
    said = {"frames": [{"slot": "first_frame", "problem": "It is none."}]}
    assert told(said).session_state["composer"].picture_news.problem == "First frame: It is none."
    kept = told(said, first_frame="a" * 64)
    assert kept.session_state["composer.first_frame"] == "a" * 64
    assert kept.session_state["composer"].picture_news.problem == (
        "First frame: It is none. The old picture stays."
    )


def test_that_a_last_frame_becomes_the_first_is_said(app: AppTest, studio: Studio):
    last = hand_in(studio.pictures, picture()).sha256
    after = told({"act": "remove:first_frame"}, first_frame="a" * 64, last_frame=last)
    composer = after.session_state["composer"]
    assert (after.session_state["composer.first_frame"], composer.picture_news.problem) == (last, "")
    app.session_state["composer"].picture_news = composer.picture_news
    assert escape_markdown(IS_FIRST_NOW) in texts(with_picture(app, studio))
    assert (
        told({"act": "remove:first_frame"}, first_frame=last).session_state["composer"].picture_news is None
    )


def test_a_picture_that_is_gone_is_said_at_its_slot(app: AppTest, studio: Studio):
    with_picture(app, studio, last_frame="c" * 64)
    assert "not kept any more" in texts(app)


def test_remix_brings_the_picture_back(app: AppTest, studio: Studio):
    press_generate(with_picture(app, studio))
    (job,) = studio.ledger.jobs()
    frame = app.session_state["composer.first_frame"]
    app.session_state["composer.first_frame"] = ""
    app.run()
    app.query_params["from"] = job.id
    app.run()
    assert app.session_state["composer.first_frame"] == frame


def test_of_a_picture_that_is_too_long_the_middle_is_offered_and_taken_by_a_press(
    app: AppTest, studio: Studio, browser: TestClient
):
    said = browser.put("/pictures", content=picture(1200, 300), headers={"Origin": HERE}).json()
    assert (said["width"], said["height"], said["cropped"]) == (750, 300, True)
    with_picture(app, studio)
    before = app.session_state["composer.first_frame"]
    app.session_state["composer"].picture_news = PictureNews(
        "First frame: it is too long.", cropped=("first_frame", said["sha256"])
    )
    app.run()
    assert app.session_state["composer.first_frame"] == before
    assert f"/pictures/{said['sha256']}" in texts(app)
    app.button(key="composer.use_cropped").click().run()
    assert app.session_state["composer.first_frame"] == said["sha256"]
    assert "<b>5:2</b> of the picture" in texts(app)
    assert "Only its middle is kept" in texts(app)
    assert not any(button.key == "composer.use_cropped" for button in app.button)
