"""Sound for a video that was made silent: which clips can get it, and the request for it.

Kling takes the id of any video that it made in the last 30 days, of 3 to 20 seconds (S2). The silent clip
stays as it is: the one with sound is a job of its own, whose parent is the silent one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from kling.catalog import catalog
from kling.studio.archive import cleared_at
from kling.studio.jobs import SUCCEED, Job
from kling.video_to_audio import VideoToAudio

SPARE = timedelta(hours=1)  # left of the 30 days at least: the job may wait for its turn


def why_no_sound(job: Job, now: float) -> str:
    """Return why a clip cannot get sound, as a sentence for a page; empty if it can.

    Args:
        job: whose clip it is, of the account in use.
        now: Unix seconds.
    """
    known = catalog()
    if job.state != SUCCEED or job.imported:
        return "Only a video that was made here can get sound."
    if not job["video_id"]:
        return "Kling's id of this video is not known here."
    if "video_duration" in job.cells and not _fits(job.decimal("video_duration")):
        low, high = known.audio_seconds
        return f"Kling makes sound for videos of {int(low)} to {int(high)} seconds."
    if datetime.fromtimestamp(now, UTC) >= cleared_at(job) - SPARE:
        return f"Kling has this video no more: it deletes them after {known.retention_days} days."
    return ""


def sound_for(job: Job, *, effects: str = "", music: str = "", asmr: bool = False) -> VideoToAudio:
    """Return the request for sound for the clip of a job; order it with that job as parent.

    Args:
        job: for which `why_no_sound` is empty.
        effects: which sounds, empty leaves it to Kling.
        music: which music, likewise.
        asmr: more detail in the sounds.
    """
    return VideoToAudio(
        video_id=job["video_id"],
        sound_effect_prompt=effects.strip(),
        bgm_prompt=music.strip(),
        asmr_mode=asmr,
    )


def _fits(seconds: Decimal | None) -> bool:
    low, high = catalog().audio_seconds
    return seconds is None or low <= seconds <= high
