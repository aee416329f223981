"""The route by which clips are taken away."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kling.studio.identity.roles import LOCAL, User
from kling.studio.jobs import request_cells
from kling.studio.service import Studio
from kling.studio.take_away.bundle import Taken
from kling.studio.take_away.settings import read_clip
from pages._ui.routes import gate, take_away
from pages._ui.taking.progress import MOST, Progress
from tests.pages.gate_tools import PLACES, Team
from tests.studio.clips import tiny_clip
from tests.studio.fakes import FOX


@pytest.fixture
def team(studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Team:
    here = Team(studio, PLACES[0], monkeypatch)
    monkeypatch.setattr(take_away, "base_path", lambda: "")
    here.app = Starlette(routes=take_away.routes(), middleware=gate.middleware(studio.settings))
    tiny_clip(tmp_path / "one.mp4")
    for job_id, prompt in (("v1", "雪の狐"), ("v2", 'A "fox"\r\nX-Evil: 1')):
        shutil.copy(tmp_path / "one.mp4", studio.archive.video(job_id))
        cells = {**request_cells(FOX), "prompt": prompt, "units": "1.5"}
        studio.ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", **cells)
    return here


def test_one_clip_comes_under_a_readable_name_with_its_size(team: Team):
    with team.client("viewer") as client:
        answer = client.get("/take-away?ids=v1")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"] == "private, no-store"
    said = answer.headers["content-disposition"]
    assert "_____16x9.mp4" in said
    assert "filename*=UTF-8''" in said
    assert "%E9%9B%AA%E3%81%AE%E7%8B%90_16x9.mp4" in said
    assert read_clip(answer.content).record["prompt"] == "雪の狐"


def test_a_download_of_one_clip_goes_on_where_it_was_broken_off(team: Team):
    with team.client("viewer") as client:
        whole = client.get("/take-away?ids=v1")
        tag, size = whole.headers["etag"], len(whole.content)
        for asked, first, end in (
            ("bytes=99-", 99, size),
            ("bytes=0-9", 0, 10),
            (f"bytes=5-{size}", 5, size),
        ):
            part = client.get("/take-away?ids=v1", headers={"Range": asked, "If-Range": tag})
            assert (part.status_code, part.content) == (206, whole.content[first:end])
            assert part.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
            assert part.headers["content-length"] == str(end - first)
        for asked in (f"bytes={size}-", "bytes=9-1", "bytes=-5", "bytes=0-1,4-5"):
            assert client.get("/take-away?ids=v1", headers={"Range": asked}).content == whole.content
        team.studio.ledger.append("v1", file_sha256="ab")  # its settings say so now
        other = client.get("/take-away?ids=v1", headers={"Range": "bytes=99-", "If-Range": tag})
        assert (other.status_code, other.headers["etag"] == tag) == (200, False)
        assert "etag" not in client.get("/take-away?ids=v1,v2", headers={"Range": "bytes=9-"}).headers


@pytest.mark.parametrize("query", ["ids=v1,v2", "ids=v1&ids=v2", "ids=v1,v2,none&form=zip"])
def test_several_come_as_a_zip(team: Team, query: str):
    with team.client("viewer") as client:
        answer = client.get(f"/take-away?{query}")
        head = client.head(f"/take-away?{query}")
    assert answer.headers["content-length"] == str(len(answer.content)) == head.headers["content-length"]
    found = zipfile.ZipFile(io.BytesIO(answer.content))
    assert found.testzip() is None
    assert len(found.namelist()) == 5
    assert b"units" not in answer.content  # a viewer sees no prices


def test_a_hostile_prompt_stays_in_its_header(team: Team):
    with team.client("maker") as client:
        answer = client.get("/take-away?ids=v2")
    assert "x-evil" not in answer.headers
    assert answer.headers["content-disposition"].count('"') == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?ids=", 400),
        ("?ids=,,", 400),
        ("?ids=none", 404),
        ("?ids=../v1", 404),
        (f"?ids={','.join(f'v{number}' for number in range(1001))}", 404),
    ],
)
def test_what_cannot_be_given_is_said(team: Team, query: str, status: int):
    with team.client("viewer") as client:
        answer = client.get(f"/take-away{query}")
    assert answer.status_code == status
    assert answer.text.endswith(".")


def test_a_stranger_gets_nothing(team: Team):
    with team.client(None) as client:
        assert client.get("/take-away?ids=v1").status_code == 401


MARK = "0123456789abcdef01234567"


def test_a_collection_comes_whole_in_its_order_and_under_its_title(team: Team):
    there = team.studio.state.collections.add(
        User(LOCAL, "Anna", "admin"), title="Spring / “first” cuts", clips=("v2", "v1", "gone")
    )
    with team.client("viewer") as client:
        answer = client.get(f"/take-away?collection={there.id}&form=zip")
        team.studio.ledger.append("v2", hidden="1")
        without = client.get(f"/take-away?collection={there.id}&form=zip")
        assert client.get("/take-away?collection=none").status_code == 404
    assert 'filename="spring-first-cuts.zip"' in answer.headers["content-disposition"]
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "fox" in names[0]
    assert "雪の狐" in names[2]
    assert len(zipfile.ZipFile(io.BytesIO(without.content)).namelist()) == 3  # a hidden clip leaves it


def test_a_page_hears_how_far_a_download_is_and_why_there_is_none(team: Team):
    with team.client("viewer") as client:
        assert client.get(f"/take-away/progress?watch={MARK}").json()["state"] == "unknown"
        size = len(client.get(f"/take-away?ids=v1,v2&watch={MARK}").content)
        done = client.get(f"/take-away/progress?watch={MARK}").json()
        client.get(f"/take-away?ids=none&watch={MARK}")
        failed = client.get(f"/take-away/progress?watch={MARK}").json()
        client.get("/take-away?ids=v1&watch=../x")
        assert client.get("/take-away/progress?watch=../x").json()["state"] == "unknown"
    assert done == {
        "name": "clips_2.zip",
        "clips": 2,
        "size": size,
        "sent": size,
        "state": "done",
        "why": "",
    }
    assert (failed["state"], failed["why"]) == ("failed", "Selection: none of these has a clip here.")


def test_a_download_that_is_left_or_breaks_is_no_longer_sending():
    def breaking() -> Iterator[bytes]:
        yield b"12"
        raise OSError("gone")

    progress = Progress()
    left = progress.watched("a", Taken("x.zip", "application/zip", 4, iter((b"12", b"34"))), 2)
    assert next(left) == b"12"
    assert (progress.of("a")["state"], progress.of("a")["sent"]) == ("sending", 0)
    left.close()  # type: ignore[attr-defined]
    broken = progress.watched("b", Taken("x.zip", "application/zip", 4, breaking()), 2)
    with pytest.raises(OSError, match="gone"):
        list(broken)
    assert (progress.of("a")["state"], progress.of("b")["state"]) == ("stopped", "failed")
    for number in range(MOST):
        progress.refused(str(number), "no")
    assert progress.of("a")["state"] == "unknown"  # only the last ones are remembered
