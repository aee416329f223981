"""Columns that a wide window adds to the list by choice. The script keeps the choice in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from kling import catalog
from kling.studio.jobs import Job
from kling.studio.prompting.templates import templates
from pages._ui.format import took
from pages._ui.words import model_title, quality

LONGEST = 60  # characters of a value


def _model(job: Job) -> str:
    return model_title(job["model_name"], catalog().models.get(job["model_name"]))


def _quality(job: Job) -> str:
    return quality(job["mode"], catalog().models.get(job["model_name"])) if job["mode"] else ""


def _template(job: Job) -> str:
    found = job.extra.get("template") if "template" in job["extra"] else None
    return _titles().get(found, found) if isinstance(found, str) else ""


@cache
def _titles() -> Mapping[str, str]:
    return {each.id: each.title for each in templates()}


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
