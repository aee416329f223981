"""Texts in the metadata of a copy: other programs read them, and nothing else of the file changes."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kling.studio.archive import check_mp4
from kling.studio.take_away.mp4_text import (
    COMMENT,
    DAY,
    LONGEST,
    MOST_TABLES,
    TITLE,
    TOOL,
    read_texts,
    with_texts,
)
from tests.kling.tools import law
from tests.studio.clips import boxes, tiny_clip

SCRIPTS = "A fox 雪の狐 हिन्दी ثعلب สุนัข 🦊 e\u0301 \n\"'<b>&amp;\u202e"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A clip with its tables in front, one with them at its end, and one that FFmpeg has given texts."""
    folder = tmp_path_factory.mktemp("clips")
    drawn = folder / "drawn.mp4"
    tiny_clip(drawn)
    found = {"drawn": drawn}
    for name, options, texts in (
        ("front", {"movflags": "+faststart"}, {}),
        ("end", {"movflags": "-faststart"}, {}),
        ("said", {"movflags": "+faststart"}, {"title": "Old", "artist": "Kling", "comment": "old words"}),
    ):
        found[name] = remuxed(drawn, folder / f"{name}.mp4", options, texts)
    return found


def remuxed(source: Path, to: Path, options: dict[str, str], texts: dict[str, str]) -> Path:
    import av

    with av.open(str(source)) as old, av.open(str(to), "w", format="mp4", options=options) as new:
        new.metadata.update(texts)
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return to


def content(path: Path) -> tuple[list[Any], dict[str, str]]:
    """Return what FFmpeg sees: every packet with its times, and the texts."""
    import av

    with av.open(str(path)) as container:
        packets = [(p.pts, p.dts, bytes(p)) for p in container.demux(video=0) if p.dts is not None]
        return packets, dict(container.metadata)


def copied(path: Path, to: Path, texts: dict[bytes, str]) -> Path:
    copy = with_texts(path, texts)
    to.write_bytes(b"".join(copy.chunks()))
    assert to.stat().st_size == copy.size
    return to


@pytest.mark.parametrize("name", ["drawn", "front", "end", "said"])
def test_every_player_finds_the_texts_and_not_a_frame_has_changed(
    clips: dict[str, Path], tmp_path: Path, name: str
):
    before = clips[name].read_bytes()
    texts = {TITLE: SCRIPTS, COMMENT: "{}", DAY: "2026-11-26", TOOL: "studio"}
    copy = copied(clips[name], tmp_path / "copy.mp4", texts)
    check_mp4(copy)
    (old, _), (new, said) = content(clips[name]), content(copy)
    assert new == old
    assert len(old) > 5
    assert {each: said[each] for each in ("title", "comment", "date")} == {
        "title": SCRIPTS,
        "comment": "{}",
        "date": "2026-11-26",
    }
    assert said.get("artist") == ("Kling" if name == "said" else None)  # what somebody else wrote stays
    assert texts.items() <= read_texts(copy).items()
    assert read_texts(copy.read_bytes()) == read_texts(copy)
    assert clips[name].read_bytes() == before


def test_a_copy_of_a_copy_has_the_new_texts_once(clips: dict[str, Path], tmp_path: Path):
    one = copied(clips["front"], tmp_path / "one.mp4", {TITLE: "One", COMMENT: "x" * 5000})
    two = copied(one, tmp_path / "two.mp4", {TITLE: "Two", COMMENT: "y"})
    assert content(two)[0] == content(clips["front"])[0]
    assert read_texts(two)[TITLE] == "Two"
    assert two.read_bytes().count(b"\xa9nam") == 1
    assert b"xxxxx" not in two.read_bytes()


def test_boxes_that_are_not_known_stay_byte_for_byte(clips: dict[str, Path], tmp_path: Path):
    mark = struct.pack(">I4s", 28, b"uuid") + b"where this comes from"[:20].ljust(20)
    file = tmp_path / "marked.mp4"
    file.write_bytes(clips["front"].read_bytes() + mark)
    assert copied(file, tmp_path / "copy.mp4", {TITLE: "x"}).read_bytes().endswith(mark)


