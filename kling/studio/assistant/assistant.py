"""Who may ask the assistant how often, and one question from its start to what can be taken."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from kling.studio.assistant.answers import NoAnswer, Result, result_of
from kling.studio.assistant.client import PATIENCE, AskError, Part, Patience, ask
from kling.studio.assistant.plain_text import Spoken
from kling.studio.assistant.questions import Question, messages_of
from kling.studio.assistant.settings import AssistantSettings
from kling.studio.printable import printable

LONGEST_REFUSAL = 1000  # characters
HOUR = 3600.0  # seconds
IN_ALL = 10  # times what one person may ask in an hour, for all together
AT_ONCE = 16  # questions under way, of all people together
MOST_PEOPLE = 10_000  # that are remembered


class TooMuch(Exception):
    """The assistant may not be asked now; the text says why and until when."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The end of a question that gave nothing.

    Args:
        why: in words.
        words: the model's own, where they say something.
    """

    why: str
    words: str = ""


Event = str | Result | Failed  # the next words of the answer; or its end


class Asking:
    """One question of a person. Run it once; nothing has been sent before.

    Args:
        settings: which server and model.
        question: what is asked for.
        patience: how long to wait.
        done: called when it is over, whatever way.
    """

    def __init__(
        self,
        settings: AssistantSettings,
        question: Question,
        patience: Patience,
        done: Callable[[Asking], None],
    ) -> None:
        self._settings, self.question, self._patience, self._done = settings, question, patience, done
        self._lock = threading.Lock()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._ended = ""  # why somebody has ended it

    async def run(self, say: Callable[[Event], None]) -> None:
        """Ask, and say each part of the answer; the last thing said is a `Result` or `Failed`.

        Whoever cancels this closes the connection to the server, and nothing more is said.
        """
        try:
            say(await self._end_of(say))
        finally:
            self.close()

    def close(self) -> None:
        """Give the place back; a second time does nothing."""
        self._done(self)

    def end(self, why: str) -> None:
        """End it from any thread; why is the last thing said."""
        with self._lock:
            self._ended = why
            if self._running is not None:
                loop, task = self._running
                loop.call_soon_threadsafe(task.cancel)

    async def _end_of(self, say: Callable[[Event], None]) -> Event:
        heard = _Heard(say)
        task = asyncio.create_task(self._ask(heard))
        with self._lock:
            self._running = asyncio.get_running_loop(), task
            if self._ended:
                task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if not self._ended:
                raise  # whoever waits here was cancelled, and the task with it
            return Failed(self._ended)
        except AskError as error:
            return Failed(str(error))
        return heard.result(self.question)

    async def _ask(self, heard: _Heard) -> None:
        with contextlib.suppress(_IsFull):
            await ask(self._settings, messages_of(self.question), heard.take, self._patience)


class _Heard:
    """What has come of an answer.

    Args:
        say: is told each of its words.
    """

    def __init__(self, say: Callable[[Event], None]) -> None:
        self._say, self._spoken = say, Spoken()
        self._refusal, self._is_cut = "", False

    def take(self, part: Part) -> None:
        """Take the next part.

        Raises:
            _IsFull: it is more than is kept.
        """
        self._is_cut = self._is_cut or part.is_cut
        self._refusal = (self._refusal + printable(part.refusal))[:LONGEST_REFUSAL]
        if words := self._spoken.add(part.text):
            self._say(words)
        if self._spoken.is_full:
            raise _IsFull

    def result(self, question: Question) -> Result | Failed:
        """Return what the whole answer gives."""
        if words := self._spoken.end():
            self._say(words)
        try:
            return result_of(question, self._spoken.text, refusal=self._refusal, is_cut=self._is_cut)
        except NoAnswer as none:
            return Failed(str(none), none.words)


class _IsFull(Exception):
    """More has come than is kept."""


class Assistant:
    """The prompt assistant, for threads to share.

    Args:
        settings: None where no server is named; nothing can be asked then.
        monotonic: seconds that never jump.
        patience: how long an answer is waited for.
    """

    def __init__(
        self,
        settings: AssistantSettings | None,
        monotonic: Callable[[], float] = time.monotonic,
        patience: Patience = PATIENCE,
    ) -> None:
        self._settings, self._monotonic, self._patience = settings, monotonic, patience
        self._lock = threading.Lock()
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()  # times of the last hour, by person
        self._all: deque[float] = deque()
        self._under_way: dict[str, Asking] = {}

    @property
    def is_on(self) -> bool:
        """Whether there is a server to ask."""
        return self._settings is not None

    @property
    def host(self) -> str:
        """Where texts are sent; empty if nowhere."""
        return self._settings.host if self._settings else ""

    def begin(self, person: str, question: Question) -> Asking:
        """Return a question to run; one of the same person that is under way ends.

        Args:
            person: whose share of the hour it takes.
            question: what is asked for.

        Raises:
            TooMuch: there is no server, or too much was asked in the last hour or is being asked.
        """
        if self._settings is None:
            raise TooMuch("This studio has no prompt assistant. Whoever runs it can set STUDIO_LLM_URL.")
        with self._lock:
            before = self._under_way.get(person)
            if before is None and len(self._under_way) >= AT_ONCE:
                raise TooMuch("Many people are asking the assistant now. Try again in a moment.")
            self._count(person, self._settings.hourly)
            asking = Asking(self._settings, question, self._patience, lambda over: self._end(person, over))
            self._under_way[person] = asking
        if before is not None:
            before.end("It was stopped, because you have asked for something else since.")
        return asking

    def stop(self) -> None:
        """End every question: the server stops, and waits for answers that are under way."""
        with self._lock:
            under_way = list(self._under_way.values())
        for asking in under_way:
            asking.end("The studio is being restarted. Ask again in a moment.")

    def _count(self, person: str, hourly: int) -> None:
        now = self._monotonic()
        mine = self._asked.setdefault(person, deque())
        self._asked.move_to_end(person)
        if len(self._asked) > MOST_PEOPLE:
            self._asked.popitem(last=False)
        for times, most, whose in ((mine, hourly, "You have"), (self._all, IN_ALL * hourly, "The team has")):
            while times and now - times[0] >= HOUR:
                times.popleft()
            if len(times) >= most:
                minutes = int((times[0] + HOUR - now) // 60) + 1
                raise TooMuch(
                    f"{whose} asked the assistant {most:,} times in the last hour, which is the most. "
                    f"It can be asked again in {minutes} min."
                )
        mine.append(now)
        self._all.append(now)

    def _end(self, person: str, over: Asking) -> None:
        with self._lock:
            if self._under_way.get(person) is over:
                del self._under_way[person]
