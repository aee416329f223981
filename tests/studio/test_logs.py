"""What is written to standard error: its form, and what is never in it."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kling import ApiKey, KeyPair, TextToVideo
from kling.errors import api_error
from kling.studio import logs
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.logs import Repeats
from kling.studio.orders import Press
from kling.studio.running_settings import RunningSettings
from kling.studio.settings import Settings
from kling.studio.sign_in_settings import OidcSettings, SignInSettings
from tests.studio.fakes import Bench, order_one

TOKEN = "k3y-of-a-shared-link_0123456789"


@pytest.fixture
def written() -> Iterator[Callable[..., io.StringIO]]:
    """Configure the logs of this process, and give what they write; all is as it was afterwards."""
    root, factory, hook = logging.getLogger(), logging.getLogRecordFactory(), threading.excepthook
    kept, levels = list(root.handlers), {name: logging.getLogger(name).level for name in ("kling", "pages")}
    forms = [(handler, handler.formatter) for handler in kept]
    last = logging.lastResort.formatter if logging.lastResort else None
    stream = io.StringIO()

    def configure(settings: RunningSettings | None = None, *secrets: str) -> io.StringIO:
        root.handlers = [logging.StreamHandler(stream)]
        logs.configure(logs.Form(settings or RunningSettings(log="json"), secrets))
        return stream

    yield configure
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(capture=False)
    threading.excepthook = hook
    root.handlers = kept
    for handler, form in forms:
        handler.setFormatter(form)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    if logging.lastResort:
        logging.lastResort.setFormatter(last)


def last(stream: io.StringIO) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stream.getvalue().splitlines()[-1])
    return found


def test_a_line_in_json_says_when_where_and_what(written):
    stream = written()
    logging.getLogger("kling.studio.poller").info("Polled %d tasks", 3, extra={"facts": {"calls": 2}})
    line = last(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "kling.studio.poller",
        "message": "Polled 3 tasks",
        "calls": 2,
    }


def test_a_line_for_people_stays_one_line(written):
    stream = written(RunningSettings())
    logging.getLogger("kling").warning("%s", "one\ntwo\r\x1b[31mthree\u2028four")
    assert len(stream.getvalue().splitlines()) == 1
    assert "WARNING kling one two" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_each_line_about_a_request_has_its_id(written):
    stream = written()
    reset = logs.request_id.set("abc123")
    logging.getLogger("pages").warning("refused")
    logs.request_id.reset(reset)
    assert last(stream)["request"] == "abc123"
    logging.getLogger("pages").warning("later")
    assert "request" not in last(stream)


def test_prompts_are_left_out_unless_they_are_wanted(written):
    facts = {"job": "v1", "prompt": "A fox in the snow", "negative_prompt": "an owl"}
    stream = written()
    logging.getLogger("kling").info("Ordered", extra={"facts": facts})
    assert "fox" not in stream.getvalue()
    assert "owl" not in stream.getvalue()
    assert last(stream)["job"] == "v1"
    stream = written(RunningSettings(log="json", log_prompts=True))
    logging.getLogger("kling").info("Ordered", extra={"facts": facts})
    assert last(stream)["prompt"] == "A fox in the snow"


@pytest.mark.parametrize(
    "line",
    [
        f'"GET /share/{TOKEN} HTTP/1.1" 200',
        f"/studio/share/{TOKEN}/v1.mp4",
        f"http://studio.corp/sign-in/invitation/{TOKEN}?a=b",
        f"/sign-in/callback?code={TOKEN}&state={TOKEN}",
        f"WebSocket /live?token={TOKEN} [accepted]",
    ],
)
def test_tokens_in_addresses_are_hidden(written, line):
    for form in (RunningSettings(log="json"), RunningSettings()):
        stream = written(form)
        logging.getLogger("any.access").warning("%s", line)
        assert TOKEN not in stream.getvalue()
        assert logs.HIDDEN in stream.getvalue()


def test_secrets_are_hidden_wherever_they_stand(written):
    secret = "secret-of-the-operator"
    stream = written(RunningSettings(log="json"), secret)

    def fails(key: str) -> None:
        raise ValueError(f"the key {key} is wrong")

    try:
        fails(secret)
    except ValueError:
        logging.getLogger("kling").exception("It failed with %s", secret, extra={"facts": {"key": secret}})
    assert secret not in stream.getvalue()
    assert "the key [hidden] is wrong" in last(stream)["traceback"]


def test_every_secret_of_the_settings_is_known_to_the_logs():
    sign_in = SignInSettings(
        oidc=OidcSettings(issuer="https://a", client_id="studio", client_secret="oidc-secret"),
        proxy_secret="proxy-secret",
    )
    settings = Settings(
        credentials=KeyPair("access-key", "secret-key"),
        webhook_secret="webhook-secret",
        sign_in=sign_in,
        running=RunningSettings(metrics_token="metrics-token"),
        assistant=AssistantSettings(url="https://a/v1", model="m", key="assistant-key"),
    )
    found = set(logs.secrets_of(settings))
    assert found == {
        "access-key",
        "secret-key",
        "webhook-secret",
        "oidc-secret",
        "proxy-secret",
        "metrics-token",
        "assistant-key",
    }
    assert logs.secrets_of(Settings(credentials=ApiKey("api-key"))) == ["api-key"]
    assert not any(secret in repr(settings) for secret in found)


def test_loggers_that_libraries_make_later_write_in_the_same_form(written):
    stream = written()
    other = io.StringIO()
    library = logging.getLogger("a.library.of.later")
    library.propagate = False
    library.addHandler(logging.StreamHandler(other))
    try:
        library.warning("hello")
        assert json.loads(other.getvalue())["logger"] == "a.library.of.later"
        assert stream.getvalue() == ""
    finally:
        library.handlers.clear()
        library.propagate = True


def test_what_ends_a_thread_is_logged_and_not_printed(written, capsys):
    stream = written(RunningSettings(log="json"), "a-secret-of-ours")

    def fails() -> None:
        raise RuntimeError("a-secret-of-ours")

    thread = threading.Thread(target=fails, name="worker")
    thread.start()
    thread.join()
    assert last(stream)["message"] == "The thread worker ended unexpectedly."
    assert "a-secret-of-ours" not in stream.getvalue()
    assert capsys.readouterr().err == ""


def test_an_argument_that_cannot_be_written_is_no_error(written):
    stream = written()

    class Odd:
        def __str__(self) -> str:
            raise ValueError

    logging.getLogger("kling").warning("odd: %s", Odd())
    assert last(stream)["message"] == "odd: %s"
    logging.getLogger("kling").warning("half a pair: %s", "\ud800")
    assert "half a pair" in last(stream)["message"]


@pytest.mark.parametrize("wanted", [False, True])
def test_an_order_and_its_failure_say_the_prompt_only_where_it_is_wanted(written, tmp_path, wanted):
    stream = written(RunningSettings(log="json", log_prompts=wanted))
    bench = Bench(tmp_path)
    prompt = "a herring that nobody may read"
    quoting = api_error(400, 1201, f"the prompt {prompt!r} is not accepted")
    bench.kling.answers = [(quoting, False), (quoting, False)]
    for session in ("s1", "s2"):
        order_one(bench.studio, TextToVideo(prompt=prompt), Press(person="Ada", session=session))
        bench.poller.step()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sum(line["message"].endswith(" was ordered.") for line in lines) == 2
    assert ("herring" in stream.getvalue()) is wanted
    assert "Ada" not in stream.getvalue()


def test_lines_that_repeat_are_left_out_and_counted(written, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(logs, "Repeats", lambda: Repeats(lambda: now[0]))
    stream = written()
    log = logging.getLogger("any.page")
    for number in range(logs.LIKE_EACH_OTHER + 500):
        log.warning("Nobody asked for %s", number)
    assert len(stream.getvalue().splitlines()) == logs.LIKE_EACH_OTHER
    log.warning("Something else")
    assert last(stream)["message"] == "Something else"
    now[0] += logs.WINDOW
    log.warning("Nobody asked for %s", "this")
    assert last(stream)["message"] == "Nobody asked for this [500 lines like this were left out before]"


def test_faults_of_different_kinds_with_one_message_are_all_written(written):
    stream = written()
    log = logging.getLogger("any.page")
    for fault in (ValueError, KeyError):
        for _ in range(logs.LIKE_EACH_OTHER):
            log.error("A page failed", exc_info=fault())
    assert len(stream.getvalue().splitlines()) == 2 * logs.LIKE_EACH_OTHER
