"""A picture in a request: the address of one, its bytes in Base64, or the name under which a caller keeps it.

The name is the SHA-256 of the bytes in hexadecimal. It is what records hold; the bytes take its place when
the request is sent (`inserted`). What Kling takes: an https address or raw Base64 without `data:`, JPEG or
PNG, each side at least 300 pixels, between 1:2.5 and 2.5:1, at most 10 MB in the older generation of the API
and 50 MB in the newer (S2, S4). Only the form of the value is judged here; whoever has the bytes checks them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kling.errors import InvalidRequest
from kling.problems import Problem, is_whole_address

FIELDS = ("image", "image_tail")
MOST_BYTES = 10 * 10**6  # of a picture in the older generation (S4); 10 MB, whichever MB is meant
LONGEST_ADDRESS = 2048  # characters; ours
_NAME = re.compile("[0-9a-f]{64}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")

PictureBytes = Callable[[str], bytes]  # returns the bytes of a picture by its name


def is_name(value: str) -> bool:
    """Whether a value is the name of a picture, and neither its address nor its bytes."""
    return _NAME.fullmatch(value) is not None


def is_reference(value: str) -> bool:
    """Whether a value is the name of a picture or its address, and so has none of its bytes."""
    return is_name(value) or (len(value) <= LONGEST_ADDRESS and is_whole_address(value))


def picture_problems(field: str, value: str, title: str) -> Iterator[Problem]:
    """Yield what is wrong with a picture that a request names.

    Args:
        field: of the request.
        value: of the field, not empty.
        title: what the picture is, as a sentence says it.
    """
    if is_name(value) or (len(value) <= LONGEST_ADDRESS and is_whole_address(value, schemes=("https",))):
        return
    if value.startswith("data:"):
        yield Problem(field, f"Give the bytes of {title} as Base64 alone, without “data:…,” before it.")
    elif len(value) > MOST_BYTES * 4 / 3 + 4:
        yield Problem(field, f"The picture for {title} is larger than 10 MB.")
    elif not _BASE64.fullmatch(value):
        yield Problem(field, f"Give {title} as an https address, or as its bytes in Base64.")


def inserted(body: Mapping[str, Any], picture_bytes: PictureBytes | None) -> Mapping[str, Any]:
    """Return the body of a create call with the bytes of its pictures in the place of their names.

    Args:
        body: of a request.
        picture_bytes: gives the bytes by the name.

    Raises:
        InvalidRequest: a picture is not there any more; the body must not be sent.
    """
    names = {field: body[field] for field in FIELDS if is_name(str(body.get(field, "")))}
    return {**body, **{field: _base64(field, name, picture_bytes) for field, name in names.items()}}


def _base64(field: str, name: str, picture_bytes: PictureBytes | None) -> str:
    try:
        found = picture_bytes(name) if picture_bytes else None
    except (OSError, LookupError, ValueError):
        found = None
    if found is None:
        raise InvalidRequest([Problem(field, "The picture is not there any more: choose it again.")])
    return base64.b64encode(found).decode()
