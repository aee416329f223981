"""Columns that a wide window adds to the list by choice. The script keeps the choice in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kling import catalog
from kling.studio.jobs import Job
from pages._ui.format import took
from pages._ui.template_titles import template_of, title_of
from pages._ui.words import model_title, quality

LONGEST = 60  # characters of a value


def _model(job: Job) -> str:
    return model_title(job["model_name"], catalog().models.get(job["model_name"]))


def _quality(job: Job) -> str:
    return quality(job["mode"], catalog().models.get(job["model_name"])) if job["mode"] else ""


def _template(job: Job) -> str:
    template = template_of(job)
    return title_of(template) or template


# By the word above it: its width in pixels, and the value of a job.
COLUMNS: Mapping[str, tuple[int, Callable[[Job], str]]] = {
    "Model": (120, _model),
    "Quality": (64, _quality),
    "Shape": (56, lambda job: job["aspect_ratio"]),
    "Length": (56, lambda job: f"{job['duration']} s" if job["duration"] else ""),
    "Sound": (56, lambda job: "on" if job["sound"] == "on" else ""),
    "Took": (56, took),
    "Template": (150, _template),
    "Tags": (150, lambda job: ", ".join(job.tags)),
}


def values_of(job: Job) -> list[str]:
    """Return the values of a job, one for each of `COLUMNS`."""
    return [value(job)[:LONGEST] for _, value in COLUMNS.values()]
