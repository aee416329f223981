"""What a job was ordered with, in words: for the table of its page, and to compare two jobs."""

from __future__ import annotations

from kling import catalog
from kling.image_to_video import ImageToVideo
from kling.studio.jobs import Job
from pages._ui.requests import facts_of, is_found, shown_request, words_of
from pages._ui.words import field, model_title, quality

MODEL, QUALITY, LENGTH, SHAPE, SOUND = map(field, ("model_name", "mode", "duration", "aspect_ratio", "sound"))
SHOTS, CAMERA, PROMPT_STRENGTH = map(field, ("multi_shot", "camera_control", "cfg_scale"))
WATERMARK, CALLBACK = map(field, ("watermark_info", "callback_url"))
ON, OFF = "On", "Off"
OF_PICTURE = "of the picture"


def has_picture(job: Job) -> bool:
    """Whether a job was ordered to begin with a picture, which sets its shape."""
    return isinstance(shown_request(job), ImageToVideo)


def settings_of(job: Job) -> dict[str, str]:
    """Return the settings by their names, those of every job first; of a found job the model alone."""
    if is_found(job):
        return {MODEL: model_title(job["model_name"], catalog().models.get(job["model_name"]))}
    request, model = words_of(job), catalog().models.get(job["model_name"])
    found = {
        MODEL: model_title(request.model_name, model),
        QUALITY: quality(request.mode, model) if request.mode else "",
        LENGTH: f"{request.duration} s" if request.duration else "",
        SHAPE: OF_PICTURE if has_picture(job) else request.aspect_ratio or "",
        SOUND: ON if request.sound == "on" else OFF,
    }
    shots = str(len(request.multi_prompt) or "Automatic") if request.multi_shot else ""
    also = "Also with one" if request.watermark else ""
    facts = dict(facts_of(request)) | {SHOTS: shots, WATERMARK: also, CALLBACK: ""}
    for name in (SHOTS, CAMERA, PROMPT_STRENGTH, *facts):  # those with a place, then every other field
        if facts[name]:
            found.setdefault(name, facts[name])
    return found
