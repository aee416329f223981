"""How long the script of live parts waits for what, in milliseconds.

The script gets these as `TIMES`; the benchmark of a team uses them too, so that its tabs behave alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """All of them.

    Args:
        soon: between news and a run, so that what comes together is drawn together.
        own: least time between two runs of a part because of a job that it names.
        every: likewise because of any other job, where it shows everybody's. What lists gain or lose is told
            by a topic, and drawn as soon as what they name.
        listed_per_tab: with many tabs, `own` is so much for each of them where a part shows everybody's jobs:
            each change of a job on a list is news for every tab with that list, and within this time the tabs
            draw it one after the other. Up to eight tabs see it within a second; fifty that did so too would
            make every page of a busy team wait.
        per_tab: with many tabs, `every`, and the time between two runs because of a topic, is so much for
            each of them: all tabs together ask for no more runs then, whatever their number.
        spread: share by which the pauses `every`, `old` and `old_without_socket` are made longer at random.
        old: a part that is in view and names a job that has not ended is drawn again after this time, for
            words that depend on the clock.
        old_without_socket: each part is drawn again after this time where a proxy lets no socket through.
        apart: between the runs of two parts. Streamlit 1.67 runs one fragment only for
            what falls into one batch (see fragment.py).
        calm: a run waits until nobody has clicked or typed for so long, for the same reason.
        longest_wait: but no longer than this.
        typed: not even then in so long after a press of a key. A field that searches while somebody types
            sends its text 250 ms after the last letter; in one batch with a run that came before it, nothing
            would look for that text.
        used: between two messages that somebody clicks or types.
        again: a run that was lost is asked for again after this time, and then after twice as long each time.
        longest_again: the longest of these pauses.
        away: after which the page says that the server does not answer.
        silent: without a message after which a connection is taken for cut; the server speaks every 20 s.
        longest_retry: the longest pause between two tries to connect.
    """

    soon: int = 60
    own: int = 400
    every: int = 4000
    listed_per_tab: int = 100
    per_tab: int = 150
    spread: float = 0.5
    old: int = 60_000
    old_without_socket: int = 15_000
    apart: int = 100
    calm: int = 600
    longest_wait: int = 3000
    typed: int = 350
    used: int = 10_000
    again: int = 500
    longest_again: int = 8000
    away: int = 3000
    silent: int = 60_000
    longest_retry: int = 5000


TIMES = Times()


def as_names() -> dict[str, float]:
    """Return the times by name, for the script."""
    return asdict(TIMES)
