"""One small real video, for tests that need any."""

from __future__ import annotations

from pathlib import Path

from kling.sandbox.order import Order, Shot
from kling.sandbox.tiny import draw_tiny


def tiny_clip(path: Path) -> bytes:
    """Draw a clip of one second and return its bytes."""
    shots = (Shot(prompt="x", seconds=1),)
    draw_tiny(Order(seed="1", model_name="m", mode="std", width=64, height=36, fps=8, shots=shots), path)
    return path.read_bytes()
