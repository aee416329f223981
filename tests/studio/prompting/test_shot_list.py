"""Storyboards as people, programs and chats write them: a length is a length, and no word is lost."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import Shot
from kling.studio.prompting import storyboard
from kling.studio.prompting.shot_list import ShotListError, read
from tests.kling.tools import law
from tests.studio.prompting.test_storyboard import STRIPS

FOX_AND_OWL = [("a fox, red", "3"), ("an owl", "4")]


def shots(text: str, duration: str = "7") -> list[tuple[str, str]]:
    return [(shot.prompt, shot.duration) for shot in read(text, duration)]


@pytest.mark.parametrize(
    "text",
    [
        "shot 1, 3, a fox, red; shot 2, 4, an owl;",
        "\ufeffshot 1, 3, a fox, red; shot 2, 4, an owl;",
        "\u200b\nshot 1, 3, a fox, red; shot 2, 4, an owl;\u200b",
        "shot 1,3,a fox, red;shot 2,4,an owl",
        "shot 1，3，a fox, red；shot 2，4，an owl；",
        "Shot 1：3s：a fox, red\nShot 2：4s：an owl",
        "镜头1，3，a fox, red；镜头2，4，an owl；",
        "镜头 1：3秒，a fox, red\r\n镜头 2：4 秒，an owl\r\n",
        "第1镜（3秒）：a fox, red\n第2镜（4秒）：an owl",
        "Shot 1 (3s): a fox, red\nShot 2 (4s): an owl",
        "Shot 1 (3 s) a fox, red\n\nShot 2 (4 s) an owl",
        "Shot 1 [3 sec] - a fox, red\nShot 2 [4 sec] - an owl",
        "Shot 1 (3): a fox, red\nShot 2 (4): an owl",
        "Shot 1 (duration: 3 seconds): a fox, red\nShot 2 (duration: 4 seconds): an owl",
        "Shot 1 - 3s - a fox, red\nShot 2 - 4s - an owl",
        "Shot 1 | 3s | a fox, red\nShot 2 | 4s | an owl",
        "Shot 1 3s a fox, red\nShot 2 4s an owl",
        "Scene 1: 3-second: a fox, red\nScene 2: 4-second: an owl",
        "**Shot 1** (3s): a fox, red\n**Shot 2** (4s): an owl",
        "**Shot 1 (3s):** a fox, red\n\n---\n\n**Shot 2 (4s):** an owl\n\n**Total: 7s**",
        "### Shot 1 (3s)\na fox,\nred\n### Shot 2 (4s)\nan owl",
        "- Shot 1 (3s): a fox, red\n- Shot 2 (4s): an owl",
        "> Shot 1 (3s): a fox, red\n> Shot 2 (4s): an owl",
        "(Shot 1, 3s) a fox, red\n(Shot 2, 4s) an owl",
        'Shot 1 (3s): "a fox, red"\nShot 2 (4s): “an owl”',
        "Shot 1: a fox, red (3s)\nShot 2: an owl (4s)",
        "Shot 1: a fox, red, 3s\nShot 2: an owl - 4 seconds.",
        "Shot 1\nDuration: 3s\nPrompt: a fox, red\n\nShot 2\nDuration: 4s\nPrompt: an owl",
        "Shot 1:\n- **Prompt:** a fox, red\n- **Duration:** 3 s\nShot 2:\n* Prompt: an owl\n* Length: 4",
        "# Storyboard\nHere are the shots:\n\nShot 1 (3s): a fox, red\nShot 2 (4s): an owl",
        "Sure:\n```\nShot 1 (3s): a fox, red\nShot 2 (4s): an owl\n```\nAnything else?",
        "Shot one: 3s: a fox, red\nShot two: 4s: an owl",
        "第一镜：3秒，a fox, red\n镜头二（4秒）：an owl",
        "Shot 1 / 3s / a fox, red\nShot 2 / 4s / an owl",
        "Shot 1 (3s): a fox, red Shot 2 (4s): an owl",
        "Duration: 7s\nShot 1 (3s): a fox, red\nShot 2 (4s): an owl",
        "00:00-00:03 a fox, red\n00:03-00:07 an owl",
        "00:00 - 00:03: a fox, red\n00:03 - 00:07: an owl",
        "[00:00-00:03] a fox, red\n[00:03-00:07] an owl",
        "(0:00–0:03) a fox, red\n(0:03–0:07) an owl",
        "00:00:00,000 --> 00:00:03,000 a fox, red\n00:00:03,000 --> 00:00:07,000 an owl",
        "1\n00:00:00,000 --> 00:00:03,000\na fox, red\n\n2\n00:00:03,000 --> 00:00:07,000\nan owl",
        "Shot 1 (00:00-00:03): a fox, red\nShot 2 (00:03-00:07): an owl",
        "Shot 1: 00:00-00:03 a fox, red\nShot 2: 00:03-00:07 an owl",
        "0-3s: a fox, red\n3-7s: an owl",
        "0s–3s a fox, red\n3s–7s an owl",
        "[0-3s] a fox, red\n[3-7s] an owl",
        "3s: a fox, red\n4s: an owl",
        "- (3s) a fox, red\n- (4s) an owl",
        "[00:00] a fox, red\n[00:03] an owl",
        "1. (3s) a fox, red\n2. (4s) an owl",
        "1. a fox, red (3s)\n2. an owl (4s)",
        "1) 3s: a fox, red\n2) 4s: an owl",
        "1、3秒，a fox, red\n2、4秒，an owl",
        "| Shot | Duration | Prompt |\n|---|---|---|\n| 1 | 3 | a fox, red |\n| 2 | 4 | an owl |",
        "| Shot | Time | Visual |\n|:--|-:|--|\n| 1 | 0:00-0:03 | a fox, red |\n| 2 | 0:03-0:07 | an owl |",
        "| # | Length (s) | What it shows |\n|---|---|---|\n|1|3s|a fox, red|\n|2|4s|an owl|\n|Total|7s||",
        "| **1** | 3s | a fox, red |\n| **2** | 4s | an owl |",
        "Shot\tSeconds\tPrompt\n1\t3\ta fox, red\n2\t4\tan owl\n",
        "1\t3\ta fox, red\n2\t4\tan owl",
        "a fox, red\t3\nan owl\t4",
        "Shot 1\t3\ta fox, red\nShot 2\t4\tan owl",
        "Shot 1 (3s)\ta fox, red\nShot 2 (4s)\tan owl",
        "1 | 3s | a fox, red\n2 | 4s | an owl",
        "1,3,a fox, red\n2,4,an owl",
        'shot,duration,prompt\n1,3,"a fox, red"\n2,4,an owl',
        "shot;duration;prompt\n1;3;a fox, red\n2;4;an owl",
        '[{"prompt": "a fox, red", "duration": 3}, {"prompt": "an owl", "duration": "4"}]',
        '```json\n[{"prompt": "a fox, red", "duration": "3s"}, {"prompt": "an owl", "duration": 4.0}]\n```',
        """{"multi_prompt": [{"index": 2, "prompt": "an owl", "duration": "4"},
            {"index": 1, "prompt": "a fox, red", "duration": "3"}]}""",
        """{"title": "x", "shots": [{"shot": 0, "description": "a fox, red", "seconds": 3},
            {"shot": 1, "description": "an owl", "seconds": 4}]}""",
        """{"storyboard": {"scenes": [{"scene": "a fox, red", "start": 0, "end": 3},
            {"scene": "an owl", "start": 3, "end": 7}]}}""",
        '{"shot_1": {"text": "a fox, red", "duration": 3}, "shot_2": {"text": "an owl", "duration": 4}}',
        "[{'prompt': 'a fox, red', 'duration': 3}, {'prompt': 'an owl', 'duration': 4},]",
        "shots = [{'prompt': 'a fox, red', 'duration': 3}, {'prompt': 'an owl', 'duration': 4}]",
    ],
)
def test_the_forms_that_people_use_are_read(text):
    assert shots(text) == FOX_AND_OWL


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Shot 1: 16:9 wide shot of a street", "16:9 wide shot of a street"),
        ("shot 1, 9:16 portrait of a fox", "9:16 portrait of a fox"),
        ("Shot 1: 10:30 in the morning, a fox", "10:30 in the morning, a fox"),
        ("Shot 1 (10:30): a fox", "(10:30): a fox"),
        ("Shot 1: 10:30-ish, a fox", "10:30-ish, a fox"),
        ("Shot 1: 2 foxes run", "2 foxes run"),
        ("Shot 1: 3, 2, 1, go", "3, 2, 1, go"),
        ("Shot 1: 80s, neon city", "80s, neon city"),
        ("Shot 1: 3 seconds of silence, then a fox", "3 seconds of silence, then a fox"),
        ("Shot 1: 4K close-up", "4K close-up"),
        ("Shot 1: 35mm film", "35mm film"),
        ("Shot 1: -5 degrees, frost", "-5 degrees, frost"),
        ("Shot 1: a fox (2) and an owl", "a fox (2) and an owl"),
        ("Shot 1: a fox waits (3 seconds) and runs", "a fox waits (3 seconds) and runs"),
        ("Shot 1: a fox; an owl", "a fox; an owl"),
        ("Shot 1: 1:1 square", "1:1 square"),
        ("Shot 1, 24 fps look", "24 fps look"),
    ],
)
def test_what_is_no_length_stays_in_the_words(text, words):
    assert shots(text, "5") == [(words, "5")]


@pytest.mark.parametrize(
    ("text", "duration", "lengths"),
    [
        ("Shot 1: a\nShot 2: b\nShot 3: c", "10", ["4", "3", "3"]),
        ("Shot 1 (2s): a\nShot 2: b\nShot 3: c", "10", ["2", "4", "4"]),
        ("Shot 1 (8s): a\nShot 2: b", "5", ["8", "1"]),
        ("1. a\n2. b", "5", ["3", "2"]),
        ('["a", "b"]', "6", ["3", "3"]),
        ("Shot 1: a\nShot 2: b", "x", ["3", "2"]),
        ("[00:00] a\n[00:02] b", "10", ["2", "8"]),
        ("Shot 1 (2.5s): a\nShot 2 (0.2s): b", "5", ["3", "1"]),
        ("00:00.0-00:02.5 a\n00:02.5-00:05.0 b", "5", ["3", "2"]),
    ],
)
def test_a_shot_without_a_length_gets_a_share_and_parts_of_a_second_are_rounded(text, duration, lengths):
    assert [shot.duration for shot in read(text, duration)] == lengths


@pytest.mark.parametrize("bracket", ["(3s, wide)", "(wide, 3s)", "[0:00-0:03 | wide]", "（3秒，wide）"])
def test_what_stands_in_the_brackets_beside_a_length_stays(bracket):
    assert shots(f"Shot 1 {bracket}: a fox") == [("(wide): a fox", "3")]


def test_other_columns_stay_behind_the_prompt():
    table = "| Shot | Duration | Visual | Camera | Sound |\n|-|-|-|-|-|\n| 1 | 3 | a fox | pan left | |"
    assert shots(table) == [("a fox Camera: pan left.", "3")]
    assert shots('[{"prompt": "a fox", "duration": 3, "camera": "zoom in."}]') == [
        ("a fox Camera: zoom in.", "3")
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Shot 1 (3s): a\nShot 3 (3s): b", "Shot 2 is numbered 3"),
        ("Shot 1 (0s): a", "at least 1 second"),
        ("shot 1, 45, a;", "lasts 45 s"),
        ("Style: dark\nand moody\nShot 1: a", "Before the first shot stands 'Style: dark'"),
        ("\n".join(f"{n}. x" for n in range(1, 8)), "not 7"),
        ("[]", "holds no shots"),
        ('{"a": 1}', "holds no shots"),
        ('[{"prompt": "a",', "cannot be read"),
        ("a fox at 10:30", "Part 1 is 'a fox at 10:30'"),
        ("16:9", "Part 1 is"),
        ("1. a fox", "Part 1 is"),
        ("x" * 20_001, "fewer than 20,000"),
    ],
)
def test_what_is_no_storyboard_is_told(text, words):
    with pytest.raises(ShotListError) as told:
        read(text)
    assert words in str(told.value)


WORDS = st.text(max_size=30)
PLAIN = st.lists(
    st.sampled_from(["a", "fox", "3s", "16:9", "(2s)", "80s,", "-", "é", "狐", "3,"]), min_size=1
)


@given(STRIPS, WORDS)
@law
def test_what_is_exported_is_read_back_the_same_whatever_the_words_are(strip, more):
    strip = tuple(Shot(prompt=f"{shot.prompt}{more}", duration=shot.duration) for shot in strip)
    once = read(storyboard.to_text(strip))
    assert [shot.duration for shot in once] == [shot.duration for shot in strip]
    assert [shot.prompt for shot in once] == [
        " ".join(shot.prompt.split()).replace(";", ",").strip() for shot in strip
    ]
    assert read(storyboard.to_text(once)) == once


@given(st.lists(st.tuples(PLAIN.map(" ".join), st.integers(1, 9)), min_size=1, max_size=6))
@law
def test_json_and_tables_keep_every_word_and_length(entries):
    records = [{"prompt": words, "duration": length} for words, length in entries]
    wanted = [(words, str(length)) for words, length in entries]
    assert shots(json.dumps(records)) == wanted
    rows = [f"| {n} | {length} s | {words} |" for n, (words, length) in enumerate(entries, 1)]
    assert shots("\n".join(["| Shot | Duration | Prompt |", "|---|---|---|", *rows])) == wanted
    lines = [f"{n}\t{length}\t{words}" for n, (words, length) in enumerate(entries, 1)]
    assert shots("\n".join(["No\tSeconds\tPrompt", *lines])) == wanted


PARTS = [
    "shot ",
    "Shot 1",
    "1",
    "2",
    ". ",
    ":",
    "：",
    ",",
    ";",
    "\n",
    "(",
    ")",
    "3s",
    "00:03",
    "-",
    "|",
    "\t",
    "a fox",
]
PARTS += ["[", "]", "{", "}", '"', "prompt", "duration", "```", "镜头", "0"]


@given(st.lists(st.sampled_from(PARTS), max_size=25).map("".join))
@law
def test_any_text_is_refused_or_a_storyboard(text):
    try:
        found = read(text)
    except ShotListError as error:
        assert 0 < len(str(error)) < 300  # noqa: PT017 - it may be none
        return
    assert 1 <= len(found) <= 6
    assert all(1 <= int(shot.duration) <= 30 for shot in found)


@pytest.mark.parametrize(
    "part", ["shot 1, 3, ", "shot 1", "| a ", "1\t", "[00:00] ", "00:00-", "1. ", "(", " ", "*"]
)
@pytest.mark.parametrize("end", ["", "\n"])
def test_no_long_text_takes_long(part, end):
    before = time.process_time()
    with contextlib.suppress(ShotListError):
        read(f"{part}{end}" * (19_900 // len(part + end)))
    assert time.process_time() - before < 1
