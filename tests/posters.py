"""Draws the posters of the starting prompts again: `python tests/posters.py [ID ...]`.

Those with which the form begins also get a short clip, which plays under the pointer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kling.sandbox.render_spec import RenderSpec, Shot
from kling.sandbox.renderer import draw_clip
from kling.studio.prompting.template_language import expand
from kling.studio.prompting.templates import POSTERS, Template, templates
from pages._ui.stage.first_run import SIX

ROOT = Path(__file__).parents[1]


def spec(template: Template) -> dict[str, object]:
    """What the renderer gets on stdin: the first of all alternatives, or the shots side by side."""
    request = template.request
    prompts = [shot.prompt for shot in request.multi_prompt] or [expand(request.prompt)[0]]
    return {
        "prompts": prompts,
        "negative_prompt": request.negative_prompt,
        "aspect_ratio": request.aspect_ratio,
    }


def draw(template: Template, path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "kling.sandbox.renderer", "poster", str(path)],
        input=json.dumps(spec(template)),
        text=True,
        cwd=ROOT,
        check=True,
    )


def draw_preview(template: Template) -> None:
    """Draw three seconds without sound, in the size of a poster."""
    request = template.request
    shot = Shot(prompt=expand(request.prompt)[0], seconds=3)
    order = RenderSpec(
        seed="preview",
        model_name=request.model_name,
        mode=request.mode or "std",
        width=320,
        height=180,
        fps=24,
        shots=(shot,),
        negative_prompt=request.negative_prompt,
    )
    draw_clip(order, template.poster.with_suffix(".mp4"))


def main(wanted: list[str]) -> None:
    chosen = [template for template in templates() if not wanted or template.id in wanted]
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda template: draw(template, template.poster), chosen))
    for template in chosen:
        if template.id in SIX:
            draw_preview(template)
    for old in set(POSTERS.glob("*.jpg")) - {template.poster for template in templates()}:
        old.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
