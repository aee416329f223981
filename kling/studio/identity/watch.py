"""The thread that sees what commands change beside a running studio, and what time brings."""

from __future__ import annotations

import logging
import threading

from kling.studio.identity.people import People
from kling.studio.identity.sessions import Sessions
from kling.studio.state.records import StateError

log = logging.getLogger(__name__)

PAUSE = 0.5  # seconds between two looks


class Watch:
    """Looks twice a second whether people or sessions were changed by another process.

    Args:
        people: whose changes are looked for.
        sessions: that end with time.
    """

    def __init__(self, people: People, sessions: Sessions) -> None:
        self._people, self._sessions = people, sessions
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failed = False

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread = threading.Thread(target=self._run, name="identity", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after writing down when sessions were last used."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        self._sessions.write_uses()

    def look(self) -> None:
        """Look once. While the database does not answer, what is in memory stays."""
        try:
            self._people.changes.look()
        except StateError as error:
            if not self._failed:
                log.warning("Changes of people cannot be seen at this moment: %s", error)
            self._failed = True
        else:
            self._failed = False
        self._sessions.tick()

    def _run(self) -> None:
        while not self._stop.wait(PAUSE):
            try:
                self.look()
            except Exception:  # an end of this thread would let people in who were removed
                log.exception("A look at people and sessions failed.")
