"""Which clips can get sound, and the job that makes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kling.studio.jobs import SUBMITTED, SUCCEED, Job
from kling.studio.orders import Press
from kling.studio.sound import sound_for, why_no_sound
from tests.studio.fakes import Bench

MADE = datetime(2026, 11, 1, tzinfo=UTC)
CLIP = {
    "external_task_id": "v1",
    "state": SUCCEED,
    "task_id": "8",
    "video_id": "9",
    "video_duration": "5.04",
    "updated_at": MADE.isoformat(),
}


def after(**time: float) -> float:
    return (MADE + timedelta(**time)).timestamp()


def test_a_young_clip_of_a_fitting_length_can_get_sound():
    assert why_no_sound(Job(CLIP, {SUCCEED: MADE}), after(days=29)) == ""
    assert why_no_sound(Job({**CLIP, "video_duration": "3"}, {SUCCEED: MADE}), after(days=1)) == ""


@pytest.mark.parametrize(
    ("change", "days", "words"),
    [
        ({"state": "failed"}, 1, "made here"),
        ({"extra": '{"imported":{"id":"1"}}'}, 1, "made here"),
        ({"video_id": ""}, 1, "not known"),
        ({"video_duration": "2.9"}, 1, "3 to 20 seconds"),
        ({"video_duration": "20.1"}, 1, "3 to 20 seconds"),
        ({}, 30, "after 30 days"),
    ],
)
def test_any_other_clip_is_refused_with_the_reason(change, days, words):
    assert words in why_no_sound(Job({**CLIP, **change}, {SUCCEED: MADE}), after(days=days))


def test_the_silent_clip_stays_beside_the_one_with_sound(tmp_path: Path):
    bench = Bench(tmp_path)
    silent = bench.order()
    bench.kling.finish(silent.id, b"x")
    bench.run_for(60.0)
    request = sound_for(bench.job(silent.id), effects=" steps in snow ", music="a flute")
    [loud] = bench.studio.order_all([request], Press(person="Ada", session="s", parent=silent.id))
    assert loud.state in {SUBMITTED, "intent"}
    loud = bench.job(loud.id)
    assert (loud.parent, loud["source_video_id"], loud["units"]) == (silent.id, f"v-{silent.id}", "0.25")
    assert (loud["sound_effect_prompt"], loud["bgm_prompt"], loud["sound"]) == (
        "steps in snow",
        "a flute",
        "on",
    )
    assert bench.job(silent.id)["video_id"] == f"v-{silent.id}"
