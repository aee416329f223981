"""A film of joined clips, in a browser: every frame once, no pause, no click."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from kling.studio.films.join_clips import join
from tests.studio.films.reels import RATE, reel, tone

PLAY = """async data => {
  const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([bytes], {type: 'video/mp4'}));
  document.body.append(video);
  await new Promise((ready, failed) => {
    video.onloadeddata = ready;
    video.onerror = () => failed(video.error);
  });
  const seen = [], pauses = [];
  for (const name of ['waiting', 'stalled'])
    video.addEventListener(name, () => pauses.push(`${name} at ${video.currentTime}`));
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = 1;
  const drawn = canvas.getContext('2d', {willReadFrequently: true});
  const bar = () => {
    drawn.drawImage(video, 0, -video.videoHeight / 2);
    const line = drawn.getImageData(0, 0, canvas.width, 1).data;
    for (let x = 0; x < canvas.width; x++) if (line[4 * x] > 135) return x / 4;
    return -1;
  };
  const look = (_, frame) => {
    seen.push([frame.mediaTime, bar()]);
    if (!video.ended) video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await video.play();
  await new Promise(ended => { video.onended = ended; });
  const context = new OfflineAudioContext(2, 1, 48000);
  const sound = await context.decodeAudioData(bytes.buffer);
  return {seconds: video.duration, seen, pauses, samples: Array.from(sound.getChannelData(0))};
}"""


@pytest.mark.parametrize("later", ["3", "0"], ids=["copied", "encoded"])
def test_it_plays_without_a_gap_and_without_a_click(tmp_path: Path, browser: Browser, later: str):
    clips = [
        reel(tmp_path / "0.mp4", sound=tone(443.7)),
        reel(tmp_path / "1.mp4", first=23, sound=tone(443.7), bf=later),  # frames that need later ones
    ]
    facts = join(clips, tmp_path / "film.mp4")
    assert facts["copied"] == (later == "3")
    page = browser.new_page()
    played = page.evaluate(PLAY, base64.b64encode((tmp_path / "film.mp4").read_bytes()).decode())
    page.close()
    assert played["pauses"] == []
    assert played["seconds"] == pytest.approx(facts["seconds"], abs=0.01)
    # A busy machine may leave frames out; each that is seen is the right one for its time.
    assert [round(bar) for _, bar in played["seen"]] == [round(24 * time) for time, _ in played["seen"]]
    assert len(played["seen"]) > 20
    samples = np.array(played["samples"])
    usual = np.abs(np.diff(samples[RATE // 4 : RATE // 2])).max()
    middle = round(facts["starts"][1] * RATE)
    around = samples[middle - RATE // 10 : middle + RATE // 10]
    assert np.abs(np.diff(around)).max() < 1.6 * usual
    assert np.abs(around.reshape(-1, 240)).max(axis=1).min() > 0.15  # of 0.3: no hole
