"""Draws what was ordered: an animated scene from the prompt's words, as a real MP4.

The door is `draw_clip`; `draw_camera_preview` shows a camera move without a task. Everything is drawn by
numpy and Pillow from a lexicon of words; there is no model here, and the picture says that it is a preview.
"""

from kling.sandbox.renderer.clip import draw_camera_preview, draw_clip

__all__ = ["draw_camera_preview", "draw_clip"]
