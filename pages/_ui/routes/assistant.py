"""The prompt assistant over HTTP: `POST /assistant` asks, and the answer streams back as it comes.

The answer is server-sent events, each an object of JSON with its kind: `text` has the next words, `done`
what can be taken, `failed` why there is nothing. When the browser goes away, the question ends too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from kling import Shot
from kling.catalog import catalog
from kling.endpoint import prompt_limit
from kling.studio.assistant.answers import Result
from kling.studio.assistant.assistant import Asking, Event, Failed, TooMuch
from kling.studio.assistant.questions import Instruction, Question, QuestionError, question_of
from kling.studio.identity.roles import NotAllowed
from kling.studio.prompting.word_diff import word_diff
from kling.text import storable
from pages._ui import context, current_user
from pages._ui.address import base_path
from pages._ui.format import counted
from pages._ui.requests import draft_of, words_of

MOST_BYTES = 64 * 1024  # of a question
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}  # nginx hands on at once
_END = None


def routes() -> list[BaseRoute]:
    """Return the routes of this module."""
    return [Route(f"{base_path()}/assistant", assistant, methods=["POST"])]


async def assistant(request: Request) -> Response:
    """Ask what the body says; only makers may. A refusal says why, in words."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return PlainTextResponse("This prompt is too long to be sent. Shorten it.", 413)
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        return PlainTextResponse("The body has to be a JSON object.", 400)
    try:
        asking = await run_in_threadpool(_begin, request, asked)
    except QuestionError as error:
        return PlainTextResponse(str(error), 400)
    except NotAllowed as error:
        return PlainTextResponse(str(error), 403)
    except TooMuch as error:
        return PlainTextResponse(str(error), 429)
    return _Answer(asking)


def _begin(request: Request, asked: Mapping[str, Any]) -> Asking:
    question = _question(asked)
    return context.studio().acting_as(current_user.user_of(request)).ask_assistant(question)


def _question(asked: Mapping[str, Any]) -> Question:
    """Return what a body asks for.

    Raises:
        QuestionError: it is nothing that can be asked.
    """
    instruction = next((each for each in Instruction if each == asked.get("instruction")), None)
    if instruction is None:
        raise QuestionError(f"The body has to name an instruction: {', '.join(Instruction)}.")
    if isinstance(job_id := asked.get("job"), str):
        return _question_about_job(instruction, job_id)
    shots = asked.get("shots")
    return question_of(
        instruction,
        prompt=_text(asked, "text"),
        shots=[
            Shot(prompt=_text(shot, "prompt"), duration=_text(shot, "duration"))
            for shot in (shots if isinstance(shots, list) else [])[: catalog().shot_limit]
            if isinstance(shot, dict)
        ],
        model=_text(asked, "model"),
        duration=_text(asked, "duration"),
        aspect_ratio=_text(asked, "aspect_ratio"),
        has_sound=asked.get("sound") is True,
        limit=_limit(_text(asked, "model"), has_image=asked.get("picture") is True),
    )


def _question_about_job(instruction: Instruction, job_id: str) -> Question:
    """Return a question about the prompt of a job, which everybody who may ask may read."""
    job = context.studio().ledger.get(job_id)
    if job is None:
        raise QuestionError("There is no such job.")
    request, draft = words_of(job), draft_of(job)
    return question_of(
        instruction,
        prompt=storable(request.prompt),
        shots=request.multi_prompt,
        model=request.model_name,
        duration=request.duration,
        aspect_ratio=request.aspect_ratio,
        has_sound=request.sound == "on",
        limit=_limit(request.model_name, has_image=draft is not None and bool(draft.first_frame)),
    )


def _limit(model: str, *, has_image: bool) -> int:
    """Return how many characters the form counts as the most for a model."""
    credentials = context.studio().settings.credentials
    return prompt_limit(catalog().models.get(model), credentials, has_image=has_image)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return storable(value) if isinstance(value, str) else ""


class _Answer(StreamingResponse):
    """The answer to a question, which ends when nobody takes it any more.

    Starlette looks for the end of the connection beside the iterator, and cancels it.

    Args:
        asking: the question.
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        super().__init__(self._events(), headers=HEADERS, media_type="text/event-stream")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._asking.close()

    async def _events(self) -> AsyncIterator[str]:
        said: asyncio.Queue[Event | None] = asyncio.Queue()  # an answer is bounded, so this is too
        running = asyncio.create_task(self._asking.run(said.put_nowait))
        running.add_done_callback(lambda _: said.put_nowait(_END))
        try:
            while (event := await said.get()) is not _END:
                if isinstance(event, Result):  # to compare long texts takes a moment
                    yield await run_in_threadpool(_line, self._asking.question, event)
                else:
                    yield _line(self._asking.question, event)
        finally:
            running.cancel()
            await asyncio.wait({running})


def _line(question: Question, event: Event) -> str:
    return f"data: {json.dumps(_as_json(question, event), ensure_ascii=False)}\n\n"


def _as_json(question: Question, event: Event) -> dict[str, Any]:
    if isinstance(event, str):
        return {"kind": "text", "text": event}
    if isinstance(event, Failed):
        return {"kind": "failed", "why": event.why, "words": event.words}
    shots = [{"prompt": shot.prompt, "duration": shot.duration} for shot in event.shots]
    return {
        "kind": "done",
        "text": event.text,
        "alternatives": event.alternatives,
        "shots": shots,
        "model": event.model,
        "notes": event.notes,
        **_difference(question, event),
    }


def _difference(question: Question, result: Result) -> dict[str, Any]:
    """Return the difference to what was sent, word by word, and how much it is in words."""
    if result.alternatives or (result.shots and not question.shots):
        return {"pieces": [], "summary": ""}
    old, new = question.text, result.text
    if question.shots:  # without the words that only number the shots
        old = "\n".join(shot.prompt for shot in question.shots)
        new = "\n".join(shot.prompt for shot in result.shots)
    pieces = word_diff(old, new)
    gone, added = (
        sum(len(piece.text.split()) for piece in pieces if piece.kind == kind)
        for kind in ("removed", "added")
    )
    summary = f"{counted(added, 'word', 'words')} new, {counted(gone, 'word', 'words')} gone."
    if all(piece.kind == "same" for piece in pieces):
        summary = "Nothing was changed."
    return {"pieces": pieces, "summary": summary}
