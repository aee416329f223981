"""Texts in the metadata of an MP4 file, where players and FFmpeg look for them (`moov/udta/meta/ilst`).

Nothing is decoded and no frame is touched: pictures, sound, and every box that this module does not know stay
as they are, so marks of where a clip comes from survive. What is added makes the part with the tables
(`moov`) longer, and the tables' offsets of what follows it are raised by that.

A file that is not as simple as that is left alone.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO

TITLE, COMMENT, DAY, TOOL = b"\xa9nam", b"\xa9cmt", b"\xa9day", b"\xa9too"
MOST_TABLES = 16 * 2**20  # bytes of `moov`; 15 s take about 20 kB
MOST_BOXES = 10_000  # at one level
MOST_ITEMS = 200  # texts that are read
MOST_PARTS = 10  # of an item in which its text is looked for
LONGEST = 256 * 1024  # bytes of a text that are read
CHUNK = 256 * 1024

_WAY = (b"trak", b"mdia", b"minf", b"stbl")  # to the offsets
# Files with these name places in another way too.
_OTHERWISE = frozenset({b"moof", b"mfra", b"sidx", b"ssix", b"meta", b"styp"})
_HANDLER = b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0"
_CHANGED = "A clip was changed while it was read."
_UTF8 = struct.pack(">II", 1, 0)


class _Odd(Exception):
    """The file is not built as this module understands it."""


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a file, to be read in parts. It is made while it is read, so many of them take no memory.

    Args:
        path: of the file.
        size: bytes of the copy.
        texts: in its metadata; None where the copy is the file as it is.
    """

    path: Path
    size: int
    texts: Mapping[bytes, str] | None = None

    @property
    def tag(self) -> str:
        """A digest that is the same as long as the copy is.

        Raises:
            OSError: the file cannot be read.
        """
        texts = sorted(self.texts.items()) if self.texts else []
        facts = (self.path.name, self.path.stat().st_mtime_ns, self.size, texts)
        return sha256(repr(facts).encode()).hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the copy.

        Raises:
            OSError: the file cannot be read to its end, or has changed meanwhile.
        """
        with self.path.open("rb") as file:
            left = self.size
            if self.texts is not None:
                try:
                    moov, tables = _tables(file, self.path.stat().st_size, self.texts)
                except (_Odd, struct.error):
                    raise OSError(_CHANGED) from None
                file.seek(0)
                yield from _part(file, moov.start)
                yield tables
                file.seek(moov.end)
                left -= moov.start + len(tables)
            yield from _part(file, left)


def with_texts(path: Path, texts: Mapping[bytes, str]) -> Copy:
    """Return a copy of a file that has these texts; of a file that is odd, the file as it is.

    Args:
        path: of an MP4 file.
        texts: by the names above; each replaces a text of that name.

    Raises:
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            moov, tables = _tables(file, size, texts)
    except (_Odd, struct.error):
        return Copy(path, size)
    return Copy(path, size + len(tables) - (moov.end - moov.start), texts)


