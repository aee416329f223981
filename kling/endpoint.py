"""The endpoints of the API that this client speaks to.

To add one, write its request as a module beside `text_to_video.py`, name it in `ENDPOINTS`, and say in
`catalog.toml` how it answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Protocol, Self

from kling import newer_wire, wire
from kling.auth import Credentials, KeyPair
from kling.catalog import NEWER, EndpointFacts, Model, catalog
from kling.dialect import Dialect
from kling.errors import InvalidRequest
from kling.image_to_video import ImageToVideo
from kling.problems import Problem, id_problem
from kling.request_body import Parsed
from kling.text_to_video import TextToVideo
from kling.video_to_audio import VideoToAudio


class Request(Protocol):
    """What every request has; `TextToVideo` says what each of these means."""

    FIELDS: ClassVar[Mapping[str, type]]

    @property
    def model_name(self) -> str:
        """The model, as the API calls it."""

    @property
    def external_task_id(self) -> str:
        """Our id of the task, empty if there is none."""

    @property
    def callback_url(self) -> str:
        """Where Kling reports changes, empty if nowhere."""

    @property
    def needs_newer_api(self) -> bool:
        """Whether only the newer generation of the API takes what is asked for."""

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call, as the older generation reads it."""

    @classmethod
    def from_wire(cls, body: object) -> Parsed[Self]:
        """Return the request of a JSON body."""

    def units(self) -> Decimal | None:
        """Return the price in Units, None where it is not known."""

    def problems(self, *, retired_ok: bool = False) -> tuple[Problem, ...]:
        """Return every rule that the request breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of one generation of the API.

    Args:
        name: as records of jobs name it.
        path: of its create call, below the base URL; in the newer generation with `newer_wire.MODEL` in it.
        api: the generation, as the catalog names it.
        dialect: the language of that generation.
        request: the class of its requests.
    """

    name: str
    path: str
    api: str
    dialect: Dialect
    request: type[Request]

    @property
    def needs_api_key(self) -> bool:
        """Whether it refuses an access key with a secret key: 401/1002 (S2, S2p)."""
        return self.api == NEWER

    def opens_for(self, credentials: Credentials | None) -> bool:
        """Whether these credentials may be used here."""
        return not (self.needs_api_key and isinstance(credentials, KeyPair))

    @property
    def list_name(self) -> str:
        """What tells its list of tasks from others: the newer generation has one list for all."""
        return self.api if self.api == NEWER else self.name

    @property
    def facts(self) -> EndpointFacts:
        """What the catalog says of its answers; of one that is not there, nothing is known."""
        unknown = EndpointFacts(
            name=self.name, api=self.api, duplicates="not documented", look_up="not at all", sources=""
        )
        return catalog().endpoints.get(self.name, unknown)

    def check_id(self, field: str, task_id: str) -> None:
        """Return if a task can be looked up here by an id.

        Args:
            field: how the caller names the id.
            task_id: Kling's or ours.

        Raises:
            InvalidRequest: it cannot.
        """
        problem = id_problem(task_id) if task_id else "Name the task."
        if self.api == NEWER and "," in task_id:
            problem = "The newer generation of the API reads a comma as the end of the id: leave it out."
        if problem:
            raise InvalidRequest([Problem(field, problem)])


TEXT_TO_VIDEO = Endpoint(
    name="text2video", path="/v1/videos/text2video", api="v1", dialect=wire, request=TextToVideo
)
IMAGE_TO_VIDEO = Endpoint(
    name="image2video", path="/v1/videos/image2video", api="v1", dialect=wire, request=ImageToVideo
)
VIDEO_TO_AUDIO = Endpoint(
    name="video2audio", path="/v1/audio/video-to-audio", api="v1", dialect=wire, request=VideoToAudio
)
NEWER_TEXT_TO_VIDEO = Endpoint(
    name="text-to-video",
    path=f"/text-to-video/{newer_wire.MODEL}",
    api=NEWER,
    dialect=newer_wire,
    request=TextToVideo,
)
NEWER_IMAGE_TO_VIDEO = Endpoint(
    name="image-to-video",
    path=f"/image-to-video/{newer_wire.MODEL}",
    api=NEWER,
    dialect=newer_wire,
    request=ImageToVideo,
)
ENDPOINTS = (TEXT_TO_VIDEO, IMAGE_TO_VIDEO, VIDEO_TO_AUDIO, NEWER_TEXT_TO_VIDEO, NEWER_IMAGE_TO_VIDEO)
# The union of the request classes of `ENDPOINTS`. When it grows, mypy names every place that has to tell its
# members apart.
AnyRequest = TextToVideo | ImageToVideo | VideoToAudio


def endpoint_of(request: Request) -> Endpoint:
    """Return the endpoint that takes a request: by its exact class, and by the generation of its model.

    A model that both generations serve is asked through the one that the catalog names for it, unless only
    the newer one takes what is asked for.

    Raises:
        InvalidRequest: there is none.
    """
    known = catalog()
    model = known.models.get(request.model_name)
    api = model.api if model else known.api
    if api == known.api and request.needs_newer_api:
        api = NEWER
    for endpoint in ENDPOINTS:
        if type(request) is endpoint.request and endpoint.api == api:
            return endpoint
    raise InvalidRequest([Problem("model_name", "This client does not speak to the API of this model.")])


def key_problems(request: Request, credentials: Credentials | None) -> tuple[Problem, ...]:
    """Return why an account's credentials do not open the endpoint of a request; empty if they do.

    Args:
        request: any; one that no endpoint takes has other problems, and none here.
        credentials: None for an account that takes everything.
    """
    try:
        endpoint = endpoint_of(request)
    except InvalidRequest:
        return ()
    return _key_problems(endpoint, request, credentials)


def _key_problems(
    endpoint: Endpoint, request: Request, credentials: Credentials | None
) -> tuple[Problem, ...]:
    if endpoint.opens_for(credentials):
        return ()
    known = catalog()
    model = known.models.get(request.model_name)
    if model and model.api != NEWER:
        text = f"An access key takes at most {known.prompt_limit:,} characters, an API key more: shorten it."
        return (Problem("prompt", text),)
    title = model.title if model else request.model_name
    text = f"{title} needs an API key, and this account has an access key: choose another model."
    return (Problem("model_name", text),)


def prompt_limit(model: Model | None, credentials: Credentials | None, *, has_image: bool) -> int:
    """Return how many characters an account's prompt for a model may have.

    Args:
        model: None for one that is not known.
        credentials: None for an account that takes everything.
        has_image: whether the video begins with a picture.
    """
    known = catalog()
    if isinstance(credentials, KeyPair) and model and model.api != NEWER:
        return known.prompt_limit
    return known.prompt_limit_of(model, has_image=has_image)


def check_endpoint(request: Request, endpoint: Endpoint, credentials: Credentials | None) -> None:
    """Return if a request can be sent to an endpoint with these credentials.

    Raises:
        InvalidRequest: the endpoint is of other requests, does not have the model, or needs an API key;
            or its task could not be looked up there.
    """
    model = catalog().models.get(request.model_name)
    has_model = model is None or endpoint.api == model.api or (endpoint.api == NEWER and bool(model.newer))
    if type(request) is not endpoint.request or not has_model:
        text = f"The endpoint {endpoint.name} does not take this request."
        raise InvalidRequest([Problem("model_name", text)])
    if problems := _key_problems(endpoint, request, credentials):
        raise InvalidRequest(problems)
    if request.external_task_id:
        endpoint.check_id("external_task_id", request.external_task_id)
