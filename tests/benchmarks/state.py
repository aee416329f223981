"""What the database of drafts costs as it fills: `python tests/benchmarks/state.py`.

Prints the median of a save that grows a draft, of a load, and of a look at all templates, in ms: in an empty
database, and in one that has as many drafts as its limit of bytes allows and 500 templates. The disk's own
time, which each save waits for, is in both.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from kling import TextToVideo  # noqa: E402
from kling.studio.state.database import Database  # noqa: E402
from kling.studio.state.drafts import LEAST, DraftStore, values_of  # noqa: E402
from kling.studio.state.records import ALL_DRAFT_BYTES, TEMPLATES, StoredDraft  # noqa: E402
from kling.studio.state.tables import drafts as table  # noqa: E402
from kling.studio.state.team_templates import TeamTemplates  # noqa: E402

TIMES = 60
OWNER = "1" * 32


def median_ms(call: Callable[[], object]) -> float:
    """Return the median time of a call."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000


def fill(database: Database, templates: TeamTemplates) -> None:
    """Fill the database, but for the room that the measured draft needs."""
    others = (
        values_of(StoredDraft(id=f"{number:020x}", owner=f"{number // 90:032x}"), time.time())
        for number in range(1, ALL_DRAFT_BYTES // LEAST - 64)
    )
    with database.write() as connection:
        connection.execute(table.insert(), list(others))
    for number in range(TEMPLATES):
        templates.add(TextToVideo(prompt="A fox"), title=f"Fox {number}")


def measured(drafts: DraftStore, templates: TeamTemplates, lengths: Iterator[int]) -> dict[str, float]:
    """Return the median of each call in ms."""
    return {
        "save": median_ms(lambda: drafts.save("0" * 20, OWNER, texts={"prompt": "x" * next(lengths)})),
        "load": median_ms(lambda: drafts.load("0" * 20)),
        "templates": median_ms(templates.all),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "studio.sqlite3")
        drafts = DraftStore(database, clock=time.time)
        templates = TeamTemplates(database, clock=time.time)
        lengths = count(2_000, 10)
        empty = measured(drafts, templates, lengths)
        fill(database, templates)
        full = measured(drafts, templates, lengths)
        database.close()
    for name, before in empty.items():
        print(f"{name}: {before:.2f} ms empty, {full[name]:.2f} ms full, {full[name] / before:.2f} times")


if __name__ == "__main__":
    main()
