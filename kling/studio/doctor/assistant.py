"""Whether the prompt assistant's server answers, takes the key, and has the model; this is free."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kling.studio.assistant.settings import AssistantSettings
from kling.studio.doctor.finding import Finding, ok, problem, warning
from kling.transport import TROUBLE, Session

ABOUT = "prompt assistant"
PATIENCE = (5.0, 15.0)  # seconds to connect, and for an answer
_LARGEST = 4 * 2**20  # bytes of a list of models


def assistant(settings: AssistantSettings | None) -> Iterator[Finding]:
    """Ask the server for its list of models. Nothing is said where no server is named."""
    if settings is None:
        return
    headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
    try:
        with Session(trust_env=not settings.is_here) as session:
            answer = session.get(
                settings.models_url, headers=headers, timeout=PATIENCE, allow_redirects=False, stream=True
            )
            body = answer.raw.read(_LARGEST, decode_content=True) if answer.status_code == 200 else b""
    except TROUBLE:
        remedy = "check STUDIO_LLM_URL, and let this machine reach it"
        yield problem(ABOUT, f"{settings.host} does not answer", remedy)
        return
    yield _meaning(settings, answer.status_code, body)


def _meaning(settings: AssistantSettings, status: int, body: bytes) -> Finding:
    host = settings.host
    if status in {401, 403}:
        what = f"{host} does not accept the key" if settings.key else f"{host} asks for a key"
        return problem(ABOUT, f"{what} (status {status})", "set STUDIO_LLM_KEY to a key of that server")
    if 300 <= status < 400:
        remedy = "set STUDIO_LLM_URL to the address that it leads to"
        return problem(ABOUT, f"{host} sends elsewhere (status {status}), which is not followed", remedy)
    if status != 200:
        what = f"{host} does not list its models (status {status}), so the model could not be looked up"
        return warning(ABOUT, what, "try the assistant once, and check STUDIO_LLM_URL if it fails")
    names = _names(body)
    if settings.model in names:
        return ok(ABOUT, f"{host} answers and has {settings.model}")
    what = f"{host} does not list the model {settings.model}"
    shown = [name for name in sorted(names) if name.isprintable() and len(name) < 60][:5]
    remedy = (
        f"set STUDIO_LLM_MODEL to one that it has, such as {', '.join(shown)}"
        if shown
        else ("check STUDIO_LLM_MODEL, and that STUDIO_LLM_URL is that of an OpenAI chat API")
    )
    return warning(ABOUT, what, remedy)


def _names(body: bytes) -> set[str]:
    try:
        listed = json.loads(body)["data"]
        return {model["id"] for model in listed if isinstance(model["id"], str)}
    except (ValueError, LookupError, TypeError, RecursionError):
        return set()