def read_texts(source: Path | bytes) -> Mapping[bytes, str]:
    """Return the texts of a file, by their names of four bytes; none of a file that has none or is odd.

    The file may come from anybody: its size, the number of boxes, and the number and the length of texts are
    bounded, and what is no UTF-8 is shown with a mark for each fault.

    Args:
        source: a path, or all bytes of the file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            tables = [box for box in _top(file, size) if box.kind == b"moov"]
            body = _read(file, tables[0]) if tables else b""
        items = _items(body)
        return {kind: text for kind, text in items if text}
    except (_Odd, struct.error):
        return {}


# -- reading -------------------------------------------------------------------------------------------------


def _top(file: BinaryIO, size: int) -> list[_Box]:
    """Return the boxes of a file, from their heads alone."""
    found: list[_Box] = []
    at = 0
    while at < size:
        file.seek(at)
        found.append(_box(file.read(16), at, size))
        at = found[-1].end
        if len(found) > MOST_BOXES:
            raise _Odd
    return found


def _box(head: bytes, at: int, end: int) -> _Box:
    """Return the box whose head this is."""
    if len(head) < 8:
        raise _Odd
    length, kind = struct.unpack_from(">I4s", head)
    body = 8
    if length == 1:
        (length,) = struct.unpack_from(">Q", head, 8)
        body = 16
    elif length == 0:
        length = end - at
    if length < body or at + length > end:
        raise _Odd
    return _Box(kind, at, at + body, at + length)


def _inside(data: bytes | bytearray, start: int, end: int) -> Iterator[_Box]:
    """Yield the boxes between two places."""
    at, number = start, 0
    while end - at >= 8:  # some files end a list of boxes with four zeros
        box = _box(bytes(data[at : min(at + 16, end)]), at, end)
        yield box
        at, number = box.end, number + 1
        if number > MOST_BOXES:
            raise _Odd


def _read(file: BinaryIO, box: _Box) -> bytes:
    if box.end - box.body > MOST_TABLES:
        raise _Odd
    file.seek(box.body)
    return file.read(box.end - box.body)


def _first(data: bytes, kind: bytes, start: int, end: int) -> _Box | None:
    return next((box for box in _inside(data, start, end) if box.kind == kind), None)


def _meta_body(data: bytes, meta: _Box) -> int:
    """Return where the boxes of a `meta` begin; QuickTime leaves its version out."""
    return meta.body if data[meta.body + 4 : meta.body + 8] == b"hdlr" else meta.body + 4


def _list_of(data: bytes) -> tuple[_Box | None, _Box | None, _Box | None]:
    """Return `udta`, the `meta` in it that has texts, and the `ilst` in that, as far as there are any."""
    if (udta := _first(data, b"udta", 0, len(data))) is None:
        return None, None, None
    if (meta := _first(data, b"meta", udta.body, udta.end)) is None:
        return udta, None, None
    start = _meta_body(data, meta)
    handler = _first(data, b"hdlr", start, meta.end)
    if handler is None or data[handler.body + 8 : handler.body + 12] != b"mdir":
        raise _Odd
    return udta, meta, _first(data, b"ilst", start, meta.end)


def _items(data: bytes) -> Iterator[tuple[bytes, str]]:
    _, _, ilst = _list_of(data)
    for number, item in enumerate(_inside(data, ilst.body, ilst.end) if ilst else ()):
        if number >= MOST_ITEMS:
            return
        parts = islice(_inside(data, item.body, item.end), MOST_PARTS)
        value = next((part for part in parts if part.kind == b"data"), None)
        if value is not None and data[value.body + 3 : value.body + 4] == b"\x01":
            text = data[value.body + 8 : min(value.end, value.body + 8 + LONGEST)]
            yield item.kind, text.decode("utf-8", "replace")


# -- writing -------------------------------------------------------------------------------------------------


def _made(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _tables(file: BinaryIO, size: int, texts: Mapping[bytes, str]) -> tuple[_Box, bytes]:
    """Return where the tables of a file lie, and what stands there in a copy with these texts."""
    boxes = _top(file, size)
    found = [box for box in boxes if box.kind == b"moov"]
    if len(found) != 1 or any(box.kind in _OTHERWISE for box in boxes):
        raise _Odd
    moov = found[0]
    new = bytearray(_made(b"moov", _with_texts(_read(file, moov), texts)))
    _move(new, moov.end, len(new) - (moov.end - moov.start))
    return moov, bytes(new)


def _with_texts(moov: bytes, texts: Mapping[bytes, str]) -> bytes:
    """Return the inside of `moov` with these texts in the place of those of the same names."""
    udta, meta, ilst = _list_of(moov)
    new = b"".join(_made(kind, _made(b"data", _UTF8, text.encode())) for kind, text in texts.items())
    kept = b"".join(
        moov[item.start : item.end]
        for item in (_inside(moov, ilst.body, ilst.end) if ilst else ())
        if item.kind not in texts
    )
    listed = _made(b"ilst", new, kept)
    if meta is None:
        inside = _made(b"meta", b"\0\0\0\0", _made(b"hdlr", _HANDLER), listed)
    else:
        at = ilst or _Box(b"ilst", meta.end, meta.end, meta.end)
        inside = _made(b"meta", moov[meta.body : at.start], listed, moov[at.end : meta.end])
    if udta is None:
        return moov + _made(b"udta", inside)
    at = meta or _Box(b"meta", udta.body, udta.body, udta.body)
    whole = _made(b"udta", moov[udta.body : at.start], inside, moov[at.end : udta.end])
    return moov[: udta.start] + whole + moov[udta.end :]


def _move(moov: bytearray, end: int, more: int) -> None:
    """Raise every offset of what lies behind the tables.

    Args:
        moov: the whole box.
        end: of the old tables in the file.
        more: bytes by which they have grown.
    """
    places = [(8, len(moov))]
    for kind in _WAY:
        places = [
            (box.body, box.end)
            for start, stop in places
            for box in _inside(moov, start, stop)
            if box.kind == kind
        ]
    for start, stop in places:
        for box in _inside(moov, start, stop):
            if box.kind in {b"stco", b"co64"}:
                _raise_offsets(moov, box, end, more)
            elif box.kind in {b"saio", b"saiz"}:
                raise _Odd


def _raise_offsets(moov: bytearray, box: _Box, end: int, more: int) -> None:
    form = "I" if box.kind == b"stco" else "Q"
    (count,) = struct.unpack_from(">I", moov, box.body + 4)
    if count * struct.calcsize(f">{form}") > box.end - box.body - 8:
        raise _Odd
    offsets = struct.unpack_from(f">{count}{form}", moov, box.body + 8)
    struct.pack_into(
        f">{count}{form}", moov, box.body + 8, *(each + more if each >= end else each for each in offsets)
    )


def _part(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left > 0:
        if not (chunk := file.read(min(CHUNK, left))):
            raise OSError(_CHANGED)
        left -= len(chunk)
        yield chunk
