"""How far downloads are that a page watches. It is kept in memory, of the last ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from kling.studio.take_away.bundle import Taken

MOST = 200  # downloads that are remembered


@dataclass(slots=True)
class HowFar:
    """How far one is.

    Args:
        name: of the file.
        clips: how many were asked for.
        size: bytes of all.
        sent: bytes that have gone.
        state: `stopped` where whoever fetched it went away before its end.
        why: in words, where it has failed.
    """

    name: str = ""
    clips: int = 0
    size: int = 0
    sent: int = 0
    state: Literal["unknown", "sending", "done", "stopped", "failed"] = "unknown"
    why: str = ""


class Progress:
    """Remembers how far downloads are, by a random mark that only the page knows; for threads to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, HowFar] = {}

    def of(self, mark: str) -> dict[str, Any]:
        """Return the fields of `HowFar`; those of an unknown one where nothing is known of the mark."""
        with self._lock:
            return asdict(self._known.get(mark, HowFar()))

    def refused(self, mark: str, why: str) -> None:
        """Remember that nothing is sent, and why."""
        self._remember(mark, HowFar(state="failed", why=why))

    def watched(self, mark: str, taken: Taken, clips: int) -> Iterator[bytes]:
        """Return the chunks of a file, which are counted when they are taken.

        Args:
            mark: random.
            taken: what is sent.
            clips: how many were asked for.
        """
        known = HowFar(taken.name, clips, taken.size, state="sending")
        self._remember(mark, known)
        return _counted(known, taken.chunks)

    def _remember(self, mark: str, known: HowFar) -> None:
        with self._lock:
            self._known.pop(mark, None)
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._known[mark] = known


def _counted(known: HowFar, chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        for chunk in chunks:
            yield chunk
            known.sent += len(chunk)
        known.state = "done"
    except OSError:
        known.state, known.why = "failed", "A clip could not be read to its end. Try again in a moment."
        raise
    finally:
        if known.state == "sending":
            known.state = "stopped"
