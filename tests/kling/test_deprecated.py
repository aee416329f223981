"""Names of earlier versions work, and say once what they are called now."""

from __future__ import annotations

import importlib
import warnings

import pytest

import kling
from kling import ApiKey, Client, TextToVideo, deprecated, errors, webhooks
from tests.transport import Transport, answer


@pytest.fixture(autouse=True)
def _nobody_has_been_warned():
    deprecated.warn_once.cache_clear()


@pytest.mark.parametrize("module", [kling, errors])
@pytest.mark.parametrize(("old", "new"), [(old, new) for old, (_, new) in deprecated.NAMES.items()])
def test_an_error_is_still_found_by_its_old_name(module, old, new):
    with pytest.warns(DeprecationWarning, match=f"kling.{old} is now called kling.{new}") as warned:
        found = {getattr(module, old) for _ in range(2)}
    assert found == {getattr(errors, new)} == {getattr(kling, new)}
    assert len(warned) == 1
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("kling.callbacks", "verify"),
        ("kling.callbacks", "read"),
        ("kling.callbacks", "key"),
        ("kling.callbacks", "CallbackRefused"),
        ("kling.callbacks", "HEADERS"),
        ("kling.callbacks", "TOLERANCE"),
        ("kling.models", "TextToVideo"),
        ("kling.models", "CameraControl"),
        ("kling.models", "CAMERA_AXES"),
        ("kling.models", "Shot"),
        ("kling.models", "Task"),
        ("kling.models", "Problem"),
        ("kling.rules", "CAMERA_LIMIT"),
        ("kling.rules", "id_problem"),
    ],
)
def test_what_a_module_held_is_still_found_there(module, name):
    old = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=f"{module}.{name} is now called") as warned:
        found = getattr(old, name)
    assert len(warned) == 1
    homes = deprecated.MODULES[module]
    assert any(found is getattr(importlib.import_module(home), name, None) for home in homes)


def test_a_module_is_still_found_by_its_old_name():
    from kling import callbacks

    with pytest.warns(DeprecationWarning, match=r"is now called kling\.webhooks\.verify"):
        found = callbacks.verify
    assert found is webhooks.verify


def test_submit_still_creates_a_task():
    client = Client(ApiKey("key"), transport=Transport(answer({"code": 0, "data": {"task_id": "7"}})))
    with pytest.warns(DeprecationWarning, match=r"Client\.submit is now called Client\.create"):
        assert client.submit(TextToVideo(prompt="A fox")).task_id == "7"


def test_a_request_is_still_checked_by_the_function_that_did_it():
    from kling.rules import problems

    request = TextToVideo(prompt="")
    with pytest.warns(DeprecationWarning, match=r"is now called TextToVideo\.problems"):
        assert problems(request) == request.problems() != ()


def test_a_name_that_never_was_is_none():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for module in (kling, errors, *map(importlib.import_module, deprecated.MODULES)):
            assert not hasattr(module, "Nonsense")
            assert not hasattr(module, "__wrapped__")
