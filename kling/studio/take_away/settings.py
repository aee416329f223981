"""Which facts of a job its copy carries, and how they are read from any file.

A copy that somebody sends on holds what the clip was made from, and nothing of who made it, what it cost, or
what people said of it. The sidecar in a ZIP holds the whole record, as an export does.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kling.endpoint import ENDPOINTS, AnyRequest
from kling.studio.jobs import Job, dump_json, json_object, request_of
from kling.studio.jobs.columns import column_of
from kling.studio.jobs.record import endpoint_named
from kling.studio.library.export import EXPORTED, record_of
from kling.studio.library.facts import texts_of
from kling.studio.printable import printable
from kling.studio.spending import counted_at
from kling.studio.take_away import mp4_text
from kling.studio.take_away.mp4_text import COMMENT, DAY, TITLE, TOOL, Copy
from kling.text import storable

MARK = "kling_studio"  # the key that says that a comment is one of ours; its value counts versions
PARTS = "parts"  # the key under which a film has the records of its clips
VERSION = 1
TOOL_NAME = "Kling prompt studio"
LONGEST_TITLE = 100  # characters
LONGEST_WORDS = 2_000  # of a stranger's comment that are shown
LONGEST_CELL = 100_000
LONGEST_CARRIED = 20_000  # a longer cell, as of a picture, is left out of a copy
MOST_SIDECARS = 10_000
MOST_PARTS = 100  # of a film that are read
MOST_OF_ONE = 2**20  # bytes of a sidecar
MOST_OF_ALL = 64 * 2**20  # of all sidecars of a ZIP
MOST_OF_LIST = 8 * 2**20  # of the list of its files
_END = struct.Struct("<4s8xI6x")  # of a ZIP: its mark, and how long the list is
_OF_A_REQUEST = frozenset(column_of(name) for endpoint in ENDPOINTS for name in endpoint.request.FIELDS)
CARRIED = frozenset(
    _OF_A_REQUEST - {"callback_url"}
    | {"external_task_id", "state", "ordered_at", "ended_at", "times", "endpoint", "parent"}
    | {"video_duration", "file_sha256", "extra"}
)
_OF_EXTRA = ("take", "probe", "continues")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says of itself.

    Args:
        record: of a job, as an export has it, if it is a copy of a studio; else empty.
        parts: the records of the clips that a film of a studio was joined from.
        title: any file's.
        words: of a comment that is not ours, or of a description, to be shown as text.
    """

    record: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    words: str = ""
    parts: tuple[Mapping[str, str], ...] = ()

    @property
    def records(self) -> tuple[Mapping[str, str], ...]:
        """The record of the clip, or those of the clips of a film."""
        return (self.record,) if self.record else self.parts

    @property
    def request(self) -> AnyRequest | None:
        """The request that the clip was made from; None if the file does not say it."""
        endpoint = endpoint_named(self.record.get("endpoint", ""))
        return request_of(self.record, endpoint) if self.record and endpoint else None


def copy_of(job: Job, clip: Path) -> Copy:
    """Return a copy of a clip with what it was made from in its metadata; the file stays as it is.

    Args:
        job: whose clip it is.
        clip: the file.

    Raises:
        OSError: it cannot be read.
    """
    prompt = next((text for name, text in texts_of(job) if name.startswith(("prompt", "shot"))), "")
    title = " ".join(storable(prompt).split())
    texts = {
        TITLE: title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        DAY: counted_at(job).isoformat(timespec="seconds"),
        TOOL: TOOL_NAME,
        COMMENT: dump_json({MARK: VERSION, **carried(job)}),
    }
    return mp4_text.with_texts(clip, {kind: storable(text) for kind, text in texts.items() if text})


def carried(job: Job) -> dict[str, str]:
    """Return the facts of a job that its copy carries, as an export has them."""
    record = {
        name: cell
        for name, cell in record_of(job, prices=False).items()
        if name in CARRIED and len(cell) <= LONGEST_CARRIED
    }
    extra = {name: value for name, value in job.extra.items() if name in _OF_EXTRA}
    record.pop("extra", None)
    return record | ({"extra": dump_json(extra)} if extra else {})


