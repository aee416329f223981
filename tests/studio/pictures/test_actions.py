"""From a clip to the clip that goes on with it, through the doors that pages use."""

from __future__ import annotations

from pathlib import Path

import pytest

from kling import ImageToVideo
from kling.studio.actions import Actions
from kling.studio.films.chains import film_with
from kling.studio.identity.roles import LOCAL, NotAllowed, User
from kling.studio.pictures.store import PictureRefused
from tests.studio.fakes import FOX, Bench
from tests.studio.films.reels import reel
from tests.studio.pictures.samples import hand_in, quarters, saved

ADA = User(LOCAL, "Ada", "admin")


@pytest.fixture
def ada(bench: Bench) -> Actions:
    return bench.studio.acting_as(ADA)


def fetched(bench: Bench, job_id: str, clip: bytes) -> str:
    bench.kling.finish(job_id, clip)
    bench.run_for(60)
    assert bench.job(job_id).has_clip
    return job_id


def test_the_last_frame_of_a_clip_begins_the_next_one_and_both_are_a_film(tmp_path: Path, bench: Bench, ada):
    clip = reel(tmp_path / "clip.mp4", size=(640, 360)).read_bytes()
    first = fetched(bench, bench.order().id, clip)
    frame = ada.keep_frame(first)
    assert (frame.width, frame.height) == (640, 360)
    request = ImageToVideo(image=frame.sha256, prompt="It turns round")
    (second,) = ada.order_all([request], session="s", parent=first, continues=True)
    assert second["image"] == frame.sha256
    assert second.extra == {"continues": True}
    fetched(bench, second.id, clip)
    ledger = bench.ledger
    parts = film_with(bench.job(first), ledger.get, ledger.index.made_from)
    assert [part.id for part in parts] == [first, second.id]


def test_a_remix_of_a_clip_does_not_go_on_with_it(bench: Bench, ada):
    first = bench.order().id
    (second,) = ada.order_all([FOX], session="t", parent=first)
    assert second.extra == {}


def test_nothing_goes_on_with_nothing(ada):
    (job,) = ada.order_all([FOX], session="s", continues=True)
    assert job.extra == {}


def test_a_job_without_a_clip_has_no_frame(bench: Bench, ada):
    for job_id in (bench.order().id, "v-unknown"):
        with pytest.raises(PictureRefused, match="not here"):
            ada.keep_frame(job_id)


def test_who_only_looks_keeps_no_pictures(bench: Bench):
    viewer = bench.studio.acting_as(User("v", "Vera", "viewer"))
    with pytest.raises(NotAllowed):
        viewer.keep_frame(bench.order().id)


def test_the_studio_cleans_up_after_itself(bench: Bench):
    picture = hand_in(bench.studio.pictures, saved(quarters(), "PNG"))
    bench.clock.now += 25 * 3600
    assert bench.studio.picture_cleaning.step() == 1
    assert bench.studio.pictures.find(picture.sha256) is None
