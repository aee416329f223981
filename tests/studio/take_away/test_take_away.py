"""Copies to take away: what they say of themselves, who hears what, that a ZIP is whole and comes back."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tracemalloc
import zipfile
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.actions import Actions
from kling.studio.curation import MOST_JOBS, CurationError
from kling.studio.identity.roles import LOCAL, Role, User
from kling.studio.jobs import Job, dump_json, fold, request_cells
from kling.studio.library.export import EXPORTED, record_of
from kling.studio.library.imports import ImportRefused
from kling.studio.prompting.words import as_text_to_video
from kling.studio.take_away.mp4_text import COMMENT, TITLE, with_texts
from kling.studio.take_away.settings import (
    CARRIED,
    LONGEST_WORDS,
    MARK,
    copy_of,
    read_clip,
)
from tests.kling.tools import law
from tests.studio.clips import tiny_clip
from tests.studio.fakes import FOX, Bench
from tests.studio.prompting.legal import requests

SCRIPTS = "Ein Fuchs, 雪の狐, लोमड़ी, ثعلب, สุนัขจิ้งจอก 🦊\n\"'<b>"
PRIVATE = {"person", "person_id", "note", "tags", "opinions", "account", "units", "unit_price", "currency"}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    tiny_clip(path)
    return path


@pytest.fixture
def ada(bench: Bench) -> Actions:
    return bench.studio.acting_as(User(LOCAL, "Ada", "admin"))


def record(bench: Bench, video: Path, job_id: str, **cells: str) -> str:
    request = request_cells(FOX)
    shutil.copy(video, bench.studio.archive.video(job_id))
    digest = hashlib.sha256(video.read_bytes()).hexdigest()
    known = {
        "account": bench.account,
        "person": "Mia",
        "person_id": "p-9",
        "note": "For the client",
        **request,
    }
    bench.ledger.append(job_id, state="waiting", **known)
    facts = {"task_id": f"t-{job_id}", "final_unit_deduction": "1.5", "file_sha256": digest, **cells}
    bench.ledger.append(job_id, state="succeed", file=f"{job_id}.mp4", **facts)
    return job_id


def unzipped(taken) -> tuple[zipfile.ZipFile, bytes]:
    data = b"".join(taken.chunks)
    assert len(data) == taken.size
    return zipfile.ZipFile(io.BytesIO(data)), data


# -- the settings in a copy --------------------------------------------------------------------------------


@settings(law, max_examples=60)
@given(requests(), st.text(max_size=200))
def test_every_field_of_a_request_comes_back_from_the_copy(video, request, prompt):
    job = fold(None, {"external_task_id": "v1", "state": "succeed", **request_cells(request)})
    if prompt and "\0" not in prompt and prompt.isprintable():
        job = Job({**job.cells, "prompt": prompt}, job.since)
    found = read_clip(b"".join(copy_of(job, video).chunks()))
    assert found.request == job.request
    assert found.record["external_task_id"] == "v1"
    lost = {
        name for name in CARRIED & set(EXPORTED) if record_of(job).get(name, "") != found.record.get(name, "")
    }
    assert lost <= {"extra"}


def test_any_script_of_writing_comes_back(bench, video, ada):
    record(bench, video, "v1", prompt=SCRIPTS, aspect_ratio="9:16", extra=dump_json({"take": 2}))
    taken = ada.take_away(["v1"])
    found = read_clip(b"".join(taken.chunks))
    assert found.request is not None
    assert as_text_to_video(found.request).prompt == SCRIPTS
    assert found.title == "Ein Fuchs, 雪の狐, लोमड़ी, ثعلب, สุนัขจิ้งจอก 🦊 \"'<b>"
    assert found.record["extra"] == '{"take":2}'
    assert taken.name == "2026-11-18_ein-fuchs-雪の狐-लोमड़ी-ثعلب-สุนัขจิ้งจอก-b_9x16_take2.mp4"


def test_a_copy_says_nothing_of_people_and_prices_and_the_file_stays_as_it_is(bench, video, ada):
    record(
        bench, video, "v1", tags="secret", extra=dump_json({"probe": {"width": 64}, "imported": {"id": "i"}})
    )
    ada.rate(["v1"], 5)
    data = b"".join(ada.take_away(["v1"]).chunks)
    found = read_clip(data).record
    assert found.keys() & PRIVATE == set()
    assert json.loads(found["extra"]) == {"probe": {"width": 64}}
    for word in (b"Mia", b"p-9", b"client", b"secret", b"Ada"):
        assert word not in data
    assert bench.studio.archive.video("v1").read_bytes() == video.read_bytes()


@pytest.mark.parametrize(
    "comment",
    [
        "<script>alert(1)</script>\u202e\0",
        '{"kling_studio": "1", "prompt": "x"}',
        '{"kling_studio": 1',
        "[" * 50_000 + '"kling_studio"',
        '{"kling_studio": 1e999}',
        f'{{"prompt": "x", "{MARK}": null}}',
        "9" * 100_000,
        "x" * 100_000,
    ],
)
def test_a_strangers_words_are_text_and_nothing_more(video, comment):
    data = b"".join(with_texts(video, {COMMENT: comment, TITLE: "\u202eevil\r\n" * 90}).chunks())
    found = read_clip(data)
    assert found.record == {}
    assert found.request is None
    assert len(found.words) <= LONGEST_WORDS
    assert all(char.isprintable() or char == "\n" for char in found.words + found.title)


def test_a_strangers_record_is_a_record_of_texts_without_other_names(video):
    given = {
        MARK: 1,
        "external_task_id": "../x",
        "prompt": {"a": ["b"]},
        "person": "Ada",
        "file": "/etc/passwd",
        "duration": 5,
        "callback_url": "http://evil.example",
        "__class__": "x",
    }
    found = read_clip(b"".join(with_texts(video, {COMMENT: json.dumps(given)}).chunks())).record
    assert found == {"external_task_id": "../x", "prompt": '{"a":["b"]}', "duration": "5"}


# -- a ZIP -------------------------------------------------------------------------------------------------


def test_a_zip_has_clips_posters_and_facts_and_its_manifest_verifies(bench, video, ada, tmp_path):
    for number, prompt in enumerate(["A fox", "A fox", "雪の狐"]):
        record(bench, video, f"v{number}", prompt=prompt)
    bench.studio.archive.poster("v0").write_bytes(b"a picture")
    taken = ada.take_away(["v0", "v1", "v2", "v0", "none"])
    found, _ = unzipped(taken)
    day = "2026-11-18_"
    assert taken.name == "clips_3.zip"
    assert found.namelist() == [
        f"{day}fox_16x9.mp4",
        f"{day}fox_16x9.jpg",
        f"{day}fox_16x9.json",
        f"{day}fox_16x9_2.mp4",
        f"{day}fox_16x9_2.json",
        f"{day}雪の狐_16x9.mp4",
        f"{day}雪の狐_16x9.json",
        "SHA256SUMS",
    ]
    assert found.testzip() is None
    found.extractall(tmp_path / "out")
    checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=False)
    assert checked.returncode == 0
    facts = json.loads(found.read(f"{day}fox_16x9.json"))
    assert facts["files"] == {"clip": f"{day}fox_16x9.mp4", "poster": f"{day}fox_16x9.jpg"}
    assert facts["final_unit_deduction"] == "1.5"
    assert read_clip(found.read(f"{day}雪の狐_16x9.mp4")).record["prompt"] == "雪の狐"


@pytest.mark.parametrize(("role", "has"), [("viewer", False), ("maker", True)])
def test_sidecars_say_what_clips_cost_to_those_who_see_prices(bench, video, role: Role, has):
    person = bench.studio.state.people.add("Somebody", role)
    record(bench, video, "v1")
    found, _ = unzipped(bench.studio.acting_as(person.user).take_away(["v1"], as_zip=True))
    facts = json.loads(found.read(found.namelist()[1]))
    assert ("final_unit_deduction" in facts, "units" in facts) == (has, has)


def test_clips_that_are_not_here_are_left_out_and_nothing_is_refused_in_words(bench, video, ada):
    record(bench, video, "v1")
    record(bench, video, "v2")
    bench.studio.archive.video("v2").unlink()
    assert ada.take_away(["v1", "v2"]).name.endswith(".mp4")
    ada.delete_files(["v1"])
    for ids in (["v1", "v2"], ["none"], []):
        with pytest.raises(CurationError, match="none of these"):
            ada.take_away(ids)
    with pytest.raises(CurationError, match="too many"):
        ada.take_away([f"v{number}" for number in range(MOST_JOBS + 1)])


def test_a_zip_whose_clip_changes_meanwhile_breaks_off(bench, video, ada):
    record(bench, video, "v1")
    taken = ada.take_away(["v1"], as_zip=True)
    bench.studio.archive.video("v1").write_bytes(video.read_bytes()[:-9])
    with pytest.raises(OSError, match="changed"):
        b"".join(taken.chunks)


def test_ten_times_the_bytes_take_no_more_memory(bench, video, ada):
    record(bench, video, "v1")
    path = bench.studio.archive.video("v1")
    peaks = []
    for size in (2**22, 10 * 2**22):
        with path.open("r+b") as file:
            file.seek(len(video.read_bytes()))
            file.write((size - path.stat().st_size).to_bytes(4, "big") + b"free")
            file.truncate(size)
            file.seek(video.stat().st_size)
            file.write((size - video.stat().st_size).to_bytes(4, "big") + b"free")
        tracemalloc.start()
        taken = ada.take_away(["v1"], as_zip=True)
        assert sum(map(len, taken.chunks)) == taken.size > size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


# -- and back ----------------------------------------------------------------------------------------------


def said(job: Job) -> dict[str, str]:
    return {name: cell for name, cell in record_of(job).items() if name != "extra"}


@pytest.mark.parametrize("way", ["zip", "folder", "sidecar", "clips"])
def test_a_folder_of_copies_rebuilds_a_history(bench, video, ada, tmp_path, way):
    ids = [record(bench, video, f"v{number}", prompt=f"Fox {number}") for number in range(3)]
    ada.star(["v1"])
    found, data = unzipped(ada.take_away(ids))
    found.extractall(tmp_path / "out")
    files = sorted((tmp_path / "out").iterdir())
    given = {
        "zip": [data],
        "folder": [each.read_bytes() for each in files if each.suffix in {".json", ".mp4"}],
        "sidecar": [(tmp_path / "out" / found.namelist()[1]).read_bytes()],
        "clips": [each.read_bytes() for each in files if each.suffix == ".mp4"],
    }[way]
    other = Bench(tmp_path / "other")
    admin = other.studio.acting_as(User(LOCAL, "Bob", "admin"))
    jobs = 0
    for each in given:
        plan = admin.read_import(each)
        assert plan.faults == ()
        jobs += plan.jobs
        admin.import_jobs(plan)
    assert jobs == (1 if way == "sidecar" else 3)
    for job_id in ids[:jobs]:
        there, here = said(other.job(job_id)), said(bench.job(job_id))
        if way == "clips":
            assert there.items() <= here.items()
            assert there["prompt"] == here["prompt"]
        else:
            assert there == here
    assert all(admin.read_import(each).jobs == 0 for each in given)


def test_one_copy_is_imported_by_itself(bench, video, ada, tmp_path):
    record(bench, video, "v1")
    data = b"".join(ada.take_away(["v1"]).chunks)
    other = Bench(tmp_path / "other").studio.acting_as(User(LOCAL, "Bob", "admin"))
    assert other.read_import(data).jobs == 1


def test_copies_are_imported_together_and_one_that_says_nothing_is_named(bench, video, ada, tmp_path):
    ids = [record(bench, video, f"v{number}") for number in range(2)]
    copies = [b"".join(ada.take_away([job_id]).chunks) for job_id in ids]
    files = [("a.mp4", copies[0]), ("b.mp4", copies[1]), ("c.mp4", video.read_bytes()), ("d.mp4", b"\0")]
    lines = [dump_json({"name": name, "clip": b64encode(data).decode()}) for name, data in files]
    other = Bench(tmp_path / "other").studio.acting_as(User(LOCAL, "Bob", "admin"))
    plan = other.read_import("\n".join([*lines, '{"name": "e.mp4", "clip": "?"}']).encode())
    assert list(plan.rows) == ids
    assert [each.split(": ")[0] for each in plan.faults] == [
        f"Clip “{each}.mp4” of the file" for each in "cde"
    ]


def bomb() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as found:
        found.writestr("x.json", b"{" + b" " * 50_000_000)
    return content.getvalue()


def many(count: int, size: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as found:
        for number in range(count):
            found.writestr(f"{number}.json", b" " * size)
    return content.getvalue()


def with_a_long_list() -> bytes:
    data = bytearray(many(1, 10))
    data[-10:-6] = (9 * 2**20).to_bytes(4, "little")
    return bytes(data)


OTHERS = [
    b"PK\x03\x04 no zip",
    b"PK",
    bomb(),
    many(70, 2**20),
    many(3, 0),
    with_a_long_list(),
    b"\0\0\0\x18ftypisom" + bytes(90),
]


@pytest.mark.parametrize("data", OTHERS)
def test_another_file_is_refused_with_the_remedy(ada, data):
    with pytest.raises(ImportRefused, match="Choose"):
        ada.read_import(data)


def test_the_audit_has_what_was_taken(bench, video, ada):
    ada.take_away([record(bench, video, "v1")])
    entry = bench.studio.state.audit.search(action="look")[0]
    assert (entry.thing, entry.details) == ("v1", {"did": "taken away", "clips": 1})
