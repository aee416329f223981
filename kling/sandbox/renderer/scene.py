"""Turns a Scene into pieces, far to near, that are then painted."""

from __future__ import annotations

from kling.sandbox.renderer import air
from kling.sandbox.renderer.canvas import Piece
from kling.sandbox.renderer.cast import subject_pieces
from kling.sandbox.renderer.grounds import sky_pieces
from kling.sandbox.renderer.look import Look, choose_look
from kling.sandbox.renderer.places import PLACES, open_land
from kling.sandbox.renderer.prompt_reader import Scene

INSIDE = {"space", "underwater", "room", "cafe", "stage", "studio", "macro", "abstract", "moon"}


def plan(scene: Scene, seed: int, frame: tuple[int, int], seconds: int) -> list[Piece]:
    """The pieces of a scene, far to near.

    Args:
        scene: what the prompt asks for.
        seed: of all random shapes.
        frame: width and height in pixels.
        seconds: the duration of the shot.
    """
    look = choose_look(scene, seed, frame, seconds)
    paint_place = PLACES.get(scene.place, open_land)
    far = [] if scene.place in INSIDE else sky_pieces(look)
    pieces = [*far, *paint_place(look), *_flying(look)]
    # Near pieces come last; the sort is stable, so pieces at the same distance keep their sequence.
    return sorted(pieces, key=lambda piece: -piece.depth)


def _flying(look: Look) -> list[Piece]:
    """The pieces of the subjects, and of small things in the air such as rain or petals."""
    scene, pieces = look.scene, []
    for number, (name, colour) in enumerate(scene.subjects):
        pieces += subject_pieces(look, name, colour, number)
    outside = scene.place not in INSIDE
    kinds = {"rain": "rain", "storm": "rain", "snow": "snow"}
    kind = kinds.get(scene.weather, "") if outside else ""
    for salt, depth in ((61, 6.0), (63, 3.0), (65, 1.9)) if kind else ():
        pieces.append(air.flying(look, kind, salt, depth))
    if scene.weather == "fog" and outside:
        pieces += [
            air.fog(look, 67, 9.5, look.horizon, 0.75),
            air.fog(look, 69, 4.0, look.horizon + 0.12, 0.6),
        ]
    if scene.air in air.KINDS and not (scene.air == "dust" and outside):
        what = "soap" if scene.air == "bubbles" and scene.place != "underwater" else scene.air
        pieces += [air.flying(look, what, 81, 4.0), air.flying(look, what, 83, 2.2)]
    return pieces
