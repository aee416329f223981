"""A file that is dropped on Compose: its settings fill the form, or the page says why not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kling import TextToVideo
from kling.studio.jobs import request_cells
from kling.studio.prompting.import_request import ImportedRequest
from kling.studio.service import Studio
from kling.studio.take_away.mp4_text import COMMENT, TITLE, with_texts
from kling.studio.take_away.settings import copy_of, read_sidecar, sidecar_of
from pages._ui.composer.dropping import MOST_BYTES, settings_in
from tests.pages.conftest import texts
from tests.studio.clips import tiny_clip

FOX = TextToVideo(prompt="雪の狐, “quoted” \U0001f98a", model_name="kling-v2-6", mode="pro", duration="10")


@pytest.fixture
def clip(studio: Studio) -> str:
    """A job with a clip, by its id."""
    tiny_clip(studio.archive.video("v1"))
    studio.ledger.append("v1", state="succeed", file="v1.mp4", person="Ada", **request_cells(FOX))
    return "v1"


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


def only_tables(content: bytes) -> bytes:
    """Return what the script sends of a clip: the part with its tables and its texts."""
    at = 0
    while content[at + 4 : at + 8] != b"moov":
        at += int.from_bytes(content[at : at + 4], "big")
    return content[at : at + int.from_bytes(content[at : at + 4], "big")]


def copied(studio: Studio, job_id: str) -> bytes:
    job = studio.ledger.get(job_id)
    assert job is not None
    return b"".join(copy_of(job, studio.archive.video(job_id)).chunks())


def wanted(found: ImportedRequest | str) -> None:
    assert isinstance(found, ImportedRequest)
    assert found.request == FOX


def test_the_part_with_the_texts_of_a_clip_is_enough(studio: Studio, clip: str):
    wanted(settings_in("a.mp4", "clip", sent(copied(studio, clip))))
    wanted(settings_in("a.mp4", "clip", sent(only_tables(copied(studio, clip)))))


def test_a_sidecar_is_read_and_so_is_a_request(studio: Studio, clip: str):
    job = studio.ledger.get(clip)
    assert job is not None
    sidecar = sidecar_of(job, {}, prices=True)
    wanted(settings_in("a.json", "text", sent(sidecar)))
    wanted(settings_in("a.json", "text", sent(json.dumps(json.loads(sidecar), indent=2).encode())))
    wanted(settings_in("request.json", "text", sent(json.dumps(FOX.to_wire()).encode())))
    assert set(read_sidecar(sidecar).record).isdisjoint({"units", "person", "callback_url"})


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("zip", "", "is a ZIP"),
        ("large", "", "is too large"),
        ("unread", "", "could not be read"),
        ("other", "", "is neither a video nor a .json"),
        ("<b>", "", "is neither a video nor a .json"),
        ("clip", "", "does not say what it was made from"),
        ("clip", None, "does not say what it was made from"),
        ("clip", "no base64!", "does not say what it was made from"),
        ("clip", "A" * (MOST_BYTES + 1), "does not say what it was made from"),
        ("text", sent(b'{"endpoint": "image2video", "prompt": "x"}'), "no form"),
        ("text", sent(b'{"endpoint": ["text2video"]}'), "no form"),
        ("text", sent(b"\xff\xfe"), "does not say what a clip was made from"),
        ("text", sent(b"[" * 100_000), "does not say what a clip was made from"),
    ],
)
def test_a_file_of_no_use_is_named_with_what_helps(kind: str, data: object, why: str):
    said = settings_in("holiday.xyz", kind, data)
    assert isinstance(said, str)
    assert said.startswith("“holiday.xyz”")
    assert why in said


def test_a_strangers_video_is_text_and_nothing_more(tmp_path: Path):
    tiny_clip(tmp_path / "x.mp4")
    hostile = {TITLE: "<img src=x onerror=alert(1)>", COMMENT: '{"kling_studio": "x", "prompt": "buy"}'}
    content = b"".join(with_texts(tmp_path / "x.mp4", hostile).chunks())
    said = settings_in("x.mp4", "clip", sent(content))
    assert isinstance(said, str)
    assert "it calls itself “<img src=x onerror=alert(1)>”" in said


def test_the_page_says_why_once_and_as_text(tab: AppTest):
    tab.session_state["composer"].drop_problem = "“<b>x</b>.zip” is a ZIP."
    tab.run()
    [error] = tab.error
    assert "\\<b\\>" in error.value or "&lt;b" in error.value
    tab.run()
    assert not tab.error
    assert "is a ZIP" not in texts(tab)
