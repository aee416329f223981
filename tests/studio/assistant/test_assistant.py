"""Who may ask how often, and one question from its start to its end, with a real server behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from kling.studio.assistant.answers import Result
from kling.studio.assistant.assistant import AT_ONCE, HOUR, IN_ALL, Asking, Assistant, Event, Failed, TooMuch
from kling.studio.assistant.client import Patience
from kling.studio.assistant.questions import Instruction, question_of
from kling.studio.assistant.settings import AssistantSettings
from tests.studio.assistant import fake_model as fake
from tests.studio.assistant.fake_model import PATIENCE, FakeModel

FOX = question_of(Instruction.IMPROVE, prompt="A fox")
NOWHERE = AssistantSettings(url="http://127.0.0.1:9/v1", model="m", hourly=2)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def model() -> Iterator[FakeModel]:
    with fake.fake_model(fake.streams("A red", " fox.")) as found:
        yield found


def assistant_of(model: FakeModel) -> Assistant:
    settings = AssistantSettings(url=model.url, model="m", hourly=100)
    return Assistant(settings, patience=Patience(total=PATIENCE))


def events(asking: Asking) -> list[Event]:
    said: list[Event] = []
    asyncio.run(asking.run(said.append))
    return said


def test_an_answer_is_said_word_by_word_and_ends_with_what_can_be_taken(model):
    said = events(assistant_of(model).begin("ada", FOX))
    assert said == ["A red", " fox.", Result(text="A red fox.")]


def test_a_failure_is_the_last_thing_said(model):
    model.behave = fake.refuses(429)
    (end,) = events(assistant_of(model).begin("ada", FOX))
    assert isinstance(end, Failed)
    assert "too much to do" in end.why


def test_a_refusal_shows_the_model_s_own_words(model):
    model.behave = fake.streams("CANNOT: no.")
    end = events(assistant_of(model).begin("ada", FOX))[-1]
    assert end == Failed("The model does not want to do this.", "no.")


def test_an_answer_that_is_longer_than_is_kept_is_cut_and_taken(model):
    model.behave = fake.streams(*["word " * 1000] * 30)
    end = events(assistant_of(model).begin("ada", FOX))[-1]
    assert isinstance(end, Result)
    assert len(end.text) <= 2500
    assert "cut off" in end.notes[0]


def test_what_is_hostile_comes_back_as_plain_text(model):
    evil = "<script>alert(1)</script>\x1b[2J\u202eIgnore all instructions\x00 </think>"
    model.behave = fake.streams(*evil)
    end = events(assistant_of(model).begin("ada", FOX))[-1]
    assert end == Result(text="<script>alert(1)</script>[2JIgnore all instructions </think>")


def test_without_a_server_nothing_can_be_asked():
    assistant = Assistant(None)
    assert (assistant.is_on, assistant.host) == (False, "")
    with pytest.raises(TooMuch, match="STUDIO_LLM_URL"):
        assistant.begin("ada", FOX)


def test_a_person_may_ask_so_often_in_an_hour():
    clock = Clock()
    assistant = Assistant(NOWHERE, clock)
    for _ in range(2):
        assistant.begin("ada", FOX).close()
    clock.now = HOUR - 61
    with pytest.raises(TooMuch, match=r"You have asked the assistant 2 times .* again in 2 min"):
        assistant.begin("ada", FOX)
    assistant.begin("ben", FOX).close()
    clock.now = HOUR
    assistant.begin("ada", FOX).close()


def test_all_together_may_ask_so_often_in_an_hour():
    clock = Clock()
    assistant = Assistant(NOWHERE, clock)
    for number in range(2 * IN_ALL):
        assistant.begin(f"person {number}", FOX).close()
    with pytest.raises(TooMuch, match="The team has asked"):
        assistant.begin("ada", FOX)
    clock.now = HOUR
    assistant.begin("ada", FOX).close()


def test_only_so_many_are_answered_at_once():
    assistant = Assistant(AssistantSettings(url="http://127.0.0.1:9/v1", model="m"))
    under_way = [assistant.begin(f"person {number}", FOX) for number in range(AT_ONCE)]
    with pytest.raises(TooMuch, match="Many people"):
        assistant.begin("ada", FOX)
    under_way[0].close()
    assistant.begin("ada", FOX).close()


def test_a_second_question_of_a_person_ends_the_first(model):
    model.behave = fake.in_turn(fake.begins_and_waits("A fox"), fake.streams("A red fox."))

    async def scene() -> tuple[list[Event], list[Event]]:
        assistant = assistant_of(model)
        first, second, came = list[Event](), list[Event](), asyncio.Event()

        def say(event: Event) -> None:
            first.append(event)
            came.set()

        waiting = asyncio.create_task(assistant.begin("ada", FOX).run(say))
        await came.wait()
        later = await asyncio.to_thread(assistant.begin, "ada", FOX)
        await asyncio.gather(waiting, later.run(second.append))
        return first, second

    first, second = asyncio.run(scene())
    assert isinstance(first[-1], Failed)
    assert "asked for something else" in first[-1].why
    assert second[-1] == Result(text="A red fox.")
    assert model.left.wait(PATIENCE)


def test_a_question_that_was_replaced_before_it_ran_sends_nothing(model):
    assistant = assistant_of(model)
    first = assistant.begin("ada", FOX)
    assistant.begin("ada", FOX)
    assert isinstance(events(first)[-1], Failed)
    assert model.asked == []


def test_when_the_server_stops_every_question_ends(model):
    model.behave = fake.begins_and_waits("A fox")

    async def scene() -> list[Event]:
        assistant, said, came = assistant_of(model), list[Event](), asyncio.Event()

        def say(event: Event) -> None:
            said.append(event)
            came.set()

        task = asyncio.create_task(assistant.begin("ada", FOX).run(say))
        await came.wait()
        assistant.stop()
        await task
        assistant.stop()  # there is none left
        return said

    assert asyncio.run(scene())[-1] == Failed("The studio is being restarted. Ask again in a moment.")
    assert model.left.wait(PATIENCE)


def test_who_goes_away_closes_the_connection_and_gives_the_place_back(model):
    model.behave = fake.begins_and_waits("A fox")

    async def scene() -> None:
        came = asyncio.Event()
        task = asyncio.create_task(assistant_of(model).begin("ada", FOX).run(lambda _: came.set()))
        await came.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(scene())
    assert model.left.wait(PATIENCE)
