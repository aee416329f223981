"""A request and a task as cells of a record, and the request of a record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kling.camera_control import CameraControl
from kling.shots import Shot
from kling.studio.jobs.cells import (
    DIGITS_BEFORE,
    bounded,
    dump_json,
    finite_float,
    json_object,
    load_json,
    truncate,
)
from kling.studio.jobs.states import PROCESSING
from kling.tasks import Status, Task
from kling.text_to_video import TextToVideo

TEXT_TO_VIDEO = "text2video"  # in the column `endpoint`: which create call made the job


def request_cells(request: TextToVideo) -> dict[str, str]:
    """Return the cells of a request; `request_of` reads them back."""
    camera = request.camera_control
    shots = [{"prompt": shot.prompt, "duration": shot.duration} for shot in request.multi_prompt]
    units = request.units()
    return {
        "endpoint": TEXT_TO_VIDEO,
        "prompt": request.prompt,
        "model_name": request.model_name,
        "negative_prompt": request.negative_prompt,
        "mode": request.mode or "",
        "duration": request.duration,
        "aspect_ratio": request.aspect_ratio,
        "sound": request.sound,
        "cfg_scale": "" if request.cfg_scale is None else str(request.cfg_scale),
        "camera_control": dump_json({"type": camera.type, "config": dict(camera.config)}) if camera else "",
        "multi_shot": "true" if request.multi_shot else "",
        "shot_type": request.shot_type or "",
        "multi_prompt": dump_json(shots) if shots else "",
        "watermark_info": "true" if request.watermark else "",
        "callback_url": request.callback_url,
        "units": "" if units is None else str(units),
    }


def request_of(cells: Mapping[str, str]) -> TextToVideo:
    """Return the request of a job, ready to be sent again with the same id."""
    shots = load_json(cells.get("multi_prompt", ""))
    return TextToVideo(
        prompt=cells.get("prompt", ""),
        model_name=cells.get("model_name", ""),
        negative_prompt=cells.get("negative_prompt", ""),
        mode=cells.get("mode") or None,
        duration=cells.get("duration", ""),
        aspect_ratio=cells.get("aspect_ratio", ""),
        sound=cells.get("sound") or "off",
        cfg_scale=finite_float(cells.get("cfg_scale", "")),
        camera_control=_camera(json_object(cells.get("camera_control", ""))),
        multi_shot=cells.get("multi_shot", "").lower() == "true",
        shot_type=cells.get("shot_type") or None,
        multi_prompt=tuple(
            Shot(prompt=_text(shot.get("prompt")), duration=_text(shot.get("duration")))
            for shot in (shots if isinstance(shots, list) else [])
            if isinstance(shot, dict)
        ),
        watermark=cells.get("watermark_info", "").lower() == "true",
        callback_url=cells.get("callback_url", ""),
        external_task_id=cells.get("external_task_id", ""),
    )


def task_cells(task: Task) -> dict[str, str]:
    """Return the cells of an answer about a task. The addresses of its videos are signed and stay out.

    What was charged is recorded once the task has ended: Units in `final_unit_deduction`, the money of an
    account that pays in cash in `final_balance_deduction`, and its price without a discount in `extra`.
    """
    video = task.videos[0] if task.videos else None
    documented = task.task_status in set(Status)
    extra: dict[str, str] = {} if documented else {"task_status": task.task_status[:100]}
    units = quota = list_price = None
    if task.terminal:
        units = bounded(task.final_unit_deduction)
        if cash := task.final_balance_deduction:
            quota, list_price = bounded(cash.quota), bounded(cash.list_price)
        if list_price is not None:
            extra["list_price"] = f"{list_price:f}"
    cells = {
        "state": task.task_status if documented else PROCESSING,
        "task_id": task.task_id,
        "task_status_msg": task.task_status_msg,
        "request_id": task.request_id,
        "created_at": task.created_at.isoformat(timespec="milliseconds") if task.created_at else "",
        "updated_at": task.updated_at.isoformat(timespec="milliseconds") if task.updated_at else "",
        "final_unit_deduction": "" if units is None else f"{units:f}",
        "final_balance_deduction": "" if quota is None else f"{quota:f}",
        "video_id": video.id if video else "",
        "video_duration": "" if video is None or video.duration is None else str(video.duration),
        "extra": dump_json(extra) if extra else "",
    }
    return {name: truncate(cell) for name, cell in cells.items()}


def _camera(fields: Mapping[str, Any]) -> CameraControl | None:
    if "type" not in fields:
        return None
    config = fields.get("config")
    axes = config.items() if isinstance(config, dict) else ()
    return CameraControl(
        type=_text(fields["type"]), config={name: axis for name, axis in axes if _is_number(axis)}
    )


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 10**DIGITS_BEFORE


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return str(value) if _is_number(value) else ""
