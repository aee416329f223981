"""The sound of a clip: a slow chord, with the noise of wind, rain or waves if the scene has them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from kling.sandbox.renderer.film import RATE

LOUDEST = 0.5  # share of full scale (-6 dBFS), because the codec may exceed it a little
FADE = 0.4  # seconds of fading in at the start, and out at the end
CHORDS = {
    "bright": (130.81, 196.00, 261.63, 329.63, 493.88),
    "calm": (110.00, 164.81, 246.94, 293.66, 329.63),
    "dark": (98.00, 146.83, 174.61, 233.08, 293.66),
}


def soundscape(
    seconds: int, *, mood: str, air: float, noise: np.random.Generator
) -> Iterator[npt.NDArray[np.float32]]:
    """Yields one second of stereo at a time.

    Args:
        seconds: the duration.
        mood: a key of `CHORDS`.
        air: the loudness of wind, rain or surf, 0..1.
        noise: the random generator.
    """
    notes = CHORDS[mood]
    phases = noise.uniform(0, 2 * np.pi, (len(notes), 2))
    slow = noise.uniform(0.05, 0.15, len(notes))
    last = np.zeros(2)
    for second in range(seconds):
        time = second + np.arange(RATE) / RATE
        wave = np.zeros((2, RATE))
        for index, note in enumerate(notes):
            swell = 0.6 + 0.4 * np.sin(2 * np.pi * slow[index] * time + phases[index, 0])
            for side, detune in enumerate((0.999, 1.001)):
                tone = 2 * np.pi * note * detune * time + phases[index, side]
                wave[side] += swell * (np.sin(tone) + 0.25 * np.sin(2 * tone)) / (1.25 * len(notes))
        if air:
            rough, last = _brown(noise, last)
            wave = wave * (1 - air / 2) + rough * air * (0.7 + 0.3 * np.sin(2 * np.pi * 0.11 * time))
        fade = np.clip(np.minimum(time, seconds - time) / FADE, 0, 1)
        yield (np.clip(wave, -1, 1) * (LOUDEST * fade * fade * (3 - 2 * fade))).astype(np.float32)


def _brown(
    noise: np.random.Generator, last: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """One second of soft noise that continues the last one without a step."""
    steps = RATE // 12  # noise at 4 kHz, interpolated, so that it does not hiss
    points = np.concatenate([last[:, None], noise.uniform(-1, 1, (2, steps))], axis=1)
    at = np.arange(RATE) / RATE * steps
    return np.stack([np.interp(at, np.arange(steps + 1), side) for side in points]), points[:, -1]
