"""What people hand in is taken as one sees it, without anything but its pixels, or refused in words."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import random
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kling.studio.pictures.reencode import LONGEST, MOST_BYTES, Refused, main, reencode
from kling.studio.pictures.store import Picture, PictureRefused, Pictures
from tests.studio.pictures.samples import (
    CORNERS,
    SIZE,
    are_alike,
    bomb,
    chunk,
    corners_of,
    damaged,
    hand_in,
    png,
    quarters,
    saved,
    sixteen_bits,
    sixteen_bits_of_grey,
    stripes,
    swapped_profile,
    turned,
)

SHOWN = {  # how a viewer turns a file, by the orientation in its EXIF
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "pictures")


def seen(pictures: Pictures, picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(pictures.read(picture.sha256)))


def refused(pictures: Pictures, content: bytes) -> str:
    with pytest.raises(PictureRefused) as refusal:
        hand_in(pictures, content)
    assert list(pictures.folder.glob("*")) == []
    return str(refusal.value)


# -- as one sees it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_lies_as_a_viewer_shows_it(tmp_path: Path, orientation: int):
    (tmp_path / "photo").write_bytes(turned(orientation))
    facts = reencode(tmp_path / "photo", tmp_path / "out")
    assert (facts["width"], facts["height"]) == (SIZE if orientation < 5 else SIZE[::-1])
    expected = quarters() if orientation == 1 else quarters().transpose(SHOWN[orientation])
    with Image.open(tmp_path / "out") as made:
        assert are_alike(corners_of(made), corners_of(expected))
    assert ("turned" in facts["notes"]) == (orientation > 1)


@pytest.mark.parametrize(("kind", "orientation"), [("JPEG", 0), ("PNG", 0), ("PNG", 6), ("WEBP", 6)])
def test_only_what_a_browser_reads_turns_a_picture(tmp_path: Path, kind: str, orientation: int):
    tiff = "http://ns.adobe.com/tiff/1.0/"
    xmp = f'<x xmlns:tiff="{tiff}"><tiff:Orientation>6</tiff:Orientation></x>'
    exif = Image.Exif()
    more: dict[str, Any] = {}
    if orientation:
        exif[0x0112] = orientation
        more["exif"] = exif
    elif kind == "PNG":
        more["pnginfo"] = PngImagePlugin.PngInfo()
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp)
    else:
        more["xmp"] = xmp.encode()
    (tmp_path / "photo").write_bytes(saved(quarters(), kind, **more))
    with Image.open(tmp_path / "photo") as image:
        assert image.getexif()[0x0112] == 6
    facts = reencode(tmp_path / "photo", tmp_path / "out")
    is_turned = kind == "PNG" and orientation == 6
    assert (facts["width"], facts["height"]) == (SIZE[::-1] if is_turned else SIZE)


def test_a_gif_that_begins_with_a_part_is_white_around_it(tmp_path: Path):
    content = bytearray(saved(quarters((300, 300)).quantize(4), "GIF"))
    content[6:10] = struct.pack("<HH", 400, 400)  # the canvas; the picture lies in its corner
    (tmp_path / "part").write_bytes(content)
    facts = reencode(tmp_path / "part", tmp_path / "out")
    assert (facts["width"], facts["height"], facts["notes"]) == (400, 400, ["opaque"])
    with Image.open(tmp_path / "out") as made:
        assert made.getpixel((350, 350)) == made.getpixel((10, 350)) == (255, 255, 255)
        assert made.getpixel((75, 75)) == CORNERS[0]


def test_place_and_person_are_removed(pictures: Pictures):
    content = turned(6)
    assert b"Ada" in content
    kept = pictures.read(hand_in(pictures, content).sha256)
    assert b"Ada" not in kept
    assert b"Exif" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert not image.getexif()
        assert "comment" not in image.info


def test_texts_and_profiles_of_a_png_are_removed(pictures: Pictures):
    lines = (b"\0" + bytes(3 * SIZE[0])) * SIZE[1]
    more = chunk(b"tEXt", b"Author\0Ada") + chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0")
    kept = pictures.read(hand_in(pictures, png(*SIZE, lines, more=more)).sha256)
    assert b"Ada" not in kept
    kinds = {kept[at : at + 4] for at in range(12, len(kept) - 4)}
    assert not {b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"iCCP"} & kinds


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
def test_every_kind_that_is_taken_keeps_its_colours(pictures: Pictures, kind: str):
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    picture = hand_in(pictures, saved(quarters(), kind, **options))
    assert (picture.width, picture.height) == SIZE
    assert picture.notes == ()
    assert are_alike(corners_of(seen(pictures, picture)), CORNERS)
    assert picture.media_type == ("image/png" if kind in {"PNG", "GIF"} else "image/jpeg")


def test_ink_is_seen_as_light(pictures: Pictures):
    photo = saved(quarters(mode="CMYK"), "JPEG", quality=95)
    picture = hand_in(pictures, photo)
    with seen(pictures, picture) as made, Image.open(io.BytesIO(photo)) as ink:
        assert made.mode == "RGB"
        assert are_alike(corners_of(made), corners_of(ink))
        assert are_alike(corners_of(made), CORNERS)


def test_a_profile_of_colours_is_applied(pictures: Pictures):
    picture = hand_in(pictures, saved(quarters(), "PNG", icc_profile=swapped_profile()))
    swapped = tuple(colour[::-1] for colour in CORNERS)
    assert are_alike(corners_of(seen(pictures, picture)), swapped, most=3)


def test_a_damaged_profile_is_ignored_as_browsers_do(pictures: Pictures):
    picture = hand_in(pictures, saved(quarters(), "PNG", icc_profile=b"no profile" * 20))
    assert corners_of(seen(pictures, picture)) == CORNERS


@pytest.mark.parametrize("content", [sixteen_bits(), sixteen_bits_of_grey()])
def test_sixteen_bits_become_the_nearest_eight(pictures: Pictures, content: bytes):
    with seen(pictures, hand_in(pictures, content)) as made:
        for x in (0, 100, 250, SIZE[0] - 1):
            value = x * 255 / (SIZE[0] - 1)
            assert all(abs(each - value) <= 1 for each in made.getpixel((x, 5)))  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_taken(pictures: Pictures, kind: str):
    other = Image.new("RGB", SIZE, "black")
    picture = hand_in(pictures, saved(quarters(), kind, save_all=True, append_images=[other], duration=200))
    assert are_alike(corners_of(seen(pictures, picture)), CORNERS, most=20)
    assert picture.notes == ("It is animated: its first picture is used.",)


def test_a_picture_that_shows_only_where_nothing_is_animated_is_passed_over(pictures: Pictures):
    first = quarters(mode="RGBA")
    first.paste((0, 0, 0, 0), (SIZE[0] // 2, SIZE[1] // 2, *SIZE))
    content = saved(
        Image.new("RGBA", SIZE, "black"),
        "PNG",
        save_all=True,
        default_image=True,
        append_images=[first, Image.new("RGBA", SIZE, "red")],
        blend=1,  # over what was there, which is nothing
    )
    picture = hand_in(pictures, content)
    assert are_alike(corners_of(seen(pictures, picture)), (*CORNERS[:3], (255, 255, 255)))
    assert len(picture.notes) == 2


@pytest.mark.parametrize(
    ("depth", "colours", "clear", "shown"),
    [
        (2, [(1,), (2,)], (1,), [255, 170]),
        (4, [(5,), (15,)], (15,), [85, 255]),
        (8, [(200,), (201,)], (200,), [255, 201]),
        (16, [(0x8001,), (0x8002,)], (0x8001,), [255, 128]),
        (16, [(0x8001,), (0x7F01,)], (0x8001,), [255, 127]),
        (8, [(9, 9, 9), (9, 9, 8)], (9, 9, 9), [255, 9]),
        (16, [(0x1001, 0x1002, 0x1003), (0x1001, 0x1002, 0x1004)], (0x1001, 0x1002, 0x1003), [255, 16]),
        (16, [(0x1001, 0x1002, 0x1003), (0x1101, 0x1002, 0x1003)], (0x1001, 0x1002, 0x1003), [255, 17]),
    ],
)
def test_a_colour_that_stands_for_transparent_is_compared_in_all_its_bits(
    pictures: Pictures, depth: int, colours: list[tuple[int, ...]], clear: tuple[int, ...], shown: list[int]
):
    picture = hand_in(pictures, stripes(depth, colours, clear))
    image = seen(pictures, picture).convert("RGB")
    assert [image.getpixel((x, 9))[0] for x in (9, SIZE[0] - 9)] == shown  # type: ignore[index]
    assert picture.notes == ("Where it was transparent it is white now.",)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(pictures: Pictures, mode: str):
    image = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    image.paste((10, 20, 30, 0), (0, 0, SIZE[0] // 2, SIZE[1]))
    if mode == "RGBA":
        image.paste((0, 0, 0, 128), (0, SIZE[1] // 2, SIZE[0] // 2, SIZE[1]))
    picture = hand_in(pictures, saved(image.convert(mode), "PNG"))
    white, grey, black = (255,) * 3, (127,) * 3, (0,) * 3
    expected = (white, black, grey if mode == "RGBA" else white, black)
    assert are_alike(corners_of(seen(pictures, picture)), expected, most=2)
    assert picture.notes == ("Where it was transparent it is white now.",)


def test_a_picture_that_only_could_be_transparent_is_not_said_to_be(pictures: Pictures):
    assert hand_in(pictures, saved(quarters(mode="RGBA"), "PNG")).notes == ()


def test_a_photo_of_two_pictures_is_taken_as_a_photo(pictures: Pictures):
    photo = saved(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", SIZE)], quality=95)
    picture = hand_in(pictures, photo)
    assert (picture.media_type, picture.notes) == ("image/jpeg", ())
    assert are_alike(corners_of(seen(pictures, picture)), CORNERS)


def test_what_hides_behind_the_pixels_does_not_come_along(pictures: Pictures):
    page = b"<script>alert(1)</script>PK\3\4"
    for content in (
        saved(quarters(), "PNG") + page,
        saved(quarters(), "JPEG", comment=page),
        saved(quarters(), "GIF") + page,
    ):
        kept = pictures.read(hand_in(pictures, content).sha256)
        assert b"script" not in kept
        assert b"PK\3\4" not in kept


# -- its size ------------------------------------------------------------------------------------------------


def test_more_than_4k_is_made_smaller_in_its_shape(pictures: Pictures):
    picture = hand_in(pictures, saved(Image.new("L", (4000, 2000), 200), "PNG"))
    assert (picture.width, picture.height) == (LONGEST, LONGEST // 2)
    assert picture.notes == ("It was made smaller: no model makes more than 4k of it.",)


def test_a_huge_photo_is_decoded_small(pictures: Pictures):
    """So many pixels would take more memory than the child has."""
    picture = hand_in(pictures, saved(quarters((9_600, 7_200)), "JPEG", quality=50))
    assert (picture.width, picture.height) == (LONGEST, 2880)
    assert are_alike(corners_of(seen(pictures, picture)), CORNERS)


def test_a_picture_that_stays_large_is_made_to_fit(pictures: Pictures):
    noise = Image.frombytes("RGB", (1800, 1500), random.Random(1).randbytes(3 * 1800 * 1500))
    picture = hand_in(pictures, saved(noise, "PNG", compress_level=1))
    assert picture.bytes <= MOST_BYTES
    assert picture.media_type == "image/jpeg"
    assert len(base64.b64encode(pictures.read(picture.sha256))) <= 10_000_000


@given(st.integers(1, 1200), st.integers(1, 1200))
def test_only_sides_and_shapes_that_kling_takes_are_kept(tmp_path_factory, width: int, height: int):
    folder = tmp_path_factory.mktemp("sides")
    file, out = folder / "in", folder / "out"
    file.write_bytes(png(width, height, (b"\0" * (width + 1)) * height, colours=0))
    taken = min(width, height) >= 300 and max(width, height) <= 2.5 * min(width, height)
    if not taken:
        with pytest.raises(Refused, match="small" if min(width, height) < 300 else "ratio"):
            reencode(file, out)
        assert not out.exists()
        return
    facts = reencode(file, out)
    assert (facts["width"], facts["height"]) == (width, height)


@pytest.mark.parametrize(
    ("size", "kind", "kept"),
    [
        ((1200, 300), "PNG", (750, 300)),
        ((320, 1201), "PNG", (320, 800)),
        ((9000, 1200), "JPEG", (3000, 1200)),
        ((9000, 3000), "JPEG", (3840, 1536)),
        ((600, 400), "PNG", (600, 400)),
    ],
)
def test_of_a_picture_of_another_shape_the_middle_is_kept_if_that_is_wanted(
    tmp_path: Path, size: tuple[int, int], kind: str, kept: tuple[int, int]
):
    (tmp_path / "in").write_bytes(saved(quarters(size), kind))
    facts = reencode(tmp_path / "in", tmp_path / "out", crop=True)
    assert (facts["width"], facts["height"]) == kept
    assert ("cropped" in facts["notes"]) == (size != (600, 400))
    with Image.open(tmp_path / "out") as made:
        assert made.size == kept
        assert are_alike(corners_of(made), CORNERS)


def test_the_child_crops_only_what_it_is_asked_to(pictures: Pictures, tmp_path: Path):
    (tmp_path / "long").write_bytes(saved(quarters((1200, 300)), "PNG"))
    with pytest.raises(PictureRefused, match="crop it"):
        pictures.put_file(tmp_path / "long")
    picture = pictures.put_file(tmp_path / "long", crop=True)
    assert picture.is_cropped
    assert (picture.width, picture.height) == (750, 300)


def test_a_text_of_any_length_in_a_png_is_passed_over(pictures: Pictures):
    lines = (b"\0" + bytes(3 * SIZE[0])) * SIZE[1]
    long = zlib.compress(bytes(3_000_000))
    more = chunk(b"zTXt", b"Comment\0\0" + long) + chunk(b"iTXt", b"Comment\0\1\0\0\0" + long)
    picture = hand_in(pictures, png(*SIZE, lines, more=more))
    assert (picture.width, picture.height) == SIZE
    assert picture.bytes < 100_000


# -- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing.*Save it as PNG"),
        (b"\xef\xbb\xbf  <svg/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC picture, as iPhones take them. Save it as JPEG"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "This is a video"),
        (b"%PDF-1.7", "PDF"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"PK\3\4", "ZIP"),
        (b"\xff\xd8\xff\xe0", "damaged at its very beginning"),
        (b"<html><script>alert(1)</script>", "no picture that the studio takes"),
        (b"", "no picture that the studio takes"),
        (turned(1)[:2000], "breaks off before its end"),
        (saved(quarters(), "PNG")[:300], "breaks off before its end"),
        (saved(Image.effect_noise(SIZE, 90), "WEBP")[:2000], "damaged"),
        (damaged(), "The picture is damaged"),
        (bomb(), "30,000 × 30,000 pixels; up to 32 million"),
        (saved(Image.new("L", (299, 400)), "PNG"), "299 × 400 pixels. Kling takes no side below 300"),
        (saved(Image.new("L", (1001, 400)), "PNG"), "1,001 × 400 pixels.*crop it"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_refused_with_the_remedy(pictures: Pictures, content: bytes, words: str):
    assert re.search(words, refused(pictures, content))


def test_a_picture_that_takes_too_much_memory_is_refused(pictures: Pictures, monkeypatch):
    monkeypatch.setattr("kling.studio.pictures.maker.MEMORY", 60 * 2**20)
    content = saved(Image.new("RGB", (5000, 5000)), "PNG", compress_level=1)
    assert "takes more memory or time" in refused(pictures, content)


def test_a_progressive_jpeg_that_takes_too_much_memory_is_refused_with_its_own_remedy(
    pictures: Pictures, monkeypatch
):
    monkeypatch.setattr("kling.studio.pictures.maker.MEMORY", 100 * 2**20)
    content = saved(Image.new("RGB", (4500, 3000)), "JPEG", progressive=True, subsampling=0)
    assert "Save it as a baseline JPEG" in refused(pictures, content)


@given(st.binary(max_size=60), st.integers(0, 2000), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))
def test_bytes_that_were_changed_never_end_the_child_with_an_error(tmp_path_factory, junk, at, kind):
    """Whatever is in a file: it is decoded, or one of the refusals that are known."""
    folder = tmp_path_factory.mktemp("junk")
    content = bytearray(saved(quarters((320, 320)), kind))
    content[at % len(content) : at % len(content) + len(junk)] = junk
    (folder / "in").write_bytes(content)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        main([str(folder / "in"), str(folder / "out")])
    answer = json.loads(said.getvalue())
    assert answer.get("refused") in {None, "kind", "broken", "small", "ratio", "pixels", "work"}
