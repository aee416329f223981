"""Clients as others write them for Kling's newer generation; only the base URL is changed.

They follow the examples of the official pages and what published clients do: the model in the path, nested
settings and options, `/tasks` by one id or by the caller's own, a picture as raw Base64, the price from
`billing`, and the list by its cursor.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

from kling.sandbox.auth import API_KEY

TEXT = """
import os, time, requests
base = os.environ["BASE"]
headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["KEY"]}
body = {
    "prompt": "A girl sat on the train, looking out the window with a melancholic expression.",
    "options": {"callback_url": "", "watermark_info": {"enabled": False}, "external_task_id": ""},
    "settings": {"duration": 3, "resolution": "720p", "aspect_ratio": "9:16"},
}
answer = requests.post(base + "/text-to-video/kling-3.0-turbo", headers=headers, json=body, timeout=60)
answer.raise_for_status()
task_id = answer.json()["data"]["id"]
while True:
    task = requests.get(f"{base}/tasks?task_ids={task_id}", headers=headers, timeout=60).json()["data"][0]
    if task["status"] == "failed":
        raise SystemExit(task["message"])
    if task["status"] == "succeeded":
        break
    time.sleep(0.05)
video = next(one for one in task["outputs"] if one["type"] == "video")
content = requests.get(video["url"], timeout=60).content
bill = task["billing"][0]
print(len(content) > 1000, float(video["duration"]), bill["charge_type"], bill["amount"])
"""

# The frames of a file; a lost answer is looked up by the caller's id; what it cost in dollars.
FRAMES = """
import base64, os, time, uuid, requests
session = requests.Session()
session.headers["Authorization"] = "Bearer " + os.environ["KEY"]
base, mine = os.environ["BASE"], uuid.uuid4().hex
frame = os.environ["FRAME"]
body = {
    "contents": [
        {"type": "prompt", "text": "The camera pushes in slowly"},
        {"type": "first_frame", "url": frame},
        {"type": "last_frame", "url": frame},
    ],
    "settings": {"resolution": "720p", "duration": 5, "audio": "native", "multi_shot": False},
    "options": {"external_task_id": mine, "watermark_info": {"enabled": True}},
}
created = session.post(base + "/image-to-video/kling-3.0", json=body).json()
assert created["code"] == 0, created
again = session.post(base + "/image-to-video/kling-3.0", json=body).json()
assert again["code"] == 1201 and "already exists" in again["message"], again
task = {"status": "submitted"}
while task["status"] in ("submitted", "processing"):
    time.sleep(0.05)
    (task,) = session.get(base + "/tasks", params={"external_task_ids": mine}).json()["data"]
outputs = [one for one in task.get("outputs") or [] if one.get("type") == "video" and one.get("url")]
cost = sum(float(one["amount"]) * (1 if one["charge_type"] == "cash" else 0.14) for one in task["billing"])
plain = requests.get(outputs[0]["url"]).content
marked = requests.get(outputs[0]["watermark_url"]).content
print(len(plain) > 1000 and len(marked) > 1000, float(outputs[0]["duration"]), round(cost, 2))
"""

# A batch, then the list by its cursor, then the sound of one of the videos by the older generation.
BATCH = """
import os, time, requests
base, headers = os.environ["BASE"], {"Authorization": "Bearer " + os.environ["KEY"]}
made = []
for number in range(5):
    settings = {"duration": 5, "resolution": "1080p", "audio": "off"}
    body = {"prompt": f"A fox, take {number}", "settings": settings}
    created = requests.post(f"{base}/text-to-video/kling-2.6", headers=headers, json=body).json()
    made.append(created["data"]["id"])
def states():
    asked = {"task_ids": ",".join(made)}
    found = requests.get(f"{base}/tasks", headers=headers, params=asked).json()["data"]
    return {task["id"]: task["status"] for task in found}
while set(states().values()) != {"succeeded"}:
    time.sleep(0.05)
listed, cursor = [], ""
while True:
    now = int(time.time() * 1000)
    body = {"start_time": now - 3600000, "end_time": str(now + 60000), "cursor": cursor, "limit": 2,
            "filters": [{"key": "status", "values": ["succeeded"]}]}
    page = requests.post(f"{base}/tasks", headers=headers, json=body).json()["data"]
    listed += [task["id"] for task in page.get("result") or []]
    cursor = page.get("next_cursor")
    if not page["has_more"]:
        break
(task,) = requests.get(f"{base}/tasks?task_ids={made[0]}", headers=headers).json()["data"]
body = {"video_id": task["outputs"][0]["id"], "sound_effect_prompt": "steps in snow", "external_task_id": ""}
sound = requests.post(f"{base}/v1/audio/video-to-audio", headers=headers, json=body).json()["data"]
while sound["task_status"] not in ("succeed", "failed"):
    time.sleep(0.05)
    sound = requests.get(f"{base}/v1/audio/video-to-audio/{sound['task_id']}", headers=headers).json()["data"]
result = sound["task_result"]
files = [result["videos"][0]["url"], result["audios"][0]["url_mp3"], result["audios"][0]["url_wav"]]
sizes = [len(requests.get(url).content) for url in files]
once = len(listed) == len(set(listed))
print(set(listed) >= set(made), once, min(sizes) > 500, sound["final_unit_deduction"])
"""

JAVASCRIPT = """
const base = process.env.BASE;
const call = async (method, path, body) => {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${process.env.KEY}` };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok || json.code !== 0) throw new Error(`${answer.status} ${json.code} ${json.message}`);
  return json.data;
};
(async () => {
  const contents = [
    { type: "prompt", text: "Snow begins to fall" },
    { type: "first_frame", url: process.env.FRAME },
  ];
  const settings = { resolution: "720p", duration: 5 };
  const { id } = await call("POST", "/image-to-video/kling-2.5-turbo", { contents, settings });
  let task;
  do {
    await new Promise((resolve) => setTimeout(resolve, 50));
    [task] = await call("GET", `/tasks?task_ids=${encodeURIComponent(id)}`);
  } while (!["succeeded", "failed"].includes(task.status));
  const clip = await (await fetch(task.outputs[0].url)).arrayBuffer();
  const [{ package_type, amount }] = task.billing;
  console.log(clip.byteLength > 1000, task.outputs[0].duration, package_type, amount);
})();
"""


@pytest.fixture(scope="module")
def environment():
    picture = BytesIO()
    Image.new("RGB", (640, 360), "teal").save(picture, "JPEG")
    program = [sys.executable, "-m", "kling.sandbox", "--clips", "tiny", "--pace", "polls:2"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Kling sandbox: ").strip()
        frame = base64.b64encode(picture.getvalue()).decode()
        yield os.environ | {"BASE": url, "KEY": API_KEY, "FRAME": frame}
        process.kill()


@pytest.mark.parametrize(
    ("program", "source", "said"),
    [
        ([sys.executable, "-c"], TEXT, "True 3.0 unit 2.4"),
        ([sys.executable, "-c"], FRAMES, "True 5.0 0.63"),
        ([sys.executable, "-c"], BATCH, "True True True 0.25"),
        (["node", "-e"], JAVASCRIPT, "true 5 video 1.5"),
    ],
    ids=["text", "frames", "batch, list and sound", "javascript"],
)
def test_a_foreign_client_of_the_newer_generation_gets_its_video(environment, program, source, said):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not here")
    done = subprocess.run(
        [*program, source], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == said, done.stderr
