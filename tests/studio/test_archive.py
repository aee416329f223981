"""Our own copy of a video: whole, checked, and from where it may come from."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kling import ApiKey, Client
from kling.errors import DownloadBroken
from kling.models import TextToVideo, Video
from kling.studio.archive import Archive, check_mp4, guard, look_at, safety
from kling.studio.jobs import Job, fold, request_cells
from tests.kling.loopback import Loopback, reply
from tests.studio.fakes import Kling

URL = "https://cdn.kling.test/0.mp4"


@pytest.fixture
def kling(clip: bytes) -> Kling:
    kling = Kling()
    kling.files[URL] = clip
    return kling


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "videos")


def job(job_id: str = "wish-1", *, watermark: bool = False) -> Job:
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
    assert names(archive) == ["wish-1.jpg", "wish-1.mp4"]
    assert (cells["file"], cells["file_bytes"]) == ("wish-1.mp4", str(len(clip)))
    assert len(cells["file_sha256"]) == 64
    assert noted.extra["probe"] == {"width": 64, "height": 36, "fps": 24.0, "seconds": 1.0, "audio": False}
    with Image.open(archive.poster("wish-1")) as picture:
        assert picture.size == (64, 36)


@pytest.mark.parametrize("keep", [0, 4, 7, 20, 0.3, 0.9, -1])
def test_a_video_that_was_cut_is_not_kept(archive, kling, clip, keep):
    kling.files[URL] = clip[: int(keep * len(clip)) if isinstance(keep, float) else keep]
    with pytest.raises(DownloadBroken, match="What arrived is not"):
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
    with pytest.raises(DownloadBroken, match="What arrived is not"):
        archive.fetch(job(), video, kling)
    assert names(archive) == []


def test_a_file_of_the_right_boxes_that_does_not_decode_is_not_kept(archive, kling):
    kling.files[URL] = b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov" + b"\0\0\0\x08mdat"
    with pytest.raises(DownloadBroken, match="cannot be decoded"):
        archive.fetch(job(), video, kling)
    assert names(archive) == []


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
    assert cells["watermark_file"] == "wish-1.watermark.mp4"
    assert names(archive) == ["wish-1.jpg", "wish-1.mp4", "wish-1.watermark.mp4"]


def test_a_watermark_that_was_not_ordered_is_not_fetched(archive, kling):
    cells = archive.fetch(job(), lambda: video(watermark_url="https://cdn.kling.test/w.mp4"), kling)
    assert "watermark_file" not in cells
    assert kling.downloads == [URL]


def test_a_copy_with_a_watermark_that_is_broken_does_not_keep_the_clip_from_anybody(archive, kling):
    kling.files["https://cdn.kling.test/w.mp4"] = b"gone"
    cells = archive.fetch(
        job(watermark=True), lambda: video(watermark_url="https://cdn.kling.test/w.mp4"), kling
    )
    assert cells["file"] == "wish-1.mp4"
    assert "watermark" in cells["message"]
    assert names(archive) == ["wish-1.jpg", "wish-1.mp4"]


@pytest.mark.parametrize(
    "job_id", ["../x", "a/b", "a\\b", "", ".", "..", "a\n", "-x", "x" * 65, "x.mp4", "\0"]
)
def test_an_id_that_leads_elsewhere_names_no_file(archive, kling, job_id):
    for path in (archive.video, archive.poster):
        with pytest.raises(DownloadBroken):
            path(job_id)
    with pytest.raises(DownloadBroken):
        archive.fetch(job(job_id or "/"), video, kling)
    assert names(archive) == []


def test_a_real_transfer_that_breaks_or_is_too_large_leaves_nothing(archive, clip, monkeypatch):
    with Loopback() as server:
        client = Client(ApiKey("key"), base_url=server.url)
        try:
            server.says(reply(clip[:-100], length=len(clip)), reply(clip))
            with pytest.raises(DownloadBroken, match="Only a part"):
                archive.fetch(job(), lambda: video(f"{server.url}/v.mp4"), client)
            monkeypatch.setattr("kling.studio.archive.MAX_BYTES", len(clip) - 1)
            with pytest.raises(DownloadBroken, match="bytes"):
                archive.fetch(job(), lambda: video(f"{server.url}/v.mp4"), client)
            assert names(archive) == []
        finally:
            client.close()


# -- where from ----------------------------------------------------------------------------------------------


def resolving(*addresses: str):
    return lambda *_, **__: [(0, 0, 0, "", (address, 443)) for address in addresses]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.7", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    ],
)
def test_an_address_in_a_private_network_is_not_opened(address):
    may_open = guard("https://api.kling.test", resolve=resolving("93.184.216.34", address))
    with pytest.raises(DownloadBroken, match="private network"):
        may_open("https://cdn.kling.test/v.mp4")


def test_a_public_address_and_the_apis_own_host_are_opened():
    guard("https://api.kling.test", resolve=resolving("93.184.216.34"))("https://cdn.kling.test/v.mp4")
    guard("http://127.0.0.1:8000", resolve=resolving("10.0.0.1"))("http://127.0.0.1:9000/v.mp4")


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.kling.test/v.mp4",
        "file:///etc/passwd",
        "ftp://cdn.kling.test/v",
        "//x",
        "",
        "https://",
        "https://[",
    ],
)
def test_what_is_not_https_is_not_opened(url):
    with pytest.raises(DownloadBroken):
        guard("https://api.kling.test", resolve=resolving("93.184.216.34"))(url)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_host_that_nobody_knows_is_told_in_words(error):
    def resolve(*_, **__):
        raise error

    with pytest.raises(DownloadBroken, match="host is not known"):
        guard("https://api.kling.test", resolve=resolve)("https://cdn.kling.test/v.mp4")


def test_a_redirect_into_a_private_network_is_not_followed(tmp_path):
    with Loopback() as server:
        client = Client(ApiKey("key"), base_url=server.url)
        try:
            server.says(reply(b"", status=302, headers={"Location": "https://10.0.0.1/v.mp4"}))
            with pytest.raises(DownloadBroken, match="private network"):
                client.download(f"{server.url}/v.mp4", tmp_path / "x", may_open=guard(server.url))
            assert len(server.seen) == 1
        finally:
            client.close()


def test_what_a_file_is_does_not_depend_on_its_name(tmp_path, clip):
    path = tmp_path / "x.jpg"
    path.write_bytes(clip)
    facts, picture = look_at(path)
    assert (facts["width"], picture.width) == (64, 64)


@pytest.mark.parametrize(
    ("cells", "days", "words"),
    [
        ({"state": "succeed", "file": "a.mp4"}, 300, ("safe", 0)),
        ({"state": "succeed"}, 0.5, ("at risk", 29)),
        ({"state": "succeed"}, 29.5, ("at risk", 0)),
        ({"state": "succeed"}, 30.5, ("gone", 0)),
        ({"state": "processing"}, 40, ("", 0)),
        ({"state": "failed"}, 40, ("", 0)),
    ],
)
def test_a_video_is_safe_at_risk_or_gone(cells: dict[str, str], days: float, words: tuple[str, int]):
    made = datetime(2026, 11, 1, tzinfo=UTC)
    row = {"external_task_id": "a", "time": made.isoformat(), "updated_at": made.isoformat(), **cells}
    assert safety(fold(None, row), made + timedelta(days=days)) == words


def test_a_file_that_is_here_already_is_kept_though_kling_has_forgotten_it(archive, kling):
    archive.fetch(job(), video, kling)

    def forgotten() -> Video:
        raise AssertionError("nobody needs to ask")

    assert archive.fetch(job(), forgotten, kling)["file"] == archive.video(job().id).name
