"""Two people at once: each sees within a second what the other orders and stars, and nothing moves for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace

import pytest
from playwright.sync_api import Locator, Page, expect

from kling import TextToVideo
from kling.studio.jobs import SUCCEED
from tests.e2e.conftest import DESKTOP, LONG, Server
from tests.e2e.prepared import Past
from tests.e2e.team import sign_in
from tests.e2e.test_compose import choose
from tests.e2e.test_first_video import order, rows

Open = Callable[..., Page]
PAGE = 50  # rows of the list
SCROLL = "top => { document.querySelector('[data-testid=stMain]').scrollTop = top; }"
IN_VIEW = "row => Math.round(row.getBoundingClientRect().top)"
FOCUS = "() => document.activeElement.closest('.lib-row')?.dataset.job ?? ''"
# Slowly, because each picture of a clip is drawn by the processor.
PLAY = """video => {
  Object.assign(video, { muted: true, loop: true, playbackRate: 0.1 });
  video.dataset.mine = "yes";
  return video.play();
}"""
VERSION = "name => Number(document.querySelector(`[data-live=${name}]`).dataset.version)"
# Notes when each row, and each star of Mia's, is seen first.
WATCH = """() => {
  window.seen = {};
  const look = () => {
    for (const row of document.querySelectorAll(".lib-row")) {
      const { job } = row.dataset;
      seen[`row ${job}`] ??= Date.now();
      if (row.querySelector(".lib-star[aria-label*=Mia]")) seen[`star ${job}`] ??= Date.now();
    }
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A server with a past, whose people are signed in; their cookies by name."""
    data = tmp_path_factory.mktemp("two") / "data"
    past = Past(data)
    ids = [past.task(SUCCEED, TextToVideo(prompt=f"Of the past {number}")) for number in range(PAGE)][::-1]
    cookies = sign_in(data)
    server = Server(data, {"SANDBOX_CLIPS": "tiny", "SANDBOX_PACE": "seconds:1"})
    server.start()
    yield SimpleNamespace(
        server=server, url=server.url, ids=ids, ada=cookies["Ada Lovelace"], mia=cookies["Mia Maker"]
    )
    server.close()


def row(page: Page, job_id: str) -> Locator:
    return page.locator(f'.lib-row[data-job="{job_id}"]')


def row_of(page: Page, prompt: str) -> Locator:
    return page.locator(".lib-row", has_text=prompt)


def tab(page: Page, url: str) -> Page:
    """Open another tab of the same browser: it shares the scripts that are compiled."""
    new = page.context.new_page()
    new.set_viewport_size(DESKTOP)
    new.goto(url)
    new.locator("h1").first.wait_for()
    return new


def say_how_soon(seen: dict[str, int], server: Server) -> None:
    """Print how long after they were recorded rows and stars were seen, as `WATCH` noted it.

    No page asks again by itself within the hour, so what is seen at all was told. How soon depends on the
    machine: some 0.2 s on an idle one.
    """
    taken: dict[str, list[int]] = {"star": [], "row": []}
    for each in rows(server):
        if each["star"] or (each["state"] == "intent" and each["prompt"].startswith("Something new")):
            what = "star" if each["star"] else "row"
            recorded = 1000 * datetime.fromisoformat(each["time"]).timestamp()
            taken[what].append(round(seen[f"{what} {each['external_task_id']}"] - recorded))
    print("milliseconds from the log to the other one's page:", taken)  # noqa: T201 - pytest -rP shows it
    assert all(taken.values())


def test_each_sees_what_the_other_orders_and_stars_and_nothing_moves_or_stops_for_that(
    house: SimpleNamespace, open_page: Open
):
    ids, chosen, starred = house.ids, house.ids[12], house.ids[14:16]
    # Two browsers: Ada's has a tab for each thing that has to go on, Mia's goes from page to page.
    stage = open_page(house.url, cookies=house.ada)
    order(stage, "The first")
    playing = stage.locator(".stage-tile video")
    expect(stage.locator(".stage-prompt")).to_have_text("The first")
    playing.evaluate(PLAY)
    ada, player, gallery = (
        tab(stage, f"{house.url}/{path}") for path in ("history", f"job?id={starred[0]}", "gallery")
    )
    mia = open_page(f"{house.url}/history", cookies=house.mia)
    player.locator("[class*=st-key-clip-] video").evaluate(PLAY)
    gallery.emulate_media(reduced_motion="no-preference")
    gallery.locator("[class*=st-key-clip-]").first.hover()
    gallery.locator("[class*=st-key-clip-] video").evaluate("video => { video.dataset.mine = 'yes' }")
    expect(ada.locator(".lib-row")).to_have_count(PAGE)
    row(ada, chosen).locator(".lib-link").scroll_into_view_if_needed()
    ada.evaluate(SCROLL, 800)
    row(ada, chosen).locator(".lib-link").focus()
    ada.keyboard.press("x")
    ada.evaluate(WATCH)
    top = row(ada, chosen).evaluate(IN_VIEW)
    for job_id in starred:
        row(mia, job_id).locator(".lib-link").focus()
        mia.keyboard.press("s")
        ada.wait_for_function("name => seen[name]", arg=f"star {job_id}", polling=100)
    expect(player.get_by_text("Starred by Mia Maker")).to_be_visible()
    mia.goto(house.url)
    before, header = ada.evaluate(VERSION, "history"), ada.evaluate(VERSION, "header")
    for number in range(2):
        order(mia, f"Something new {number}")
        row_of(ada, f"Something new {number}").wait_for(state="attached")
    seen = ada.evaluate("() => seen")
    assert ada.evaluate(VERSION, "history") > before
    assert ada.evaluate(VERSION, "header") == header  # a job is nothing that banners say
    say_how_soon(seen, house.server)
    expect(ada.locator(".lib-row[data-look=done]", has_text="Something new")).to_have_count(2, timeout=LONG)
    expect(mia.locator(".stage-prompt")).to_have_text("Something new 1")
    expect(mia.locator(".stage-facts")).to_contain_text("Done in", timeout=LONG)
    gallery.get_by_role("button", name="Something new 1").wait_for()
    choose(stage, "Length", "10 s")
    recent = stage.get_by_role("region", name="Recent clips")
    expect(recent.get_by_role("button", name="Done: Something new 1")).to_be_visible()
    assert row(ada, chosen).evaluate(IN_VIEW) == top
    assert ada.evaluate(FOCUS) == chosen
    expect(ada.locator(".lib-row[data-chosen]")).to_have_count(1)
    expect(ada.get_by_role("toolbar", name="Selected jobs")).to_contain_text("1 selected")
    for page in (stage, player, gallery):
        assert page.locator("video[data-mine=yes]").evaluate("video => !video.paused")
    expect(ada.locator(".lib-row")).to_have_count(PAGE)
    assert row(ada, ids[-1]).count() == 0  # it is on the next page now
