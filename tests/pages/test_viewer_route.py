"""What the lightbox and Present are told: one clip and its place in a list, or the clips of one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette

from kling import TextToVideo
from kling.studio.films.store import Films
from kling.studio.identity.roles import LOCAL, Role, User
from kling.studio.jobs import dump_json, request_cells
from kling.studio.library.store import IndexBroken
from kling.studio.service import Studio
from pages._ui.routes import gate, viewer
from tests.pages.gate_tools import PLACES, Team
from tests.studio.clips import tiny_clip

HOSTILE = '</script><img src=x onerror="alert(1)"> \u202eزائف'


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Team:
    """People of every role, and four clips with a failed job between them, the newest last."""
    here = Team(studio, PLACES[0], monkeypatch)
    monkeypatch.setattr(viewer, "base_path", lambda: "")
    for module in ("facts", "panel", "address"):
        monkeypatch.setattr(f"pages._ui.viewer.{module}.base_path", lambda: "")
    monkeypatch.setattr("pages._ui.job.address.base_path", lambda: "")
    here.app = Starlette(routes=viewer.routes(), middleware=gate.middleware(studio.settings))
    tiny_clip(tmp_path / "one.mp4")
    for number, prompt in enumerate(("A fox", HOSTILE, "A wolf", "An arctic fox")):
        add(here, f"v{number}", prompt, tmp_path / "one.mp4", units=str(number + 1))
        if number == 1:
            studio.ledger.append("bad", state="failed", **request_cells(TextToVideo(prompt="A fox")))
    return here


def add(team: Team, job_id: str, prompt: str, clip: Path, **cells: str) -> None:
    studio = team.studio
    shutil.copy(clip, studio.archive.video(job_id))
    known = {"person": "Ada", "unit_price": "0.14", "currency": "USD", "account": "a key"}
    probe = dump_json({"probe": {"width": 1280, "height": 720, "seconds": 5.04, "fps": 24, "audio": True}})
    request = request_cells(TextToVideo(prompt=prompt, duration="5"))
    studio.ledger.append(
        job_id, **{"state": "succeed", "file": f"{job_id}.mp4", "extra": probe, **known, **request, **cells}
    )
    studio.library.catch_up()


def ask(team: Team, query: str, role: Role = "maker") -> dict[str, Any]:
    with team.client(role) as client:
        answer = client.get(f"/viewer?{query}")
    assert answer.headers["cache-control"] == "private, no-store"
    told: dict[str, Any] = answer.json()
    return told | {"status": answer.status_code}


def ids(clips: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in clips]


def test_a_clip_comes_with_its_facts_its_place_and_its_neighbours(team: Team):
    told = ask(team, "clip=v2")
    clip = told["clip"]
    assert (clip["src"], clip["poster"]) == ("/clips/v2.mp4", "/clips/v2.jpg")
    assert (clip["w"], clip["h"], clip["ratio"], clip["seconds"], clip["sound"]) == (
        1280,
        720,
        1.7778,
        5.04,
        True,
    )
    assert (clip["text"], clip["who"], clip["cost"], clip["rating"]) == ("A wolf", "Ada", "$0.42", 0)
    assert ["Length", "5 s"] in clip["settings"]
    assert ["Picture", "1280 × 720, 24 fps"] in clip["details"]
    assert (told["place"], told["total"], told["words"]) == (2, 4, "")
    assert ids(told["near"]) == ["v3", "v2", "v1", "v0"]  # without the job that has no clip


def test_the_list_is_the_one_that_is_named(team: Team):
    told = ask(team, "clip=v0&q=fox&when=7d&order=oldest&state=failed,succeed")
    assert ids(told["near"]) == ["v0", "v3"]
    assert (told["place"], told["total"]) == (1, 2)
    assert told["words"] == "last 7 days, “fox”, filtered"
    assert told["clip"]["link"].startswith("/gallery?clip=v0&q=fox&")


def test_a_clip_that_is_not_in_the_list_is_shown_alone(team: Team):
    told = ask(team, "clip=v2&q=fox")
    assert (told["place"], ids(told["near"])) == (0, ["v2"])


def test_a_collection_has_its_own_order_and_leaves_hidden_clips_out(team: Team):
    acting = team.studio.acting_as(team.people["maker"])
    made = acting.add_collection("Spring & <b>", clips=["v2", "v0", "v1", "bad", "v3"])
    team.studio.acting_as(team.people["admin"]).hide(["v1"])
    told = ask(team, f"clip=v0&collection={made.id}")
    assert ids(told["near"]) == ["v2", "v0", "v3"]
    assert (told["place"], told["total"], told["words"]) == (2, 3, "Spring & <b>")
    assert told["clip"]["link"] == f"/collections?id={made.id}&clip=v0"
    assert ids(ask(team, f"list=1&collection={made.id}")["clips"]) == ["v2", "v0", "v3"]
    assert ids(ask(team, "clip=v0&collection=none")["near"]) == ["v0"]


def test_a_viewer_sees_no_cost_and_learns_none_by_the_order(team: Team):
    told = ask(team, "clip=v2&order=dearest&min=3", "viewer")
    assert "cost" not in told["clip"]
    assert ids(told["near"]) == ["v3", "v2", "v1", "v0"]
    assert told["clip"]["may"] == ["star", "collect"]
    assert told["clip"]["remix"] == ""


def test_what_may_be_done_depends_on_whose_the_clip_is(team: Team):
    others = ask(team, "clip=v2")["clip"]["may"]
    team.studio.ledger.append("v2", person_id=team.people["maker"].id)
    own = ask(team, "clip=v2")["clip"]["may"]
    assert {"star", "collect", "share", "hide", "tag", "note", "delete"} == set(own)
    assert "delete" not in others


def test_stars_and_ratings_are_those_of_who_asks_and_others_are_named(team: Team):
    given: tuple[tuple[Role, int], ...] = (("maker", 4), ("viewer", 2))
    for role, rating in given:
        acting = team.studio.acting_as(team.people[role])
        acting.star(["v0"])
        acting.rate(["v0"], rating)
    clip = ask(team, "clip=v0")["clip"]
    assert (clip["star"], clip["rating"]) == (True, 4)
    assert clip["opinions"] == [["The viewer", "star, 2 of 5"]]
    assert ask(team, "clip=v0", "admin")["clip"]["star"] is False


def test_times_are_in_the_zone_of_the_browser_and_a_senseless_one_is_utc(team: Team):
    def when(zone: str) -> str:
        return str(ask(team, f"clip=v0&tz={quote(zone)}")["clip"]["when"])

    assert when("Asia/Kathmandu")[-2:] != when("UTC")[-2:]  # a quarter of an hour apart
    for odd in ("../../etc/passwd", "None/Such", "x" * 10_000, "\0"):
        assert when(odd) == when("UTC")


def test_words_of_people_stay_as_they_are(team: Team):
    clip = ask(team, "clip=v1")["clip"]
    assert clip["text"] == HOSTILE
    with team.client("maker") as client:
        assert client.get("/viewer?clip=v1").headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [
        ("", 400, "Name a clip"),
        ("clip=none", 404, "There is no such clip"),
        ("clip=..%2Fhistory", 404, "There is no such clip"),
        ("clip=bad", 404, "It has no clip yet."),
        ("clip=v0&gone=1", 404, "Its file was deleted."),
    ],
)
def test_what_is_not_there_is_said_in_words(team: Team, query: str, status: int, why: str):
    if "gone" in query:
        team.studio.acting_as(User(LOCAL, "", "admin")).delete_files(["v0"])
    told = ask(team, query)
    assert told["status"] == status
    assert told["why"].startswith(why)


def test_clips_to_present_come_in_the_order_that_was_asked_for(team: Team):
    assert ids(ask(team, "ids=v2,none,v0,bad,v2")["clips"]) == ["v2", "v0"]
    assert ids(ask(team, "list=1&q=fox")["clips"]) == ["v3", "v0"]
    assert ids(ask(team, "list=1&at=v1")["clips"]) == ["v3", "v2", "v1", "v0"]
    assert ids(ask(team, "list=1&q=fox&at=v1")["clips"]) == ["v3", "v0"]  # as one that has just lost its star
    assert "text" not in ask(team, "ids=v2")["clips"][0]


def test_a_long_list_is_presented_around_the_clip_that_it_begins_with(
    team: Team, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pages._ui.viewer.among.MOST_PRESENTED", 2)
    assert ids(ask(team, "list=1")["clips"]) == ["v3", "v2"]
    assert ids(ask(team, "list=1&at=v0")["clips"]) == ["v1", "v0"]
    monkeypatch.setattr("pages._ui.viewer.among.MOST_PRESENTED", 4)
    assert ids(ask(team, "list=1&at=v3")["clips"]) == ["v3", "v2", "v1", "v0"]  # as many as fit


def test_without_an_index_a_clip_is_shown_alone(team: Team, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object, **__: object) -> None:
        raise IndexBroken("the disk is full.")

    for name in ("around", "page"):
        monkeypatch.setattr(team.studio.library, name, broken)
    assert ids(ask(team, "clip=v0")["near"]) == ["v0"]
    assert ask(team, "list=1")["status"] == 503


def test_who_is_not_of_the_team_is_told_nothing(team: Team):
    with team.client(None) as client:
        assert client.get("/viewer?clip=v0").status_code in {303, 401}
    with team.client("none") as client:
        assert client.get("/viewer?clip=v0").status_code in {303, 401, 403}


def test_the_parts_of_a_film_are_presented_as_the_film_that_they_are(team: Team, tmp_path: Path):
    def join(out: Path, _clips: object) -> dict[str, object]:
        out.write_bytes(b"a film")
        return {"starts": [0, 5.0], "seconds": 10.0}

    studio = team.studio
    studio.films = Films(studio.films.folder, studio.archive.video, join=join, start=lambda work: work())
    probe = {"width": 1280, "height": 720, "seconds": 5.0, "audio": False}
    going_on = dump_json({"probe": probe, "continues": True})
    add(team, "v4", "It runs", tmp_path / "one.mp4", parent="v3", extra=going_on)
    assert ids(ask(team, "ids=v3,v4")["clips"]) == ["v3", "v4"], "it is being joined"
    (film,) = ask(team, "ids=v3,v4")["clips"]
    assert film["src"].startswith("/films/")
    assert (film["id"], film["seconds"], film["sound"]) == ("v3", 10.0, True)
    made = studio.acting_as(team.people["maker"]).add_collection("Film", clips=["v3", "v4"])
    assert ask(team, f"list=1&collection={made.id}")["clips"][0]["src"] == film["src"]
    assert ids(ask(team, "ids=v4,v3")["clips"]) == ["v4", "v3"]
