"""Makes frames look like film: darker corners, and fine grain that changes with each frame."""

from __future__ import annotations

import numpy as np

from kling.sandbox.renderer.layers import Planes
from kling.sandbox.renderer.scale import Bytes

GRAIN = 1.1  # standard deviation in levels of brightness; hardly visible
DARKER = 0.20  # share of the brightness that is missing in the corners


class Grade:
    """Grades frames of one size.

    Args:
        size: width and height.
        seed: of the grain.
    """

    def __init__(self, size: tuple[int, int], seed: int) -> None:
        width, height = size
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        away = np.clip((x * x + y * y) / 2, 0, 1)
        self._keep = (256 * (1 - DARKER * away * away)).astype(np.uint16)
        dice = np.random.default_rng([seed, 77])
        # One sheet of grain, larger than the frame; each frame takes another part of it.
        rough = dice.normal(0, GRAIN * 256, (height + 64, width + 64)) + 128
        self._grain = np.clip(rough, -900, 1200).astype(np.int16)
        self._dice = dice

    def __call__(self, planes: Planes) -> Planes:
        """Returns the frame with its brightness changed; its colours stay."""
        rows, columns = planes[0].shape
        made: Bytes = np.empty_like(planes[0])
        down, right = (int(at) for at in self._dice.integers(0, 64, 2))
        step = max(16, 96_000 // columns)
        for top in range(0, rows, step):
            part = slice(top, min(rows, top + step))
            # The sum never is negative: black is 16 * 256, and the grain at least -900.
            lit = planes[0][part] * self._keep[part]
            grain = self._grain[part.start + down : part.stop + down, right : right + columns]
            lit += grain.view(np.uint16)
            lit >>= np.uint16(8)
            np.copyto(made[part], lit, casting="unsafe")
        return made, planes[1], planes[2]
