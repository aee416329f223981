"""Draws one frame of each of thirty prompts onto one picture: `python tests/contact_sheet.py sheet.jpg`."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.renderer.clip import frames
from kling.sandbox.renderer.prompt_reader import read_scene

PROMPTS = (
    "A red fox walking through a snowy forest at dawn",
    "Neon city street in the rain at night, cyberpunk",
    "Mountain lake at sunset with perfect reflections",
    "A white sailboat on the ocean under a blue sky",
    "Camel caravan crossing desert dunes at golden hour",
    "An astronaut floating above a ringed planet",
    "A school of fish over a coral reef, sun rays",
    "Aurora borealis over a frozen arctic sea",
    "A cup of cappuccino on a cafe table, evening bokeh",
    "Wild horses running across a meadow of poppies",
    "A lighthouse in a violent storm with lightning",
    "Cherry blossom petals falling around a pagoda",
    "A dragon flying over a castle at dusk",
    "Hot air balloons over green hills in the morning",
    "A black cat sitting by the window, rainy day",
    "Elephant walking in the savanna at sunset",
    "A woman with a red umbrella in the rain, city street",
    "Volcano erupting at night, lava and embers",
    "A waterfall in a misty jungle",
    "An old steam train crossing a valley in autumn",
    "A ballerina dancing on a stage under a spotlight",
    "Humpback whale swimming underwater",
    "A red sports car driving down a desert highway",
    "Fireflies over a lake at midnight",
    "A cosy village in the snow on Christmas night",
    "An eagle soaring above misty mountains",
    "Butterflies in a lavender field, bright summer day",
    "A rocket launching at dawn",
    "Tropical beach with palm trees, turquoise water",
    "一只狐狸在月光下的森林里",
)


def still(prompt: str, size: tuple[int, int], at: int = 24) -> Image.Image:
    """One frame of a clip, without a file."""
    spec = RenderSpec(
        seed="7", model_name="kling-v2-6", mode="pro", width=size[0], height=size[1], fps=24,
        shots=(Shot(prompt=prompt, seconds=2),),
    )  # fmt: skip
    y, u, v = next(islice(frames(spec, [read_scene(prompt)]), at, None))
    wide = [np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)) for plane in (u, v)]
    luma = (y.astype(np.float32) - 16) * (255 / 219)
    cb, cr = ((plane.astype(np.float32) - 128) * (255 / 224) for plane in wide)
    red, blue = luma + 1.5748 * cr, luma + 1.8556 * cb
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    return Image.fromarray(np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8))


def main(
    path: str, prompts: tuple[str, ...] = PROMPTS, across: int = 5, size: tuple[int, int] = (384, 216)
) -> None:
    sheet = Image.new("RGB", (size[0] * across, size[1] * -(-len(prompts) // across)))
    for number, prompt in enumerate(prompts):
        sheet.paste(still(prompt, size), (number % across * size[0], number // across * size[1]))
    sheet.save(path, quality=90)


if __name__ == "__main__":
    main(sys.argv[1])
