"""What a job was ordered with, in words: for the table of its page, and to compare two jobs."""

from __future__ import annotations

from kling import catalog
from kling.image_to_video import ImageToVideo
from kling.studio.jobs import Job
from pages._ui.requests import camera_in_words, is_found, shown_request, words_of
from pages._ui.words import field, model_title, quality

MODEL, QUALITY, LENGTH, SHAPE, SOUND = map(field, ("model_name", "mode", "duration", "aspect_ratio", "sound"))
SHOTS, CAMERA, PROMPT_STRENGTH = map(field, ("multi_shot", "camera_control", "cfg_scale"))
ON, OFF = "On", "Off"
OF_PICTURE = "of the picture"


def has_picture(job: Job) -> bool:
    """Whether a job was ordered to begin with a picture, which sets its shape."""
    return isinstance(shown_request(job), ImageToVideo)


def settings_of(job: Job) -> dict[str, str]:
    """Return the settings by their names, those of every job first; none for a job without its order."""
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
    if request.multi_shot:
        found[SHOTS] = str(len(request.multi_prompt)) if request.multi_prompt else "Automatic"
    if camera := camera_in_words(request):
        found[CAMERA] = camera
    if request.cfg_scale is not None:
        found[PROMPT_STRENGTH] = f"{request.cfg_scale:g}"
    if request.watermark:
        found[field("watermark_info")] = "Also with one"
    return found
