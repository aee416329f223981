"""The endpoints of the API that this client speaks to.

To add one, write its request as a module beside `text_to_video.py` and name it in `ENDPOINTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Protocol, Self

from kling import wire
from kling.catalog import catalog
from kling.dialect import Dialect
from kling.errors import InvalidRequest
from kling.problems import Problem
from kling.request_body import Parsed
from kling.text_to_video import TextToVideo


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

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body of the create call."""

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
        path: of its create call, below the base URL.
        api: the generation, as the catalog names it.
        dialect: the language of that generation.
        request: the class of its requests.
    """

    name: str
    path: str
    api: str
    dialect: Dialect
    request: type[Request]


TEXT_TO_VIDEO = Endpoint(
    name="text2video", path="/v1/videos/text2video", api="v1", dialect=wire, request=TextToVideo
)
ENDPOINTS = (TEXT_TO_VIDEO,)
# The union of the request classes of `ENDPOINTS`. When it grows, mypy names every place that has to tell its
# members apart.
AnyRequest = TextToVideo


def endpoint_of(request: Request) -> Endpoint:
    """Return the endpoint that takes a request: by its exact class, and by the generation of its model.

    Raises:
        InvalidRequest: there is none.
    """
    known = catalog()
    model = known.models.get(request.model_name)
    api = model.api if model else known.api
    for endpoint in ENDPOINTS:
        if type(request) is endpoint.request and endpoint.api == api:
            return endpoint
    raise InvalidRequest([Problem("model_name", "This client does not speak to the API of this model.")])
