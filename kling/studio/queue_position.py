"""Where a job stands in the queue, and why it waits, in words for a page."""

from __future__ import annotations

from dataclasses import dataclass

NO_LOG = -1  # the code of a hold because the log cannot be written

WAIT_REASONS = {
    0: "waits for a connection to Kling",
    **dict.fromkeys(range(1000, 1005), "waits for a key that Kling accepts"),
    1100: "waits for somebody to look after the Kling account",
    1101: "waits for somebody to top up the Kling account",
    1102: "waits for somebody to top up the Kling account",
    1103: "waits for the right to use this model",
    1302: "Kling asked for a pause",
    1304: "waits for Kling to accept this machine's address",
}


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
