"""A ZIP of clips, made while it is sent: no copy of it lies on the disk or in memory.

For each job it has the clip with its settings in its metadata, the poster, and a sidecar with the whole
record; and at the end `SHA256SUMS`, which `sha256sum -c` verifies. Its size is known before its first byte,
so that a browser can show how far it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256

from kling.studio.archive import Archive
from kling.studio.jobs import Job
from kling.studio.take_away.mp4_text import Copy
from kling.studio.take_away.names import file_stem, name_key, unlike
from kling.studio.take_away.settings import copy_of, sidecar_of

MANIFEST = "SHA256SUMS"
_DIGEST = 64  # characters


@dataclass(frozen=True, slots=True)
class Taken:
    """A file to take away.

    Args:
        name: under which it is kept.
        kind: its media type.
        size: bytes.
        chunks: its bytes, once. They raise OSError if a clip cannot be read to its end.
        tag: the same while they are; empty where nobody knows that.
    """

    name: str
    kind: str
    size: int
    chunks: Iterator[bytes]
    tag: str = ""


def take_clip(job: Job, archive: Archive, zone: tzinfo) -> Taken:
    """Return the copy of one clip.

    Args:
        job: has a clip.
        archive: where it lies.
        zone: whose days count.

    Raises:
        OSError: it cannot be read.
    """
    copy = copy_of(job, archive.video(job.id))
    return Taken(f"{file_stem(job, zone)}.mp4", "video/mp4", copy.size, copy.chunks(), copy.tag)


def take_all(jobs: Iterable[Job], archive: Archive, zone: tzinfo, *, prices: bool) -> Taken:
    """Return a ZIP of clips.

    Args:
        jobs: that have clips.
        archive: where they lie.
        zone: whose days count.
        prices: whether the sidecars say what they cost.

    Raises:
        OSError: one of the files cannot be read.
    """
    from zipstream import ZipStream

    bundle, sums, taken = ZipStream(sized=True), _Sums(), set[str]()
    for job in jobs:
        stem = unlike(file_stem(job, zone), taken)
        taken.add(name_key(stem))
        copy = copy_of(job, archive.video(job.id))
        poster = archive.poster(job.id)
        files = {"clip": f"{stem}.mp4"} | ({"poster": f"{stem}.jpg"} if poster.exists() else {})
        sidecar = sidecar_of(job, files, prices=prices)
        bundle.add(sums.of(f"{stem}.mp4", copy.chunks()), f"{stem}.mp4", size=copy.size)
        if "poster" in files:
            picture = Copy(poster, poster.stat().st_size)
            bundle.add(sums.of(f"{stem}.jpg", picture.chunks()), f"{stem}.jpg", size=picture.size)
        bundle.add(sums.of(f"{stem}.json", iter((sidecar,))), f"{stem}.json", size=len(sidecar))
    bundle.add(sums.lines(), MANIFEST, size=sums.size)
    return Taken(f"clips_{len(taken)}.zip", "application/zip", len(bundle), iter(bundle))


class _Sums:
    """Digests of files while they pass."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._digests: dict[str, str] = {}

    @property
    def size(self) -> int:
        """Bytes of the lines."""
        return sum(_DIGEST + 2 + len(name.encode()) + 1 for name in self._names)

    def of(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Return the chunks of a file, which are counted when they are taken."""
        self._names.append(name)
        return self._counted(name, chunks)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, once every file has passed."""
        yield "".join(f"{self._digests[name]}  {name}\n" for name in self._names).encode()

    def _counted(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        digest = sha256()
        for chunk in chunks:
            digest.update(chunk)
            yield chunk
        self._digests[name] = digest.hexdigest()
