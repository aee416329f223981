"""The world around a studio: true time, Kling's accounts as they show themselves, the network, the disk.

Nothing here knows how the studio works. What Kling has accepted is read from its engines, and what the studio
said and wrote is read by `machine.py`; only the faults in between are made here.
"""

from __future__ import annotations

import errno
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import requests

from kling import ApiKey, KeyPair
from kling.sandbox.auth import Keys
from kling.sandbox.engine import Answer, Engine, Request
from kling.sandbox.settings import Settings
from kling.sandbox.store import Store
from tests.studio.in_process import Killed, Wire

URL = "https://kling.test"
START = 1_790_000_000.0  # Unix seconds
TASKS = "/tasks"  # of the newer generation
LISTS_AT = ("/v1/videos/text2video", "/v1/videos/image2video", "/v1/audio/video-to-audio")  # of the older
LONGEST_LAG = 120.0  # seconds; what the studio has to live with
# Likewise, where it is not known that a second create is refused: longer than any pause after which a create
# is repeated elsewhere. So one that is repeated by itself is bought twice.
LAG_OF_OTHERS = 600.0
REFUSING = ("/v1/videos/text2video", "/text-to-video/")
BLINK = 50.0  # seconds for which Kling may forget a task that it has shown

# Credentials by name: the first two open the same account, the third another one at the same address.
CREDENTIALS: dict[str, KeyPair | ApiKey] = {
    "pair": KeyPair("machine", "a-secret-key-of-32-bytes-at-least"),
    "new key": ApiKey("api-key-kling-machine"),
    "other account": ApiKey("api-key-kling-somebody-else"),
}
SPELLINGS = (
    "documented",
    "succeeded",
    "completed",
    "upper case",
    "codes as text",
    "codes as fractions",
    "times in seconds",
    "times as ISO text",
    "times without a zone",
)
LISTS = (
    "whole",
    "404",
    "404 of a gateway",
    "500",
    "an object",
    "shuffled",
    "oldest first",
    "half of it",
    "nothing",
)


