"""What a change of the form brings along, without a page."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from kling import TextToVideo
from kling.studio.prompting.draft import ONE_SHOT, STORYBOARD, Draft
from pages._ui.composer import follow_ups
from pages._ui.composer.follow_ups import notice_of, taken_back, ways_back, with_follow_ups

HAS_IT = "kling-v3"


class Wider(TextToVideo):
    """A request with a field that the form does not know of today."""

    def to_wire(self) -> dict[str, object]:
        """Return the JSON body."""
        return {**TextToVideo.to_wire(self), "later": 0}


class Later(Draft):
    """A draft that asks for it, where its model takes it."""

    def request(self) -> TextToVideo:
        """Return the request."""
        words = self.words()
        kind = Wider if self.model == HAS_IT else TextToVideo
        return kind(prompt=words.prompt, model_name=words.model_name)


def test_a_field_that_a_model_does_not_take_is_told_of_without_being_in_a_list(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(follow_ups, "catalog", lambda: SimpleNamespace(optional=frozenset({"later"})))
    before = Later(prompt="A fox", model=HAS_IT)
    now = replace(before, model="kling-v2-6")
    notice = notice_of(before, now, now, ())
    assert notice is not None
    assert notice.unsent == ("later",)
    assert notice_of(now, before, before, ()) is None


def test_what_the_person_has_taken_back_is_no_field_that_gave_way():
    before = Draft(prompt="A fox", model="kling-v3", set_cfg_scale=True, negative_prompt="rain")
    now = replace(before, model="kling-3.0-turbo", set_cfg_scale=False)
    notice = notice_of(before, now, now, ())
    assert notice is not None
    assert notice.unsent == ("negative_prompt",)


def test_words_that_came_with_the_press_on_the_storyboard_stay_when_it_goes():
    before = Draft(prompt="A fox")
    chosen = replace(before, cut=STORYBOARD, negative_prompt="rain")
    fitted = with_follow_ups(before, chosen, {"cut", "negative_prompt"})
    ways = ways_back({}, before, chosen, fitted, {"cut", "negative_prompt"})
    assert fitted.model != before.model
    assert taken_back(ways, replace(fitted, cut=ONE_SHOT), {"cut"}) == replace(
        before, negative_prompt="rain", shots=fitted.shots
    )


def test_a_choice_that_was_made_meanwhile_stays_when_the_sound_goes():
    before = Draft(prompt="A fox", model="kling-v2-6", mode="std")
    loud = replace(before, sound=True, mode="pro")  # as the model needs it
    ways = ways_back({}, before, replace(before, sound=True), loud, {"sound"})
    assert taken_back(ways, replace(loud, sound=False), {"sound"}).mode == "std"
    ways = ways_back(ways, loud, loud, loud, {"mode"})  # chosen by hand
    assert taken_back(ways, replace(loud, sound=False), {"sound"}).mode == "pro"
