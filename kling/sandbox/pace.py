"""How fast tasks go from `submitted` through `processing` to their end."""

from __future__ import annotations

from dataclasses import dataclass

FORMS = "default, immediate, seconds:S, polls:N or never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When a task changes its state, counted from its creation.

    Args:
        start_ms: after so many ms, `submitted` becomes `processing`.
        due_ms: after so many ms the task ends, or when its clip is drawn if that is later; None: time
            does not end it.
        polls: the task ends when so many answers have shown it; None: answers do not end it.
    """

    start_ms: int = 700
    due_ms: int | None = 3000
    polls: int | None = None


def parse_pace(text: str) -> Pace:
    """Return the pace that a text describes.

    Args:
        text: `default` (3 s), `immediate`, `seconds:S`, `polls:N` or `never`.

    Raises:
        ValueError: the text is none of these.
    """
    kind, _, number = text.partition(":")
    match kind:
        case "default" if not number:
            return Pace()
        case "immediate" if not number:
            return Pace(start_ms=0, due_ms=0)
        case "never" if not number:
            return Pace(due_ms=None)
        case "seconds" if 0 <= float(number) < 1e9:
            due = round(float(number) * 1000)
            return Pace(start_ms=min(700, due // 4), due_ms=due)
        case "polls" if 0 < int(number) < 1e9:
            return Pace(start_ms=0, due_ms=None, polls=int(number))
    raise ValueError(f"pace: must be {FORMS}, not {text!r}")
