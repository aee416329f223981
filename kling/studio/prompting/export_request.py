"""Exports a request as JSON, as a cURL command for bash, or as a Python program.

The programs run against Kling or the sandbox as they are. They contain no secret: keys and address come from
the environment, under the names that the studio itself reads. `import_request` reads them back.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pprint import pformat
from string import Template
from typing import Any

from kling.catalog import NEWER
from kling.client import SINGAPORE
from kling.endpoint import endpoint_of
from kling.image_to_video import ImageToVideo
from kling.pictures import is_name
from kling.studio.prompting.draft import FormRequest

# Characters that a terminal interprets or that a person cannot see: C1 controls, DEL, marks of direction,
# unusual line ends, halves of a surrogate pair.
_TREACHEROUS = re.compile(
    "[\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_ESCAPE = re.compile(r"\\(.)")


def is_newer(request: FormRequest) -> bool:
    """Whether the newer generation of the API takes a request: the model in the path, API keys only."""
    return endpoint_of(request).api == NEWER


def to_json(request: FormRequest) -> str:
    """Return the body of the create call, without `external_task_id` and `callback_url`.

    They belong to one task and to one studio, and are no part of what the person asked for. A picture is
    there by its name; a program puts its bytes, as Base64, in that place. The newer generation has the model
    in its path and ignores `model_name`: it is here because the body alone does not say what is asked for.
    """
    _, body = _call(replace(request, external_task_id="", callback_url=""))
    named = {"model_name": request.model_name} if is_newer(request) else {}
    return _escaped(json.dumps(named | body, ensure_ascii=False, indent=2))


def to_curl(
    request: FormRequest, *, base_url: str = SINGAPORE, files: Mapping[str, str] | None = None
) -> str:
    """Return one bash command that creates the task.

    Each run has an `external_task_id` of its own, by which a lost answer can be looked up. No key or token
    shows in the list of processes.

    Args:
        request: what to create.
        base_url: of the API where the environment names none.
        files: the names of the files that its pictures are read from, by the names of the pictures.
    """
    path, content = _call(replace(request, external_task_id="\0", callback_url=""))
    body = json.dumps(content, ensure_ascii=False, indent=2)
    # Bash interprets three characters in a here-document. JSON can write each of them as an escape instead.
    body = _ESCAPE.sub(lambda found: r"\u005c" if found[1] == "\\" else found[0], _escaped(body))
    body = body.replace("$", r"\u0024").replace("`", r"\u0060")
    body = body.replace(r"\u0000", "$TASK", 1)  # the first one stands for the id
    for name, file in _files(request, files).items():
        body = body.replace(json.dumps(name), f"\"$(base64 < {shlex.quote(file)} | tr -d '\\n')\"")
    base = shlex.quote(base_url.rstrip("/"))
    names = _NEWER if is_newer(request) else _OLDER
    return Template(_CURL).substitute(names, base=base, path=path, body=body)


def to_python(
    request: FormRequest, *, base_url: str = SINGAPORE, files: Mapping[str, str] | None = None
) -> str:
    """Return a program that creates the task, follows it, and saves its video beside itself.

    It needs `requests` and, for a key pair, `pyjwt` only. A lost answer is looked up and not sent again.

    Args:
        request: what to create.
        base_url: of the API where the environment names none.
        files: as for `to_curl`.
    """
    path, content = _call(replace(request, external_task_id="", callback_url=""))
    body = pformat(content, width=100, sort_dicts=False)
    read = _files(request, files)
    for name, file in read.items():
        body = body.replace(repr(name), f"picture({file!r})")
    names = _NEWER if is_newer(request) else _OLDER
    return Template(_PYTHON).substitute(
        names,
        base=repr(base_url.rstrip("/")),
        path=path,
        body=body,
        imports="import base64\n" if read else "",
        picture=_PICTURE if read else "",
    )


def _files(request: FormRequest, files: Mapping[str, str] | None) -> dict[str, str]:
    """Return the files that the pictures of a request are read from, by the names of the pictures."""
    names = (request.image, request.image_tail) if isinstance(request, ImageToVideo) else ()
    return {name: (files or {}).get(name, f"{name[:12]}.png") for name in names if is_name(name)}


def _call(request: FormRequest) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of the create call, in the generation of the API that takes it.

    The id comes first in the body of the older generation, where it is easily seen.
    """
    endpoint, body = endpoint_of(request), request.to_wire()
    own = body.pop("external_task_id", None)
    call = endpoint.dialect.create_call(endpoint.path, ({"external_task_id": own} if own else {}) | body)
    return call.path, dict(call.json or {})


def _escaped(text: str) -> str:
    return _TREACHEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


_SIGN = """import base64, hashlib, hmac, json, os, time
text = lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")
now = int(time.time())
claims = {"iss": os.environ["KLINGAI_ACCESS_KEY"], "exp": now + 1800, "nbf": now - 5}
token = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
secret = os.environ["KLINGAI_SECRET_KEY"].encode()
print(token + "." + text(hmac.new(secret, token.encode(), hashlib.sha256).digest()))"""

_CURL = """\
# Creates one task. $shell_keys; KLINGAI_BASE_URL names another region or a sandbox. If no answer comes, the
# task may exist all the same: ask for $$TASK before you run this again.
BASE=$${KLINGAI_BASE_URL:-$base}
TASK=curl-$$(date +%s)-$$RANDOM$$RANDOM
TOKEN=$shell_token
curl --silent --show-error --max-time 60 --request POST \\
  --url "$${BASE%/}$path" \\
  --header @<(printf 'Authorization: Bearer %s\\n' "$$TOKEN") \\
  --header 'Content-Type: application/json' \\
  --data-binary @- <<JSON
$body
JSON
"""

