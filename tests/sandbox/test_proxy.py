"""The proxy: it carries everything, and cuts what was planned to be cut."""

from __future__ import annotations

import asyncio
import threading

import pytest
import requests
import uvicorn

from kling.sandbox.app import SandboxApp
from kling.sandbox.auth import API_KEY
from kling.sandbox.clips import Clips
from kling.sandbox.contract import TEXT_TO_VIDEO
from kling.sandbox.proxy import serve_proxy

REQUEST = {"model_name": "kling-v2-6", "prompt": "A fox in the snow", "external_task_id": "mine"}


@pytest.fixture
def web(bench, tmp_path):
    """A session and the URL of a proxy in front of a sandbox whose clock stands still."""
    sandbox = SandboxApp(bench.engine, Clips(folder=tmp_path, style="drawn"), lambda: bench.now)
    config = uvicorn.Config(sandbox.asgi, port=0, lifespan="off", log_level="error")
    started, stop, urls = threading.Event(), [], []

    async def serve() -> None:
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.005)
        target = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        proxy = await serve_proxy(target)
        urls.append(f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        started.set()
        await ended.wait()
        proxy.close()
        server.should_exit = True
        await serving

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(120)
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {API_KEY}"
        session.url = urls[0]  # type: ignore[attr-defined]
        yield session
    stop[0]()
    thread.join(120)


def test_without_a_plan_it_carries_everything(web, bench, tmp_path):
    for name in "abc":
        web.post(web.url + TEXT_TO_VIDEO, json=REQUEST | {"external_task_id": name}, timeout=120)
    task_id = bench.task("c")["task_id"]
    (tmp_path / f"{task_id}.mp4").write_bytes(bytes(300_000))
    bench.finish()
    video = web.get(f"{web.url}{TEXT_TO_VIDEO}/{task_id}", timeout=120).json()["data"]["task_result"][
        "videos"
    ][0]
    assert video["url"].startswith(web.url)
    assert len(web.get(video["url"], timeout=120).content) == 300_000
    assert web.get(video["url"], headers={"Range": "bytes=5-9"}, timeout=120).status_code == 206


def test_a_body_in_chunks_is_carried(web):
    body = (piece for piece in (b'{"model_name": "kling-v3", "prompt": "A fox', b' in the snow"}'))
    assert web.post(web.url + TEXT_TO_VIDEO, data=body, timeout=120).json()["code"] == 0


@pytest.mark.parametrize("accept", [True, False])
def test_a_reset_before_or_after_the_task_was_accepted(web, bench, accept):
    bench.plan(on="create", fault="reset", accept=accept)
    with pytest.raises(requests.ConnectionError) as lost:
        web.post(web.url + TEXT_TO_VIDEO, json=REQUEST, timeout=120)
    assert "Connection reset" in str(lost.value)
    assert bench.engine.store.count_by_external_task_id() == ({"mine": 1} if accept else {})


def test_an_answer_that_is_shorter_than_it_says(web, bench, tmp_path):
    bench.plan(on="create", fault="short-body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        web.post(web.url + TEXT_TO_VIDEO, json=REQUEST, timeout=120)
    task = bench.task("mine")
    (tmp_path / f"{task['task_id']}.mp4").write_bytes(bytes(1000))
    bench.finish()
    bench.plan(on="clip", fault="short-body")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        web.get(f"{web.url}/clips/{task['task_id']}.mp4", timeout=120)


def test_no_answer_at_all(web, bench):
    bench.plan(on="create", fault="no-answer")
    with pytest.raises(requests.ReadTimeout):
        web.post(web.url + TEXT_TO_VIDEO, json=REQUEST, timeout=0.2)
    while not bench.engine.store.count_by_external_task_id():  # a busy machine has not read it yet
        threading.Event().wait(0.01)
    assert bench.engine.store.count_by_external_task_id() == {"mine": 1}
