"""Where a job stands in the queue, and why it waits, in words for a page."""

from __future__ import annotations

from dataclasses import dataclass

from kling.errors import TABLE

NO_LOG = -1  # the code of a hold because the log cannot be written

WAIT_REASONS = {0: "waits for a connection to Kling"} | {row.code: row.wait for row in TABLE if row.wait}


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Where a waiting job stands.

    Args:
        position: in the line of its model, 1 goes next; the line is fair between people.
        of: how long the line is.
        why: it is not sent now, in words.
        needs_person: somebody has to act on the account.
    """

    position: int
    of: int
    why: str
    needs_person: bool = False

    @property
    def words(self) -> str:
        """All of it as a sentence for a page."""
        ending = {1: "st", 2: "nd", 3: "rd"}.get(self.position % 10, "th")
        if self.position % 100 in {11, 12, 13}:
            ending = "th"
        nth = "Next" if self.position == 1 else f"{self.position:,}{ending}"
        return f"{nth} in line: {self.why}."