def read_clip(source: Path | bytes) -> Found:
    """Return what a video says of itself. It may come from anybody: nothing of it is more than text.

    Args:
        source: a path, or all bytes of the file.

    Raises:
        OSError: it cannot be read.
    """
    texts = mp4_text.read_texts(source)
    title = _shown(texts.get(TITLE, ""), LONGEST_TITLE)
    comment = texts.get(COMMENT, "")
    if record := record_in(comment):
        return Found(record, title)
    if parts := parts_in(comment):
        return Found(title=title, parts=parts)
    return Found(title=title, words=_shown(comment or texts.get(b"desc", ""), LONGEST_WORDS))


def record_in(text: str) -> Mapping[str, str]:
    """Return the record of a job in the JSON of a comment; empty if it is none of ours."""
    if f'"{MARK}"' not in text:
        return {}
    found = json_object(text)
    if not isinstance(found.get(MARK), int):
        return {}
    return {name: cell for name, cell in _cells(found).items() if name in CARRIED}


def read_sidecar(source: bytes) -> Found:
    """Return what a sidecar says, or the first line of an export. It may come from anybody, as a clip may.

    Args:
        source: all bytes of the file; what is too large for a sidecar says nothing.
    """
    line = next(iter(source[: MOST_OF_ONE + 1].strip().splitlines()), b"")
    if len(source) > MOST_OF_ONE or not line:
        return Found()
    found = json_object(line.decode("utf-8", "replace")) or json_object(source.decode("utf-8", "replace"))
    if "endpoint" not in found:
        return Found()
    return Found({name: cell for name, cell in _cells(found).items() if name in CARRIED})


def parts_in(text: str) -> tuple[Mapping[str, str], ...]:
    """Return the records of the clips of a film in the JSON of a comment; none if it is none of ours."""
    found = json_object(text) if f'"{MARK}"' in text and f'"{PARTS}"' in text else {}
    parts = found.get(PARTS)
    if not isinstance(found.get(MARK), int) or not isinstance(parts, list):
        return ()
    cells = (_cells(part) for part in parts[:MOST_PARTS] if isinstance(part, dict))
    return tuple({name: cell for name, cell in part.items() if name in CARRIED} for part in cells if part)


def sidecar_of(job: Job, files: Mapping[str, str], *, prices: bool) -> bytes:
    """Return the facts of a job as one line of JSON, which the import reads as a line of an export.

    Args:
        job: any.
        files: names of its files beside the sidecar, by what they are.
        prices: whether what it cost is among the facts.
    """
    record: dict[str, Any] = dict(record_of(job, prices=prices))
    for name in ("times", "opinions", "extra"):
        if name in record:
            record[name] = json.loads(record[name])
    return f"{dump_json({**record, 'files': dict(files)})}\n".encode()


def sidecars_in(bundle: bytes) -> bytes:
    """Return the sidecars of a ZIP, as the lines of an export.

    Raises:
        ValueError: it is no ZIP that can be read, there is no sidecar in it, or it holds too much.
    """
    if _list_of(bundle) > MOST_OF_LIST:
        raise ValueError("There are too many files in the ZIP.")
    try:
        with zipfile.ZipFile(io.BytesIO(bundle)) as found:
            names = [each for each in found.infolist() if each.filename.lower().endswith(".json")]
            if sum(each.file_size for each in names) > MOST_OF_ALL or len(names) > MOST_SIDECARS:
                raise ValueError("The sidecars in the ZIP are too many or too large.")
            lines = [_unpacked(found, each).strip() for each in names]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:
        raise ValueError("The ZIP cannot be read.") from error
    if not any(lines):
        raise ValueError("There is no sidecar (.json) in the ZIP.")
    return b"\n".join(lines)


def _list_of(bundle: bytes) -> int:
    """Return how long the list of files in a ZIP is, as its end says, where `zipfile` looks for that."""
    at = len(bundle) - _END.size
    if bundle[at : at + 4] != b"PK\5\6":
        at = bundle.rfind(b"PK\5\6", max(at - 2**16, 0))
    return int(_END.unpack_from(bundle, at)[1]) if 0 <= at <= len(bundle) - _END.size else 0


def _unpacked(bundle: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with bundle.open(member) as file:  # no more comes out of it than it says
        text = file.read(MOST_OF_ONE + 1)
    return text if len(text) <= MOST_OF_ONE else b""


def _cells(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: storable(cell if isinstance(cell, str) else dump_json(cell), LONGEST_CELL)
        for name, cell in found.items()
        if name in EXPORTED and cell is not None
    }


def _shown(text: str, most: int) -> str:
    """Return a stranger's text without what cannot be seen."""
    return storable(printable(storable(text, 4 * most)).strip(), most)
