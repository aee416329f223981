"""A thin client for Kling's video API.

    from kling import ApiKey, Client, TextToVideo

    client = Client(ApiKey("…"))
    task = client.create(TextToVideo(prompt="A fox in the snow", external_task_id="my-own-id"))
    task = client.wait(task.task_id)
    client.download(task.videos[0].url, Path("fox.mp4"))

The studio (`kling.studio`) and the sandbox (`kling.sandbox`) are packages of their own that this one never
imports.
"""

import typing

from kling.auth import ApiKey, Credentials, KeyPair
from kling.camera_control import CameraControl
from kling.catalog import catalog
from kling.client import SINGAPORE, Client
from kling.errors import (
    AccountBlocked,
    APIError,
    AuthenticationFailed,
    BadRequest,
    ContentPolicyViolation,
    DownloadFailed,
    InvalidRequest,
    KlingError,
    MaybeSent,
    NotSent,
    RateLimited,
    ServerError,
    TaskFailed,
    TransportError,
    WaitTimeout,
)
from kling.image_to_video import ImageToVideo
from kling.problems import Problem
from kling.shots import Shot
from kling.tasks import BalanceDeduction, Status, Task, Video
from kling.text_to_video import TextToVideo
from kling.video_to_audio import VideoToAudio

if not typing.TYPE_CHECKING:  # names of earlier versions; a type checker is to refuse them
    from kling.deprecated import old_name as __getattr__  # noqa: F401

__all__ = [
    "SINGAPORE",
    "APIError",
    "AccountBlocked",
    "ApiKey",
    "AuthenticationFailed",
    "BadRequest",
    "BalanceDeduction",
    "CameraControl",
    "Client",
    "ContentPolicyViolation",
    "Credentials",
    "DownloadFailed",
    "ImageToVideo",
    "InvalidRequest",
    "KeyPair",
    "KlingError",
    "MaybeSent",
    "NotSent",
    "Problem",
    "RateLimited",
    "ServerError",
    "Shot",
    "Status",
    "Task",
    "TaskFailed",
    "TextToVideo",
    "TransportError",
    "Video",
    "VideoToAudio",
    "WaitTimeout",
    "catalog",
]
