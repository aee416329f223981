"""What a small change on Compose costs, from the click until the page stands still again.

    python tests/benchmarks/compose.py [--rounds 60]

Against a bare Streamlit page with as many widgets of the same kinds (aim: within 1.3 times); with 100,000
tasks in the log against none (aim: the same), with the panels closed, and with the comparison open; and while
a batch of 100 jobs is sent, against the same page at rest.

The change is one click on How many, which changes the price on the button. "Browser" is the time from the
click until the new price stands there and the page says that no script runs; "script" is the time that the
server spent in the run of the script for it. Where there are two sides they take turns, each pair gives a
ratio, and what is printed is the median, with the middle half in brackets.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:  # not for the servers, which import this file too
    from playwright.sync_api import Browser, Page

AIM = 1.3
TASKS = 100_000
WARM_UP = 5  # changes that are not counted
PAUSE = 100  # milliseconds between two changes
PROMPT = "A red fox crosses the snow while the sun rises behind the birches."
TONES, LIGHTS = ("|".join(f"{name}{number}" for number in range(10)) for name in ("tone", "light"))
HUNDRED_VIDEOS = 100
HUNDRED = f"A {{{TONES}}} fox in {{{LIGHTS}}}"
WIDGETS = (
    "stTextArea stTextInput stSelectbox stButtonGroup stCheckbox stButton stPopover stPageLink "
    "stBidiComponentIsolated stBidiComponentRegular"
)
PANELS = ("Camera", "Avoid", "Variations", "More settings", "Guide", "Compare prompts", "Export as code")

CHANGE = """() => new Promise((done) => {
  const app = document.querySelector("[data-testid=stApp]");
  const price = () => document.querySelector("[class*=st-key-composer-generate-] button")?.textContent;
  const takes = [...document.querySelectorAll("[class*=st-key-composer-takes] [role=radio]")];
  const next = takes[takes[0].getAttribute("aria-checked") === "true" ? 1 : 0];
  const before = price(), start = performance.now();
  const lost = setTimeout(() => { observer.disconnect(); done(null); }, 5000);
  const look = () => {
    if (!price() || price() === before || app.dataset.testScriptState !== "notRunning") return;
    observer.disconnect();
    clearTimeout(lost);
    done(performance.now() - start);
  };
  const observer = new MutationObserver(look);
  observer.observe(app, { attributes: true, childList: true, characterData: true, subtree: true });
  next.click();
})"""


# -- the two pages --------------------------------------------------------------------------------------


def bare_page() -> None:
    """Draw what Compose has when it is opened, with nothing behind it."""
    st.set_page_config(page_title="Bare", layout="wide")
    with st.container(horizontal=True):
        st.title("Bare", width="content")
        for name in ("Compose", "History", "Gallery", "Spend"):
            st.page_link("https://localhost/", label=name)
        with st.popover("Sandbox"):
            st.markdown("No key is set.")
            st.markdown("Set a key.")
        component("bar", isolate_styles=False)
        with st.popover("Account"):
            st.text_input("Your name", key="person")
            st.toggle("A sound when a clip is done", key="chime")
            st.button("Check the connection", width="stretch")
            st.page_link("https://localhost/", label="Admin")
    for name in ("viewer", "taking"):
        component(name, isolate_styles=False)
    component("header")
    left, right = st.columns([2, 5], gap="large")
    with right:
        component("tasks")
        component("stage", isolate_styles=False)
        for name in ("All templates", "How to write a prompt"):
            st.button(name)
    with left:
        for name in ("autosave", "dropped", "pictures"):
            component(name)
        with st.container(horizontal=True):
            st.segmented_control("Tabs", ["Prompt", "Storyboard"], default="Prompt", key="tabs")
            st.button("Recent", type="tertiary")
            st.button("Templates", type="tertiary")
        st.text_area("Prompt", height="content", key="prompt")
        st.selectbox("Model", [f"Model {number}" for number in range(4)], key="model")
        for name, choices in (
            ("Quality", ["720p", "1080p"]),
            ("Length", ["5 s", "10 s"]),
            ("Shape", ["16:9", "9:16", "1:1"]),
            ("Sound", ["Off", "On"]),
        ):
            st.segmented_control(name, choices, default=choices[0], key=name)
        for name in PANELS:
            st.button(name, type="tertiary", key=f"panel-{name}")
        takes = st.segmented_control("How many", range(1, 5), default=1, key="composer.takes") or 1
        st.button(f"Generate {takes}", type="primary", width="stretch", key=f"composer.generate-{takes}")


def component(name: str, *, isolate_styles: bool = True) -> None:
    """Draw a component that does nothing."""
    script = "export default function () {}"
    st.components.v2.component(name, js=script, isolate_styles=isolate_styles)(
        key=f"live-{name}", on_changed_change=lambda: None
    )


def serve(
    times: str,
    arguments: list[str],
    *,
    clock: Callable[[], float] = time.perf_counter,
    triggers: bool = False,
) -> None:
    """Run Streamlit, and note the milliseconds that each run of a script takes for a change of a widget.

    Args:
        times: the file that gets them.
        arguments: of `streamlit`.
        clock: in seconds.
        triggers: whether runs for what a component tells are noted too.
    """
    from streamlit.runtime.scriptrunner import ScriptRunner
    from streamlit.web import cli

    run = ScriptRunner._run_script  # noqa: SLF001 - Streamlit has no public place to measure a run

    def timed(self: ScriptRunner, rerun_data: Any) -> None:
        start = clock()
        run(self, rerun_data)
        taken = (clock() - start) * 1000
        states = rerun_data.widget_states
        if triggers or not any(each.json_trigger_value for each in (states.widgets if states else ())):
            with Path(times).open("a", encoding="ascii") as file:
                file.write(f"{taken}\n")

    ScriptRunner._run_script = timed  # type: ignore[method-assign]  # noqa: SLF001
    sys.argv = ["streamlit", *arguments]
    cli.main()


# -- one side of a comparison ---------------------------------------------------------------------------


@dataclass
class Side:
    """A page in a browser of its own, and the server behind it."""

    page: Page
    folder: Path
    lost: int = 0  # changes that the page did not follow

    def change(self) -> float:
        """Change how many videos are ordered; return the milliseconds that the browser needed."""
        while True:
            self.page.wait_for_timeout(PAUSE)
            taken = self.page.evaluate(CHANGE)
            if taken is not None:
                return float(taken)
            self.lost += 1

    def script(self, number: int) -> list[float]:
        """Return the milliseconds of the last runs of the server's script."""
        self.page.wait_for_timeout(PAUSE)
        return [float(line) for line in (self.folder / "times").read_text().splitlines()[-number:]]

    def widgets(self) -> Counter[str]:
        """Return how many widgets of each kind the page has."""
        kinds = self.page.evaluate(
            "[...document.querySelectorAll('[data-testid]')].map(e => e.dataset.testid)"
        )
        return Counter(kind for kind in kinds if kind in WIDGETS.split())

    def finished(self) -> int:
        """Return how many tasks of the log have ended well."""
        return (self.folder / "data" / "history.csv").read_text().count(",succeed,")

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(500)
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

    def write(self, prompt: str) -> None:
        field = self.page.get_by_label("Prompt", exact=True)
        field.fill(prompt)
        field.press("Tab")
        self.settle()


