"""The JSON of the newer generation about a task, in answers and in callbacks (S2)."""

from __future__ import annotations

from typing import Any

from kling.sandbox.contract import VIDEO_TO_AUDIO
from kling.sandbox.responses import audio_bodies, is_result_deleted, video_body
from kling.sandbox.task import Task

STATUSES = {"succeed": "succeeded"}  # the others have the same names in both generations
# Names of the fields of an audio in the older generation and in the newer one.
_AUDIO = {
    "url_mp3": "mp3_url",
    "url_wav": "wav_url",
    "duration_mp3": "mp3_duration",
    "duration_wav": "wav_duration",
}


def newer_created_body(task: Task) -> dict[str, Any]:
    """Return `data` of the answer to a create call; a third party saw `message` there (2026-09-28)."""
    return {
        "id": task.task_id,
        "status": "submitted",
        "message": "",
        "create_time": task.created_at,
        "update_time": task.created_at,
        "external_id": task.external_task_id or "",
    }


def newer_task_body(task: Task, base_url: str, now: int, status: str = "") -> dict[str, Any]:
    """Return one task as `/tasks` shows it, also one that was created in the older generation.

    Args:
        task: the task that is shown.
        base_url: the URLs of its clips start with it.
        now: ms, by the sandbox's clock.
        status: the state that is shown, by its older name, for a callback about an earlier one; empty: that
            of the task.
    """
    status = status or task.status(now)
    earlier = {"submitted": task.created_at, "processing": task.start_at}
    return newer_created_body(task) | {
        "status": STATUSES.get(status, status),
        "message": (task.failure or "") if status == "failed" else "",
        "update_time": earlier.get(status, task.finished_at or now),
        "outputs": _outputs(task, base_url, now) if status == "succeed" else [],
        "billing": _billing(task, status),
    }


def _outputs(task: Task, base_url: str, now: int) -> list[dict[str, Any]]:
    if is_result_deleted(task, now):
        return []
    outputs: list[dict[str, Any]] = [{"type": "video"} | video_body(task, base_url)]
    if task.endpoint == VIDEO_TO_AUDIO:
        outputs += [
            {"type": "audio"} | {_AUDIO.get(name, name): value for name, value in audio.items()}
            for audio in audio_bodies(task, base_url)
        ]
    return outputs


def _billing(task: Task, status: str) -> list[dict[str, str]]:
    if status not in {"succeed", "failed"}:
        return []
    amount = f"{task.units:g}" if status == "succeed" else "0"
    package = "audio" if task.endpoint == VIDEO_TO_AUDIO else "video"
    return [{"charge_type": "unit", "amount": amount, "package_type": package}]
