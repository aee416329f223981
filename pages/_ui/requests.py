"""What pages show of a request, and the form's draft of it. Only this module tells the endpoints apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from kling import TextToVideo, catalog
from kling.endpoint import TEXT_TO_VIDEO, AnyRequest
from kling.studio.jobs import Job, request_of
from kling.studio.prompting.batch import draft_of_batch
from kling.studio.prompting.draft import Draft, FormRequest
from kling.studio.prompting.words import as_text_to_video
from kling.video_to_audio import VideoToAudio
from pages._ui.words import field, model_title, quality


def shown_request(job: Job) -> AnyRequest:
    """Return the request of a job, only to be shown.

    Of an endpoint that this version does not know, it is what text to video reads from the same cells.
    """
    return request_of(job.cells, job.endpoint or TEXT_TO_VIDEO)


def words_of(job: Job) -> TextToVideo:
    """Return what the request of a job has in common with text to video, only to be shown."""
    return as_text_to_video(shown_request(job))


def has_form(job: Job) -> bool:
    """Whether there is a form for requests of the job's endpoint."""
    return form_request_of(job) is not None


def form_request_of(job: Job) -> FormRequest | None:
    """Return the request of a job if the form can order the same."""
    request = shown_request(job) if job.endpoint is not None else None
    return None if isinstance(request, VideoToAudio) else request


def draft_of(job: Job) -> Draft | None:
    """Return the draft that orders the same as a job; None if there is no form for it."""
    request = form_request_of(job)
    return None if request is None else Draft.from_request(request, parent=job.id)


def draft_of_all(jobs: Sequence[Job]) -> Draft | None:
    """Return the draft that orders the same as one press did; that of the first job if no draft does.

    Args:
        jobs: that it ordered, at least one; None is returned if there is no form for them.
    """
    requests = [request for job in jobs if (request := form_request_of(job)) is not None]
    if len(jobs) > 1 and len(requests) == len(jobs):
        whole = draft_of_batch(requests, parent=jobs[0].id)
        if whole is not None:
            return whole
    return draft_of(jobs[0])


def is_found(job: Job) -> bool:
    """Whether a job was found among the files or in the account, and its request is not known."""
    return job.extra.get("found") in {"file", "account"} and not prompts_of(job)


def prompts_of(job: Job) -> str:
    """Return the prompt of a job, or those of its shots; empty if it has none."""
    if prompt := job["prompt"]:
        return prompt
    words = words_of(job)
    return words.prompt or " / ".join(shot.prompt for shot in words.multi_prompt)


def text_of(request: AnyRequest) -> str:
    """Return the prompt of a request, or that of each shot in a line of its own."""
    words = as_text_to_video(request)
    return "\n".join(shot.prompt for shot in words.multi_prompt) or words.prompt


def texts_of(request: AnyRequest) -> dict[str, str]:
    """Return the prompts of a request, by their names for a page; empty where there is none."""
    words = as_text_to_video(request)
    shots = {
        f"Shot {number}, {shot.duration} s": shot.prompt for number, shot in enumerate(words.multi_prompt, 1)
    }
    return {"Prompt": words.prompt, "Negative prompt": words.negative_prompt, **shots}


def facts_of(request: AnyRequest) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of every other field for a page, the value empty where there is none."""
    words = as_text_to_video(request)
    for name in request.FIELDS:
        if name in _IN_WORDS:
            yield field(name), _IN_WORDS[name](words)
        elif name not in _ELSEWHERE:
            yield field(name), _plain(getattr(request, name))


def _plain(value: object) -> str:
    if value is None or value is False:
        return ""
    return f"{value:g}" if isinstance(value, float) else "on" if value is True else str(value)


def _with_name(words: str, name: str) -> str:
    """Return words for a person, with the API's own name beside them where it is another one."""
    return words if words == name else f"{words} ({name})"


def _model_title(request: TextToVideo) -> str:
    return model_title(request.model_name, catalog().models.get(request.model_name))


def _quality(request: TextToVideo) -> str:
    return quality(request.mode, catalog().models.get(request.model_name)) if request.mode else ""


def camera_in_words(request: TextToVideo) -> str:
    """Return how the camera moves, as `simple pan -4`; empty if the request does not say it."""
    camera = request.camera_control
    if camera is None:
        return ""
    moves = ", ".join(f"{axis} {value:+g}" for axis, value in camera.config.items() if value)
    return f"{camera.type.replace('_', ' ')} {moves}".strip()


# The fields that stand outside of the table of the request: as texts above it, in the row `multi_shot`, or
# in the table of the task.
_ELSEWHERE = frozenset({"prompt", "negative_prompt", "multi_prompt", "shot_type", "external_task_id"})
# The fields whose value is not shown as it is. Any other field needs no entry here.
_IN_WORDS: Mapping[str, Callable[[TextToVideo], str]] = {
    "model_name": lambda request: _with_name(_model_title(request), request.model_name),
    "mode": lambda request: _with_name(_quality(request), request.mode or ""),
    "duration": lambda request: f"{request.duration} s" if request.duration else "",
    "camera_control": camera_in_words,
    "multi_shot": lambda request: (request.shot_type or "on") if request.multi_shot else "",
    "watermark_info": lambda request: "also with a watermark" if request.watermark else "",
    "callback_url": lambda request: without_query(request.callback_url),
}


def without_query(url: str) -> str:
    """Return an address without what may be a secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.hostname else ""
