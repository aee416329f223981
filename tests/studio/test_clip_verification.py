"""Each wrong clip of the sandbox is told for what it is, and a right one is not blamed."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from kling import TextToVideo
from kling.sandbox.clips import Clips
from kling.sandbox.placeholder_clip import draw_placeholder_clip
from kling.sandbox.plans import CLIP_FAULTS, parse_plan
from kling.sandbox.store import Task
from kling.studio.clip_verification import Charge, Mismatch, charged, cost, mismatches
from kling.studio.jobs import SUCCEED, Job
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from tests.studio.clips import InProcessChecker
from tests.studio.fakes import order_one
from tests.studio.in_process import InProcess, Wire, engine_at

ORDERED = {"model_name": "kling-v3", "mode": "std", "duration": "5", "aspect_ratio": "16:9", "sound": "off"}
CAME = {"width": 1280, "height": 720, "fps": 24.0, "seconds": 5.04, "audio": False}


def job(came: object = None, **cells: str) -> Job:
    probe = json.dumps({"probe": CAME if came is None else came})
    return Job({"external_task_id": "a", "state": SUCCEED, "extra": probe, **ORDERED, **cells})


def came(folder: Path, fault: str, request: TextToVideo) -> tuple[Mismatch, ...]:
    """Let the studio order from the sandbox, whose clip has a fault, and compare what was archived."""
    now = [1_790_000_000.0]
    engine = engine_at(now[0])
    clips = Clips(folder=folder, style="drawn")

    def clip(task: Task) -> bytes:
        draw_placeholder_clip(clips.spec(task), folder / "drawn.mp4")
        return (folder / "drawn.mp4").read_bytes()

    account = InProcess(Wire(engine, clip, lambda: now[0]), monotonic=lambda: now[0])
    studio = Studio(
        Settings(data_dir=folder),
        connection=account,
        clock=lambda: now[0],
        monotonic=lambda: now[0],
        run=lambda call: call(),
        checker=InProcessChecker() if fault else None,  # a child process looks at those that are right
    )
    try:
        if fault:
            engine.plans.add(parse_plan({"on": "create", "fault": fault}))
        ordered = order_one(studio, request, Press(person="", session=""))
        while due := studio.poller.step():
            now[0] = max(now[0] + 0.5, due)
        delivered = studio.ledger.get(ordered.id)
        assert delivered is not None
        assert delivered["file"]
        return mismatches(delivered)
    finally:
        studio.stop()
        engine.store.close()


WRONG = {
    "wrong-duration": Mismatch("duration", "3 s", "4 s"),
    "wrong-aspect": Mismatch("aspect_ratio", "16:9", "720 × 720"),
    "wrong-size": Mismatch("mode", "720p", "360p (640 × 360)"),
    "wrong-fps": Mismatch("fps", "24 fps", "12 fps"),
    "no-sound": Mismatch("sound", "on", "no audio track"),
    "unexpected-sound": Mismatch("sound", "off", "an audio track"),
}


@pytest.mark.parametrize("fault", ["", *sorted(CLIP_FAULTS)])
def test_each_wrong_clip_of_the_sandbox_is_told_for_what_it_is(tmp_path, fault):
    sound = "on" if fault in {"", "no-sound"} else "off"
    request = TextToVideo(prompt="A fox", model_name="kling-v3", duration="3", sound=sound)
    assert came(tmp_path, fault, request) == ((WRONG[fault],) if fault else ())


@pytest.mark.parametrize("aspect_ratio", ["9:16", "1:1"])
def test_a_clip_that_is_as_ordered_is_not_blamed(tmp_path, aspect_ratio):
    request = TextToVideo(prompt="A fox", model_name="kling-v3", duration="3", aspect_ratio=aspect_ratio)
    assert came(tmp_path, "", request) == ()


@pytest.mark.parametrize("seconds", [4.8, 5.0, 5.04, 5.2])
def test_a_fifth_of_a_second_is_as_ordered(seconds):
    assert mismatches(job(CAME | {"seconds": seconds})) == ()


@pytest.mark.parametrize("seconds", [4.79, 5.21, 10.0])
def test_more_than_a_fifth_of_a_second_is_not(seconds):
    [found] = mismatches(job(CAME | {"seconds": seconds}))
    assert (found.field, found.ordered, found.came) == ("duration", "5 s", f"{seconds:g} s")


@pytest.mark.parametrize("size", [(1284, 716), (1276, 720), (1920, 1080), (1280, 704)])
def test_sides_that_an_encoder_rounds_and_more_pixels_than_ordered_are_as_ordered(size):
    assert mismatches(job(CAME | dict(zip(("width", "height"), size, strict=True)))) == ()


@pytest.mark.parametrize("fps", [23.976, 24, 25, 30, 60])
def test_a_frame_rate_that_is_not_less_is_as_ordered(fps):
    assert mismatches(job(CAME | {"fps": fps})) == ()


def test_everything_that_is_wrong_is_told():
    wrong = {"width": 480, "height": 480, "fps": 12, "seconds": 2, "audio": True}
    assert [one.field for one in mismatches(job(wrong))] == [
        "duration",
        "aspect_ratio",
        "mode",
        "fps",
        "sound",
    ]


def test_of_an_unknown_model_only_what_was_ordered_is_compared():
    new = job({"width": 64, "height": 36, "fps": 8, "seconds": 5, "audio": False}, model_name="kling-v9")
    assert mismatches(new) == ()
    other = job({"width": 36, "height": 64, "fps": 8, "seconds": 9, "audio": True}, model_name="kling-v9")
    assert [one.field for one in mismatches(other)] == ["duration", "aspect_ratio", "sound"]


def test_a_model_without_modes_has_one_size():
    master = {"model_name": "kling-v2-1-master", "mode": ""}
    assert [one.ordered for one in mismatches(job(**master))] == ["1080p"]


@pytest.mark.parametrize(
    "probe", [{}, [], "x", {"width": "<b>", "seconds": None, "audio": "yes"}, {"fps": -1}]
)
def test_what_was_not_looked_at_or_was_spoilt_in_the_log_is_not_blamed(probe):
    assert mismatches(job(probe)) == ()
    assert mismatches(job(probe, duration="soon", aspect_ratio="16x9")) == ()
    assert mismatches(Job({"state": "processing"})) == ()


# -- the price -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "charge", "differs"),
    [
        ({"units": "1.5", "final_unit_deduction": "1.50"}, Charge(Decimal("1.5"), Decimal("1.50")), False),
        ({"units": "1.5", "final_unit_deduction": "3"}, Charge(Decimal("1.5"), Decimal(3)), True),
        ({"units": "1.5", "final_unit_deduction": "0"}, Charge(Decimal("1.5"), Decimal(0)), True),
        ({"units": "1.5"}, Charge(Decimal("1.5"), None), False),
        ({"final_unit_deduction": "2"}, Charge(None, Decimal(2)), False),
        ({"units": "NaN", "final_unit_deduction": "Infinity"}, Charge(None, None), False),
        ({"state": "failed", "units": "1.5", "final_unit_deduction": "0"}, Charge(None, Decimal(0)), False),
        (
            {"units": "1.5", "final_unit_deduction": "0", "final_balance_deduction": "0.21"},
            Charge(Decimal("1.5"), Decimal(0), Decimal("0.21")),
            False,
        ),
        (
            {"units": "1.5", "final_unit_deduction": "3", "final_balance_deduction": "0"},
            Charge(Decimal("1.5"), Decimal(3), Decimal(0)),
            True,
        ),
        (
            {"final_balance_deduction": "0.2", "extra": '{"list_price": "0.25"}'},
            Charge(None, None, Decimal("0.2"), Decimal("0.25")),
            False,
        ),
    ],
)
def test_what_was_charged_stands_beside_what_it_was_to_cost(cells, charge, differs):
    found = charged(job(**cells))
    assert found == charge
    assert charge.differs is differs


@pytest.mark.parametrize(
    ("cells", "is_expected"),
    [
        ({"final_unit_deduction": "0.75", "final_balance_deduction": "0.105"}, True),
        ({"final_unit_deduction": "0.75", "final_balance_deduction": "0.11"}, True),  # to the cent
        ({"final_unit_deduction": "0.75", "final_balance_deduction": "0.12"}, False),
        ({"final_unit_deduction": "1.5", "final_balance_deduction": "0.105"}, False),
        (
            {
                "final_unit_deduction": "0.75",
                "final_balance_deduction": "0.05",
                "extra": '{"list_price":"0.105"}',
            },
            True,
        ),
        (
            {
                "final_unit_deduction": "0.75",
                "final_balance_deduction": "0.75",
                "extra": '{"cash_currency":"CNY"}',
            },
            None,
        ),
        ({"final_unit_deduction": "0", "final_balance_deduction": "0.21"}, None),
    ],
)
def test_units_and_money_together_are_compared_with_the_price(cells, is_expected):
    priced = {"units": "1.5", "unit_price": "0.14", "currency": "USD"}
    found = charged(job(**priced, **cells))
    assert found is not None
    assert found.is_expected is is_expected


def test_before_its_end_nothing_was_charged():
    assert charged(job(state="processing", units="1.5", final_unit_deduction="1.5")) is None


@pytest.mark.parametrize(
    ("state", "deduction", "units"),
    [
        ("succeed", "", "1.5"),
        ("succeed", "2", "2"),
        ("succeed", "0", "0"),
        ("processing", "", "1.5"),
        ("waiting", "", "1.5"),
        ("failed", "0", "0"),
        ("failed", "1.5", "1.5"),
        ("failed", "", None),
        ("not_sent", "", None),
        ("withdrawn", "", None),
    ],
)
def test_a_sum_takes_what_was_charged_and_no_estimate_for_what_came_to_nothing(state, deduction, units):
    found = cost(job(state=state, units="1.5", final_unit_deduction=deduction))
    assert found == (None if units is None else Decimal(units))
