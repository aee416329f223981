"""Who still needs a picture: jobs of the log, drafts, and templates of the team.

They name it by its SHA-256. So it is looked for in all their texts, whatever field a later version keeps it
in: a picture that is kept for nothing is deleted later, one that is deleted too early is lost.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator

from kling.studio.jobs import Job
from kling.studio.ledger import Ledger
from kling.studio.pictures.store import Pictures
from kling.studio.state.records import StateError

log = logging.getLogger(__name__)

PAUSE = 6 * 3600.0  # seconds between two cleanings
FIRST = 600.0  # seconds from the start to the first one
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def named_in(texts: Iterable[str]) -> frozenset[str]:
    """Return the hashes that stand in texts."""
    return frozenset(found for text in texts if len(text) >= 64 for found in _HASH.findall(text))


def cells_of(jobs: Iterable[Job]) -> Iterator[str]:
    """Yield the cells of jobs that may name a picture."""
    for job in jobs:
        yield from (cell for name, cell in job.cells.items() if name != "file_sha256")


class Cleaning:
    """Deletes the pictures that nobody needs any more, every few hours, in a thread.

    Args:
        pictures: the folder.
        ledger: the log.
        stored: returns the texts of drafts and templates; may raise StateError.
    """

    def __init__(self, pictures: Pictures, ledger: Ledger, stored: Callable[[], Iterable[str]]) -> None:
        self._pictures, self._ledger, self._stored = pictures, ledger, stored
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="pictures", daemon=True)

    def start(self) -> None:
        """Clean from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Clean no more; one under way is not waited for: a picture is deleted or it is not."""
        self._stopping.set()

    def step(self) -> int:
        """Delete the pictures that nobody needs; return how many.

        Nothing is deleted while the log or the database cannot be read: both look empty then, but are not.
        """
        # The drafts first: what is ordered meanwhile leaves them for the log.
        try:
            needed = named_in(self._stored())
        except StateError as error:
            log.warning("Pictures are not looked through: %s", error)
            return 0
        if self._ledger.opening or self._ledger.failure:
            return 0
        needed |= named_in(cells_of(self._ledger.jobs()))
        try:
            return self._pictures.forget(needed)
        except OSError as error:
            log.warning("A picture that nobody needs cannot be deleted: %s", error)
            return 0

    def _loop(self) -> None:
        pause = FIRST
        while not self._stopping.wait(pause):
            pause = PAUSE
            try:
                self.step()
            except Exception:
                log.exception("Pictures could not be looked through.")
