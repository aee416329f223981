"""Takes words and clips out of the store of the studio's own sandbox, while that does not run.

The sandbox is another program, so its file is read here by its tables alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

_WORDS = ("prompt", "negative_prompt", "multi_prompt", "sound_effect_prompt", "bgm_prompt")
_PICTURES = ("image", "image_tail", "video_url")
ERASED = "erased"


def erase_from_sandbox(folder: Path, job_ids: Collection[str]) -> int:
    """Take out the words, pictures and clips of these tasks; return how many there were.

    Args:
        folder: of the sandbox's data; it need not be there.
        job_ids: by which the tasks were created.

    Raises:
        sqlite3.Error: the file cannot be changed, for example because a sandbox runs.
        OSError: a clip cannot be deleted.
    """
    path = folder / "sandbox.sqlite"
    if not path.exists():
        return 0
    erased: set[str] = set()
    with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as database:
        database.execute("PRAGMA secure_delete = ON")
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for job_id in sorted(job_ids):
            question = "SELECT task_id, request FROM tasks WHERE external_task_id = ?"
            for task_id, request in database.execute(question, (job_id,)).fetchall():
                for clip in (folder / "clips").glob(f"{task_id}*"):
                    clip.unlink(missing_ok=True)
                if "pictures" in tables:  # an older sandbox has none
                    database.execute("DELETE FROM pictures WHERE task_id = ?", (task_id,))
                new = (json.dumps(_without_words(json.loads(request))), task_id)
                database.execute("UPDATE tasks SET request = ? WHERE task_id = ?", new)
                erased.add(task_id)
        count = len(erased)
        if count:
            _erase_from_sounds(database, erased)
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return count


def _erase_from_sounds(database: sqlite3.Connection, erased: set[str]) -> None:
    """Take the words of erased tasks out of those that made sound for their clips, and sound for these again.

    Args:
        database: of the sandbox.
        erased: the ids of the tasks; those whose words came from them are added.
    """
    question = "SELECT task_id, request FROM tasks WHERE request LIKE '%source_prompt%' ORDER BY rowid"
    for task_id, text in database.execute(question).fetchall():
        request = json.loads(text)
        if request.get("source") in erased and request.get("source_prompt"):
            new = (json.dumps({**request, "source_prompt": ERASED}), task_id)
            database.execute("UPDATE tasks SET request = ? WHERE task_id = ?", new)
            erased.add(task_id)


def _without_words(request: dict[str, object]) -> dict[str, object]:
    kept = {name: value for name, value in request.items() if name not in {*_WORDS, *_PICTURES}}
    shots = request.get("multi_prompt")
    if isinstance(shots, list):
        kept["multi_prompt"] = [{**shot, "prompt": ERASED} for shot in shots if isinstance(shot, dict)]
    for name in ("prompt", "source_prompt"):
        if name == "prompt" or name in request:
            kept[name] = ERASED if request.get(name) else ""
    return kept
