"""The account in use: Kling with the operator's key, or the sandbox, which the studio starts itself."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from typing import Protocol

from kling.auth import ApiKey
from kling.client import NOT_FOUND_CODES, Client
from kling.errors import BadRequest, MaybeSent, NotSent
from kling.studio.child_environment import child_environment
from kling.studio.ids import asked_by
from kling.studio.jobs import Job, UnknownEndpoint
from kling.studio.settings import Settings
from kling.tasks import Task

log = logging.getLogger(__name__)

READY_WITHIN = 30.0  # seconds for the sandbox to start
FIRST_LINE = "Kling sandbox: "
ROOT = str(Path(__file__).parents[2])
SLEEP = 5.0  # seconds without use before it is started
RESTART_PAUSES = (0.5, 2.0, 10.0)  # seconds, the last one for ever


class Connection(Protocol):
    """An account as the studio uses it."""

    @property
    def is_sandbox(self) -> bool:
        """Whether nothing on this account costs money."""
        ...

    @property
    def is_asleep(self) -> bool:
        """Whether the first call has to wake it up; what is not urgent lets it sleep."""
        ...

    def client(self) -> Client:
        """Return the client to use now.

        Raises:
            NotSent: there is none at the moment.
        """
        ...

    def start(self) -> None:
        """Begin to get ready; returns at once."""
        ...

    def stop(self) -> None:
        """End everything that `start` began."""
        ...


class KlingConnection:
    """The real API, or anything else that `KLINGAI_BASE_URL` names."""

    is_sandbox = False
    is_asleep = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def client(self) -> Client:
        """Return the client, which is always the same one."""
        return self._client

    def start(self) -> None:
        """Do nothing: connections are opened when they are needed."""

    def stop(self) -> None:
        """Close the connections."""
        self._client.close()


class SandboxConnection:
    """A sandbox as a child process, started again if it ends by itself.

    It sleeps until its first use, or for some seconds after `start`: the first page has the processor.
    The two processes speak HTTP only. The child ends with its parent, even with a killed one, because its
    stdin then reaches its end. Its keys are new at every start of the studio and are in no command line.

    Args:
        data: its folder.
        arguments: further ones of its command line.
        webhook_secret: signs its callbacks.
        sleep: seconds.
    """

    is_sandbox = True

    def __init__(
        self, data: Path, *, arguments: tuple[str, ...] = (), webhook_secret: str = "", sleep: float = SLEEP
    ) -> None:
        self._data, self._arguments, self._webhook_secret = data, arguments, webhook_secret
        self._sleep = sleep
        self._key = ApiKey(f"studio-{secrets.token_urlsafe(48)}")  # a pair does not open every endpoint
        self._awake = threading.Event()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._client: Client | None = None
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._supervise, name="sandbox", daemon=True)

    @property
    def pid(self) -> int | None:
        """The id of the child process, None while none runs."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    @property
    def is_asleep(self) -> bool:
        """Whether the child has not been started yet; asking for a client starts it."""
        return not self._awake.is_set()

    def start(self) -> None:
        """Have the child started in the background, when it is used or after some seconds."""
        self._thread.start()

    def client(self) -> Client:
        """Return a client of the running child, waiting for it if it is just starting."""
        self._awake.set()
        self._ready.wait(READY_WITHIN)
        client = self._client
        if client is None:
            raise NotSent("The sandbox is not running.")
        return client

    def stop(self) -> None:
        """End the child: its stdin closes, which it takes as the sign to go."""
        self._stopping.set()
        self._awake.set()
        self._ready.set()
        if self._process is not None:
            _end(self._process)
        if self._thread.is_alive():
            self._thread.join(10)

    def _supervise(self) -> None:
        starts = 0
        self._awake.wait(self._sleep)
        self._awake.set()
        while not self._stopping.is_set():
            try:
                self._run_once()
            except Exception:  # whatever it is: without this thread no sandbox comes any more
                log.exception("The sandbox could not be started.")
            self._ready.clear()
            if self._client is not None:
                self._client.close()
            self._client = None
            pause = RESTART_PAUSES[min(starts, len(RESTART_PAUSES) - 1)]
            starts += 1
            if not self._stopping.wait(pause):
                log.warning("The sandbox ended by itself and is started again.")
        self._ready.set()  # no sandbox comes any more, so nobody may wait for one

    def _run_once(self) -> None:
        command = [sys.executable, "-m", "kling.sandbox", "--child", "--retired", "serve"]
        environment = child_environment(
            SANDBOX_API_KEY=self._key.key,
            PYTHONPATH=os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")])),
        )
        if self._webhook_secret:  # the operator's own: it goes through the pipe, not into an environment
            command.append("--callback-secret-from-stdin")
        process = subprocess.Popen(
            [*command, "--data", str(self._data), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            errors="replace",
        )
        self._process = process
        try:
            if self._webhook_secret and process.stdin is not None:
                process.stdin.write(f"{self._webhook_secret}\n")
                process.stdin.flush()
            threading.Thread(target=_log_lines_of, args=(process,), name="sandbox-log", daemon=True).start()
            if self._stopping.is_set():  # `stop` may have looked before there was a process
                _end(process)
            assert process.stdout is not None  # noqa: S101 - for the type checker
            with process.stdout as lines:
                for line in lines:
                    if line.startswith(FIRST_LINE) and self._client is None:
                        self._client = Client(
                            self._key,
                            base_url=line.removeprefix(FIRST_LINE).strip(),
                            retired_ok=True,  # the sandbox itself decides about retired models
                        )
                        self._ready.set()
        finally:
            _end(process)


def _log_lines_of(process: subprocess.Popen[str]) -> None:
    """Log what the child writes to its standard error: one place decides how the studio's output looks."""
    assert process.stderr is not None  # noqa: S101 - for the type checker
    with process.stderr as lines:
        for line in lines:
            if line.strip():
                log.warning("The sandbox says: %s", line.rstrip())


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def connect(settings: Settings) -> Connection:
    """Return the account that the settings name; without credentials it is the sandbox."""
    if settings.credentials is None:
        return SandboxConnection(settings.data_dir / "sandbox", webhook_secret=settings.webhook_secret)
    client = Client(settings.credentials, base_url=settings.base_url, video_hosts=settings.video_hosts)
    return KlingConnection(client)


def find_task(client: Client, job: Job) -> Task | None:
    """Return the task of a job, None if the account has none.

    Kling is asked by our id, never by the `task_id` that the log says: somebody may have edited that. Only a
    task that was adopted from the account carries no id of ours, and is asked for by Kling's own.

    Raises:
        KlingError: nothing is known. None is returned only if the API said that there is no such task.
    """
    asked, endpoint = asked_by(job.id), job.endpoint
    if endpoint is None:
        raise NotSent(str(UnknownEndpoint(job["endpoint"])))
    if asked == job.id:
        return client.find(job.id, endpoint=endpoint)
    try:
        task = client.get(asked, endpoint=endpoint)
    except BadRequest as error:
        if error.code in NOT_FOUND_CODES:
            return None
        raise
    if task.task_id != asked:
        raise MaybeSent("The answer is about another task.")
    return task
