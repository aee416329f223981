"""The words and choices of a request of any endpoint, under the names of text to video, which has most."""

from __future__ import annotations

from dataclasses import replace

from kling.endpoint import AnyRequest
from kling.image_to_video import ImageToVideo
from kling.text_to_video import TextToVideo


def as_text_to_video(request: AnyRequest) -> TextToVideo:
    """Return what a request has in common with text to video; what its endpoint does not have is empty.

    Sound for a video has no prompt of one name: what is wanted of sounds and of music is both.
    """
    if isinstance(request, TextToVideo):
        return request
    if isinstance(request, ImageToVideo):
        return replace(request.words, aspect_ratio="")  # the picture sets it
    return TextToVideo(
        prompt="\n".join(filter(None, (request.sound_effect_prompt, request.bgm_prompt))),
        model_name=request.model_name,
        mode=None,
        duration="",
        aspect_ratio="",
        sound="on",
        callback_url=request.callback_url,
        external_task_id=request.external_task_id,
    )
