# ruff: noqa: PLC0414
"""The old room of the names below; they are imported from where they are defined now."""

from kling.camera_control import CAMERA_AXES as CAMERA_AXES
from kling.camera_control import CAMERA_TYPES as CAMERA_TYPES
from kling.camera_control import CameraControl as CameraControl
from kling.problems import Problem as Problem
from kling.shots import SHOT_TYPES as SHOT_TYPES
from kling.shots import Shot as Shot
from kling.tasks import BalanceDeduction as BalanceDeduction
from kling.tasks import Status as Status
from kling.tasks import Task as Task
from kling.tasks import Video as Video
from kling.text_to_video import TextToVideo as TextToVideo
