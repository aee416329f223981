"""Decodes a picture from outside and writes it anew: eight bits, sRGB, upright, opaque, and no metadata.

It runs as a program in a child process with limits (`limited_child`), and imports nothing of the studio:

    reencode.py FILE OUT [crop]    writes OUT, and prints its facts, or the code of why it is refused, as JSON

What a file is called is not looked at; its bytes say what it is.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Kling takes JPEG and PNG (S2: "jpg/jpeg/png"); what else is decoded here is only ever sent as one of these.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
SHORTEST = 300  # pixels of each side (S2)
WIDEST = 2.5  # the longer side to the shorter one (S2)
# Ours: no model makes more than 4k, so more pixels would only be sent and thrown away.
LONGEST = 3840
# The older API takes 10 MB (S4), the newer one 50 MB (S2). Whether that counts the file or its Base64 is not
# said: this fits in either case.
MOST_BYTES = 7_500_000
# What fits into the memory of the child. A JPEG can be decoded at a half, a quarter or an eighth of its size;
# the decoder of WebP keeps a picture several times.
MOST_PIXELS = {"JPEG": 250_000_000, "PNG": 32_000_000, "GIF": 32_000_000, "WEBP": 12_000_000}
MOST_DECODED = 40_000_000  # pixels
MOST_SURE = 12_000_000  # pixels that fit into the memory of any decoder
MOST_LOSSLESS = 3840 * 2160  # pixels; a larger picture becomes a JPEG
QUALITIES = (95, 90, 80, 70)  # of a JPEG, until it fits
SMALLER = 0.75  # of each side, if none fits

_GREYS = {"L;2": 85, "L;4": 17}  # what the greys of fewer than eight bits are multiplied by when decoded
_ORIENTATION = 0x0112  # of EXIF
_BRANDS = {  # of the container that HEIF and AVIF share with MP4
    b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"heim": "HEIC", b"heis": "HEIC", b"mif1": "HEIC",
    b"msf1": "HEIC", b"avif": "AVIF", b"avis": "AVIF",
}  # fmt: skip
_BEGINNINGS = (
    (b"%PDF", "PDF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\0\0\1\0", "ICO"),
    (b"\x1a\x45\xdf\xa3", "video"),
    (b"PK\3\4", "ZIP"),
)


class Refused(Exception):
    """The picture is not taken.

    Args:
        code: why, as `words` knows it.
        facts: numbers and names that belong into the sentence.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.answer = {"refused": code, **facts}


def reencode(file: Path, out: Path, *, crop: bool = False) -> dict[str, Any]:
    """Write a picture anew, and return its facts. The caller has to set limits, and see to warnings.

    Args:
        file: to read.
        out: to write.
        crop: of one that is too long or too high its middle is kept, in place of a refusal.

    Raises:
        Refused: it is not taken.
        MemoryError: it takes more than the limit.
    """
    from PIL import Image, UnidentifiedImageError

    why = "broken"
    try:
        with Image.open(file, formats=FORMATS) as image:
            whole = image.size
            # Decoders do not say whether memory was what they lacked.
            if image.width * image.height > MOST_SURE:
                why = "progressive" if "progressive" in image.info else "work"
            notes: list[str] = []
            lossless = image.format in {"PNG", "GIF"}
            part = _checked_part(image, crop=crop)
            if image.format == "PNG":
                _check_sums(file)
            if part != whole:
                notes.append("cropped")
            shrink = min(1.0, LONGEST / max(part))
            size = round(part[0] * shrink), round(part[1] * shrink)
            if size != part:
                notes.append("smaller")
            if _is_jpeg(image):
                size = _shrunk_by_decoder(image, size)
            elif getattr(image, "is_animated", False):
                notes.append("animated")
                _pass_over_default(image)
            made = _upright_pixels(image, size, notes, is_part=part != whole)
    except UnidentifiedImageError:
        raise Refused("kind", kind=_kind(file)) from None
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, IndexError, KeyError, TypeError):
        raise Refused(why) from None
    size, kind = _write(made, out, lossless=lossless)
    if size != made.size:
        notes = [note for note in notes if note != "smaller"] + ["fitted"]
    return {"kind": kind, "width": size[0], "height": size[1], "notes": notes}


def _is_jpeg(image: Any) -> bool:
    return image.format in {"JPEG", "MPO"}  # MPO: a photo with its preview, or with what makes it brighter


