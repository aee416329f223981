"""A batch as rows: each legal request once, its price, and what gave way."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling import CameraControl, Shot, TextToVideo, catalog
from kling.studio.prompting.matrix import MOST_ROWS, combine, total
from kling.studio.prompting.template_language import TemplateSyntaxError
from tests.kling.tools import law
from tests.studio.prompting.legal import requests

MODELS = [*catalog().models, "kling-v9"]


def test_every_combination_is_a_row_with_its_price():
    base = TextToVideo(prompt="a {red|blue} fox")
    table = combine(base, models=["kling-v2-6", "kling-v3"], modes=["std", "pro"], durations=["5", "10"])
    assert [
        (row.request.prompt, row.request.model_name, row.request.mode, row.request.duration)
        for row in table.rows
    ] == [
        (f"a {colour} fox", model, mode, seconds)
        for colour in ("red", "blue")
        for model in ("kling-v2-6", "kling-v3")
        for mode in ("std", "pro")
        for seconds in ("5", "10")
    ]
    assert [row.units for row in table.rows[:4]] == [Decimal(n) for n in ("1.5", "3.0", "2.5", "5.0")]
    assert total(table.rows) == sum(row.units or 0 for row in table.rows)
    assert total(table.rows[:1]) == Decimal("1.5")
    assert total([]) == 0
    assert all(row.changes == () and row.merged == 1 for row in table.rows)


def test_what_a_model_does_not_take_gives_way_and_equal_rows_are_one():
    base = TextToVideo(prompt="fox", sound="on", mode="pro")
    table = combine(base, models=["kling-v2-6"], modes=["std", "pro"], durations=["8", "10"])
    made = [(row.request.mode, row.request.duration, row.request.sound, row.merged) for row in table.rows]
    assert made == [("std", "10", "off", 2), ("pro", "10", "on", 2)]
    first = {change.field: (change.old, change.new) for change in table.rows[0].changes}
    assert first == {"sound": ("on", "off"), "duration": ("8", "10")}


def test_what_is_dropped_is_said():
    camera = CameraControl(type="down_back")
    base = TextToVideo(prompt="fox", model_name="kling-v1", camera_control=camera, cfg_scale=0.4)
    kept, other = combine(base, models=["kling-v1", "kling-v2-5-turbo"], retired_ok=True).rows
    assert kept.request == base
    assert {change.field for change in other.changes} == {"camera_control", "cfg_scale"}


def test_with_a_real_key_a_retired_model_is_left_out_with_the_living_one_to_use():
    retired = [model for model in catalog().models.values() if model.retired]
    table = combine(TextToVideo(prompt="fox"), models=["kling-v3", *(model.name for model in retired)])
    assert [row.request.model_name for row in table.rows] == ["kling-v3"]
    assert [out.request.model_name for out in table.left_out] == [model.name for model in retired]
    for model, out in zip(retired, table.left_out, strict=True):
        (problem,) = out.problems
        assert problem.field == "model_name"
        assert f"({model.successor})" in problem.message
        assert model.successor in catalog().models
        assert catalog().models[model.successor].retired is None


def test_what_cannot_be_made_is_left_out_with_its_reason():
    board = TextToVideo(
        model_name="kling-v3",
        duration="5",
        multi_shot=True,
        shot_type="customize",
        multi_prompt=(Shot(prompt="a {fox|owl}", duration="5"),),
    )
    table = combine(board, models=["kling-v3", "kling-v2-6"])
    assert [row.request.multi_prompt[0].prompt for row in table.rows] == ["a fox", "a owl"]
    assert [out.problems[0].field for out in table.left_out] == ["prompt"]
    empty = combine(TextToVideo(prompt="{| }"))
    assert empty.rows == ()
    assert len(empty.left_out) == 2


def test_a_request_that_is_legal_is_not_touched():
    new = TextToVideo(prompt="x", model_name="kling-v9", mode="2k", duration="60", aspect_ratio="")
    told = replace(new, callback_url="https://here.example", external_task_id="mine")
    (row,) = combine(told).rows
    assert row.request == replace(new, callback_url="https://here.example")
    assert row.changes == ()


def test_shots_last_as_long_as_each_duration():
    shots = (Shot(prompt="a", duration="2"), Shot(prompt="b", duration="3"))
    board = TextToVideo(
        model_name="kling-v3", duration="5", multi_shot=True, shot_type="customize", multi_prompt=shots
    )
    same, longer = combine(board, durations=["5", "9"]).rows
    assert (same.request, same.changes) == (board, ())
    assert [shot.prompt for shot in longer.request.multi_prompt] == ["a", "b"]
    assert sum(int(shot.duration) for shot in longer.request.multi_prompt) == 9
    assert [change.field for change in longer.changes] == ["multi_prompt"]


def test_a_price_that_is_not_known_makes_the_total_unknown():
    rows = combine(TextToVideo(prompt="fox"), models=["kling-v2-6", "kling-v9"]).rows
    assert [row.units for row in rows] == [Decimal("1.5"), None]
    assert total(rows) is None
    assert total(rows[:1]) == Decimal("1.5")


def test_a_huge_number_is_refused_before_anything_is_made():
    with pytest.raises(TemplateSyntaxError, match="more than a million combinations"):
        combine(TextToVideo(prompt="{a|b}" * 1000))
    with pytest.raises(TemplateSyntaxError, match=f"512 combinations; at most {MOST_ROWS}"):
        combine(TextToVideo(prompt="{a|b}" * 8), modes=["std", "pro"])


@given(
    requests(),
    st.lists(st.sampled_from(MODELS), max_size=3),
    st.lists(st.sampled_from(["std", "pro", "4k"]), max_size=2),
    st.lists(st.sampled_from(["3", "5", "10", "15"]), max_size=2),
    st.lists(st.sampled_from(["16:9", "9:16", "1:1"]), max_size=2),
)
@law
def test_each_legal_request_once_and_none_lost(base, models, modes, durations, ratios):
    from kling.studio.prompting.template_language import escape

    written = TextToVideo(
        **{
            name: getattr(base, name)
            for name in TextToVideo.__slots__
            if name not in {"prompt", "negative_prompt", "multi_prompt"}
        },
        prompt=escape(base.prompt),
        negative_prompt=escape(base.negative_prompt),
        multi_prompt=tuple(Shot(prompt=escape(s.prompt), duration=s.duration) for s in base.multi_prompt),
    )
    table = combine(
        written, models=models, modes=modes, durations=durations, aspect_ratios=ratios, retired_ok=True
    )
    wires = [repr(row.request.to_wire()) for row in table.rows]
    assert len(set(wires)) == len(wires)
    assert all(row.request.problems(retired_ok=True) == () for row in table.rows)
    assert all(out.problems for out in table.left_out)
    asked = max(len(models), 1) * max(len(modes), 1) * max(len(durations), 1) * max(len(ratios), 1)
    assert sum(row.merged for row in table.rows) <= asked
    assert table.left_out or sum(row.merged for row in table.rows) == asked
    if not (models or modes or durations or ratios):
        assert [row.request for row in table.rows] == [base]
    for row in table.rows:
        assert row.request.prompt == base.prompt
        assert row.units == row.request.units()
