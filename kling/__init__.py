"""A thin client for Kling's video API.

    from kling import ApiKey, Client, TextToVideo

    client = Client(ApiKey("…"))
    task = client.create(TextToVideo(prompt="A fox in the snow", external_task_id="my-own-id"))
    task = client.wait(task.task_id)
    client.download(task.videos[0].url, Path("fox.mp4"))

What is asked for, and what comes back:
    text_to_video   a request: its fields, its rules, its JSON both ways
    image_to_video  the same for a video that begins with a picture
    video_to_audio  the same for the sound of a video that exists
    shots           the shots of a storyboard, a field of a request
    camera_control  a movement of the camera, a field of a request
    pictures        a picture in a request: its address, its bytes, or the name under which a caller keeps it
    problems        a broken rule, and the rules that fields of every request share
    request_body    reads the body of a create call back into a request
    tasks           a task and its result
    resource_packs  the packs of an account
    catalog         what each model takes, gives and costs, from catalog.toml
    errors          what can go wrong, and who has to act

How it is sent:
    client           one method a call
    endpoint         the endpoints that the client speaks to
    dialect          what is needed of a generation of the API
    wire             the generation under `/v1`
    newer_wire       the newer generation
    auth             keys, and the tokens that they sign
    transport        HTTP: one request, one answer, within limits
    transfer_limits  the limits where a caller names no others
    certificates     which certificates a server may have
    addresses        where a request may go: public networks only
    download         fetches files, whole or not at all
    whole_file       files that are written whole or not at all
    webhooks         callbacks, and their signature
    json_values      JSON of any origin, read within bounds
    text             text of any origin, made so that everything can hold it

Names of earlier versions:
    deprecated  each still works, and says its new name once
    callbacks, models, rules  old modules

Beside the client, which never imports them:
    studio/   everything behind the pages
    sandbox/  a local service that speaks the same API
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