def _checked_part(image: Any, *, crop: bool) -> tuple[int, int]:
    """Return the size of the part in the middle of a picture that is kept. Nothing was decoded yet."""
    width, height = image.size
    most = MOST_PIXELS["JPEG" if _is_jpeg(image) else image.format]
    if width * height > most:
        raise Refused("pixels", width=width, height=height, most=most)
    if min(width, height) < SHORTEST:
        raise Refused("small", width=width, height=height)
    longest = int(WIDEST * min(width, height))
    if max(width, height) > longest and not crop:
        raise Refused("ratio", width=width, height=height)
    return min(width, longest), min(height, longest)


def _check_sums(file: Path) -> None:
    """Return if each part of a PNG has its check sum, which decoding passes over.

    Raises:
        Refused: it is damaged.
    """
    from PIL import Image

    try:
        with Image.open(file, formats=["PNG"]) as image:
            image.verify()
    except (OSError, SyntaxError):
        raise Refused("broken") from None


def _pass_over_default(image: Any) -> None:
    """Go to the first picture of an animation, where one that only shows without animation is before it."""
    if getattr(image, "default_image", False):
        from PIL.PngImagePlugin import Disposal

        image.dispose_op, image.dispose_extent = Disposal.OP_BACKGROUND, (0, 0, *image.size)
        image.seek(1)


