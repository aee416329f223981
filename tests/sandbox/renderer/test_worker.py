"""A clip that is never done, or whose drawing crashes, fails honestly and keeps no other waiting."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from kling.sandbox.clips import Clips
from kling.sandbox.render_queue import RenderQueue, RenderWorker
from tests.sandbox.renderer.reel import spec


def job(path: Path, **other: Any) -> dict[str, Any]:
    shown = {"style": "tiny", "path": str(path), "spec": asdict(spec(width=16, height=16))}
    return shown | other


def test_a_worker_that_takes_too_long_is_ended_and_the_next_clip_is_drawn(tmp_path):
    async def go() -> None:
        worker = RenderWorker(timeout=0)
        process = await worker.start()
        with pytest.raises(TimeoutError, match="not drawn within"):
            await worker.draw(job(tmp_path / "late.mp4"))
        assert process.returncode is not None
        patient = RenderWorker()
        assert await patient.draw(job(tmp_path / "next.mp4")) == ""
        await patient.stop()

    asyncio.run(go())
    assert (tmp_path / "next.mp4").exists()
    assert not (tmp_path / "late.mp4").exists()


def test_a_worker_that_crashed_says_so_and_starts_again(tmp_path):
    async def go() -> tuple[str, str]:
        worker = RenderWorker()
        process = await worker.start()
        process.kill()
        await process.wait()
        first = await worker.draw(job(tmp_path / "clip.mp4"))
        second = await worker.draw(job(tmp_path / "clip.mp4"))
        await worker.stop()
        return first, second

    first, second = asyncio.run(go())
    assert first in {"", "the worker ended before it had drawn the clip"}
    assert second == ""


def test_the_answer_says_what_the_renderer_cannot_do(tmp_path):
    async def go() -> str:
        worker = RenderWorker()
        problem = await worker.draw(job(tmp_path / "no-such-folder" / "clip.mp4"))
        await worker.stop()
        return problem

    assert "No such file" in asyncio.run(go())


@pytest.mark.parametrize("fault", [TimeoutError("it was not drawn within 9 s"), "MemoryError: "])
def test_a_task_whose_clip_cannot_be_drawn_fails_and_the_next_one_is_drawn(
    bench, tmp_path, monkeypatch, fault
):
    first, second = (bench.create(external_task_id=name)["task_id"] for name in ("one", "two"))
    drawn = []
    second_drawn = asyncio.Event()

    async def draw(_worker, job):
        drawn.append(job["spec"]["seed"])
        if job["spec"]["seed"] != first:
            second_drawn.set()
            return ""
        if isinstance(fault, Exception):
            raise fault
        return fault

    async def go() -> None:
        clips = Clips(folder=tmp_path, style="drawn")
        render_queue = RenderQueue(bench.engine.store, clips, lambda: bench.now)
        render_queue.start()
        await second_drawn.wait()
        await render_queue.stop()

    monkeypatch.setattr(RenderWorker, "start", lambda _self: asyncio.sleep(0))
    monkeypatch.setattr(RenderWorker, "draw", draw)
    asyncio.run(asyncio.wait_for(go(), 20))
    store = bench.engine.store
    assert store.find(first).failure == "The sandbox could not draw this clip"
    assert drawn == [first] * (1 if isinstance(fault, Exception) else 2) + [second]