@dataclass
class World:
    """The true time, what this machine takes for it, and the accounts at Kling.

    Args:
        true: seconds since the history began; neither Kling nor a monotonic clock ever sees another time.
        wrong: seconds by which this machine's wall clock is ahead.
        duplicates: whether Kling takes a second create with the same id.
    """

    true: float = 0.0
    wrong: float = 0.0
    duplicates: bool = False
    accounts: dict[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        pair, key, other = CREDENTIALS.values()
        assert isinstance(pair, KeyPair)
        assert isinstance(key, ApiKey)
        assert isinstance(other, ApiKey)
        ours = Keys(access_key=pair.access_key, secret_key=pair.secret_key, api_key=key.key)
        theirs = Keys(access_key="", secret_key="", api_key=other.key)
        self.accounts = {
            "ours": Account(ours, self.kling_time, duplicates=self.duplicates),
            "theirs": Account(theirs, self.kling_time, duplicates=self.duplicates),
        }

    def kling_time(self) -> float:
        return START + self.true

    def wall(self) -> float:
        return START + self.true + self.wrong

    def account(self, authorization: str) -> Account:
        """Return whose account a header opens; nobody's key is refused by the first one."""
        other = CREDENTIALS["other account"]
        assert isinstance(other, ApiKey)
        return self.accounts["theirs" if authorization == f"Bearer {other.key}" else "ours"]

    def accepted(self) -> Counter[str]:
        """Return how many tasks Kling has under each of our ids, in all accounts."""
        return Counter(task["external_task_id"] for task in self.tasks())

    def tasks(self) -> Iterable[dict[str, str]]:
        for account in self.accounts.values():
            yield from account.tasks()

    def close(self) -> None:
        for account in self.accounts.values():
            account.engine.store.close()


class Account:
    """One account at Kling: a real engine, and how its answers are shown.

    Args:
        keys: that open it.
        clock: the true time.
        duplicates: whether a second create with the same id is taken.
    """

    def __init__(self, keys: Keys, clock: Callable[[], float], *, duplicates: bool) -> None:
        self.clock = clock
        twice = "accept" if duplicates else "refuse"
        self.engine = Engine(Store(), Settings(keys=keys, concurrency=3, duplicates=twice), clock())
        self.is_late = False  # whether tasks of the other endpoints show after `LAG_OF_OTHERS`
        self.duplicates = duplicates
        self.spelling, self.list, self.strangers = "documented", "whole", 0
        self.usual_list = (
            "whole"  # what the list is when nothing is wrong; some accounts have none that works
        )
        self.foreign: list[dict[str, Any]] = []  # others' tasks, the newest first
        self.shown: set[str] = set()  # task ids that some answer has named
        self.forgotten: dict[str, float] = {}  # task ids, and until when Kling denies them
        self._tasks: list[dict[str, str]] = []

    def lag(self, seconds: float) -> None:
        """Let look-ups and lists stay behind the creates that come from now on."""
        self.engine.settings = replace(self.engine.settings, lag=seconds)

    def tasks(self) -> list[dict[str, str]]:
        """Return what was accepted, the oldest first."""
        store = self.engine.store
        if len(self._tasks) < store.last:
            self._tasks = [
                {
                    "task_id": task.task_id,
                    "external_task_id": task.external_task_id or "",
                    "prompt": task.request.get("prompt") or task.request["sound_effect_prompt"],
                    "fails": task.failure or "",
                    "units": str(task.units),
                }
                for task in reversed(store.page(1, 500))
            ]
        return self._tasks

    def others_order(self, count: int) -> None:
        """Let tasks appear that no studio of this history has ordered, newer than all others."""
        now, first = int(self.clock() * 1000), len(self.foreign)
        self.foreign = [_foreign(number, now) for number in range(first, first + count)][::-1] + self.foreign

    def forget_for_a_while(self) -> None:
        """Deny, once and for less than a minute, the tasks that an answer has named before."""
        for task_id in self.shown.difference(self.forgotten):
            self.forgotten[task_id] = self.clock() + BLINK

    def mend(self) -> None:
        self.spelling, self.list, self.strangers = "documented", self.usual_list, 0
        self.forgotten.clear()
        self.lag(0.0)

    def handle(self, request: Request) -> Answer:
        """Answer as Kling would in its present mood."""
        lag = self.engine.settings.lag
        if self.is_late and is_create(request) and not request.path.startswith(REFUSING):
            self.lag(LAG_OF_OTHERS)
        is_page = request.method == "POST" and request.path.rstrip("/") == TASKS
        whole = replace(request, body=json.dumps({"limit": 500}).encode()) if is_page else request
        answer = self.engine.handle(whole, self.clock())
        self.lag(lag)
        store = self.engine.store
        for task in iter(store.undrawn, None):
            store.mark_ready(task.task_id, self.engine.clock(self.clock()))
        body = dict(answer.body)
        status = answer.status
        path = request.path.rstrip("/")
        if status == 200 and path == TASKS:
            status, body = self._of_newer(request, body)
        elif status == 200 and request.method == "GET":
            if path in LISTS_AT:
                status, body = self._list(request, body)
            elif self.strangers:
                self.strangers -= 1
                body["data"] = _foreign(7, int(self.clock() * 1000))
            elif self.forgotten.get(body["data"]["task_id"], 0.0) > self.clock():
                status = 400
                body = {"code": 1201, "message": "Task not found by id/external id", "request_id": "r"}
        if isinstance(data := body.get("data"), dict) and "task_id" in data:
            self.shown.add(data["task_id"])
        return replace(answer, status=status, body=spell(body, self.spelling))

    def _of_newer(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return what `/tasks` answers: the tasks of some ids, or a page of all tasks."""
        if request.method == "GET":
            if self.strangers:
                self.strangers -= 1
                return 200, body | {"data": [_newer(_foreign(7, int(self.clock() * 1000)))]}
            found = [task for task in body["data"] if self.forgotten.get(task["id"], 0.0) <= self.clock()]
            self.shown.update(task["id"] for task in found)
            return 200, body | {"data": found}
        if self.list in BROKEN_LISTS:
            return BROKEN_LISTS[self.list]
        asked = json.loads(request.body)
        tasks = [*(_newer(task) for task in self.foreign), *body["data"].get("result", [])]
        tasks = self._in_order(
            [task for task in tasks if self.forgotten.get(task["id"], 0.0) <= self.clock()], "id"
        )
        first = int(asked.get("cursor", "0"))
        page = self._shortened(tasks[first : first + asked["limit"]])
        self.shown.update(task["id"] for task in page)
        has_more = first + asked["limit"] < len(tasks) and self.list != "nothing"
        following = {"next_cursor": str(first + asked["limit"])} if has_more else {}
        data = {"result": page, "count": len(page), "has_more": has_more, **following}
        return 200, body | {"data": data}

    def _in_order(self, tasks: list[dict[str, Any]], id_name: str) -> list[dict[str, Any]]:
        if self.list == "oldest first":
            return tasks[::-1]
        return sorted(tasks, key=lambda task: task[id_name][::-1]) if self.list == "shuffled" else tasks

    def _shortened(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return {"half of it": page[::2], "nothing": []}.get(self.list, page)

    def _list(self, request: Request, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.list in BROKEN_LISTS:
            return BROKEN_LISTS[self.list]
        number, size = int(request.query.get("pageNum", "1")), int(request.query.get("pageSize", "30"))
        whole = replace(request, query={"pageNum": "1", "pageSize": "500"})
        ours = self.engine.handle(whole, self.clock()).body["data"]
        ours = [task for task in ours if self.forgotten.get(task["task_id"], 0.0) <= self.clock()]
        tasks = sorted([*ours, *self.foreign], key=lambda task: -task["created_at"]) if self.foreign else ours
        page = self._shortened(self._in_order(tasks, "task_id")[(number - 1) * size : number * size])
        self.shown.update(task["task_id"] for task in page)
        return 200, body | {"data": {"list": page, "total": len(tasks)} if self.list == "an object" else page}


BROKEN_LISTS: dict[str, tuple[int, dict[str, Any]]] = {
    "404": (404, {"code": 1202, "message": "Not found", "request_id": "r"}),
    "404 of a gateway": (404, {"message": "no route"}),
    "500": (500, {"code": 5000, "message": "Internal error", "request_id": "r"}),
}


def is_create(request: Request) -> bool:
    return request.method == "POST" and request.path.rstrip("/") != TASKS


def _newer(task: dict[str, Any]) -> dict[str, Any]:
    """Return a foreign task as the newer generation shows it."""
    status = {"succeed": "succeeded"}.get(task["task_status"], task["task_status"])
    return {
        "id": task["task_id"],
        "status": status,
        "message": "",
        "external_id": task["task_info"]["external_task_id"],
        "create_time": task["created_at"],
        "update_time": task["updated_at"],
        "outputs": [{"type": "video", **video} for video in task["task_result"]["videos"]],
        "billing": [],
    }


def _foreign(number: int, now: int) -> dict[str, Any]:
    """Return a task of somebody else: of another studio, of an old one, of a program, of nobody."""
    ids = (f"vzzzzzzzz-{number:024x}", f"v{number:024x}", f"their-{number}", "")
    status = ("succeed", "failed", "processing")[number % 3]
    task_id = f"7{number:017}"
    video = {"id": f"6{number:017}", "url": f"{URL}/clips/{task_id}.mp4", "duration": "5"}
    return {
        "task_id": task_id,
        "task_status": status,
        "task_status_msg": "",
        "final_unit_deduction": "0",
        "task_info": {"external_task_id": ids[number % 4]},
        "task_result": {"videos": [video] if status == "succeed" else []},
        "created_at": now,
        "updated_at": now,
    }


def spell(body: dict[str, Any], spelling: str) -> dict[str, Any]:
    """Return an answer in another spelling."""
    if spelling == "documented":
        return body
    code = body.get("code")
    if spelling.startswith("codes"):
        kind: type = str if spelling == "codes as text" else float
        return body | {"code": kind(code)} if code is not None else body
    data = body.get("data")
    if isinstance(data, dict) and isinstance(data.get("result"), list):
        return body | {"data": data | {"result": [_spell_task(task, spelling) for task in data["result"]]}}
    if isinstance(data, list):
        return body | {"data": [_spell_task(task, spelling) for task in data]}
    if isinstance(data, dict) and "list" in data:
        return body | {"data": data | {"list": [_spell_task(task, spelling) for task in data["list"]]}}
    return body | {"data": _spell_task(data, spelling)} if isinstance(data, dict) else body


def _spell_task(task: dict[str, Any], spelling: str) -> dict[str, Any]:
    name = "status" if "id" in task else "task_status"
    status = task.get(name, "")
    if spelling == "upper case":
        return task | {name: status.upper()}
    if spelling in {"succeeded", "completed"} and status in {"succeed", "succeeded"}:
        return task | {name: spelling}
    if spelling.startswith("times"):
        times = ("created_at", "updated_at", "create_time", "update_time")
        return task | {time: _moment(task[time], spelling) for time in times if time in task}
    return task


def _moment(milliseconds: int, spelling: str) -> object:
    if spelling == "times in seconds":
        return milliseconds // 1000
    text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
    return text if spelling == "times as ISO text" else text[:19]


class Network(Wire):
    """One studio's way to Kling. It counts the calls, and knows when each create left.

    Args:
        world: with the accounts.
        clip: bytes of the one clip that every task has.
    """

    def __init__(self, world: World, clip: bytes) -> None:
        super().__init__(world.accounts["ours"].engine, clip, world.kling_time)
        self.world = world
        self.called: deque[float] = deque(maxlen=5000)  # the true times of the calls to the API
        self.posts: list[str] = []  # the ids of the creates that left, in their order
        self.during_the_next_create: Callable[[], object] | None = None
        self.next_create_twice = False  # a proxy sends it twice, and gives the second answer

    def mend(self) -> None:
        self.faults.clear()
        self.clip_faults.clear()
        self.kill_at, self.during_the_next_create, self.next_create_twice = "", None, False

    def send(self, request: requests.PreparedRequest, *more: Any, **options: Any) -> requests.Response:
        if "/clips/" not in str(request.url):
            self.called.append(self.world.true)
        if request.method == "POST" and request.path_url.rstrip("/") != TASKS:
            body = json.loads(request.body or b"{}")
            self.posts.append(body.get("options", body).get("external_task_id", ""))
        return super().send(request, *more, **options)

    def ask(self, request: Request, fault: str, now: float) -> Answer:  # noqa: ARG002 - Kling has its own time
        account = self.world.account(request.headers.get("authorization", ""))
        answer = account.handle(request)
        if is_create(request) and self.during_the_next_create is not None:
            happens, self.during_the_next_create = self.during_the_next_create, None
            happens()
        if self.next_create_twice and is_create(request):
            self.next_create_twice, fault = False, "twice"
        if fault == "twice" and is_create(request) and not account.duplicates:
            answer = account.handle(request)
        if fault == "5000-after":
            answer = replace(answer, status=500, body={"code": 5000, "message": "no", "request_id": "r"})
        return answer

    def clip_of(self, task_id: str, now: float) -> Any:  # noqa: ARG002
        if task_id.startswith("7"):  # a foreign one
            return task_id
        found = (account.engine.clip(task_id, self.clock()) for account in self.world.accounts.values())
        return next(filter(None, found), None)


class Disk:
    """The log's disk: `write`, `fsync` and `ftruncate` as in `os`, and what happens to the next ones.

    Args:
        world: for the time until which no write succeeds.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.writes: list[str] = []  # "", "full" or "killed"
        self.full_until = 0.0
        self.fsyncs = self.ftruncates = 0  # how many of the next ones fail
        self.failed = False  # something has, since somebody has set this to False
        self.unconfirmed = self.in_doubt = (
            False  # an fsync has failed, and so has taking it back: until a restart
        )
        self.tried: deque[float] = deque(maxlen=5000)  # the true times of the writes

    def mend(self) -> None:
        self.writes.clear()
        self.full_until, self.fsyncs, self.ftruncates = 0.0, 0, 0

    def write(self, handle: int, data: bytes) -> int:
        self.tried.append(self.world.true)
        what = self.writes.pop(0) if self.writes else ""
        if what == "killed":
            os.write(handle, data[: len(data) // 2])  # the tail is torn
            raise Killed
        if what == "full" or self.world.true < self.full_until:
            self.failed = True
            if len(self.tried) % 2:
                return os.write(handle, data[: len(data) // 3])  # a short write
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:  # noqa: ARG002 - as in os
        if self.fsyncs:
            self.fsyncs -= 1
            self.failed = self.unconfirmed = True
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def ftruncate(self, handle: int, size: int) -> None:
        if self.ftruncates:
            self.ftruncates -= 1
            self.failed = self.in_doubt = True
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.ftruncate(handle, size)
