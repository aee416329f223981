"""The JSON that the API sends about a task or an account, in answers and in callbacks."""

from __future__ import annotations

from typing import Any

from kling.sandbox.contract import VIDEO_TO_AUDIO
from kling.sandbox.task import Task

RETENTION_MS = 30 * 24 * 3600 * 1000  # S1
PACK_MS = 180 * 24 * 3600 * 1000  # S6: standard packs last 180 days


def created_body(task: Task) -> dict[str, Any]:
    """Return `data` of the answer to a create call (S1)."""
    return {
        "task_id": task.task_id,
        "task_info": {"external_task_id": task.external_task_id or ""},
        "task_status": "submitted",
        "created_at": task.created_at,
        "updated_at": task.created_at,
    }


def task_body(task: Task, base_url: str, now: int) -> dict[str, Any]:
    """Return one task as a query shows it (S1; `final_balance_deduction` S2).

    Args:
        task: the task that is shown.
        base_url: the URLs of its clips start with it.
        now: ms, by the sandbox's clock.
    """
    status = task.status(now)
    succeeded = status == "succeed"
    shown = succeeded and not is_result_deleted(task, now)
    body = {
        "task_id": task.task_id,
        "task_status": status,
        "task_status_msg": (task.failure or "") if status == "failed" else "",
        "final_unit_deduction": f"{task.units:g}" if succeeded else "0",
        "final_balance_deduction": {"quota": "0", "list_price": "0"},
        "watermark_info": {"enabled": task.watermarked},
        "task_info": {"external_task_id": task.external_task_id or ""},
        "task_result": {"videos": [video_body(task, base_url)] if shown else []},
        "created_at": task.created_at,
        "updated_at": task.updated_at(now),
    }
    if task.endpoint == VIDEO_TO_AUDIO:
        del body["watermark_info"]
        body["task_info"] = {"external_task_id": task.external_task_id or "", "parent_video": _parent(task)}
        body["task_result"] = {
            "videos": [video_body(task, base_url)] if shown else [],
            "audios": audio_bodies(task, base_url) if shown else [],
        }
    return body


def callback_body(task: Task, status: str) -> dict[str, Any]:
    """Return the body of a callback about a task (S2, S4: it has no envelope and no watermark_url).

    Args:
        task: it has this status now, or had it before.
        status: the one that the callback is about.
    """
    moments = {"submitted": task.created_at, "processing": task.start_at}
    moment = moments.get(status, task.finished_at or task.start_at)
    body = task_body(task, task.base_url, moment)
    if status in moments:  # the task may have gone on since; the callback shows it as it was
        body |= {"task_status": status, "task_status_msg": "", "final_unit_deduction": "0"}
        body |= {"task_result": {name: [] for name in body["task_result"]}, "updated_at": moment}
    for video in body["task_result"]["videos"]:
        video.pop("watermark_url", None)
    body.pop("watermark_info", None)
    return body


def pack_body(*, total: float, left: float, concurrency: int, bought_at: int, now: int) -> dict[str, Any]:
    """Return a resource pack as `/account/costs` shows it (S2).

    Args:
        total: Units in it at first.
        left: Units in it now.
        concurrency: tasks in flight per model.
        bought_at: ms, by the sandbox's clock.
        now: ms, by the sandbox's clock.
    """
    expired = now >= bought_at + PACK_MS
    return {
        "resource_pack_name": f"Sandbox-Video-{total:g}Units-{concurrency}Con-6Months",
        "resource_pack_id": "sandbox-pack-1",
        "resource_pack_type": "decreasing_total",
        "total_quantity": float(total),
        "remaining_quantity": left,
        "purchase_time": bought_at,
        "effective_time": bought_at,
        "invalid_time": bought_at + PACK_MS,
        "status": "expired" if expired else "online" if left > 0 else "runOut",
    }


def is_result_deleted(task: Task, now: int) -> bool:
    """Return whether a task ended so long ago that its result was deleted."""
    return task.finished_at is not None and now > task.finished_at + RETENTION_MS


def video_id(task_id: str) -> str:
    """Return the id of the video of a task."""
    return f"9{task_id[1:]}"


def task_id_of(video: str) -> str:
    """Return the id of the task that made a video."""
    return f"8{video[1:]}"


def video_body(task: Task, base_url: str) -> dict[str, Any]:
    """Return the video of a task, in the names that both generations have."""
    video = {"id": video_id(task.task_id), "url": f"{base_url}/clips/{task.task_id}.mp4"}
    if task.watermarked:
        video["watermark_url"] = f"{base_url}/clips/{task.task_id}-watermark.mp4"
    return video | {"duration": task.request["duration"]}


def audio_bodies(task: Task, base_url: str) -> list[dict[str, str]]:
    """Return the sounds of a task of video-to-audio (S2)."""
    address, seconds = f"{base_url}/clips/{task.task_id}", task.request["duration"]
    return [
        {
            "id": f"7{task.task_id[1:]}",
            "url_mp3": f"{address}.mp3",
            "url_wav": f"{address}.wav",
            "duration_mp3": seconds,
            "duration_wav": seconds,
        }
    ]


def _parent(task: Task) -> dict[str, str]:
    """Return the video whose sound a task makes; of one from elsewhere only the URL is known."""
    source = task.request.get("source", "")
    url = f"{task.base_url}/clips/{source}.mp4" if source else task.request.get("video_url", "")
    return {"id": video_id(source) if source else "", "url": url, "duration": task.request["duration"]}