@settings(law, max_examples=60)
@given(
    st.dictionaries(st.sampled_from([TITLE, COMMENT, DAY]), st.text(alphabet=st.characters(codec="utf-8")))
)
def test_any_text_comes_back_as_it_was(clips: dict[str, Path], texts: dict[bytes, str]):
    data = b"".join(with_texts(clips["front"], texts).chunks())
    found = read_texts(data)
    assert {name: found.get(name, "") for name in texts} == texts


ODD = {
    "empty": b"",
    "no video": b"<html>" * 100,
    "no tables": boxes()[:16],
    "two tables": boxes() + boxes()[16:24],
    "a fragment": boxes() + struct.pack(">I4s", 8, b"moof"),
    "a box longer than the file": boxes() + struct.pack(">I4s", 999, b"free"),
    "a box of no length": boxes() + struct.pack(">I4s", 4, b"free"),
    "a length of 64 bits that is too short": boxes() + struct.pack(">I4sQ", 1, b"free", 3),
    "texts of another kind": b"".join(
        [
            boxes()[:16],
            struct.pack(">I4s", 61, b"moov") + struct.pack(">I4s", 53, b"udta"),
            struct.pack(">I4s", 45, b"meta") + bytes(4),
            struct.pack(">I4s", 33, b"hdlr") + bytes(8) + b"mdta" + bytes(13),
        ]
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_a_file_that_is_odd_is_given_as_it_is(tmp_path: Path, name: str):
    file = tmp_path / "odd.mp4"
    file.write_bytes(ODD[name])
    assert b"".join(with_texts(file, {TITLE: "x"}).chunks()) == ODD[name]
    assert read_texts(file) == {}


def test_offsets_that_do_not_fit_any_more_leave_a_file_as_it_is(tmp_path: Path):
    offsets = struct.pack(">I4sIII", 20, b"stco", 0, 1, 2**32 - 1)
    tables = offsets
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        tables = struct.pack(">I4s", 8 + len(tables), kind) + tables
    file = tmp_path / "large.mp4"
    file.write_bytes(boxes()[:16] + tables + struct.pack(">I4s", 8, b"mdat"))
    assert b"".join(with_texts(file, {TITLE: "x"}).chunks()) == file.read_bytes()


@settings(law, max_examples=200)
@given(st.data())
def test_a_damaged_file_of_a_stranger_is_read_without_a_word(clips: dict[str, Path], data: st.DataObject):
    whole = bytearray(clips["said"].read_bytes())
    start = whole.index(b"moov")
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(start - 8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    found = read_texts(bytes(whole[: data.draw(st.integers(start, len(whole)))]))
    assert all(len(text) <= LONGEST for text in found.values())


def test_a_stranger_cannot_make_reading_dear(clips: dict[str, Path], tmp_path: Path):
    file = tmp_path / "many.mp4"
    texts = {COMMENT: "x" * (LONGEST + 1000)}
    copied(clips["front"], file, texts)
    assert len(read_texts(file)[COMMENT]) == LONGEST
    many = io.BytesIO()
    many.write(boxes()[:16] + struct.pack(">I4s", MOST_TABLES + 9, b"moov"))
    many.truncate(16 + MOST_TABLES + 9)
    assert read_texts(many.getvalue()) == {}
    assert read_texts(boxes()[:16] + struct.pack(">I4s", 8, b"free") * 20_000) == {}


def test_a_clip_that_changes_while_it_is_read_is_not_given_as_whole(clips: dict[str, Path], tmp_path: Path):
    file = tmp_path / "v1.mp4"
    file.write_bytes(clips["front"].read_bytes())
    copy = with_texts(file, {TITLE: "x"})
    file.write_bytes(clips["front"].read_bytes()[:-100])
    with pytest.raises(OSError, match="changed"):
        b"".join(copy.chunks())
