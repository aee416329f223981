"""What is said of a picture that is refused, and of one that was changed. The child only gives codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS: Mapping[str, str] = {
    "SVG": "This is an SVG drawing, which has no pixels of its own. Save it as PNG.",
    "HEIC": "This is an HEIC picture, as iPhones take them. Save it as JPEG.",
    "AVIF": "This is an AVIF picture. Save it as JPEG or PNG.",
    "PDF": "This is a PDF. Save its page as PNG.",
    "TIFF": "This is a TIFF picture. Save it as PNG.",
    "BMP": "This is a BMP picture. Save it as PNG.",
    "Photoshop": "This is a Photoshop file. Save it as PNG.",
    "JPEG XL": "This is a JPEG XL picture. Save it as JPEG or PNG.",
    "JPEG 2000": "This is a JPEG 2000 picture. Save it as JPEG or PNG.",
    "ICO": "This is an icon. Save it as PNG.",
    "video": "This is a video. Take one of its frames, saved as PNG.",
    "ZIP": "This is a ZIP. Unpack it, and take the picture in it.",
    "damaged": "The picture is damaged at its very beginning. Save or copy it again.",
}
NO_PICTURE = "This is no picture that the studio takes: use a JPEG, PNG, WebP or GIF file."
TOO_MUCH = (
    "The picture cannot be read: it is damaged, or takes more memory or time than the studio allows. Save it "
    "again, smaller."
)
PROGRESSIVE = (
    "The picture cannot be read: it is damaged, or takes more memory than the studio allows, as large "
    "progressive JPEGs do. Save it as a baseline JPEG, or smaller."
)
NO_FRAME = "No frame of the clip can be read at that place."
STOPPED = "The studio is stopping, so the picture was not taken."
CROPPED = "Only its middle is kept."
NOTES: Mapping[str, str] = {
    "cropped": CROPPED,
    "animated": "It is animated: its first picture is used.",
    "turned": "It was turned upright.",
    "opaque": "Where it was transparent it is white now.",
    "fitted": "It was made smaller, so that it is no larger than Kling takes.",
    "smaller": "It was made smaller: no model makes more than 4k of it.",
}


def refusal(answer: Mapping[str, Any]) -> str:
    """Return why a picture is refused, and what to do. The answer is a child's, so it may be anything."""
    code = answer.get("refused")
    width, height = _number(answer.get("width")), _number(answer.get("height"))
    if code == "kind":
        return KINDS.get(str(answer.get("kind")), NO_PICTURE)
    if code == "broken":
        return "The picture is damaged, or it breaks off before its end. Save or copy it again."
    if code == "pixels":
        most = _number(answer.get("most")) // 1_000_000
        return (
            f"The picture says that it has {width:,} × {height:,} pixels; up to {most} million are read. "
            "Save a smaller one."
        )
    if code == "small":
        return (
            f"The picture has {width:,} × {height:,} pixels. Kling takes no side below 300 pixels: use a "
            "larger one."
        )
    if code == "ratio":
        return (
            f"The picture has {width:,} × {height:,} pixels. Kling takes none whose longer side is more than "
            "2.5 times the shorter one: crop it."
        )
    return PROGRESSIVE if code == "progressive" else TOO_MUCH


def notes(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was changed of a picture, each as a sentence."""
    found = answer.get("notes")
    known = found if isinstance(found, list) else ()
    return tuple(NOTES[note] for note in known if isinstance(note, str) and note in NOTES)


def _number(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < 2**40 else 0
