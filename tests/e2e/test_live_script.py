"""The script of live parts on a page of its own, on a clock of the tests: when it asks, and what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from pages._ui.live.script import module
from pages._ui.live.timing import TIMES
from tests.benchmarks.live_parts import LiveParts
from tests.e2e.conftest import CHROMIUM

SECURE, PLAIN = "http://localhost:9/", "http://studio.test:9/"  # browsers trust names of their own machine
BODY = """<!doctype html><title>Compose</title>
<div data-testid="stApp" data-test-connection-state="CONNECTED" data-test-script-state="notRunning"></div>
<span data-counts>1 being made</span>"""
# A page without Streamlit: parts whose runs are counted, and are drawn at once at the version that was told.
START = """async (module) => {
  window.asked = {};
  window.lost = 0;
  window.shown = true;
  window.focused = true;
  Object.defineProperty(document, "hidden", { get: () => !shown });
  document.hasFocus = () => focused;
  window.notes = [];
  const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { default: mount } = await import(address);
  window.addPart = (key, names, version, ages) => {
    const around = document.body.appendChild(document.createElement("div"));
    around.className = "st-key-live-" + key;
    const mark = document.body.appendChild(document.createElement("i"));
    Object.assign(mark.dataset, { live: key, version, liveJobs: names });
    if (ages) mark.dataset.liveAges = "";
    asked[key] = [];
    const parentElement = around.appendChild(document.createElement("div"));
    return mount({ parentElement, setTriggerValue: (_, value) => {
      asked[key].push(Date.now());
      if (lost) lost -= 1;
      else mark.dataset.version = value.at;
    } });
  };
  addPart("none", "", 100)();
}"""
NOTIFICATION = """window.Notification = class {
  static permission = "default";
  static async requestPermission() { return Notification.permission = window.answer ?? "granted"; }
  constructor(title, { tag }) { notes.push([title, tag]); }
}"""


COUNT_TONES = """() => {
  const { start } = OscillatorNode.prototype;
  window.tones = [];
  OscillatorNode.prototype.start = function (when) {
    tones.push(this.frequency.value);
    start.call(this, when);
  };
}"""
Answer = Callable[[WebSocketRoute], object]


class Script:
    """The page, and the server's end of its socket.

    Args:
        page: on a clock that stands still.
        url: of the page.
        answer: called with each socket that the page opens.
    """

    def __init__(self, page: Page, url: str, answer: Answer = lambda _socket: None) -> None:
        self.page = page
        self.sockets: list[WebSocketRoute] = []
        self._answer = answer
        self._version = 100
        page.route(url, lambda route: route.fulfill(content_type="text/html", body=BODY))
        page.route(re.compile("/live$"), lambda route: route.fulfill(status=204))
        page.route_web_socket(re.compile(r"/live(\?|$)"), self._take)
        page.add_init_script(NOTIFICATION)
        page.goto(url)
        page.clock.pause_at(1_800_000_000)
        page.evaluate(START, module())

    def add(self, key: str, names: str, *, version: int = 100, ages: bool = False) -> None:
        """Mount a part that shows these names, and whose words may depend on the clock."""
        self.page.evaluate("(given) => { addPart(...given); }", [key, names, version, ages])

    def say(self, jobs: Sequence[str] | None = (), **more: Any) -> None:
        """Send a message of the server, about these jobs."""
        self._version += 1
        facts: dict[str, Any] = {
            "version": self._version,
            "jobs": jobs,
            "states": {},
            "running": 0,
            "waiting": 0,
            "tabs": 1,
        }
        heard = f"() => window.__studioLive.version === {self._version}"
        self.sockets[-1].send(json.dumps(facts | more))
        self.page.wait_for_function(heard, polling=1)

    def wait(self, milliseconds: int) -> None:
        """Let the page's clock go on."""
        self.page.clock.run_for(milliseconds)

    def wait_for_sockets(self, number: int) -> None:
        """Wait until the page has opened so many in all."""
        while len(self.sockets) < number:
            self.page.evaluate("0")  # lets what has happened arrive here

    def _take(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        self._answer(socket)

    def asked(self, key: str) -> int:
        """Return how often a part has asked to be drawn again."""
        return int(self.page.evaluate("key => asked[key].length", key))

    def show(self, *, shown: bool, focused: bool = True) -> None:
        """Hide the tab, or show it again."""
        self.page.evaluate(
            """([isShown, isFocused]) => {
              [shown, focused] = [isShown, isFocused];
              document.dispatchEvent(new Event("visibilitychange"));
              window.dispatchEvent(new Event(focused ? "focus" : "blur"));
            }""",
            [shown, focused],
        )

    def mark(self, task: str, state: str, name: str = "", seconds: int = 0, say: str = "") -> None:
        """Draw a job's mark; with a name it is one that this tab has ordered, so many seconds ago."""
        self.page.evaluate(
            """([task, state, name, seconds, say]) => {
              const found = document.querySelector(`[data-task="${task}"]`);
              const mark = found ?? document.body.appendChild(document.createElement("i"));
              Object.assign(mark.dataset, { task, state, say: say || `${state}: ${name}` });
              if (name) Object.assign(mark.dataset, { own: name, age: 1000 * seconds });
            }""",
            [task, state, name, seconds, say],
        )
        self.wait(500)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page that shows nothing yet, on a clock of the test."""
    context = CHROMIUM.browser.new_context()
    context.clock.install()
    yield context.new_page()
    context.close()


@pytest.fixture
def script(page: Page) -> Script:
    return Script(page, SECURE)


def test_a_part_asks_only_for_what_it_shows(script: Script):
    script.add("tasks", "mine")
    script.add("header", ":notice")
    script.add("list", "*")
    script.add("still", "")
    script.wait(5000)
    script.say(["theirs"])
    script.wait(20_000)
    assert [script.asked(key) for key in ("tasks", "header", "list", "still")] == [0, 0, 1, 0]
    script.say([":notice"])
    script.wait(1000)
    assert [script.asked(key) for key in ("tasks", "header", "list", "still")] == [0, 1, 1, 0]
    script.say(["mine"])
    script.wait(1000)
    assert script.asked("tasks") == 1
    script.say(None)
    script.wait(1000)
    assert [script.asked(key) for key in ("tasks", "header", "list", "still")] == [2, 2, 3, 1]


def test_the_server_is_told_that_somebody_does_something(page: Page):
    told: list[str | bytes] = []

    def hear(said: str | bytes) -> None:
        told.append(said)

    script = Script(page, SECURE, lambda socket: socket.on_message(hear))
    script.wait_for_sockets(1)
    script.say()
    page.evaluate("document.dispatchEvent(new Event('pointerdown'))")  # by a script
    for number in (1, 2):
        script.wait(TIMES.used)
        page.mouse.click(5, 5)
        page.keyboard.press("a")
        while len(told) < number:
            page.evaluate("0")  # lets what was sent arrive here
    assert told == [b"", b""]


def test_what_comes_together_is_drawn_together(script: Script):
    script.add("tasks", "mine")
    script.wait(5000)
    for _ in range(20):
        script.say(["mine"])
        script.wait(100)
    script.wait(1000)
    assert 3 <= script.asked("tasks") <= 2000 / TIMES.own + 1


@pytest.mark.parametrize(("tabs", "pause"), [(1, TIMES.every), (100, TIMES.per_tab * 100)])
def test_a_list_of_everybodys_jobs_takes_its_time_and_more_with_many_tabs(
    script: Script, tabs: int, pause: int
):
    script.add("list", "*")
    for _ in range(60):
        script.say(["theirs"], tabs=tabs)
        script.wait(1000)
    assert 60_000 / pause / (1 + TIMES.spread) - 1 <= script.asked("list") <= 60_000 / pause


def test_a_list_shows_within_a_second_what_it_gains_or_loses_however_often(script: Script):
    script.add("list", "* :jobs")
    script.wait(5000)
    for number in range(1, 5):
        script.say(["theirs", ":jobs"], tabs=4)
        script.wait(1000)
        assert script.asked("list") == number


def test_a_change_on_a_list_is_drawn_by_one_tab_after_the_other_by_a_few_within_a_second(script: Script):
    for number, luck in enumerate((0, 0.5, 1)):
        script.page.evaluate("luck => { Math.random = () => luck; }", luck)
        script.add(f"list{number}", "* shown")
    script.wait(5000)
    script.say(["shown"], tabs=8)
    start = script.page.evaluate("Date.now()")
    script.wait(1000)
    asked = [script.page.evaluate(f"asked.list{number}[0]") - start for number in range(3)]
    last = 8 * TIMES.listed_per_tab
    assert asked == pytest.approx([TIMES.soon, last / 2, last], abs=50)
    for _ in range(200):
        script.say(["shown"], tabs=50)
        script.wait(100)
    assert 3 <= script.asked("list0") - 1 <= 20_000 / (50 * TIMES.listed_per_tab) + 1


def test_tabs_that_waited_long_do_not_all_ask_at_the_same_moment(script: Script):
    for number in range(10):
        script.add(f"list{number}", "*")
    script.say()
    script.wait(30_000)
    script.say(["theirs"], tabs=100)
    script.wait(round(TIMES.per_tab * 100 * TIMES.spread) + 500)  # an idle moment comes a little later
    times = script.page.evaluate("() => Object.values(asked).flat().sort((a, b) => a - b)")
    assert len(times) == 10
    assert times[-1] - times[0] > 2000


def test_a_hidden_tab_asks_for_nothing_until_it_is_seen(script: Script):
    script.add("tasks", "mine")
    script.add("list", "*")
    script.show(shown=False)
    script.say(["mine"])
    script.say(None)
    script.wait(200_000)
    assert script.asked("tasks") == script.asked("list") == 0
    script.show(shown=True)
    script.wait(300)
    assert script.asked("tasks") == script.asked("list") == 1


def test_a_run_that_was_lost_is_asked_for_again(script: Script):
    script.add("tasks", "mine")
    script.page.evaluate("() => { lost = 2; }")
    script.say(["mine"])
    script.wait(5000)
    assert script.asked("tasks") == 3


def test_a_run_waits_while_somebody_types_but_not_for_ever(script: Script):
    script.add("tasks", "mine")
    script.wait(5000)
    script.say(["mine"])
    for _ in range(20):  # faster than a field that searches sends its text
        script.page.evaluate("() => document.body.dispatchEvent(new Event('input', { bubbles: true }))")
        script.wait(200)
    assert script.asked("tasks") == 0
    for _ in range(2):
        script.page.evaluate("() => document.body.dispatchEvent(new Event('input', { bubbles: true }))")
        script.wait(400)
    assert script.asked("tasks") == 1


def test_a_part_whose_words_age_is_drawn_again_after_a_while_and_every_part_without_a_socket(script: Script):
    script.page.evaluate("() => { Math.random = () => 0; }")
    script.add("tasks", "mine", ages=True)
    script.add("list", "*")
    script.say()
    for _ in range(3):
        script.wait(TIMES.old // 3 + 200)
        script.say()
    assert [script.asked("tasks"), script.asked("list")] == [1, 0]
    script.page.evaluate("() => Object.assign(window.__studioLive, { isOpen: false, closedAt: Date.now() })")
    script.wait(2 * TIMES.old_without_socket + 1000)
    assert [script.asked("tasks"), script.asked("list")] == [3, 2]


def test_a_part_that_was_drawn_by_an_earlier_server_is_drawn_by_the_new_one(script: Script):
    script.add("tasks", "mine", version=90)
    script.wait(1000)
    assert script.asked("tasks") == 0
    script.say(None)
    script.wait(1000)
    assert script.asked("tasks") == 1


def test_a_proxy_that_lets_no_socket_through_is_no_server_that_is_away_but_streamlits_own_tells(page: Page):
    script = Script(page, SECURE, lambda socket: socket.close())
    for number in range(2, 6):  # it goes on trying
        script.wait(6_000)
        script.wait_for_sockets(number)
    away = page.locator("[role=status]", has_text="The studio's server does not answer.")
    assert away.count() == 0
    page.evaluate("document.querySelector('[data-testid=stApp]').dataset.testConnectionState = 'CONNECTING'")
    script.wait(TIMES.away + 1000)
    assert away.is_visible()


def test_a_connection_that_was_cut_without_a_word_is_opened_again(page: Page):
    words: dict[str, Any] = {"version": 0, "jobs": None, "states": {}, "running": 0, "waiting": 0, "tabs": 1}
    script = Script(page, SECURE, lambda socket: socket.send(json.dumps(words)))
    page.wait_for_function("() => window.__studioLive.opened", polling=1)
    script.wait(50_000)
    assert len(script.sockets) == 1
    script.wait(12_000)
    script.wait_for_sockets(2)
    assert len(script.sockets) == 2


def test_a_changed_task_is_announced_once_and_a_new_one_is_not(script: Script, page: Page):
    script.mark("one", "processing", say="Being made: a fox")
    expect(page.get_by_role("status").filter(has_text="a fox")).to_have_count(0)
    hostile = "Clip done: <img src=x onerror=alert(1)> **fox**"
    page.on("dialog", lambda _dialog: pytest.fail("a task's words ran as a script"))
    script.mark("one", "succeed", say=hostile)
    region = page.get_by_role("status").filter(has_text=hostile)
    expect(region).to_have_count(1)
    expect(region).to_have_attribute("aria-live", "polite")
    assert region.evaluate("region => region.childElementCount") == 0
    assert region.bounding_box()["width"] <= 1  # type: ignore[index]  # heard, not seen


def test_a_finished_task_rings_where_that_is_wanted_only(script: Script, page: Page):
    page.evaluate(COUNT_TONES)
    page.mouse.click(5, 5)  # before a click, browsers play nothing
    errors: list[object] = []
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - Playwright marks what it calls
    for task in ("silent", "good", "bad"):
        script.mark(task, "processing")
    script.mark("silent", "succeed")
    assert page.evaluate("tones.length") == 0
    page.evaluate("document.body.appendChild(document.createElement('i')).dataset.chime = 'on'")
    script.mark("good", "succeed")
    rising = page.evaluate("tones.splice(0)")
    script.mark("bad", "failed")
    falling = page.evaluate("tones.splice(0)")
    script.mark("good", "archived")
    assert page.evaluate("tones.length") == 0
    assert len(rising) == len(falling) == 2
    assert rising[0] < rising[1]
    assert falling[0] > falling[1]
    assert errors == []


def test_the_counts_of_the_bar_need_no_run(script: Script):
    counts = script.page.locator("[data-counts]")
    for running, waiting, words in (
        (2, 0, "2 being made"),
        (1200, 3, "1,200 being made · 3 waiting"),
        (0, 0, ""),
    ):
        script.say([], running=running, waiting=waiting)
        assert counts.text_content() == words


def test_the_title_counts_the_newest_job_and_says_when_it_is_done_until_one_looks(script: Script):
    title = script.page.title
    script.mark("old", "processing", "Boat", seconds=300)
    script.mark("new", "submitted", "Fox", seconds=70)
    assert title() == "1:10 · Fox"
    script.wait(2000)
    assert title() == "1:12 · Fox"
    script.show(shown=False)
    script.say(["new"], states={"new": "processing"})
    script.say(["new"], states={"new": "succeed"})
    assert title() == "5:02 · Boat"
    script.say(["old"], states={"old": "failed"})
    assert title() == "Failed · Boat"
    script.page.evaluate("() => { document.title = 'Gallery'; }")
    script.wait(1000)
    assert title() == "Failed · Boat"
    script.show(shown=True, focused=False)  # beside another window
    assert title() == "Failed · Boat"
    script.show(shown=True)
    assert title() == "Gallery"
    script.mark("new", "processing", "Fox")  # drawn before the server said that it is done
    assert title() == "Gallery"


def test_the_end_of_a_job_is_known_though_the_server_tells_it_before_the_page_has_drawn_the_job(
    script: Script,
):
    script.show(shown=False)
    script.say(["new"], states={"new": "succeed"})
    script.mark("new", "submitted", "Fox", seconds=5)
    assert script.page.title() == "Done · Fox"


def test_who_watches_a_job_end_is_not_told_so_by_the_title(script: Script):
    script.mark("new", "processing", "Fox", seconds=5)
    script.mark("new", "succeed", "Fox")
    assert script.page.title() == "Compose"


def test_other_peoples_jobs_leave_the_title_alone(script: Script):
    script.mark("theirs", "processing")
    script.say(["theirs"], states={"theirs": "succeed"})
    assert script.page.title() == "Compose"


NOTIFY = "() => { const { available, on } = window.__studioLive.notify; return [available, on]; }"


def test_a_notification_comes_only_after_a_press_and_where_nobody_looks(script: Script, page: Page):
    for task in ("one", "two", "three"):
        script.mark(task, "processing", "Fox")
    assert page.evaluate(NOTIFY) == [True, False]
    script.show(shown=False)
    script.say(["one"], states={"one": "succeed"})
    assert page.evaluate("notes") == []  # nobody has asked for it
    assert page.evaluate("() => window.__studioLive.notify.ask()") is True
    assert page.evaluate(NOTIFY) == [True, True]
    script.say(["two"], states={"two": "succeed"})
    script.mark("two", "succeed", "Fox")
    assert page.evaluate("notes") == [["Done · Fox", "two"]]
    script.show(shown=True)
    script.say(["three"], states={"three": "succeed"})
    assert len(page.evaluate("notes")) == 1
    page.evaluate("() => window.__studioLive.notify.stop()")
    assert page.evaluate(NOTIFY) == [True, False]


def test_a_notification_that_was_refused_is_not_offered_again(script: Script):
    script.page.evaluate("() => { window.answer = 'denied'; }")
    assert script.page.evaluate("() => window.__studioLive.notify.ask()") is False
    assert script.page.evaluate(NOTIFY) == [False, False]


def test_on_plain_http_under_another_name_no_notification_is_offered(page: Page):
    script = Script(page, PLAIN)
    assert page.evaluate("isSecureContext") is False
    assert page.evaluate(NOTIFY) == [False, False]
    assert page.evaluate("() => window.__studioLive.notify.ask()") is False
    script.mark("one", "processing", "Fox", seconds=61)
    assert page.title() == "1:01 · Fox"
    script.show(shown=False)
    script.say(["one"], states={"one": "succeed"})
    assert page.title() == "Done · Fox"
    assert page.evaluate("notes") == []


def test_the_benchmark_of_a_team_has_tabs_that_ask_when_the_script_asks(script: Script, page: Page):
    page.evaluate("() => { Math.random = () => 0.5; }")
    names = {"tasks": "a b", "header": ":notice", "list": "*", "rows": "* a c", "still": ""}
    parts, start = LiveParts(lambda: 0.5), float(page.evaluate("Date.now()"))
    said, asked = 100, dict.fromkeys(names, 0)
    for key, shown in names.items():
        script.add(key, shown, ages=key == "still")
        parts.drawn(key, said, shown.split(), start, ages=key == "still")
    for step in range(120):
        now = start + 1000 * step
        jobs = {0: ["a"], 3: ["c"], 7: [":notice", "b"], 9: None}.get(step % 12)
        if jobs is not None or step % 12 == 9:
            said += 1
            script.say(jobs, tabs=40)
            parts.hear(said, jobs, 40, now)
        script.wait(1000)
        while (turn := parts.next())[1] < start + 1000 * (step + 1):
            key, now = turn[0], max(now, turn[1])
            parts.asks(key, now)
            asked[key] += 1
            parts.drawn(key, said, names[key].split(), now, ages=key == "still")
    by_script = {key: script.asked(key) for key in names}
    assert min(asked["tasks"], asked["rows"]) > asked["list"] > asked["still"] > 0
    assert by_script == pytest.approx(asked, abs=1)
