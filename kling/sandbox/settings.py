"""How a sandbox behaves: what the options of the program decide."""

from __future__ import annotations

from dataclasses import dataclass, field

from kling.sandbox.auth import Keys
from kling.sandbox.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this sandbox behaves. An engine's settings may be replaced while it runs.

    Args:
        keys: the credentials of its account. Another account needs another engine.
        more_keys: more credentials of the same account, which see the same tasks. When a key is rotated, the
            old one moves here, or is removed.
        concurrency: tasks in flight per model (S2).
        units: Units in the pack that is bought when the sandbox starts; None: there is no pack and no limit.
        pace: when tasks change their state, unless a plan says otherwise.
        retired: `serve` or `refuse` models that Kling has retired, and bodies that name no model.
        strict: refuse unknown keys, integer durations, cfg_scale with a model that does not take it, a
            missing Content-Type, and a second question about the account within a second.
        lag: seconds for which queries and lists do not show a task that is created from now on. The task is
            accepted all the same: it takes a slot and its external_task_id, and callbacks about it are sent.
        duplicates: `refuse` or `accept` a second create with the same external_task_id. A query by that id
            shows the first of its tasks.
        faults: names out of BODY_FAULTS (see plans.py): every answer has these faults, and those of its plan.
    """

    keys: Keys = field(default_factory=Keys)
    more_keys: tuple[Keys, ...] = ()
    concurrency: int = 20
    units: float | None = None
    pace: Pace = field(default_factory=Pace)
    retired: str = "refuse"
    strict: bool = False
    lag: float = 0.0
    duplicates: str = "refuse"
    faults: frozenset[str] = frozenset()
