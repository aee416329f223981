"""An account that does as it is told, and a studio's parts around it that work when a test calls them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kling import ApiKey, Client
from kling.catalog import NEWER
from kling.dialect import Call
from kling.endpoint import TEXT_TO_VIDEO, AnyRequest, Endpoint, Request
from kling.errors import api_error
from kling.pictures import PictureBytes, inserted
from kling.studio.jobs import Job
from kling.studio.ledger.csv_file import LogFile
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from kling.tasks import Task, Video
from kling.text_to_video import TextToVideo
from tests.kling.tools import Clock
from tests.studio.clips import InProcessChecker

KEY = ApiKey("key")
ACCOUNT = Settings(credentials=KEY, base_url="https://kling.test").account
FOX = TextToVideo(prompt="A fox in the snow")


class Crash(BaseException):
    """The process ends here."""


class Kling(Client):
    """Kling in memory. `find` is the real client's.

    Args:
        answers: what the next POSTs meet: an error, and whether the task was made before it.
        look_ups, lists: errors that the next GETs of one task, or of a page, meet; None answers.
    """

    def __init__(self) -> None:
        super().__init__(ApiKey("key"), base_url="https://kling.test")
        self.made: dict[str, Task] = {}
        self.made_at: dict[str, Endpoint] = {}  # by our id; where none is named, text to video
        self.posts: list[str] = []
        self.gets: list[str] = []
        self.pages: list[tuple[int, int]] = []
        self.answers: list[tuple[BaseException, bool]] = []
        self.look_ups: list[BaseException | None] = []
        self.lists: list[BaseException | None] = []
        self.downloads: list[str] = []
        self.files: dict[str, bytes | BaseException] = {}
        self.hidden: set[str] = set()
        self.order: Callable[[list[Task]], list[Task]] = list
        self.at_post: Callable[[Request], None] = lambda _: None

    @property
    def requests(self) -> int:
        return len(self.posts) + len(self.gets) + len(self.pages)

    def create(
        self,
        request: Request,
        *,
        endpoint: Endpoint | None = None,
        picture_bytes: PictureBytes | None = None,
    ) -> Task:
        inserted(request.to_wire(), picture_bytes)
        self.posts.append(request.external_task_id)
        self.at_post(request)
        error, accepted = self.answers.pop(0) if self.answers else (None, True)
        if accepted:
            if request.external_task_id in self.made:
                raise api_error(400, 1201, "external_task_id is not unique")
            self.add(request.external_task_id)
            self.made_at[request.external_task_id] = endpoint or TEXT_TO_VIDEO
        if error is not None:
            raise error
        return self.made[request.external_task_id]

    def get(self, task_id: str, **_: Any) -> Task:
        self.gets.append(task_id)
        _raise_next(self.look_ups)
        for task in self.made.values():
            if task_id in {task.task_id, task.external_task_id} and task.external_task_id not in self.hidden:
                return task
        raise api_error(404, 1203, "Task not found", request_id="r-404")

    def list(
        self, *, page_num: int = 1, page_size: int = 30, endpoint: Endpoint = TEXT_TO_VIDEO
    ) -> tuple[Task, ...]:
        if endpoint is TEXT_TO_VIDEO:  # of the others only what they answer counts
            self.pages.append((page_num, page_size))
            _raise_next(self.lists)
        seen = self.order([task for task in self._shown() if self._endpoint(task).name == endpoint.name])
        return tuple(seen[(page_num - 1) * page_size : page_num * page_size])

    def page(
        self, cursor: str = "", *, page_size: int = 100, endpoint: Endpoint = TEXT_TO_VIDEO
    ) -> tuple[tuple[Task, ...], str]:
        if endpoint.api != NEWER:
            return super().page(cursor, page_size=page_size, endpoint=endpoint)
        return tuple(task for task in self._shown() if self._endpoint(task).api == NEWER), ""

    def find_many(self, external_task_ids: Sequence[str]) -> tuple[Task, ...]:
        self.gets += external_task_ids
        _raise_next(self.look_ups)
        return tuple(task for task in self._shown() if task.external_task_id in external_task_ids)

    def find(self, external_task_id: str, **_: Any) -> Task | None:
        return super().find(external_task_id, endpoint=TEXT_TO_VIDEO)

    def _look_up(self, endpoint: Endpoint, call: Call) -> Task:  # noqa: ARG002
        return self.get(call.path.rpartition("/")[2])

    def _shown(self) -> Sequence[Task]:
        return [task for task in self.made.values() if task.external_task_id not in self.hidden]

    def _endpoint(self, task: Task) -> Endpoint:
        return self.made_at.get(task.external_task_id, TEXT_TO_VIDEO)

    def download(self, url: str, to: Path, **_: Any) -> int:
        self.downloads.append(url)
        content = self.files[url]
        if isinstance(content, BaseException):
            raise content
        return to.write_bytes(content)

    def add(self, external_task_id: str, **fields: Any) -> None:
        """Make a task."""
        number = f"{800_000_000_000_000_000 + len(self.made)}"
        fields = {"task_id": number, "task_status": "submitted", "request_id": "r-1"} | fields
        self.made[external_task_id] = Task(external_task_id=external_task_id, **fields)

    def change(self, external_task_id: str, **fields: Any) -> None:
        """Change a task."""
        self.made[external_task_id] = replace(self.made[external_task_id], **fields)

    def finish(self, external_task_id: str, content: bytes | BaseException = b"", **fields: Any) -> str:
        """Let a task succeed; return the address of its video."""
        url = f"https://cdn.kling.test/{len(self.files)}.mp4"
        self.files[url] = content
        video = Video(id=f"v-{external_task_id}", url=url, duration=5.0)
        self.change(external_task_id, task_status="succeed", videos=(replace(video, **fields),))
        return url


def _raise_next(errors: list[BaseException | None]) -> None:
    if errors and (error := errors.pop(0)):
        raise error


class Account:
    """A connection to it."""

    is_asleep = False

    def __init__(self, kling: Kling, *, is_sandbox: bool = False) -> None:
        self.kling, self.is_sandbox = kling, is_sandbox
        self.lifecycle: list[str] = []
        self.down: BaseException | None = None

    def client(self) -> Client:
        if self.down is not None:
            raise self.down
        return self.kling

    def start(self) -> None:
        self.lifecycle.append("started")

    def stop(self) -> None:
        self.lifecycle.append("stopped")


def order_one(studio: Studio, request: AnyRequest, press: Press) -> Job:
    """Have a studio order one video."""
    return studio.order_all([request], press)[0]


class Bench:
    """A studio over one folder and a fake account; workers run at once, or when `work` is called.

    One clock gives both times. The scans of the account that follow a start have been made.
    """

    def __init__(
        self, folder: Path, *, kling: Kling | None = None, is_sandbox: bool = False, key: str = "key"
    ) -> None:
        self.folder = folder
        self.key, self.base_url = ApiKey(key), "https://kling.test"
        self.kling = kling or Kling()
        self.connection = Account(self.kling, is_sandbox=is_sandbox)
        self.clock = Clock(1_795_000_000.0)
        self.held: list[Callable[[], None]] | None = None
        self.disk: list[OSError] = []
        self.writes: list[bytes] = []
        self.rng = Steady()
        self.told = 0
        self.open()

    def restart(self, *, base_url: str = "") -> None:
        """Open the same folder as a new process would; what the old one had in hand is gone."""
        self.base_url = base_url or self.base_url
        if self.held is not None:
            self.held = []
        self.studio.folder.release()
        self.open()

    def open(self) -> None:
        credentials = None if self.connection.is_sandbox else self.key
        self.studio = Studio(
            Settings(data_dir=self.folder, credentials=credentials, base_url=self.base_url),
            connection=self.connection,
            file=LogFile(self.folder / "history.csv", write=self.write, fsync=lambda _: None),
            clock=self.clock,
            monotonic=self.clock,
            run=self._run,
            rng=self.rng,
            checker=InProcessChecker(),
        )
        self.ledger, self.poller = self.studio.ledger, self.studio.poller
        lists, self.kling.lists = self.kling.lists, []
        for _ in range(2):  # the two scans that follow a start
            self.studio.scan.request()
            while self.studio.scan.step(lambda: self.kling, self.clock.now) is not None:
                self.studio.scan.request()
        self.kling.lists = lists
        self.kling.pages.clear()
        self.studio.changes.subscribe(self._tell)

    @property
    def account(self) -> str:
        return self.studio.accounts.name

    def _run(self, call: Callable[[], None]) -> None:
        if self.held is None:
            call()
        else:
            self.held.append(call)

    def work(self) -> None:
        """Let the workers do what was handed to them."""
        while self.held:
            self.held.pop(0)()

    def write(self, handle: int, data: bytes) -> int:
        if self.disk:
            raise self.disk.pop(0)
        self.writes.append(data)
        return os.write(handle, data)

    def _tell(self) -> None:
        self.told += 1

    def order(self, request: TextToVideo = FOX, *, session: str = "s", person: str = "Ada") -> Job:
        return order_one(self.studio, request, Press(person=person, session=session))

    def order_all(self, requests: Sequence[AnyRequest], *, person: str = "Ada", **about: Any) -> list[Job]:
        return self.studio.order_all(requests, Press(person=person, session="s", **about))

    def job(self, job_id: str) -> Job:
        job = self.ledger.get(job_id)
        assert job is not None
        return job

    def states(self) -> list[str]:
        return [job.state for job in self.ledger.jobs()]

    def run_for(self, seconds: float) -> None:
        """Call `step` when it wants to be called, as the poller's thread does."""
        end = self.clock.now + seconds
        while True:
            before = self.studio.changes.version
            due = self.poller.step()
            if self.studio.changes.version != before:
                due = self.clock.now  # a change wakes the poller
            if due is None or due > end:
                break
            self.clock.now = max(self.clock.now + 0.02, due)
        self.clock.now = end


class Steady(random.Random):
    """No jitter, or as much as a test says."""

    draw: float | None = None

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2 if self.draw is None else self.draw
