"""Pictures as people hand them in, whole and hostile."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms

from kling.studio.pictures.store import Picture, Pictures

SIZE = (480, 320)
CORNERS = ((255, 0, 0), (0, 160, 0), (0, 0, 255), (240, 200, 0))  # top left, top right, bottom left, right


def quarters(size: tuple[int, int] = SIZE, mode: str = "RGB") -> Image.Image:
    """Return a picture of four colours, so that one sees how it lies."""
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for number, colour in enumerate(CORNERS):
        image.paste(colour, (number % 2 * width, number // 2 * height, size[0], size[1]))
    return image if mode == "RGB" else image.convert(mode)


def corners_of(image: Image.Image) -> tuple[tuple[int, ...], ...]:
    """Return the colours in the middle of each quarter, in the order of `CORNERS`."""
    rgb = image.convert("RGB")
    places = [
        (x, y) for y in (rgb.height // 4, rgb.height * 3 // 4) for x in (rgb.width // 4, rgb.width * 3 // 4)
    ]
    return tuple(tuple(rgb.getpixel(place)) for place in places)  # type: ignore[arg-type]


def are_alike(one: tuple[tuple[int, ...], ...], other: tuple[tuple[int, ...], ...], most: int = 12) -> bool:
    """Whether colours differ by no more than a codec changes them."""
    return all(
        abs(a - b) <= most
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def turned(orientation: int) -> bytes:
    """Return a JPEG that a viewer turns, with the place and the person in its metadata."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = "Ada Lovelace"  # artist
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)  # latitude
    return saved(quarters(), "JPEG", exif=exif, quality=95, comment=b"Ada was here")


def sixteen_bits() -> bytes:
    """Return a PNG of 16 bits, RGB: a ramp from black to white."""
    width, height = SIZE
    line = b"".join(struct.pack(">HHH", *[x * 65535 // (width - 1)] * 3) for x in range(width))
    return png(width, height, (b"\0" + line) * height, depth=16, colours=2)


def sixteen_bits_of_grey() -> bytes:
    width, height = SIZE
    line = b"".join(struct.pack(">H", x * 65535 // (width - 1)) for x in range(width))
    return png(width, height, (b"\0" + line) * height, depth=16, colours=0)


def stripes(depth: int, colours: list[tuple[int, ...]], clear: tuple[int, ...]) -> bytes:
    """Return a PNG of stripes in grey or RGB, of which one colour stands for transparent."""
    width, height = SIZE
    values = [value for x in range(width) for value in colours[x * len(colours) // width]]
    bits = "".join(f"{value:0{depth}b}" for value in values)
    line = int(bits, 2).to_bytes(len(bits) // 8)
    kind = 2 if len(clear) == 3 else 0
    more = chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    return png(width, height, (b"\0" + line) * height, depth=depth, colours=kind, more=more)


def damaged() -> bytes:
    """Return a PNG of which one byte of the pixels was changed: what comes after it is decoded to others."""
    content = bytearray(saved(Image.effect_noise(SIZE, 90), "PNG"))
    content[len(content) // 2] ^= 255
    return bytes(content)


def png(
    width: int, height: int, lines: bytes, *, depth: int = 8, colours: int = 2, more: bytes = b""
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + more
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int = 30_000) -> bytes:
    """Return a PNG of some kilobytes that says it has many pixels, and almost has them."""
    packer = zlib.compressobj(9)
    line = bytes(3 * side + 1)
    data = b"".join(packer.compress(line) for _ in range(200)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def swapped_profile() -> bytes:
    """Return the profile of a screen whose red and blue are the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {
        bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)
    }
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


def hand_in(pictures: Pictures, content: bytes) -> Picture:
    """Hand in a file of this content."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return pictures.put_file(Path(file.name))
