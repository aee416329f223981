"""The position of a job in the queue, and why it waits, in words for a page."""

from __future__ import annotations

from dataclasses import dataclass

from kling.errors import TABLE

NO_LOG = -1  # the code of a hold because the log cannot be written

WAIT_REASONS = {0: "waits for a connection to Kling"} | {row.code: row.wait for row in TABLE if row.wait}


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """The position of a waiting job.

    Args:
        position: in the queue of its model; 1 goes next. The queue is fair between people.
        of: the length of the queue.
        why: the reason why it is not sent now, in words.
        needs_person: whether somebody has to act on the account.
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
