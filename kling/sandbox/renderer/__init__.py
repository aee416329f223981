"""Draws a RenderSpec: an animated scene from the words of a prompt, as a real MP4.

`draw_clip` draws a clip, `draw_sound` makes sound for one, and `draw_camera_preview` shows a camera move
without a task. Nothing outside this package imports anything else of it. numpy and Pillow draw everything,
from a lexicon of words; no model runs here, and each picture says that it is a preview.

A clip is made in these steps:
    prompt_reader.py    the prompt becomes a Scene, by the words in lexicon.toml (vocabulary.py)
    scene.py            the Scene becomes Pieces: places.py chooses painters, cast.py places figures
    land.py, sky.py ... a painter paints a Piece onto a Canvas, once, as a Layer larger than the frame
    camera.py           the position of the camera at each frame
    layers.py           puts the layers together into one frame
    grade.py, label.py  finish the frame
    film.py, sound.py   encode frames and sound
    picture.py          a picture instead of a Scene: its layers, and the camera before it
"""

from kling.sandbox.renderer.clip import draw_camera_preview, draw_clip, draw_sound

__all__ = ["draw_camera_preview", "draw_clip", "draw_sound"]
