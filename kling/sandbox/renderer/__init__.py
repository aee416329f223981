"""Draws a RenderSpec: an animated scene from the words of a prompt, as a real MP4.

`draw_clip` draws a clip, `draw_sound` makes sound for one, and `draw_camera_preview` shows a camera move
without a task. Nothing outside this package imports anything else of it. numpy and Pillow draw everything,
from a lexicon of words; no model runs here, and each picture says that it is a preview.

A clip is made in these steps:
    clip           its shots one after another, each a scene and a camera
    prompt_reader  the prompt becomes a Scene
    vocabulary     by the words in lexicon.toml
    look           the colours and the light of the Scene
    scene          the Scene becomes Pieces
    places, inside, wilds  choose the painters of its place
    cast           places figures in it, and moves them
    canvas         what a painter paints a Piece onto, once, as a Layer larger than the frame
    camera         the position of the camera at each frame
    layers         puts the layers together into one frame
    scale          scales them, exactly to a fraction of a pixel
    grade, label   finish the frame
    film, sound    encode frames and sound
    picture        a picture instead of a Scene: its layers, and the camera before it

Painters:
    sky              sun and moon, stars, clouds, aurora, planets
    air              rain, snow, petals and sparks; fog and lightning
    land             mountains, hills, dunes, mesas, and the ground near the camera
    grounds          what most places share: the sky, and the ground in between
    plants           rows of trees, grass and flowers
    water            surfaces, waves, waterfalls, and the sea from below
    town             skylines, rooms, artificial light
    abstract         silk, ink, smoke and floating shapes
    figures          figures of a few parts that turn, swing or flap
    people, animals  their bodies, at any moment of a step
    rigs             helpers for bodies
"""

from kling.sandbox.renderer.clip import draw_camera_preview, draw_clip, draw_sound

__all__ = ["draw_camera_preview", "draw_clip", "draw_sound"]
