"""One question to a real server on a real socket: what it says is read, and what it does wrong is said."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kling.studio.assistant.client import MOST_BYTES, AskError, Part, Patience, Reader, ask
from kling.studio.assistant.settings import AssistantSettings
from tests.studio.assistant import fake_model as fake
from tests.studio.assistant.fake_model import PATIENCE, Behave, FakeModel

MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": '{"text": "A fox"}'}]
QUICK = Patience(connect=2, first=0.1, silence=0.1, total=PATIENCE)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = "http_proxy", "https_proxy", "all_proxy", "no_proxy"
    for name in (*proxies, "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def settings_of(model: FakeModel, key: str = "") -> AssistantSettings:
    return AssistantSettings(url=model.url, model="model-1", key=key)


def asked(model: FakeModel, patience: Patience | None = None, key: str = "") -> str:
    """Return all words of the answer; `|` stands where the server says that it was cut."""
    parts: list[Part] = []
    asyncio.run(ask(settings_of(model, key), MESSAGES, parts.append, patience or Patience(total=PATIENCE)))
    return "".join(part.text + "|" * part.is_cut for part in parts)


def refused(behave: Behave, patience: Patience | None = None) -> str:
    with fake.fake_model(behave) as model, pytest.raises(AskError) as error:
        asked(model, patience)
    return str(error.value)


def test_a_stream_is_read_as_it_comes():
    with fake.fake_model(fake.streams("A fox", " runs", ".")) as model:
        assert asked(model, key="sk-1") == "A fox runs."
    (talk,) = model.asked
    assert talk.path == "/v1/chat/completions"
    assert talk.headers["Authorization"] == "Bearer sk-1"
    assert talk.body == {"model": "model-1", "messages": MESSAGES, "stream": True}
    assert "Cookie" not in talk.headers


def test_without_a_key_none_is_sent():
    with fake.fake_model(fake.streams("x")) as model:
        asked(model)
    assert "Authorization" not in model.asked[0].headers


def test_a_server_that_does_not_stream_is_read_too():
    with fake.fake_model(fake.answers_at_once("A fox\nruns.")) as model:
        assert asked(model) == "A fox\nruns."


def test_an_answer_at_once_is_read_whatever_the_server_calls_it():
    said = json.dumps({"choices": [{"message": {"content": "A fox"}, "finish_reason": "stop"}]}, indent=1)
    with fake.fake_model(fake.raw_answer(f"\n{said}".encode(), "text/plain")) as model:
        assert asked(model) == "A fox"


def test_no_proxy_is_asked_the_way_to_this_machine(monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with fake.fake_model(fake.streams("A fox")) as model:
        assert asked(model) == "A fox"


def test_a_stream_that_just_ends_may_be_cut():
    with fake.fake_model(fake.raw_answer(b'data: {"choices":[{"delta":{"content":"A fox"}}]}\n\n')) as model:
        assert asked(model) == "A fox|"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_model_that_is_stopped_before_its_end_says_so(reason):
    with fake.fake_model(fake.streams("A fox", reason=reason)) as model:
        assert asked(model) == "A fox|"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "does not take the question"),
        (401, "does not accept the studio's key"),
        (403, "does not accept the studio's key"),
        (404, "does not know the address or the model"),
        (413, "Shorten it"),
        (429, "too much to do"),
        (500, "is in trouble"),
        (503, "is in trouble"),
    ],
)
def test_a_refusal_is_said_in_words_without_those_of_the_server(status, words):
    said = refused(fake.refuses(status))
    assert words in said
    assert f"Status {status}" in said
    assert "sk-secret" not in said


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    with fake.fake_model(fake.streams("stolen")) as other:
        said = refused(fake.refuses(status, "", Location=f"{other.url}/chat/completions"))
    assert "which is not followed" in said
    assert other.asked == []


@pytest.mark.parametrize(
    "behave",
    [fake.says_nothing, fake.begins_and_waits("A fox"), fake.drips_its_head],
    ids=["nothing", "a part", "its head"],
)
def test_who_is_too_slow_is_not_waited_for(behave):
    assert "took too long" in refused(behave, QUICK)


def test_who_never_comes_to_an_end_is_not_waited_for():
    patience = Patience(first=PATIENCE, silence=PATIENCE, total=0.1)
    assert "took too long" in refused(fake.begins_and_waits("A fox"), patience)


def test_an_answer_without_end_is_broken_off():
    assert "far longer" in refused(fake.never_ends)


@pytest.mark.parametrize(
    "behave",
    [
        fake.raw_answer(b"data: {nonsense\n\n"),
        fake.raw_answer(b"data: [1, 2]\n\n"),
        fake.raw_answer(b"data: " + b"[" * 100_000 + b"\n\n"),
        fake.raw_answer(b"<html>hello</html>", "application/json"),
        fake.raw_answer(b"\xff\xfe\x00", "application/json"),
        fake.raw_answer(b"[]", "application/json"),
        fake.raw_answer(b"<html>hello</html>", "text/html"),
        fake.raw_answer(b'{"hello": "world"}', "application/json"),
        fake.raw_answer(b'data: {"choices": []}\n\ndata: [DONE]\n\n'),
        fake.raw_answer(b""),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(behave):
    assert "no answer of the OpenAI chat API" in refused(behave)


def test_an_error_in_the_stream_is_said():
    assert "could not answer" in refused(fake.raw_answer(b'data: {"error": {"message": "sk-secret"}}\n\n'))


def test_an_answer_that_is_broken_off_is_said():
    assert "broke off" in refused(fake.breaks_off("A fox"))


def test_a_server_that_is_not_there_is_said():
    with fake.fake_model(fake.says_nothing) as model:
        pass
    with pytest.raises(AskError, match="cannot be reached"):
        asked(model)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_cannot_be_read_are_said(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv(name, "/nowhere")
    assert "cannot be asked from here" in refused(fake.streams("x"))


def test_who_does_not_wait_any_more_closes_the_connection():
    async def stop_after_the_first_word(model: FakeModel) -> None:
        came = asyncio.Event()
        task = asyncio.create_task(ask(settings_of(model), MESSAGES, lambda _: came.set()))
        await came.wait()
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    with fake.fake_model(fake.begins_and_waits("A fox")) as model:
        asyncio.run(stop_after_the_first_word(model))
        assert model.left.wait(PATIENCE)


def test_who_stops_before_the_first_byte_closes_the_connection_too():
    async def stop_at_once(model: FakeModel) -> None:
        task = asyncio.create_task(ask(settings_of(model), MESSAGES, lambda _: None))
        await asyncio.to_thread(model.came.wait, PATIENCE)
        task.cancel()
        await asyncio.wait({task})

    with fake.fake_model(fake.says_nothing) as model:
        asyncio.run(stop_at_once(model))
        assert model.left.wait(PATIENCE)


# -- any bytes, in any pieces -----------------------------------------------------------------------------


def read(data: bytes, sizes: list[int], *, is_whole: bool = False) -> str:
    """Return what a reader makes of bytes that come in pieces of these sizes; errors by their words."""
    reader, parts = Reader("host", is_whole=is_whole), list[Part]()
    try:
        while data and not reader.is_over:
            size = sizes.pop() if sizes else len(data)
            parts += reader.feed(data[:size])
            data = data[size:]
        if not reader.is_over:
            parts += reader.end()
    except AskError as error:
        return str(error)
    return "".join(part.text for part in parts)


SIZES = st.lists(st.integers(1, 40))
EVENTS = st.lists(
    st.text(max_size=20).map(
        lambda text: json.dumps({"choices": [{"delta": {"content": text}}]}, ensure_ascii=len(text) % 2 == 0)
    )
    | st.recursive(st.none() | st.booleans() | st.text(max_size=5), st.lists).map(json.dumps)
    | st.sampled_from(['{"choices": [{"delta": null}]}', '{"choices": {}}', '{"choices": [7]}', "[DONE]"])
    | st.builds(lambda x: json.dumps({"choices": [{"delta": {"content": x, "refusal": x}}]}), st.integers())
)


@given(st.binary(max_size=300), SIZES, st.booleans())
def test_any_bytes_are_read_or_refused_in_words(data, sizes, is_whole):
    assert isinstance(read(data, sizes, is_whole=is_whole), str)


@given(EVENTS, SIZES, st.sampled_from(["\n\n", "\r\n\r\n", "\r\r", "\n: still here\n\n"]))
def test_an_answer_says_the_same_in_whatever_pieces_it_comes(events, sizes, between):
    data = "".join(f"data: {event}{between}" for event in events).encode("utf-8", "replace")
    assert read(data, sizes) == read(data, [])


def test_a_line_without_end_is_not_kept():
    reader = Reader("host")
    endless = (part for _ in range(MOST_BYTES) for part in reader.feed(b"x" * 10_000))
    with pytest.raises(AskError, match="far longer"):
        next(endless)
