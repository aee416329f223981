"""Readable names of files, from any prompt in any script of writing."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.jobs import Job, dump_json
from kling.studio.take_away.names import file_stem, name_key, unlike, words_of
from tests.kling.tools import law

THEN = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)


def job(**cells: str) -> Job:
    return Job({"external_task_id": "v1", **cells}, {"waiting": THEN})


def test_a_name_says_day_words_shape_and_take():
    found = job(prompt="A white running shoe", aspect_ratio="9:16", extra=dump_json({"take": 2}))
    assert file_stem(found, UTC) == "2026-11-26_white-running-shoe_9x16_take2"
    assert file_stem(found, ZoneInfo("Europe/Berlin")).startswith("2026-11-27_")
    assert file_stem(job(), UTC) == "2026-11-26_clip"
    shots = dump_json([{"prompt": "Waves at dawn", "duration": "5"}, {"prompt": "A gull", "duration": "5"}])
    assert file_stem(job(multi_prompt=shots, aspect_ratio="16:9"), UTC) == "2026-11-26_waves-at-dawn_16x9"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("The  quick, brown FOX — jumps!", "quick-brown-fox-jumps"),
        ("A", "a"),
        ("Ein Fuchs läuft über Straßen", "ein-fuchs-läuft-über-strassen"),
        ("雪の中の赤い狐", "雪の中の赤い狐"),
        ("ガラスの靴", "ガラスの靴"),
        ("हिन्दी में एक लोमड़ी", "हिन्दी-में-एक-लोमड़ी"),
        ("ثعلب أحمر في الثلج", "ثعلب-أحمر-في-الثلج"),
        ("สุนัขจิ้งจอกสีแดง", "สุนัขจิ้งจอกสีแดง"),
        ("../../etc/passwd", "etc-passwd"),
        ('C:\\CON\0\r\n<b>"|?*', "c-con-b"),
        ("\u202efdp.exe\u200b", "fdp-exe"),
        ("🦊🦊", ""),
        ("", ""),
        ("😀\ufe0f fox\u3164\u115f", "fox"),
        ("word " * 100, "word-word-word-word-word-word-word-word"),
        ("x" * 500, "x" * 40),
        ("h" + "\u0316" * 400 + "i", "h\u0316\u0316\u0316i"),
    ],
)
def test_what_is_kept_of_a_prompt(prompt: str, words: str):
    assert words_of(prompt) == unicodedata.normalize("NFC", words)


@law
@given(st.text(max_size=300), st.text(max_size=9), st.integers())
def test_any_prompt_gives_a_name_that_every_system_can_store(prompt: str, shape: str, take: int):
    name = f"{file_stem(job(prompt=prompt, aspect_ratio=shape, extra=dump_json({'take': take})), UTC)}.mp4"
    assert 0 < len(name.encode()) <= 180
    assert not set(name) & set('/\\:*?"<>|\0\r\n\t ')
    assert name[0].isdigit()
    assert all(unicodedata.category(char)[0] in "LNMP" for char in name)
    assert name == unicodedata.normalize("NFC", name)


def test_two_files_of_one_folder_have_names_that_no_system_takes_for_one():
    taken: set[str] = set()
    found = []
    for stem in ("fox", "fox", "FOX", "ﬁx", "fix", "Café", "Cafe\u0301"):
        found.append(unlike(stem, taken))
        taken.add(name_key(found[-1]))
    assert found == ["fox", "fox_2", "FOX_3", "ﬁx", "fix_2", "Café", "Cafe\u0301_2"]