@contextmanager
def opened(browser: Browser, folder: Path, script: Path) -> Iterator[Side]:
    """Serve a script with its data in a folder, and open it."""
    from playwright.sync_api import Error

    from tests.e2e.conftest import free_port

    folder.mkdir(exist_ok=True)
    port = free_port()
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("KLINGAI_", "STUDIO_"))
    }
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", folder / "times", "run", script, "--server.port", str(port)],
        cwd=ROOT,  # for the same settings
        env={
            **clean,
            "STUDIO_DATA_DIR": str(folder / "data"),
            "SANDBOX_CLIPS": "tiny",
            "PYTHONPATH": str(ROOT),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    try:
        page = context.new_page()
        while True:
            try:
                page.goto(f"http://localhost:{port}")
                break
            except Error:
                time.sleep(0.05)
        side = Side(page, folder)
        page.get_by_label("Prompt", exact=True).wait_for()
        page.get_by_text("The log is being read").wait_for(state="detached", timeout=120_000)
        side.write(PROMPT)
        yield side
    finally:
        context.close()
        process.terminate()
        process.wait()


# -- measuring and saying -------------------------------------------------------------------------------


def take_turns(sides: list[Side], rounds: int) -> dict[str, list[list[float]]]:
    """Change each side in turn; return the milliseconds of each, in the browser and on the server."""
    seen: list[list[float]] = [[] for _ in sides]
    for turn in range(-WARM_UP, rounds):
        order = list(zip(sides, seen, strict=True))
        for side, times in order if turn % 2 else reversed(order):
            taken = side.change()
            if turn >= 0:
                times.append(taken)
    return {"browser": seen, "script": [side.script(rounds) for side in sides]}


def middle(values: list[float], form: str) -> str:
    low, median, high = statistics.quantiles(values, n=4)
    return f"{median:{form}} ({low:{form}}–{high:{form}})"


def say(title: str, names: tuple[str, str], times: dict[str, list[list[float]]], aim: str = "") -> None:
    """Print both sides and the ratio of the first to the second."""
    print(f"\n{title}")
    for what, (ours, theirs) in times.items():
        ratio = middle([a / b for a, b in zip(ours, theirs, strict=True)], ".2f")
        sides = f"{names[0]} {middle(ours, '.0f')} ms   {names[1]} {middle(theirs, '.0f')} ms"
        print(f"  {what:8} {sides}   ratio {ratio}")
    if aim:
        print(f"  aim: {aim}")


def against_bare(browser: Browser, folder: Path, rounds: int) -> None:
    script = folder / "bare.py"
    script.write_text("from tests.benchmarks.compose import bare_page\n\nbare_page()\n")
    with ExitStack() as stack:
        studio, bare = (
            stack.enter_context(opened(browser, folder / name, path))
            for name, path in (("studio", ROOT / "app.py"), ("bare", script))
        )
        if studio.widgets() != bare.widgets():
            raise SystemExit(f"The pages differ: {studio.widgets()} against {bare.widgets()}.")
        times = take_turns([studio, bare], rounds)
        number = sum(studio.widgets().values())
    say(f"Compose against a bare page, {number} widgets each", ("Compose", "bare"), times, f"{AIM} at most")


def with_a_long_log(browser: Browser, folder: Path, rounds: int) -> None:
    from tests.benchmarks.log import make

    (folder / "long" / "data").mkdir(parents=True)
    make(folder / "long" / "data" / "history.csv", TASKS)
    with ExitStack() as stack:
        sides = [
            stack.enter_context(opened(browser, folder / name, ROOT / "app.py")) for name in ("long", "empty")
        ]
        for title in ("panels closed", "the comparison open"):
            say(
                f"{TASKS:,} tasks in the log against none, {title}",
                ("many", "none"),
                take_turns(sides, rounds),
                "1.0",
            )
            if title == "panels closed":
                for side in sides:
                    side.click("Compare prompts")


def during_a_batch(browser: Browser, folder: Path, rounds: int) -> None:
    with opened(browser, folder / "batch", ROOT / "app.py") as side:
        side.write(HUNDRED)
        side.page.locator("[class*=st-key-composer-generate-100] button").click()
        side.click("Yes, generate all 100")
        start = side.finished()
        during = take_turns([side], rounds // 2)
        end = side.finished()
        while side.finished() < HUNDRED_VIDEOS:
            side.page.wait_for_timeout(PAUSE)
        side.settle()
        rest = take_turns([side], rounds // 2)
    both = {what: [*during[what], *rest[what]] for what in during}
    say(
        f"While a batch of 100 is sent ({start} to {end} were done meanwhile) against at rest afterwards",
        ("during", "at rest"),
        both,
    )
    print(f"  changes that the page did not follow within 5 s: {side.lost}")


def main() -> None:
    from playwright.sync_api import sync_playwright

    from tests.e2e.chromium import BROWSER, QUIET

    parser = argparse.ArgumentParser(description="A rerun of Compose after a small change.")
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {rounds} changes a side")
    with (
        tempfile.TemporaryDirectory() as name,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=BROWSER, args=QUIET) as browser,
    ):
        for measure in (against_bare, with_a_long_log, during_a_batch):
            measure(browser, Path(name), rounds)
    print(f"\nload of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3:])
    else:
        main()
