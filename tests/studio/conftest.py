"""What the studio's tests share."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.studio.fakes import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def clip() -> bytes:
    """A real video: one second of 64 by 36 pixels."""
    import av
    import numpy as np

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(24):
            picture = np.full((36, 64, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return content.getvalue()
