# ruff: noqa: PLC0414
"""The old room of the names below; they are imported from where they are defined now."""

from kling.camera_control import CAMERA_LIMIT as CAMERA_LIMIT
from kling.problems import id_problem as id_problem
