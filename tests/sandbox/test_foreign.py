"""Clients as others write them for Kling, in Python and JavaScript; only the base URL is changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY

# As in the official sample: PyJWT, then plain requests.
PYTHON = """
import os, time, jwt, requests
base = os.environ["KLINGAI_BASE_URL"]
def token():
    now = int(time.time())
    payload = {"iss": os.environ["KLINGAI_ACCESS_KEY"], "exp": now + 1800, "nbf": now - 5}
    return jwt.encode(payload, os.environ["KLINGAI_SECRET_KEY"], headers={"alg": "HS256", "typ": "JWT"})
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + token()}
body = {"model_name": "kling-v1", "prompt": "A fox", "negative_prompt": "", "cfg_scale": 0.5, "mode": "std",
        "aspect_ratio": "16:9", "duration": "5",
        "camera_control": {"type": "simple", "config": {"horizontal": 0, "vertical": 0, "pan": 0, "tilt": 0,
                                                         "roll": 0, "zoom": 5}}}
task = requests.post(base + "/v1/videos/text2video", headers=headers, json=body).json()["data"]
while task["task_status"] not in ("succeed", "failed"):
    time.sleep(0.05)
    task = requests.get(base + "/v1/videos/text2video/" + task["task_id"], headers=headers).json()["data"]
video = requests.get(task["task_result"]["videos"][0]["url"])
print(task["task_status"], task["task_result"]["videos"][0]["duration"], len(video.content) > 1000)
"""

# fetch and a token by hand; ids stay texts.
JAVASCRIPT = """
const crypto = require("node:crypto");
const base = process.env.KLINGAI_BASE_URL;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const now = Math.floor(Date.now() / 1000);
const unsigned = part({ alg: "HS256", typ: "JWT" }) + "." +
  part({ iss: process.env.KLINGAI_ACCESS_KEY, exp: now + 1800, nbf: now - 5 });
const sign = crypto.createHmac("sha256", process.env.KLINGAI_SECRET_KEY).update(unsigned).digest("base64url");
const headers = { "Content-Type": "application/json", Authorization: `Bearer ${unsigned}.${sign}` };
(async () => {
  const body = { model_name: "kling-v2-6", prompt: "A fox", mode: "pro", sound: "on", duration: "5" };
  const create = { method: "POST", headers, body: JSON.stringify(body) };
  let { code, data } = await (await fetch(base + "/v1/videos/text2video", create)).json();
  if (code !== 0) throw new Error(String(code));
  while (data.task_status !== "succeed" && data.task_status !== "failed") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ data } = await (await fetch(`${base}/v1/videos/text2video/${data.task_id}`, { headers })).json());
  }
  const video = data.task_result.videos[0];
  const clip = await (await fetch(video.url)).arrayBuffer();
  console.log(data.task_status, video.duration, clip.byteLength > 1000);
})();
"""


@pytest.fixture(scope="module")
def environment():
    options = ["--clips", "tiny", "--pace", "polls:2", "--retired", "serve"]  # the sample is an old one
    program = [sys.executable, "-m", "kling.sandbox", *options]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Kling sandbox: ").strip()
        keys = {"KLINGAI_ACCESS_KEY": ACCESS_KEY, "KLINGAI_SECRET_KEY": SECRET_KEY}
        yield os.environ | keys | {"KLINGAI_BASE_URL": url}
        process.kill()


@pytest.mark.parametrize(
    ("program", "source"),
    [([sys.executable, "-c"], PYTHON), (["node", "-e"], JAVASCRIPT)],
    ids=["python", "javascript"],
)
def test_a_foreign_client_gets_its_video(environment, program, source):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not here")
    done = subprocess.run(
        [*program, source], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() in (["succeed", "5", "True"], ["succeed", "5", "true"]), done.stderr
