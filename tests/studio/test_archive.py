"""Our own copy of a video: whole, checked, and never taken away again."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from kling import ApiKey, Client
from kling.errors import DownloadFailed
from kling.studio.archive import MOST_AGAIN, Archive, again, check_mp4, cleared_at, orphans, retention_status
from kling.studio.jobs import Job, fold, request_cells
from kling.studio.video_check import CheckInterrupted, ChildChecker, Decoded, Probe
from kling.tasks import Video
from kling.text_to_video import TextToVideo
from tests.kling.loopback import Loopback, reply
from tests.studio.clips import InProcessChecker, WordChecker, boxes, huge_frame, zeroed
from tests.studio.disk_calls import DiskCalls
from tests.studio.fakes import Kling

URL = "https://cdn.kling.test/0.mp4"


@pytest.fixture
def kling(clip: bytes) -> Kling:
    kling = Kling()
    kling.files[URL] = clip
    return kling


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "videos", checker=InProcessChecker())


@pytest.fixture
def checker() -> WordChecker:
    return WordChecker()


@pytest.fixture
def words(tmp_path: Path, checker: WordChecker) -> Archive:
    """An archive whose files are what words in them say."""
    return Archive(tmp_path / "videos", checker=checker)


def job(job_id: str = "job-1", *, watermark: bool = False) -> Job:
    request = TextToVideo(prompt="A fox", watermark=watermark)
    return fold(None, {"external_task_id": job_id, "state": "succeed", **request_cells(request)})


def video(url: str = URL, watermark_url: str = "") -> Video:
    return Video(id="v-1", url=url, watermark_url=watermark_url)


def names(archive: Archive) -> list[str]:
    return sorted(path.name for path in archive.folder.iterdir())


def test_a_video_is_kept_with_its_poster_and_what_it_really_is(archive, kling, clip):
    from PIL import Image

    cells = archive.fetch(job(), video, kling)
    noted = fold(job(), cells)
    assert names(archive) == ["job-1.jpg", "job-1.mp4"]
    assert (cells["file"], cells["file_bytes"]) == ("job-1.mp4", str(len(clip)))
    assert len(cells["file_sha256"]) == 64
    assert noted.extra["probe"] == {"width": 64, "height": 36, "fps": 24.0, "seconds": 1.0, "audio": False}
    with Image.open(archive.poster("job-1")) as picture:
        assert picture.size == (64, 36)


@pytest.mark.parametrize("keep", [0, 4, 7, 20, 0.3, 0.9, -1])
def test_a_video_that_was_cut_is_not_kept(archive, kling, clip, keep):
    kling.files[URL] = clip[: int(keep * len(clip)) if isinstance(keep, float) else keep]
    with pytest.raises(DownloadFailed, match="What arrived is not"):
        archive.fetch(job(), video, kling)
    assert names(archive) == []


@pytest.mark.parametrize(
    "content",
    [
        b"<html>Access denied</html>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
        b"\0\0\0\x10ftypisom\0\0\0\0",
        b"\0" * 64,
    ],
)
def test_what_is_no_video_is_not_kept(archive, kling, content):
    kling.files[URL] = content
    with pytest.raises(DownloadFailed, match="What arrived is not"):
        archive.fetch(job(), video, kling)
    assert names(archive) == []


def test_a_whole_file_that_does_not_decode_is_kept_without_a_poster(archive, kling):
    kling.files[URL] = boxes(b"no decoder reads this")
    noted = fold(job(), archive.fetch(job(), video, kling))
    assert (noted["file"], names(archive)) == ("job-1.mp4", ["job-1.mp4"])
    assert "check" not in noted.extra  # decoding all of it decides
    noted = fold(noted, archive.check(noted))
    assert noted.extra["check"] == "broken"
    assert "cannot be decoded" in noted.extra["check_reason"]
    assert names(archive) == ["job-1.mp4"]


def test_a_whole_file_that_this_machine_cannot_decode_is_kept_and_the_row_says_so(archive, kling, clip):
    kling.files[URL] = clip.replace(b"avc1", b"zzzz")  # a format that nobody knows
    noted = fold(job(), archive.fetch(job(), video, kling))
    assert names(archive) == ["job-1.mp4"]
    assert (noted["file"], noted.extra["check"]) == ("job-1.mp4", "unchecked")
    assert noted.extra["check_reason"] == "This machine has no decoder for its format."
    assert noted.extra["probe"] == {"audio": False, "seconds": 1.0}


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.1, 1.0), (0.5, 1.0), (0.4, 0.6)])
def test_zeros_in_a_whole_file_are_found_by_decoding_all_of_it(archive, kling, clip, start, end):
    kling.files[URL] = zeroed(clip, start, end)
    noted = fold(job(), archive.fetch(job(), video, kling))
    assert noted["file_bytes"] == str(len(clip))
    assert fold(noted, archive.check(noted)).extra["check"] == "broken"
    assert archive.video("job-1").read_bytes() == kling.files[URL]


def test_a_good_file_is_found_good(archive, kling):
    noted = fold(job(), archive.fetch(job(), video, kling))
    noted = fold(noted, archive.check(noted))
    assert (noted.extra["check"], noted.extra["check_reason"]) == ("ok", "")
    assert noted.extra["probe"]["seconds"] == 1.0


def test_a_box_of_sixty_four_bits_and_a_last_one_without_a_size_are_whole(tmp_path):
    path = tmp_path / "x.mp4"
    path.write_bytes(
        b"\0\0\0\x08ftyp" + b"\0\0\0\x01moov" + (20).to_bytes(8, "big") + b"1234" + b"\0\0\0\0mdat" + b"x" * 9
    )
    check_mp4(path)


def test_the_copy_with_a_watermark_is_kept_beside(archive, kling, clip):
    kling.files["https://cdn.kling.test/w.mp4"] = clip
    cells = archive.fetch(
        job(watermark=True), lambda: video(watermark_url="https://cdn.kling.test/w.mp4"), kling
    )
    assert cells["watermark_file"] == "job-1.watermark.mp4"
    assert names(archive) == ["job-1.jpg", "job-1.mp4", "job-1.watermark.mp4"]


def test_a_watermark_that_was_not_ordered_is_not_fetched(archive, kling):
    cells = archive.fetch(job(), lambda: video(watermark_url="https://cdn.kling.test/w.mp4"), kling)
    assert "watermark_file" not in cells
    assert kling.downloads == [URL]


def test_a_copy_with_a_watermark_that_is_broken_does_not_keep_the_clip_from_anybody(archive, kling):
    kling.files["https://cdn.kling.test/w.mp4"] = b"gone"
    cells = archive.fetch(
        job(watermark=True), lambda: video(watermark_url="https://cdn.kling.test/w.mp4"), kling
    )
    assert cells["file"] == "job-1.mp4"
    assert "watermark" in cells["message"]
    assert names(archive) == ["job-1.jpg", "job-1.mp4"]


@pytest.mark.parametrize(
    "job_id", ["../x", "a/b", "a\\b", "", ".", "..", "a\n", "-x", "x" * 65, "x.mp4", "\0"]
)
def test_an_id_that_leads_elsewhere_names_no_file(archive, kling, job_id):
    for path in (archive.video, archive.poster):
        with pytest.raises(DownloadFailed):
            path(job_id)
    with pytest.raises(DownloadFailed):
        archive.fetch(job(job_id or "/"), video, kling)
    assert names(archive) == []


def test_a_real_transfer_that_breaks_or_is_too_large_leaves_nothing(archive, clip, monkeypatch):
    with Loopback() as server:
        client = Client(ApiKey("key"), base_url=server.url)
        try:
            server.says(reply(clip[:-100], length=len(clip)), reply(clip))
            with pytest.raises(DownloadFailed, match="Only a part"):
                archive.fetch(job(), lambda: video(f"{server.url}/v.mp4"), client)
            monkeypatch.setattr("kling.studio.archive.MAX_BYTES", len(clip) - 1)
            with pytest.raises(DownloadFailed, match="bytes"):
                archive.fetch(job(), lambda: video(f"{server.url}/v.mp4"), client)
            assert names(archive) == []
        finally:
            client.close()


def test_a_file_that_is_here_already_is_kept_though_kling_has_forgotten_it(archive, kling):
    archive.fetch(job(), video, kling)

    def forgotten() -> Video:
        raise AssertionError("nobody needs to ask")

    assert archive.fetch(job(), forgotten, kling)["file"] == archive.video(job().id).name


def test_a_part_of_a_file_is_fetched_again_and_stays_if_nothing_comes(archive, kling, clip):
    archive.video("job-1").write_bytes(clip[:-1])
    kling.files[URL] = DownloadFailed("The video's host answered HTTP 404.")
    with pytest.raises(DownloadFailed):
        archive.fetch(job(), video, kling)
    assert names(archive) == ["job-1.mp4"]
    kling.files[URL] = clip
    archive.fetch(job(), video, kling)
    assert archive.video("job-1").read_bytes() == clip


# -- broken files --------------------------------------------------------------------------------------------


def broken(archive: Archive, kling: Kling, content: bytes = b"broken", **extra: object) -> Job:
    """Fetch a broken file and find it broken."""
    kling.files[URL] = boxes(content)
    noted = fold(job(), archive.fetch(job(), video, kling))
    noted = fold(noted, archive.check(noted))
    assert noted.extra["check"] == "broken"
    return fold(noted, {"extra": json.dumps(extra)}) if extra else noted


def test_a_good_copy_takes_the_place_of_a_broken_file(words, kling):
    noted = broken(words, kling)
    kling.files[URL] = boxes(b"good")
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert words.video("job-1").read_bytes() == boxes(b"good")
    assert names(words) == ["job-1.jpg", "job-1.mp4"]
    assert (noted.extra["check"], noted.extra["check_reason"], again(noted)) == ("ok", "", 1)
    assert (noted["file_bytes"], noted.extra["probe"]["fps"]) == (str(len(boxes(b"good"))), 24.0)


def test_a_better_copy_and_its_poster_are_on_the_disk_before_the_row_that_tells_of_them(
    words, kling, monkeypatch
):
    noted = broken(words, kling)
    kling.files[URL] = boxes(b"good")
    calls = DiskCalls(monkeypatch)
    words.fetch_again(noted, video, kling)
    done = calls.of([words.video("job-1"), words.poster("job-1"), words.folder])
    assert done[-5:] == [
        "replace job-1.mp4",
        "sync videos",
        "sync job-1.jpg",
        "replace job-1.jpg",
        "sync videos",
    ]


@pytest.mark.parametrize(
    ("copy", "kept"),
    [
        (b"half and no more", b"half"),
        (b"broken", b"half"),
        (b"foreign", b"half"),
        (b"good", b"good"),
    ],
)
def test_the_better_copy_stays(words, kling, copy, kept):
    noted = broken(words, kling, b"half")
    kling.files[URL] = boxes(copy)
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert words.video("job-1").read_bytes() == boxes(kept)
    assert (noted.extra["check"] == "ok") == (kept == b"good")
    assert again(noted) == 1


def test_a_copy_that_is_less_broken_is_kept_and_still_called_broken(words, kling):
    noted = broken(words, kling)
    kling.files[URL] = boxes(b"half")
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert words.video("job-1").read_bytes() == boxes(b"half")
    assert (noted.extra["check"], noted["file_bytes"]) == ("broken", str(len(boxes(b"half"))))


def test_the_very_same_file_once_more_is_the_last_try(words, kling):
    noted = broken(words, kling)
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert (noted.extra["check"], again(noted)) == ("broken", MOST_AGAIN)
    assert "very same file" in noted.extra["check_reason"]
    assert names(words) == ["job-1.mp4"]


@pytest.mark.parametrize(
    "arrives", [boxes(b"good")[:-1], b"<html>", DownloadFailed("HTTP 404"), OSError(28, "full")]
)
def test_a_copy_that_does_not_arrive_whole_changes_nothing(words, kling, arrives):
    noted = broken(words, kling)
    kling.files[URL] = arrives
    with pytest.raises((DownloadFailed, OSError)):
        words.fetch_again(noted, video, kling)
    assert words.video("job-1").read_bytes() == boxes(b"broken")
    assert names(words) == ["job-1.mp4"]


def test_a_replacement_whose_row_was_cut_off_is_noticed_without_fetching(words, kling):
    noted = broken(words, kling)
    words.video("job-1").write_bytes(boxes(b"good"))
    kling.downloads.clear()
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert (noted.extra["check"], kling.downloads) == ("ok", [])


def test_a_file_that_somebody_has_taken_away_counts_as_broken_and_comes_back(words, kling):
    kling.files[URL] = boxes(b"good")
    noted = fold(job(), words.fetch(job(), video, kling))
    words.video("job-1").unlink()
    noted = fold(noted, words.check(noted))
    assert noted.extra["check"] == "broken"
    noted = fold(noted, words.fetch_again(noted, video, kling))
    assert (noted.extra["check"], words.video("job-1").exists()) == ("ok", True)


def test_a_file_that_was_put_there_gets_its_poster_and_facts_when_it_is_checked(words):
    words.video("job-1").write_bytes(boxes(b"good"))
    found = fold(None, {"external_task_id": "job-1", "state": "succeed", "file": "job-1.mp4"})
    noted = fold(found, words.check(found))
    assert (noted.extra["check"], noted.extra["probe"]["width"]) == ("ok", 64)
    assert names(words) == ["job-1.jpg", "job-1.mp4"]


@pytest.mark.parametrize("count", [True, -1, 10**30, "2", None, [], 4, 1.5])
def test_a_count_of_copies_that_somebody_typed_is_read_as_none(count):
    assert again(fold(job(), {"extra": json.dumps({"again": count})})) in {0, 1}


# -- how safe ------------------------------------------------------------------------------------------------

MADE = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "days", "words"),
    [
        ({"state": "succeed", "file": "a.mp4"}, 300, ("safe", 0)),
        ({"state": "succeed"}, 0.5, ("at risk", 29)),
        ({"state": "succeed"}, 29.5, ("at risk", 0)),
        ({"state": "succeed"}, 30.5, ("at risk", 0)),  # a date alone proves nothing
        ({"state": "succeed", "extra": '{"gone":"2026-12-02T00:00:00+00:00"}'}, 31, ("gone", 0)),
        ({"state": "processing"}, 40, ("", 0)),
        ({"state": "failed"}, 40, ("", 0)),
    ],
)
def test_a_video_is_safe_at_risk_or_gone(cells: dict[str, str], days: float, words: tuple[str, int]):
    row = {"external_task_id": "a", "time": MADE.isoformat(), "updated_at": MADE.isoformat(), **cells}
    assert retention_status(fold(None, row), MADE + timedelta(days=days)) == words


@pytest.mark.parametrize(
    ("updated_at", "made"),
    [
        ("2026-10-20T08:00:00+00:00", datetime(2026, 10, 20, 8, tzinfo=UTC)),
        ("2026-10-20T08:00:00", datetime(2026, 10, 20, 8, tzinfo=UTC)),
        ("2026-10-20T08:00:00+08:00", datetime(2026, 10, 20, 8, tzinfo=timezone(timedelta(hours=8)))),
        ("1970-01-21T15:06:09+00:00", MADE),  # seconds that were read as milliseconds
        ("9999-12-31T23:59:59+00:00", MADE),
        ("2027-11-01T00:00:00+00:00", MADE),  # after we knew of it
        ("yesterday", MADE),
        ("", MADE),
    ],
)
def test_thirty_days_are_counted_from_a_time_that_can_be_meant(updated_at: str, made: datetime):
    row = {"external_task_id": "a", "state": "succeed", "time": MADE.isoformat(), "updated_at": updated_at}
    noted = fold(None, row)
    assert cleared_at(noted) == made + timedelta(days=30)
    assert retention_status(noted, datetime(2026, 11, 2, tzinfo=UTC).replace(tzinfo=None))[0] == "at risk"


@pytest.mark.parametrize("time", ["", "noon", "0001-01-01T00:00:00", "9999-12-31T23:59:59-14:00"])
def test_no_time_in_a_row_makes_a_page_fail(time: str):
    noted = fold(None, {"external_task_id": "a", "state": "succeed", "time": time, "updated_at": time})
    assert retention_status(noted, MADE)[0] == "at risk"


# -- files without an order ----------------------------------------------------------------------------------


class Names:
    """A ledger that knows some ids."""

    def __init__(self, *ids: str, opening: bool = False, failure: str = "") -> None:
        self.ids, self.opening, self.failure = ids, opening, failure

    def get(self, job_id: str) -> Job | None:
        return job(job_id) if job_id in self.ids else None


OLD, NEW, ADOPTED = "v019ab1c2d3e4a1b2c3d4e5f6", "v4fk2a7qz-019ab1c2d3e4a1b2c3d4e5f6", "k841234567890123456"


def test_files_that_no_job_names_are_found(words):
    for name in (f"{OLD}.mp4", f"{NEW}.mp4", f"{ADOPTED}.mp4"):
        (words.folder / name).write_bytes(b"x")
    for name in (
        "kitten.mp4",
        "v1.mp4",
        f"{NEW}.watermark.mp4",
        f"{NEW}.again.mp4",
        f"{OLD}.mp4.part",
        "x.txt",
    ):
        (words.folder / name).write_bytes(b"x")
    find: Callable[..., list[str]] = orphans
    assert find(words, Names()) == sorted([OLD, NEW, ADOPTED])
    assert find(words, Names(OLD, ADOPTED)) == [NEW]
    assert find(words, Names(opening=True)) == []  # the ledger only looks empty
    assert find(words, Names(failure="It cannot be read.")) == []


# -- in a child process --------------------------------------------------------------------------------------


def test_a_child_looks_at_a_file_makes_its_poster_and_decodes_it(tmp_path, clip):
    path, poster = tmp_path / "x.bin", tmp_path / "x.part"  # what a file is does not depend on its name
    path.write_bytes(clip)
    facts = {"width": 64, "height": 36, "fps": 24.0, "seconds": 1.0, "audio": False}
    assert ChildChecker().probe(path, poster) == Probe(facts)
    assert poster.read_bytes()[:3] == b"\xff\xd8\xff"
    assert ChildChecker().decode(path) == Decoded("ok", 1.0)


def test_a_frame_of_sixteen_thousand_pixels_a_side_is_kept_and_not_decoded(tmp_path, kling):
    huge_frame(tmp_path / "huge.mp4")
    kling.files[URL] = (tmp_path / "huge.mp4").read_bytes()
    assert len(kling.files[URL]) < 10**6
    archive = Archive(tmp_path / "videos")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # kilobytes, of the largest child so far
    noted = fold(job(), archive.fetch(job(), video, kling))
    assert (noted["file"], noted.extra["check"]) == ("job-1.mp4", "unchecked")
    assert "larger than this studio decodes" in noted.extra["check_reason"]
    assert names(archive) == ["job-1.mp4"]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss <= max(before, 500_000)


def test_a_child_without_enough_memory_says_nothing_against_the_file(tmp_path, clip):
    path = tmp_path / "x.mp4"
    path.write_bytes(clip)
    checker = ChildChecker(memory=100 * 2**20)
    probe = checker.probe(path, tmp_path / "x.part")
    assert probe.beyond_us
    assert "more memory or time" in probe.problem
    assert checker.decode(path).outcome == "unchecked"


def pretend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """Let a shell script stand in for the child."""
    path = tmp_path / "child"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    monkeypatch.setattr("kling.studio.video_check.sys.executable", str(path))


def test_a_child_gets_no_key(tmp_path, monkeypatch):
    for name in ("KLINGAI_ACCESS_KEY", "KLINGAI_SECRET_KEY", "KLINGAI_API_KEY", "STUDIO_WEBHOOK_SECRET"):
        monkeypatch.setenv(name, "s3cret")
    pretend(monkeypatch, tmp_path, f"env > {tmp_path}/seen; echo {{}}")
    ChildChecker().probe(tmp_path / "x", tmp_path / "y")
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "s3cret" not in seen


@pytest.mark.parametrize(
    "script",
    ["exec sleep 60", "exit 1", "kill -SEGV $$", "echo '{'", "echo '[1]'", "echo; exit 0", "echo nan"],
)
def test_whatever_becomes_of_a_child_the_file_is_only_unchecked(tmp_path, monkeypatch, script):
    monkeypatch.setattr("kling.studio.video_check.GRACE", 0.1)
    pretend(monkeypatch, tmp_path, script)
    checker = ChildChecker(probe_seconds=0, decode_seconds=0)
    probe = checker.probe(tmp_path / "x", tmp_path / "y")
    assert (probe.facts, probe.beyond_us) == ({}, True)
    assert checker.decode(tmp_path / "x").outcome == "unchecked"


def test_what_a_child_says_is_taken_by_its_types(tmp_path, monkeypatch):
    answer = {
        "facts": {"width": "64", "height": [1], "fps": 24.0, "other": 1},
        "outcome": "fine",
        "good": "1",
    }
    pretend(monkeypatch, tmp_path, f"echo '{json.dumps(answer)}'")
    assert ChildChecker().probe(tmp_path / "x", tmp_path / "y").facts == {"fps": 24.0}
    assert ChildChecker().decode(tmp_path / "x").outcome == "unchecked"


def test_a_studio_that_stops_does_not_wait_for_a_child(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "begun")
    pretend(monkeypatch, tmp_path, f"echo > {tmp_path}/begun; exec sleep 60")
    archive = Archive(tmp_path / "videos")
    archive.video("job-1").write_bytes(boxes())
    with ThreadPoolExecutor(1) as worker:
        ended = worker.submit(archive.check, job())
        (tmp_path / "begun").read_text()
        archive.stop()
        with pytest.raises(CheckInterrupted):
            ended.result(30)
    with pytest.raises(CheckInterrupted):
        archive.check(job())


def test_what_a_killed_process_left_half_written_is_swept_at_the_start(tmp_path):
    for name in ("a.mp4.part", "a.jpg.part", "a.mp4"):
        (tmp_path / name).write_bytes(b"x")
    Archive(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
