"""The page of a shared link and its clips: who gets them, in which form, and that nothing else is given."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kling.studio.actions import Actions
from kling.studio.films.store import Films
from kling.studio.identity.roles import ROLES, Role, User
from kling.studio.jobs import dump_json, request_cells
from kling.studio.service import Studio
from kling.studio.share_settings import Sharing
from kling.studio.state.records import StateError
from kling.studio.state.shared import SharedState
from pages._ui.routes import gate, nothing_there, share
from pages._ui.share import address
from tests.pages.gate_tools import LOCAL, PLACES, Place, Team
from tests.studio.fakes import FOX

CLIP, PICTURE = b"0123456789" * 10, b"\xff\xd8a picture"
PAGE = {"Accept": "text/html"}
HOSTILE = "</script><script>alert(1)</script>\"'`{{7*7}}\u202e\n<img src=x onerror=alert(1)>"


class Here:
    """A studio with clips of a maker, in front of real routes."""

    def __init__(self, studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Place = PLACES[0]) -> None:
        self.team = Team(studio, place, monkeypatch, people=place is not LOCAL)
        for module in (share, nothing_there, address):
            monkeypatch.setattr(module, "base_path", lambda: place.base)
        self.studio = studio
        self.app = Starlette(
            routes=[*share.routes(), *nothing_there.routes()], middleware=gate.middleware(studio.settings)
        )

    def sharing(self, mode: Sharing) -> None:
        self.studio.settings = replace(self.studio.settings, sharing=mode)

    def acting(self, role: Role) -> Actions:
        return self.studio.acting_as(self.team.people[role])

    def clip(self, job_id: str, owner: Role = "maker", **cells: str) -> str:
        whose = self.team.people.get(owner)
        cells = {"person": "Mia", "person_id": whose.id if whose else "", **cells}
        known = {**request_cells(replace(FOX, prompt=f"A fox called {job_id}")), **cells}
        self.studio.ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", **known)
        self.studio.archive.video(job_id).write_bytes(CLIP)
        self.studio.archive.poster(job_id).write_bytes(PICTURE)
        return job_id

    def browser(self, role: Role | None = None) -> TestClient:
        place = self.team.place
        headers = {**place.headers, **self.team.cookie(role)}
        return TestClient(self.app, base_url=place.here, follow_redirects=False, headers=headers)


@pytest.fixture
def here(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(studio, monkeypatch)


@pytest.fixture
def token(here: Here) -> str:
    """A link for anyone to two clips of three."""
    here.sharing("anyone")
    for name in ("v1", "v2", "v3"):
        here.clip(name)
    return here.acting("maker").share(["v1", "v2"], title="Spring", audience="anyone")[1]


def test_anyone_who_has_the_link_sees_its_clips_and_nothing_of_the_studio(here: Here, token: str):
    browser = here.browser()
    answer = browser.get(f"/share/{token}", headers=PAGE)
    assert answer.status_code == 200
    page = html.unescape(answer.text)
    assert "A fox called v1" in page
    assert "Spring" in page
    assert "v3.jpg" not in page
    assert 'data-clip="v3"' not in page
    assert not re.search(r"\bUnits?\b|\$\s?\d|/history|/compose", page)
    assert "set-cookie" not in answer.headers
    assert browser.get(f"/share/{token}/v1.mp4").content == CLIP
    assert browser.get(f"/share/{token}/v2.jpg").content == PICTURE


def test_clips_that_go_on_with_each_other_are_shown_as_the_film_once_it_is_joined(here: Here, token: str):
    def join(out: Path, clips: object) -> dict[str, object]:
        assert clips == tuple(map(here.studio.archive.video, ("v3", "v4")))
        out.write_bytes(CLIP * 2)
        return {"starts": [0, 3.0], "seconds": 6.0}

    here.studio.films = Films(
        here.studio.films.folder, here.studio.archive.video, join=join, start=lambda work: work()
    )
    here.clip("v4", parent="v3", extra=dump_json({"continues": True}))
    mine = here.acting("maker").share(["v3", "v4"], audience="anyone")[1]
    browser = here.browser()
    clips, film = (browser.get(f"/share/{mine}", headers=PAGE).text for _ in range(2))
    assert re.findall(r'data-clip="(\w+)"', clips) == ["v3", "v4"]
    assert re.findall(r'data-clip="(\w+)"', film) == ["film"]
    assert 'data-said="A fox called v3\n\nA fox called v4"' in film
    assert '<span class="time">0:06</span>' in film
    assert "data-compare><" not in film
    assert browser.get(f"/share/{mine}/film.mp4").content == CLIP * 2
    assert browser.get(f"/share/{mine}/film.jpg").content == PICTURE
    assert browser.get(f"/share/{token}/film.mp4").status_code == 404, "those clips are none"
    here.acting("maker").hide(["v4"])
    assert browser.get(f"/share/{mine}/film.mp4").status_code == 404
    assert re.findall(r'data-clip="(\w+)"', browser.get(f"/share/{mine}", headers=PAGE).text) == ["v3"]


@pytest.mark.parametrize("name", ["", "/v1.mp4", "/v1.jpg", "/none.mp4"])
def test_nothing_of_a_link_is_kept_or_tells_where_it_was(here: Here, token: str, name: str):
    headers = here.browser().get(f"/share/{token}{name}", headers=PAGE).headers
    assert headers["cache-control"] == "private, no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-robots-tag"] == "noindex, nofollow"
    assert headers["x-frame-options"] == "DENY"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_everything_that_the_page_names_lies_below_its_own_address(here: Here, token: str):
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    named = re.findall(r'\b(?:src|href|poster|action)="([^"]*)"', text)
    assert any(each.endswith(".jpg") for each in named)
    for each in named:
        assert each.startswith((f"/share/{token}/", "#", "data:image/svg+xml"))
    assert len(text.encode()) < 50_000


def test_the_script_that_compares_comes_below_the_link_and_is_the_one_that_the_page_allows(
    here: Here, token: str
):
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    answer = here.browser().get(f"/share/{token}/deck.js")
    digest = f"sha256-{base64.b64encode(hashlib.sha256(answer.content).digest()).decode()}"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert f'integrity: "{digest}"' in text
    assert f"'{digest}'" in answer.headers["content-security-policy"]
    assert here.browser().get("/share/another-token/deck.js").status_code == 404


def test_a_clip_comes_in_ranges(here: Here, token: str):
    browser = here.browser()
    part = browser.get(f"/share/{token}/v1.mp4", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, CLIP[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(CLIP)}"
    assert part.headers["cache-control"] == "private, no-store"
    assert browser.get(f"/share/{token}/v1.mp4", headers={"Range": "bytes=900-"}).status_code == 416
    assert browser.head(f"/share/{token}/v1.mp4").headers["content-length"] == str(len(CLIP))


NOT_THERE = [
    "/share/{token}/v3.mp4",  # of another link
    "/share/{token}/v3.jpg",
    "/share/{token}/none.mp4",
    "/share/{token}/v1.watermark.mp4",
    "/share/{token}/history.csv",
    "/share/{token}/V1.mp4",
    "/share/{token}/v1.mp4.",
    "/share/{token}x",
    "/share/{other}/v1.mp4",
    "/share/guessed",
    "/share/guessed/v1.mp4",
    "/share/" + "a" * 3000,
]
TRAVERSING = [  # for which the gate finds no door, so they lead to the sign-in as every unknown path does
    "/share/%00",
    "/share/{token}/../../clips/v1.mp4",
    "/share/{token}/..%2f..%2fclips%2fv1.mp4",
    "/share/{token}/%2e%2e/v1.mp4",
    "/share/{token}/..%5cv1.mp4",
    "/share/{token}//v1.mp4",
]


def answers(here: Here, paths: list[str], **names: str) -> list[tuple[int, bytes]]:
    browser = here.browser()
    found = [browser.get(path.format(**names), headers=PAGE) for path in paths]
    return [(answer.status_code, answer.content) for answer in found]


def test_what_a_link_does_not_show_is_refused_as_a_link_that_nobody_made(here: Here, token: str):
    _, other = here.acting("maker").share(["v3"], audience="anyone")
    nothing = answers(here, ["/share/nobody-made-this"])
    assert nothing[0][0] == 404
    assert b"shows nothing" in nothing[0][1]
    refused = answers(here, NOT_THERE, token=token, other=other)
    assert [each for each in refused if each not in nothing and each[1] != b"There is nothing here."] == []
    for status, content in answers(here, TRAVERSING, token=token):
        assert status in {303, 404}
        assert CLIP not in content


@pytest.mark.parametrize("how", ["ended", "by itself", "removed", "hidden", "deleted", "off"])
def test_a_link_that_shows_nothing_any_more_says_no_more_than_a_guess(here: Here, token: str, how: str):
    mia, ada = here.acting("maker"), here.acting("admin")
    if how == "ended":
        mia.end_share(mia.shares()[0].id)
    elif how == "by itself":
        later = here.studio.now() + 15 * 24 * 3600
        here.studio.state.stop()
        here.studio.state = SharedState(
            here.studio.settings.data_dir, clock=lambda: later, monotonic=time.monotonic
        )
    elif how == "removed":
        ada.remove_person(mia.user.id)
    elif how == "hidden":
        mia.hide(["v1", "v2"])
    elif how == "deleted":
        mia.delete_files(["v1", "v2"])
    else:
        here.sharing("off")
    names = ["", "/v1.mp4", "/v1.jpg"]
    paths = [f"/share/{which}{name}" for which in (token, "guessed") for name in names]
    assert set(answers(here, paths)) == set(answers(here, ["/share/guessed"]))


def test_one_hidden_clip_leaves_the_page_and_its_own_address(here: Here, token: str):
    here.acting("maker").hide(["v1"])
    browser = here.browser()
    page = browser.get(f"/share/{token}", headers=PAGE).text
    assert "v1.jpg" not in page
    assert 'data-clip="v2"' in page
    assert browser.get(f"/share/{token}/v1.mp4").status_code == 404


def test_a_link_to_a_link_in_the_folder_of_videos_is_not_followed(here: Here, token: str):
    video = here.studio.archive.video("v1")
    video.unlink()
    video.symlink_to(here.studio.settings.data_dir / "history.csv")
    assert here.browser().get(f"/share/{token}/v1.mp4").status_code == 404


# -- with a sign-in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_link_of_the_team_leads_through_the_sign_in_and_back(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, place: Place
):
    here = Here(studio, monkeypatch, place)
    here.clip("v1")
    _, token = here.acting("maker").share(["v1"])
    path = f"{place.base}/share/{token}"
    for stranger in (here.browser(), here.browser("none")):
        for each in (path, f"{place.base}/share/guessed"):  # a stranger does not hear which of them exists
            answer = stranger.get(each, headers=PAGE)
            assert (answer.status_code, answer.headers["location"]) == (
                303,
                f"{place.base}/sign-in?to={each}",
            )
        assert stranger.get(f"{path}/v1.mp4").status_code == 404
    for role in ROLES[1:]:
        browser = here.browser(role)
        assert browser.get(path, headers=PAGE).status_code == 200
        assert browser.get(f"{path}/v1.mp4").content == CLIP
        assert browser.get(f"{place.base}/share/guessed", headers=PAGE).status_code == 404


def test_where_anyone_may_have_links_one_of_the_team_still_takes_a_sign_in(here: Here, token: str):
    _, teams = here.acting("maker").share(["v1"])
    assert here.browser().get(f"/share/{teams}", headers=PAGE).status_code == 303
    here.sharing("team")  # and then the one for anyone too
    assert here.browser().get(f"/share/{token}", headers=PAGE).status_code == 303
    assert here.browser().get(f"/share/{token}/v1.mp4").status_code == 404
    assert here.browser("viewer").get(f"/share/{token}", headers=PAGE).status_code == 200


def test_without_sign_in_this_machine_sees_its_links(studio: Studio, monkeypatch: pytest.MonkeyPatch):
    here = Here(studio, monkeypatch, LOCAL)
    here.clip("v1", person="")
    _, token = studio.acting_as(User("local", "Ada", "admin")).share(["v1"])
    assert here.browser().get(f"/share/{token}", headers=PAGE).status_code == 200


def test_which_words_of_prompts_differ_is_told_of_clips_of_the_link_if_it_shows_prompts(here: Here):
    here.sharing("anyone")
    for clip_id, prompt in (("v1", "A red fox"), ("v2", "A grey fox"), ("v3", "A cat of nobody here")):
        here.clip(clip_id, prompt=prompt, negative_prompt="blur")
    mia = here.acting("maker")
    _, token = mia.share(["v1", "v2"], audience="anyone")
    asked = f"/share/{token}/differs?ids=v1,v3,v2,v1"
    answer = here.browser().get(asked)
    assert answer.headers["cache-control"] == "private, no-store"
    [row] = answer.json()
    assert (row["name"], row["letter"]) == ("Prompt", "B")
    assert "".join(text for kind, text in row["pieces"] if kind != "removed") == "A grey fox"
    assert ["removed", "red"] in row["pieces"]
    assert here.browser().get(f"/share/{token}/differs?ids=v3").json() == []
    _, silent = mia.share(["v1", "v2"], audience="anyone", prompts=False)
    assert here.browser().get(f"/share/{silent}/differs?ids=v1,v2").json() == []
    assert here.browser().get("/share/guessed/differs?ids=v1,v2").status_code == 404


# -- what the page says ------------------------------------------------------------------------------------


def test_hostile_words_are_text(here: Here):
    here.sharing("anyone")
    here.clip("v1", prompt=HOSTILE, person="<b>Mia")
    mia = here.acting("maker")
    made = mia.add_collection(HOSTILE[:60], text=HOSTILE, clips=["v1"])
    _, token = mia.share_collection(made.id, audience="anyone")
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    assert text.count("<script>") == text.count("</script>") == 1
    assert "<img src=x" not in text
    assert "<b>" not in text
    assert 'content="&lt;/script&gt;' in text


@pytest.mark.parametrize("prompts", [True, False])
@pytest.mark.parametrize("people", [True, False])
def test_prompts_and_people_are_shown_only_if_that_is_wanted(here: Here, prompts: bool, people: bool):
    here.sharing("anyone")
    here.clip("v1", person="Mia Muster")
    _, token = here.acting("maker").share(["v1"], audience="anyone", prompts=prompts, people=people)
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    assert ("A fox called" in text) is prompts
    assert ("Mia Muster" in text) is people
    assert ("Shared by <bdi>The maker</bdi> on" in text) is people
    assert bool(re.search(r'data-who="Mia Muster" data-when="\d+ \w+ \d+"', text)) is people
    assert "pen until" in text
    assert ('aria-label="A fox called' in text) is prompts
    assert ('aria-label="Clip 1 of 1' in text) is not prompts


def test_programs_that_preview_a_link_find_title_and_picture(here: Here, monkeypatch: pytest.MonkeyPatch):
    here.sharing("anyone")
    here.clip("v1")
    here.clip("v2")
    mia = here.acting("maker")
    made = mia.add_collection("Spring", text="Say which\nyou prefer", clips=["v1", "v2"], cover="v2")
    _, token = mia.share_collection(made.id, audience="anyone")
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    start = f"http://192.0.2.7:8501/share/{token}"
    assert '<meta property="og:title" content="Spring">' in text
    assert '<meta property="og:description" content="Say which you prefer">' in text
    assert f'<meta property="og:image" content="{start}/v2.jpg">' in text
    monkeypatch.setattr(
        here.studio, "settings", replace(here.studio.settings, public_url="https://studio.example")
    )
    text = here.browser().get(f"/share/{token}", headers=PAGE).text
    assert f'content="https://studio.example/share/{token}/v2.jpg"' in text


def test_the_address_to_copy_is_the_public_one(here: Here, monkeypatch: pytest.MonkeyPatch):
    assert address.share_address("x/y", origin="http://here") == "http://here/share/x%2Fy"
    public = replace(here.studio.settings, public_url="https://studio.example")
    monkeypatch.setattr(here.studio, "settings", public)
    assert address.share_address("token") == "https://studio.example/share/token"


def test_opening_and_playing_are_counted(here: Here, token: str):
    browser = here.browser()
    browser.get(f"/share/{token}", headers=PAGE)
    browser.head(f"/share/{token}")
    browser.get(f"/share/{token}/v1.mp4", headers={"Range": "bytes=0-"})
    browser.get(f"/share/{token}/v1.mp4", headers={"Range": "bytes=50-"})
    browser.get(f"/share/{token}/v1.jpg")
    browser.get(f"/share/{token}/v2.mp4")
    (found,) = here.acting("maker").shares()
    assert (found.opened, found.played) == (1, 2)


def test_while_the_database_does_not_answer_the_page_says_so(
    here: Here, token: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(_token: str) -> None:
        raise StateError("The disk is full.")

    monkeypatch.setattr(here.studio.state.shares, "find", broken)
    for name in ("", "/v1.mp4"):
        answer = here.browser().get(f"/share/{token}{name}", headers=PAGE)
        assert answer.status_code == 503
        assert "Try again" in answer.text
    assert token not in caplog.text