def _shrunk_by_decoder(image: Any, size: tuple[int, int]) -> tuple[int, int]:
    """Let a JPEG be decoded at less than its size; return the size that it gets, at most what is decoded."""
    width, height = image.size
    divisor = 1
    while divisor < 8 and (
        min(width // size[0], height // size[1]) >= 2 * divisor
        or width * height > MOST_DECODED * divisor * divisor
    ):
        divisor *= 2
    image.draft(None, (width // divisor, height // divisor))
    shrink = min(1.0, image.width / size[0], image.height / size[1])
    return round(size[0] * shrink), round(size[1] * shrink)


def _upright_pixels(image: Any, size: tuple[int, int], notes: list[str], *, is_part: bool) -> Any:
    """Return a picture as one sees it, in RGB; what was changed for that is noted.

    Args:
        image: not decoded yet.
        size: that it gets, before it is turned upright.
        notes: get what was changed.
        is_part: only its middle is kept.
    """
    from PIL import Image, ImageChops

    profile = image.info.get("icc_profile")
    bits, alpha = _eight_bits(image)
    orientation = _orientation(image)
    # The decoded picture is the largest thing in memory: what follows takes one band of it after the other.
    hidden = None
    if alpha is not None and alpha.getextrema() != (255, 255):
        hidden = ImageChops.invert(alpha)
        notes.append("opaque")
    box = _middle(bits.size, size) if is_part else (0, 0, *bits.size)
    colours = [band for band in bits.getbands() if band not in "Aa"]
    bands = [_resized(bits.getchannel(band), box, size, hidden) for band in colours]
    made = _in_srgb(Image.merge("".join(colours), bands) if len(bands) > 1 else bands[0], profile)
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    if turn is not None:
        made = made.transpose(turn)
        notes.append("turned")
    made.info = {}
    return made


def _eight_bits(image: Any) -> tuple[Any, Any | None]:
    """Decode a picture; return it in L, LA, RGB, RGBA or CMYK, and its alpha, None if it has none.

    Of 16 bits the higher eight are kept, as browsers show it. A colour that stands for transparent is told
    from others by all of its bits.
    """
    from PIL import Image

    coding, clear = image.tile[0].args if image.tile else "", image.info.get("transparency")
    covered = image.tile[0].extents if image.tile else None
    colour = [clear] if isinstance(clear, int) else clear
    alpha = Image.new("L", image.size) if colour and image.mode in {"1", "L", "I;16", "RGB"} else None
    lower = [value & 255 for value in colour] if alpha else []
    if alpha and coding == "RGB;16B":
        _show_others(alpha, lower, _lower_bits(image.filename))
    image.load()
    if image.mode == "I;16":
        pixels = image.tobytes()  # the lower eight bits first
        if alpha:
            _show_others(alpha, lower, Image.frombytes("L", image.size, pixels[::2]))
        image = Image.frombytes("L", image.size, pixels[1::2])
    if alpha:
        image = image.convert("L") if image.mode == "1" else image
        is_deep = coding in {"I;16B", "RGB;16B"}
        _show_others(alpha, [v >> 8 if is_deep else v * _GREYS.get(coding, 1) for v in colour], image)
        return image, alpha
    if image.format == "GIF" and clear is None and covered not in {None, (0, 0, *image.size)}:
        alpha = Image.new("L", image.size)  # the first picture of an animation need not cover all of it
        alpha.paste(255, covered)
        return image.convert("RGB"), alpha
    if image.mode not in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        image = image.convert("RGBA" if clear is not None or image.mode == "PA" else "RGB")
    return image, image.getchannel("A") if "A" in image.getbands() else None


def _lower_bits(file: str) -> Any:
    """Return the lower eight bits of a PNG of 16: it is decoded as if they were the higher ones."""
    from PIL import Image

    with Image.open(file, formats=["PNG"]) as image:
        _pass_over_default(image)
        image.tile = [image.tile[0]._replace(args="RGB;16L")]
        image.load()
    return image


def _show_others(alpha: Any, colour: Sequence[int], image: Any) -> None:
    """Make opaque what has another colour; of one band after the other, as all of them are large."""
    for band, value in enumerate(colour):
        others = image.getchannel(band).point([255 * (each != value) for each in range(256)])
        alpha.paste(255, (0, 0, *alpha.size), others)


def _middle(whole: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the largest part of a picture that has a shape: left, top, right, bottom."""
    scale = min(whole[0] / shape[0], whole[1] / shape[1])
    width, height = round(shape[0] * scale), round(shape[1] * scale)
    left, top = (whole[0] - width) // 2, (whole[1] - height) // 2
    return left, top, left + width, top + height


def _resized(band: Any, box: tuple[int, int, int, int], size: tuple[int, int], hidden: Any | None) -> Any:
    """Return a part of a band of a colour, smaller, and on white where it is transparent."""
    from PIL import Image

    if hidden is not None:
        band.paste(255, (0, 0, *band.size), hidden)
    return band if band.size == size else band.resize(size, Image.Resampling.LANCZOS, box)


def _in_srgb(image: Any, profile: Any) -> Any:
    """Return a picture whose colours are those of sRGB, which is what a decoder without a profile assumes."""
    from PIL import ImageCms

    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            made = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            made = None  # of another kind of colours than the pixels, or damaged: browsers ignore it too
        if made is not None:
            return made
    return image if image.mode == "RGB" else image.convert("RGB")


def _orientation(image: Any) -> int:
    """Return how a picture lies, as Chromium shows it: it reads neither XMP nor the EXIF of a WebP."""
    from PIL import Image

    exif, found = Image.Exif(), image.info.get("exif")
    if image.format == "WEBP" or not found:
        return 1
    try:
        exif.load(found)
        value = exif.get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - whatever is odd about it, the picture is there
        return 1
    return value if isinstance(value, int) else 1


def _write(image: Any, out: Path, *, lossless: bool) -> tuple[tuple[int, int], str]:
    """Write a picture so that it fits the limit; return its size and its format."""
    from PIL import Image

    if lossless and image.width * image.height <= MOST_LOSSLESS:
        image.save(out, "PNG", compress_level=4)
        if out.stat().st_size <= MOST_BYTES:
            return image.size, "PNG"
    while True:
        for quality in QUALITIES:
            image.save(out, "JPEG", quality=quality, subsampling=0)
            if out.stat().st_size <= MOST_BYTES:
                return image.size, "JPEG"
        image = image.resize(
            (round(image.width * SMALLER), round(image.height * SMALLER)), Image.Resampling.LANCZOS
        )


def _kind(file: Path) -> str:
    """Return what a file is that is no picture of the kinds that are taken; empty if that is not known."""
    with file.open("rb") as content:
        head = content.read(1024)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video")
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text:
        return "SVG"
    if head.startswith((b"\xff\xd8", b"\x89PNG", b"GIF8")) or head[8:12] == b"WEBP":
        return "damaged"
    return ""


def main(arguments: Sequence[str]) -> None:
    """Print the facts of a picture, or why it is refused, as JSON.

    Args:
        arguments: the file, where the picture goes, and `crop` if it may be cropped.
    """
    file, out, *crop = arguments
    try:
        answer = reencode(Path(file), Path(out), crop=crop == ["crop"])
    except Refused as refused:
        answer = refused.answer
    except MemoryError:
        answer = {"refused": "work"}
    print(json.dumps(answer))  # noqa: T201 - the answer


def _own_limits() -> None:
    """Let pixels be counted here and not by the library, and say nothing about odd metadata.

    The texts of a PNG are passed over: none is kept, and the library takes a long one for damage.
    """
    from PIL import Image, PngImagePlugin

    Image.MAX_IMAGE_PIXELS = None
    for kind in ("tEXt", "zTXt", "iTXt"):
        setattr(PngImagePlugin.PngStream, f"chunk_{kind}", lambda stream, _at, size: stream.fp.read(size))
    warnings.simplefilter("ignore")


if __name__ == "__main__":
    _own_limits()
    main(sys.argv[1:])