# What differs between the two generations of the API.
_OLDER = {
    "one": 'ask("GET", f"{TASKS}/{task}")',
    "named": '{**BODY, "external_task_id": task}',
    "id": "task_id",
    "status": "task_status",
    "done": "succeed",
    "reason": "task_status_msg",
    "url": 'data["task_result"]["videos"][0]["url"]',
    "query": "",
    "look_up": "",
    "shell_keys": "Keys come from the environment: KLINGAI_API_KEY, or KLINGAI_ACCESS_KEY and\n"
    "# KLINGAI_SECRET_KEY",
    "shell_token": f"""${{KLINGAI_API_KEY-}}
[ -n "$TOKEN" ] || TOKEN=$(python3 -c '
{_SIGN}
')""",
    "needs": "requests pyjwt",
    "keys": "Keys come from the environment: KLINGAI_API_KEY, or\nKLINGAI_ACCESS_KEY and KLINGAI_SECRET_KEY",
    "jwt": "import jwt\n",
    "token": """    if not os.environ.get("KLINGAI_ACCESS_KEY") or not os.environ.get("KLINGAI_SECRET_KEY"):
        sys.exit("Set KLINGAI_API_KEY, or KLINGAI_ACCESS_KEY and KLINGAI_SECRET_KEY.")
    now = int(time.time())
    claims = {"iss": os.environ["KLINGAI_ACCESS_KEY"], "exp": now + 1800, "nbf": now - 5}
    return jwt.encode(claims, os.environ["KLINGAI_SECRET_KEY"], algorithm="HS256")""",
}
_NEWER = {
    "one": "look_up(task)",
    "named": 'BODY | {"options": BODY.get("options", {}) | {"external_task_id": task}}',
    "id": "id",
    "status": "status",
    "done": "succeeded",
    "reason": "message",
    "url": 'next(one["url"] for one in data["outputs"] if one["type"] == "video")',
    "query": 'QUERY = (os.environ.get("KLINGAI_BASE_URL") or BASE).rstrip("/") + "/tasks"\n',
    "look_up": """def look_up(task):
    found = ask("GET", QUERY, params={"external_task_ids": task})
    return found[0] if found else sys.exit("Kling has no such task.")


""",
    "shell_keys": "Its key comes from the environment: KLINGAI_API_KEY (no access key is\n# taken)",
    "shell_token": "${KLINGAI_API_KEY:?is not set}",
    "needs": "requests",
    "keys": "The key comes from the environment: KLINGAI_API_KEY (no access\nkey is taken)",
    "jwt": "",
    "token": """    sys.exit("Set KLINGAI_API_KEY: no access key is taken.")""",
}

_PICTURE = """

def picture(name):
    with open(name, "rb") as file:
        return base64.b64encode(file.read()).decode()


"""

_PYTHON = '''\
"""Creates one task, follows it and saves its video; with an id as argument it follows that task only.

Needs: pip install $needs. $keys; KLINGAI_BASE_URL names another region or a sandbox.
"""

${imports}import os
import sys
import time
import uuid

${jwt}import requests

BASE = $base
TASKS = (os.environ.get("KLINGAI_BASE_URL") or BASE).rstrip("/") + "$path"
${query}${picture}BODY = $body


def token():
    if key := os.environ.get("KLINGAI_API_KEY"):
        return key
$token


def ask(method, url, **more):
    bearer = {"Authorization": f"Bearer {token()}"}
    said = requests.request(method, url, headers=bearer, timeout=60, **more).json()
    code, message = said.get("code", 5000), said.get("message")
    if code >= 5000:  # it may have run: the same as no answer
        raise requests.RequestException(f"{code} {message}")
    if code != 0:
        sys.exit(f"Kling refused: {code} {message}")
    return said["data"]


${look_up}def wait(task):
    """Asks until the task has ended. Asking again after a lost answer costs nothing."""
    pause, deadline = 1.0, time.monotonic() + 30 * 60
    while time.monotonic() < deadline:
        try:
            data = $one
            print(time.strftime("%H:%M:%S"), data["$status"], flush=True)
            if data["$status"] in ("$done", "failed"):
                return data
        except requests.RequestException as error:
            print("No answer, asking again:", error, flush=True)
        time.sleep(pause)
        pause = min(pause * 1.5, 10)
    sys.exit(f"It still runs. Follow it with: python {sys.argv[0]} {task}")


if len(sys.argv) > 1:
    task = sys.argv[1]
else:
    task = f"python-{uuid.uuid4()}"  # our own name for it, which Kling accepts once
    print("task", task, flush=True)
    try:
        print("task_id", ask("POST", TASKS, json=$named)["$id"], flush=True)
    except requests.RequestException as error:  # sent or not: a second POST could be a second bill
        print("No answer, looking it up:", error, flush=True)

data = wait(task)
if data["$status"] == "failed":
    sys.exit(f"The task failed: {data.get('$reason')}")
path = f"{task}.mp4"
with requests.get($url, stream=True, timeout=60) as video:
    video.raise_for_status()
    with open(path, "wb") as file:
        for part in video.iter_content(1 << 20):
            file.write(part)
print("saved", path)
'''
