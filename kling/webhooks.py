"""Callbacks: what Kling POSTs to a task's `callback_url` at each change of its state, and its signature.

    from kling import webhooks

    webhooks.verify("whsec_…", headers, body, time.time())
    task = client.get(webhooks.read(body).task_id)

A callback is only a reason to ask the API: its address is public, and a signature is optional. Sources:
Kling's callback protocol, with the bodies of both generations of the API (S2, S4); standardwebhooks.com, the
signature. The package `standardwebhooks` takes no clock, and raises errors of many kinds for a malformed
header, so these 20 lines are written here.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import replace

from kling import newer_wire, wire
from kling.errors import KlingError, MaybeSent
from kling.json_values import parse
from kling.tasks import Task

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
TOLERANCE = 300  # seconds that `webhook-timestamp` may lie from now, either way


class CallbackRefused(KlingError):
    """It is not one of Kling's callbacks; the text gives the reason."""


def read(body: bytes) -> Task:
    """Read the body of a callback, of the legacy API or of the new one, into the terms of the legacy API.

    A field that is missing or of another type than documented is left empty. A legacy body has no
    `watermark_url`; neither has a `request_id`.

    Raises:
        CallbackRefused: it is no JSON object, or names no task.
    """
    fields = parse(body)
    if not isinstance(fields, dict):
        raise CallbackRefused("The body is no JSON object.")
    try:
        task = wire.task(fields) if "task_id" in fields else newer_wire.task(fields)
    except MaybeSent:
        raise CallbackRefused("The body names no task.") from None
    return replace(task, raw=fields)


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Return if a callback was signed with the secret, not long ago.

    Args:
        secret: from Kling's console: `whsec_` and a key in base64.
        headers: of the request, in any case; while a secret is replaced, there are two signatures in them.
        body: as received, to the byte.
        now: Unix seconds.

    Raises:
        CallbackRefused: it is not signed, too old or too new, or its signature is another.
        ValueError: the secret is not one.
    """
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, timestamp, signatures = (given.get(name, "") for name in HEADERS)
    if not (webhook_id and timestamp and signatures):
        raise CallbackRefused("The callback is not signed.")
    try:
        age = abs(now - int(timestamp))
    except ValueError:
        raise CallbackRefused("The callback's webhook-timestamp is no number of seconds.") from None
    if age > TOLERANCE:
        raise CallbackRefused("The callback's webhook-timestamp is more than five minutes from now.")
    content = f"{webhook_id}.{timestamp}.".encode(errors="replace") + body
    expected = b"v1," + base64.b64encode(hmac.digest(key(secret), content, "sha256"))
    if not any(hmac.compare_digest(expected, one) for one in signatures.encode(errors="replace").split(b" ")):
        raise CallbackRefused("The callback's signature is not the secret's.")


def key(secret: str) -> bytes:
    """Return the key in a secret.

    Raises:
        ValueError: it is no base64 after an optional `whsec_`.
    """
    text = secret.removeprefix("whsec_")
    if found := base64.b64decode(text + "=" * (-len(text) % 4), validate=True):
        return found
    raise ValueError("the secret is empty")
