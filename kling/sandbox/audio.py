"""Which video a create call of video-to-audio means."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from kling.sandbox.contract import ALL_MODELS, AUDIO_MODEL
from kling.sandbox.refusals import refusal
from kling.sandbox.responses import is_result_deleted, task_id_of
from kling.sandbox.store import Store
from kling.sandbox.task import Task

_OWN_CLIP = re.compile(r"/clips/(\d{18})(?:-watermark)?\.mp4")
_FACTS = ("duration", "aspect_ratio", "frame", "mode", "source_model", "source_prompt")
# Of a video elsewhere, which is not fetched.
_ELSEWHERE = {
    "duration": "5",
    "aspect_ratio": "16:9",
    "mode": "std",
    "source_model": "kling-v2-6",
    "source_prompt": "",
}


def with_source(request: dict[str, Any], store: Store, now: int) -> dict[str, Any]:
    """Return a request of video-to-audio with what is known of its video: task, model, prompt, size, length.

    Args:
        request: complete, as `parse_request` returns it.
        store: the tasks.
        now: ms, by the sandbox's clock.

    Raises:
        Refused: 1201: the video is not there any more, or too short or too long.
    """
    task = _source(request, store, now)
    if task is None:
        return request | _ELSEWHERE
    facts = {name: task.request[name] for name in _FACTS if name in task.request}
    if task.request["model_name"] != AUDIO_MODEL:
        facts |= {"source_model": task.request["model_name"], "source_prompt": task.request.get("prompt", "")}
    return request | facts | {"source": task.task_id}


def _source(request: dict[str, Any], store: Store, now: int) -> Task | None:
    video = request.get("video_id", "")
    if not video:
        own = _OWN_CLIP.fullmatch(_path(request["video_url"]))
        if own is None or (task := store.find(own[1])) is None:
            return None
    else:
        task = store.find(task_id_of(video)) if video[:1] == "9" else None
    if task is None or task.status(now) != "succeed" or is_result_deleted(task, now):
        raise refusal("video-known", id=(video or request["video_url"])[:100])
    shortest, longest = ALL_MODELS[AUDIO_MODEL]["seconds"]
    seconds = float(task.request["duration"])
    if not shortest <= seconds <= longest:
        raise refusal("video-length", seconds=f"{seconds:g}")
    return task


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
